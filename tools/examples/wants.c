#include "asq.h"

#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
    static struct asq_wants wants;
    sqlite3 *db = NULL;
    int rc = sqlite3_open(":memory:", &db);

    if (rc == 0)
        rc = sqlite3_exec(db, "CREATE TABLE users (id, email)", NULL, NULL,
                          NULL);
    if (rc == 0)
        asq_wants_find(db, "SELECT id FROM users WHERE email = ?", &wants);
    for (int i = 0; i < wants.count; i++)
        (void)printf("it would like an index on %s\n", wants.indexes[i]);
    (void)sqlite3_close(db); /* every statement is finalized */
    return rc;
}
