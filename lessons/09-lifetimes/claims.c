/* claims - measures the claims that lesson 09 settles
 *
 * One function a claim; docs/claims.md says who made it. The order of events
 * shows which connection waits for which: one that would wait is asked first.
 * Only open-per-call is measured by time, in turn and several times.
 *
 * Run: make claims L=09
 */
#include "01-blocking/stmt.h"
#include "common/clock.h"
#include "common/stage.h"

#include <stdio.h>
#include <string.h>

enum {
    WRITES = 2000,
    RUNS = 7, /* in turn, after one to warm up */
    TEXT_SIZE = 32
};

static const char make_sql[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 1000) INSERT INTO items SELECT i, 'a lamp' FROM n";
static const char read_sql[] = "SELECT id FROM items WHERE id = ?1";

/* Opens a database as a program does that knows no profile. */
static sqlite3 *
open_plain(struct asq_stage *stage, const char *path, const char *vfs)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                SQLITE_OPEN_EXRESCODE;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, flags, vfs) != 0)
        asq_stage_fail(stage, sqlite3_errmsg(db));
    return db;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Runs statements that have to succeed. */
static void must(struct asq_stage *stage, sqlite3 *db, const char *sql)
{
    if (run(db, sql) != 0)
        asq_stage_fail(stage, sqlite3_errmsg(db));
}

/* Returns the frames that a checkpoint could not copy into the file, after the
 * writes of another connection. */
static int write_beside(struct asq_stage *stage, sqlite3 *writer)
{
    int log = 0, checkpointed = 0;

    for (int i = 0; i < WRITES && !stage->failed; i++)
        must(stage, writer, "INSERT INTO items VALUES (NULL)");
    if (sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
                                  &checkpointed) != 0)
        asq_stage_fail(stage, sqlite3_errmsg(writer));
    return log - checkpointed;
}

/* "`async with` cleans up": at its end. What about a SELECT that was left in
 * the middle before? */
static void context_manager(struct asq_stage *stage)
{
    int pinned, after;
    sqlite3_stmt *stmt = NULL;
    sqlite3 *reader, *writer;

    asq_stage_make(stage, "PRAGMA journal_mode=WAL;"
                          "CREATE TABLE items (id INTEGER PRIMARY KEY);"
                          "INSERT INTO items VALUES (NULL), (NULL)");
    writer = open_plain(stage, stage->path, NULL);
    reader = open_plain(stage, stage->path, NULL);
    if (sqlite3_prepare_v2(reader, "SELECT id FROM items", -1, &stmt, NULL) ||
        sqlite3_step(stmt) != SQLITE_ROW)
        asq_stage_fail(stage, sqlite3_errmsg(reader));
    pinned = write_beside(stage, writer);
    (void)sqlite3_finalize(stmt); /* what the end of the block does */
    (void)sqlite3_close(reader);
    after = write_beside(stage, writer);
    (void)sqlite3_close(writer);
    asq_claim_set(asq_stage_claim(stage), "context-manager",
                  after != 0    ? "wrong"
                  : pinned == 0 ? "holds"
                                : "holds if the block ends soon",
                  (double)pinned / (double)WRITES,
                  "After %d commits beside a SELECT that had read one row, a "
                  "checkpoint\ncould not copy %d frames of the WAL; after %d "
                  "more, with the SELECT\nended, it left %d.",
                  WRITES, pinned, WRITES, after);
}

/* "A FOREIGN KEY error is handled." Does one come at all? */
static void fk_on(struct asq_stage *stage)
{
    static const char orphan[] = "INSERT INTO orders VALUES (1, 99)";
    struct asq_profile profile = asq_profile_default(stage->path);
    struct asq_db db;
    sqlite3 *plain;
    int without, with;

    asq_stage_make(stage, "CREATE TABLE users (id INTEGER PRIMARY KEY);"
                          "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
                          " user_id INTEGER REFERENCES users)");
    plain = open_plain(stage, stage->path, NULL);
    without = run(plain, orphan);
    must(stage, plain, "DELETE FROM orders");
    (void)sqlite3_close(plain);
    with = asq_db_open(&db, &profile);
    if (with == 0)
        with = asq_db_run(&db, orphan, NULL, NULL);
    (void)asq_db_close(&db); /* every statement was released */
    asq_claim_set(asq_stage_claim(stage), "fk-on",
                  without != 0 ? "holds"
                  : with == SQLITE_CONSTRAINT_FOREIGNKEY
                      ? "holds if the connection switches them on"
                      : "wrong",
                  without == 0,
                  "An order of a user who does not exist got code %d with "
                  "SQLite's own\nsettings, and code %d with foreign_keys=ON.",
                  without, with);
}

static void
get(struct asq_stage *stage, sqlite3 *db, const char *sql, char text[TEXT_SIZE])
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != 0 ||
        sqlite3_step(stmt) != SQLITE_ROW)
        asq_stage_fail(stage, sqlite3_errmsg(db));
    else
        (void)snprintf(text, TEXT_SIZE, "%.30s",
                       (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt); /* its error is the step's */
}

/* "Pragmas are set once in a session." These three, and two more that programs
 * set: which of them does the next connection have? */
static void pragmas_once(struct asq_stage *stage)
{
    static const char *const names[] = {
        "PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA cache_size",
        "PRAGMA foreign_keys", "PRAGMA busy_timeout"};
    char set[TEXT_SIZE] = "", got[TEXT_SIZE] = "", kept[TEXT_SIZE] = "none";
    int count = sizeof names / sizeof names[0], arrived = 0;
    sqlite3 *a, *b;

    asq_stage_make(stage, "");
    a = open_plain(stage, stage->path, NULL);
    must(stage, a,
         "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
         "PRAGMA cache_size=-64000; PRAGMA foreign_keys=ON;"
         "PRAGMA busy_timeout=30000");
    b = open_plain(stage, stage->path, NULL);
    for (int i = 0; i < count; i++) {
        get(stage, a, names[i], set);
        get(stage, b, names[i], got);
        if (strcmp(set, got) == 0)
            (void)snprintf(kept, sizeof kept, "%s", names[i] + 7);
        arrived += strcmp(set, got) == 0;
    }
    (void)sqlite3_close(a); /* every statement is finalized */
    (void)sqlite3_close(b);
    asq_claim_set(asq_stage_claim(stage), "pragmas-once",
                  arrived == count ? "holds" : "wrong", (double)arrived / count,
                  "Of %d settings of one connection, the next one had %d: %s.",
                  count, arrived, kept);
}

/* Reads rows through one connection, or opens one for each row. Returns how
 * many rows it read in a second. */
static double read_rows(struct asq_stage *stage, bool keep)
{
    struct asq_profile profile = asq_profile_default(stage->path);
    uint64_t begin_ns = asq_clock_now_ns();
    long reads = stage->options.requests * (keep ? 5 : 1);
    struct asq_result result = {0};
    struct asq_db db = {0};
    int rc = 0;

    for (long i = 0; i < reads && rc == 0; i++) {
        struct asq_value id = asq_int64(1 + i * 7 % 1000);
        struct asq_params params = {.values = &id, .count = 1};

        if (!keep || i == 0)
            rc = asq_db_open(&db, &profile);
        if (rc == 0)
            rc = asq_db_run(&db, read_sql, &params, &result);
        if (rc == 0 && asq_result_int64(&result, 0, "id") != id.as.int64)
            asq_stage_fail(stage, "a read answered another row");
        if (!keep)
            (void)asq_db_close(&db); /* every statement was released */
    }
    if (rc != 0)
        asq_stage_fail(stage, asq_db_message(&db));
    (void)asq_db_close(&db);
    asq_result_destroy(&result);
    return 1e9 * (double)reads / (double)(asq_clock_now_ns() - begin_ns + 1);
}

/* "Every function opens its own connection." Another one stays open all the
 * time, so that no close is the last one. */
static void open_per_call(struct asq_stage *stage)
{
    struct asq_claim *claim = asq_stage_claim(stage);
    struct asq_claim_runs runs = {.calm = 0};
    sqlite3 *other;
    double ratio;

    asq_stage_make(stage, make_sql);
    other = open_plain(stage, stage->path, NULL);
    must(stage, other, "SELECT count(*) FROM items"); /* it is connected now */
    for (int i = 0; i <= RUNS && !stage->failed; i++) {
        double opened = read_rows(stage, false);
        double kept = read_rows(stage, true);

        if (i > 0)
            asq_claim_runs_add(&runs, kept / opened);
    }
    (void)sqlite3_close(other);
    ratio = asq_claim_runs_median(&runs);
    asq_claim_set(claim, "open-per-call",
                  ratio < 1.5 ? "holds" : "holds if calls are rare", ratio,
                  "Point reads through a connection kept open were %.0f times "
                  "as fast\nas with one opened for each (%.0f to %.0f).",
                  ratio, asq_claim_runs_low(&runs), asq_claim_runs_high(&runs));
    asq_claim_timed(claim, &runs);
}

/* B would wait: SQLite asks it whether it goes on, and then A commits. */
static int end_other(void *other, int tries)
{
    (void)tries;
    return run(other, "COMMIT") == 0;
}

/* Returns the code that B gets when it writes while A does. */
static int
write_while(struct asq_stage *stage, const char *path, const char *vfs)
{
    sqlite3 *a = open_plain(stage, path, vfs),
            *b = open_plain(stage, path, vfs);
    int rc;

    must(stage, a,
         "CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    (void)sqlite3_busy_handler(b, end_other, a); /* it cannot fail */
    rc = run(b, "INSERT INTO t VALUES (2)");
    (void)sqlite3_close(b); /* every statement is finalized */
    (void)sqlite3_close(a);
    return rc;
}

/* "Use shared cache: best practice no. 1." */
static void shared_cache(struct asq_stage *stage)
{
    static const char path[] = "file::memory:?cache=shared";
    int cache = write_while(stage, path, NULL);
    int memdb = write_while(stage, "/lifetimes-claims", "memdb");
    char mode[TEXT_SIZE] = "";
    sqlite3 *db = open_plain(stage, path, NULL);

    get(stage, db, "PRAGMA journal_mode=WAL", mode);
    (void)sqlite3_close(db); /* every statement is finalized */
    asq_claim_set(asq_stage_claim(stage), "shared-cache",
                  cache == 0 && strcmp(mode, "wal") == 0 ? "holds" : "wrong",
                  cache == 0,
                  "Through a shared cache, a second writer got code %d and was "
                  "not asked to\nwait; through memdb it waited, and got code "
                  "%d. Asked for WAL, the shared\ncache's journal is: %s.",
                  cache, memdb, mode);
}

/* What a journal allows, each as a code. */
struct beside {
    int commit;     /* W commits while R reads */
    int read;       /* R reads while W has the file to itself */
    int same;       /* in its transaction R sees what it saw at first */
    int two_writes; /* R writes while W does */
};

static struct beside try_journal(struct asq_stage *stage, const char *pragma)
{
    static const char count_sql[] = "SELECT count(*) FROM t";
    char before[TEXT_SIZE] = "", after[TEXT_SIZE] = "";
    struct beside beside = {0};
    sqlite3 *w, *r;

    asq_stage_make(stage, "CREATE TABLE t (x)");
    w = open_plain(stage, stage->path, NULL);
    must(stage, w, pragma);
    r = open_plain(stage, stage->path, NULL);
    must(stage, r, "BEGIN"); /* R reads, and goes on reading */
    get(stage, r, count_sql, before);
    must(stage, w, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    beside.commit = run(w, "COMMIT");
    if (beside.commit != 0)
        must(stage, w, "ROLLBACK");
    get(stage, r, count_sql, after);
    beside.same = strcmp(before, after) == 0;
    must(stage, r, "COMMIT");
    must(stage, w, "BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)"); /* W writes */
    beside.read = run(r, count_sql);
    beside.two_writes = run(r, "INSERT INTO t VALUES (3)");
    must(stage, w, "COMMIT");
    (void)sqlite3_close(r); /* every statement is finalized */
    (void)sqlite3_close(w);
    return beside;
}

/* "WAL gives better concurrency." Codes, in the order of events. */
static void wal_concurrency(struct asq_stage *stage)
{
    struct beside wal = try_journal(stage, "PRAGMA journal_mode=WAL");
    struct beside old = try_journal(stage, "PRAGMA journal_mode=DELETE");
    int wal_done = (wal.commit == 0) + (wal.read == 0) + (wal.two_writes == 0);
    int old_done = (old.commit == 0) + (old.read == 0) + (old.two_writes == 0);

    if (!wal.same || !old.same)
        asq_stage_fail(stage, "a transaction has seen two states of the file");
    asq_claim_set(asq_stage_claim(stage), "wal-concurrency",
                  wal_done <= old_done  ? "wrong"
                  : wal.two_writes == 0 ? "holds"
                                        : "holds if at most one of them writes",
                  wal_done / 3.0,
                  "With WAL, %s steps beside another connection succeeded (a "
                  "commit\nbeside a reader, a read beside a writer, a second "
                  "writer), with a rollback\njournal %s.",
                  asq_claim_count(wal_done, 3).text,
                  asq_claim_count(old_done, 3).text);
}

int main(int argc, char **argv)
{
    struct asq_stage stage = {
        .options = {.program = "build/09-lifetimes-claims",
                    .about = "Measures the claims that lesson 09 settles.",
                    .slow_disk_ms = 1,
                    .requests = 400},
    };
    int status = asq_stage_open(&stage, argc, argv);

    if (status >= 0)
        return status;
    context_manager(&stage);
    fk_on(&stage);
    pragmas_once(&stage);
    open_per_call(&stage);
    shared_cache(&stage);
    wal_concurrency(&stage);
    return asq_stage_close(&stage, 0);
}
