/* test_conn_turn - nothing happens before its turn
 *
 * Some statements act while SQLite prepares them, so the runner must not look
 * ahead at them. The first query is kept at the gate when it starts: by then
 * the runner has looked at what is next.
 */
#include "conn_fixture.h"

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    f->conn.observe = stand_if_marked;
    open_conn(f);
}

/* Two queries and then sql wait together; the first one has just started. */
static void start_before(struct fixture *f, struct ask asks[4], const char *sql)
{
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    f->marked = &asks[1].request;
    ask_sql(&asks[1], "SELECT 'a' LIKE 'A'");
    ask_sql(&asks[2], sql);
    ask_sql(&asks[3], "SELECT 'a' LIKE 'A'");
    let_go(f);
    uv_sem_wait(&f->reached);
}

static void a_cancelled_pragma_has_done_nothing(void *data)
{
    static const char *const pragmas[] = {
        "PRAGMA foreign_keys=OFF", "\xEF\xBB\xBFPRAGMA foreign_keys=OFF",
        "EXPLAIN PRAGMA foreign_keys=OFF",
        "explain /* x */ query plan pragma foreign_keys=OFF",
        ";; -- x\n PRAGMA foreign_keys=OFF"};
    struct fixture *f = data;
    struct ask asks[4];

    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        start_before(f, asks, pragmas[i]);
        asq_request_cancel(&asks[2].request);
        let_go(f);
        expect(&asks[3], 0);
        CHECK_INT(asks[1].status, 0);
        CHECK_INT(asks[2].status, UV_ECANCELED);
        CHECK_INT(ask_number(f, "PRAGMA foreign_keys"), 1);
        ask_destroy_all(asks, 4);
    }
}

static void a_pragma_acts_in_its_turn(void *data)
{
    static const char *const pragmas[] = {
        "PRAGMA case_sensitive_like=ON",
        "\xEF\xBB\xBF PRAGMA case_sensitive_like=ON"};
    struct fixture *f = data;
    struct ask asks[4];

    for (int i = 0; i < 2; i++) {
        run_now(f, "PRAGMA case_sensitive_like=OFF");
        start_before(f, asks, pragmas[i]);
        let_go(f);
        expect(&asks[3], 0);
        CHECK_INT(number_of(&asks[1]), 1);
        CHECK_INT(number_of(&asks[3]), 0);
        ask_destroy_all(asks, 4);
    }
}

static void a_byte_order_mark_hides_nothing(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    run_now(f, "CREATE TABLE t (n)");
    start_before(f, asks,
                 "\xEF\xBB\xBF"
                 "INSERT INTO t VALUES (1)");
    let_go(f);
    expect(&asks[3], 0);
    CHECK_INT(asks[2].status, 0);
    CHECK_INT(asks[2].request.result.changes, 1);
    ask_sql(&asks[0], "\xEF\xBB\xBF"
                      "BEGIN");
    expect(&asks[0], SQLITE_MISUSE); /* without a hold */
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"), 1);
    ask_destroy_all(asks, 4);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(a_cancelled_pragma_has_done_nothing),
    CASE(a_pragma_acts_in_its_turn),
    CASE(a_byte_order_mark_hides_nothing),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_turn",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
