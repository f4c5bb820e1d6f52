/* test_queue_drain - the end of a worker: Q8, and closing at every moment */
#include "queue_fixture.h"

enum {
    THIRD_MS = LEASE_MS / 3
};

static void start_drain(struct side *side, unsigned ms)
{
    side->f->calling = true;
    CHECK_INT(asq_queue_drain(&side->queue, ms, take_drained), 0);
    side->f->calling = false;
}

static void q08_an_idle_queue_is_drained_at_once(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    work(side, 2);
    start_drain(side, 1000);
    test_run_until(&f->loop, &side->drained);
    (void)put(side, "x");
    settle(f);
    CHECK_INT(side->count, 0); /* nothing more is claimed */
    CHECK_INT(side->drained, 1);
    CHECK_INT(asq_queue_drain(&side->queue, 0, take_drained), UV_ESHUTDOWN);
}

static void q08_one_that_only_puts_is_drained_at_once(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    start_drain(side, 1000);
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(asq_queue_work(&side->queue, side->jobs, 1, take_job),
              UV_ESHUTDOWN);
}

static void q08_leases_are_extended_while_draining(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put(a, "x");
    (void)put(a, "y");
    work(a, 1);
    start_drain(a, NEVER_MS);
    for (int i = 0; i < 6; i++) {
        move_clocks(THIRD_MS);
        look(a);
    }
    CHECK_INT(a->queue.stats.beats, 6);
    CHECK_INT(a->drained, 0);
    work(b, 2);
    CHECK_INT(b->count, 1); /* the other one */
    done(last_job(a));
    CHECK_INT(a->end_status, 0);
    CHECK_INT(a->drained, 1);
    CHECK_INT(a->count, 1);
}

static void q08_what_does_not_end_in_time_is_given_back(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put_attempts(a, 2);
    work(a, 1);
    start_drain(a, 1000);
    move_clocks(999);
    look(a);
    CHECK_INT(a->drained + (int)a->lost, 0);
    move_clocks(1);
    look(a);
    CHECK_INT(a->lost, 1);
    CHECK_INT(a->drained, 1);
    CHECK_INT(a->queue.stats.given_back, 1);
    check_state(f, 1, ASQ_QUEUE_READY);
    move_clocks(LEASE_MS);
    look(a);
    CHECK_INT(a->queue.stats.beats, 0); /* there is nothing to extend */
    CHECK_INT(column_of(f, 1, "max_attempts - attempt"), 2);
    work(b, 1); /* at once, without waiting for a lease */
    CHECK_INT(b->count, 1);
    retry(last_job(b), 0); /* two attempts are left, and this was one */
    CHECK_INT(b->became, ASQ_QUEUE_READY);
    CHECK_INT(b->count, 2);
}

/* If giving back took the attempt away again, the next holder would have the
 * token of this one. */
static void q08_a_token_that_was_given_back_is_of_no_use(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put(a, "x");
    work(a, 1);
    start_drain(a, 0);
    test_run_until(&f->loop, &a->drained);
    work(b, 1);
    CHECK_INT(b->count, 1);
    CHECK(b->got[0].attempt > a->got[0].attempt);
    done(last_job(a));
    CHECK_INT(a->end_status, ASQ_LOST);
    check_state(f, 1, ASQ_QUEUE_RUNNING);
    done(last_job(b));
    CHECK_INT(b->end_status, 0);
}

static void serve_lost(struct side *side, struct asq_queue_job *job)
{
    (void)side; /* it is the job's */
    CHECK_INT(asq_job_retry(job, 0, "no time", take_job_end), 0);
}

/* A holder that gives it back itself, when it is told, is first. */
static void q08_a_holder_may_end_it_when_it_is_told(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    work(side, 1);
    side->on_lost = serve_lost;
    start_drain(side, 0);
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(side->ended[0], 1);
    CHECK_INT(side->queue.stats.given_back, 0);
    check_state(f, 1, ASQ_QUEUE_READY);
}

static void q08_a_second_call_hurries(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    work(side, 1);
    start_drain(side, NEVER_MS);
    settle(f);
    CHECK_INT(side->drained, 0);
    start_drain(side, 0);
    test_run_until(&f->loop, &side->drained);
    check_state(f, 1, ASQ_QUEUE_READY);
}

/* The claim has run and is not answered when the draining begins. */
static void q08_a_claim_under_way_is_given_back(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    start_work(side, 1);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    start_drain(side, 0);
    asq__queue_look(&side->queue);
    CHECK_INT(side->drained, 0);
    asq_slow_disk_open_gate();
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(side->count, 0);
    check_state(f, 1, ASQ_QUEUE_READY);
    CHECK_INT(column_of(f, 1, "max_attempts - attempt"), 5);
}

static void q08_a_claim_that_waits_is_given_up(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;

    (void)put(side, "x");
    hold_worker(side, &stand);
    start_work(side, 1);
    start_drain(side, 0);
    let_go(&stand);
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(side->queue.stats.jobs, 0);
    CHECK_INT(column_of(f, 1, "attempt"), 0);
    CHECK_INT(side->errors, 0);
}

static void q08_a_disk_that_fails_does_not_hold_it_up(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    start_drain(side, 0);
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(side->error & 0xff, SQLITE_FULL);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    check_state(f, 1, ASQ_QUEUE_RUNNING); /* until the lease is over */
}

/* Closing */

static void a_job_that_is_held_is_left_to_its_lease(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put(a, "x");
    work(a, 1);
    close_queue(a);
    check_state(f, 1, ASQ_QUEUE_RUNNING);
    work(b, 1);
    CHECK_INT(b->count, 0);
    move_clocks(LEASE_MS);
    look(b);
    CHECK_INT(b->count, 1);
}

static void an_end_that_could_not_be_stored_is_told(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    done(last_job(side));
    CHECK_INT(side->ended[0], 0);
    close_queue(side);
    CHECK_INT(side->end_status, UV_ECANCELED);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
}

static void it_can_be_opened_again(void *data)
{
    struct side *side = open_side(data, 0);

    side->serve = serve_done;
    for (unsigned i = 1; i <= 3; i++) {
        work(side, 1);
        (void)put(side, "x");
        settle(data);
        CHECK_INT(side->ended[0], i);
        close_queue(side);
        open_queue(side);
    }
}

static void the_conn_may_close_under_it(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    (void)put(side, "y");
    work(side, 1);
    start_done(last_job(side));
    asq_conn_close(&side->conn, take_conn_closed);
    test_run_until(&f->loop, &side->conn_closed);
    side->conn_opened = 0;
    asq__queue_look(&side->queue);
    move_clocks(LEASE_MS);
    asq__queue_look(&side->queue);
    close_queue(side);
    CHECK_INT((int)side->ended[0] + (side->end_status == UV_ECANCELED), 1);
}

struct moments {
    struct placed puts[4];
    struct asq_care care;
    int cared;
};

static void take_care(struct asq_care *care, int status)
{
    struct moments *m = care->data;

    CHECK(status == 0 || status == UV_ECANCELED);
    m->cared++;
}

static void start_all(struct side *side, struct moments *m, bool drain)
{
    *m = (struct moments){0};
    side->count = 0;
    side->ended[0] = side->ended[1] = 0;
    side->serve = serve_done;
    CHECK_INT(asq_queue_open(&side->queue, &side->f->loop, &side->conn, "mail",
                             take_opened),
              0);
    side->opened = side->closed = side->drained = 0;
    start_work(side, 2);
    for (int i = 0; i < 4; i++) {
        placed_init(side, &m->puts[i]);
        start_put(side, &m->puts[i]);
    }
    asq_care_init(&m->care);
    m->care.data = m;
    CHECK_INT(asq_queue_prune(&side->queue, &m->care, NEVER_MS, take_care), 0);
    if (drain)
        start_drain(side, NEVER_MS);
}

static void end_all(struct side *side, struct moments *m)
{
    CHECK_INT(side->opened, 1);
    CHECK_INT(m->cared, 1);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(m->puts[i].done, 1);
        CHECK_INT(m->puts[i].status, 0);
        asq_put_destroy(&m->puts[i].put);
    }
    asq_care_destroy(&m->care);
    /* What was delivered has ended, and what was not is ready. */
    CHECK_INT(side->ended[0], side->count);
    CHECK_INT(side->ended[1], 0);
    CHECK_INT(ask_file(side->f, "SELECT count(*) FROM asq_jobs "
                                "WHERE state IN (0, 3)"),
              4);
    CHECK_INT(
        ask_file(side->f, "SELECT count(*) FROM asq_jobs WHERE state = 3"),
        side->count);
    raw_run(side->f->path, "DELETE FROM asq_jobs");
}

/* Closes when so many answers have come on the loop. Returns whether all was
 * done by then. */
static bool close_after(struct side *side, unsigned turns, bool drain)
{
    static struct moments m;
    bool all;

    start_all(side, &m, drain);
    for (unsigned i = 0; i < turns && side->conn.pending > 0; i++)
        (void)uv_run(&side->f->loop, UV_RUN_ONCE);
    all = side->conn.pending == 0;
    close_queue(side);
    end_all(side, &m);
    return all;
}

static void it_closes_at_every_moment(void *data)
{
    struct side *side = open_conn(data, 0);
    unsigned turns = 0;

    while (!close_after(side, turns, false))
        turns++;
    CHECK(turns > 3);
}

static void it_closes_at_every_moment_of_draining(void *data)
{
    struct side *side = open_conn(data, 0);
    unsigned turns = 0;

    while (!close_after(side, turns, true))
        turns++;
    CHECK(turns > 0);
}

/* The same by the disk: what is written is gated. */
static void it_closes_while_any_write_is_under_way(void *data)
{
    static struct moments m;
    struct side *side = open_conn(data, 0);
    unsigned nth = 0;
    bool held;

    do {
        asq_slow_disk_gate(ASQ_DISK_WRITE, ++nth);
        start_all(side, &m, false);
        held = true;
        while (side->conn.pending > 0 && held) {
            (void)uv_run(&side->f->loop, UV_RUN_NOWAIT);
            held = asq_slow_disk_wait_for_gate(0) != 0;
        }
        held = !held;
        start_close(side);
        asq_slow_disk_open_gate();
        test_run_until(&side->f->loop, &side->closed);
        end_all(side, &m);
    } while (held);
    CHECK(nth > 5);
}

static void close_it(struct side *side)
{
    asq_queue_close(&side->queue, take_closed);
}

static void serve_by_closing(struct side *side, struct asq_queue_job *job)
{
    (void)job; /* it stays held */
    close_it(side);
}

static void it_closes_in_on_job(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    for (int i = 0; i < 3; i++)
        (void)put(side, "x");
    side->serve = serve_by_closing;
    start_work(side, 3);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(side->count, 1);
    check_state(f, 1, ASQ_QUEUE_RUNNING);
    check_state(f, 2, ASQ_QUEUE_READY); /* they were not delivered */
    check_state(f, 3, ASQ_QUEUE_READY);
}

static void serve_by_draining(struct side *side, struct asq_queue_job *job)
{
    CHECK_INT(asq_queue_drain(&side->queue, NEVER_MS, take_drained), 0);
    CHECK_INT(asq_job_done(job, take_job_end), 0);
}

static void it_drains_in_on_job(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    for (int i = 0; i < 3; i++)
        (void)put(side, "x");
    side->serve = serve_by_draining;
    start_work(side, 3);
    test_run_until(&f->loop, &side->drained);
    CHECK_INT(side->count, 1);
    check_state(f, 1, ASQ_QUEUE_DONE);
    check_state(f, 2, ASQ_QUEUE_READY);
}

static void close_at_end(struct asq_queue_job *job, int status)
{
    take_job_end(job, status);
    close_it(job->queue->data);
}

static void it_closes_in_on_ended(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    work(side, 1);
    CHECK_INT(asq_job_done(last_job(side), close_at_end), 0);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(side->ended[0], 1);
}

static void it_closes_in_on_lost(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    (void)put(side, "y");
    work(side, 2);
    side->on_lost = serve_by_closing;
    move_clocks(LEASE_MS);
    asq__queue_look(&side->queue);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(side->lost, 1);
}

static void close_when_drained(struct asq_queue *queue)
{
    take_drained(queue);
    close_it(queue->data);
}

static void it_closes_in_on_drained(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    work(side, 1);
    CHECK_INT(asq_queue_drain(&side->queue, 0, close_when_drained), 0);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(side->drained, 1);
}

static void close_on_error(struct asq_queue *queue, int status, const char *why)
{
    take_error(queue, status, why);
    close_it(queue->data);
}

static void it_closes_in_on_error(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    side->queue.on_error = close_on_error;
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    start_work(side, 1);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(side->errors, 1);
}

static void close_when_put(struct asq_put *put_of, int status)
{
    struct placed *p = put_of->data;

    p->done++;
    p->status = status;
    asq_put_destroy(put_of);
    close_it(&p->f->sides[0]);
}

static void it_closes_in_on_put(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct placed p;

    work(side, 1);
    placed_init(side, &p);
    CHECK_INT(asq_queue_put(&side->queue, &p.put, close_when_put), 0);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(p.done, 1);
    CHECK_INT(side->count, 0);
    check_state(f, 1, ASQ_QUEUE_READY);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(q08_an_idle_queue_is_drained_at_once),
    CASE(q08_one_that_only_puts_is_drained_at_once),
    CASE(q08_leases_are_extended_while_draining),
    CASE(q08_what_does_not_end_in_time_is_given_back),
    CASE(q08_a_token_that_was_given_back_is_of_no_use),
    CASE(q08_a_holder_may_end_it_when_it_is_told),
    CASE(q08_a_second_call_hurries),
    CASE(q08_a_claim_under_way_is_given_back),
    CASE(q08_a_claim_that_waits_is_given_up),
    CASE(q08_a_disk_that_fails_does_not_hold_it_up),
    CASE(a_job_that_is_held_is_left_to_its_lease),
    CASE(an_end_that_could_not_be_stored_is_told),
    CASE(it_can_be_opened_again),
    CASE(the_conn_may_close_under_it),
    CASE(it_closes_at_every_moment),
    CASE(it_closes_at_every_moment_of_draining),
    CASE(it_closes_while_any_write_is_under_way),
    CASE(it_closes_in_on_job),
    CASE(it_drains_in_on_job),
    CASE(it_closes_in_on_ended),
    CASE(it_closes_in_on_lost),
    CASE(it_closes_in_on_drained),
    CASE(it_closes_in_on_error),
    CASE(it_closes_in_on_put),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_drain",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
