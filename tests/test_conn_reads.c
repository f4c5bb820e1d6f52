/* test_conn_reads - which queries share a read transaction
 *
 * A transaction also ends when 2 ms are over. So where a test looks for one
 * that several share, a round in which the machine was busy is repeated.
 */
#include "conn_fixture.h"
#include "conn_trace.h"

enum {
    ROUNDS = 50,
    MANY = 200
};

/* Kinds of requests, by letter. */
static const char *sql_of(char kind)
{
    switch (kind) {
    case 'S':
        return "SELECT n FROM t";
    case 'V':
        return "VALUES (1)";
    case 'W':
        return "WITH w AS (SELECT 1) SELECT * FROM w";
    case 'I':
        return "INSERT INTO t VALUES (1)";
    case 'R':
        return "INSERT INTO t VALUES (1) RETURNING n";
    case 'P':
        return "PRAGMA cache_size";
    case 'E':
        return "EXPLAIN SELECT n FROM t";
    case 'Q':
        return "EXPLAIN QUERY PLAN SELECT n FROM t";
    case 'B':
        return "BEGIN";
    case 'C':
        return "COMMIT";
    default:
        return "nonsense";
    }
}

static int check_no_transaction(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* only the connection matters */
    CHECK(!asq_db_in_transaction(db));
    return asq_db_run(db, "ANALYZE t", NULL, NULL);
}

/* Submits one request for each letter while the worker is held; 'F' is a
 * function, a small letter is cancelled. */
static void run_kinds(struct fixture *f, const char *kinds)
{
    struct ask asks[16];
    struct ask held;
    size_t count = strlen(kinds);

    CHECK(count <= 16);
    call_now(f, start_trace);
    ask_init(f, &held);
    hold_worker(&held);
    ask_init_all(f, asks, count);
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] == 'F')
            ask_call(&asks[i], check_no_transaction);
        else
            ask_sql(&asks[i], sql_of(kinds[i] == 's' ? 'S' : kinds[i]));
        if (kinds[i] == 's')
            asq_request_cancel(&asks[i].request);
    }
    let_go(f);
    call_now(f, stop_trace);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(asks[i].status, kinds[i] == 's'   ? UV_ECANCELED
                                  : kinds[i] == 'X' ? SQLITE_ERROR
                                                    : 0);
    ask_destroy_all(asks, count);
    ask_destroy_all(&held, 1);
}

static void check_trace(struct fixture *f, const char *kinds, const char *trace)
{
    for (int i = 0; i < ROUNDS; i++) {
        run_kinds(f, kinds);
        if (strcmp(f->trace, trace) == 0)
            return;
    }
    FAIL("%s ran as %s, not as %s", kinds, f->trace, trace);
}

static void open_table(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    run_now(f, "INSERT INTO t VALUES (0)");
}

static void neighbours_share_a_transaction(void *data)
{
    struct fixture *f = data;

    open_table(f);
    check_trace(f, "SS", "BEGIN SELECT SELECT COMMIT");
    check_trace(f, "SVW", "BEGIN SELECT VALUES WITH COMMIT");
    check_trace(f, "S", "SELECT");
    check_trace(f, "SXS", "SELECT SELECT");
    check_trace(f, "XSS", "BEGIN SELECT SELECT COMMIT");
}

static void nothing_else_gets_into_it(void *data)
{
    struct fixture *f = data;

    open_table(f);
    check_trace(f, "SISS", "SELECT INSERT BEGIN SELECT SELECT COMMIT");
    check_trace(f, "SSI", "BEGIN SELECT SELECT COMMIT INSERT");
    check_trace(f, "SSR", "BEGIN SELECT SELECT COMMIT INSERT");
    check_trace(f, "SSP", "BEGIN SELECT SELECT COMMIT PRAGMA");
    check_trace(f, "SSESS",
                "BEGIN SELECT SELECT COMMIT "
                "BEGIN SELECT SELECT COMMIT");
    check_trace(f, "SSQSS",
                "BEGIN SELECT SELECT COMMIT BEGIN SELECT SELECT COMMIT");
    /* An EXPLAIN is not traced, but it divides. */
    check_trace(f, "SSFS", "BEGIN SELECT SELECT COMMIT ANALYZE SELECT");
    check_trace(f, "SSXI", "BEGIN SELECT SELECT COMMIT INSERT");
}

static void a_transaction_of_the_caller_is_left_alone(void *data)
{
    struct fixture *f = data;

    f->conn.shared_tx = true;
    open_table(f);
    check_trace(f, "SSBSSICSS",
                "BEGIN SELECT SELECT COMMIT BEGIN SELECT "
                "SELECT INSERT COMMIT BEGIN SELECT SELECT "
                "COMMIT");
}

/* What follows a query that is not run is not a query just because that one
 * was. */
static void a_cancelled_query_opens_no_door(void *data)
{
    struct fixture *f = data;

    open_table(f);
    check_trace(f, "SSsI", "BEGIN SELECT SELECT COMMIT INSERT");
    check_trace(f, "SSsF", "BEGIN SELECT SELECT COMMIT ANALYZE");
    check_trace(f, "SSssR", "BEGIN SELECT SELECT COMMIT INSERT");
    check_trace(f, "SSsS", "BEGIN SELECT SELECT SELECT COMMIT");
    check_trace(f, "sSS", "BEGIN SELECT SELECT COMMIT");
}

static void who_does_not_want_it_gets_none(void *data)
{
    struct fixture *f = data;

    f->conn.batch_reads = false;
    open_table(f);
    check_trace(f, "SSSIS", "SELECT SELECT SELECT INSERT SELECT");
}

/* Returns the largest number of statements between BEGIN and COMMIT. */
static int longest_transaction(const char *trace)
{
    int longest = 0;

    while ((trace = strstr(trace, "BEGIN")) != NULL) {
        int length = 0;

        while (strncmp(trace, "COMMIT", 6) != 0) {
            trace = strchr(trace, ' ');
            CHECK(trace != NULL);
            trace++;
            length++;
        }
        length--; /* COMMIT */
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void at_most_64_share_a_transaction(void *data)
{
    struct fixture *f = data;
    struct ask asks[MANY];
    int longest = 0;

    open_table(f);
    for (int i = 0; i < ROUNDS && longest < 64; i++) {
        call_now(f, start_trace);
        ask_init_all(f, asks, MANY);
        hold_worker(&asks[0]);
        for (int k = 1; k < MANY; k++)
            ask_sql(&asks[k], "SELECT n FROM t");
        let_go(f);
        call_now(f, stop_trace);
        longest = longest_transaction(f->trace);
        CHECK_RANGE(longest, 2, 64);
        ask_destroy_all(asks, MANY);
    }
}

static const struct test_case cases[] = {
    {.name = "neighbours_share_a_transaction",
     .run = neighbours_share_a_transaction},
    {.name = "nothing_else_gets_into_it", .run = nothing_else_gets_into_it},
    {.name = "a_transaction_of_the_caller_is_left_alone",
     .run = a_transaction_of_the_caller_is_left_alone},
    {.name = "a_cancelled_query_opens_no_door",
     .run = a_cancelled_query_opens_no_door},
    {.name = "who_does_not_want_it_gets_none",
     .run = who_does_not_want_it_gets_none},
    {.name = "at_most_64_share_a_transaction",
     .run = at_most_64_share_a_transaction},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_reads",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
