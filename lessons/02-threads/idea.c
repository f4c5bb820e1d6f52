/* idea - two threads share a queue; each has a connection of its own
 *
 * The main thread asks for the value of 40 items, one after another. Then it
 * puts their ids into a queue with room for four, and two threads take them
 * out and ask. Both ways must come to the same total.
 *
 * Run:      build/02-threads-idea
 * Expect:   twice the same total, and "right"
 * See also: if_instead_of_while.c, shared_connection.c
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>

#include "common/shop.h"

enum {
    THREADS = 2,
    ROOM = 4,
    JOBS = 40
};

struct queue {
    uv_mutex_t lock;
    uv_cond_t changed; /* one for all: whoever is woken looks for himself */
    /* guarded by lock */
    int64_t ids[ROOM];
    int put, taken; /* how many so far */
    int64_t total;
};

struct worker {
    struct queue *queue;
    sqlite3 *db;         /* used by one thread at a time */
    sqlite3_stmt *query; /* of this connection */
    uv_thread_t thread;
};

static void put(struct queue *queue, int64_t id)
{
    uv_mutex_lock(&queue->lock);
    while (queue->put - queue->taken == ROOM) /* (1) */
        uv_cond_wait(&queue->changed, &queue->lock);
    queue->ids[queue->put++ % ROOM] = id;
    uv_cond_broadcast(&queue->changed);
    uv_mutex_unlock(&queue->lock);
}

/* Adds value to the total and takes the next id. Returns 0 after the last. */
static int take(struct queue *queue, int64_t value, int64_t *ret_id)
{
    int more;

    uv_mutex_lock(&queue->lock);
    queue->total += value;
    while (queue->put == queue->taken && queue->taken < JOBS) /* (2) */
        uv_cond_wait(&queue->changed, &queue->lock);
    more = queue->taken < JOBS;
    if (more)
        *ret_id = queue->ids[queue->taken++ % ROOM];
    uv_cond_broadcast(&queue->changed);
    uv_mutex_unlock(&queue->lock);
    return more;
}

/* Returns the value of an item, or 0: an error shows in the total. */
static int64_t ask(sqlite3_stmt *query, int64_t id)
{
    int64_t value = 0;

    if (sqlite3_bind_int64(query, 1, id) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        value = sqlite3_column_int64(query, 0);
    (void)sqlite3_reset(query); /* repeats the error of the step */
    return value;
}

static void run_worker(void *data)
{
    struct worker *worker = data;
    int64_t value = 0;
    int64_t id;

    while (take(worker->queue, value, &id))
        value = ask(worker->query, id); /* (3) outside the lock */
}

static int open_worker(struct worker *worker, const char *path)
{
    int rc = sqlite3_open_v2(path, &worker->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(worker->db,
                                "SELECT value FROM items WHERE id = ?1", -1,
                                &worker->query, NULL);
    if (rc != SQLITE_OK)
        (void)fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(worker->db));
    return rc;
}

/* Starts the threads, puts the jobs, waits for the threads' end. */
static void run_threads(struct queue *queue, struct worker *workers)
{
    int started = 0;

    while (started < THREADS &&
           uv_thread_create(&workers[started].thread, run_worker,
                            &workers[started]) == 0)
        started++; /* a single one is slower, but right */
    for (int64_t id = 1; started > 0 && id <= JOBS; id++)
        put(queue, id);
    for (int i = 0; i < started; i++)
        (void)uv_thread_join(&workers[i].thread); /* ours: it cannot fail */
}

int main(void)
{
    struct asq_shop shop = {1000, 10000, 2000, 1};
    char path[ASQ_SHOP_PATH_MAX];
    char message[ASQ_SHOP_MESSAGE_MAX];
    struct queue queue = {.total = 0};
    struct worker workers[THREADS] = {{.queue = &queue}, {.queue = &queue}};
    int64_t expected = 0;
    int failed = asq_shop_make(&shop, path, message);

    if (failed || uv_mutex_init(&queue.lock) || uv_cond_init(&queue.changed)) {
        (void)fprintf(stderr, "%s\n", failed ? message : "out of memory");
        return 1;
    }
    for (int i = 0; i < THREADS; i++)
        failed |= open_worker(&workers[i], path);
    for (int64_t id = 1; !failed && id <= JOBS; id++)
        expected += ask(workers[0].query, id);
    if (!failed) {
        run_threads(&queue, workers);
        failed = expected == 0 || queue.total != expected;
        (void)printf("one after another %" PRId64 ", two threads %" PRId64
                     ": %s\n",
                     expected, queue.total, failed ? "WRONG" : "right");
    }
    for (int i = 0; i < THREADS; i++) {
        (void)sqlite3_finalize(workers[i].query); /* repeats an old error */
        (void)sqlite3_close(workers[i].db);       /* nothing is open in it */
    }
    uv_cond_destroy(&queue.changed);
    uv_mutex_destroy(&queue.lock);
    return failed ? 1 : 0;
}
