/* test_queue_care - Q16: pruning in pieces; pausing, counting, who holds what
 */
#include "14-task-queue/queue_sql.h"
#include "queue_fixture.h"

struct cared {
    struct asq_care care;
    struct fixture *f;
    int done, status;
};

static void init_cared(struct side *side, struct cared *c)
{
    *c = (struct cared){.f = side->f};
    asq_care_init(&c->care);
    c->care.data = c;
}

static void take_cared(struct asq_care *care, int status)
{
    struct cared *c = care->data;

    CHECK(!c->f->calling);
    CHECK_INT(status != 0, care->ask.request.message[0] != '\0');
    c->done++;
    c->status = status;
}

static void expect(struct cared *c, int status)
{
    test_run_until(&c->f->loop, &c->done);
    CHECK_INT(c->done, 1);
    CHECK_INT(c->status, status);
    c->done = 0;
}

static void pause_now(struct side *side, bool paused)
{
    struct cared c;

    init_cared(side, &c);
    CHECK_INT(asq_queue_pause(&side->queue, &c.care, paused, take_cared), 0);
    expect(&c, 0);
    asq_care_destroy(&c.care);
}

/* Makes finished jobs, half of which ended a day ago. */
static void make_ended(const struct fixture *f, unsigned count)
{
    char sql[400];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                   "FROM n WHERE x < %u) INSERT INTO asq_jobs (queue, state, "
                   "priority, max_attempts, ended_ms) SELECT 'mail', 3 + x %% "
                   "2, 0, 5, %lld - (x %% 4 < 2) * 86400000 FROM n",
                   count, (long long)wall_ms);
    raw_run(f->path, sql);
}

static void start_prune(struct side *side, struct cared *c, uint64_t age_ms)
{
    init_cared(side, c);
    side->f->calling = true;
    CHECK_INT(asq_queue_prune(&side->queue, &c->care, age_ms, take_cared), 0);
    side->f->calling = false;
}

static void q16_prune_takes_what_finished_long_ago(void *data)
{
    struct side *side = open_side(data, 0);
    struct cared c;

    make_ended(data, 400);
    (void)put(side, "old, and not finished");
    (void)put_delayed(side, 5);
    wall_ms += 3600000;
    start_prune(side, &c, 7200000);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 200);
    CHECK_INT(ask_file(data, "SELECT count(*) FROM asq_jobs"), 202);
    start_prune(side, &c, 3600000);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 200);
    CHECK_INT(ask_file(data, "SELECT count(*) FROM asq_jobs"), 2);
    start_prune(side, &c, UINT64_MAX);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 0);
    asq_care_destroy(&c.care);
}

/* The time that counts is that of the end, not of the put. */
static void
q16_a_job_that_was_put_long_ago_and_has_just_finished_stays(void *data)
{
    struct side *side = open_side(data, 0);
    struct cared c;

    (void)put(side, "x");
    wall_ms += 86400000;
    work(side, 1);
    done(last_job(side));
    start_prune(side, &c, 1000);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 0);
    wall_ms += 1000;
    start_prune(side, &c, 1000);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 1);
    asq_care_destroy(&c.care);
}

static void q16_others_get_in_between_the_pieces(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;
    struct cared c;
    struct placed p;

    make_ended(f, 10000);
    hold_worker(side, &stand);
    start_prune(side, &c, 0);
    placed_init(side, &p);
    start_put(side, &p); /* waits behind the first piece */
    uv_sem_post(&f->gate);
    test_run_until(&f->loop, &p.done);
    CHECK_INT(c.done, 0);
    CHECK_RANGE(c.care.deleted, 0, 2 * ASQ__QUEUE_PIECE);
    expect(&c, 0);
    CHECK_INT(c.care.deleted, 10000);
    settle(f);
    CHECK_INT(stand.done, 1);
    asq_put_destroy(&p.put);
    asq_care_destroy(&c.care);
}

/* A job becomes unfinished between the look of a person and the DELETE. */
static void q04_prune_looks_again_at_what_it_changes(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;
    struct cared c;

    make_ended(f, 1);
    hold_worker(side, &stand);
    start_prune(side, &c, 0);
    raw_run(f->path, "UPDATE asq_jobs SET state = 0");
    let_go(&stand);
    CHECK_INT(c.care.deleted, 0);
    check_state(f, 1, ASQ_QUEUE_READY);
    asq_care_destroy(&c.care);
}

static void a_prune_can_be_cancelled_and_fail(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;
    struct cared c;

    make_ended(f, 2000);
    start_prune(side, &c, 0);
    hold_worker(side, &stand); /* behind the first piece */
    while (c.care.deleted == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_request_cancel(&c.care.ask.request);
    let_go(&stand);
    CHECK_INT(c.done, 1);
    CHECK_INT(c.status, UV_ECANCELED);
    CHECK_INT(c.care.deleted, ASQ__QUEUE_PIECE);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs") +
                  (int64_t)c.care.deleted,
              2000);
    start_prune(side, &c, 0);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    test_run_until(&f->loop, &c.done);
    CHECK_INT(c.status & 0xff, SQLITE_FULL);
    asq_care_destroy(&c.care);
}

static void a_close_ends_a_prune(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct cared c;

    make_ended(f, 2000);
    start_prune(side, &c, 0);
    close_queue(side);
    CHECK_INT(c.done, 1);
    CHECK_INT(c.status, UV_ECANCELED);
    CHECK_INT(c.care.deleted, ASQ__QUEUE_PIECE);
    asq_care_destroy(&c.care);
}

static void a_pause_holds_for_all_processes(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    (void)put(a, "x");
    work(a, 1);
    pause_now(a, true);
    pause_now(b, true); /* it is */
    (void)put(b, "y");
    work(b, 2);
    look(b);
    CHECK_INT(b->count, 0);
    CHECK_INT(b->queue.stats.claims <= 1, 1); /* the look knows it, too */
    done(last_job(a));                        /* what is held goes on */
    CHECK_INT(a->end_status, 0);
    CHECK_INT(a->count, 1);
    pause_now(a, false);
    settle(data);
    CHECK_INT(a->count, 2); /* at once, where it was resumed */
    (void)put(a, "z");
    look(b);
    CHECK_INT(b->count, 1);
}

static void a_pause_is_not_passed_by_the_oldest(void *data)
{
    struct side *side = open_side(data, 0);

    pause_now(side, true);
    (void)put(side, "x");
    work(side, 1);
    for (int i = 0; i < 20; i++) {
        side->queue.wanted = true;
        asq__queue_turn(&side->queue);
        settle(data);
    }
    CHECK_INT(side->count, 0);
    CHECK(side->queue.stats.claims > 16);
}

static void jobs_are_counted_by_state(void *data)
{
    struct side *side = open_side(data, 0);
    struct cared c;

    (void)put_attempts(side, 1);
    (void)put(side, "b");
    work(side, 2);
    retry(side->got[0].job, 0);
    done(side->got[1].job);
    for (int i = 0; i < 4; i++)
        (void)put(side, "c");
    (void)put_delayed(side, 1000);
    settle(data);
    init_cared(side, &c);
    CHECK_INT(asq_queue_count(&side->queue, &c.care, take_cared), 0);
    expect(&c, 0);
    CHECK_INT(c.care.ready, 2);
    CHECK_INT(c.care.delayed, 1);
    CHECK_INT(c.care.running, 2);
    CHECK_INT(c.care.done, 1);
    CHECK_INT(c.care.dead, 1);
    asq_care_destroy(&c.care);
}

static void one_select_shows_who_holds_what_since_when(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    char sql[200];

    (void)put(side, "x");
    work(side, 1);
    (void)snprintf(
        sql, sizeof sql,
        "SELECT queue = 'mail' AND id = 1 AND attempt = 1 AND worker "
        "= '%s' AND since = '2023-11-14 22:13:20' AND seconds > 0 "
        "FROM asq_running",
        side->queue.worker);
    CHECK_INT(ask_file(f, sql), 1);
    done(last_job(side));
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_running"), 0);
}

static void wrong_calls_are_refused(void *data)
{
    struct side *side = open_conn(data, 0);
    struct asq_queue *queue = &side->queue;
    struct cared c;

    init_cared(side, &c);
    CHECK_INT(asq_queue_prune(queue, &c.care, 0, take_cared), UV_EINVAL);
    open_queue(side);
    CHECK_INT(asq_queue_prune(queue, &c.care, 0, NULL), UV_EINVAL);
    CHECK_INT(asq_queue_count(queue, &c.care, take_cared), 0);
    CHECK_INT(asq_queue_count(queue, &c.care, take_cared), UV_EINVAL);
    CHECK_INT(asq_queue_pause(queue, &c.care, true, take_cared), UV_EINVAL);
    start_close(side);
    CHECK_INT(asq_queue_prune(queue, &c.care, 0, take_cared), UV_EINVAL);
    expect(&c, 0);
    CHECK_INT(asq_queue_prune(queue, &c.care, 0, take_cared),
              side->closed ? UV_EINVAL : UV_ESHUTDOWN);
    test_run_until(&side->f->loop, &side->closed);
    asq_care_destroy(&c.care);
    asq_care_destroy(NULL);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(q16_prune_takes_what_finished_long_ago),
    CASE(q16_a_job_that_was_put_long_ago_and_has_just_finished_stays),
    CASE(q16_others_get_in_between_the_pieces),
    CASE(q04_prune_looks_again_at_what_it_changes),
    CASE(a_prune_can_be_cancelled_and_fail),
    CASE(a_close_ends_a_prune),
    CASE(a_pause_holds_for_all_processes),
    CASE(a_pause_is_not_passed_by_the_oldest),
    CASE(jobs_are_counted_by_state),
    CASE(one_select_shows_who_holds_what_since_when),
    CASE(wrong_calls_are_refused),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_care",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
