/* test_queue_store - a queue on a store of lesson 13: its statements join
 * groups, and keep their outcomes */
#include "13-group-commit/store.h"
#include "queue_fixture.h"

enum {
    JOBS = 200
};

struct both {
    struct fixture f;
    struct asq_store store;
};

/* The side's own conn is not used. */
static struct side *open_store(struct both *both, size_t bound)
{
    struct side *side = &both->f.sides[0];

    asq_store_init(&both->store);
    both->store.conn.data = side;
    CHECK_INT(asq_conn_open(&both->store.conn, &both->f.loop, &both->f.profile,
                            take_conn_opened),
              0);
    test_run_until(&both->f.loop, &side->conn_opened);
    side->conn_opened = 0;
    init_queue(side);
    side->queue.bound = bound;
    CHECK_INT(asq_queue_open(&side->queue, &both->f.loop, &both->store.conn,
                             "mail", take_opened),
              0);
    test_run_until(&both->f.loop, &side->opened);
    if (side->open_status != 0)
        FAIL("%d: %s", side->open_status, side->queue.message);
    return side;
}

static void settle_store(struct both *both)
{
    while (both->store.conn.pending > 0)
        (void)uv_run(&both->f.loop, UV_RUN_ONCE);
}

static void close_store(struct both *both)
{
    struct side *side = &both->f.sides[0];

    close_queue(side);
    asq_conn_close(&both->store.conn, take_conn_closed);
    test_run_until(&both->f.loop, &side->conn_closed);
}

static void jobs_are_put_and_ended_in_groups(void *data)
{
    static struct placed puts[JOBS];
    struct both *both = data;
    struct side *side = open_store(both, 0);
    struct asq_store_stats before, after;

    side->serve = serve_done;
    before = asq_store_statistics(&both->store);
    for (int i = 0; i < JOBS; i++) {
        placed_init(side, &puts[i]);
        start_put(side, &puts[i]);
    }
    settle_store(both);
    start_work(side, LANES);
    settle_store(both);
    after = asq_store_statistics(&both->store);
    CHECK_INT(side->ended[0], JOBS);
    CHECK(after.groups - before.groups < JOBS);
    CHECK(after.largest > LANES / 2);
    CHECK_INT(after.rerun, 0);
    for (int i = 0; i < JOBS; i++) {
        CHECK_INT(puts[i].status, 0);
        CHECK_INT(puts[i].put.id, i + 1);
        asq_put_destroy(&puts[i].put);
    }
    CHECK_INT(side->errors, 0);
    close_store(both);
}

static void a_full_queue_and_a_key_are_no_failed_members(void *data)
{
    struct both *both = data;
    struct side *side = open_store(both, 3);
    struct placed puts[6];
    struct stand stand;

    stand = (struct stand){.f = &both->f};
    asq_request_init(&stand.request);
    stand.request.data = &stand;
    CHECK_INT(asq_conn_call(&both->store.conn, &stand.request, stand_at_gate,
                            take_stand),
              0);
    uv_sem_wait(&both->f.reached);
    for (int i = 0; i < 6; i++) {
        placed_init(side, &puts[i]);
        puts[i].put.key = i % 2 == 0 ? "k" : NULL;
        start_put(side, &puts[i]);
    }
    uv_sem_post(&both->f.gate);
    settle_store(both);
    for (int i = 0; i < 6; i++) {
        CHECK_INT(puts[i].status, i < 5 ? 0 : UV_ENOBUFS);
        CHECK_INT(puts[i].put.already, i == 2 || i == 4);
        asq_put_destroy(&puts[i].put);
    }
    CHECK_INT(ask_file(&both->f, "SELECT count(*) FROM asq_jobs"), 3);
    asq_request_destroy(&stand.request);
    close_store(both);
}

static void q06_the_extension_is_first_in_the_next_group(void *data)
{
    struct both *both = data;
    struct side *side = open_store(both, 0);
    struct placed puts[5];
    struct stand stand;

    start_work(side, 1);
    placed_init(side, &puts[0]);
    (void)put_as(side, &puts[0], 0);
    settle_store(both);
    CHECK_INT(side->count, 1);
    stand = (struct stand){.f = &both->f};
    asq_request_init(&stand.request);
    stand.request.data = &stand;
    CHECK_INT(asq_conn_call(&both->store.conn, &stand.request, stand_at_gate,
                            take_stand),
              0);
    uv_sem_wait(&both->f.reached);
    for (int i = 0; i < 5; i++) {
        placed_init(side, &puts[i]);
        start_put(side, &puts[i]);
    }
    move_clocks(LEASE_MS / 3);
    asq__queue_look(&side->queue);
    CHECK(side->queue.beat.request.pending);
    uv_sem_post(&both->f.gate);
    settle_store(both);
    for (int i = 0; i < 5; i++) {
        CHECK(puts[i].put.step.request.started_ns >
              side->queue.beat.request.started_ns);
        asq_put_destroy(&puts[i].put);
    }
    asq_request_destroy(&stand.request);
    close_store(both);
}

static const struct test_case cases[] = {
    {.name = "jobs_are_put_and_ended_in_groups",
     .run = jobs_are_put_and_ended_in_groups},
    {.name = "a_full_queue_and_a_key_are_no_failed_members",
     .run = a_full_queue_and_a_key_are_no_failed_members},
    {.name = "q06_the_extension_is_first_in_the_next_group",
     .run = q06_the_extension_is_first_in_the_next_group},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_store",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct both),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
