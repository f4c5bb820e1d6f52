/* test_queue - putting, claiming, ending: Q1 to Q4, Q10, Q11, Q13 to Q15, Q17,
 * Q18, Q20 */
#include "queue_fixture.h"

static void a_job_goes_from_put_to_done(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t id = put(side, "hello");

    check_state(data, id, ASQ_QUEUE_READY);
    work(side, 1);
    CHECK_INT(side->count, 1);
    CHECK_INT(side->got[0].id, id);
    CHECK_INT(side->got[0].attempt, 1);
    CHECK_TEXT(side->got[0].payload, "hello");
    check_state(data, id, ASQ_QUEUE_RUNNING);
    done(last_job(side));
    CHECK_INT(side->ended[0], 1);
    CHECK_INT(side->became, ASQ_QUEUE_DONE);
    check_state(data, id, ASQ_QUEUE_DONE);
    CHECK_INT(column_of(data, id, "ended_ms"), wall_ms);
}

static void a_put_is_noticed_without_a_timer(void *data)
{
    struct side *side = open_side(data, 0);

    side->serve = serve_done;
    work(side, 2);
    (void)put(side, "a");
    (void)put(side, "b");
    settle(data);
    CHECK_INT(side->ended[0], 2);
}

static void lanes_bound_what_is_held(void *data)
{
    struct side *side = open_side(data, 0);

    for (int i = 0; i < 5; i++)
        (void)put(side, "x");
    work(side, 2);
    CHECK_INT(side->count, 2);
    done(side->got[0].job);
    CHECK_INT(side->count, 3);
    done(side->got[1].job);
    done(side->got[2].job);
    CHECK_INT(side->count, 5);
    done(side->got[3].job);
    done(side->got[4].job);
    CHECK_INT(side->ended[0], 5);
}

static void fill(const struct fixture *f, unsigned count, const char *columns)
{
    char sql[400];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                   "FROM n WHERE x < %u) INSERT INTO asq_jobs (queue, "
                   "priority, max_attempts, state, due_ms, boot, lease_ms) "
                   "SELECT 'mail', 0, 5, %s FROM n",
                   count, columns);
    raw_run(f->path, sql);
}

static void a_full_claim_is_followed_by_the_next(void *data)
{
    struct side *side = open_side(data, 0);

    fill(data, 400, "0, NULL, NULL, NULL");
    side->serve = serve_done;
    work(side, LANES);
    CHECK_INT(side->ended[0], 400);
    CHECK(side->queue.stats.claims >= 400 / LANES);
    CHECK(side->queue.stats.looks < 10);
}

/* They are made ready in pieces. */
static void many_become_due_at_once(void *data)
{
    struct side *side = open_side(data, 0);

    fill(data, 1200, "1, 5, NULL, NULL");
    side->serve = serve_done;
    work(side, LANES);
    CHECK_INT(side->queue.stats.promoted, 1200);
    CHECK_INT(side->ended[0], 1200);
}

static void many_are_rescued_at_once(void *data)
{
    struct side *side = open_side(data, 0);

    fill(data, 1200,
         "2, NULL, CASE x % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'this' ELSE 'z' END, "
         "5");
    side->serve = serve_done;
    work(side, LANES);
    CHECK_INT(side->queue.stats.rescued, 1200);
    CHECK_INT(side->ended[0], 1200);
}

static void payloads_may_be_empty_and_large(void *data)
{
    static char large[ASQ_PAYLOAD_MAX + 1];
    struct side *side = open_side(data, 0);
    struct placed p;

    memset(large, 'x', sizeof large);
    placed_init(side, &p);
    p.put.payload = large;
    p.put.size = sizeof large;
    CHECK_INT(asq_queue_put(&side->queue, &p.put, take_put), UV_E2BIG);
    p.put.size--;
    (void)put_as(side, &p, 0);
    placed_init(side, &p);
    (void)put_as(side, &p, 0);
    work(side, 2);
    CHECK_INT(side->count, 2);
    CHECK_INT(side->got[0].job->size, ASQ_PAYLOAD_MAX);
    CHECK_INT(memcmp(side->got[0].job->payload, large, ASQ_PAYLOAD_MAX), 0);
    CHECK_INT(side->got[1].job->size, 0);
}

static void retry_makes_it_ready_again_or_delayed(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t id = put(side, "x");

    work(side, 2);
    retry(last_job(side), 0);
    CHECK_INT(side->became, ASQ_QUEUE_READY);
    CHECK_INT(side->count, 2);
    CHECK_INT(side->got[1].attempt, 2);
    retry(last_job(side), 5000);
    CHECK_INT(side->became, ASQ_QUEUE_DELAYED);
    check_state(data, id, ASQ_QUEUE_DELAYED);
    look(side);
    CHECK_INT(side->count, 2);
    move_clocks(5000);
    look(side);
    CHECK_INT(side->count, 3);
    CHECK_INT(side->got[2].attempt, 3);
}

static void the_last_attempt_leaves_it_dead(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t id = put_attempts(side, 2);

    work(side, 1);
    retry(last_job(side), 0);
    retry(last_job(side), 1000);
    CHECK_INT(side->became, ASQ_QUEUE_DEAD);
    check_state(data, id, ASQ_QUEUE_DEAD);
    CHECK_INT(column_of(data, id, "error = 'not now'"), 1);
    CHECK_INT(side->count, 2);
}

static void dead_is_dead_at_once(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t id = put(side, "x");

    work(side, 1);
    CHECK_INT(asq_job_dead(last_job(side), "broken", take_job_end), 0);
    settle(data);
    CHECK_INT(side->became, ASQ_QUEUE_DEAD);
    check_state(data, id, ASQ_QUEUE_DEAD);
    CHECK_INT(column_of(data, id, "error = 'broken'"), 1);
}

static void an_end_needs_no_callback(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t id = put(side, "x");

    work(side, 1);
    CHECK_INT(asq_job_done(last_job(side), NULL), 0);
    CHECK_INT(asq_job_done(last_job(side), NULL), UV_EINVAL); /* not held */
    settle(data);
    check_state(data, id, ASQ_QUEUE_DONE);
    CHECK_INT(asq_job_done(last_job(side), NULL), UV_EINVAL);
}

static void queues_of_other_names_are_apart(void *data)
{
    struct fixture *f = data;
    struct side *mail = open_side(f, 0), *other = open_conn(f, 1);

    CHECK_INT(asq_queue_open(&other->queue, &f->loop, &other->conn, "other",
                             take_opened),
              0);
    test_run_until(&f->loop, &other->opened);
    (void)put(mail, "m");
    (void)put(other, "o");
    (void)put_delayed(mail, 10);
    work(other, 4);
    move_clocks(20);
    look(other);
    CHECK_INT(other->count, 1);
    CHECK_TEXT(other->got[0].payload, "o");
    work(mail, 4);
    CHECK_INT(mail->count, 2);
}

static void q01_one_job_never_has_two_holders(void *data)
{
    static bool seen[1001];
    struct fixture *f = data;
    unsigned jobs = 1000;
    size_t count = 0;

    for (size_t i = 0; i < SIDES; i++)
        open_side(f, i)->serve = serve_done;
    for (unsigned i = 0; i < jobs; i++) {
        struct placed p;

        placed_init(&f->sides[i % SIDES], &p);
        (void)put_as(&f->sides[i % SIDES], &p, 0);
    }
    for (size_t i = 0; i < SIDES; i++)
        start_work(&f->sides[i], LANES);
    settle(f);
    for (size_t i = 0; i < SIDES; i++) {
        struct side *side = &f->sides[i];

        CHECK_INT(side->ended[0], side->count);
        for (size_t k = 0; k < side->count; k++) {
            CHECK_INT(side->got[k].attempt, 1);
            CHECK_RANGE(side->got[k].id, 1, 1000);
            CHECK(!seen[side->got[k].id]);
            seen[side->got[k].id] = true;
        }
        count += side->count;
    }
    CHECK_INT(count, jobs);
}

static void q02_a_late_holder_changes_nothing(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);
    int64_t id = put(a, "x");

    work(a, 1);
    move_clocks(LEASE_MS);
    work(b, 1);
    CHECK_INT(b->count, 1);
    CHECK_INT(b->got[0].attempt, 2);
    done(last_job(a));
    CHECK_INT(a->end_status, ASQ_LOST);
    CHECK_INT(a->queue.stats.too_late, 1);
    check_state(f, id, ASQ_QUEUE_RUNNING);
    CHECK_INT(column_of(f, id, "attempt"), 2);
    done(last_job(b));
    CHECK_INT(b->end_status, 0);
    check_state(f, id, ASQ_QUEUE_DONE);
}

static void take_late(struct side *a, struct side *b)
{
    (void)put(a, "x");
    work(a, 1);
    move_clocks(LEASE_MS);
    work(b, 1);
    CHECK_INT(b->count, 1);
}

static void q02_a_late_retry_is_lost(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    take_late(a, b);
    retry(last_job(a), 0);
    CHECK_INT(a->end_status, ASQ_LOST);
    check_state(data, 1, ASQ_QUEUE_RUNNING);
}

static void q02_a_late_dead_is_lost(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);

    take_late(a, b);
    CHECK_INT(asq_job_dead(last_job(a), "late", take_job_end), 0);
    settle(data);
    CHECK_INT(a->end_status, ASQ_LOST);
    check_state(data, 1, ASQ_QUEUE_RUNNING);
}

static void q02_a_late_heartbeat_extends_nothing(void *data)
{
    struct side *a = open_side(data, 0), *b = open_side(data, 1);
    int64_t lease_ms;

    take_late(a, b);
    lease_ms = column_of(data, 1, "lease_ms");
    move_clocks(10);
    look(a);
    CHECK(a->queue.stats.beats > 0);
    CHECK_INT(column_of(data, 1, "lease_ms"), lease_ms);
    CHECK_INT(a->lost, 1);
    CHECK(a->got[0].job->gone);
}

/* Nobody has claimed it yet, but everybody may. */
static void q02_a_job_that_was_rescued_is_nobodys(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put(a, "x");
    work(a, 1);
    raw_run(f->path, "INSERT INTO asq_paused VALUES ('mail')");
    move_clocks(LEASE_MS);
    work(b, 1);
    CHECK_INT(b->queue.stats.rescued, 1);
    done(last_job(a));
    CHECK_INT(a->end_status, ASQ_LOST);
    check_state(f, 1, ASQ_QUEUE_READY);
}

static void q03_an_id_is_never_used_again(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    int64_t first = put(side, "a"), second;

    work(side, 1);
    raw_run(f->path, "DELETE FROM asq_jobs");
    second = put(side, "b");
    CHECK(second > first);
    done(side->got[0].job);
    CHECK_INT(side->end_status, ASQ_LOST);
    CHECK_INT(side->count, 2); /* the second has its lane now */
    check_state(f, second, ASQ_QUEUE_RUNNING);
}

static void q04_rescue_looks_again_at_what_it_changes(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);
    struct stand stand;

    (void)put(a, "x");
    work(a, 1);
    work(b, 1); /* and knows when the lease of a is over */
    move_clocks(LEASE_MS);
    hold_worker(b, &stand);
    asq__queue_look(&b->queue); /* it is over: a rescue is submitted */
    CHECK(b->queue.rescue.request.pending);
    start_done(last_job(a));
    settle_side(a);
    let_go(&stand);
    CHECK_INT(b->queue.stats.rescued, 0);
    CHECK_INT(b->count, 0);
    check_state(f, 1, ASQ_QUEUE_DONE);
}

static void q04_promote_looks_again_at_what_it_changes(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);
    struct stand stand;

    (void)put_delayed(a, 1000);
    work(b, 1);
    move_clocks(1000);
    hold_worker(b, &stand);
    asq__queue_look(&b->queue);
    CHECK(b->queue.promote.request.pending);
    start_work(a, 1);
    settle_side(a);
    start_done(last_job(a));
    settle_side(a);
    let_go(&stand);
    CHECK_INT(b->queue.stats.promoted, 0);
    CHECK_INT(b->count, 0);
    check_state(f, 1, ASQ_QUEUE_DONE);
}

static void q10_a_delay_is_wall_time(void *data)
{
    struct side *side = open_side(data, 0);

    work(side, 1);
    (void)put_delayed(side, 60000);
    CHECK(uv_timer_get_due_in(&side->queue.timer) <= 60000);
    now_ms += 3600000;
    look(side);
    CHECK_INT(side->count, 0);
    wall_ms += 60000;
    look(side);
    CHECK_INT(side->count, 1);
}

static void keep_alive(uv_timer_t *timer)
{
    (void)timer; /* it only keeps the loop alive */
}

/* The timer is set for a moment that the clock then runs away from. */
static void q10_a_clock_set_back_makes_nobody_oversleep(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0);
    uv_timer_t alive;

    CHECK_INT(uv_timer_init(&f->loop, &alive), 0);
    CHECK_INT(uv_timer_start(&alive, keep_alive, 5, 5), 0);
    side->queue.poll_ms = 5;
    open_queue(side);
    start_work(side, 1);
    (void)put_delayed(side, 3600000);
    settle(f);
    wall_ms -= 3600000;
    side->queue.stats.looks = 0;
    while (side->queue.stats.looks < 4) /* it goes on looking */
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(side->count, 0);
    wall_ms += 7200000;
    while (side->count == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&alive, NULL);
    settle(f);
}

static void q11_a_put_during_a_claim_is_not_overlooked(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;
    struct placed p;

    work(side, 1);
    hold_worker(side, &stand);
    side->queue.wanted = true; /* somebody has put something, and it is gone */
    asq__queue_turn(&side->queue);
    CHECK(side->queue.claim.request.pending);
    placed_init(side, &p);
    start_put(side, &p); /* runs after the claim, which finds nothing */
    let_go(&stand);
    CHECK_INT(p.status, 0);
    CHECK_INT(side->count, 1);
    asq_put_destroy(&p.put);
}

/* The claim has not yet told its COMMIT, while another process puts. */
static void q11_a_put_at_the_commit_of_a_claim_is_seen(void *data)
{
    struct fixture *f = data;
    struct side *a = open_side(f, 0), *b = open_side(f, 1);

    (void)put(a, "first");
    f->calling = true;
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    CHECK_INT(asq_queue_work(&a->queue, a->jobs, 2, take_job), 0);
    f->calling = false;
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    {
        struct placed p;

        placed_init(b, &p);
        start_put(b, &p); /* waits for the lock */
        asq_slow_disk_open_gate();
        test_run_until(&f->loop, &p.done);
        asq_put_destroy(&p.put);
    }
    settle(f);
    look(a);
    CHECK_INT(a->count, 2);
}

static void q13_low_priority_is_not_starved(void *data)
{
    struct side *side = open_side(data, 0);
    int64_t low;
    size_t claims = 0;

    low = put_priority(side, -5);
    (void)put_priority(side, 7);
    work(side, 1);
    while (side->got[side->count - 1].id != low) {
        CHECK(claims++ < 16);
        (void)put_priority(side, 7);
        done(last_job(side));
    }
    CHECK_RANGE(claims, 8, 16);
}

static void q14_a_key_is_unique_among_unfinished_jobs(void *data)
{
    struct side *side = open_side(data, 0);
    bool already;
    int64_t first = put_key(side, "k", &already);

    CHECK(!already);
    CHECK_INT(put_key(side, "k", &already), first);
    CHECK(already);
    work(side, 1);
    CHECK_INT(side->count, 1);
    CHECK_INT(put_key(side, "k", &already), first); /* running */
    CHECK(already);
    retry(last_job(side), 1000);
    CHECK_INT(put_key(side, "k", &already), first); /* delayed */
    CHECK(already);
    move_clocks(1000);
    look(side);
    retry(last_job(side), 0);
    CHECK_INT(side->count, 3);
    done(last_job(side));
    CHECK(put_key(side, "k", &already) > first);
    CHECK(!already);
    CHECK_INT(ask_file(data, "SELECT count(*) FROM asq_jobs"), 2);
}

static int fail_on_purpose(struct asq_put *put, int status)
{
    struct placed *p = put->data;

    CHECK_INT(status, 0);
    p->done++;
    return UV_EPERM;
}

static int go_on(struct asq_put *put, int status)
{
    struct placed *p = put->data;

    p->done++;
    p->status = status;
    return 0;
}

struct owner {
    struct asq_tx tx;
    int ended, status;
};

static void take_tx(struct asq_tx *tx, int status)
{
    struct owner *owner = tx->data;

    owner->ended = 1;
    owner->status = status;
}

static void begin(struct side *side, struct owner *owner)
{
    *owner = (struct owner){0};
    asq_tx_init(&owner->tx, &side->conn);
    owner->tx.data = owner;
    owner->tx.on_end = take_tx;
}

static void put_in(struct side *side,
                   struct owner *owner,
                   struct placed *p,
                   asq_put_step_cb on_step)
{
    side->f->calling = true;
    CHECK_INT(asq_queue_put_step(&side->queue, &owner->tx, &p->put, on_step),
              0);
    side->f->calling = false;
}

static void q15_a_put_that_is_rolled_back_leaves_nothing(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct owner owner;
    struct placed p;
    bool already;

    work(side, 1);
    begin(side, &owner);
    placed_init(side, &p);
    p.put.key = "k";
    put_in(side, &owner, &p, fail_on_purpose);
    test_run_until(&f->loop, &owner.ended);
    settle(f);
    CHECK_INT(owner.status, UV_EPERM);
    CHECK_INT(side->count, 0);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs"), 0);
    (void)put_key(side, "k", &already);
    CHECK(!already);
    settle(f);
    CHECK_INT(side->count, 1);
    asq_put_destroy(&p.put);
    asq_tx_destroy(&owner.tx);
}

/* The step is answered long before the COMMIT. */
static void q15_a_put_in_a_transaction_wakes_after_the_commit(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct owner owner;
    struct placed p, second;

    work(side, 2);
    begin(side, &owner);
    placed_init(side, &p);
    placed_init(side, &second);
    put_in(side, &owner, &p, go_on);
    put_in(side, &owner, &second, NULL);
    test_run_until(&f->loop, &p.done);
    CHECK_INT(p.status, 0);
    CHECK(p.put.step.request.durable);
    CHECK_INT(side->count, 0);
    test_run_until(&f->loop, &owner.ended);
    CHECK_INT(owner.status, 0);
    settle(f);
    CHECK_INT(side->count, 2);
    (void)put_as(side, &second, 0); /* the same one, without */
    asq_put_destroy(&p.put);
    asq_tx_destroy(&owner.tx);
}

static void q17_a_claim_of_many_comes_in_order_of_priority(void *data)
{
    static const int priorities[] = {1, 5, 0, 5, -3, 2};
    static const int64_t order[] = {2, 4, 6, 1, 3, 5};
    struct side *side = open_side(data, 0);

    for (size_t i = 0; i < 6; i++)
        (void)put_priority(side, priorities[i]);
    work(side, 6);
    CHECK_INT(side->count, 6);
    CHECK_INT(side->queue.stats.claims <= 2, 1); /* one of all, one of none */
    for (size_t i = 0; i < 6; i++)
        CHECK_INT(side->got[i].id, order[i]);
}

static void q18_a_full_queue_refuses(void *data)
{
    struct side *side = open_conn(data, 0);
    struct placed p;

    side->queue.bound = 3;
    open_queue(side);
    (void)put(side, "1");
    (void)put_delayed(side, 1000);
    (void)put_key(side, "k", NULL);
    placed_init(side, &p);
    (void)put_as(side, &p, UV_ENOBUFS);
    CHECK_TEXT(p.put.step.request.message, "the queue is full");
    CHECK_INT(put_key(side, "k", NULL), 3); /* that is no more */
    work(side, 1);                          /* a running one counts too */
    placed_init(side, &p);
    (void)put_as(side, &p, UV_ENOBUFS);
    done(last_job(side));
    CHECK(put(side, "4") > 3);
}

/* There were jobs before anybody set a bound. */
static void q18_jobs_from_before_the_bound_count(void *data)
{
    struct side *a = open_side(data, 0), *b = open_conn(data, 1);
    struct placed p;

    for (int i = 0; i < 3; i++)
        (void)put(a, "x");
    b->queue.bound = 4;
    open_queue(b);
    (void)put(b, "y");
    placed_init(b, &p);
    (void)put_as(b, &p, UV_ENOBUFS);
    raw_run(a->f->path, "DELETE FROM asq_jobs WHERE id = 1");
    (void)put(a, "z"); /* this queue has no bound, but counts */
    placed_init(b, &p);
    (void)put_as(b, &p, UV_ENOBUFS);
    work(a, 1);
    CHECK_INT(asq_job_dead(last_job(a), "no", take_job_end), 0);
    settle(a->f);
    (void)put(b, "y");
}

static void q18_a_transaction_goes_on_after_a_full_queue(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0);
    struct owner owner;
    struct asq_tx_step step;
    struct placed p;

    side->queue.bound = 1;
    open_queue(side);
    (void)put(side, "1");
    begin(side, &owner);
    placed_init(side, &p);
    asq_tx_step_init(&step);
    put_in(side, &owner, &p, go_on);
    CHECK_INT(asq_tx_run(&owner.tx, &step, "CREATE TABLE t (a)", NULL, NULL),
              0);
    test_run_until(&f->loop, &owner.ended);
    CHECK_INT(p.status, UV_ENOBUFS);
    CHECK_INT(owner.status, 0);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs"), 1);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM t"), 0);
    put_in(side, &owner, &p, NULL); /* nobody says to go on */
    owner.ended = 0;
    test_run_until(&f->loop, &owner.ended);
    CHECK_INT(owner.status, UV_ENOBUFS);
    asq_tx_step_destroy(&step);
    asq_put_destroy(&p.put);
    asq_tx_destroy(&owner.tx);
}

static void q20_an_idle_queue_writes_nothing(void *data)
{
    struct side *side = open_side(data, 0);
    uint64_t writes, syncs;

    side->serve = serve_done;
    work(side, 2);
    (void)put(side, "x");
    (void)put_delayed(side, 1000000);
    settle(data);
    writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    for (int i = 0; i < 100; i++) {
        move_clocks(1000);
        look(side);
        side->queue.wanted = true; /* and a claim that finds nothing */
        asq__queue_turn(&side->queue);
        settle(data);
    }
    CHECK(side->queue.stats.claims > 100);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_WRITE), writes);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_SYNC), syncs);
}

/* Whoever puts need not be this queue, nor another connection. */
static void a_job_that_somebody_else_has_put_is_found(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);
    struct stand stand;

    work(side, 1);
    raw_run(f->path, "INSERT INTO asq_jobs (queue, state, priority, "
                     "max_attempts) VALUES ('mail', 0, 0, 5)");
    look(side);
    CHECK_INT(side->count, 1);
    done(last_job(side));
    stand = (struct stand){.f = f};
    asq_request_init(&stand.request);
    stand.request.data = &stand;
    CHECK_INT(asq_conn_run(&side->conn, &stand.request,
                           "INSERT INTO asq_jobs (queue, state, priority, "
                           "max_attempts) VALUES ('mail', 0, 0, 5)",
                           NULL, take_stand),
              0);
    settle(f);
    look(side);
    CHECK_INT(side->count, 2);
    asq_request_destroy(&stand.request);
}

static void wrong_calls_are_refused(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0), *other;
    struct asq_queue *queue = &side->queue;
    struct asq_queue_job job = {0};
    struct owner owner;
    struct placed p;

    placed_init(side, &p);
    CHECK_INT(asq_queue_put(queue, &p.put, take_put), UV_EINVAL);
    CHECK_INT(asq_queue_work(queue, side->jobs, 1, take_job), UV_EINVAL);
    CHECK_INT(asq_queue_drain(queue, 0, take_drained), UV_EINVAL);
    CHECK_INT(asq_job_done(&job, NULL), UV_EINVAL);
    asq_queue_close(queue, take_closed); /* nothing */
    queue->poll_ms = 0;
    CHECK_INT(asq_queue_open(queue, &f->loop, &side->conn, "q", take_opened),
              UV_EINVAL);
    queue->poll_ms = 1000;
    CHECK_INT(asq_queue_open(queue, &f->loop, &side->conn, NULL, take_opened),
              UV_EINVAL);
    CHECK_INT(asq_queue_open(queue, &f->loop, &side->conn, "q", NULL),
              UV_EINVAL);
    open_queue(side);
    CHECK_INT(asq_queue_open(queue, &f->loop, &side->conn, "q", take_opened),
              UV_EINVAL);
    CHECK_INT(asq_queue_work(queue, side->jobs, 0, take_job), UV_EINVAL);
    CHECK_INT(asq_queue_work(queue, NULL, 1, take_job), UV_EINVAL);
    CHECK_INT(asq_queue_work(queue, side->jobs, 1, NULL), UV_EINVAL);
    work(side, 1);
    CHECK_INT(asq_queue_work(queue, side->jobs, 1, take_job), UV_EALREADY);
    CHECK_INT(asq_queue_put(queue, &p.put, NULL), UV_EINVAL);
    p.put.size = 1;
    CHECK_INT(asq_queue_put(queue, &p.put, take_put), UV_EINVAL);
    p.put.size = 0;
    start_put(side, &p);
    CHECK_INT(asq_queue_put(queue, &p.put, take_put), UV_EINVAL);
    settle(f);
    other = open_conn(f, 1);
    begin(other, &owner);
    CHECK_INT(asq_queue_put_step(queue, &owner.tx, &p.put, NULL), UV_EINVAL);
    asq_tx_destroy(&owner.tx);
    start_close(side);
    CHECK_INT(asq_queue_put(queue, &p.put, take_put), UV_ESHUTDOWN);
    CHECK_INT(asq_job_done(last_job(side), NULL), UV_ESHUTDOWN);
    CHECK_INT(asq_queue_drain(queue, 0, take_drained), UV_ESHUTDOWN);
    test_run_until(&f->loop, &side->closed);
    CHECK_INT(asq_job_done(last_job(side), NULL), UV_EINVAL);
    asq_put_destroy(&p.put);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(a_job_goes_from_put_to_done),
    CASE(a_put_is_noticed_without_a_timer),
    CASE(lanes_bound_what_is_held),
    CASE(a_full_claim_is_followed_by_the_next),
    CASE(many_become_due_at_once),
    CASE(many_are_rescued_at_once),
    CASE(payloads_may_be_empty_and_large),
    CASE(retry_makes_it_ready_again_or_delayed),
    CASE(the_last_attempt_leaves_it_dead),
    CASE(dead_is_dead_at_once),
    CASE(an_end_needs_no_callback),
    CASE(queues_of_other_names_are_apart),
    CASE(q01_one_job_never_has_two_holders),
    CASE(q02_a_late_holder_changes_nothing),
    CASE(q02_a_late_retry_is_lost),
    CASE(q02_a_late_dead_is_lost),
    CASE(q02_a_late_heartbeat_extends_nothing),
    CASE(q02_a_job_that_was_rescued_is_nobodys),
    CASE(q03_an_id_is_never_used_again),
    CASE(q04_rescue_looks_again_at_what_it_changes),
    CASE(q04_promote_looks_again_at_what_it_changes),
    CASE(q10_a_delay_is_wall_time),
    CASE(q10_a_clock_set_back_makes_nobody_oversleep),
    CASE(q11_a_put_during_a_claim_is_not_overlooked),
    CASE(q11_a_put_at_the_commit_of_a_claim_is_seen),
    CASE(q13_low_priority_is_not_starved),
    CASE(q14_a_key_is_unique_among_unfinished_jobs),
    CASE(q15_a_put_that_is_rolled_back_leaves_nothing),
    CASE(q15_a_put_in_a_transaction_wakes_after_the_commit),
    CASE(q17_a_claim_of_many_comes_in_order_of_priority),
    CASE(q18_a_full_queue_refuses),
    CASE(q18_jobs_from_before_the_bound_count),
    CASE(q18_a_transaction_goes_on_after_a_full_queue),
    CASE(q20_an_idle_queue_writes_nothing),
    CASE(a_job_that_somebody_else_has_put_is_found),
    CASE(wrong_calls_are_refused),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
