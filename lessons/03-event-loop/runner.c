/* runner - the worker's half of a connection */
#include "03-event-loop/runner.h"

#include "01-blocking/db_open.h"
#include "01-blocking/db_tidy.h"
#include "01-blocking/script.h"
#include "01-blocking/stmt.h"

static const uint64_t BATCH_NS = 2000000; /* of one read transaction */

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

/* Runs the statement, which is_query may have prepared already. */
static int run_sql(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_stmt *stmt = runner->prepared;
    int rc = 0;

    runner->prepared = NULL;
    if (stmt == NULL)
        rc = asq_stmt_prepare(&runner->db, request->sql, ASQ_WHOLE_TEXT, &stmt);
    /* It commits by itself, and may wait for the disk. */
    if (rc == 0 && !asq_stmt_is_query(stmt) &&
        !asq_db_in_transaction(&runner->db))
        asq__guard_post(&runner->guard);
    if (rc == 0)
        rc = asq_stmt_bind(stmt, &request->params);
    if (rc == 0)
        rc = asq_stmt_collect(stmt, &request->result);
    asq_stmt_release(stmt);
    return rc;
}

static int run_script(struct asq_runner *runner, struct asq_request *request)
{
    unsigned number = 0;
    int rc = asq_db_script(&runner->db, request->sql, &number);

    request->failed_statement = rc == 0 ? 0 : number;
    return rc;
}

int asq__runner_task(struct asq_runner *runner, struct asq_request *request)
{
    if (request->task == ASQ_TASK_SQL)
        return run_sql(runner, request);
    asq__guard_post(&runner->guard); /* the next look may be far away */
    switch (request->task) {
    case ASQ_TASK_SCRIPT:
        return run_script(runner, request);
    case ASQ_TASK_CHECKPOINT:
        return asq__checkpoint_run(&runner->checkpoint, &runner->db,
                                   &runner->guard, request);
    default:
        return request->call(&runner->db, request);
    }
}

/* No request may build on a commit that perhaps did not happen. */
static void close_if_unknown(struct asq_runner *runner,
                             struct asq_request *request)
{
    if (!runner->db.outcome_unknown)
        return;
    request->outcome_unknown = 1;
    asq__cleaner_close(&runner->cleaner);
}

void asq__runner_start(struct asq_runner *runner, struct asq_request *request)
{
    asq__guard_watch(&runner->guard, request, request->task == ASQ_TASK_SQL);
    request->started_ns = runner->guard.now_ns;
    runner->db.message[0] = '\0'; /* an old one explains nothing */
    runner->db.failed = 0;
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_START);
}

int asq__runner_stop(struct asq_runner *runner,
                     struct asq_request *request,
                     int rc)
{
    struct asq_guard *guard = &runner->guard;

    asq__guard_let_go(guard);
    asq__guard_look(guard);
    request->ended_ns = guard->now_ns;
    rc = asq__guard_explain(guard, request, rc);
    close_if_unknown(runner, request);
    return rc;
}

void asq__runner_answer(struct asq_runner *runner, struct asq_request *request)
{
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_END);
    asq__guard_done(&runner->guard, request);
}

void asq__runner_run_one(struct asq_runner *runner, struct asq_request *request)
{
    asq__runner_start(runner, request);
    request->status =
        asq__runner_stop(runner, request, asq__runner_task(runner, request));
    request->status =
        asq__cleaner_after(&runner->cleaner, request, request->status);
    asq__runner_answer(runner, request);
}

struct asq_request *asq__runner_peek(struct asq_runner *runner)
{
    struct asq_guard *guard = &runner->guard;

    while (guard->rest.first != NULL) {
        struct asq_work *work = asq_work_pop(&guard->rest);

        if (work == &runner->tidy)
            asq__cleaner_end_hold(&runner->cleaner);
        else if (!asq__guard_refuses(guard, request_of(work)))
            return request_of(work);
        asq_worker_done(runner->worker, work);
    }
    return NULL;
}

void asq__runner_put_back(struct asq_runner *runner,
                          struct asq_request *request)
{
    struct asq_work_list list = {0};

    asq_work_push(&list, &request->work);
    asq_work_append(&list, &runner->guard.rest);
    runner->guard.rest = list;
}

struct asq_request *asq__runner_next(struct asq_runner *runner)
{
    struct asq_request *request;

    while ((request = asq__runner_peek(runner)) != NULL &&
           request->hold_number != runner->cleaner.hold) {
        /* Cleaning may close the database: the request is looked at again. */
        asq__runner_put_back(runner, request);
        asq__cleaner_change_hold(&runner->cleaner, request->hold_number);
    }
    return request;
}

/* Queries that share a read transaction */

static void drop_prepared(struct asq_runner *runner)
{
    asq_stmt_release(runner->prepared);
    runner->prepared = NULL;
}

/* Returns whether the request is a query that may share a read transaction, and
 * keeps its statement for the run. The request must be in no list: preparing
 * may wait for a lock, and meanwhile requests in a list may be answered. */
static bool is_query(struct asq_runner *runner, struct asq_request *request)
{
    int rc;

    if (request->task != ASQ_TASK_SQL ||
        request->hold_number != runner->cleaner.hold)
        return false;
    asq__guard_watch(&runner->guard, request, true);
    rc = asq_stmt_prepare_query(&runner->db, request->sql, &runner->prepared);
    asq__guard_let_go(&runner->guard);
    /* An error is found again, and reported, when it runs. */
    return rc == 0 && runner->prepared != NULL;
}

/* Takes the next request that may run, if it is a query. */
static struct asq_request *next_query(struct asq_runner *runner)
{
    struct asq_request *request = asq__runner_peek(runner);

    if (request == NULL || is_query(runner, request))
        return request;
    asq__runner_put_back(runner, request);
    return NULL;
}

/* Runs the first request and the queries after it in one read transaction. No
 * query sees older data for that: the snapshot is taken after all of them were
 * submitted, and requests submitted later are not in the batch. */
static void run_reads(struct asq_runner *runner, struct asq_request *request)
{
    uint64_t begin_ns = runner->guard.now_ns;

    request->opens_batch = true;
    runner->cleaner.sharing = true;
    do {
        asq__runner_run_one(runner, request);
        /* An I/O error in one query ends the transaction for all. */
        if (!asq_db_in_transaction(&runner->db))
            break;
        request = runner->guard.now_ns - begin_ns < BATCH_NS
                      ? next_query(runner)
                      : NULL;
    } while (request != NULL);
    runner->cleaner.sharing = false;
    if (asq_db_in_transaction(&runner->db))
        asq__cleaner_end_reads(&runner->cleaner);
}

/* Begins a read transaction if at least two queries will share it; but not
 * while a hold has a statement open. That may be a half-stepped write: the
 * COMMIT would fail, and the ROLLBACK after it would undo the write. */
static bool begin_reads(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_request *second;

    if (!runner->batch_reads || runner->guard.rest.first == NULL ||
        asq__db_is_busy(&runner->db) || !is_query(runner, request))
        return false;
    drop_prepared(runner); /* the second may want the same statement */
    second = next_query(runner);
    if (second == NULL)
        return false;
    drop_prepared(runner);
    asq__runner_put_back(runner, second);
    return asq_db_run(&runner->db, "BEGIN", NULL, NULL) == 0;
}

void asq__runner_take(struct asq_runner *runner, struct asq_work_list *batch)
{
    asq__guard_look(&runner->guard);
    runner->guard.posted_ns = runner->guard.now_ns; /* after each batch */
    asq_work_append(&runner->guard.rest, batch);
}

void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch)
{
    struct asq_request *request;

    asq__runner_take(runner, batch);
    while ((request = asq__runner_next(runner)) != NULL) {
        if (begin_reads(runner, request))
            run_reads(runner, request);
        else
            asq__runner_run_one(runner, request);
    }
}

int asq__runner_init(struct asq_runner *runner)
{
    *runner = (struct asq_runner){0};
    runner->cleaner.db = &runner->db;
    runner->cleaner.guard = &runner->guard;
    return asq__checkpoint_init(&runner->checkpoint);
}

void asq__runner_destroy(struct asq_runner *runner)
{
    asq__checkpoint_destroy(&runner->checkpoint);
}

/* Called again and again while the database is being opened. */
static int is_given_up(void *data)
{
    struct asq_runner *runner = data;

    return atomic_load(&runner->guard.cancelled) ||
           atomic_load(&runner->guard.closing);
}

int asq__runner_open(struct asq_runner *runner,
                     const struct asq_profile *profile)
{
    struct asq_guard *guard = &runner->guard;
    int rc;

    guard->worker = runner->worker;
    guard->db = &runner->db;
    guard->tidy = &runner->tidy;
    rc = asq__db_open(&runner->db, profile, is_given_up, runner);
    if (rc == 0)
        rc = asq_db_watch(&runner->db, asq__guard_ask, guard);
    guard->db_is_open = rc == 0;
    if (rc == 0 && runner->ops->opened_on_worker != NULL)
        rc = runner->ops->opened_on_worker(runner);
    if (rc != 0)
        asq__cleaner_close(&runner->cleaner); /* the message stays */
    return rc;
}

void asq__runner_close(struct asq_runner *runner)
{
    asq__cleaner_close(&runner->cleaner);
}

void asq__runner_interrupt(struct asq_runner *runner)
{
    asq__checkpoint_interrupt(&runner->checkpoint, &runner->db, &runner->guard);
}
