/* two_begins_one_connection - wrong: a block that others can get into
 *
 * Each block sends BEGIN, its steps, and COMMIT or ROLLBACK. That is right on a
 * connection of its own. On a shared connection the statements of all blocks
 * are in one queue, in the order of submission: the second BEGIN runs inside
 * the first block, and fails.
 *
 * What it costs: one block is served, and the others get an error that is not
 * their fault. With one client it never happens.
 *
 * Copy of: tx.c
 * Proof: prints cannot start a transaction within a transaction
 */
#include "07-transactions/tx.h"

#include "07-transactions/tx_runner.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct asq_tx_step *step_of(struct asq_request *request)
{
    return ASQ_CONTAINER_OF(request, struct asq_tx_step, request);
}

static struct asq_tx *tx_of(struct asq_request *end)
{
    return ASQ_CONTAINER_OF(end, struct asq_tx, end);
}

static void maybe_end(struct asq_tx *tx);

/* Steps that wait for the worker and will have no effect need not run. */
static void cancel_all(struct asq_tx *tx)
{
    for (struct asq_tx_step *step = tx->first; step != NULL; step = step->next)
        asq_request_cancel(&step->request);
    if (tx->state == ASQ_TX_COMMITTING)
        asq_request_cancel(&tx->end);
    if (tx->inner != NULL)
        cancel_all(tx->inner);
}

/* Why a transaction is given up. */
struct reason {
    int status;
    enum asq_place timed_out_in;
    char message[ASQ_MESSAGE_SIZE]; /* empty: the words for the status */
};

/* A copy, because the callback of a request may use it again. */
static struct reason reason_of(const struct asq_request *request, int status)
{
    struct reason reason = {.status = status,
                            .timed_out_in = request->timed_out_in};

    memcpy(reason.message, request->message, sizeof reason.message);
    return reason;
}

/* The first reason counts. */
static void give_up(struct asq_tx *tx, const struct reason *reason)
{
    int status = reason->status;
    const char *text = reason->message;

    if (tx->status != 0)
        return;
    if (text[0] == '\0')
        text = status < 0 ? uv_strerror(status) : sqlite3_errstr(status);
    /* It is cut if it is too long. */
    (void)snprintf(tx->message, sizeof tx->message, "%s", text);
    tx->timed_out_in = reason->timed_out_in;
    tx->status = status == SQLITE_INTERRUPT ? UV_ECANCELED : status;
    atomic_store(&tx->given_up, true);
    if (tx->inner != NULL)
        give_up(tx->inner, reason);
    if (tx->outer == NULL)
        cancel_all(tx);
}

static void forget_reason(struct asq_tx *tx)
{
    tx->status = 0;
    tx->timed_out_in = ASQ_PLACE_NONE;
    tx->message[0] = '\0';
}

static void finish(struct asq_tx *tx)
{
    struct asq_tx *outer = tx->outer;
    int status = tx->status;

    tx->state = ASQ_TX_CLOSED;
    tx->status = 0;
    tx->begun = false;
    tx->gone = false;
    atomic_store(&tx->given_up, false);
    if (outer != NULL)
        outer->inner = NULL;
    if (tx->on_end != NULL)
        tx->on_end(tx, status); /* tx may be freed by now */
    if (outer != NULL)
        maybe_end(outer);
}

static void check_deadline(struct asq_tx *tx)
{
    static const struct reason late = {
        .status = UV_ETIMEDOUT,
        .timed_out_in = ASQ_PLACE_QUEUE,
        .message = "the deadline passed before it was committed"};

    if (tx->deadline_ns != 0 && uv_hrtime() >= tx->deadline_ns)
        give_up(tx, &late);
}

static void take_end(struct asq_request *request, int status);

/* A transaction that has not begun has nothing to end, and need not wait in the
 * queue for that. */
static void submit_end(struct asq_tx *tx)
{
    static const struct reason closing = {
        .status = UV_ECANCELED, .message = "the connection is being closed"};
    bool good;

    check_deadline(tx);
    good = tx->status == 0;
    tx->state = good ? ASQ_TX_COMMITTING : ASQ_TX_ROLLING_BACK;
    tx->end.timeout_ms = good ? asq_time_left_ms(tx->deadline_ns) : 0;
    if (tx->begun) {
        if (asq_conn_call(tx->conn, &tx->end,
                          good ? asq__tx_commit : asq__tx_roll_back,
                          take_end) == 0)
            return;
        /* Closing the connection rolls it back. */
        give_up(tx, &closing);
    }
    finish(tx);
}

static void take_end(struct asq_request *request, int status)
{
    struct asq_tx *tx = tx_of(request);
    struct reason reason = reason_of(request, status);

    if (tx->state == ASQ_TX_COMMITTING) {
        tx->outcome_unknown = request->outcome_unknown;
        if (status != 0) {
            give_up(tx, &reason);
            submit_end(tx);
            return;
        }
        forget_reason(tx); /* it was given up too late */
    } else if (status != 0 && tx->outer != NULL) {
        give_up(tx->outer, &reason); /* it contains what was not undone */
    }
    finish(tx);
}

/* The transaction ends when nothing of it is in flight. */
static void maybe_end(struct asq_tx *tx)
{
    if (tx->state == ASQ_TX_OPEN && tx->first == NULL && tx->inner == NULL)
        submit_end(tx);
}

/* It is nearly always the first one: steps are answered in their order. */
static void remove_step(struct asq_tx *tx, const struct asq_tx_step *step)
{
    struct asq_tx_step *before = NULL;

    if (tx->first == step) {
        tx->first = step->next;
    } else {
        before = tx->first;
        while (before->next != step)
            before = before->next;
        before->next = step->next;
    }
    if (tx->last == step)
        tx->last = before;
}

static void take_step(struct asq_request *request, int status)
{
    struct asq_tx_step *step = step_of(request);
    struct asq_tx *tx = step->tx;
    struct reason reason = reason_of(request, status);
    int verdict = status;

    remove_step(tx, step);
    if (step->gone && status == 0)
        reason = (struct reason){.status = SQLITE_MISUSE,
                                 .message = "a step has ended the transaction"};
    if (step->gone)
        give_up(asq__tx_outermost(tx), &reason);
    if (step->on_step != NULL)
        verdict = step->on_step(tx, step, status);
    if (verdict != 0 && verdict == status)
        give_up(tx, &reason);
    else if (verdict != 0)
        give_up(tx, &(struct reason){.status = verdict});
    maybe_end(tx);
}

/* Returns 0 if a step may be submitted now. */
static int check_step(const struct asq_tx *tx, const struct asq_tx_step *step)
{
    if (step->request.pending)
        return UV_EINVAL;
    for (const struct asq_tx *inner = NULL; tx != NULL; tx = tx->outer) {
        if (tx->status != 0)
            return UV_ECANCELED;
        if (tx->state == ASQ_TX_COMMITTING ||
            (tx->inner != NULL && tx->inner != inner))
            return UV_EBUSY;
        inner = tx;
    }
    return 0;
}

/* Opens the transaction, and those around it that are not open yet. */
static void open_all(struct asq_tx *tx)
{
    if (tx->state != ASQ_TX_CLOSED)
        return;
    tx->state = ASQ_TX_OPEN;
    tx->outcome_unknown = 0;
    forget_reason(tx);
    if (tx->outer == NULL)
        return;
    open_all(tx->outer);
    tx->outer->inner = tx;
}

/* Returns the earliest deadline of the transaction and those around it. */
static uint64_t set_deadline(struct asq_tx *tx, uint64_t now_ns)
{
    uint64_t outer_ns = tx->outer == NULL ? 0 : set_deadline(tx->outer, now_ns);

    if (tx->state == ASQ_TX_CLOSED) {
        tx->deadline_ns = tx->timeout_ms == 0
                              ? 0
                              : now_ns + tx->timeout_ms * UINT64_C(1000000);
        if (outer_ns != 0 &&
            (tx->deadline_ns == 0 || outer_ns < tx->deadline_ns))
            tx->deadline_ns = outer_ns;
    }
    return tx->deadline_ns;
}

static void append(struct asq_tx *tx, struct asq_tx_step *step)
{
    step->next = NULL;
    if (tx->last != NULL)
        tx->last->next = step;
    else
        tx->first = step;
    tx->last = step;
}

/* What a step runs: a statement or a function. */
struct order {
    const char *sql;
    const struct asq_params *params;
    asq_call_cb call;
};

static int submit(struct asq_tx *tx,
                  struct asq_tx_step *step,
                  const struct order *order,
                  asq_tx_cb on_step)
{
    int rc = order->sql == NULL && order->call == NULL ? UV_EINVAL
                                                       : check_step(tx, step);

    if (rc != 0)
        return rc;
    step->tx = tx;
    step->sql = order->sql;
    step->params =
        order->params == NULL ? (struct asq_params){0} : *order->params;
    step->call = order->call;
    step->on_step = on_step;
    step->gone = false;
    step->request.timeout_ms = asq_time_left_ms(set_deadline(tx, uv_hrtime()));
    /* It cannot fail if the hold has just begun. */
    rc = asq_conn_call(tx->conn, &step->request, asq__tx_run_step, take_step);
    if (rc != 0)
        return rc;
    open_all(tx);
    append(tx, step);
    return 0;
}

int asq_tx_run(struct asq_tx *tx,
               struct asq_tx_step *step,
               const char *sql,
               const struct asq_params *params,
               asq_tx_cb on_step)
{
    struct order order = {.sql = sql, .params = params};

    return submit(tx, step, &order, on_step);
}

int asq_tx_call(struct asq_tx *tx,
                struct asq_tx_step *step,
                asq_call_cb call,
                asq_tx_cb on_step)
{
    struct order order = {.call = call};

    return submit(tx, step, &order, on_step);
}

void asq_tx_fail(struct asq_tx *tx, int status)
{
    assert(status != 0);
    if (tx->state == ASQ_TX_OPEN || tx->state == ASQ_TX_COMMITTING)
        give_up(tx, &(struct reason){.status = status});
}

void asq_tx_init(struct asq_tx *tx, struct asq_conn *conn)
{
    conn->shared_tx = true; /* or it would clean up after this module */
    *tx = (struct asq_tx){.conn = conn};
    asq_request_init(&tx->end);
}

void asq_tx_init_inside(struct asq_tx *tx, struct asq_tx *outer)
{
    asq_tx_init(tx, outer->conn);
    tx->outer = outer;
}

void asq_tx_destroy(struct asq_tx *tx)
{
    if (tx != NULL)
        asq_request_destroy(&tx->end);
}

void asq_tx_step_init(struct asq_tx_step *step)
{
    *step = (struct asq_tx_step){0};
    asq_request_init(&step->request);
}

void asq_tx_step_destroy(struct asq_tx_step *step)
{
    if (step != NULL)
        asq_request_destroy(&step->request);
}

/* The program that it is tried with. */
#include "07-transactions/idea.c"
