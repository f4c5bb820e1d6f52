/* cleaner - undoes what a request has left open before the next one runs
 *
 * If a transaction stayed open, the next request would become part of it, and
 * nobody would commit it. What a request outside a hold leaves open is undone
 * as soon as it has run. What a request under a hold leaves open is undone when
 * the hold ends, because the next request of the hold may need it.
 *
 * Every function belongs to the worker thread. Depends on guard and request,
 * and on db of lesson 01. Only runner uses it.
 */
#ifndef ASQ_CLEANER_H
#define ASQ_CLEANER_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "03-event-loop/guard.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_cleaner {
    /* set before the thread starts */
    struct asq_db *db;
    struct asq_guard *guard;         /* knows whether the database is open */
    const atomic_size_t *holds_done; /* holds up to this number are over */
    /* set by the loop while nothing is pending */
    atomic_bool shared_tx; /* nothing is undone */
    /* worker thread only, once it has started */
    size_t hold;               /* the number of the hold that ran last, or 0 */
    bool sharing;              /* the runner's own read transaction is open */
    struct asq_leftovers left; /* everything that was found, added up */
    unsigned handles;          /* raw handles that were open at the last look */
};

/* Cleans up after a request that has run. rc is its status so far. Returns the
 * status that it gets: rc, or SQLITE_MISUSE with the request's message if rc is
 * 0 and there was something to undo. */
int asq__cleaner_after(struct asq_cleaner *cleaner,
                       struct asq_request *request,
                       int rc);

/* Returns whether a request that ran in a transaction of the runner's own has
 * left a statement or a handle open. Then everything is undone, that
 * transaction too. */
bool asq__cleaner_after_member(struct asq_cleaner *cleaner);

/* Cleans up after the hold that ran last, because the next request names
 * another hold, or none (0). */
void asq__cleaner_change_hold(struct asq_cleaner *cleaner, size_t hold);

/* The same, because the loop has found that a hold ended with something open.
 * By now it may be the turn of another hold, which is left alone. */
void asq__cleaner_end_hold(struct asq_cleaner *cleaner);

/* Ends the runner's own read transaction. */
void asq__cleaner_end_reads(struct asq_cleaner *cleaner);

/* Closes the database, whatever is open, and counts it. */
void asq__cleaner_close(struct asq_cleaner *cleaner);

#ifdef __cplusplus
}
#endif

#endif
