/* transfer - a list of transfers in cents: all of them, or none */
#include "07-transactions/transfer.h"

#include "01-blocking/stmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ?1 is an account, ?2 an amount. */
static const char take_sql[] =
    "UPDATE accounts SET balance_cents = balance_cents - ?2"
    " WHERE id = ?1 AND balance_cents >= ?2";
/* A sum beyond an int64 would become a double, and lose cents. */
static const char give_sql[] =
    "UPDATE accounts SET balance_cents = balance_cents + ?2"
    " WHERE id = ?1 AND balance_cents <= 9223372036854775807 - ?2";
static const char find_sql[] = "SELECT 1 FROM accounts WHERE id = ?1";

static struct asq_transfer_list *list_of(struct asq_request *request)
{
    struct asq_tx_step *step =
        ASQ_CONTAINER_OF(request, struct asq_tx_step, request);

    return ASQ_CONTAINER_OF(step, struct asq_transfer_list, step);
}

/* Returns UV_EINVAL, with the reason in words. On the loop, and on the worker
 * while it owns the list. */
static int refuse(struct asq_transfer_list *list,
                  size_t i,
                  enum asq_transfer_reason reason)
{
    static const char *const words[] = {
        [ASQ_TRANSFER_AMOUNT] = "the amount is not above 0",
        [ASQ_TRANSFER_SAME] = "from and to are the same account",
        [ASQ_TRANSFER_NO_FROM] = "there is no such account to take from",
        [ASQ_TRANSFER_NO_TO] = "there is no such account to give to",
        [ASQ_TRANSFER_BALANCE] = "the balance is too low",
        [ASQ_TRANSFER_TOO_MUCH] = "the balance would be too large",
    };
    const struct asq_transfer *transfer = &list->transfers[i];

    list->reason = reason;
    list->refused = i;
    /* It fits. */
    (void)snprintf(
        list->message, sizeof list->message,
        "transfer %zu (%" PRId64 " cents from %" PRId64 " to %" PRId64 "): %s",
        i, transfer->cents, transfer->from, transfer->to, words[reason]);
    return UV_EINVAL;
}

/* On the worker */

/* Runs one of the statements above on an account. */
static int run(struct asq_db *db,
               const char *sql,
               int64_t id,
               const int64_t *cents,
               struct asq_result *result)
{
    struct asq_value values[] = {asq_int64(id), asq_null()};
    struct asq_params params = {.values = values, .count = 1};

    if (cents != NULL) {
        values[1] = asq_int64(*cents);
        params.count = 2;
    }
    return asq_db_run(db, sql, &params, result);
}

/* Nothing was changed: is the account missing, or its balance not right? */
static int explain(struct asq_db *db,
                   struct asq_transfer_list *list,
                   size_t i,
                   bool taking)
{
    const struct asq_transfer *transfer = &list->transfers[i];
    struct asq_result *result = &list->step.request.result;
    int rc =
        run(db, find_sql, taking ? transfer->from : transfer->to, NULL, result);

    if (rc != 0)
        return rc;
    if (result->rows == 0)
        return refuse(list, i,
                      taking ? ASQ_TRANSFER_NO_FROM : ASQ_TRANSFER_NO_TO);
    return refuse(list, i,
                  taking ? ASQ_TRANSFER_BALANCE : ASQ_TRANSFER_TOO_MUCH);
}

static int move(struct asq_db *db, struct asq_transfer_list *list, size_t i)
{
    const struct asq_transfer *transfer = &list->transfers[i];
    struct asq_result *result = &list->step.request.result;
    int rc = run(db, take_sql, transfer->from, &transfer->cents, result);

    if (rc == 0 && result->changes == 0)
        rc = explain(db, list, i, true);
    if (rc == 0)
        rc = run(db, give_sql, transfer->to, &transfer->cents, result);
    if (rc == 0 && result->changes == 0)
        rc = explain(db, list, i, false);
    return rc;
}

static int move_all(struct asq_db *db, struct asq_request *request)
{
    struct asq_transfer_list *list = list_of(request);
    int rc = 0;

    for (size_t i = 0; i < list->count && rc == 0; i++)
        rc = move(db, list, i);
    if (list->reason != ASQ_TRANSFER_FINE)
        memcpy(request->message, list->message, sizeof request->message);
    return rc;
}

/* On the loop */

static void finish(struct asq_tx *tx, int status)
{
    struct asq_transfer_list *list = tx->data;

    if (status != UV_EINVAL)
        list->reason = ASQ_TRANSFER_FINE; /* something else came first */
    memcpy(list->message, tx->message, sizeof list->message);
    list->on_done(list, status);
}

/* Refuses what is wrong whatever the balances are. */
static int check(struct asq_transfer_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct asq_transfer *transfer = &list->transfers[i];

        if (transfer->cents <= 0)
            return refuse(list, i, ASQ_TRANSFER_AMOUNT);
        if (transfer->from == transfer->to)
            return refuse(list, i, ASQ_TRANSFER_SAME);
    }
    return 0;
}

static int start(struct asq_transfer_list *list,
                 struct asq_conn *conn,
                 struct asq_tx *outer,
                 asq_transfer_cb on_done)
{
    int rc;

    if (list->tx.state != ASQ_TX_CLOSED || on_done == NULL ||
        (list->transfers == NULL && list->count > 0))
        return UV_EINVAL;
    list->reason = ASQ_TRANSFER_FINE;
    list->message[0] = '\0';
    rc = check(list);
    if (rc != 0)
        return rc;
    asq_tx_destroy(&list->tx); /* of the last time */
    if (outer == NULL)
        asq_tx_init(&list->tx, conn);
    else
        asq_tx_init_inside(&list->tx, outer);
    list->tx.data = list;
    list->tx.timeout_ms = list->timeout_ms;
    list->tx.on_end = finish;
    list->on_done = on_done;
    return asq_tx_call(&list->tx, &list->step, move_all, NULL);
}

void asq_transfer_init(struct asq_transfer_list *list)
{
    *list = (struct asq_transfer_list){0};
    asq_tx_step_init(&list->step);
}

void asq_transfer_destroy(struct asq_transfer_list *list)
{
    if (list == NULL)
        return;
    asq_tx_step_destroy(&list->step);
    asq_tx_destroy(&list->tx);
}

int asq_transfer_start(struct asq_transfer_list *list,
                       struct asq_conn *conn,
                       asq_transfer_cb on_done)
{
    return start(list, conn, NULL, on_done);
}

int asq_transfer_start_inside(struct asq_transfer_list *list,
                              struct asq_tx *outer,
                              asq_transfer_cb on_done)
{
    return start(list, outer->conn, outer, on_done);
}

void asq_transfer_cancel(struct asq_transfer_list *list)
{
    asq_tx_fail(&list->tx, UV_ECANCELED);
}
