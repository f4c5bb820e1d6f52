/* thread_pool - a limited number of connections, lent to threads
 *
 * For programs whose threads call SQLite and wait. A thread takes a connection
 * out of the pool, uses it alone, and gives it back: between the two it is the
 * holder of a *loan*. The limit counts connections, lent ones, idle ones, and
 * those that are being opened or closed. How many threads wait for one is not
 * limited, and those that wait are served in the order in which they came: a
 * connection that comes back goes straight to the oldest of them.
 *
 *     init
 *       take -> use loan.db -> give_back      any thread, any number of times
 *     close                                   until everything is given back
 *     destroy
 *
 * What a holder leaves open, a transaction or a statement, is undone when the
 * connection comes back. Settings stay as the holder left them: a temporary
 * table, ATTACH, a PRAGMA. (The module pool notices those.) If a thread ends
 * and still holds connections, they come back by themselves.
 *
 * Any thread may enter it. A loan belongs to the thread that took it. Not for
 * the child of a fork. Depends on thread_slot and db.
 */
#ifndef ASQ_THREAD_POOL_H
#define ASQ_THREAD_POOL_H

#include "01-blocking/db.h"
#include "10-pooling/thread_slot.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed before its first take. After a thread has ended that did not give its
 * loan back, it must be zeroed before another take. */
struct asq_thread_loan {
    /* public: set before take */
    unsigned timeout_ms; /* how long take may wait; 0: no limit */
    /* read-only */
    struct asq_db *db;  /* yours from take to give_back, else NULL */
    uint64_t waited_ns; /* for the connection, without opening it */
    char message[ASQ_MESSAGE_SIZE]; /* valid after take has failed */
    /* private */
    struct asq__slot *slot;
    uint64_t number; /* of this loan of the slot */
};

/* What the pool is doing, and what it has done since init. */
struct asq_thread_pool_stats {
    unsigned open, lent, waiting; /* now; waiting counts threads */
    uint64_t loans;               /* takes that got a connection; of these: */
    uint64_t waits;               /* had to wait for it */
    uint64_t longest_wait_ns;
    uint64_t timed_out; /* takes */
    uint64_t opened, failed_opens;
    uint64_t undone;    /* loans that had left something open */
    uint64_t abandoned; /* loans whose thread ended before it gave back */
    uint64_t replaced;  /* connections that came back in no fit state */
};

struct asq_thread_pool {
    /* private: set by init */
    struct asq_profile profile;
    struct asq__slot *slots; /* one for each connection; NULL: destroyed */
    pthread_key_t held;      /* the slots that a thread holds */
    /* private: guarded by lock */
    uv_mutex_t lock;
    uv_cond_t quiet;                /* nothing is lent, and nobody waits */
    struct asq__slot *idle, *empty; /* with an open connection, and without */
    struct asq__thread_line line;   /* threads that wait */
    bool closing;
    struct asq_thread_pool_stats stats;
};

/* Makes a pool of at most limit connections and opens none yet. profile is
 * copied; what it points to is borrowed until close has returned 0. Returns 0;
 * UV_EINVAL (limit is 0, or it is more than 1 and the database is in memory or
 * a temporary one, of which each connection would have its own), UV_ENOMEM, or
 * the negated error of pthread_key_create. After an error there is nothing to
 * destroy. */
int asq_thread_pool_init(struct asq_thread_pool *pool,
                         const struct asq_profile *profile,
                         unsigned limit);

/* Takes a connection and blocks until there is one: the one that was used
 * last, or a new one if none is idle. A new one is opened on the calling
 * thread, in what is left of timeout_ms. Returns 0, and loan->db is yours until
 * you give it back; UV_ETIMEDOUT; UV_ESHUTDOWN (close was called);
 * UV_EALREADY (this loan is out already); UV_ENOMEM; or the SQLITE_* code of
 * asq_db_open, with loan->message.
 *
 * A thread that takes a second connection while it holds one may wait for ever
 * if others do the same, because each then waits for the others: set
 * timeout_ms. */
int asq_thread_pool_take(struct asq_thread_pool *pool,
                         struct asq_thread_loan *loan);

/* Gives the connection back; loan->db becomes NULL. Returns 0, or UV_EINVAL
 * (nothing is lent by this loan, or another thread took it): nothing has
 * changed then. */
int asq_thread_pool_give_back(struct asq_thread_pool *pool,
                              struct asq_thread_loan *loan);

/* Refuses new loans, ends the waiting of all others with UV_ESHUTDOWN, waits
 * until everything is given back, and closes the connections. Returns 0;
 * UV_ETIMEDOUT after timeout_ms (0: no limit) while something is still lent, or
 * UV_EBUSY at once if the calling thread holds some of it. It may be called
 * again then. */
int asq_thread_pool_close(struct asq_thread_pool *pool, unsigned timeout_ms);

/* Frees what init made, after close has returned 0. No other thread is in a
 * call, or makes one later. Accepts NULL and a zeroed or destroyed pool. */
void asq_thread_pool_destroy(struct asq_thread_pool *pool);

/* Returns the figures of this moment. */
struct asq_thread_pool_stats
asq_thread_pool_statistics(struct asq_thread_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
