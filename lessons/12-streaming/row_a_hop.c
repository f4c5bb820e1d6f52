/* row_a_hop - every row makes the trip to the loop by itself
 *
 * idea.c with chunks of one row, as a driver does that calls a function for
 * each row. The answer is right, and memory is bounded. But the thread locks,
 * sends and waits for a credit 100,000 times: it takes many times as long.
 *
 * Copy of: idea.c
 * Proof: prints 100000 rows in 100001 hops
 */
#include "common/clock.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
    ROWS = 100000,
    CHUNK = 1, /* rows */
    CREDITS = 2
};

struct chunk {
    struct chunk *next;
    int count; /* less than CHUNK: it is the last one */
    int64_t rows[CHUNK];
};

struct app {
    uv_async_t hop;
    uv_sem_t credits;
    uv_mutex_t lock;
    /* guarded by lock */
    struct chunk *first, **last; /* in memory for the loop, oldest first */
    int in_memory, most;         /* how many these are */
    long long hops, rows, sum;   /* the loop's */
};

static void hand_over(struct app *app, struct chunk *chunk)
{
    uv_mutex_lock(&app->lock);
    *app->last = chunk;
    app->last = &chunk->next;
    if (++app->in_memory > app->most)
        app->most = app->in_memory;
    (void)uv_async_send(&app->hop); /* (3) it always succeeds */
    uv_mutex_unlock(&app->lock);
}

static void read_rows(void *data)
{
    static const char sql[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                              " SELECT i + 1 FROM n WHERE i < 100000)"
                              " SELECT i FROM n";
    struct app *app = data;
    struct chunk *chunk;
    sqlite3_stmt *stmt = NULL; /* without one there are no rows */
    sqlite3 *db = NULL;

    if (sqlite3_open(":memory:", &db) == SQLITE_OK)
        (void)sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    for (bool more = true; more;) {
        uv_sem_wait(&app->credits); /* (1) until there is a credit */
        if ((chunk = calloc(1, sizeof *chunk)) == NULL)
            exit(1);
        while (chunk->count < CHUNK && sqlite3_step(stmt) == SQLITE_ROW)
            chunk->rows[chunk->count++] = sqlite3_column_int64(stmt, 0);
        more = chunk->count == CHUNK;
        hand_over(app, chunk); /* (2) from now on it is the loop's */
    }
    (void)sqlite3_finalize(stmt); /* main notices if rows are missing */
    (void)sqlite3_close(db);
}

static void take_chunk(uv_async_t *hop) /* (4) on the loop, one in a turn */
{
    struct app *app = hop->data;
    struct chunk *chunk;

    uv_mutex_lock(&app->lock);
    chunk = app->first;
    uv_mutex_unlock(&app->lock);
    if (chunk == NULL)
        return;
    for (int i = 0; i < chunk->count; i++) {
        app->sum += chunk->rows[i];
        if (++app->rows % 1000 == 0)
            pretend_to_work(1); /* slower than the thread */
    }
    app->hops++;
    uv_mutex_lock(&app->lock);
    if ((app->first = chunk->next) == NULL)
        app->last = &app->first;
    app->in_memory--;
    uv_mutex_unlock(&app->lock);
    if (chunk->count < CHUNK)
        uv_close((uv_handle_t *)hop, NULL); /* it was the last one */
    else
        (void)uv_async_send(hop); /* the next one may be there */
    free(chunk);
    uv_sem_post(&app->credits); /* (5) one more may be read */
}

int main(void)
{
    struct app app = {.last = &app.first};
    uint64_t begin_ns = uv_hrtime();
    uv_thread_t thread;

    app.hop.data = &app;
    if (uv_mutex_init(&app.lock) != 0 ||
        uv_sem_init(&app.credits, CREDITS) != 0 ||
        uv_async_init(uv_default_loop(), &app.hop, take_chunk) != 0 ||
        uv_thread_create(&thread, read_rows, &app) != 0)
        return 1;
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until the last one */
    (void)uv_thread_join(&thread);                   /* it has ended */
    printf("%lld rows in %lld hops, %.0f ms: the sum is %s\n"
           "at most %d chunks in memory: %s\n",
           app.rows, app.hops, (double)(uv_hrtime() - begin_ns) / 1e6,
           app.sum == ROWS * (ROWS + 1LL) / 2 ? "right" : "wrong", app.most,
           app.most > CREDITS ? "not bounded" : "bounded");
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    uv_sem_destroy(&app.credits);
    uv_mutex_destroy(&app.lock);
    return 0;
}
