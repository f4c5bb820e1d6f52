#include "asq.h"

#include <stdio.h>

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_value values[] = {asq_int64(6), asq_int64(7)};
    struct asq_params params = {.values = values, .count = 2};
    struct asq_result result = {0};
    struct asq_db db;
    int rc = asq_db_open(&db, &profile);

    if (rc == 0)
        rc = asq_db_run(&db, "SELECT ?1 * ?2", &params, &result);
    if (rc == 0)
        (void)printf("6 * 7 = %d\n",
                     (int)asq_result_at(&result, 0, 0).as.int64);
    else
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    asq_result_destroy(&result);
    return asq_db_close(&db) != 0 || rc != 0;
}
