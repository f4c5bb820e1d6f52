/* pool_state - the structs of a pool and of its loans
 *
 * They are apart from pool so that its parts can share them. Everything belongs
 * to the loop thread. Depends on member, and on conn of lesson 03.
 */
#ifndef ASQ_POOL_STATE_H
#define ASQ_POOL_STATE_H

#include "03-event-loop/conn.h"
#include "10-pooling/member.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_loan;
struct asq_pool;

/* status is 0, and loan->conn is yours until you release it; or UV_ETIMEDOUT,
 * UV_ECANCELED (given up), UV_ESHUTDOWN (the pool closes), or the code for
 * which no connection could be opened, with loan->message. */
typedef void (*asq_loan_cb)(struct asq_loan *loan, int status);

typedef void (*asq_pool_cb)(struct asq_pool *pool);

/* A loan or a run has waited for slow_ms, and still waits: called once for
 * each. who is that of the loan, or NULL for a run. asq_pool_report says who
 * has the connections. */
typedef void (*asq_pool_slow_cb)(struct asq_pool *pool,
                                 const char *who,
                                 uint64_t waited_ns);

enum asq_loan_state {
    ASQ_LOAN_NONE,
    ASQ_LOAN_WAITING,
    ASQ_LOAN_DUE, /* its callback has not run yet */
    ASQ_LOAN_HELD
};

/* First a place in the line, then the loan. Embedded by the caller. */
struct asq_loan {
    /* public: set between init and acquire */
    void *data;
    const char *who;     /* for reports; borrowed until release. NULL: none */
    unsigned timeout_ms; /* how long it may wait; 0: no limit */
    /* read-only: from the callback with status 0 until release */
    struct asq_conn *conn; /* NULL at any other time */
    uint64_t waited_ns;
    char message[ASQ_MESSAGE_SIZE]; /* valid in a callback with a status */
    /* private: loop thread only */
    struct asq_pool *pool;
    struct asq_loan *next, *before;
    enum asq_loan_state state;
    struct asq__member *member; /* while it is due or held */
    size_t place;               /* in the line */
    uint64_t since_ns;          /* asked for; then lent */
    uint64_t deadline_ns;       /* 0: none */
    bool has_waited;            /* it was not served at once */
    bool told_slow;
    int status;
    asq_loan_cb on_loan;
};

struct asq_loan_list {
    struct asq_loan *first, *last;
};

/* What a pool is doing, and what it has done since it was opened. */
struct asq_pool_stats {
    unsigned open, opening; /* now; of those that are open: */
    unsigned idle, lent;
    size_t pending;       /* now: runs that have a connection */
    size_t waiting;       /* now: loans and runs in the line */
    uint64_t runs, loans; /* that got a connection; of these: */
    uint64_t waits;       /* had to wait for it */
    uint64_t longest_wait_ns;
    uint64_t timed_out; /* loans and runs, in the line */
    uint64_t opened, failed_opens;
    uint64_t undone;   /* loans that had left something open */
    uint64_t replaced; /* connections: changed, lost, or too old */
};

struct asq_pool {
    /* public: set between init and open */
    void *data;
    void *keeper;   /* of a module that has the pool, such as shutdown */
    unsigned keep;  /* connections that stay open when idle: 0 */
    unsigned depth; /* pending runs that one has before the next is used: 32 */
    unsigned idle_ms; /* one that nobody used for so long is closed: 60,000;
                         0: never */
    unsigned life_ms; /* one that is older is replaced: 0, never. Those opened
                         together do not all go together */
    unsigned slow_ms; /* 1,000 */
    asq_pool_slow_cb on_slow; /* or NULL */
    size_t capacity;          /* of loans and runs in the line: 10,000 */
    uint64_t (*now_ns)(void); /* NULL: uv_hrtime; for tests */
    /* read-only */
    unsigned limit;
    char message[ASQ_MESSAGE_SIZE]; /* why open failed */
    /* private: loop thread only */
    uv_loop_t *loop;
    struct asq_profile profile;
    struct asq__member *members; /* oldest first */
    unsigned member_count, opening_count;
    unsigned serial; /* of members */
    struct asq_loan_list waiting, due, held;
    size_t waiting_count, due_count;
    struct asq_work_list runs;  /* that wait */
    struct asq_work_list ended; /* that were not run; their callback is due */
    size_t run_count;
    size_t places;     /* in the line, so far */
    size_t slow_place; /* of the run that was told as slow last */
    uint64_t retry_ns; /* nothing is opened before */
    struct asq_pool_stats stats;
    void (*changed)(struct asq_pool *pool); /* somebody may be served now */
    uv_timer_t timer;
    uv_idle_t deliver; /* active while a callback is due */
    uv_idle_cb run_deliver;
    bool changing, change_again;
    bool must_close; /* open returned 0, and on_closed was not called */
    bool refusing, close_called;
    uint64_t paused_until_ns; /* nobody is served before; 0: not paused */
    unsigned handles;         /* that are not closed yet */
    bool drained_due;
    asq_pool_cb on_drained; /* NULL: nobody waits for it */
    asq_pool_cb on_closed;
};

#ifdef __cplusplus
}
#endif

#endif
