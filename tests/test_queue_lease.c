/* test_queue_lease - who has a job, and for how long: Q6, Q7, Q9 */
#include "14-task-queue/queue_clock.h"
#include "queue_fixture.h"

enum {
    THIRD_MS = LEASE_MS / 3
};

/* Statements of others, which wait on the worker. */
struct others {
    struct asq_request requests[5];
    int done;
};

static void take_other(struct asq_request *request, int status)
{
    struct others *others = request->data;

    CHECK_INT(status, 0);
    others->done++;
}

static void submit_others(struct side *side, struct others *others)
{
    *others = (struct others){0};
    for (int i = 0; i < 5; i++) {
        asq_request_init(&others->requests[i]);
        others->requests[i].data = others;
        CHECK_INT(asq_conn_run(&side->conn, &others->requests[i],
                               "INSERT INTO asq_paused VALUES (random())", NULL,
                               take_other),
                  0);
    }
}

static void destroy_others(struct others *others)
{
    CHECK_INT(others->done, 5);
    for (int i = 0; i < 5; i++)
        asq_request_destroy(&others->requests[i]);
}

static void q06_leases_are_extended_at_a_third_all_at_once(void *data)
{
    struct side *side = open_side(data, 0);

    for (int i = 0; i < 3; i++)
        (void)put(side, "x");
    work(side, 3);
    move_clocks(THIRD_MS - 1);
    look(side);
    CHECK_INT(side->queue.stats.beats, 0);
    move_clocks(1);
    look(side);
    CHECK_INT(side->queue.stats.beats, 1);
    CHECK_INT(ask_file(data, "SELECT count(*) FROM asq_jobs WHERE lease_ms = "
                             "(SELECT max(lease_ms) FROM asq_jobs)"),
              3);
    CHECK_INT(column_of(data, 1, "lease_ms"), now_ms + LEASE_MS);
    CHECK_INT(side->got[2].job->lease_ms, now_ms + LEASE_MS);
}

static void q06_the_extension_is_first_among_what_waits(void *data)
{
    struct side *side = open_side(data, 0);
    struct others others;
    struct stand stand;

    (void)put(side, "x");
    work(side, 1);
    move_clocks(THIRD_MS);
    hold_worker(side, &stand);
    submit_others(side, &others);
    asq__queue_look(&side->queue);
    CHECK(side->queue.beat.request.pending);
    let_go(&stand);
    for (int i = 0; i < 5; i++)
        CHECK(others.requests[i].started_ns >
              side->queue.beat.request.started_ns);
    destroy_others(&others);
}

static void q06_a_job_that_is_held_for_long_is_kept(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    (void)put(a, "x");
    work(a, 1);
    work(b, 1);
    for (int i = 0; i < 20; i++) {
        move_clocks(THIRD_MS);
        look(a);
        look(b);
    }
    CHECK_INT(b->count, 0);
    CHECK_INT(a->lost, 0);
    CHECK_INT(a->queue.stats.beats, 20);
    done(last_job(a));
    CHECK_INT(a->end_status, 0);
}

static void q06_a_refused_extension_comes_with_the_next_answer(void *data)
{
    struct side *side = open_side(data, 0);
    struct others others;
    struct stand stand;

    (void)put(side, "x");
    work(side, 1);
    hold_worker(side, &stand);
    submit_others(side, &others);
    side->conn.capacity = side->conn.pending;
    move_clocks(THIRD_MS);
    asq__queue_look(&side->queue);
    CHECK(side->queue.beat_refused);
    CHECK(uv_timer_get_due_in(&side->queue.timer) > LEASE_MS / 4);
    let_go(&stand);
    side->conn.capacity = 1024;
    (void)put(side, "y"); /* its answer */
    settle(data);
    CHECK_INT(side->queue.stats.beats, 1);
    destroy_others(&others);
}

/* Moves time on in small steps until the holder is told. Returns after how
 * long. */
static unsigned wait_until_lost(struct side *side, unsigned most_ms)
{
    unsigned ms = 0;

    while (side->lost == 0 && ms < most_ms) {
        move_clocks(LEASE_MS / 30);
        ms += LEASE_MS / 30;
        look(side);
    }
    return ms;
}

/* The first failed sync closes the database: nothing can be extended. */
static void q07_a_holder_is_told_before_its_lease_is_over(void *data)
{
    struct fixture *f = data;
    struct side *side;
    unsigned ms;

    f->profile.synchronous = 2;
    side = open_side(f, 0);
    (void)put(side, "x");
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 1);
    ms = wait_until_lost(side, 2 * LEASE_MS);
    CHECK_RANGE(ms, 2 * THIRD_MS, LEASE_MS - 1);
    CHECK_INT(side->lost, 1);
    CHECK_INT(side->lost_id, 1);
    CHECK(side->errors > 0);
    CHECK(side->got[0].job->lost);
}

static void q07_a_disk_that_recovers_in_time_costs_nothing(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    move_clocks(THIRD_MS);
    look(side);
    move_clocks(THIRD_MS / 2);
    look(side);
    CHECK_INT(side->queue.stats.beats, 2); /* it has tried again */
    CHECK_INT(side->errors, 2);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    move_clocks(THIRD_MS / 2);
    look(side);
    CHECK_INT(column_of(data, 1, "lease_ms"), now_ms + LEASE_MS);
    (void)wait_until_lost(side, LEASE_MS);
    CHECK_INT(side->lost, 0);
}

static void q07_a_holder_is_told_at_once_when_another_has_the_job(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    (void)put(a, "x");
    work(a, 1);
    move_clocks(LEASE_MS);
    work(b, 1);
    CHECK_INT(b->count, 1);
    now_ms -= LEASE_MS / 2; /* a has slept, and knows nothing */
    a->got[0].job->lease_ms = now_ms + LEASE_MS / 2;
    look(a);
    CHECK_INT(a->lost, 1);
    CHECK_INT(b->lost, 0);
    look(a);
    CHECK_INT(a->lost, 1); /* once */
}

static void a_warning_is_no_end(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 1);
    move_clocks(2 * LEASE_MS); /* nobody has looked, nobody has claimed */
    look(side);
    CHECK_INT(side->lost, 1);
    done(last_job(side));
    CHECK_INT(side->end_status, 0);
    check_state(data, 1, ASQ_QUEUE_DONE);
}

static void a_process_can_rescue_from_itself(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 2);
    raw_run(((struct fixture *)data)->path, "UPDATE asq_jobs SET lease_ms = 1, "
                                            "worker = 'gone' WHERE id = 1");
    look(side);
    look(side);
    CHECK_INT(side->count, 2);
    CHECK_INT(side->got[1].attempt, 2);
    CHECK(side->got[0].job != side->got[1].job);
    done(side->got[0].job);
    CHECK_INT(side->end_status, ASQ_LOST);
    done(side->got[1].job);
    CHECK_INT(side->end_status, 0);
}

static void q09_a_jump_of_the_wall_clock_leaves_leases_alone(void *data)
{
    static const int64_t jumps_ms[] = {3600000, -7200000, 3600000};
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    (void)put(a, "x");
    work(a, 1);
    work(b, 1);
    for (size_t i = 0; i < 3; i++) {
        int64_t lease_ms = column_of(data, 1, "lease_ms");

        wall_ms += jumps_ms[i];
        look(b);
        look(a);
        CHECK_INT(b->count, 0);
        CHECK_INT(a->lost, 0);
        CHECK_INT(column_of(data, 1, "lease_ms"), lease_ms);
    }
    now_ms += LEASE_MS - 1; /* and it ends when it would have */
    look(b);
    CHECK_INT(b->count, 0);
    now_ms++;
    look(b);
    CHECK_INT(b->count, 1);
}

static void q09_a_restart_of_the_machine_ends_all_leases(void *data)
{
    struct side *a = open_side(data, 0), *b = open_conn(data, 1);

    (void)put(a, "x");
    work(a, 1);
    b->queue.boot = "the next";
    open_queue(b);
    work(b, 1);
    CHECK_INT(b->count, 1);
    CHECK_INT(b->got[0].attempt, 2);
    CHECK_INT(column_of(data, 1, "boot = 'the next'"), 1);
}

static void q09_the_real_clocks_are_used_by_default(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0);
    uint64_t before_ms = asq__queue_now_ms();
    int64_t wall_before_ms = asq__queue_wall_ms();

    side->queue.now_ms = NULL;
    side->queue.wall_ms = NULL;
    side->queue.boot = NULL;
    open_queue(side);
    (void)put(side, "x");
    work(side, 1);
    CHECK(column_of(f, 1, "lease_ms") >= (int64_t)before_ms + LEASE_MS);
    CHECK(column_of(f, 1, "started_ms") >= wall_before_ms);
#if defined(__linux__)
    CHECK_INT(column_of(f, 1, "length(boot)"), 36);
#endif
    CHECK_TEXT(asq__queue_boot(), asq__queue_boot());
}

static void workers_have_names_of_their_own(void *data)
{
    struct side *side = open_side(data, 0), *other = open_side(data, 1);
    char before[ASQ_WORKER_SIZE];

    CHECK(strcmp(side->queue.worker, other->queue.worker) != 0);
    memcpy(before, side->queue.worker, sizeof before);
    close_queue(side);
    open_queue(side);
    CHECK(strcmp(side->queue.worker, before) != 0);
}

/* A hold was in the way of the claim for nearly the whole lease. */
static void a_claim_that_comes_too_late_is_given_back(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;

    (void)put(side, "x");
    hold_worker(side, &stand);
    start_work(side, 1);
    move_clocks(LEASE_MS);
    let_go(&stand);
    CHECK_INT(side->count, 0);
    CHECK_INT(side->queue.stats.given_back, 1);
    CHECK_INT(column_of(f, 1, "max_attempts - attempt"), 5);
    look(side);
    CHECK_INT(side->count, 1);
    done(last_job(side));
    CHECK_INT(side->end_status, 0);
}

static void an_end_that_fails_is_stored_later(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    done(last_job(side));
    CHECK_INT(side->ended[0], 0);
    CHECK_INT(side->error & 0xff, SQLITE_FULL);
    check_state(data, 1, ASQ_QUEUE_RUNNING);
    move_clocks(2 * THIRD_MS);
    look(side);
    CHECK_INT(side->ended[0], 1);
    CHECK_INT(side->lost, 0);
    check_state(data, 1, ASQ_QUEUE_DONE);
}

/* Its holder has finished: there is nobody to warn. */
static void a_job_that_is_ending_is_not_told_as_lost(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    (void)put(a, "x");
    work(a, 1);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    done(last_job(a));
    CHECK_INT(a->ended[0], 0);
    move_clocks(LEASE_MS);
    work(b, 1);
    CHECK_INT(b->count, 1);
    asq__queue_turn(&a->queue); /* a heartbeat, and not yet the end */
    settle(data);
    CHECK_INT(a->queue.stats.beats, 1);
    look(a);
    CHECK_INT(a->lost, 0);
    CHECK_INT(a->end_status, ASQ_LOST);
}

static void an_end_that_is_refused_is_submitted_later(void *data)
{
    struct side *side = open_side(data, 0);

    (void)put(side, "x");
    work(side, 1);
    side->conn.capacity = 0;
    start_done(last_job(side));
    CHECK(!last_job(side)->ask.request.pending);
    look(side);
    CHECK_INT(side->error, UV_ENOBUFS); /* of the first time */
    side->conn.capacity = 1024;
    look(side);
    CHECK_INT(side->ended[0], 1);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(q06_leases_are_extended_at_a_third_all_at_once),
    CASE(q06_the_extension_is_first_among_what_waits),
    CASE(q06_a_job_that_is_held_for_long_is_kept),
    CASE(q06_a_refused_extension_comes_with_the_next_answer),
    CASE(q07_a_holder_is_told_before_its_lease_is_over),
    CASE(q07_a_disk_that_recovers_in_time_costs_nothing),
    CASE(q07_a_holder_is_told_at_once_when_another_has_the_job),
    CASE(a_warning_is_no_end),
    CASE(a_process_can_rescue_from_itself),
    CASE(q09_a_jump_of_the_wall_clock_leaves_leases_alone),
    CASE(q09_a_restart_of_the_machine_ends_all_leases),
    CASE(q09_the_real_clocks_are_used_by_default),
    CASE(workers_have_names_of_their_own),
    CASE(a_claim_that_comes_too_late_is_given_back),
    CASE(an_end_that_fails_is_stored_later),
    CASE(a_job_that_is_ending_is_not_told_as_lost),
    CASE(an_end_that_is_refused_is_submitted_later),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_lease",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
