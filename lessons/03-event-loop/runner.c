/* runner - the worker's half of a connection */
#include "03-event-loop/runner.h"

#include "01-blocking/db_open.h"
#include "01-blocking/script.h"
#include "01-blocking/stmt.h"

#include <stdio.h>

static const uint64_t BATCH_NS = 2000000; /* of one read transaction */

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

static void say(struct asq_request *request, const char *text)
{
    /* Cut if it is too long. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
}

/* What was left open */

/* Counts it. A handle stays open until its owner ends it, so it is found again
 * each time: whoever comes after it has not left it. Returns whether there is
 * anything new. */
static bool count(struct asq_runner *runner, const struct asq_leftovers *left)
{
    unsigned handles =
        left->handles > runner->handles ? left->handles - runner->handles : 0;

    runner->handles = left->handles;
    runner->left.transactions += left->transactions;
    runner->left.statements += left->statements;
    runner->left.handles += handles;
    return left->transactions + left->statements + handles > 0;
}

/* Undoes it. Returns whether there was anything new. */
static bool tidy(struct asq_runner *runner)
{
    struct asq_leftovers left = {0};

    if (runner->shared_tx || !runner->guard.db_is_open)
        return false;
    if (asq__db_tidy(&runner->db, &left) == 0)
        return count(runner, &left);
    asq__runner_close(runner); /* nobody may fall into the transaction */
    left.transactions = 0;     /* which counts now */
    (void)count(runner, &left);
    return true;
}

/* Whose turn it is changes with the hold: what the last one has left open must
 * not meet the next. */
static void change_turn(struct asq_runner *runner, size_t hold)
{
    if (runner->hold != 0)
        (void)tidy(runner);
    runner->hold = hold;
}

/* The loop has noticed that a hold ended with something open. Another one may
 * have its turn by now. */
static void tidy_ended_hold(struct asq_runner *runner)
{
    if (runner->hold != 0 && runner->hold <= atomic_load(runner->holds_done))
        change_turn(runner, 0);
}

/* Ends the runner's own. */
static void end_transaction(struct asq_runner *runner)
{
    /* The answers are complete: the loop takes them while this goes on. */
    asq__guard_post(&runner->guard);
    if (asq_db_run(&runner->db, "COMMIT", NULL, NULL) != 0 &&
        asq_db_in_transaction(&runner->db))
        (void)asq_db_run(&runner->db, "ROLLBACK", NULL, NULL); /* only reads */
    /* Without memory for either: a write in it would never be committed. */
    if (asq_db_in_transaction(&runner->db))
        asq__runner_close(runner);
}

/* The runner's own read transaction does not count. */
static bool is_anything_open(struct asq_runner *runner)
{
    if (runner->sharing)
        return runner->db.open_statements > 0;
    return runner->guard.db_is_open && asq__db_is_anything_open(&runner->db);
}

/* Says whether it may have left something: any request can, as SQL calls
 * functions, but only one that is a function can have made raw statements. */
static bool may_leave(struct asq_runner *runner,
                      const struct asq_request *request)
{
    return request->task == ASQ_TASK_CALL || runner->db.open_statements > 0 ||
           (!runner->sharing && asq_db_in_transaction(&runner->db));
}

/* A request that has run must not leave anything for others to fall into. Of
 * one under a hold the next one may need it. */
static int
look_after(struct asq_runner *runner, struct asq_request *request, int rc)
{
    if (runner->shared_tx)
        return rc;
    if (request->hold_number != 0) {
        request->left_open = is_anything_open(runner);
        return rc;
    }
    if (!may_leave(runner, request))
        return rc;
    if (runner->sharing)
        end_transaction(runner); /* of the runner, so it does not count */
    if (!tidy(runner) || rc != 0)
        return rc;
    say(request, "it left a transaction, a statement or a handle open, which "
                 "was undone: take a hold, or set shared_tx");
    return SQLITE_MISUSE;
}

/* Running */

/* Runs the statement that is_query has prepared, or prepares it. */
static int run_sql(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_stmt *stmt = runner->prepared;
    int rc = 0;

    runner->prepared = NULL;
    if (stmt == NULL)
        rc = asq_stmt_prepare(&runner->db, request->sql, ASQ_WHOLE_TEXT, &stmt);
    if (rc == 0 && !asq_stmt_is_query(stmt))
        asq__guard_post(&runner->guard); /* it may wait long for the disk */
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

static int run_task(struct asq_runner *runner, struct asq_request *request)
{
    if (request->task == ASQ_TASK_SQL)
        return run_sql(runner, request);
    asq__guard_post(&runner->guard); /* it may be long before it asks */
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

static void run_request(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_guard *guard = &runner->guard;
    int rc;

    asq__guard_watch(guard, request, request->task == ASQ_TASK_SQL);
    request->started_ns = guard->now_ns;
    runner->db.message[0] = '\0'; /* an old one explains nothing */
    runner->db.failed = 0;
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_START);
    rc = run_task(runner, request);
    asq__guard_let_go(guard);
    asq__guard_look(guard);
    request->ended_ns = guard->now_ns;
    rc = asq__guard_explain(guard, request, rc);
    close_if_unknown(runner, request);
    request->status = look_after(runner, request, rc);
    if (runner->observe != NULL)
        runner->observe(runner->conn, request, ASQ_EVENT_END);
    asq__guard_done(guard, request);
}

/* Takes the next request that may run off the batch; the others are done. */
static struct asq_request *next_to_run(struct asq_runner *runner)
{
    struct asq_guard *guard = &runner->guard;

    while (guard->rest.first != NULL) {
        struct asq_work *work = asq_work_pop(&guard->rest);

        if (work == &runner->tidy)
            tidy_ended_hold(runner);
        else if (!asq__guard_refuses(guard, request_of(work)))
            return request_of(work);
        asq_worker_done(runner->worker, work);
    }
    return NULL;
}

/* Queries that share a read transaction */

static void drop_prepared(struct asq_runner *runner)
{
    asq_stmt_release(runner->prepared);
    runner->prepared = NULL;
}

/* Says whether the request is a query that may share a read transaction, and
 * keeps its statement for the run. The request must be in no list: preparing
 * may wait for a lock, and what is in a list may be answered meanwhile. */
static bool is_query(struct asq_runner *runner, struct asq_request *request)
{
    int rc;

    if (request->task != ASQ_TASK_SQL || request->hold_number != runner->hold)
        return false;
    asq__guard_watch(&runner->guard, request, true);
    rc = asq_stmt_prepare_query(&runner->db, request->sql, &runner->prepared);
    asq__guard_let_go(&runner->guard);
    /* An error is found again, and told, when it runs. */
    return rc == 0 && runner->prepared != NULL;
}

static void put_back(struct asq_runner *runner, struct asq_request *request)
{
    struct asq_work_list list = {0};

    asq_work_push(&list, &request->work);
    asq_work_append(&list, &runner->guard.rest);
    runner->guard.rest = list;
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

/* Runs the first request and the queries after it in one read transaction.
 * It is right because the snapshot is taken after all of them were submitted;
 * what is submitted later is not in the batch. */
static void run_reads(struct asq_runner *runner, struct asq_request *request)
{
    uint64_t begin_ns = runner->guard.now_ns;

    request->opens_batch = true;
    runner->sharing = true;
    do {
        run_request(runner, request);
        /* An I/O error in one query ends the transaction for all. */
        if (!asq_db_in_transaction(&runner->db))
            break;
        request = runner->guard.now_ns - begin_ns < BATCH_NS
                      ? next_query(runner)
                      : NULL;
    } while (request != NULL);
    runner->sharing = false;
    if (asq_db_in_transaction(&runner->db))
        end_transaction(runner);
}

/* Begins a read transaction if at least two queries will share it. A statement
 * that a hold has open may be a write in the middle: the COMMIT would fail, and
 * what undoes it would undo the write. */
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
    put_back(runner, second);
    return asq_db_run(&runner->db, "BEGIN", NULL, NULL) == 0;
}

void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch)
{
    struct asq_request *request;

    asq__guard_look(&runner->guard);
    runner->guard.posted_ns = runner->guard.now_ns; /* after each batch */
    asq_work_append(&runner->guard.rest, batch);
    while ((request = next_to_run(runner)) != NULL) {
        if (request->hold_number != runner->hold) {
            put_back(runner, request); /* tidying may close the database */
            change_turn(runner, request->hold_number);
        } else if (begin_reads(runner, request)) {
            run_reads(runner, request);
        } else {
            run_request(runner, request);
        }
    }
}

int asq__runner_init(struct asq_runner *runner)
{
    *runner = (struct asq_runner){0};
    return asq__checkpoint_init(&runner->checkpoint);
}

void asq__runner_destroy(struct asq_runner *runner)
{
    asq__checkpoint_destroy(&runner->checkpoint);
}

/* Asked while the database is being opened. */
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
    return rc;
}

/* After a cancel of everything, nobody waits for SQLite's last checkpoint. */
void asq__runner_close(struct asq_runner *runner)
{
    struct asq_leftovers left = {0};

    if (!runner->guard.db_is_open)
        return; /* the loop may be reading why */
    /* It cannot fail: the option exists in every version that is supported. */
    if (atomic_load(&runner->guard.cancelled))
        (void)sqlite3_db_config(asq_db_handle(&runner->db),
                                SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    asq__db_close_anyway(&runner->db, &left);
    (void)count(runner, &left);
    runner->guard.db_is_open = false;
}

void asq__runner_interrupt(struct asq_runner *runner)
{
    asq__checkpoint_interrupt(&runner->checkpoint, &runner->db, &runner->guard);
}
