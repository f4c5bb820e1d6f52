/* ex_bulkhead - a gate to a few places, of which reports get only some
 *
 * Requests share a few places, for example the connections of a pool. A report
 * keeps its place for long, so reports may have only some of the places at a
 * time. Short requests may have them all. A request that may not enter yet
 * waits in a line:
 *
 *   - A request may enter if a place is free and, for a report, if the reports
 *     have fewer places than they are allowed.
 *   - Of the waiting requests that may enter, the one that came first is the
 *     next. A report that has to wait for other reports keeps its position in
 *     the line and holds up nobody behind it.
 *   - A free place is given away at once. When a function returns, no request
 *     that may enter is left in the line, so no newcomer can overtake one.
 *
 * Every function is called, and every callback runs, on the loop thread.
 * Callbacks run only inside ex_bulkhead_deliver, exactly one for each
 * successful ex_bulkhead_enter. In a callback every function except
 * ex_bulkhead_deliver may be called, for any request. Two bulkheads share
 * nothing.
 */
#ifndef EX_BULKHEAD_H
#define EX_BULKHEAD_H

#include <uv.h> /* for its codes */

struct ex_bulkhead;
struct ex_request;

/* Tells how a request's wait has ended. If status is 0, the request is inside:
 * it has a place until you call ex_bulkhead_leave. Otherwise status is the code
 * with which it was given up; the request is the caller's again, and may be
 * freed or enter once more. */
typedef void (*ex_entered_cb)(struct ex_request *request, int status);

enum ex_kind {
    EX_SHORT,
    EX_REPORT
};

enum ex_request_state {
    EX_IDLE,    /* it has not entered yet, has left, or was given up */
    EX_WAITING, /* it is in the line */
    EX_DUE,     /* its callback will run; if status is 0, it has a place */
    EX_INSIDE   /* its callback has begun with 0; it has a place */
};

/* Embedded by the caller, all zero before its first enter. The memory must stay
 * until the request has left, or its callback has begun with an error. */
struct ex_request {
    /* public */
    void *data;
    /* private */
    enum ex_request_state state;
    struct ex_bulkhead *bulkhead; /* NULL before its first enter */
    enum ex_kind kind;
    int status;              /* valid while it is due: what it will be told */
    struct ex_request *next; /* the one behind it, in the line or in due */
    ex_entered_cb on_entered;
};

struct ex_bulkhead {
    /* public */
    void *data;
    /* read-only: the limits, which ex_bulkhead_resize may change */
    unsigned places;        /* for all requests together */
    unsigned report_places; /* how many of them reports may have at a time */
    /* private */
    unsigned taken;            /* places that requests have, due or inside */
    unsigned taken_by_reports; /* how many of them reports have */
    struct ex_request *line;   /* the first that waits, in order of coming */
    struct ex_request *due;    /* the first whose callback will run, in order */
};

/* ---- Given, in given.h ----------------------------------------------------
 */

/* Makes an empty bulkhead. Any limits are allowed: with 0 every request waits,
 * and report_places may be more than places. It owns nothing, so there is
 * nothing to close. */
void ex_bulkhead_init(struct ex_bulkhead *bulkhead,
                      unsigned places,
                      unsigned report_places);

/* Puts the request at the end of the line and calls ex_bulkhead_serve.
 *
 * Returns 0: on_entered will run. Returns UV_EINVAL if the request is waiting,
 * due or inside, or if kind is unknown; then nothing has changed. */
int ex_bulkhead_enter(struct ex_bulkhead *bulkhead,
                      struct ex_request *request,
                      enum ex_kind kind,
                      ex_entered_cb on_entered);

/* Sets both limits and calls ex_bulkhead_serve. A request that has a place
 * keeps it, even if more places are taken from now on than the limits allow.
 */
void ex_bulkhead_resize(struct ex_bulkhead *bulkhead,
                        unsigned places,
                        unsigned report_places);

/* Runs the callbacks that are due, in order. A callback that becomes due
 * meanwhile runs in the next call. A program calls this once in every turn of
 * its loop. */
void ex_bulkhead_deliver(struct ex_bulkhead *bulkhead);

/* Makes a waiting request due: takes it out of the line and puts it at the end
 * of due, with this status. If it is due already, it keeps its position there
 * and gets the new status. It does not count places. */
void ex_request_answer(struct ex_request *request, int status);

/* ---- Yours ----------------------------------------------------------------
 */

/* Lets waiting requests enter: gives a place to each one that may have it, in
 * the order in which they came, and makes it due with status 0. */
void ex_bulkhead_serve(struct ex_bulkhead *bulkhead);

/* Gives back the place of a request that is inside. The request is the
 * caller's again: it may enter once more at once, or be freed.
 *
 * Does nothing in any other state, so it is harmless to leave twice, or without
 * having entered. A request that is due does not leave: its callback comes as
 * if nothing had been called. */
void ex_bulkhead_leave(struct ex_request *request);

/* Gives up a request that has not been called back: its callback will run with
 * this code, which is not 0, for example UV_ECANCELED or UV_ETIMEDOUT. If it
 * was due with status 0, it gives back its place.
 *
 * Does nothing in any other state: a request that is inside stays there, and
 * one that is given up twice is told the first code. */
void ex_bulkhead_give_up(struct ex_request *request, int code);

#endif
