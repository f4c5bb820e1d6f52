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
    /* Your code. */
    return NEWS_NONE;
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
    /* Your code. */
    return UV_ENOSYS;
}

void ex_breaker_tell(struct ex_breaker *breaker,
                     uint64_t now_ms,
                     const struct ex_ticket *ticket,
                     int status)
{
    enum news news = judge(status);

    /* Your code. */
    (void)news;
}
