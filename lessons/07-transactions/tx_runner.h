/* tx_runner - the worker's half of a transaction
 *
 * Three functions that run on the worker for the requests of the loop's half:
 * they begin what has not begun, run a step, commit or roll back, and make sure
 * that no step of a transaction that is gone runs by itself.
 *
 * Depends on stmt of lesson 01 and runner of lesson 03. Only tx uses it.
 */
#ifndef ASQ_TX_RUNNER_H
#define ASQ_TX_RUNNER_H

#include "07-transactions/tx.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the outermost transaction around a savepoint. Any thread. */
struct asq_tx *asq__tx_outermost(struct asq_tx *tx);

/* For asq_conn_call: the first for the request of a step, the others for the
 * request of the end. */
int asq__tx_run_step(struct asq_db *db, struct asq_request *request);
int asq__tx_commit(struct asq_db *db, struct asq_request *request);
int asq__tx_roll_back(struct asq_db *db, struct asq_request *request);

#ifdef __cplusplus
}
#endif

#endif
