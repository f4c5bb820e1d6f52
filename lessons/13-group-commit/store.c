/* store - all writes of a program, through one connection and in groups
 *
 * What runs on the loop, and what connects the parts. The worker's half is in
 * group and wal_keeper.
 */
#include "13-group-commit/store.h"

enum {
    BATCH_MAX = 1024 /* requests in a group */
};

static struct asq_store *store_of(struct asq_conn *conn)
{
    return ASQ_CONTAINER_OF(conn, struct asq_store, conn);
}

static int open_on_worker(struct asq_runner *runner)
{
    struct asq_store *store = store_of(runner->conn);

    asq__wal_keeper_open(&store->keeper);
    return asq__group_open(&store->group);
}

static void run_on_worker(struct asq_runner *runner,
                          struct asq_work_list *batch)
{
    asq__group_run(&store_of(runner->conn)->group, batch);
}

/* The gap: the pool of readers pauses, and a checkpoint of the kind RESTART
 * waits for those that still read. The next write begins the WAL anew. */

static void end_gap(struct asq_request *request, int status)
{
    struct asq_store *store = request->data;

    (void)status; /* the keeper asks again if it did not help */
    store->in_gap = false;
    asq_request_destroy(request);
    asq__pool_pause(store->readers, 0);
}

static void begin_gap(struct asq_store *store)
{
    static const struct asq_order order = {.task = ASQ_TASK_CHECKPOINT,
                                           .checkpoint_mode =
                                               SQLITE_CHECKPOINT_RESTART};

    if (store->readers == NULL || store->in_gap)
        return;
    asq_request_init(&store->gap);
    store->gap.data = store;
    store->gap.timeout_ms = store->gap_ms;
    store->gap.priority = ASQ_PRIORITY_URGENT;
    asq__request_begin(&store->gap, &order, end_gap);
    if (asq__conn_pass_on(&store->conn, &store->gap) != 0) {
        store->gap.pending = false; /* the store closes */
        return;
    }
    store->in_gap = true;
    store->gaps++;
    asq__pool_pause(store->readers, store->gap_ms);
}

static void tell(struct asq_store *store, int status)
{
    if (store->on_wal != NULL)
        store->on_wal(store, status, atomic_load(&store->keeper.pages));
}

static void take_news(struct asq_conn *conn)
{
    struct asq_store *store = store_of(conn);
    struct asq__wal_news news;

    if (!asq__wal_keeper_news(&store->keeper, &news))
        return;
    if (news.wants_gap)
        begin_gap(store);
    if (news.failure != 0)
        tell(store, news.failure);
    if (news.is_long)
        tell(store, 0);
}

static const struct asq_runner_ops ops = {.batch_max = BATCH_MAX,
                                          .opened_on_worker = open_on_worker,
                                          .run_on_worker = run_on_worker,
                                          .answered_on_loop = take_news};

void asq_store_init(struct asq_store *store)
{
    *store = (struct asq_store){.group_rows = 100000,
                                .group_bytes = 1 << 20,
                                .group_us = 5000,
                                .wal_pages = 1000,
                                .wal_limit = 16000,
                                .gap_ms = 100};
    asq_conn_init(&store->conn);
    store->conn.capacity = 4096;
    store->conn.ops = &ops;
}

/* Nothing of the last time it was open is left. */
static void connect_parts(struct asq_store *store,
                          const struct asq_profile *profile)
{
    store->keeper =
        (struct asq__wal_keeper){.runner = &store->conn.runner,
                                 .every = store->wal_pages,
                                 .limit = store->wal_limit,
                                 .due = store->wal_pages,
                                 .gap_due = 2 * (size_t)store->wal_pages};
    store->group =
        (struct asq__group){.rows_max = store->group_rows,
                            .bytes_max = store->group_bytes,
                            .ns_max = store->group_us * UINT64_C(1000),
                            .synchronous = profile->synchronous,
                            .keeper = &store->keeper,
                            .runner = &store->conn.runner,
                            .synchronous_now = profile->synchronous};
    store->gaps = 0;
    store->in_gap = false;
}

int asq_store_open(struct asq_store *store,
                   uv_loop_t *loop,
                   const struct asq_profile *profile,
                   asq_opened_cb on_open)
{
    struct asq_profile own = *profile;

    if (store->conn.must_close || store->conn.shared_tx ||
        store->group_rows == 0 || store->group_bytes == 0 ||
        store->group_us == 0 || store->gap_ms == 0)
        return UV_EINVAL;
    own.wal_autocheckpoint = 0; /* the keeper does it */
    if (own.journal_size_limit < 0 && store->wal_pages > 0)
        own.journal_size_limit = (int64_t)store->wal_pages * 8192;
    connect_parts(store, profile);
    return asq_conn_open(&store->conn, loop, &own, on_open);
}

struct asq_store_stats asq_store_statistics(const struct asq_store *store)
{
    const struct asq__group *group = &store->group;
    const struct asq__wal_keeper *keeper = &store->keeper;

    return (struct asq_store_stats){
        .groups = atomic_load(&group->groups),
        .committed = atomic_load(&group->committed),
        .largest = atomic_load(&group->largest),
        .rerun = atomic_load(&group->rerun),
        .wal_pages = atomic_load(&keeper->pages),
        .wal_longest = atomic_load(&keeper->longest),
        .checkpoints = atomic_load(&keeper->checkpoints),
        .checkpoint_ns = atomic_load(&keeper->checkpoint_ns),
        .gaps = store->gaps,
    };
}
