/* test_conn_stop - what comes before closing: refuse, cancel; and its report */
#include "conn_fixture.h"

static void set_up(void *data)
{
    conn_set_up(data);
    open_conn(data);
    run_now(data, "CREATE TABLE t (a)");
}

static void observe_start(struct asq_conn *conn,
                          const struct asq_request *request,
                          enum asq_event event)
{
    struct fixture *f = conn->data;

    if (event == ASQ_EVENT_START && request == f->marked)
        uv_sem_post(&f->reached);
}

static void what_was_submitted_runs_on(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];
    struct asq_hold hold = {0};

    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    asq_conn_refuse(&f->conn);
    CHECK_INT(try_sql(&asks[2], "INSERT INTO t VALUES (2)"), UV_ESHUTDOWN);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), UV_ESHUTDOWN);
    let_go(f);
    expect(&asks[1], 0);
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(a) FROM t"), 1);
    ask_destroy_all(asks, 3);
}

static void a_hold_goes_on_until_it_ends(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];
    struct asq_hold hold = {0};

    ask_init_all(f, asks, 3);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    asq_conn_refuse(&f->conn);
    for (int i = 0; i < 2; i++) {
        asks[i].request.hold = &hold;
        ask_sql(&asks[i], "INSERT INTO t VALUES (1)");
        expect(&asks[i], 0);
    }
    asq_hold_end(&hold);
    CHECK_INT(try_sql(&asks[2], "SELECT 1"), UV_ESHUTDOWN);
    close_conn(f);
    CHECK_INT(f->conn.left_open.holds, 0);
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(a) FROM t"), 2);
    ask_destroy_all(asks, 3);
}

/* Or what fills the connection would keep it from ending, for ever. */
static void a_hold_is_never_one_too_many(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];
    struct asq_hold hold = {0};

    close_conn(f);
    init_again(f);
    f->conn.capacity = 2;
    open_conn(f);
    ask_init_all(f, asks, 4);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_sql(&asks[0], "SELECT 1");
    ask_sql(&asks[1], "SELECT 1");
    CHECK_INT(try_sql(&asks[2], "SELECT 1"), UV_ENOBUFS);
    asks[2].request.hold = &hold;
    ask_sql(&asks[2], "SELECT 1");
    CHECK_INT(try_sql(&asks[3], "SELECT 1"), UV_ENOBUFS);
    expect(&asks[2], 0);
    asq_hold_end(&hold);
    expect(&asks[1], 0);
    ask_destroy_all(asks, 4);
}

static void cancel_stops_what_runs_and_what_waits(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];
    struct asq_hold hold = {0};

    close_conn(f);
    init_again(f);
    f->conn.observe = observe_start;
    open_conn(f);
    ask_init_all(f, asks, 5);
    f->marked = &asks[0].request;
    ask_sql(&asks[0], ENDLESS);
    ask_sql(&asks[1], ENDLESS);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    asks[2].request.hold = &hold;
    ask_sql(&asks[2], ENDLESS);
    ask_sql(&asks[3], ENDLESS); /* waits for the end of the hold */
    /* It is passed on by the loop. */
    uv_sem_wait(&f->reached);
    asq_conn_cancel(&f->conn);
    CHECK_INT(try_sql(&asks[4], "SELECT 1"), UV_ESHUTDOWN);
    asks[4].request.hold = &hold;
    CHECK_INT(try_sql(&asks[4], "SELECT 1"), UV_ESHUTDOWN);
    expect(&asks[0], SQLITE_INTERRUPT);
    for (int i = 1; i < 4; i++)
        expect(&asks[i], UV_ECANCELED);
    close_conn(f);
    CHECK_INT(f->conn.left_open.holds, 1);
    ask_destroy_all(asks, 5);
}

static int leave_open(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_db_run(db, "BEGIN", NULL, NULL);

    (void)request; /* its answer is its status */
    if (rc == 0)
        rc = asq_stmt_prepare(db, "SELECT * FROM t", ASQ_WHOLE_TEXT, &stmt);
    return rc; /* the statement is forgotten */
}

static void close_says_what_was_forgotten(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask ask;

    ask_init(f, &ask);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask.request.hold = &hold;
    ask_call(&ask, leave_open);
    expect(&ask, 0);
    close_conn(f);
    asq_request_destroy(&ask.request);
    CHECK_INT(f->conn.left_open.holds, 1);
    CHECK_INT(f->conn.left_open.statements, 1);
    CHECK_INT(f->conn.left_open.transactions, 1);
}

static void close_has_nothing_to_say(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};

    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    asq_hold_end(&hold);
    close_conn(f);
    CHECK_INT(f->conn.left_open.holds, 0);
    CHECK_INT(f->conn.left_open.statements, 0);
    CHECK_INT(f->conn.left_open.transactions, 0);
}

static const struct test_case cases[] = {
    {.name = "what_was_submitted_runs_on", .run = what_was_submitted_runs_on},
    {.name = "a_hold_goes_on_until_it_ends",
     .run = a_hold_goes_on_until_it_ends},
    {.name = "a_hold_is_never_one_too_many",
     .run = a_hold_is_never_one_too_many},
    {.name = "cancel_stops_what_runs_and_what_waits",
     .run = cancel_stops_what_runs_and_what_waits},
    {.name = "close_says_what_was_forgotten",
     .run = close_says_what_was_forgotten},
    {.name = "close_has_nothing_to_say", .run = close_has_nothing_to_say},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_stop",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
