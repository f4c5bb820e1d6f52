/* tx_units - what many transactions were told, compared with the file
 *
 * A unit is whatever is committed or undone as one: a transaction, a savepoint
 * in it, a plain request. Each has a number of its own, and every row that it
 * writes into the table rows is that number.
 */
#ifndef TESTS_TX_UNITS_H
#define TESTS_TX_UNITS_H

#include "grader/raw_db.h"

#include <stdbool.h>

enum {
    UNITS = 200000 /* at most */
};

struct units {
    uint64_t random;
    unsigned count;         /* numbers begin with 1 */
    unsigned around[UNITS]; /* what it stands in, or 0 */
    int status[UNITS];      /* UV_EOF: it has not ended */
    unsigned rows[UNITS], found[UNITS];
};

static inline unsigned units_draw(struct units *units, unsigned below)
{
    units->random =
        units->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(units->random >> 33) % below;
}

static inline unsigned draw_unit(struct units *units, unsigned around)
{
    unsigned unit = ++units->count;

    CHECK(unit < UNITS);
    units->around[unit] = around;
    units->status[unit] = UV_EOF; /* not ended */
    return unit;
}

static inline void read_found(struct units *units, sqlite3 *db)
{
    sqlite3_stmt *stmt;
    int rc;

    CHECK_INT(sqlite3_prepare_v2(db, "SELECT n, count(*) FROM rows GROUP BY n",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int unit = sqlite3_column_int(stmt, 0);

        CHECK_RANGE(unit, 1, units->count);
        units->found[unit] = (unsigned)sqlite3_column_int(stmt, 1);
    }
    CHECK_INT(rc, SQLITE_DONE);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* All rows of each unit that was told 0, if what is around it was told 0 as
 * well, and none of any other. */
static inline void check_file(struct units *units, const char *path)
{
    sqlite3 *db = raw_open(path);

    read_found(units, db);
    for (unsigned i = 1; i <= units->count; i++) {
        unsigned expected = units->rows[i];
        /* A savepoint that was not begun after all has no status. */
        bool never = units->status[i] == UV_EOF && units->rows[i] == 0;

        CHECK(never || units->status[i] != UV_EOF);
        if (units->status[i] != 0 || units->status[units->around[i]] != 0)
            expected = 0;
        if (units->found[i] != expected)
            FAIL("unit %u (%d), in %u (%d), left %u rows instead of %u", i,
                 units->status[i], units->around[i],
                 units->status[units->around[i]], units->found[i], expected);
    }
    CHECK_INT(raw_ask(db, "SELECT count(*) FROM taken"), 1);
    raw_close(db);
    check_integrity(path);
}

#endif
