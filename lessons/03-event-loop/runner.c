/* runner - the worker's half of a connection */
#include "03-event-loop/runner.h"

#include "01-blocking/stmt.h"

#include <stddef.h>
#include <stdio.h>

static const uint64_t BATCH_NS = 2000000; /* of one read transaction */
static const uint64_t POST_NS = 1000000;  /* answers wait no longer than this */

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

static void say(struct asq_request *request, const char *text)
{
    /* Cut if it is too long. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
}

static bool is_cancelled(struct asq_runner *runner, struct asq_request *request)
{
    return atomic_load(&request->cancelled) || atomic_load(&runner->cancelled);
}

/* Returns 0 if the request may start, or the status it gets instead. */
static int refuse(struct asq_runner *runner, struct asq_request *request)
{
    if (is_cancelled(runner, request)) {
        say(request, "cancelled before it ran");
        return UV_ECANCELED;
    }
    if (atomic_load(&runner->closing)) {
        say(request, "the connection was closed before it ran");
        return UV_ECANCELED;
    }
    if (request->deadline_ns != 0 && runner->now_ns >= request->deadline_ns) {
        request->timed_out_in = ASQ_PLACE_QUEUE;
        say(request, "the deadline passed before it ran");
        return UV_ETIMEDOUT;
    }
    if (!runner->db_is_open) {
        /* Cut if it is too long. */
        (void)snprintf(request->message, sizeof request->message,
                       "the database is not open: %.200s", runner->db.message);
        return UV_ESHUTDOWN;
    }
    return 0;
}

static bool is_refused(struct asq_work *work, void *data)
{
    struct asq_request *request = request_of(work);

    request->status = refuse(data, request);
    return request->status != 0;
}

/* Answers what waits and need wait no longer, wherever it stands. */
static void sweep(struct asq_runner *runner)
{
    struct asq_work_list left = {0};
    struct asq_work *work;

    asq_work_filter(&runner->rest, is_refused, runner, &left);
    asq_worker_sweep(runner->worker, is_refused, runner, &left);
    while ((work = asq_work_pop(&left)) != NULL)
        asq_worker_done(runner->worker, work);
}

static void post(struct asq_runner *runner)
{
    runner->posted_ns = runner->now_ns;
    asq_worker_post(runner->worker);
}

static void finish_request(struct asq_runner *runner,
                           struct asq_request *request)
{
    asq_worker_done(runner->worker, &request->work);
    if (runner->now_ns - runner->posted_ns >= POST_NS)
        post(runner);
}

/* Names the request whose statement runs next; nothing has stopped it yet. */
static void begin_watch(struct asq_runner *runner, struct asq_request *request)
{
    runner->running = request;
    runner->stop = 0;
    runner->stopped_in = ASQ_PLACE_NONE;
}

/* Asked while a statement runs or waits for a lock. It is also where a slow
 * statement lets the answers of others through. */
static int watch(void *data)
{
    struct asq_runner *runner = data;
    struct asq_request *request = runner->running;

    runner->now_ns = uv_hrtime();
    if (runner->now_ns - runner->posted_ns >= POST_NS) {
        sweep(runner);
        post(runner);
    }
    if (request == NULL)
        return 0;
    if (is_cancelled(runner, request))
        runner->stop = SQLITE_INTERRUPT;
    else if (request->deadline_ns != 0 &&
             runner->now_ns >= request->deadline_ns)
        runner->stop = UV_ETIMEDOUT;
    /* SQLite may ask again when the wait for a lock was given up and the
     * statement has failed for it. */
    if (runner->stop != 0 && runner->stopped_in != ASQ_PLACE_LOCK)
        runner->stopped_in =
            runner->db.waiting ? ASQ_PLACE_LOCK : ASQ_PLACE_RUNNING;
    return runner->stop;
}

/* Turns what SQLite says of a statement that the watch has stopped into what
 * was the matter. */
static int
explain(struct asq_runner *runner, struct asq_request *request, int rc)
{
    bool in_lock = runner->stopped_in == ASQ_PLACE_LOCK;

    if (runner->stop != 0 &&
        (rc == SQLITE_INTERRUPT || (in_lock && (rc & 0xff) == SQLITE_BUSY))) {
        rc = runner->stop;
        if (rc == UV_ETIMEDOUT)
            request->timed_out_in = runner->stopped_in;
        say(request, rc == SQLITE_INTERRUPT ? "cancelled while it ran"
                     : in_lock
                         ? "the deadline passed while it waited for a lock"
                         : "the deadline passed while it ran");
    }
    if (rc != 0 && request->message[0] == '\0')
        say(request, asq_db_message(&runner->db));
    if (rc != 0 && request->message[0] == '\0')
        say(request, sqlite3_errstr(rc)); /* a call made it up */
    return rc;
}

/* Nobody must build on a commit that may not have happened: only reopening
 * tells. */
static void close_if_unknown(struct asq_runner *runner,
                             struct asq_request *request)
{
    if (!runner->db.outcome_unknown)
        return;
    request->outcome_unknown = 1;
    asq__runner_close(runner);
}

/* Runs the statement that next_query has prepared, or prepares it. */
static int run_sql(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_stmt *stmt = runner->prepared;
    int rc = 0;

    runner->prepared = NULL;
    if (stmt == NULL)
        rc = asq_stmt_prepare(&runner->db, request->sql, ASQ_WHOLE_TEXT, &stmt);
    if (rc == 0)
        rc = asq_stmt_bind(stmt, &request->params);
    if (rc == 0)
        rc = asq_stmt_collect(stmt, &request->result);
    asq_stmt_release(stmt);
    return rc;
}

static void run_request(struct asq_runner *runner, struct asq_request *request)
{
    int rc;

    begin_watch(runner, request);
    request->started_ns = runner->now_ns;
    runner->db.message[0] = '\0'; /* an old one explains nothing */
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_START);
    if (request->call != NULL) {
        post(runner); /* the watch may not be asked while it runs */
        rc = request->call(&runner->db, request);
    } else {
        rc = run_sql(runner, request);
    }
    runner->running = NULL;
    runner->now_ns = uv_hrtime();
    request->ended_ns = runner->now_ns;
    request->status = explain(runner, request, rc);
    close_if_unknown(runner, request);
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_END);
    finish_request(runner, request);
}

/* Takes the next request that may run off the batch; the others are done. */
static struct asq_request *next_to_run(struct asq_runner *runner)
{
    struct asq_work *work;

    while ((work = asq_work_pop(&runner->rest)) != NULL) {
        if (!is_refused(work, runner))
            return request_of(work);
        asq_worker_done(runner->worker, work);
    }
    return NULL;
}

static void drop_prepared(struct asq_runner *runner)
{
    asq_stmt_release(runner->prepared);
    runner->prepared = NULL;
}

/* Says whether the request is a query that may share a read transaction, and
 * keeps its statement for the run. The request must be in no list: preparing
 * may wait for a lock, and whoever waits in a list may be answered meanwhile.
 */
static bool is_query(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;

    if (request->call != NULL)
        return false;
    begin_watch(runner, request);
    /* An error is found again, and told, when it runs. */
    if (asq_stmt_prepare(&runner->db, request->sql, ASQ_WHOLE_TEXT, &stmt) == 0)
        runner->prepared = stmt;
    runner->running = NULL;
    if (stmt != NULL && asq_stmt_is_query(stmt))
        return true;
    drop_prepared(runner);
    return false;
}

static void put_back(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_work_list list = {0};

    asq_work_push(&list, &request->work);
    asq_work_append(&list, &runner->rest);
    runner->rest = list;
}

/* Takes the next request that may run, if it is a query. */
static struct asq_request *next_query(struct asq_runner *runner)
{
    struct asq_request *request = next_to_run(runner);

    if (request == NULL || is_query(runner, request))
        return request;
    put_back(runner, request);
    return NULL;
}

static void end_transaction(struct asq_runner *runner)
{
    /* The answers are complete: the loop takes them while this goes on. */
    post(runner);
    if (asq_db_run(&runner->db, "COMMIT", NULL, NULL) != 0 &&
        asq_db_in_transaction(&runner->db))
        (void)asq_db_run(&runner->db, "ROLLBACK", NULL, NULL); /* only reads */
    /* Without memory for either: a write in it would never be committed. */
    if (asq_db_in_transaction(&runner->db))
        asq__runner_close(runner);
}

/* Runs the first request and the queries after it in one read transaction.
 * It is right because the snapshot is taken after all of them were submitted;
 * what is submitted later is not in the batch. */
static void run_reads(struct asq_runner *runner, struct asq_request *request)
{
    uint64_t begin_ns = runner->now_ns;

    do {
        run_request(runner, request);
        /* An I/O error in one query ends the transaction for all. */
        if (!asq_db_in_transaction(&runner->db))
            return;
        request =
            runner->now_ns - begin_ns < BATCH_NS ? next_query(runner) : NULL;
    } while (request != NULL);
    end_transaction(runner);
}

/* Begins a read transaction if at least two queries will share it. */
static bool begin_reads(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_request *second;

    if (!runner->batch_reads || runner->rest.first == NULL ||
        asq_db_in_transaction(&runner->db) || !is_query(runner, request))
        return false;
    drop_prepared(runner); /* the second may want the same statement */
    second = next_query(runner);
    if (second == NULL)
        return false;
    drop_prepared(runner);
    put_back(runner, second);
    return asq_db_run(&runner->db, "BEGIN", NULL, NULL) == 0;
}

void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch)
{
    struct asq_request *request;

    runner->now_ns = uv_hrtime();
    runner->posted_ns = runner->now_ns; /* the worker posts after a batch */
    asq_work_append(&runner->rest, batch);
    while ((request = next_to_run(runner)) != NULL) {
        if (begin_reads(runner, request))
            run_reads(runner, request);
        else
            run_request(runner, request);
    }
}

int asq__runner_open(struct asq_runner *runner,
                     const struct asq_profile *profile)
{
    int rc = asq_db_open(&runner->db, profile);

    if (rc == 0)
        rc = asq_db_watch(&runner->db, watch, runner);
    runner->db_is_open = rc == 0;
    return rc;
}

void asq__runner_close(struct asq_runner *runner)
{
    if (!runner->db_is_open)
        return;                        /* the loop may be reading why */
    asq_stmt_release_all(&runner->db); /* what a hold has left open */
    (void)asq_db_close(&runner->db);   /* so it cannot be busy */
    runner->db_is_open = false;
}
