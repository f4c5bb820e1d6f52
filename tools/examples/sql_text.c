#include "asq.h"

#include <stdio.h>

int main(void)
{
    const char *sql = "-- ends the transaction\nCOMMIT";

    (void)printf("that is %s\n",
                 asq_sql_kind(sql, ASQ_WHOLE_TEXT) == ASQ_KIND_COMMIT
                     ? "a COMMIT"
                     : "something else");
    return 0;
}
