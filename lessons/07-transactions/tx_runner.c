/* tx_runner - the worker's half of a transaction */
#include "07-transactions/tx_runner.h"

#include "01-blocking/stmt.h"
#include "03-event-loop/runner.h"

#include <stdio.h>

static struct asq_tx_step *step_of(struct asq_request *request)
{
    return ASQ_CONTAINER_OF(request, struct asq_tx_step, request);
}

static struct asq_tx *tx_of(struct asq_request *end)
{
    return ASQ_CONTAINER_OF(end, struct asq_tx, end);
}

struct asq_tx *asq__tx_outermost(struct asq_tx *tx)
{
    while (tx->outer != NULL)
        tx = tx->outer;
    return tx;
}

static int refuse(struct asq_request *request, const char *text)
{
    /* It is cut if it is too long. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
    return UV_ECANCELED;
}

/* Savepoints of the same name nest: the name means the innermost one. */
static int begin(struct asq_db *db, struct asq_tx *tx)
{
    static const char *const sql[] = {
        [ASQ_TX_IMMEDIATE] = "BEGIN IMMEDIATE",
        [ASQ_TX_DEFERRED] = "BEGIN",
        [ASQ_TX_EXCLUSIVE] = "BEGIN EXCLUSIVE",
    };
    int rc;

    if (tx->begun)
        return 0;
    if (tx->outer != NULL) {
        rc = begin(db, tx->outer);
        if (rc == 0)
            rc = asq_db_run(db, "SAVEPOINT asq", NULL, NULL);
    } else {
        rc = asq_db_run(db, sql[tx->mode], NULL, NULL);
    }
    tx->begun = rc == 0;
    return rc;
}

/* Once BEGIN has failed, or SQLite has rolled back, no step may run: it would
 * be committed by itself. */
int asq__tx_run_step(struct asq_db *db, struct asq_request *request)
{
    struct asq_tx_step *step = step_of(request);
    struct asq_tx *all = asq__tx_outermost(step->tx);
    int rc;

    if (all->gone)
        return refuse(request, "the transaction was rolled back before");
    if (atomic_load(&step->tx->given_up))
        return refuse(request, "the transaction was given up before it ran");
    rc = begin(db, step->tx);
    if (rc == 0)
        rc = step->call != NULL
                 ? step->call(db, request)
                 : asq_db_run(db, step->sql, &step->params, &request->result);
    if (!all->begun || !asq_db_in_transaction(db)) {
        all->gone = true;
        step->gone = true;
    }
    return rc;
}

int asq__tx_commit(struct asq_db *db, struct asq_request *request)
{
    struct asq_tx *tx = tx_of(request);

    if (atomic_load(&tx->given_up))
        return refuse(request, "the transaction was given up before it ran");
    return asq_db_run(db, tx->outer == NULL ? "COMMIT" : "RELEASE asq", NULL,
                      NULL);
}

/* A savepoint that cannot be undone is undone by the transaction around it. The
 * outermost one must not stay open, or requests of others would become part of
 * it: if ROLLBACK cannot run, because memory is missing or because a function
 * has left an interrupted statement open, the database is closed. */
int asq__tx_roll_back(struct asq_db *db, struct asq_request *request)
{
    struct asq_tx *tx = tx_of(request);
    int rc;

    if (tx->outer != NULL) {
        rc = asq_db_run(db, "ROLLBACK TO asq", NULL, NULL);
        return rc == 0 ? asq_db_run(db, "RELEASE asq", NULL, NULL) : rc;
    }
    /* A step or a failed COMMIT may have rolled back already. */
    (void)asq_db_run(db, "ROLLBACK", NULL, NULL);
    if (asq_db_in_transaction(db))
        asq__runner_close(&tx->conn->runner);
    return 0;
}
