/* guard - looks for cancels and deadlines, and lets other answers through
 *
 * While a request runs, the guard checks whether it must be stopped. It also
 * makes sure that a slow statement does not hold up the others: finished
 * requests are handed to the loop, and waiting requests that will not run are
 * answered.
 *
 * Every function belongs to the worker thread, except asq__guard_is_due.
 * Depends on worker and request, and on db of lesson 01. Runner, cleaner and
 * checkpoint use it.
 */
#ifndef ASQ_GUARD_H
#define ASQ_GUARD_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "03-event-loop/request.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_guard {
    /* set before the thread starts */
    struct asq_worker *worker;
    const struct asq_db *db;
    /* worker thread only, once it has started */
    bool db_is_open;
    struct asq_work_list rest;    /* of the batch: what has not run yet */
    const struct asq_work *tidy;  /* may be in the queue; it is not a request */
    struct asq_request *running;  /* the one that is watched, or NULL */
    bool is_fresh;                /* it was checked a moment ago */
    unsigned asked;               /* how often, without a deadline */
    int stop;                     /* the status with which it stops, or 0 */
    enum asq_place stopped_in;    /* where it was then */
    uint64_t now_ns;              /* the time at the last look at the clock */
    uint64_t posted_ns, sweep_ns; /* last post; next look at what waits */
    uint64_t swept_ns;            /* how long all these looks took */
    /* set by the loop, read by the worker */
    atomic_bool cancelled; /* every request is */
    atomic_bool closing;
};

/* Looks at the clock and keeps the time in now_ns. */
void asq__guard_look(struct asq_guard *guard);

/* Returns whether the request is cancelled or late. Any thread. */
bool asq__guard_is_due(const struct asq_guard *guard,
                       const struct asq_request *request,
                       uint64_t now_ns);

/* Returns whether the request will not run, because it is cancelled or late, or
 * the connection is closing or closed. Then its status and message are set. */
bool asq__guard_refuses(struct asq_guard *guard, struct asq_request *request);

/* Watches the request from now on; NULL: none. fresh says that the guard has
 * just checked the request, so that the first look can be skipped. */
void asq__guard_watch(struct asq_guard *guard,
                      struct asq_request *request,
                      bool fresh);

/* Ends watching. What was decided stays for asq__guard_explain. */
void asq__guard_let_go(struct asq_guard *guard);

/* Called by db to ask whether the statement may go on (an asq_watch_cb; data is
 * the guard). Returns 0, or the status with which it stops. */
int asq__guard_ask(void *data);

/* Hands what is finished to the loop. */
void asq__guard_post(struct asq_guard *guard);

/* Finishes a request that has run. Now and then it also looks at waiting
 * requests, and hands what is finished to the loop. */
void asq__guard_done(struct asq_guard *guard, struct asq_request *request);

/* Turns the code that SQLite gave for a stopped request into the status that
 * says why, and makes sure that a status other than 0 has a message. Returns
 * the status. */
int asq__guard_explain(struct asq_guard *guard,
                       struct asq_request *request,
                       int rc);

#ifdef __cplusplus
}
#endif

#endif
