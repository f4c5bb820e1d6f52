/* test_conn_meanwhile - answers get through while another request runs */
#include "common/slow_disk.h"
#include "conn_fixture.h"

#include <stdlib.h>

enum {
    READS = 63
};

/* Number 0 runs and never ends; 1 to 3 wait. */
static void answer_meanwhile(struct ask asks[4])
{
    asq_request_cancel(&asks[1].request);
    expect(&asks[1], UV_ECANCELED);
    expect(&asks[2], UV_ETIMEDOUT);
    CHECK_INT(asks[2].request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(asks[0].calls, 0);
    CHECK_INT(asks[3].calls, 0);
    asq_request_cancel(&asks[0].request);
    expect(&asks[3], 0);
    CHECK_INT(asks[0].status, SQLITE_INTERRUPT);
}

/* Number 0 is about to run when this returns. */
static void wait_for_start(struct fixture *f)
{
    uv_sem_wait(&f->reached);
    let_go(f);
}

static void open_and_mark(struct fixture *f, struct ask asks[4])
{
    f->conn.observe = stand_if_marked;
    open_conn(f);
    ask_init_all(f, asks, 4);
    f->marked = &asks[0].request;
    asks[2].request.timeout_ms = 20;
}

static void what_waits_in_the_queue_is_answered(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    open_and_mark(f, asks);
    ask_sql(&asks[0], ENDLESS);
    wait_for_start(f);
    for (int i = 1; i < 4; i++)
        ask_sql(&asks[i], "SELECT 1");
    answer_meanwhile(asks);
    ask_destroy_all(asks, 4);
}

static void what_waits_in_the_same_batch_is_answered(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];
    struct ask held;

    open_and_mark(f, asks);
    ask_init(f, &held);
    hold_worker(&held);
    ask_sql(&asks[0], ENDLESS);
    for (int i = 1; i < 4; i++)
        ask_sql(&asks[i], "SELECT 1");
    let_go(f);
    wait_for_start(f);
    answer_meanwhile(asks);
    ask_destroy_all(asks, 4);
    ask_destroy_all(&held, 1);
}

/* A function need not use SQLite, so nobody asks the watch. */
static void an_answer_does_not_wait_for_a_function(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_conn(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    ask_call(&asks[2], stand_at_gate);
    let_go(f);
    uv_sem_wait(&f->reached);
    expect(&asks[1], 0);
    CHECK_INT(asks[2].calls, 0);
    let_go(f);
    expect(&asks[2], 0);
    ask_destroy_all(asks, 3);
}

/* Its commit stands before the sync, for as long as the disk likes. */
static void an_answer_does_not_wait_for_a_write(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2;
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    for (int i = 1; i < 3; i++)
        ask_sql(&asks[i], "SELECT 1");
    ask_sql(&asks[3], "INSERT INTO t VALUES (1)");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    expect(&asks[1], 0);
    expect(&asks[2], 0);
    CHECK_INT(asks[3].calls, 0);
    asq_slow_disk_open_gate();
    expect(&asks[3], 0);
    ask_destroy_all(asks, 4);
}

/* What is slow here never asks the watch: it is looked at what waits when the
 * one before has ended. The last one stands at the gate when that is told. */
static void a_deadline_does_not_wait_for_its_turn(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_conn(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_call(&asks[1], stand_at_gate);
    asks[2].request.timeout_ms = 5;
    ask_sql(&asks[2], "SELECT 1");
    while (uv_hrtime() <= asks[2].request.deadline_ns)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* until it has passed */
    let_go(f);
    uv_sem_wait(&f->reached); /* number 1 has begun */
    expect(&asks[2], UV_ETIMEDOUT);
    CHECK_INT(asks[2].request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(asks[1].calls, 0);
    let_go(f);
    expect(&asks[1], 0);
    ask_destroy_all(asks, 3);
}

enum {
    MANY = 20000
};

static void ignore_answer(struct asq_request *request, int status)
{
    (void)request;
    CHECK_INT(status, 0);
}

/* Looking at everything that waits must not take the time of what runs. On a
 * busy machine a look may be interrupted, so that one good round of five is
 * enough: if it were looked at every millisecond, there would be none. */
static void a_long_queue_does_not_starve_what_runs(void *data)
{
    struct fixture *f = data;
    struct asq_request *many = calloc(MANY, sizeof *many);
    bool fine = false;
    struct ask ask;

    CHECK(many != NULL);
    f->conn.capacity = MANY + 1;
    open_conn(f);
    ask_init(f, &ask);
    for (int round = 0; round < 5 && !fine; round++) {
        uint64_t swept_ns = f->conn.runner.guard.swept_ns;

        ask.request.timeout_ms = 300;
        ask_sql(&ask, ENDLESS);
        for (int i = 0; i < MANY; i++)
            CHECK_INT(asq_conn_run(&f->conn, &many[i], "SELECT 1", NULL,
                                   ignore_answer),
                      0);
        expect(&ask, UV_ETIMEDOUT);
        while (f->conn.pending > 0)
            (void)uv_run(&f->loop, UV_RUN_ONCE);
        swept_ns = f->conn.runner.guard.swept_ns - swept_ns;
        CHECK(swept_ns > 0);
        fine = swept_ns * 4 < ask.request.ended_ns - ask.request.started_ns;
    }
    CHECK(fine);
    for (int i = 0; i < MANY; i++)
        asq_request_destroy(&many[i]);
    free(many);
    asq_request_destroy(&ask.request);
}

struct burst {
    struct ask held, reads[READS], endless;
    unsigned answered;
};

static struct burst burst;

static void cancel_at_63(struct ask *ask)
{
    struct fixture *f = ask->fixture;

    CHECK_INT(burst.endless.calls, 0);
    CHECK_INT(number_of(ask), 7);
    if (++burst.answered < READS)
        return;
    CHECK_INT(f->conn.pending, 1);
    asq_request_cancel(&burst.endless.request);
}

/* Answers do not wait for the end of the batch, which never comes. */
static void answers_arrive_while_an_endless_one_runs(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_slow_disk_register(), 0);
    raw_run(f->profile.path, "CREATE TABLE p (n INTEGER PRIMARY KEY, v);"
                             "INSERT INTO p VALUES (5, 7)");
    f->profile.vfs = ASQ_SLOW_DISK;
    open_conn(f);
    ask_init(f, &burst.held);
    ask_init_all(f, burst.reads, READS);
    ask_init(f, &burst.endless);
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    ask_sql(&burst.held, "SELECT v FROM p WHERE n = 5");
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    for (int i = 0; i < READS; i++) {
        burst.reads[i].then = cancel_at_63;
        ask_sql(&burst.reads[i], "SELECT v FROM p WHERE n = 5");
    }
    ask_sql(&burst.endless, ENDLESS);
    asq_slow_disk_open_gate();
    expect(&burst.endless, SQLITE_INTERRUPT);
    CHECK_INT(burst.answered, READS);
    for (unsigned i = 0; i < READS; i++) {
        CHECK_INT(burst.reads[i].status, 0);
        CHECK_INT(burst.reads[i].order, i + 1);
    }
    ask_destroy_all(&burst.held, 1);
    ask_destroy_all(burst.reads, READS);
    ask_destroy_all(&burst.endless, 1);
}

static const struct test_case cases[] = {
    {.name = "what_waits_in_the_queue_is_answered",
     .run = what_waits_in_the_queue_is_answered},
    {.name = "what_waits_in_the_same_batch_is_answered",
     .run = what_waits_in_the_same_batch_is_answered},
    {.name = "an_answer_does_not_wait_for_a_function",
     .run = an_answer_does_not_wait_for_a_function},
    {.name = "an_answer_does_not_wait_for_a_write",
     .run = an_answer_does_not_wait_for_a_write},
    {.name = "a_deadline_does_not_wait_for_its_turn",
     .run = a_deadline_does_not_wait_for_its_turn},
    {.name = "a_long_queue_does_not_starve_what_runs",
     .run = a_long_queue_does_not_starve_what_runs},
    {.name = "answers_arrive_while_an_endless_one_runs",
     .run = answers_arrive_while_an_endless_one_runs},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_meanwhile",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
