/* test_conn_wait - opening and closing that wait on the loop */
#include "03-event-loop/conn_wait.h"
#include "grader/test.h"

#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
    struct asq_conn conn;
    struct asq_request request;
    int answers, closed;
};

static void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    f->profile = asq_profile_default(test_path("wait.db"));
    asq_conn_init(&f->conn);
    asq_request_init(&f->request);
    f->request.data = f;
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    asq_request_destroy(&f->request);
    CHECK_INT(uv_loop_close(&f->loop), 0);
}

static void take_answer(struct asq_request *request, int status)
{
    struct fixture *f = request->data;

    CHECK_INT(status, 0);
    f->answers++;
}

static void it_is_open_and_then_closed(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    CHECK_TEXT(f->conn.journal_mode, "wal");
    CHECK_INT(
        asq_conn_run(&f->conn, &f->request, "SELECT 1", NULL, take_answer), 0);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    CHECK_INT(f->answers, 1);
    asq_conn_close_wait(&f->conn);
    CHECK_INT(
        asq_conn_run(&f->conn, &f->request, "SELECT 1", NULL, take_answer),
        UV_ESHUTDOWN);
}

static void what_is_pending_is_answered_before_it_is_closed(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    CHECK_INT(
        asq_conn_run(&f->conn, &f->request, "SELECT 1", NULL, take_answer), 0);
    while (f->answers == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_conn_close_wait(&f->conn);
    CHECK_INT(f->conn.pending, 0);
}

static void one_that_failed_to_open_needs_no_close(void *data)
{
    struct fixture *f = data;

    f->profile.mode = ASQ_OPEN_READ; /* there is no such file */
    CHECK(asq_conn_open_wait(&f->conn, &f->loop, &f->profile) > 0);
    CHECK(strlen(f->conn.message) > 0);
    asq_conn_close_wait(&f->conn); /* does nothing */
}

static void one_that_is_open_is_not_opened_again(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), UV_EINVAL);
    CHECK_TEXT(f->conn.message, uv_strerror(UV_EINVAL));
    asq_conn_close_wait(&f->conn);
}

static void it_can_be_opened_again(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < 3; i++) {
        CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
        asq_conn_close_wait(&f->conn);
    }
}

static void one_that_was_never_opened_is_closed_at_once(void *data)
{
    struct fixture *f = data;

    asq_conn_close_wait(&f->conn);
}

static void note_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    f->closed++;
}

static void a_close_under_way_is_waited_for(void *data)
{
    struct fixture *f = data;

    f->conn.data = f;
    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    asq_conn_close(&f->conn, note_closed);
    CHECK_INT(f->closed, 0);
    asq_conn_close_wait(&f->conn);
    CHECK_INT(f->closed, 1);
}

static void count_turn(uv_timer_t *timer)
{
    int *turns = timer->data;

    ++*turns;
    uv_close((uv_handle_t *)timer, NULL);
}

static void the_loop_serves_others_meanwhile(void *data)
{
    struct fixture *f = data;
    uv_timer_t timer;
    int turns = 0;

    CHECK_INT(uv_timer_init(&f->loop, &timer), 0);
    timer.data = &turns;
    CHECK_INT(uv_timer_start(&timer, count_turn, 0, 0), 0);
    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    asq_conn_close_wait(&f->conn);
    CHECK_INT(turns, 1);
}

/* There is no worker in a child that could ever close it. */
static void close_in_a_child_returns(void *data)
{
    struct fixture *f = data;
    int status = 0;
    pid_t child;

    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        asq_conn_close_wait(&f->conn);
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
    asq_conn_close_wait(&f->conn);
}

static const struct test_case cases[] = {
    {.name = "it_is_open_and_then_closed", .run = it_is_open_and_then_closed},
    {.name = "what_is_pending_is_answered_before_it_is_closed",
     .run = what_is_pending_is_answered_before_it_is_closed},
    {.name = "one_that_failed_to_open_needs_no_close",
     .run = one_that_failed_to_open_needs_no_close},
    {.name = "one_that_is_open_is_not_opened_again",
     .run = one_that_is_open_is_not_opened_again},
    {.name = "it_can_be_opened_again", .run = it_can_be_opened_again},
    {.name = "one_that_was_never_opened_is_closed_at_once",
     .run = one_that_was_never_opened_is_closed_at_once},
    {.name = "a_close_under_way_is_waited_for",
     .run = a_close_under_way_is_waited_for},
    {.name = "the_loop_serves_others_meanwhile",
     .run = the_loop_serves_others_meanwhile},
    {.name = "close_in_a_child_returns", .run = close_in_a_child_returns},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_wait",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
