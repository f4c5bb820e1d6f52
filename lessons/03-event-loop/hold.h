/* hold - a connection kept to oneself, and the line of those that want it
 *
 * Between asq_hold_begin (in conn) and asq_hold_end only requests that name
 * the hold run: a transaction of several steps needs that, or rows that are
 * fetched a few at a time. Holds have the connection in the order in which
 * they began. What others submit meanwhile waits here, on the loop, behind
 * the hold that was last when it came.
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

/* The caller's memory. Zeroed, or asq_hold_init, before its first begin. */
struct asq_hold {
    /* private: loop thread only */
    struct asq_line *line;        /* NULL: it has no place in one */
    struct asq_hold *next;        /* the one that began after this one */
    struct asq_work_list waiting; /* its requests, until its turn comes */
    struct asq_work_list after;   /* requests of others, until it has ended */
    size_t number;                /* how many had begun, this one included */
    size_t unanswered;            /* requests that name it */
    bool left_open; /* by its last answer: a transaction or a statement is */
    bool ended;
};

/* The holds of one connection, in the order of their turns. */
struct asq_line {
    /* private: loop thread only */
    struct asq_worker *worker;
    struct asq_hold *first; /* whose turn it is */
    struct asq_hold *last;
    size_t begun;
    void (*tidy)(struct asq_line *line); /* a hold that has ended has left
                                            something open */
    /* private: set by the loop, read by the worker */
    atomic_size_t done_through; /* holds up to this number have ended, and all
                                   that named them has run */
};

void asq_hold_init(struct asq_hold *hold);

/* Lets the others in, after what was submitted under the hold. What is still
 * open then, a transaction or a statement, is undone, and counted in the
 * connection's left_open. The hold's memory may go once the callbacks of all
 * its requests have begun. Harmless when it has not begun. */
void asq_hold_end(struct asq_hold *hold);

/* The rest is internal to 03: conn uses it. */

/* Gives hold the last place. Returns 0, or UV_EBUSY: it has a place, or what
 * named it the last time is not answered. */
int asq__line_begin(struct asq_line *line, struct asq_hold *hold);

/* Returns 0 if requests may name the hold now, or UV_EINVAL. */
int asq__line_check(const struct asq_line *line, const struct asq_hold *hold);

/* Sends a request to the worker (false), or lets it wait for a turn (true). */
bool asq__line_route(struct asq_line *line, struct asq_request *request);

/* The request was answered; its callback has not begun. */
void asq__line_answered(struct asq_line *line, struct asq_request *request);

/* Passes on what waits here and will not run, because it is cancelled or too
 * late: the worker answers it. Returns whether anything is left that waits. */
bool asq__line_look(struct asq_line *line, uint64_t now_ns);

/* Ends all holds and returns how many of them had not ended. */
unsigned asq__line_end_all(struct asq_line *line);

/* Queues a request; cannot fail as long as the worker is open. */
void asq__line_pass_on(struct asq_line *line, struct asq_work *work);

#ifdef __cplusplus
}
#endif

#endif
