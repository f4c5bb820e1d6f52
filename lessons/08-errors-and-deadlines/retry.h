/* retry - the same once more: later, not all at once, not for ever
 *
 * Only what may succeed without anybody's doing is tried again: what errors
 * calls RETRY or RETRY_ALL. An attempt is whatever the caller starts, a request
 * or a whole transaction, and it must have left nothing behind when it failed.
 * Between two attempts a random time passes, up to a bound that doubles: so
 * those who met once do not meet again. Three limits end it: attempts, the
 * deadline, and a budget that many share.
 *
 * Every function belongs to the loop thread. The caller owns the memory.
 * Depends on errors, and on libuv for the timer.
 */
#ifndef ASQ_RETRY_H
#define ASQ_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_retry;

/* Starts one attempt. Returns 0: asq_retry_settle must follow, once, later or
 * from here; or the code with which submit refused, which settles it. */
typedef int (*asq_attempt_cb)(struct asq_retry *retry);

/* status is that of the last attempt; UV_ECANCELED: cancelled between two. */
typedef void (*asq_retry_cb)(struct asq_retry *retry, int status);

typedef void (*asq_retry_closed_cb)(struct asq_retry *retry);

/* How many attempts may be repeated, shared by all who ask the same database:
 * when everything fails, retries must not multiply the load. Each first attempt
 * pays in percent of one, each repetition takes one out. */
struct asq_retry_budget {
    /* public: set before the first use */
    unsigned percent; /* 10: of a hundred first attempts ten may be repeated */
    unsigned reserve; /* how many can be saved up: full at the start; 0: nothing
                         is ever repeated */
    /* read-only */
    uint64_t spent, refused;
    /* private */
    uint64_t hundredths;
};

enum asq_retry_state {
    ASQ_RETRY_IDLE,
    ASQ_RETRY_ATTEMPT, /* is under way */
    ASQ_RETRY_PAUSE,
    ASQ_RETRY_ENDING /* on_done is due */
};

struct asq_retry {
    /* public: set between init and start */
    void *data;
    unsigned attempts_max;           /* 5 */
    unsigned base_ms;                /* the bound of the first pause: 10 */
    unsigned cap_ms;                 /* no pause is longer: 1,000 */
    unsigned timeout_ms;             /* from start; no pause or attempt begins
                                            that would be too late; 0: none */
    struct asq_retry_budget *budget; /* or NULL; borrowed */
    uint64_t seed;                   /* of the pauses; 0: of the clock */
    /* read-only */
    unsigned attempts;    /* begun, since start */
    uint64_t paused_ms;   /* all pauses together */
    uint64_t deadline_ns; /* for asq_time_left_ms of an attempt */
    /* private: loop thread only */
    uv_timer_t timer;
    uint64_t random;
    asq_attempt_cb attempt;
    asq_retry_cb on_done;
    asq_retry_closed_cb on_closed;
    enum asq_retry_state state;
    int status; /* of the last attempt, then of all */
    bool cancelled;
};

/* Fills the budget. */
void asq_retry_budget_init(struct asq_retry_budget *budget,
                           unsigned percent,
                           unsigned reserve);

/* Sets the defaults; loop is borrowed. Close is owed from here on. */
void asq_retry_init(struct asq_retry *retry, uv_loop_t *loop);

/* Starts the first attempt at once. on_done runs once, on the loop and never
 * inside this call or inside settle; then it may be started again. Returns 0,
 * or UV_EINVAL (active, no callbacks, no attempts): nothing is owed. */
int asq_retry_start(struct asq_retry *retry,
                    asq_attempt_cb attempt,
                    asq_retry_cb on_done);

/* Says what became of the attempt that runs. */
void asq_retry_settle(struct asq_retry *retry, int status);

/* Lets no further attempt begin, and ends a pause: on_done comes soon, not
 * from here. The attempt that runs is its owner's to cancel, and its status
 * stands. Harmless when nothing is active. */
void asq_retry_cancel(struct asq_retry *retry);

/* Closes the timer; not while active. on_closed may be NULL; the memory may go
 * once the loop has called it. */
void asq_retry_close(struct asq_retry *retry, asq_retry_closed_cb on_closed);

#ifdef __cplusplus
}
#endif

#endif
