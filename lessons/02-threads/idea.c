/* idea - two threads take jobs from a queue; each has its own connection
 *
 * The main thread asks for the value of 40 items. Then two threads take their
 * ids from a queue with room for four; together they must get the same total.
 *
 * Run:      build/02-threads-idea
 * Expect:   the same total twice, and "right"
 * See also: if_instead_of_while.c, shared_connection.c
 */
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
    uv_cond_t changed; /* one for both waits: a thread that wakes looks again */
    /* guarded by lock */
    sqlite3_int64 ids[ROOM];
    int put, taken; /* how many so far */
    sqlite3_int64 total;
};

struct worker {
    struct queue *queue;
    sqlite3 *db;         /* used by one thread at a time */
    sqlite3_stmt *query; /* of this connection */
    uv_thread_t thread;
};

static void put(struct queue *queue, sqlite3_int64 id)
{
    uv_mutex_lock(&queue->lock);
    while (queue->put - queue->taken == ROOM) /* (1) */
        uv_cond_wait(&queue->changed, &queue->lock);
    queue->ids[queue->put++ % ROOM] = id;
    uv_cond_broadcast(&queue->changed);
    uv_mutex_unlock(&queue->lock);
}

/* Adds the value of the last id (at first 0), takes the next; 0: none. */
static int take(struct queue *queue, sqlite3_int64 value, sqlite3_int64 *ret_id)
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
static sqlite3_int64 ask(sqlite3_stmt *query, sqlite3_int64 id)
{
    sqlite3_int64 value = 0;

    if (sqlite3_bind_int64(query, 1, id) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        value = sqlite3_column_int64(query, 0);
    (void)sqlite3_reset(query); /* repeats the error of the step */
    return value;
}

static void run_worker(void *data)
{
    struct worker *worker = data;
    sqlite3_int64 value = 0, id;

    while (take(worker->queue, value, &id))
        value = ask(worker->query, id); /* (3) outside the lock */
}

static int open_worker(struct worker *worker, const char *path)
{
    static const char sql[] = "SELECT value FROM items WHERE id = ?1";
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;

    return sqlite3_open_v2(path, &worker->db, flags, NULL) ||
           sqlite3_prepare_v2(worker->db, sql, -1, &worker->query, NULL);
}

int main(void)
{
    const struct asq_shop shop = {1000, 10000, 2000, 1};
    char path[ASQ_SHOP_PATH_MAX], message[ASQ_SHOP_MESSAGE_MAX];
    struct queue queue = {.total = 0};
    struct worker workers[THREADS] = {{.queue = &queue}, {.queue = &queue}};
    sqlite3_int64 expected = 0;
    int started = 0, failed;

    if (asq_shop_make(&shop, path, message) || open_worker(&workers[0], path) ||
        open_worker(&workers[1], path) || uv_mutex_init(&queue.lock) ||
        uv_cond_init(&queue.changed)) {
        (void)fprintf(stderr, "the data cannot be opened %s\n", message);
        return 1;
    }
    for (int id = 1; id <= JOBS; id++)
        expected += ask(workers[0].query, id);
    while (started < THREADS &&
           uv_thread_create(&workers[started].thread, run_worker,
                            &workers[started]) == 0)
        started++; /* a single one is slower, but right */
    for (int id = 1; started > 0 && id <= JOBS; id++)
        put(&queue, id);
    for (int i = 0; i < started; i++)
        (void)uv_thread_join(&workers[i].thread); /* ours: it cannot fail */
    failed = expected == 0 || queue.total != expected;
    printf("one after another %lld, two threads %lld: %s\n", expected,
           queue.total, failed ? "WRONG" : "right");
    for (int i = 0; i < THREADS; i++) {
        (void)sqlite3_finalize(workers[i].query); /* repeats an old error */
        (void)sqlite3_close(workers[i].db);       /* nothing is open in it */
    }
    uv_cond_destroy(&queue.changed);
    uv_mutex_destroy(&queue.lock);
    return failed;
}
