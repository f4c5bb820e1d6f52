/* refusal - a connection that is not allowed some statements, and counts them
 *
 * Owns nothing.
 */
#include "refusal.h"
#include "test.h"

#include <string.h>

/* Counts the action. Returns its kind, or 0 if it does not matter here. */
static int count(struct test_refusal *refusal, int action, const char *argument)
{
    switch (action) {
    case SQLITE_TRANSACTION:
        if (strcmp(argument, "BEGIN") == 0)
            return refusal->begins++, TEST_REFUSE_BEGIN;
        if (strcmp(argument, "COMMIT") == 0)
            return refusal->commits++, TEST_REFUSE_COMMIT;
        return refusal->rollbacks++, TEST_REFUSE_ROLLBACK;
    case SQLITE_SAVEPOINT:
        return refusal->savepoints++, TEST_REFUSE_SAVEPOINT;
    case SQLITE_PRAGMA:
        return refusal->pragmas++, TEST_REFUSE_PRAGMA;
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return refusal->attaches++, TEST_REFUSE_ATTACH;
    default:
        return 0;
    }
}

static int on_compile(void *data,
                      int action,
                      const char *argument,
                      const char *second,
                      const char *database,
                      const char *trigger)
{
    struct test_refusal *refusal = data;

    (void)second, (void)database, (void)trigger; /* the action says it all */
    if ((count(refusal, action, argument) & refusal->kinds) == 0)
        return SQLITE_OK;
    refusal->refused++;
    return SQLITE_DENY;
}

void test_refuse(sqlite3 *db, struct test_refusal *refusal, int kinds)
{
    refusal->kinds = kinds;
    CHECK_INT(sqlite3_set_authorizer(db, on_compile, refusal), SQLITE_OK);
}

void test_refuse_nothing(sqlite3 *db)
{
    CHECK_INT(sqlite3_set_authorizer(db, NULL, NULL), SQLITE_OK);
}
