/* test_shutdown_left - what was forgotten is tidied up, and said */
#include "shutdown_fixture.h"

static void make_table(struct fixture *f, bool checkpoint)
{
    f->shared_tx = true;
    add_conn(f, test_path("a.db"), checkpoint);
    run_now(f, 0, "CREATE TABLE t (a)");
    run_now(f, 0, "INSERT INTO t VALUES (1)");
}

/* Nothing but the end of the time lets the shutdown through. */
static void a_hold(void *data)
{
    struct fixture *f = data;
    struct asq_hold holds[2] = {0};
    struct ask ask;

    make_table(f, false);
    CHECK_INT(asq_hold_begin(&f->conns[0], &holds[0]), 0);
    CHECK_INT(asq_hold_begin(&f->conns[0], &holds[1]), 0);
    start(f);
    ask_init(f, &ask);
    ask.request.hold = &holds[0];
    ask_sql(&ask, 0, "SELECT 1"); /* a hold that has begun goes on */
    expect(&ask, 0);
    asq_hold_end(&holds[0]);
    CHECK_INT(f->shutdown.state, ASQ_DRAINING);
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->conns[0].left_open.holds, 1);
    CHECK_INT(f->parts[0].cancelled, 0);
    check_report(&f->parts[0], "part: 1 hold not ended");
}

static int leave_statements(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, "SELECT a FROM t", ASQ_WHOLE_TEXT, &stmt);

    (void)request; /* its answer is its status */
    if (rc == 0)
        rc = asq_stmt_prepare(db, "SELECT 1", ASQ_WHOLE_TEXT, &stmt);
    return rc;
}

/* They have not begun to read, so they are not in the way. */
static void statements(void *data)
{
    struct fixture *f = data;

    make_table(f, true);
    call_now(f, 0, leave_statements);
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
    check_report(&f->parts[0], "part: 2 statements not released");
}

static int begin_to_read(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, "SELECT a FROM t", ASQ_WHOLE_TEXT, &stmt);

    (void)request; /* its answer is its status */
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    return rc == SQLITE_ROW ? 0 : rc;
}

static void a_statement_that_reads(void *data)
{
    struct fixture *f = data;

    make_table(f, true);
    call_now(f, 0, begin_to_read);
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_LOCKED);
    check_report(&f->parts[0],
                 "part: 1 statement not released, the WAL not emptied");
}

static void a_transaction(void *data)
{
    struct fixture *f = data;

    make_table(f, true);
    run_now(f, 0, "BEGIN");
    run_now(f, 0, "INSERT INTO t VALUES (2)");
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_LOCKED);
    check_report(&f->parts[0],
                 "part: 1 transaction rolled back, the WAL not emptied");
    CHECK_INT(raw_number(test_path("a.db"), "SELECT sum(a) FROM t"), 1);
}

static void all_of_it(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[2];

    make_table(f, true);
    run_now(f, 0, "BEGIN");
    call_now(f, 0, begin_to_read);
    CHECK_INT(asq_hold_begin(&f->conns[0], &hold), 0);
    for (int i = 0; i < 2; i++) {
        ask_init(f, &asks[i]);
        ask_sql(&asks[i], 0, "SELECT 1");
    }
    start(f);
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    for (int i = 0; i < 2; i++)
        expect(&asks[i], UV_ECANCELED);
    check_report(&f->parts[0],
                 "part: 1 hold not ended, 1 statement not released, "
                 "1 transaction rolled back, 2 requests cancelled, "
                 "no checkpoint");
}

/* As long as it has room, and never beyond. */
static void the_line_is_cut(void *data)
{
    static const char whole[] = "part: 2 statements not released";
    struct fixture *f = data;
    char text[sizeof whole + 1];

    make_table(f, false);
    call_now(f, 0, leave_statements);
    shut_down(f);
    CHECK(!asq_shutdown_report(&f->parts[0], text, 0));
    for (size_t size = 1; size <= sizeof whole; size++) {
        text[size] = '#';
        CHECK(asq_shutdown_report(&f->parts[0], text, size));
        CHECK_INT(strlen(text), size - 1);
        CHECK_INT(strncmp(text, whole, size - 1), 0);
        CHECK_INT(text[size], '#');
    }
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(a_hold),        CASE(statements), CASE(a_statement_that_reads),
    CASE(a_transaction), CASE(all_of_it),  CASE(the_line_is_cut),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "shutdown_left",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
