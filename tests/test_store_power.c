/* test_store_power - a power cut at every sync of a run of groups (C16)
 *
 * Clients write one row after another, with checkpoints between. At the nth
 * sync the power is cut; then what the file holds is compared with what was
 * acknowledged. With FULL nothing acknowledged is lost. With NORMAL the last
 * rows may be, but there is no hole: if a row is there, those before it are. A
 * durable row is there even then, and so are those before it.
 *
 * STORE_POWER=1 in the environment cuts at every sync of the long run, too.
 */
#include "store_world.h"

#include <stdlib.h>

enum {
    CLIENTS = 5,
    LONG = 300, /* groups */
    SHORT = 40
};

static struct {
    struct ask asks[CLIENTS];
    int rows, submitted;
    bool done[CLIENTS * LONG];    /* acknowledged */
    bool durable[CLIENTS * LONG]; /* the same, and it was to be durable */
    bool refused[CLIENTS * LONG]; /* surely not there */
    bool some_durable;
} run;

static void submit_next(struct ask *ask);

static void take_answer(struct ask *ask)
{
    if (ask->status == 0) {
        run.done[ask->id] = true;
        run.durable[ask->id] = ask->request.durable;
    } else {
        run.refused[ask->id] = !ask->request.outcome_unknown;
    }
    submit_next(ask);
}

static void submit_next(struct ask *ask)
{
    if (run.submitted == run.rows)
        return;
    ask->id = run.submitted;
    ask->request.durable = run.some_durable && ask->id % 7 == 3;
    ask->values[0] = asq_int64(ask->id);
    if (try_sql(ask, "INSERT INTO t VALUES (?1, 0, zeroblob(700))") == 0)
        run.submitted++;
}

/* Runs until the nth sync waits at the gate, or to the end. Returns whether it
 * does. */
static bool run_until_sync(struct fixture *f, uint64_t nth, int groups)
{
    memset(&run.done, 0, sizeof run.done);
    memset(&run.durable, 0, sizeof run.durable);
    memset(&run.refused, 0, sizeof run.refused);
    run.rows = CLIENTS * groups;
    run.submitted = 0;
    ask_init_all(f, run.asks, CLIENTS);
    if (nth > 0)
        asq_slow_disk_gate(ASQ_DISK_SYNC, nth);
    for (int i = 0; i < CLIENTS; i++) {
        run.asks[i].then = take_answer;
        submit_next(&run.asks[i]);
    }
    while (f->store.conn.pending > 0) {
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
        if (nth > 0 && asq_slow_disk_wait_for_gate(0) == 0)
            return true;
    }
    return false;
}

static void open_new(struct fixture *f)
{
    if (f->opened)
        close_store(f);
    remove_files(f->profile.path);
    asq_slow_disk_reset();
    raw_run(f->profile.path, "PRAGMA journal_mode = WAL;" TABLES);
    asq_slow_disk_remember();
    init_store(f);
    f->store.wal_pages = 20;
    open_store(f);
}

/* What is there is a beginning of what was written. */
static void check_file(struct fixture *f)
{
    sqlite3 *db = raw_open(f->profile.path);
    int64_t rows = raw_ask(db, "SELECT count(*) FROM t");

    CHECK_INT(raw_ask(db, "SELECT coalesce(max(id) + 1, 0) FROM t"), rows);
    CHECK(rows <= run.submitted);
    for (int i = 0; i < run.submitted; i++) {
        bool must =
            run.durable[i] || (f->profile.synchronous == 2 && run.done[i]);

        if (i < rows)
            CHECK(!run.refused[i]);
        else if (must)
            FAIL("row %d was acknowledged and is lost: %d rows", i, (int)rows);
    }
    raw_close(db);
    check_integrity(f->profile.path);
}

/* Returns whether there was such a sync. */
static bool cut_at(struct fixture *f, uint64_t nth, int groups)
{
    bool found;

    open_new(f);
    found = run_until_sync(f, nth, groups);
    if (found)
        CHECK_INT(asq_slow_disk_power_cut(), 0);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 0); /* it may be the last checkpoint */
    while (f->store.conn.pending > 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    close_store(f);
    asq_slow_disk_power_on();
    check_file(f);
    ask_destroy_all(run.asks, CLIENTS);
    return found;
}

/* Cuts at every nth sync of a run. */
static void cut_everywhere(struct fixture *f, int groups, uint64_t step)
{
    uint64_t nth = 1;

    while (cut_at(f, nth, groups))
        nth += step;
    CHECK(nth > 1);
    printf("about %u syncs\n", (unsigned)nth - 1);
}

static uint64_t step(uint64_t sampled)
{
    return getenv("STORE_POWER") != NULL ? 1 : sampled * (60 / test_scaled(60));
}

static void full_loses_nothing_acknowledged(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 2;
    cut_everywhere(f, SHORT, step(1));
    cut_everywhere(f, LONG, step(71));
}

static void normal_leaves_no_hole(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 1;
    cut_everywhere(f, LONG, step(7));
}

static void a_durable_row_is_not_lost_with_normal(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 1;
    run.some_durable = true;
    cut_everywhere(f, SHORT, step(1));
}

static const struct test_case cases[] = {
    {.name = "full_loses_nothing_acknowledged",
     .run = full_loses_nothing_acknowledged,
     .seconds = 600},
    {.name = "normal_leaves_no_hole",
     .run = normal_leaves_no_hole,
     .seconds = 600},
    {.name = "a_durable_row_is_not_lost_with_normal",
     .run = a_durable_row_is_not_lost_with_normal,
     .seconds = 600},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_power",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_prepare,
                                      .tear_down = store_tear_down};
