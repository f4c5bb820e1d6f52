/* check - the tests of 04-measure-first, a verdict and an index
 *
 * Samples are made from the seed, sorted first and then shuffled, so that the
 * tests know each percentile. The orders lie in a file; the code under test
 * adds its index on one connection, and another one, which stands for the rest
 * of the program, runs the query. What the query does is counted by SQLite.
 * Everything happens on one thread.
 */
#include "ex_verdict.h"

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    SAMPLES_MAX = 3000,
    WAY = 100, /* samples of a way */
    ORDERS = 2000,
    MORE_ORDERS = 18000,
    STATUSES = 4,
    TEXT_SIZE = 160
};

#define NEVER UINT64_MAX /* no answer came */
#define UNTOUCHED UINT64_C(0x5eed)

/* Times of orders are distinct seconds of 8 days; the query asks for 2. */
#define BEGIN_S 1700000000
#define FROM_S (BEGIN_S + 3000 * 70)
#define TO_S (BEGIN_S + 5500 * 70)

static const char *const statuses[STATUSES] = {"new", "paid", "sent",
                                               "returned"};

static const char schema[] =
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL,"
    " status TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " cents INTEGER NOT NULL);"
    "CREATE INDEX orders_by_user ON orders (user_id);";

/* Each loop of SQL counts from 1. The time is a number modulo a prime, so that
 * ids and times have different orders. */
static const char first_orders[] =
    "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n"
    " WHERE n < 2000) INSERT INTO orders SELECT n, 1 + n * 31 %% 97,"
    " CASE (n + n / 7) %% 4 WHEN 0 THEN 'new' WHEN 1 THEN 'paid'"
    " WHEN 2 THEN 'sent' ELSE 'returned' END,"
    " 1700000000 + 70 * ((n * 7919 + %d) %% 10007), n * 101 %% 9973 FROM n";

/* None of these is paid and of the time that is asked for. */
static const char more_orders[] =
    "WITH RECURSIVE n (n) AS (SELECT 2001 UNION ALL SELECT n + 1 FROM n"
    " WHERE n < 20000) INSERT INTO orders SELECT n, 1 + n % 97,"
    " CASE n % 2 WHEN 0 THEN 'paid' ELSE 'returned' END,"
    " CASE n % 2 WHEN 0 THEN 1700000000 - n ELSE 1700210001 + 7 * n END, 100"
    " FROM n";

struct fixture {
    sqlite3 *db;    /* of the code under test */
    sqlite3 *other; /* of everybody else */
    uint64_t random;
    uint64_t sorted[SAMPLES_MAX];
    uint64_t samples[SAMPLES_MAX];
    uint64_t given[SAMPLES_MAX]; /* the samples, before they were given away */
};

/* What a run of the query has returned and cost. */
struct answer {
    int rows;
    int scanned, sorts, steps;
};

/* The orders */

static struct answer ask(sqlite3 *db, const char *status)
{
    struct answer answer = {0};
    sqlite3_stmt *stmt;
    int rc;

    CHECK_INT(sqlite3_prepare_v2(db, EX_QUERY, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, status, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 2, FROM_S), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 3, TO_S), SQLITE_OK);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        answer.rows++;
    CHECK_INT(rc, SQLITE_DONE);
    answer.scanned =
        sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    answer.sorts = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 0);
    answer.steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return answer;
}

static void set_up(void *data)
{
    struct fixture *f = data;
    const char *path;
    char sql[sizeof first_orders + TEXT_SIZE];

    test_alloc_install();
    f->random = test_seed();
    path = test_path("orders.db");
    CHECK_INT(sqlite3_open(path, &f->other), SQLITE_OK);
    raw_do(f->other, schema);
    (void)snprintf(sql, sizeof sql, first_orders, (int)(test_seed() % 10007));
    raw_do(f->other, sql);
    CHECK_INT(sqlite3_open(path, &f->db), SQLITE_OK);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(f->other), SQLITE_OK);
}

static void add(sqlite3 *db, const char *when)
{
    char text[TEXT_SIZE];
    int rc = ex_index_add(db);

    (void)snprintf(text, sizeof text, "ex_index_add returns 0 %s", when);
    if (rc != SQLITE_OK)
        test_wrong(text, "%d, %s", rc,
                   sqlite3_errcode(db) == rc ? sqlite3_errmsg(db)
                                             : sqlite3_errstr(rc));
    if (!sqlite3_get_autocommit(db))
        test_wrong("no transaction is open after ex_index_add", "one is open");
    if (sqlite3_next_stmt(db, NULL) != NULL)
        test_wrong("no statement is left after ex_index_add", "one is left");
}

/* Samples */

static uint64_t draw(struct fixture *f, uint64_t below)
{
    f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (f->random >> 11) % below;
}

static void shuffle(struct fixture *f, uint64_t *samples, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)draw(f, i);
        uint64_t sample = samples[j];

        samples[j] = samples[i - 1];
        samples[i - 1] = sample;
    }
}

/* Makes samples of which as many are equal as ties says. */
static void
fill(struct fixture *f, size_t count, size_t ties, uint64_t least, uint64_t gap)
{
    for (size_t i = 0; i < count; i++)
        f->sorted[i] = least + i / ties * gap;
    memcpy(f->samples, f->sorted, count * sizeof f->samples[0]);
    shuffle(f, f->samples, count);
    memcpy(f->given, f->samples, count * sizeof f->given[0]);
}

static int is_sample(const struct fixture *f, size_t count, uint64_t value)
{
    for (size_t i = 0; i < count; i++)
        if (f->sorted[i] == value)
            return 1;
    return 0;
}

/* cause NULL: what is wrong with the answer tells it. */
static void expect_percentile(struct fixture *f,
                              size_t count,
                              unsigned percent,
                              const char *cause)
{
    size_t rank = (count * percent + 99) / 100;
    uint64_t got = UNTOUCHED;
    char text[TEXT_SIZE];
    int rc = ex_percentile(f->samples, count, percent, &got);

    (void)snprintf(text, sizeof text, "p%u of %zu samples is %llu, rank %zu",
                   percent, count, (unsigned long long)f->sorted[rank - 1],
                   rank);
    if (rc != 0)
        test_wrong(text, "ex_percentile returns %d", rc);
    memcpy(f->samples, f->given, count * sizeof f->samples[0]);
    if (got == f->sorted[rank - 1])
        return;
    if (cause == NULL && !is_sample(f, count, got))
        cause = "a nearest-rank percentile is a sample, no mean and nothing "
                "between two samples";
    else if (cause == NULL && got > f->sorted[rank - 1])
        cause = "the rank is too high: it counts from 1, an array from 0";
    else if (cause == NULL)
        cause = "the rank is too low: what is not whole is rounded up";
    test_cause(cause);
    test_wrong(text, "%llu", (unsigned long long)got);
}

static void percentiles(void *fixture)
{
    static const size_t counts[] = {100, 1, 2, 10, 101, 250, SAMPLES_MAX};
    static const unsigned percents[] = {99, 50, 1, 100};
    struct fixture *f = fixture;
    uint64_t least = 1000 + test_seed() % 1000;

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (size_t j = 0; j < sizeof percents / sizeof percents[0]; j++) {
            fill(f, counts[i], 1, least, 10);
            expect_percentile(f, counts[i], percents[j], NULL);
        }
    fill(f, 90, 30, least, 10);
    for (unsigned percent = 1; percent <= 100; percent++)
        expect_percentile(f, 90, percent,
                          "each of several equal samples counts");
    fill(f, 101, 1, least, UINT64_C(3000000000));
    for (unsigned percent = 1; percent <= 100; percent++)
        expect_percentile(f, 101, percent,
                          "two samples are compared as int, which holds 32 "
                          "bits");
    fill(f, 100, 1, least, 10);
    for (unsigned percent = 1; percent <= 100; percent++)
        expect_percentile(f, 100, percent,
                          "in double, 7 % of 100 is a little more than 7: "
                          "reckon in whole numbers");
}

/* Runs ex_percentile with each allocation failing once. */
static void fail_percentile(struct fixture *f, size_t count)
{
    uint64_t nth = 0;
    int failed;

    do {
        uint64_t got = UNTOUCHED;
        int rc;

        test_alloc_fail_at(TEST_ALLOC_MALLOC, ++nth, 0);
        rc = ex_percentile(f->samples, count, 99, &got);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (failed && rc != UV_ENOMEM)
            test_wrong("without memory ex_percentile returns UV_ENOMEM", "%d",
                       rc);
        if (failed && got != UNTOUCHED)
            test_wrong("without memory *ret_ns stays as it was",
                       "it was changed");
    } while (failed);
}

static void samples_stay(void *fixture)
{
    struct fixture *f = fixture;
    const size_t count = 1000;

    fill(f, count, 1, 1 + test_seed() % 1000, 10);
    for (unsigned percent = 50; percent <= 100; percent += 7) {
        uint64_t got = 0;
        int rc = ex_percentile(f->samples, count, percent, &got);

        if (rc != 0)
            test_wrong("ex_percentile returns 0", "%d", rc);
        for (size_t i = 0; i < count; i++)
            if (f->samples[i] != f->given[i])
                test_wrong("all samples stay where they are",
                           "sample %zu was %llu and is %llu", i,
                           (unsigned long long)f->given[i],
                           (unsigned long long)f->samples[i]);
    }
    test_cause("what malloc returned is used without a look");
    fail_percentile(f, count);
}

/* Verdicts */

static const char *name_of(enum ex_verdict verdict)
{
    switch (verdict) {
    case EX_NO_DATA:
        return "EX_NO_DATA";
    case EX_STAY_SYNC:
        return "EX_STAY_SYNC";
    case EX_GO_ASYNC:
        return "EX_GO_ASYNC";
    }
    return "no verdict at all";
}

/* Makes a way with this p99. One user in a hundred never had an answer. */
static struct ex_way
make_way(struct fixture *f, uint64_t *samples, uint64_t p99, uint64_t stall)
{
    for (size_t i = 0; i < WAY - 2; i++)
        samples[i] = p99 > 0 ? draw(f, p99) : 0;
    samples[WAY - 2] = p99;
    samples[WAY - 1] = NEVER;
    shuffle(f, samples, WAY);
    return (struct ex_way){samples, WAY, stall};
}

static void expect_verdict(const char *what,
                           const struct ex_way *blocking,
                           const struct ex_way *other,
                           uint64_t limit,
                           enum ex_verdict verdict)
{
    enum ex_verdict got = ex_verdict_of(blocking, other, limit);
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s", what, name_of(verdict));
    if (got != verdict)
        test_wrong(text, "%s", name_of(got));
}

static const char p99[] = "a way costs its p99, not its mean or its longest";
static const char tie[] = "more than the limit has to be saved: a tie goes to "
                          "the simpler way";
static const char stall[] = "a way costs its stall where that is longer than "
                            "its p99, whichever way it is";
static const char wraps[] = "uint64_t has no numbers below 0 and none above "
                            "UINT64_MAX: compare first, then subtract";

static const struct {
    const char *what;
    uint64_t ms[5]; /* p99 and stall, those of the other way, limit; or NEVER */
    enum ex_verdict verdict;
    const char *cause;
} due[] = {
    {"p99 40 and 5 ms, limit 10 ms", {40, 1, 5, 1, 10}, EX_GO_ASYNC, p99},
    {"p99 12 and 4 ms, limit 10 ms", {12, 1, 4, 1, 10}, EX_STAY_SYNC, p99},
    {"the limit is saved exactly", {15, 1, 5, 1, 10}, EX_STAY_SYNC, tie},
    {"p99 15 and 5 ms, limit 9 ms", {15, 1, 5, 1, 9}, EX_GO_ASYNC, p99},
    {"both cost the same, limit 0", {7, 1, 7, 1, 0}, EX_STAY_SYNC, tie},
    {"both cost nothing, limit 0", {0, 0, 0, 0, 0}, EX_STAY_SYNC, tie},
    {"stall 300 and 2 ms", {1, 300, 1, 2, 10}, EX_GO_ASYNC, stall},
    {"stall 300 and 295 ms", {300, 300, 1, 295, 10}, EX_STAY_SYNC, stall},
    {"p99 300 ms, then stall 30 ms", {300, 1, 1, 30, 10}, EX_GO_ASYNC, stall},
    {"the other way is slower", {5, 1, 40, 1, 10}, EX_STAY_SYNC, wraps},
    {"no answer the other way", {5, 1, NEVER, 1, 10}, EX_STAY_SYNC, wraps},
    {"no answer in both ways", {NEVER, 1, NEVER, 1, 0}, EX_STAY_SYNC, wraps},
    {"no answer when it blocks", {NEVER, 1, 5, 1, 10}, EX_GO_ASYNC, wraps},
    {"the limit is UINT64_MAX", {300, 1, 5, 1, NEVER}, EX_STAY_SYNC, wraps},
};

static void verdicts(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t samples[2][WAY];

    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
        struct ex_way blocking, other;
        uint64_t ns[5];

        for (size_t j = 0; j < 5; j++)
            ns[j] = due[i].ms[j] == NEVER
                        ? NEVER
                        : due[i].ms[j] * (1000000 + test_seed() % 1000);
        blocking = make_way(f, samples[0], ns[0], ns[1]);
        other = make_way(f, samples[1], ns[2], ns[3]);
        test_cause(due[i].cause);
        expect_verdict(due[i].what, &blocking, &other, ns[4], due[i].verdict);
    }
}

static void
expect_refused(const uint64_t *samples, size_t count, unsigned percent)
{
    uint64_t got = UNTOUCHED;
    int rc = ex_percentile(samples, count, percent, &got);
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "p%u of %zu samples is UV_EINVAL (%d)",
                   percent, count, UV_EINVAL);
    if (rc != UV_EINVAL)
        test_wrong(text, "%d", rc);
    if (got != UNTOUCHED)
        test_wrong("*ret_ns stays as it was", "it was changed");
}

static void no_data(void *fixture)
{
    uint64_t slow[] = {5000, 1000}, fast[] = {7};
    struct ex_way none = {NULL, 0, 5000}, empty = {slow, 0, 5000};
    struct ex_way blocking = {slow, 2, 0}, other = {fast, 1, 0};
    enum ex_verdict got;

    (void)fixture;
    test_cause("without samples, or beyond 1 to 100, there is no rank");
    expect_refused(slow, 2, 0);
    expect_refused(slow, 2, 101);
    expect_refused(slow, 0, 99);
    expect_refused(NULL, 0, 99);
    test_cause("what ex_percentile returned is not looked at");
    expect_verdict("no samples when it blocks", &none, &other, 10, EX_NO_DATA);
    expect_verdict("no samples the other way", &blocking, &empty, 10,
                   EX_NO_DATA);
    expect_verdict("no samples at all", &none, &empty, 10, EX_NO_DATA);
    expect_verdict("one sample is enough", &blocking, &other, 10, EX_GO_ASYNC);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    got = ex_verdict_of(&blocking, &other, 10);
    if (test_alloc_has_failed() && got != EX_NO_DATA)
        test_wrong("without memory: EX_NO_DATA", "%s", name_of(got));
    test_alloc_fail_at(0, 0, 0);
}

/* The index */

static void no_scan(void *fixture)
{
    struct fixture *f = fixture;

    add(f->db, "when there is no index yet");
    for (int i = 0; i < STATUSES; i++) {
        struct answer answer = ask(f->other, statuses[i]);
        char text[TEXT_SIZE];

        CHECK(answer.rows > 1);
        (void)snprintf(text, sizeof text,
                       "orders that are '%s': no row is scanned", statuses[i]);
        test_cause("no index begins with a column that the query compares");
        if (answer.scanned > 0)
            test_wrong(text, "%d rows scanned to return %d", answer.scanned,
                       answer.rows);
        (void)snprintf(text, sizeof text,
                       "orders that are '%s': they come sorted", statuses[i]);
        test_cause(
            "the column of = comes first in an index, then that of ORDER BY");
        if (answer.sorts > 0)
            test_wrong(text, "SQLite sorts %d rows each time", answer.rows);
    }
}

static void few_steps(void *fixture)
{
    struct fixture *f = fixture;
    struct answer few, many;

    add(f->db, "when there is no index yet");
    few = ask(f->other, "paid");
    raw_do(f->other, more_orders);
    many = ask(f->other, "paid");
    CHECK_INT(many.rows, few.rows);
    if (many.steps > few.steps + few.steps / 10)
        test_wrong("as many steps of SQLite after 18000 orders that do not "
                   "match",
                   "%d steps became %d, to return %d orders", few.steps,
                   many.steps, few.rows);
}

/* What there was before: a number that changes with any of it. */
static int64_t old_things(sqlite3 *db)
{
    return raw_ask(db, "SELECT count(*) * 1000 + sum(length(sql))"
                       " FROM sqlite_master"
                       " WHERE name IN ('orders', 'orders_by_user')") +
           raw_ask(db, "SELECT sum(id * 31 + user_id * 17 + created_at * 7"
                       " + cents + length(status)) FROM orders");
}

static void one_index(void *fixture)
{
    struct fixture *f = fixture;
    int64_t old = old_things(f->other);
    int64_t version, count;

    add(f->db, "when there is no index yet");
    if (old_things(f->other) != old)
        test_wrong("the table, its rows and its index stay as they were",
                   "one of them has changed");
    count = raw_ask(f->other, "SELECT count(*) FROM sqlite_master");
    if (count != 3 ||
        raw_ask(f->other, "SELECT count(*) FROM sqlite_master"
                          " WHERE type = 'index' AND tbl_name = 'orders'") != 2)
        test_wrong("one index of orders is added, and nothing else",
                   "%d things were added", (int)count - 2);
    version = raw_ask(f->other, "PRAGMA schema_version");
    test_cause("an index that exists already is no error and stays");
    add(f->db, "the second time");
    add(f->other, "on another connection");
    if (raw_ask(f->other, "PRAGMA schema_version") != version)
        test_wrong("nothing happens the second time",
                   "the index was made once more");
}

static void write_order(struct fixture *f, const char *sql)
{
    if (sqlite3_exec(f->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        test_wrong("each write is possible as before", "%s",
                   sqlite3_errmsg(f->other));
}

static void writes(void *fixture)
{
    struct fixture *f = fixture;
    int rc;

    raw_do(f->other, "BEGIN IMMEDIATE");
    test_cause("the code that SQLite returned was dropped");
    rc = ex_index_add(f->db);
    raw_do(f->other, "COMMIT");
    if ((rc & 0xff) != SQLITE_BUSY)
        test_wrong("while another connection writes, SQLITE_BUSY (5)", "%d",
                   rc);
    test_cause("a UNIQUE index refuses what was possible before");
    add(f->db, "when nobody else writes any more");
    write_order(f, "INSERT INTO orders SELECT id + 100000, user_id,"
                   " status, created_at, 1 FROM orders");
    write_order(f, "UPDATE orders SET status = 'sent', created_at = 1");
}

static const struct test_case cases[] = {
    {.name = "percentiles",
     .run = percentiles,
     .title = "percentiles by nearest rank",
     .points = 2,
     .function = "ex_percentile"},
    {.name = "samples_stay",
     .run = samples_stay,
     .title = "the samples stay; memory runs out",
     .points = 1,
     .needs = 1,
     .function = "ex_percentile",
     .cause = "the caller's array is sorted, and not a copy of it"},
    {.name = "verdicts",
     .run = verdicts,
     .title = "verdicts, and ties",
     .points = 2,
     .needs = 1,
     .function = "ex_verdict_of"},
    {.name = "no_data",
     .run = no_data,
     .title = "nothing to judge by",
     .points = 1,
     .needs = 1,
     .function = "ex_verdict_of"},
    {.name = "no_scan",
     .run = no_scan,
     .title = "no full scan, nothing to sort",
     .points = 1,
     .function = "ex_index_add"},
    {.name = "few_steps",
     .run = few_steps,
     .title = "steps for the rows returned, not for the table",
     .points = 1,
     .needs = 5,
     .function = "ex_index_add",
     .cause = "the column of = comes first in an index, that of the range "
              "second"},
    {.name = "one_index",
     .run = one_index,
     .title = "one index, once, and nothing else",
     .points = 1,
     .needs = 5,
     .function = "ex_index_add",
     .cause = "more was changed than one index needs"},
    {.name = "writes",
     .run = writes,
     .title = "somebody else writes",
     .points = 1,
     .needs = 5,
     .function = "ex_index_add"},
    {0},
};

const struct test_suite test_suite = {
    .name = "04-measure-first",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
