/* check - the tests of 06-batches, upsert in chunks
 *
 * Every test has a table of prices in a file of its own. What goes wrong, and
 * what a run must leave, is in prices.h. Only the last test judges whether
 * something stays open: the others close it.
 */
#include "prices.h"

#include "grader/random.h"
#include "grader/traces.h"

/* The tests */

static void inserts(void *fixture)
{
    struct fixture *f = fixture;

    upsert(f, 10, 5, "10 rows, 5 in a chunk");
    expect_count(f, "10 rows", 10);
    for (int i = 0; i < 10; i++)
        expect(f->names[i], "cents", read_item(f, "cents", f->names[i]),
               f->rows[i].cents);
}

static void last_chunk(struct fixture *f)
{
    upsert(f, 10, 3, "10 rows, 3 in a chunk");
    expect_count(f, "10 rows, 3 in a chunk", 10);
    upsert(f, 12, 4, "12 rows, 4 in a chunk");
    expect_count(f, "12 rows, 4 in a chunk", 12);
}

/* Names and prices that nobody expects; some names differ only in their case or
 * in a space. */
static void make_odd(struct fixture *f)
{
    static const char *const pots[] = {"tea pot",  "Tea pot",  "TEA POT",
                                       "tea  pot", "tea pot ", ""};
    struct test_random random;

    test_random_init(&random, 6);
    for (size_t i = 0; i < ROWS; i++) {
        int64_t edge = test_random_edge(&random);

        if (i < sizeof pots / sizeof pots[0])
            (void)snprintf(f->names[i], NAME_SIZE, "%s", pots[i]);
        else
            (void)test_random_name(&random,
                                   (enum test_name)(i % TEST_NAME_EMPTY),
                                   f->names[i], NAME_SIZE);
        f->rows[i].name = f->names[i];
        f->rows[i].cents = edge > 0    ? edge
                           : edge == 0 ? INT64_MAX
                                       : -(edge / 2) + 1;
    }
}

static void updates(void *fixture)
{
    struct fixture *f = fixture;

    raw_do(f->other, "INSERT INTO prices VALUES (-7, 'item 0', 5),"
                     " (4294967299, 'item 3', 9007199254740993),"
                     " (190, 'item 30', 5), (191, 'ITEM 3', 6)");
    upsert(f, 10, 5, "10 rows, 2 of them known");
    for (int i = 0; i < 10; i++)
        expect(f->names[i], "cents", read_item(f, "cents", f->names[i]),
               f->rows[i].cents);
    expect("item 30, which is not in the list", "cents",
           read_item(f, "cents", "item 30"), 5);
    expect("ITEM 3, which is not in the list", "cents",
           read_item(f, "cents", "ITEM 3"), 6);
    test_cause("a row was deleted and inserted again, instead of updated");
    expect("item 0", "id", read_item(f, "id", "item 0"), -7);
    expect("item 3", "id", read_item(f, "id", "item 3"), INT64_C(4294967299));
    test_cause(NULL);
    f->rows[0].cents = 3;
    f->rows[9] = (struct ex_price){f->names[0], 2};
    upsert(f, 10, 10, "the first name comes twice");
    expect("item 0, whose name comes twice", "cents",
           read_item(f, "cents", "item 0"), 2);
    make_odd(f);
    upsert(f, ROWS, ROWS, "odd names and prices");
    for (int i = 0; i < ROWS; i++)
        expect(f->names[i], "cents", read_item(f, "cents", f->names[i]),
               f->rows[i].cents);
}

static void commits(void *fixture)
{
    static const struct {
        size_t count, chunk;
        int commits;
    } runs[] = {{0, 5, 0},
                {1, 5, 1},
                {ROWS, 1, ROWS},
                {12, 4, 3},
                {13, 4, 4},
                {ROWS, ROWS - 1, 2},
                {9, 9, 1},
                {9, ROWS, 1},
                {9, 8, 2},
                {ROWS, SIZE_MAX, 1},
                {ROWS, SIZE_MAX / 2 + 1, 1},
                {ROWS, (size_t)UINT32_MAX + 6, 1}};
    struct fixture *f = fixture;

    last_chunk(f);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        char what[TEXT_SIZE / 2];

        (void)snprintf(what, sizeof what, "%s, %zu in a chunk",
                       test_count(runs[i].count, "row", NULL), runs[i].chunk);
        raw_do(f->other, "DELETE FROM prices");
        upsert(f, runs[i].count, runs[i].chunk, what);
        expect(what, "commits", f->commits, runs[i].commits);
        expect_count(f, what, runs[i].count);
    }
}

static void changes(void *fixture)
{
    struct fixture *f = fixture;
    size_t others = 1 + test_seed() % 9;
    struct test_traces before;

    for (size_t i = 0; i < 3; i++)
        f->rows[i + 1].cents += INT64_C(4294967296) << (i * 10);
    test_traces_look(f->other, f->db, &before);
    upsert(f, ROWS, 8, "all rows are new");
    expect_report(f, "all rows are new", ROWS, 0, ROWS);
    test_cause("the settings of the connection belong to the caller");
    test_traces_settings(f->db, &before, "when prices are written");
    test_cause(NULL);
    test_traces_look(f->other, f->db, &before);
    upsert(f, ROWS, 8, "the same rows again");
    expect_report(f, "the same rows again", ROWS, 0, 0);
    test_cause("the same price again must not be written");
    test_traces_none(f->other, f->db, &before, "when the prices are the same");
    test_cause(NULL);
    for (size_t i = 0; i < others; i++)
        f->rows[i * 3].cents += i % 2 == 0 ? -1 : INT64_C(4294967296);
    upsert(f, ROWS, 8, "some cost more, some less");
    expect_report(f, "some cost more, some less", ROWS, 0, others);
    upsert(f, 0, 7, "no rows");
    expect_report(f, "no rows", 0, 0, 0);
    f->rows[0] = f->rows[2] = (struct ex_price){"twice", 7};
    f->rows[1] = (struct ex_price){"twice", 8};
    upsert(f, 3, 3, "a new name costs 7, then 8, then 7");
    expect_report(f, "a new name costs 7, then 8, then 7", 3, 0, 3);
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
            f->rows[i].cents = i % 2 == 0 ? 0 : INT64_MIN + (int64_t)i;
            codes[i] = SQLITE_CONSTRAINT_CHECK;
        }
        bad += codes[i] != 0;
    }
    return bad;
}

/* Bad rows are reported as far as there is room, and all are counted. */
static void bad_rows_in_room(struct fixture *f, size_t room, size_t bad)
{
    char what[TEXT_SIZE / 2];
    struct ex_upsert_report *report = &f->report;

    (void)snprintf(what, sizeof what, "room for %zu bad rows", room);
    test_cause(
        "bad_room limits how many are reported, not how many are counted");
    f->bad[room].row = ROWS;
    *report =
        (struct ex_upsert_report){room > 0 ? f->bad : NULL, room, 9, 9, 9};
    expect_code(what, ex_upsert(f->db, f->rows, ROWS, CHUNK, report), 0);
    expect_report(f, what, ROWS, bad, 0);
    if (f->bad[room].row != ROWS)
        test_wrong(what, "one more was written");
    if (report->bad_room != room || (room > 0 && report->bad != f->bad))
        test_wrong("bad and bad_room stay as the caller set them",
                   "they were changed");
}

static void bad_rows(void *fixture)
{
    static const char what[] = "with bad rows";
    struct fixture *f = fixture;
    int codes[ROWS];
    size_t bad = spoil(f, codes), next = 0;

    upsert(f, ROWS, CHUNK, what);
    expect_report(f, what, ROWS, bad, ROWS - bad);
    expect_count(f, "the good rows", ROWS - bad);
    for (int i = 0; i < ROWS; i++) {
        if (codes[i] == 0)
            continue;
        expect("the next bad row", "index", (int64_t)f->bad[next].row, i);
        expect("a bad row", "code", f->bad[next++].code, codes[i]);
    }
    for (size_t room = 4; room-- > 0;)
        bad_rows_in_room(f, room * room, bad);
}

/* A constraint whose extended code is in no list. */
static void unknown_constraint(void *fixture)
{
    struct fixture *f = fixture;
    struct fault fault = {
        "row 20 breaks a constraint",
        SQLITE_CONSTRAINT | ((int)(20 + test_seed() % 200) << 8), 0, 20, ROWS};

    (void)upsert_in_vain(f, &fault);
    expect_report(f, fault.what, ROWS, 1, ROWS - 1);
    expect("row 20", "code", f->bad[0].code, fault.kind);
}

/* The codes of some rows that fail are drawn. */
static size_t draw_faults(struct fault faults[static 16])
{
    static const int codes[] = {
        SQLITE_IOERR_WRITE,       SQLITE_IOERR | (99 << 8),
        SQLITE_CORRUPT_INDEX,     SQLITE_BUSY,
        SQLITE_BUSY_SNAPSHOT,     SQLITE_LOCKED,
        SQLITE_READONLY,          SQLITE_NOMEM,
        SQLITE_MISMATCH,          SQLITE_MISUSE,
        SQLITE_ERROR | (19 << 8), SQLITE_TOOBIG};
    static const struct fault fixed[] = {
        {"row 20 fails", SQLITE_ERROR, SQLITE_ERROR, 20, 16},
        {"the disk is full at row 12", SQLITE_FULL, SQLITE_FULL, 12, 8},
        {"row 19 is interrupted", SQLITE_INTERRUPT, SQLITE_INTERRUPT, 19, 16},
        {"the first row fails", SQLITE_ERROR, SQLITE_ERROR, 0, 0},
        {"row 21 rolls back the transaction", ROLLED_BACK,
         SQLITE_CONSTRAINT_TRIGGER, 21, 16},
        {"the third COMMIT breaks a constraint", ORPHAN,
         SQLITE_CONSTRAINT_FOREIGNKEY, 18, 16},
        {"the second COMMIT is busy", READER, SQLITE_BUSY, 13, 8},
        {"BEGIN is busy", WRITER, SQLITE_BUSY, ROWS, 0}};
    const size_t count = sizeof fixed / sizeof fixed[0];

    memcpy(faults, fixed, sizeof fixed);
    for (size_t i = 0; i < 4; i++) {
        int code = codes[(test_seed() * 5 + i * 3) % 12];

        faults[count + i] =
            (struct fault){"a row of the fourth chunk fails", code, code,
                           24 + (test_seed() + i) % 8, 24};
    }
    return count + 4;
}

/* The first BEGIN or COMMIT fails. */
static void refuse(struct fixture *f, int kinds, const char *what)
{
    struct test_refusal refusal = {0};
    int rc;

    raw_do(f->other, "DELETE FROM prices");
    test_refuse(f->db, &refusal, kinds | TEST_REFUSE_SAVEPOINT);
    rc = run(f, ROWS, CHUNK);
    test_refuse_nothing(f->db);
    test_cause("the result of BEGIN or COMMIT was not checked");
    expect_code(what, rc, SQLITE_AUTH);
    roll_back(f->db);
    expect_report(f, what, 0, 0, 0);
    expect_count(f, what, 0);
    test_cause(NULL);
}

static void errors(void *fixture)
{
    struct fixture *f = fixture;
    struct fault faults[16];
    size_t count = draw_faults(faults);

    f->rows[2].cents = 0; /* a bad row in each of the first three chunks */
    f->rows[9].cents = 0;
    f->rows[17].cents = 0;
    for (size_t i = 0; i < count; i++) {
        size_t kept = faults[i].kept, bad = (kept + CHUNK - 1) / CHUNK;
        bool happened = upsert_in_vain(f, &faults[i]);

        roll_back(f->db); /* another test judges what stays open */
        roll_back(f->other);
        if (!happened)
            continue;
        bad = bad < 3 ? bad : 3;
        expect_count(f, faults[i].what, kept - bad);
        expect_report(f, faults[i].what, kept, bad, kept - bad);
    }
    refuse(f, TEST_REFUSE_BEGIN, "BEGIN fails");
    refuse(f, TEST_REFUSE_COMMIT, "COMMIT fails");
}

/* A name that is longer than the connection allows cannot be bound; without
 * the table nothing can be prepared. */
static void bind_and_prepare(struct fixture *f)
{
    static char longer[3000];
    int limit = sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, 2000), rc;

    raw_do(f->other, "DELETE FROM prices");
    memset(longer, 'l', sizeof longer - 1);
    f->rows[11].name = longer;
    rc = run(f, ROWS, CHUNK);
    f->rows[11].name = f->names[11];
    (void)sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, limit);
    expect_code("the name of row 11 is too long", rc, SQLITE_TOOBIG);
    expect_report(f, "the name of row 11 is too long", CHUNK, 0, CHUNK);
    expect_all_closed(f, "the name of row 11 is too long");
    raw_do(f->other, "ALTER TABLE prices RENAME TO gone");
    rc = run(f, ROWS, CHUNK);
    raw_do(f->other, "ALTER TABLE gone RENAME TO prices");
    expect_code("there is no table", rc, SQLITE_ERROR);
    expect_report(f, "there is no table", 0, 0, 0);
    expect_all_closed(f, "there is no table");
}

/* Each allocation of a short run fails once. */
static void without_memory(struct fixture *f)
{
    int failed = 1;

    for (uint64_t nth = 1; failed; nth++) {
        int rc;

        raw_do(f->other, "DELETE FROM prices");
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        rc = run(f, 6, 2);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (rc != 0 && (rc & 0xff) != SQLITE_IOERR)
            expect_code("no memory", rc, failed ? SQLITE_NOMEM : 0);
        expect_all_closed(f, "no memory");
        expect_count(f, "no memory", f->report.settled);
        expect_report(f, "no memory", rc == 0 ? 6 : f->report.settled, 0,
                      f->report.settled);
    }
}

static void nothing_stays_open(void *fixture)
{
    struct fixture *f = fixture;
    struct fault faults[16];
    size_t count = draw_faults(faults);

    for (size_t i = 0; i < count; i++) {
        (void)upsert_in_vain(f, &faults[i]);
        expect_all_closed(f, faults[i].what);
        roll_back(f->other);
        upsert(f, ROWS, CHUNK, "the next run");
        expect_all_closed(f, "a run without an error");
        expect_count(f, "the next run", ROWS);
    }
    bind_and_prepare(f);
    without_memory(f);
}

static void others(void *fixture)
{
    struct fixture *f = fixture;

    f->looks = true;
    f->writes = true;
    upsert(f, ROWS, 10, "others read and write");
    expect("others read at each row", "reads refused", f->refused, 0);
    test_cause("each chunk has its own BEGIN and COMMIT");
    if (f->written < 4)
        test_wrong("others can write before each of 4 chunks",
                   "they could write %s", test_times((uint64_t)f->written));
}

#define CASE(title_, run_, points_, needs_, cause_)                            \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .seconds = 5, .function = "ex_upsert",                \
        .cause = cause_                                                        \
    }

static const struct test_case cases[] = {
    CASE("new rows are inserted",
         inserts,
         1,
         0,
         "not every row was written and committed"),
    CASE("known rows change and keep their ids",
         updates,
         1,
         1,
         "a name is compared unchanged, a price has 64 bits"),
    CASE("one commit for each chunk",
         commits,
         1,
         1,
         "BEGIN and COMMIT do not enclose each chunk, or the last chunk was "
         "forgotten"),
    CASE("changes are counted, and a second run makes none",
         changes,
         1,
         1,
         "the given rows were counted, not those that changed"),
    CASE("bad rows are reported, the others stay",
         bad_rows,
         1,
         1,
         "a bad row ended its chunk, or was not reported"),
    CASE("any constraint makes a bad row",
         unknown_constraint,
         1,
         1,
         "the last byte of a code tells that it is a constraint"),
    CASE("an error ends the run",
         errors,
         2,
         1,
         "the report counts rows of a chunk that was not committed"),
    CASE("others read at any time, and write between two chunks",
         others,
         1,
         1,
         "BEGIN EXCLUSIVE keeps readers out; BEGIN IMMEDIATE does not"),
    CASE("nothing stays open on any way out",
         nothing_stays_open,
         1,
         1,
         "the open chunk was not rolled back after an error"),
    {0},
};

const struct test_suite test_suite = {
    .name = "06-batches",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
