/* claims - measures the claims that lesson 10 settles
 *
 * One function for each claim; docs/claims.md quotes them. The pools of the
 * documents are translated as far as a claim needs it; ours is thread_pool.
 *
 * Run: make claims L=10
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "10-pooling/thread_pool.h"
#include "common/clock.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <sched.h>
#include <time.h>

enum {
    CLAIMS = 8,
    THREADS = 64,
    PERMITS = 5,
    CONNECTIONS = 4,
    MANY = 8,
    OTHERS = 20, /* callers that come while one waits */
    RUNS = 7,
    FEW = 2 /* readers; many are as many as threads */
};

static const char read_sql[] = "SELECT value FROM items WHERE id = 7";

struct call { /* what one of the threads does */
    struct asq_job job;
    struct app *app;
    int rc;
};

struct app {
    struct asq_stage stage;
    struct asq_profile profile;
    struct asq_thread_pool pool;
    struct asq_offload offload;
    struct call calls[THREADS];
    sqlite3 *own[THREADS]; /* connections of the threads themselves */
    uv_barrier_t everybody;
    uv_sem_t permits;
    uv_mutex_t lock; /* of the document's pool */
    long rounds;     /* how often each thread asks */
};

static void open_pool(struct app *app, unsigned limit)
{
    asq_stage_must(&app->stage,
                   asq_thread_pool_init(&app->pool, &app->profile, limit));
}

/* Returns how many connections it has opened. */
static int close_pool(struct app *app)
{
    int opened = (int)asq_thread_pool_statistics(&app->pool).opened;

    asq_stage_must(&app->stage, asq_thread_pool_close(&app->pool, 0));
    asq_thread_pool_destroy(&app->pool);
    return opened;
}

static struct asq_db *take(struct app *app, struct asq_thread_loan *loan)
{
    if (asq_thread_pool_take(&app->pool, loan) != 0)
        asq_stage_fail(&app->stage, loan->message);
    return loan->db;
}

static void give_back(struct app *app, struct asq_thread_loan *loan)
{
    asq_stage_must(&app->stage, asq_thread_pool_give_back(&app->pool, loan));
}

/* Returns whether it was done. */
static bool run(struct asq_db *db, const char *sql)
{
    return db != NULL && asq_db_run(db, sql, NULL, NULL) == 0;
}

static void must(struct app *app, struct asq_db *db, const char *sql)
{
    if (!run(db, sql))
        asq_stage_fail(&app->stage, sql);
}

/* As the documents do: WAL, and otherwise SQLite's defaults. */
static int open_plain(struct app *app, sqlite3 **ret)
{
    int rc = sqlite3_open(app->stage.path, ret);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*ret, 5000);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(*ret, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    return rc;
}

/* Lets a thread do this. */
static void start(struct app *app, int number, asq_run_cb what)
{
    struct call *call = &app->calls[number];

    call->job.run_on_thread = what;
    asq_stage_must(&app->stage, asq_offload_submit(&app->offload, &call->job,
                                                   ASQ_FULL_WAITS));
}

static void finish(struct app *app, int number)
{
    if (asq_offload_wait(&app->offload, &app->calls[number].job) != 0 ||
        app->calls[number].rc != 0)
        asq_stage_fail(&app->stage, "a thread had no connection or no answer");
}

static void run_all(struct app *app, asq_run_cb what)
{
    for (int i = 0; i < THREADS; i++)
        start(app, i, what);
    for (int i = 0; i < THREADS; i++)
        finish(app, i);
}

/* Our pool: each thread takes a connection and asks for its basket. */
static void ask(struct asq_job *job, unsigned thread)
{
    struct call *call = job->data;
    struct app *app = call->app;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};
    struct asq_thread_loan loan = {0};

    (void)thread; /* the connection is the pool's */
    asq_basket_fill(ids, call - app->calls, app->stage.shop.items);
    call->rc = asq_thread_pool_take(&app->pool, &loan);
    for (long i = 0; i < app->rounds && call->rc == 0; i++)
        call->rc = asq_db_run(loan.db, ASQ_BASKET_SQL, &params, NULL);
    (void)asq_thread_pool_give_back(&app->pool, &loan); /* if it was lent */
}

/* The document's pool: a permit, then the thread's own connection. */
static void visit(struct asq_job *job, unsigned thread)
{
    struct call *call = job->data;
    struct app *app = call->app;

    (void)uv_barrier_wait(&app->everybody); /* so that no thread comes twice */
    uv_sem_wait(&app->permits);
    call->rc = open_plain(app, &app->own[thread]);
    uv_sem_post(&app->permits);
}

/* "The semaphore limits total concurrent connections." */
static void semaphore_pool(struct app *app)
{
    int open = 0, opened;

    run_all(app, visit);
    for (int i = 0; i < THREADS; i++) {
        open += app->own[i] != NULL;
        (void)sqlite3_close(app->own[i]); /* no statement is open */
    }
    open_pool(app, PERMITS);
    run_all(app, ask);
    opened = close_pool(app);
    asq_claim_set(asq_stage_claim(&app->stage), "semaphore-pool",
                  open > PERMITS ? "wrong" : "holds",
                  (double)open / (double)PERMITS,
                  "After a semaphore of %d had let %d threads in, %d "
                  "connections were\nopen. A thread_pool of %d opened %d for "
                  "as many threads.",
                  PERMITS, THREADS, open, PERMITS, opened);
}

/* AsyncDBPool: what comes back goes into a queue as it is. */
static void async_pool(struct app *app)
{
    static const char count_sql[] = "SELECT sum(text = 'a') FROM notes";
    struct asq_thread_loan loan = {0};
    sqlite3 *queue = NULL;
    int rc = open_plain(app, &queue), theirs, ours;

    if (rc != SQLITE_OK || /* A, and then B */
        sqlite3_exec(queue,
                     "BEGIN; INSERT INTO notes VALUES ('a');"
                     "INSERT INTO notes VALUES ('b'); COMMIT",
                     NULL, NULL, NULL) != SQLITE_OK)
        asq_stage_fail(&app->stage, sqlite3_errmsg(queue));
    (void)sqlite3_close(queue); /* no statement is open */
    theirs = (int)asq_stage_look(&app->stage, count_sql);
    open_pool(app, 1);
    must(app, take(app, &loan), "BEGIN");
    must(app, loan.db, "INSERT INTO notes VALUES ('a')");
    give_back(app, &loan);
    must(app, take(app, &loan), "INSERT INTO notes VALUES ('b')");
    give_back(app, &loan);
    (void)close_pool(app);
    ours = (int)asq_stage_look(&app->stage, count_sql) - theirs;
    asq_claim_set(
        asq_stage_claim(&app->stage), "async-pool",
        theirs > 0 ? "wrong" : "holds", theirs,
        "A left a transaction open and gave the connection back. B got it and\n"
        "committed %d row of A's, with a thread_pool %d.",
        theirs, ours);
}

/* Returns how many of so many connections can do this at the same time. */
static int count_at_once(struct app *app, int connections, const char *sql)
{
    struct asq_thread_loan loans[MANY] = {{0}};
    int count = 0;

    app->profile.busy_ms = 0; /* one that would have to wait is told so */
    open_pool(app, (unsigned)connections);
    for (int i = 0; i < connections; i++) {
        must(app, take(app, &loans[i]), "BEGIN");
        count += run(loans[i].db, sql);
    }
    for (int i = 0; i < connections; i++)
        give_back(app, &loans[i]); /* which rolls back */
    (void)close_pool(app);
    app->profile = asq_profile_default(app->stage.path);
    return count;
}

/* "Pool exhausted": more connections. */
static void pool_exhausted(struct app *app)
{
    static const char write_sql[] = "INSERT INTO notes VALUES ('c')";
    int few = count_at_once(app, CONNECTIONS, write_sql);
    int many = count_at_once(app, MANY, write_sql);
    int read = count_at_once(app, MANY, read_sql);

    asq_claim_set(asq_stage_claim(&app->stage), "pool-exhausted",
                  many > few     ? "holds"
                  : read == MANY ? "holds if they only read"
                                 : "wrong",
                  (double)many / few,
                  "Of %d connections %d could write at once, of %d also %d: "
                  "the others\nwould have waited. %d of %d could read.",
                  CONNECTIONS, few, MANY, many, read, MANY);
}

/* Reads through the pool, or a connection for each read. Returns the time. */
static double time_reads(struct app *app, bool pooled)
{
    uint64_t begin_ns = asq_clock_now_ns();

    for (long i = 0; i < 20 * app->stage.options.requests; i++) {
        struct asq_thread_loan loan = {0};
        struct asq_db db;

        if (pooled) {
            must(app, take(app, &loan), read_sql);
            give_back(app, &loan);
        } else if (asq_db_open(&db, &app->profile) == 0) {
            must(app, &db, read_sql);
            (void)asq_db_close(&db); /* no statement is out */
        }
    }
    return (double)(asq_clock_now_ns() - begin_ns);
}

/* "For SQLite, connection pooling is less critical." */
static void pool_less_critical(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {.calm = 0};

    open_pool(app, 1);
    for (int i = 0; i < RUNS && !app->stage.failed; i++) {
        double ratio = time_reads(app, false);

        asq_claim_runs_add(&runs, ratio / time_reads(app, true));
    }
    (void)close_pool(app);
    asq_claim_set(claim, "pool-less-critical",
                  asq_claim_runs_median(&runs) > 1.5 ? "wrong" : "holds",
                  asq_claim_runs_median(&runs),
                  "A read through a pool is %.0f times as fast as a read for "
                  "which a\nconnection is opened (%.0f to %.0f in %d runs).",
                  asq_claim_runs_median(&runs), asq_claim_runs_low(&runs),
                  asq_claim_runs_high(&runs), RUNS);
    asq_claim_timed(claim, &runs);
}

/* "cache_size=-64000": 64 MB. */
static void cache_per_connection(struct app *app)
{
    struct asq_thread_loan loans[CONNECTIONS] = {{0}};
    int used = 0, highest = 0, total = 0;

    app->profile.cache_kib = 64000;
    open_pool(app, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        must(app, take(app, &loans[i]), "SELECT sum(length(data)) FROM items");
        (void)sqlite3_db_status(asq_db_handle(loans[i].db),
                                SQLITE_DBSTATUS_CACHE_USED, &used, &highest,
                                0); /* the arguments are right */
        total += used;
    }
    for (int i = 0; i < CONNECTIONS; i++)
        give_back(app, &loans[i]);
    (void)close_pool(app);
    app->profile = asq_profile_default(app->stage.path);
    asq_claim_set(asq_stage_claim(&app->stage), "cache-per-connection",
                  total > used ? "holds if there is one connection" : "holds",
                  (double)total / used,
                  "One connection that has read a table keeps %d KiB of it,\n"
                  "%d keep %d KiB: each has a cache of its own.",
                  used / 1024, CONNECTIONS, total / 1024);
}

/* AsyncDBPool._create_connection sets WAL and no foreign keys. */
static void pool_profile(struct app *app)
{
    static const char sql[] = "INSERT INTO profiles VALUES (-1, '')";
    struct asq_thread_loan loans[CONNECTIONS] = {{0}};
    int theirs = 0, ours = 0;

    open_pool(app, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        sqlite3 *db = NULL;

        if (open_plain(app, &db) != SQLITE_OK)
            asq_stage_fail(&app->stage, sqlite3_errmsg(db));
        theirs += sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
        (void)sqlite3_close(db); /* no statement is open */
        (void)asq_stage_look(&app->stage, "DELETE FROM profiles");
        ours += run(take(app, &loans[i]), sql);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        give_back(app, &loans[i]);
    (void)close_pool(app);
    asq_claim_set(asq_stage_claim(&app->stage), "pool-profile",
                  theirs > 0 ? "wrong" : "holds",
                  (double)theirs / (double)CONNECTIONS,
                  "Of %d connections opened as in the document's pool, %d took "
                  "a row\nwithout its parent, of %d of a thread_pool %d.",
                  CONNECTIONS, theirs, CONNECTIONS, ours);
}

/* Counts in rc how many callers can look into the document's pool. */
static void look(struct asq_job *job, unsigned thread)
{
    struct call *call = job->data;

    (void)thread;
    for (int i = 0; i < OTHERS; i++) {
        if (uv_mutex_trylock(&call->app->lock) == 0) {
            call->rc++;
            uv_mutex_unlock(&call->app->lock);
        }
    }
}

/* "async with self._lock: … await self._pool.get()". */
static void lock_held_while_waiting(struct app *app)
{
    struct asq_thread_loan loan = {0}, other = {.timeout_ms = 1};
    int looked, told = 0;

    uv_mutex_lock(&app->lock); /* a caller waits: it has the lock meanwhile */
    start(app, 0, look);
    (void)asq_offload_wait(&app->offload, &app->calls[0].job); /* it has run */
    looked = app->calls[0].rc;
    uv_mutex_unlock(&app->lock);
    open_pool(app, 1);
    (void)take(app, &loan);
    start(app, 0, ask);
    while (!app->stage.failed &&
           asq_thread_pool_statistics(&app->pool).waiting == 0)
        (void)sched_yield();
    for (int i = 0; i < OTHERS; i++)
        told += asq_thread_pool_take(&app->pool, &other) == UV_ETIMEDOUT;
    give_back(app, &loan);
    finish(app, 0);
    (void)close_pool(app);
    asq_claim_set(
        asq_stage_claim(&app->stage), "lock-held-while-waiting",
        looked < OTHERS ? "wrong" : "holds", (double)looked / (double)OTHERS,
        "While a caller waited with the lock, %d of %d others could\n"
        "look for a connection. Of %d at a thread_pool, %d were told\n"
        "after 1 ms that there was none.",
        looked, OTHERS, OTHERS, told);
}

/* Returns how long all threads take; cpu is what the processors work. */
static double
time_readers(struct app *app, unsigned readers, const char *vfs, double *cpu)
{
    uint64_t begin_ns = asq_clock_now_ns();
    clock_t begin = clock();

    app->profile = asq_basket_profile(app->stage.path, vfs);
    app->rounds = vfs == NULL ? 10 * app->stage.options.requests : 5;
    open_pool(app, readers);
    run_all(app, ask);
    (void)close_pool(app);
    *cpu = (double)(clock() - begin);
    return (double)(asq_clock_now_ns() - begin_ns);
}

/* "Match pool size to expected concurrent requests." */
static void pool_size_requests(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {.calm = 0};
    double few, many, more, slow = time_readers(app, FEW, ASQ_SLOW_DISK, &few);

    slow /= time_readers(app, THREADS, ASQ_SLOW_DISK, &many);
    for (int i = 0; i < RUNS && !app->stage.failed; i++) {
        (void)time_readers(app, FEW, NULL, &few);
        (void)time_readers(app, THREADS, NULL, &many);
        asq_claim_runs_add(&runs, many / few);
    }
    more = asq_claim_runs_median(&runs);
    asq_claim_set(claim, "pool-size-requests",
                  more < 0.7   ? "holds"
                  : slow > 1.5 ? "holds if they wait for the disk"
                               : "wrong",
                  more,
                  "64 threads are answered %.0f times as fast by 64 "
                  "connections as by %d\n"
                  "on the slow disk. On the fast one that takes %.1f times the "
                  "processor\n"
                  "time (%.1f to %.1f in %d runs).",
                  slow, FEW, more, asq_claim_runs_low(&runs),
                  asq_claim_runs_high(&runs), RUNS);
    asq_claim_timed(claim, &runs);
}

static void prepare(struct app *app)
{
    struct asq_stage *stage = &app->stage;

    asq_stage_copy_shop(stage);
    (void)asq_stage_look(stage, "PRAGMA journal_mode = WAL");
    (void)asq_stage_look(stage, "CREATE TABLE notes (text TEXT) STRICT");
    app->profile = asq_profile_default(stage->path);
    app->rounds = 1;
    for (int i = 0; i < THREADS; i++) {
        app->calls[i].app = app;
        app->calls[i].job.data = &app->calls[i];
    }
    asq_stage_must(stage, uv_barrier_init(&app->everybody, THREADS));
    asq_stage_must(stage, uv_sem_init(&app->permits, PERMITS));
    asq_stage_must(stage, uv_mutex_init(&app->lock));
    asq_stage_must(stage, asq_offload_start(&app->offload, THREADS, THREADS));
}

int main(int argc, char **argv)
{
    static void (*const claims[CLAIMS])(struct app *) = {
        semaphore_pool,          async_pool,           pool_exhausted,
        pool_less_critical,      cache_per_connection, pool_profile,
        lock_held_while_waiting, pool_size_requests};
    struct app app = {
        .stage = {.options = {.program = "build/10-pooling-claims",
                              .about = "Measures the claims of lesson 10.",
                              .slow_disk_ms = 1,
                              .requests = 20},
                  .slow_reads = true},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    prepare(&app);
    for (int i = 0; i < CLAIMS && !app.stage.failed; i++)
        claims[i](&app);
    asq_offload_stop(&app.offload, ASQ_REST_RUNS);
    asq_offload_destroy(&app.offload);
    uv_mutex_destroy(&app.lock);
    uv_sem_destroy(&app.permits);
    uv_barrier_destroy(&app.everybody);
    return asq_stage_close(&app.stage, 0);
}
