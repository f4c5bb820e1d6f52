/* snapshot_begin - how the readers of a snapshot begin together
 *
 * Borrows the readers, takes the write lock, lets each reader begin its
 * transaction and read once, and gives the lock back. Internal to snapshot.
 *
 * Every function belongs to the loop thread. Depends on snapshot, and on pool
 * of lesson 10.
 */
#ifndef ASQ_SNAPSHOT_BEGIN_H
#define ASQ_SNAPSHOT_BEGIN_H

#include "11-concurrent-queries/snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begins. Calls asq__snapshot_begun later, once, with the first failure in
 * snapshot->status. Returns 0, or the code with which the pool refused. */
int asq__snapshot_begin(struct asq_snapshot *snapshot);

/* Defined by snapshot: the readers have begun, or something failed. */
void asq__snapshot_begun(struct asq_snapshot *snapshot);

#ifdef __cplusplus
}
#endif

#endif
