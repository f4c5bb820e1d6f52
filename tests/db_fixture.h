/* db_fixture - what tests on a db begin with
 *
 * Each function ends the test when it fails. Not every test uses all.
 */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include "01-blocking/db.h"
#include "01-blocking/stmt.h"
#include "grader/test.h"

static inline void open_with(struct asq_db *db,
                             const struct asq_profile *profile)
{
    if (asq_db_open(db, profile) != 0)
        FAIL("%s", asq_db_message(db));
}

static inline void open_default(struct asq_db *db)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    open_with(db, &profile);
}

static inline void run(struct asq_db *db, const char *sql)
{
    if (asq_db_run(db, sql, NULL, NULL) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
}

/* Returns the one integer that the query answers with. */
static inline int64_t ask(struct asq_db *db, const char *sql)
{
    struct asq_result result = {0};
    struct asq_value value;

    if (asq_db_run(db, sql, NULL, &result) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
    value = asq_result_at(&result, 0, 0);
    CHECK_INT(value.type, ASQ_INT64);
    asq_result_destroy(&result);
    return value.as.int64;
}

static inline void close_db(struct asq_db *db)
{
    if (asq_db_close(db) != 0)
        FAIL("%s", asq_db_message(db));
}

#endif
