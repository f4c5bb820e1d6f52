/* group - runs the requests of a batch in one transaction
 *
 * The worker's half of a store. All requests that wait become *members* of one
 * IMMEDIATE transaction, and are answered after its COMMIT has returned. Each
 * member has an outcome of its own:
 *
 *   - A statement that fails is undone by SQLite, and its neighbours are not
 *     touched. (OR FAIL keeps the rows before the bad one, as it does alone.) A
 *     function (asq_conn_call) and a script have a savepoint, because they may
 *     fail after several statements.
 *   - Some errors undo the whole transaction: OR ROLLBACK, RAISE(ROLLBACK), a
 *     write that is interrupted, an I/O error, perhaps a full disk. The other
 *     members then run again, each by itself and in order, and at most once.
 *     The same is done if a member does not satisfy a deferred foreign key, or
 *     leaves something open.
 *   - A COMMIT whose outcome is unknown, or that is SQLITE_BUSY, is told to
 *     every member; after any other error they run again, each by itself.
 *
 * A member must not begin or end a transaction, nor attach a file or set a
 * PRAGMA: an authorizer refuses it with SQLITE_AUTH. It does not see statements
 * that are in the cache; so a commit hook makes a COMMIT into a rollback, and
 * after a rollback whatever the function still writes is refused. Requests that
 * name a hold, and checkpoints, run as on any connection.
 *
 * One statement that nobody waits behind is not worth a transaction: it runs by
 * itself.
 *
 * Every function belongs to the worker thread. Depends on group_state,
 * group_member, group_sync and wal_keeper, and on runner of lesson 03. Only
 * store uses it.
 */
#ifndef ASQ_GROUP_H
#define ASQ_GROUP_H

#include "03-event-loop/runner.h"
#include "03-event-loop/work.h"
#include "13-group-commit/group_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares the connection, which was just opened. Returns 0 or an SQLITE_* code
 * with db.message. */
int asq__group_open(struct asq__group *group);

/* Runs or refuses each request of the batch and gives each to
 * asq_worker_done. */
void asq__group_run(struct asq__group *group, struct asq_work_list *batch);

#ifdef __cplusplus
}
#endif

#endif
