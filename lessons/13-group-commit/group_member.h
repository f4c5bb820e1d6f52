/* group_member - one request in the transaction of a group
 *
 * Worker thread. Depends on group_state, and on runner of lesson 03. Only group
 * uses it.
 */
#ifndef ASQ_GROUP_MEMBER_H
#define ASQ_GROUP_MEMBER_H

#include "13-group-commit/group_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the connection, which was just opened, refuse what a member must not
 * do. Returns 0 or an SQLITE_* code with db.message. */
int asq__member_watch(struct asq__group *group);

/* Runs a request as a member of the group, whose transaction is open. If it
 * fails, it has changed nothing. Returns its code; group->spoilt says that the
 * transaction is undone, or must be. */
int asq__member_run(struct asq__group *group, struct asq_request *request);

/* Runs a statement that commits by itself. Returns its code. */
int asq__member_task(struct asq__group *group, struct asq_request *request);

#ifdef __cplusplus
}
#endif

#endif
