/* hold - a reservation of a connection, and the queue of reservations
 *
 * Between asq_hold_begin (in conn) and asq_hold_end, only requests that name
 * the hold run. A transaction of several steps needs that, and so do rows that
 * are fetched a few at a time. Holds get their turns in the order in which they
 * began. Requests that name no hold wait here, on the loop, behind the hold
 * that was the last one when they were submitted.
 *
 * Every function belongs to the loop thread; only `done_through` is read by
 * the worker. Depends on request and worker.
 */
#ifndef ASQ_HOLD_H
#define ASQ_HOLD_H

#include "01-blocking/atomics.h"
#include "03-event-loop/request.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_line;

/* In the caller's memory; zeroed, or made ready by asq_hold_init, before it
 * begins for the first time. */
struct asq_hold {
    /* private: loop thread only */
    struct asq_line *line;        /* NULL: it is in no queue */
    struct asq_hold *next;        /* the one that began after this one */
    struct asq_work_list waiting; /* requests that name it, until its turn */
    struct asq_work_list after;   /* other requests, until it has ended */
    size_t number;                /* how many had begun, this one included */
    size_t unanswered;            /* how many requests that name it */
    bool left_open; /* after its last answer a transaction or a statement was
                       still open */
    bool ended;
};

/* The holds of one connection, in the order of their turns. */
struct asq_line {
    /* private: loop thread only */
    struct asq_worker *worker;
    struct asq_hold *first; /* it is the turn of this one */
    struct asq_hold *last;
    size_t begun;
    void (*tidy)(struct asq_line *line); /* called when a hold has ended and
                                            left something open */
    /* private: set by the loop, read by the worker */
    atomic_size_t done_through; /* holds up to this number have ended, and all
                                   requests that name them are answered */
};

/* Makes a hold ready for its first begin. */
void asq_hold_init(struct asq_hold *hold);

/* Ends a hold: when the requests that name it have run, the next hold or the
 * requests that wait for the end may run. If a transaction or a statement is
 * still open then, it is undone, and counted in the connection's left_open. The
 * hold's memory may be freed once the callbacks of all requests that name it
 * have begun. Does nothing if the hold has not begun. */
void asq_hold_end(struct asq_hold *hold);

/* Returns whether the hold has begun and was not ended, by its owner or because
 * its connection was cancelled, closed or given back to a pool. If it was, the
 * connection's memory may be gone. */
bool asq_hold_lasts(const struct asq_hold *hold);

/* The rest is internal to 03: conn uses it. */

/* Puts the hold at the end of the queue. Returns 0, or UV_EBUSY if it is in a
 * queue already, or if requests of its last time are not answered yet. */
int asq__line_begin(struct asq_line *line, struct asq_hold *hold);

/* Returns 0 if requests may name the hold now, or UV_EINVAL. */
int asq__line_check(const struct asq_line *line, const struct asq_hold *hold);

/* Sends a request to the worker and returns false, or keeps it until it may run
 * and returns true. */
bool asq__line_route(struct asq_line *line, struct asq_request *request);

/* Notes that a request is answered, just before its callback. */
void asq__line_answered(struct asq_line *line, struct asq_request *request);

/* Passes on the requests that wait here and will not run, because they are
 * cancelled or late: the worker answers them. Returns whether others still
 * wait. */
bool asq__line_look(struct asq_line *line, uint64_t now_ns);

/* Ends all holds and returns how many of them had not ended. */
unsigned asq__line_end_all(struct asq_line *line);

/* Sends a request to the worker. It cannot fail while the worker is open. */
void asq__line_pass_on(struct asq_line *line, struct asq_work *work);

#ifdef __cplusplus
}
#endif

#endif
