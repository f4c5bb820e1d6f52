/* case_in_memory - which database is right for a test?
 *
 * The trouble: a test runs on a database in memory, and says nothing about the
 * real one. Here four kinds of database are tried in the same way: which
 * journal do they have, does a second connection see the table, and what does
 * it get if it writes while the first one is writing? No clock is used: SQLite
 * asks the second connection whether it goes on waiting, and then the first one
 * commits.
 *
 * Run:      build/09-lifetimes-case_in_memory
 * Expect:   only the temporary file behaves as the real database does
 */
#include "09-lifetimes/tempdb.h"
#include "common/paths.h"
#include "common/table.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    KINDS = 4
};

struct kind {
    const char *name;
    const char *path; /* NULL: the tempdb's */
    enum asq_tempdb_kind tempdb;
    char journal[16];
    const char *seen, *locked;
};

/* Two connections to one of them. */
struct pair {
    struct asq_tempdb tempdb;
    sqlite3 *a, *b;
    int asked;
};

static int open_one(struct pair *pair, const struct kind *kind, sqlite3 **db)
{
    struct asq_profile profile = asq_tempdb_profile(&pair->tempdb);

    return sqlite3_open_v2(kind->path == NULL ? profile.path : kind->path, db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                               SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE,
                           profile.vfs);
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* B would wait now: SQLite asks it whether it goes on. */
static int end_other(void *data, int tries)
{
    struct pair *pair = data;

    (void)tries;
    pair->asked++;
    return run(pair->a, "COMMIT") == SQLITE_OK; /* then it tries again */
}

static int copy_text(void *text, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    (void)snprintf(text, 16, "%s", values[0]); /* a name of a mode */
    return 0;
}

/* B writes while A is writing. */
static const char *try_lock(struct pair *pair)
{
    int rc = sqlite3_busy_handler(pair->b, end_other, pair);

    if (rc == 0)
        rc = run(pair->a, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    if (rc == 0)
        rc = run(pair->b, "INSERT INTO t VALUES (2)");
    if (pair->asked == 0)
        (void)run(pair->a, "ROLLBACK"); /* its result does not matter */
    return rc == 0 && pair->asked > 0        ? "waits, then writes"
           : rc == SQLITE_LOCKED_SHAREDCACHE ? "SQLITE_LOCKED at once"
                                             : sqlite3_errstr(rc);
}

static int try_kind(struct kind *kind)
{
    struct pair pair = {.a = NULL};
    int rc = asq_tempdb_open(&pair.tempdb, kind->tempdb, asq_build_dir());

    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", pair.tempdb.message);
        return rc;
    }
    rc = open_one(&pair, kind, &pair.a);
    if (rc == 0)
        rc = sqlite3_exec(pair.a, "PRAGMA journal_mode=WAL", copy_text,
                          kind->journal, NULL);
    if (rc == 0)
        rc = run(pair.a, "CREATE TABLE t (x)");
    if (rc == 0)
        rc = open_one(&pair, kind, &pair.b);
    if (rc == 0) {
        bool seen = run(pair.b, "SELECT x FROM t") == SQLITE_OK;

        kind->seen = seen ? "yes" : "no";
        kind->locked = seen ? try_lock(&pair) : "-";
    } else {
        (void)fprintf(stderr, "%s: %s\n", kind->name, sqlite3_errstr(rc));
    }
    (void)sqlite3_close(pair.b); /* every statement is finalized */
    (void)sqlite3_close(pair.a);
    if (asq_tempdb_close(&pair.tempdb) != 0)
        (void)fprintf(stderr, "%s\n", pair.tempdb.message); /* it is left */
    return rc;
}

int main(void)
{
    static const char *const headers[] = {"database", "journal", "B sees it",
                                          "B writes while A does"};
    struct kind kinds[KINDS] = {
        {.name = "private, :memory:", .tempdb = ASQ_TEMPDB_PRIVATE},
        {.name = "shared cache (old)",
         .path = "file::memory:?cache=shared",
         .tempdb = ASQ_TEMPDB_PRIVATE},
        {.name = "shared, memdb", .tempdb = ASQ_TEMPDB_SHARED},
        {.name = "temporary file", .tempdb = ASQ_TEMPDB_FILE},
    };
    struct asq_table table;
    int rc = 0;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < KINDS && rc == 0; i++) {
        rc = try_kind(&kinds[i]);
        asq_table_add(&table, "%s", kinds[i].name);
        asq_table_add(&table, "%s", kinds[i].journal);
        asq_table_add(&table, "%s", rc == 0 ? kinds[i].seen : "");
        asq_table_add(&table, "%s", rc == 0 ? kinds[i].locked : "");
    }
    if (rc == 0)
        rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc != 0;
}
