/* group_sync - how durable a group is
 *
 * Worker thread. Depends on group_state. Only group uses it.
 */
#ifndef ASQ_GROUP_SYNC_H
#define ASQ_GROUP_SYNC_H

#include "13-group-commit/group_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before a transaction: with synchronous NORMAL its COMMIT will wait for the
 * disk if this request, or one of those that wait, is durable. Returns 0, or
 * the code for which that cannot be set, with db.message: then nothing may be
 * committed. */
int asq__group_choose_sync(struct asq__group *group,
                           const struct asq_request *first);

#ifdef __cplusplus
}
#endif

#endif
