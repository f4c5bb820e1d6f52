/* ex_breaker - a circuit breaker for one database
 *
 * The contract is in ex_breaker.h.
 */
#include "ex_breaker.h"

/* What the end of a request tells about the database. */
enum news {
    NEWS_NONE,
    NEWS_ANSWER,
    NEWS_FAILURE
};

static enum news judge(int status)
{
    /* begin solution */
    if (status < 0)
        return NEWS_NONE;
    switch (status & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
        return NEWS_FAILURE;
    case SQLITE_INTERRUPT:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_MISUSE:
        return NEWS_NONE;
    default:
        return NEWS_ANSWER;
    }
    /* instead:
    return NEWS_NONE;
    */
    /* end solution */
}

void ex_breaker_init(struct ex_breaker *breaker,
                     unsigned failures_max,
                     uint64_t cool_ms)
{
    *breaker = (struct ex_breaker){
        .failures_max = failures_max, .cool_ms = cool_ms, .state = EX_CLOSED};
}

int ex_breaker_ask(struct ex_breaker *breaker,
                   uint64_t now_ms,
                   struct ex_ticket *ret_ticket)
{
    /* begin solution */
    uint64_t cooled_ms = now_ms - breaker->opened_ms;

    if (breaker->state == EX_HALF_OPEN) {
        breaker->wait_ms = breaker->cool_ms;
        return UV_EAGAIN;
    }
    if (breaker->state == EX_OPEN && cooled_ms < breaker->cool_ms) {
        breaker->wait_ms = breaker->cool_ms - cooled_ms;
        return UV_EAGAIN;
    }
    if (breaker->state == EX_OPEN)
        breaker->state = EX_HALF_OPEN;
    ret_ticket->generation = breaker->generation;
    return 0;
    /* instead:
    return UV_ENOSYS;
    */
    /* end solution */
}

void ex_breaker_tell(struct ex_breaker *breaker,
                     uint64_t now_ms,
                     const struct ex_ticket *ticket,
                     int status)
{
    enum news news = judge(status);

    /* begin solution */
    if (ticket->generation != breaker->generation)
        return;
    if (news == NEWS_ANSWER) {
        breaker->state = EX_CLOSED;
        breaker->failures = 0;
    } else if (news == NEWS_NONE) {
        if (breaker->state == EX_HALF_OPEN)
            breaker->state = EX_OPEN;
    } else if (breaker->state == EX_HALF_OPEN ||
               ++breaker->failures >= breaker->failures_max) {
        breaker->state = EX_OPEN;
        breaker->opened_ms = now_ms;
        breaker->generation++;
    }
    /* instead:
    (void)news;
    */
    /* end solution */
}
