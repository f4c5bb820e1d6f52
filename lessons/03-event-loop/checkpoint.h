/* checkpoint - copies the WAL into the database file, and can be stopped
 *
 * While SQLite copies pages, it asks nobody whether it may go on. Between two
 * pages it looks at the flag of sqlite3_interrupt, which another thread may
 * set. So this is the one case in which the loop touches a database that the
 * worker is using. A lock makes sure that a checkpoint is running at that
 * moment, and that the worker cannot close the database meanwhile.
 *
 * Depends on guard and request, and on db of lesson 01. Only runner uses it.
 */
#ifndef ASQ_CHECKPOINT_H
#define ASQ_CHECKPOINT_H

#include "01-blocking/db.h"
#include "03-event-loop/guard.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_checkpoint {
    /* private: guarded by lock */
    uv_mutex_t lock;
    struct asq_request *running; /* NULL: none */
    bool interrupted;            /* the one that ran last was interrupted */
};

/* Call both on the loop thread while no worker runs. Init zeroes the struct and
 * returns 0 or a UV_E* code. */
int asq__checkpoint_init(struct asq_checkpoint *checkpoint);
void asq__checkpoint_destroy(struct asq_checkpoint *checkpoint);

/* Runs the request; its result is the row of PRAGMA wal_checkpoint. Worker
 * thread. Returns 0 or an SQLITE_* code for asq__guard_explain. */
int asq__checkpoint_run(struct asq_checkpoint *checkpoint,
                        struct asq_db *db,
                        struct asq_guard *guard,
                        struct asq_request *request);

/* Stops the one that is running, if it is cancelled or late. Loop thread. */
void asq__checkpoint_interrupt(struct asq_checkpoint *checkpoint,
                               const struct asq_db *db,
                               const struct asq_guard *guard);

#ifdef __cplusplus
}
#endif

#endif
