#include "asq.h"

#include <stdio.h>

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db db;
    int rc = asq_db_open(&db, &profile);

    if (rc == 0)
        (void)printf("open, its journal mode is %s\n", db.journal_mode);
    else
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    return asq_db_close(&db) != 0 || rc != 0;
}
