/* test_conn_refused - what is refused at once, and then never answered */
#include "conn_fixture.h"

static int do_nothing(struct asq_db *db, struct asq_request *request)
{
    (void)db;
    (void)request;
    return 0;
}

static void a_pending_request_is_refused(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    open_conn(f);
    ask_init_all(f, asks, 2);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    for (int i = 0; i < 2; i++) {
        CHECK_INT(try_sql(&asks[i], "nonsense"), UV_EINVAL);
        CHECK_INT(
            asq_conn_call(&f->conn, &asks[i].request, do_nothing, on_answer),
            UV_EINVAL);
    }
    let_go(f);
    expect(&asks[1], 0);
    CHECK_INT(number_of(&asks[1]), 1);
    for (int i = 0; i < 2; i++)
        CHECK_INT(asks[i].calls, 1);
    ask_destroy_all(asks, 2);
}

static void what_makes_no_sense_is_refused(void *data)
{
    struct fixture *f = data;
    struct asq_request *request;
    struct ask ask;

    ask_init(f, &ask);
    request = &ask.request;
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN); /* not yet opened */
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, NULL), UV_EINVAL);
    f->conn.capacity = 0;
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
              UV_EINVAL);
    f->conn.capacity = 1;
    open_conn(f);
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
              UV_EINVAL);
    CHECK_INT(asq_conn_run(&f->conn, request, NULL, NULL, on_answer),
              UV_EINVAL);
    CHECK_INT(asq_conn_run(&f->conn, request, "SELECT 1", NULL, NULL),
              UV_EINVAL);
    CHECK_INT(asq_conn_call(&f->conn, request, NULL, on_answer), UV_EINVAL);
    CHECK_INT(asq_conn_call(&f->conn, request, do_nothing, NULL), UV_EINVAL);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(ask.calls, 0);
    CHECK_INT(f->conn.pending, 0);
    asq_request_destroy(NULL);
}

static void submit_refused(struct ask *ask)
{
    struct fixture *f = ask->fixture;
    struct ask other;

    ask->then = NULL;
    ask_sql(ask, "SELECT 2"); /* its own place is free again */
    ask_init(f, &other);
    CHECK_INT(try_sql(&other, "SELECT 3"), UV_ENOBUFS);
}

static void a_full_connection_has_room_again_in_the_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    f->conn.capacity = 2;
    open_conn(f);
    ask_init_all(f, asks, 3);
    asks[0].then = submit_refused;
    ask_sql(&asks[0], "SELECT 1");
    ask_sql(&asks[1], "SELECT 1");
    CHECK_INT(try_sql(&asks[2], "SELECT 1"), UV_ENOBUFS);
    expect(&asks[1], 0);
    expect(&asks[0], 0);
    CHECK_INT(asks[0].calls, 2);
    CHECK_INT(asks[2].calls, 0);
    ask_destroy_all(asks, 3);
}

static const struct test_case cases[] = {
    {.name = "a_pending_request_is_refused",
     .run = a_pending_request_is_refused},
    {.name = "what_makes_no_sense_is_refused",
     .run = what_makes_no_sense_is_refused},
    {.name = "a_full_connection_has_room_again_in_the_callback",
     .run = a_full_connection_has_room_again_in_the_callback},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_refused",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
