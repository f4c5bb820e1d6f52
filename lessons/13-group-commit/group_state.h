/* group_state - the struct of a group, which its parts share
 *
 * Depends on wal_keeper, and on runner and work of lesson 03.
 */
#ifndef ASQ_GROUP_STATE_H
#define ASQ_GROUP_STATE_H

#include "01-blocking/atomics.h"
#include "03-event-loop/runner.h"
#include "03-event-loop/work.h"
#include "13-group-commit/wal_keeper.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq__group {
    /* set before the thread starts; a group ends after the member with which it
     * reaches one of these */
    size_t rows_max;           /* changed */
    size_t bytes_max;          /* of texts and blobs in parameters */
    uint64_t ns_max;           /* since it began */
    int synchronous;           /* of the profile */
    struct asq_runner *runner; /* its database may not have been opened */
    struct asq__wal_keeper *keeper;
    /* worker thread only */
    struct asq_work_list ran; /* the members, which wait for the COMMIT */
    size_t count, bytes;
    int64_t rows_before; /* changes of the connection when it began */
    uint64_t begun_ns;
    uint64_t rollbacks;  /* of the connection when it began */
    bool open;           /* its transaction is */
    bool spoilt;         /* it is undone, or must be */
    bool alone;          /* it has one member, which will not run again */
    bool in_member;      /* a member is running */
    bool has_savepoints; /* that member may make some */
    int synchronous_now;
    /* set by the worker, read by the loop */
    atomic_size_t groups, largest, committed, rerun;
};

#ifdef __cplusplus
}
#endif

#endif
