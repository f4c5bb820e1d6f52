#include "asq.h"

#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
    sqlite3 *db = NULL;
    char message[256] = "example.db cannot be made";
    bool raw = false;
    int rc = sqlite3_open("example.db", &db);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc =
            asq_db_copy("example.db", "copy.db", &raw, message, sizeof message);
    (void)puts(rc == 0 ? "copied while it was open" : message);
    (void)sqlite3_close(db);
    (void)asq_db_remove("copy.db");
    (void)asq_db_remove("example.db");
    return rc != 0;
}
