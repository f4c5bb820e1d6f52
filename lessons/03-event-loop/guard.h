/* guard - cancel and deadline, and the answers of all the others
 *
 * While a request runs, the guard looks at whether it is to be stopped. It
 * also is where a slow statement lets others through: what has been answered
 * is handed to the loop, and what waits and will not run is answered.
 *
 * Every function belongs to the worker thread, but for is_due. Depends on
 * worker and request, and on db of lesson 01. Only runner uses it.
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
    const struct asq_work *tidy;  /* in the queue, and not a request */
    struct asq_request *running;  /* that is watched, or NULL */
    bool is_fresh;                /* it has just been looked at */
    unsigned asked;               /* how often, without a deadline */
    int stop;                     /* what was decided for it, or 0 */
    enum asq_place stopped_in;    /* where it was then */
    uint64_t now_ns;              /* the clock, when it was last looked at */
    uint64_t posted_ns, sweep_ns; /* last post; next look at what waits */
    uint64_t swept_ns;            /* what all these looks have taken */
    /* set by the loop, read by the worker */
    atomic_bool cancelled; /* whatever there is */
    atomic_bool closing;
};

/* Looks at the clock. */
void asq__guard_look(struct asq_guard *guard);

/* Returns whether the request is cancelled or too late. Any thread. */
bool asq__guard_is_due(const struct asq_guard *guard,
                       const struct asq_request *request,
                       uint64_t now_ns);

/* Returns whether the request will not run, with its status and message: it
 * is cancelled or too late, or the connection is closing or closed. */
bool asq__guard_refuses(struct asq_guard *guard, struct asq_request *request);

/* Watches the request from now on; NULL: none. fresh: the guard was asked just
 * now whether it refuses it, so that the first look can be saved. */
void asq__guard_watch(struct asq_guard *guard,
                      struct asq_request *request,
                      bool fresh);

/* Watches nobody any more; what was decided stays for asq__guard_explain. */
void asq__guard_let_go(struct asq_guard *guard);

/* An asq_watch_cb; data is the guard. */
int asq__guard_ask(void *data);

/* Hands what is done to the loop. */
void asq__guard_post(struct asq_guard *guard);

/* Gives a request that has been run or refused back. Now and then it looks at
 * what waits, and posts. */
void asq__guard_done(struct asq_guard *guard, struct asq_request *request);

/* Turns what SQLite says of a request that was stopped into what was the
 * matter, and sees to it that what is not 0 has a message. */
int asq__guard_explain(struct asq_guard *guard,
                       struct asq_request *request,
                       int rc);

#ifdef __cplusplus
}
#endif

#endif
