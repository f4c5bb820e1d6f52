/* check - the tests of 06-batches, upsert in chunks
 *
 * Every test has a table of prices in a file of its own. A trigger of the
 * connection under test calls on_row for each row, where a test can make
 * something go wrong. A second connection stands for everybody else: it looks
 * at what is committed, reads or writes. Everything happens on one thread.
 */
#include "ex_upsert.h"

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdio.h>

enum {
    ROWS = 40,
    NAME_SIZE = 16,
    TEXT_SIZE = 160,
    CHUNK = 8, /* of the runs in which something goes wrong */
    ROLLED_BACK = -1,
    READER = -2,
    WRITER = -3
};

static const char schema[] =
    "CREATE TABLE prices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " cents INTEGER NOT NULL CHECK (cents > 0)) STRICT;";

static const char trigger[] =
    "CREATE TEMP TRIGGER row BEFORE INSERT ON main.prices BEGIN"
    " SELECT CASE WHEN on_row() THEN RAISE(ROLLBACK, 'undone') END; END";

/* What goes wrong in a run. */
static const struct fault {
    const char *what;
    int kind;    /* the code of the row, or one of the above */
    int code;    /* what ex_upsert returns */
    size_t row;  /* where it happens */
    size_t kept; /* rows of the chunks before */
} faults[] = {
    {"row 20 fails", SQLITE_ERROR, SQLITE_ERROR, 20, 16},
    {"the disk is full at row 12", SQLITE_FULL, SQLITE_FULL, 12, 8},
    {"row 19 is interrupted", SQLITE_INTERRUPT, SQLITE_INTERRUPT, 19, 16},
    {"row 21 undoes all", ROLLED_BACK, SQLITE_CONSTRAINT_TRIGGER, 21, 16},
    {"the second COMMIT is busy", READER, SQLITE_BUSY, 13, 8},
    {"BEGIN is busy", WRITER, SQLITE_BUSY, ROWS, 0}};

enum {
    FAULTS = sizeof faults / sizeof faults[0]
};

struct fixture {
    sqlite3 *db;    /* of the code under test */
    sqlite3 *other; /* of everybody else */
    struct ex_price rows[ROWS];
    char names[ROWS][NAME_SIZE];
    struct ex_bad_row bad[ROWS];
    struct ex_upsert_report report;
    const struct fault *fault; /* or NULL */
    size_t seen;               /* rows in this run */
    int commits;               /* in this run */
};

/* Returns what everybody else reads of item i, or -1 where there is no row. */
static int64_t number(struct fixture *f, const char *sql, int i)
{
    sqlite3_stmt *stmt;
    int64_t number = -1;

    CHECK_INT(sqlite3_prepare_v2(f->other, sql, -1, &stmt, NULL), SQLITE_OK);
    (void)sqlite3_bind_int(stmt, 1, i); /* not every sql asks for an item */
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return number;
}

static void on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    int here = f->fault != NULL && f->seen == f->fault->row;
    int kind = here ? f->fault->kind : 0;

    (void)argc, (void)argv;
    f->seen++;
    if (kind == READER)
        raw_do(f->other, "BEGIN; SELECT count(*) FROM prices");
    if (kind > 0)
        sqlite3_result_error_code(context, kind);
    else
        sqlite3_result_int(context, kind == ROLLED_BACK);
}

static int on_commit(void *data)
{
    struct fixture *f = data;

    f->commits++;
    return 0;
}

static void set_up(void *data)
{
    struct fixture *f = data;
    const char *path = test_path("prices.db");

    for (size_t i = 0; i < ROWS; i++) {
        (void)snprintf(f->names[i], NAME_SIZE, "item %zu", i);
        f->rows[i].name = f->names[i];
        f->rows[i].cents = 10 + (int64_t)((test_seed() + i * 7919) % 1000);
    }
    CHECK_INT(sqlite3_open(path, &f->other), SQLITE_OK);
    raw_do(f->other, schema);
    CHECK_INT(sqlite3_open(path, &f->db), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(f->db, 1), SQLITE_OK);
    CHECK_INT(sqlite3_create_function(f->db, "on_row", 0, SQLITE_UTF8, f,
                                      on_row, NULL, NULL),
              SQLITE_OK);
    raw_do(f->db, trigger);
    (void)sqlite3_commit_hook(f->db, on_commit, f); /* there was none */
}

/* Statements that were left open fail the test of what stays open only. */
static void tear_down(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *stmt;

    while ((stmt = sqlite3_next_stmt(f->db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* its error is old */
    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(f->other), SQLITE_OK);
}

static void expect(const char *what, const char *noun, int64_t got, int64_t n)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s %lld", what, noun, (long long)n);
    if (got != n)
        test_wrong(text, "%s %lld", noun, (long long)got);
}

static void
upsert(struct fixture *f, size_t count, size_t chunk, const char *what, int rc)
{
    char text[TEXT_SIZE];
    int got;

    f->report = (struct ex_upsert_report){f->bad, ROWS, 99, 99, 99};
    f->seen = 0;
    f->commits = 0;
    got = ex_upsert(f->db, f->rows, count, chunk, &f->report);
    (void)snprintf(text, sizeof text, "%s: code %d (%s)", what, rc,
                   sqlite3_errstr(rc));
    if (got != rc)
        test_wrong(text, "code %d (%s)", got, sqlite3_errstr(got));
}

static void expect_report(
    struct fixture *f, const char *what, size_t settled, size_t bad, size_t n)
{
    expect(what, "settled", (int64_t)f->report.settled, (int64_t)settled);
    expect(what, "bad_count", (int64_t)f->report.bad_count, (int64_t)bad);
    expect(what, "changed", f->report.changed, (int64_t)n);
}

static void expect_count(struct fixture *f, const char *what, size_t n)
{
    int64_t got = number(f, "SELECT count(*) FROM prices", 0);

    expect(what, "rows in the table:", got, (int64_t)n);
}

/* The tests */

static void inserts_and_updates(void *fixture)
{
    static const char cents[] =
        "SELECT cents FROM prices WHERE name = 'item ' || ?1";
    static const char id[] = "SELECT id FROM prices WHERE name = 'item ' || ?1";
    struct fixture *f = fixture;

    raw_do(f->other, "INSERT INTO prices VALUES (100, 'item 0', 5),"
                     " (103, 'item 3', 5), (190, 'item 30', 5)");
    upsert(f, 10, 3, "10 rows, 3 a chunk", 0);
    expect_count(f, "10 rows, 2 of them known, and another one", 11);
    for (int i = 0; i < 10; i++)
        expect(f->names[i], "costs", number(f, cents, i), f->rows[i].cents);
    expect("item 30, not given,", "costs", number(f, cents, 30), 5);
    test_cause("a row was deleted and inserted anew instead of updated");
    expect("item 0", "keeps its id:", number(f, id, 0), 100);
    expect("item 3", "keeps its id:", number(f, id, 3), 103);
}

static void commits(void *fixture)
{
    static const struct {
        size_t count, chunk;
        int commits;
    } runs[] = {{0, 5, 0},  {1, 5, 1},           {ROWS, 1, ROWS}, {12, 4, 3},
                {13, 4, 4}, {ROWS, ROWS - 1, 2}, {9, 9, 1},       {9, ROWS, 1},
                {9, 8, 2},  {ROWS, SIZE_MAX, 1}};
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        char what[TEXT_SIZE / 2];

        (void)snprintf(what, sizeof what, "%zu rows, %zu a chunk",
                       runs[i].count, runs[i].chunk);
        upsert(f, runs[i].count, runs[i].chunk, what, 0);
        expect(what, "commits:", f->commits, runs[i].commits);
    }
}

static void changes(void *fixture)
{
    struct fixture *f = fixture;
    size_t others = 1 + test_seed() % 9;

    upsert(f, ROWS, 7, "all are new", 0);
    expect_report(f, "all are new", ROWS, 0, ROWS);
    upsert(f, ROWS, 7, "the same again", 0);
    expect_report(f, "the same again", ROWS, 0, 0);
    for (size_t i = 0; i < others; i++)
        f->rows[i * 3].cents++;
    upsert(f, ROWS, 7, "some cost more", 0);
    expect_report(f, "some cost more", ROWS, 0, others);
}

/* Makes some rows bad, among them a whole chunk. Returns how many. */
static size_t spoil(struct fixture *f, int codes[static ROWS])
{
    size_t bad = 0;

    for (size_t i = 0; i < ROWS; i++) {
        uint64_t n = i + test_seed() % ROWS;

        codes[i] = 0;
        if (n % 7 == 0) {
            f->rows[i].name = NULL;
            codes[i] = SQLITE_CONSTRAINT_NOTNULL;
        } else if (n % 5 == 0 || i / CHUNK == 1) {
            f->rows[i].cents = 0;
            codes[i] = SQLITE_CONSTRAINT_CHECK;
        }
        bad += codes[i] != 0;
    }
    return bad;
}

static void bad_rows(void *fixture)
{
    struct fixture *f = fixture;
    int codes[ROWS];
    size_t bad = spoil(f, codes), next = 0;

    upsert(f, ROWS, CHUNK, "with bad rows", 0);
    expect_report(f, "with bad rows", ROWS, bad, ROWS - bad);
    expect_count(f, "the good rows", ROWS - bad);
    expect("with bad rows", "commits:", f->commits, ROWS / CHUNK);
    for (int i = 0; i < ROWS; i++) {
        if (codes[i] == 0)
            continue;
        expect("the next bad one", "is row", (int64_t)f->bad[next].row, i);
        expect("a bad row", "has code", f->bad[next++].code, codes[i]);
    }
    test_cause("bad_room says how many find room; all are counted");
    f->bad[1].row = ROWS;
    f->report.bad_room = 1;
    CHECK_INT(ex_upsert(f->db, f->rows, ROWS, CHUNK, &f->report), 0);
    expect_report(f, "room for one bad row", ROWS, bad, 0);
    if (f->bad[1].row != ROWS)
        test_wrong("room for one bad row: one is written", "two are");
}

/* A run into an empty table, in which something goes wrong. */
static void upsert_in_vain(struct fixture *f, const struct fault *fault)
{
    raw_do(f->other, "DELETE FROM prices");
    if (fault->kind == WRITER)
        raw_do(f->other, "BEGIN IMMEDIATE");
    f->fault = fault;
    test_cause("only a constraint makes a bad row, other errors end the run");
    upsert(f, ROWS, CHUNK, fault->what, fault->code);
    test_cause(NULL);
    f->fault = NULL;
}

static void roll_back(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        raw_do(db, "ROLLBACK");
}

static void errors(void *fixture)
{
    struct fixture *f = fixture;

    f->rows[2].cents = 0; /* a bad row in each of the first three chunks */
    f->rows[9].cents = 0;
    f->rows[17].cents = 0;
    for (size_t i = 0; i < FAULTS; i++) {
        size_t kept = faults[i].kept, bad = kept / CHUNK;

        upsert_in_vain(f, &faults[i]);
        roll_back(f->db); /* what stays open is judged by the next test */
        roll_back(f->other);
        expect_count(f, faults[i].what, kept - bad);
        expect_report(f, faults[i].what, kept, bad, kept - bad);
    }
}

static void expect_all_closed(struct fixture *f, const char *when)
{
    if (!sqlite3_get_autocommit(f->db))
        test_wrong("no open transaction", "one, after: %s", when);
    test_cause("one way out leaves past sqlite3_finalize");
    if (sqlite3_next_stmt(f->db, NULL) != NULL)
        test_wrong("no open statement", "one, after: %s", when);
    test_cause(NULL);
}

static void nothing_stays_open(void *fixture)
{
    struct fixture *f = fixture;

    for (size_t i = 0; i < FAULTS; i++) {
        upsert_in_vain(f, &faults[i]);
        expect_all_closed(f, faults[i].what);
        roll_back(f->other);
        upsert(f, ROWS, CHUNK, "the next run", 0);
        expect_all_closed(f, "a run without an error");
        expect_count(f, "the next run", ROWS);
    }
}

static const struct test_case cases[] = {
    {.name = "inserts_and_updates",
     .run = inserts_and_updates,
     .title = "new rows go in, known ones change",
     .points = 2,
     .function = "ex_upsert",
     .cause = "not every row, or not every chunk, was committed"},
    {.name = "commits",
     .run = commits,
     .title = "one commit for each chunk",
     .points = 1,
     .needs = 1,
     .function = "ex_upsert",
     .cause = "BEGIN and COMMIT do not stand around a chunk of rows"},
    {.name = "changes",
     .run = changes,
     .title = "the second run changes 0",
     .points = 2,
     .needs = 1,
     .function = "ex_upsert",
     .cause = "rows were counted, or written although they are the same"},
    {.name = "bad_rows",
     .run = bad_rows,
     .title = "bad rows are reported, the others stay",
     .points = 2,
     .needs = 1,
     .function = "ex_upsert",
     .cause = "the error of a bad row has ended its chunk, or was forgotten"},
    {.name = "errors",
     .run = errors,
     .title = "an error ends the run",
     .points = 2,
     .needs = 1,
     .function = "ex_upsert",
     .cause = "the report has rows of a chunk that is not committed"},
    {.name = "nothing_stays_open",
     .run = nothing_stays_open,
     .title = "nothing stays open on any way out",
     .points = 1,
     .needs = 1,
     .function = "ex_upsert",
     .cause = "the open chunk was not rolled back after an error"},
    {0},
};

const struct test_suite test_suite = {
    .name = "06-batches",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
