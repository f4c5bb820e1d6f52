/* ex_breaker - stops asking a broken disk again and again
 *
 *     CLOSED     failures_max failures in a row   -> OPEN
 *     OPEN       cool_ms later, one probe goes    -> HALF_OPEN
 *     HALF_OPEN  the probe is answered            -> CLOSED
 *     HALF_OPEN  the probe fails                  -> OPEN, for cool_ms again
 *     HALF_OPEN  the probe's end says nothing     -> OPEN, the next is the
 * probe
 *
 * Everything happens on the loop thread. The breaker reads no clock, has no
 * timer and runs no callback: the caller says what time it is, in milliseconds
 * since any moment. Times may repeat, but never go back. Two breakers share
 * nothing.
 */
#ifndef EX_BREAKER_H
#define EX_BREAKER_H

#include <sqlite3.h> /* for its codes */
#include <stdint.h>
#include <uv.h> /* for its codes */

enum ex_breaker_state {
    EX_CLOSED,   /* requests may go */
    EX_OPEN,     /* none may; once it has cooled down, the next is the probe */
    EX_HALF_OPEN /* the probe is in flight, and no other request may go */
};

struct ex_breaker {
    /* public: set by init, may be changed until the first ask */
    unsigned failures_max; /* in a row; 1 or more */
    uint64_t cool_ms;      /* how long it stays open; any number */
    /* read-only */
    enum ex_breaker_state state;
    unsigned failures; /* in a row; valid while CLOSED */
    uint64_t wait_ms;  /* valid after a refusal: what is left of cool_ms, or all
                          of it while the probe is in flight */
    /* private */
    uint64_t opened_ms;  /* when it last opened */
    uint64_t generation; /* how often it has opened */
};

/* Permission for one request. */
struct ex_ticket {
    /* private */
    uint64_t generation; /* of the breaker when the ticket was given */
};

/* Makes a new breaker, which is CLOSED. */
void ex_breaker_init(struct ex_breaker *breaker,
                     unsigned failures_max,
                     uint64_t cool_ms);

/* Asks whether a request may go to the database.
 *
 * Returns 0 and writes a ticket: the request may go, and you must tell its end
 * to ex_breaker_tell, once, even if submitting it fails. Or returns UV_EAGAIN,
 * sets wait_ms and leaves *ret_ticket and everything else as it was.
 *
 * A breaker that is OPEN has cooled down when now_ms is cool_ms or more after
 * the moment at which it opened. A refusal does not prolong that. */
int ex_breaker_ask(struct ex_breaker *breaker,
                   uint64_t now_ms,
                   struct ex_ticket *ret_ticket);

/* Tells the breaker how the request of a ticket has ended. status is as in
 * asq_done_cb (0, a UV_E* code or an extended SQLITE_* code), or what submit
 * returned. It is one of three kinds:
 *
 * A failure of the database: SQLITE_IOERR, SQLITE_FULL, SQLITE_CORRUPT,
 * SQLITE_NOTADB and SQLITE_CANTOPEN, whatever their extension. It is counted. A
 * failure of the probe, or the failures_max-th failure in a row, opens the
 * breaker at now_ms.
 *
 * Nothing about the database: every code below 0, because the request did not
 * run, or because its caller did not wait any longer (UV_ETIMEDOUT), neither in
 * the queue nor for the disk; SQLITE_INTERRUPT, SQLITE_BUSY, SQLITE_LOCKED,
 * SQLITE_NOMEM and SQLITE_MISUSE, whatever their extension. Nothing changes,
 * except that a probe gives up its place: the breaker is OPEN and has cooled
 * down, as it was before the probe.
 *
 * An answer of the database: 0 and every other code above 0. A constraint that
 * refuses a row has read the table; wrong SQL is the mistake of its caller. The
 * count of failures in a row starts again at 0, and an answer to the probe
 * closes the breaker.
 *
 * If the breaker has opened since the ticket was given, this is old news.
 * Nothing changes then, whatever the status is, and whatever the state is by
 * now. */
void ex_breaker_tell(struct ex_breaker *breaker,
                     uint64_t now_ms,
                     const struct ex_ticket *ticket,
                     int status);

#endif
