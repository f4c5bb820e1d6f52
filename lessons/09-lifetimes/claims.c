/* claims - measures the claims that lesson 09 settles
 *
 * One function a claim; docs/claims.md says who made it. Who waits for whom is
 * shown by the order of events: a connection that would wait is asked first.
 * Only open-per-call is measured by time, in turn and several times.
 *
 * Run: make claims L=09
 */
#include "common/claims.h"

#include "01-blocking/stmt.h"
#include "09-lifetimes/tempdb.h"
#include "common/clock.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CLAIMS = 6,
    WRITES = 2000,
    RUNS = 7, /* in turn, after one to warm up */
    ROWS = 1000,
    TEXT_SIZE = 32
};

static const char fill_sql[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 1000) INSERT INTO items SELECT i, 'a lamp' FROM n";
static const char read_sql[] = "SELECT id FROM items WHERE id = ?1";

struct app {
    struct asq_options options;
    struct asq_tempdb file; /* of the claim that is measured */
    struct asq_claim claims[CLAIMS];
    struct asq_latency ratios; /* kept to opened, in thousandths */
    bool failed;
};

static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

static void make_file(struct app *app)
{
    if (asq_tempdb_open(&app->file, ASQ_TEMPDB_FILE, asq_build_dir()) != 0)
        fail(app, app->file.message);
}

static void remove_file(struct app *app)
{
    if (asq_tempdb_close(&app->file) != 0)
        fail(app, app->file.message);
}

/* Opens as a program does that knows no profile. */
static sqlite3 *open_plain(struct app *app, const char *path)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                 SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE,
                             NULL);

    if (rc != 0)
        fail(app, sqlite3_errmsg(db));
    return db;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Runs what must not fail. */
static void must(struct app *app, sqlite3 *db, const char *sql)
{
    if (run(db, sql) != 0)
        fail(app, sqlite3_errmsg(db));
}

/* Returns the frames that a checkpoint could not bring back after the writes
 * of another connection. */
static int write_beside(struct app *app, sqlite3 *writer)
{
    int log = 0, checkpointed = 0;

    for (int i = 0; i < WRITES && !app->failed; i++)
        must(app, writer, "INSERT INTO items VALUES (NULL)");
    if (sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
                                  &checkpointed) != 0)
        fail(app, sqlite3_errmsg(writer));
    return log - checkpointed;
}

/* "`async with` cleans up": at its end. What about a SELECT that was left in
 * the middle before? */
static void context_manager(struct app *app, struct asq_claim *claim)
{
    int pinned, after;
    sqlite3_stmt *stmt = NULL;
    sqlite3 *reader, *writer;

    make_file(app);
    writer = open_plain(app, app->file.path);
    must(app, writer,
         "PRAGMA journal_mode=WAL; CREATE TABLE items (id INTEGER PRIMARY KEY);"
         "INSERT INTO items VALUES (NULL), (NULL)");
    reader = open_plain(app, app->file.path);
    if (sqlite3_prepare_v2(reader, "SELECT id FROM items", -1, &stmt, NULL) ||
        sqlite3_step(stmt) != SQLITE_ROW)
        fail(app, sqlite3_errmsg(reader));
    pinned = write_beside(app, writer);
    (void)sqlite3_finalize(stmt); /* what the end of the block does */
    (void)sqlite3_close(reader);
    after = write_beside(app, writer);
    (void)sqlite3_close(writer);
    remove_file(app);
    asq_claim_set(claim, "context-manager",
                  after != 0    ? "wrong"
                  : pinned == 0 ? "holds"
                                : "holds if the block ends soon",
                  (double)pinned / WRITES,
                  "%d commits beside a SELECT left after one row: %d frames\n"
                  "could not be brought back. As many after its end: %d.",
                  WRITES, pinned, after);
}

/* "A FOREIGN KEY error is handled." Does one come at all? */
static void fk_on(struct app *app, struct asq_claim *claim)
{
    static const char orphan[] = "INSERT INTO orders VALUES (1, 99)";
    struct asq_profile profile;
    struct asq_db db;
    sqlite3 *plain;
    int without, with;

    make_file(app);
    plain = open_plain(app, app->file.path);
    must(app, plain,
         "CREATE TABLE users (id INTEGER PRIMARY KEY);"
         "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
         " user_id INTEGER REFERENCES users)");
    without = run(plain, orphan);
    must(app, plain, "DELETE FROM orders");
    (void)sqlite3_close(plain);
    profile = asq_tempdb_profile(&app->file);
    with = asq_db_open(&db, &profile);
    if (with == 0)
        with = asq_db_run(&db, orphan, NULL, NULL);
    (void)asq_db_close(&db); /* every statement was released */
    remove_file(app);
    asq_claim_set(claim, "fk-on",
                  without != 0 ? "holds"
                  : with == SQLITE_CONSTRAINT_FOREIGNKEY
                      ? "holds if the connection switches them on"
                      : "wrong",
                  without == 0,
                  "An order of a user who is not there: code %d as SQLite "
                  "opens, code %d\nwith foreign_keys=ON.",
                  without, with);
}

static void
get(struct app *app, sqlite3 *db, const char *pragma, char text[TEXT_SIZE])
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, pragma, -1, &stmt, NULL) != 0 ||
        sqlite3_step(stmt) != SQLITE_ROW)
        fail(app, sqlite3_errmsg(db));
    else
        (void)snprintf(text, TEXT_SIZE, "%.30s",
                       (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt); /* its error is the step's */
}

/* "Pragmas are set once in a session." These three, and two more that programs
 * set; which of them has the next connection? */
static void pragmas_once(struct app *app, struct asq_claim *claim)
{
    static const char *const names[] = {
        "PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA cache_size",
        "PRAGMA foreign_keys", "PRAGMA busy_timeout"};
    enum {
        COUNT = sizeof names / sizeof names[0]
    };
    char set[TEXT_SIZE] = "", got[TEXT_SIZE] = "", kept[TEXT_SIZE] = "none";
    int arrived = 0;
    sqlite3 *a, *b;

    make_file(app);
    a = open_plain(app, app->file.path);
    must(app, a,
         "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
         "PRAGMA cache_size=-64000; PRAGMA foreign_keys=ON;"
         "PRAGMA busy_timeout=30000");
    b = open_plain(app, app->file.path);
    for (int i = 0; i < COUNT; i++) {
        get(app, a, names[i], set);
        get(app, b, names[i], got);
        if (strcmp(set, got) == 0)
            (void)snprintf(kept, sizeof kept, "%s", names[i] + 7);
        arrived += strcmp(set, got) == 0;
    }
    (void)sqlite3_close(a); /* every statement is finalized */
    (void)sqlite3_close(b);
    remove_file(app);
    asq_claim_set(claim, "pragmas-once", arrived == COUNT ? "holds" : "wrong",
                  (double)arrived / COUNT,
                  "Of %d settings of one connection the next one had %d: %s.",
                  COUNT, arrived, kept);
}

/* Reads rows through one connection, or opens one for each. Returns how many it
 * read in a second. */
static double read_rows(struct app *app, bool keep)
{
    struct asq_profile profile = asq_tempdb_profile(&app->file);
    uint64_t begin_ns = asq_clock_now_ns();
    long reads = app->options.requests * (keep ? 5 : 1);
    struct asq_result result = {0};
    struct asq_db db = {0};
    int rc = 0;

    for (long i = 0; i < reads && rc == 0; i++) {
        struct asq_value id = asq_int64(1 + i * 7 % ROWS);
        struct asq_params params = {.values = &id, .count = 1};

        if (!keep || i == 0)
            rc = asq_db_open(&db, &profile);
        if (rc == 0)
            rc = asq_db_run(&db, read_sql, &params, &result);
        if (rc == 0 && asq_result_int64(&result, 0, "id") != id.as.int64)
            fail(app, "a read answered another row");
        if (!keep)
            (void)asq_db_close(&db); /* every statement was released */
    }
    if (rc != 0)
        fail(app, asq_db_message(&db));
    (void)asq_db_close(&db);
    asq_result_destroy(&result);
    return 1e9 * (double)reads / (double)(asq_clock_now_ns() - begin_ns + 1);
}

/* "Every function opens its own connection." Somebody else is connected all the
 * while, so that no close is the last one. */
static void open_per_call(struct app *app, struct asq_claim *claim)
{
    sqlite3 *other;
    double ratio;

    make_file(app);
    other = open_plain(app, app->file.path);
    must(app, other,
         "PRAGMA journal_mode=WAL; CREATE TABLE items (id INTEGER PRIMARY KEY,"
         " name TEXT)");
    must(app, other, fill_sql);
    for (int i = 0; i <= RUNS && !app->failed; i++) {
        double opened = read_rows(app, false);
        double kept = read_rows(app, true);

        if (i > 0 &&
            asq_latency_add(&app->ratios, (uint64_t)(1e3 * kept / opened)) != 0)
            fail(app, "out of memory");
    }
    (void)sqlite3_close(other);
    remove_file(app);
    ratio = (double)asq_latency_percentile(&app->ratios, 50) / 1e3;
    asq_claim_set(claim, "open-per-call",
                  ratio < 1.5 ? "holds" : "holds if calls are rare", ratio,
                  "Point reads through a kept connection, opened for each "
                  "being 1:\n%.1f (%.1f to %.1f in %d runs).",
                  ratio, (double)asq_latency_percentile(&app->ratios, 1) / 1e3,
                  (double)asq_latency_percentile(&app->ratios, 100) / 1e3,
                  RUNS);
}

/* B would wait: it is asked whether it goes on, and then A commits. */
static int end_other(void *other, int tries)
{
    (void)tries;
    return run(other, "COMMIT") == 0;
}

/* Returns what B gets that writes while A does. memdb and a file need no
 * URI. */
static int write_beside_writer(struct app *app, const char *path, bool memdb)
{
    sqlite3 *a = NULL, *b = NULL;
    const char *vfs = memdb ? "memdb" : NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                SQLITE_OPEN_EXRESCODE;
    int rc;

    if (sqlite3_open_v2(path, &a, flags, vfs) != 0 ||
        sqlite3_open_v2(path, &b, flags, vfs) != 0)
        fail(app, sqlite3_errmsg(b == NULL ? a : b));
    must(app, a,
         "CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    (void)sqlite3_busy_handler(b, end_other, a); /* it cannot fail */
    rc = run(b, "INSERT INTO t VALUES (2)");
    (void)sqlite3_close(b); /* every statement is finalized */
    (void)sqlite3_close(a);
    return rc;
}

/* "Use shared cache: best practice no. 1." */
static void shared_cache(struct app *app, struct asq_claim *claim)
{
    static const char path[] = "file::memory:?cache=shared";
    int cache = write_beside_writer(app, path, false);
    int memdb = write_beside_writer(app, "/lifetimes-claims", true);
    char mode[TEXT_SIZE] = "";
    sqlite3 *db = open_plain(app, path);

    get(app, db, "PRAGMA journal_mode=WAL", mode);
    (void)sqlite3_close(db); /* every statement is finalized */
    asq_claim_set(claim, "shared-cache",
                  cache == 0 && strcmp(mode, "wal") == 0 ? "holds" : "wrong",
                  cache == 0,
                  "Who writes while another one does gets code %d and is never "
                  "asked to wait;\nby memdb it waits, and gets code %d. Asked "
                  "for WAL, the journal is: %s.",
                  cache, memdb, mode);
}

/* What a journal lets happen, each by its code. */
struct beside {
    int commit;     /* W commits while R reads */
    int read;       /* R reads while W has the file to itself */
    int same;       /* in its transaction R sees what it saw at first */
    int two_writes; /* R writes while W does */
};

static struct beside try_journal(struct app *app, const char *pragma)
{
    static const char count_sql[] = "SELECT count(*) FROM t";
    char before[TEXT_SIZE] = "", after[TEXT_SIZE] = "";
    struct beside beside = {0};
    sqlite3 *w, *r;

    make_file(app);
    w = open_plain(app, app->file.path);
    must(app, w, pragma);
    must(app, w, "CREATE TABLE t (x)");
    r = open_plain(app, app->file.path);
    must(app, r, "BEGIN"); /* R reads, and goes on reading */
    get(app, r, count_sql, before);
    must(app, w, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    beside.commit = run(w, "COMMIT");
    if (beside.commit != 0)
        must(app, w, "ROLLBACK");
    get(app, r, count_sql, after);
    beside.same = strcmp(before, after) == 0;
    must(app, r, "COMMIT");
    must(app, w, "BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)"); /* W writes */
    beside.read = run(r, count_sql);
    beside.two_writes = run(r, "INSERT INTO t VALUES (3)");
    must(app, w, "COMMIT");
    (void)sqlite3_close(r); /* every statement is finalized */
    (void)sqlite3_close(w);
    remove_file(app);
    return beside;
}

/* "WAL gives better concurrency." Codes, in the order of events. */
static void wal_concurrency(struct app *app, struct asq_claim *claim)
{
    struct beside wal = try_journal(app, "PRAGMA journal_mode=WAL");
    struct beside old = try_journal(app, "PRAGMA journal_mode=DELETE");
    int wal_done = (wal.commit == 0) + (wal.read == 0) + (wal.two_writes == 0);
    int old_done = (old.commit == 0) + (old.read == 0) + (old.two_writes == 0);

    if (!wal.same || !old.same)
        fail(app, "a transaction has seen two states of the file");
    asq_claim_set(claim, "wal-concurrency",
                  wal_done <= old_done  ? "wrong"
                  : wal.two_writes == 0 ? "holds"
                                        : "holds if at most one of them writes",
                  wal_done / 3.0,
                  "WAL: commit beside a reader %d, read beside a writer %d, "
                  "second writer %d;\nrollback journal: %d, %d, %d (0: done, "
                  "%d: SQLITE_BUSY).",
                  wal.commit, wal.read, wal.two_writes, old.commit, old.read,
                  old.two_writes, SQLITE_BUSY);
}

int main(int argc, char **argv)
{
    static void (*const settle[CLAIMS])(struct app *, struct asq_claim *) = {
        context_manager, fk_on,        pragmas_once,
        open_per_call,   shared_cache, wal_concurrency};
    struct app app = {
        .options = {.program = "build/09-lifetimes-claims",
                    .about = "Measures the claims that lesson 09 settles.",
                    .slow_disk_ms = 1,
                    .requests = 400},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    for (int i = 0; i < CLAIMS && !app.failed; i++)
        settle[i](&app, &app.claims[i]);
    asq_latency_destroy(&app.ratios);
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
