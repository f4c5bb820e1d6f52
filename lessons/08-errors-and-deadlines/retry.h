/* retry - the same once more: later, not all at once, not for ever
 *
 * An attempt is tried again only if it may succeed without anybody doing
 * anything: where the remedy of errors is RETRY or RETRY_ALL. An attempt is
 * whatever the caller starts, a request or a whole transaction; when it fails
 * it must have left nothing behind. Between two attempts a random time passes,
 * up to a bound that doubles, so that callers that met once do not meet again.
 * Three things limit it: the number of attempts, a deadline, and a budget that
 * many share.
 *
 * Call every function on the loop thread. The caller owns the memory.
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

/* Starts one attempt. Returns 0, and then asq_retry_settle must be called once,
 * later or from here; or the code with which submit refused, which settles the
 * attempt. */
typedef int (*asq_attempt_cb)(struct asq_retry *retry);

/* status is that of the last attempt, or UV_ECANCELED if it was cancelled
 * between two attempts. */
typedef void (*asq_retry_cb)(struct asq_retry *retry, int status);

typedef void (*asq_retry_closed_cb)(struct asq_retry *retry);

/* How many attempts may be repeated, shared by all callers that use the same
 * database: when everything fails, retries must not multiply the load. Each
 * first attempt pays in a share of one, each repetition takes one out. */
struct asq_retry_budget {
    /* public: set before the first use */
    unsigned percent; /* that share; 10: ten of a hundred may be repeated */
    unsigned reserve; /* how many can be saved up; full at the start; 0: nothing
                         is ever repeated */
    /* read-only */
    uint64_t spent, refused;
    /* private */
    uint64_t hundredths;
};

enum asq_retry_state {
    ASQ_RETRY_IDLE,
    ASQ_RETRY_ATTEMPT, /* one is running */
    ASQ_RETRY_PAUSE,   /* between two */
    ASQ_RETRY_ENDING   /* on_done is about to be called */
};

struct asq_retry {
    /* public: set between init and start */
    void *data;
    unsigned attempts_max;           /* 5 */
    unsigned base_ms;                /* the bound of the first pause: 10 */
    unsigned cap_ms;                 /* no pause is longer: 1,000 */
    unsigned timeout_ms;             /* from start; no attempt begins after it,
                                        nor a pause that would end after it; 0:
                                        no limit */
    struct asq_retry_budget *budget; /* or NULL; borrowed */
    uint64_t seed;                   /* of the pauses; 0: from the clock */
    /* read-only */
    unsigned attempts;    /* begun, since start */
    uint64_t paused_ms;   /* the sum of all pauses */
    uint64_t deadline_ns; /* for asq_time_left_ms, in an attempt */
    /* private: loop thread only */
    uv_timer_t timer;
    uint64_t random;
    asq_attempt_cb attempt;
    asq_retry_cb on_done;
    asq_retry_closed_cb on_closed;
    enum asq_retry_state state;
    int status; /* of the last attempt, then of the retry */
    bool cancelled;
};

/* Fills the budget. */
void asq_retry_budget_init(struct asq_retry_budget *budget,
                           unsigned percent,
                           unsigned reserve);

/* Sets the defaults. loop is borrowed. You must close the retry from now on. */
void asq_retry_init(struct asq_retry *retry, uv_loop_t *loop);

/* Starts the first attempt at once. on_done runs exactly once, on the loop and
 * never inside this call or inside settle; from there on the retry may be
 * started again. Returns 0, or UV_EINVAL (it is active, a callback is NULL,
 * attempts_max is 0), after which on_done never runs. */
int asq_retry_start(struct asq_retry *retry,
                    asq_attempt_cb attempt,
                    asq_retry_cb on_done);

/* Says how the running attempt has ended. */
void asq_retry_settle(struct asq_retry *retry, int status);

/* Lets no further attempt begin, and ends a pause: then on_done runs soon, not
 * inside this call. It does not cancel a running attempt: the caller may do
 * that, and the status of that attempt counts. Harmless when nothing is active.
 */
void asq_retry_cancel(struct asq_retry *retry);

/* Closes the timer; not while an attempt or a pause is active. on_closed may be
 * NULL. The memory may be freed from on_closed on, not before. */
void asq_retry_close(struct asq_retry *retry, asq_retry_closed_cb on_closed);

#ifdef __cplusplus
}
#endif

#endif
