/* ex_breaker - does not ask a broken disk again and again
 *
 *     CLOSED     failures_max failures in a row   -> OPEN
 *     OPEN       cool_ms later, one probe goes    -> HALF_OPEN
 *     HALF_OPEN  the probe is answered            -> CLOSED
 *     HALF_OPEN  the probe fails                  -> OPEN, for cool_ms again
 *     HALF_OPEN  the probe's end says nothing     -> OPEN, the next is a probe
 *
 * Everything happens on the loop thread. The breaker does not read a clock,
 * has no timer and calls nobody back, and two breakers know nothing of each
 * other: the caller says what time it is, in milliseconds since any moment.
 * Times may repeat, but never go back.
 */
#ifndef EX_BREAKER_H
#define EX_BREAKER_H

#include <sqlite3.h> /* for its codes */
#include <stdint.h>
#include <uv.h> /* for its codes */

enum ex_breaker_state {
    EX_CLOSED,   /* requests go through */
    EX_OPEN,     /* none does; once it has cooled, the next one is the probe */
    EX_HALF_OPEN /* the probe is on its way, none else goes through */
};

struct ex_breaker {
    /* public: set by init, may be changed before the first ask */
    unsigned failures_max; /* in a row; 1 or more */
    uint64_t cool_ms;      /* how long it stays open; any number */
    /* read-only */
    enum ex_breaker_state state;
    unsigned failures; /* in a row; valid while CLOSED */
    uint64_t wait_ms;  /* valid after a refusal: what is left of the cool-down,
                          or cool_ms while a probe is on its way */
    /* private */
    uint64_t opened_ms;  /* when it opened */
    uint64_t generation; /* how often it has opened */
};

/* The permission for one request. */
struct ex_ticket {
    /* private */
    uint64_t generation; /* the breaker's when it was given */
};

/* Sets a new breaker, which is CLOSED. */
void ex_breaker_init(struct ex_breaker *breaker,
                     unsigned failures_max,
                     uint64_t cool_ms);

/* Asks whether a request may go to the database.
 *
 * Returns 0 and writes a ticket: the request may go, and its end is owed to
 * ex_breaker_tell, once, also when submitting it fails. Or returns UV_EAGAIN,
 * sets wait_ms and leaves *ret_ticket and everything else as it was.
 *
 * OPEN is cooled when now_ms is cool_ms or more after the moment of opening.
 * A refusal does not make it longer. */
int ex_breaker_ask(struct ex_breaker *breaker,
                   uint64_t now_ms,
                   struct ex_ticket *ret_ticket);

/* Tells how the request of a ticket has ended: status is as in asq_done_cb,
 * 0, a UV_E* code or an extended SQLITE_* code, or what submit returned.
 *
 * A failure of the database: SQLITE_IOERR, SQLITE_FULL, SQLITE_CORRUPT,
 * SQLITE_NOTADB and SQLITE_CANTOPEN, whatever their extension. It is counted;
 * that of the probe, or the failures_max-th in a row, opens the breaker now.
 *
 * It says nothing about the database: every code below 0, since the request
 * did not run, or (UV_ETIMEDOUT) its caller did not wait, be it in the queue or
 * for the disk; SQLITE_INTERRUPT, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM and
 * SQLITE_MISUSE, whatever their extension. Nothing changes, but a probe gives
 * its place back: the breaker is OPEN and cooled, as it was before the probe.
 *
 * An answer of the database: 0 and every other code above 0. A constraint that
 * refuses a row has read the table; wrong SQL is its caller's mistake. The
 * failures in a row end, and an answer to the probe closes the breaker.
 *
 * The breaker may have opened since the ticket was given. Then this is old
 * news, whatever the status and whatever the state is by now: nothing
 * changes. */
void ex_breaker_tell(struct ex_breaker *breaker,
                     uint64_t now_ms,
                     const struct ex_ticket *ticket,
                     int status);

#endif
