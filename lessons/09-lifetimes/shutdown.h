/* shutdown - the end of a program that has connections at work
 *
 *     up -> draining -> checkpointing -> closing -> down
 *              |              |             ^
 *              '- time over --'-- hurry ----'
 *
 * draining       new requests are refused; what was submitted, and every hold
 *                that has begun, goes on to its end
 * checkpointing  the connections that only read are closed, then the others
 *                bring the WAL back into the file, each closes when it has
 * closing        statements are finalized, the rest is closed, the threads are
 *                joined
 * When the time for draining is over, what is left is cancelled, and what runs
 * is interrupted: closing comes at once.
 *
 * Every function belongs to the loop thread. Depends on conn of lesson 03.
 */
#ifndef ASQ_SHUTDOWN_H
#define ASQ_SHUTDOWN_H

#include "03-event-loop/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_shutdown;

/* The threads have ended, the connections are closed: their memory may go, and
 * that of the shutdown. */
typedef void (*asq_shutdown_cb)(struct asq_shutdown *shutdown);

enum asq_shutdown_state {
    ASQ_UP,
    ASQ_DRAINING,
    ASQ_CHECKPOINTING,
    ASQ_CLOSING,
    ASQ_DOWN
};

/* How far a part has come. */
enum asq_part_stage {
    ASQ_PART_DRAINING,      /* its line has not come to its end */
    ASQ_PART_DRAINED,       /* nothing is pending, nothing can be submitted */
    ASQ_PART_CHECKPOINTING, /* the checkpoint is under way */
    ASQ_PART_CLOSING,
    ASQ_PART_CLOSED
};

/* One connection, and what its end was like. */
struct asq_shutdown_part {
    /* public: set before add */
    const char *name;      /* for the report; borrowed */
    struct asq_conn *conn; /* open is called and returned 0; refuse, cancel
                              and close are not called */
    bool checkpoint;       /* it writes. One connection of a file does */
    /* read-only: valid in on_down */
    size_t cancelled;      /* requests that were pending when time was over */
    int checkpoint_status; /* 0: the WAL is empty, or there is none;
                              SQLITE_BUSY: a reader or a writer of another
                              connection or process was in the way until the
                              time was over, and it is not emptied;
                              SQLITE_LOCKED: a transaction or a statement that
                              this one has left open was; SQLITE_READONLY:
                              this one only reads; UV_ECANCELED: it was not
                              tried; UV_ETIMEDOUT, SQLITE_INTERRUPT: it was cut
                              short, by its deadline or by hurry, and what it
                              had not moved is in the WAL; UV_ESHUTDOWN: the
                              database was not open; or another code */
    int64_t wal_left;      /* after SQLITE_BUSY: frames that are in the WAL and
                              not yet in the file; 0: only emptying failed;
                              -1: another checkpoint runs, which knows */
    /* private */
    struct asq_shutdown *shutdown;
    struct asq_shutdown_part *next;
    enum asq_part_stage stage;
    struct asq_hold hold;       /* the last in the line */
    struct asq_request request; /* the end of the line; then the checkpoints:
                                   one moves the rows, one empties the WAL */
    bool emptying;
    uint64_t checkpoint_ns; /* until when */
};

struct asq_shutdown {
    /* public: set between init and start */
    void *data;
    unsigned drain_ms; /* 5,000; 0: cancel at once. A checkpoint gets what is
                          left of it, but at least 500 */
    /* read-only */
    enum asq_shutdown_state state;
    bool in_time; /* valid in on_down: nothing had to be cut short */
    /* private: loop thread only */
    struct asq_shutdown_part *first;
    uv_timer_t timer;
    bool timer_closed;
    uint64_t deadline_ns;
    asq_shutdown_cb on_down;
};

/* Makes it ready; nothing is owed before start. */
void asq_shutdown_init(struct asq_shutdown *shutdown);

/* Adds a connection that is to be closed. part and its conn are borrowed until
 * on_down. Before start only. */
void asq_shutdown_add(struct asq_shutdown *shutdown,
                      struct asq_shutdown_part *part);

/* Begins. From here on the shutdown alone cancels and closes the connections;
 * conn->data stays the owner's. loop is that of the connections. on_down is
 * called last of all, never inside start. Returns 0, or UV_EALREADY. */
int asq_shutdown_start(struct asq_shutdown *shutdown,
                       uv_loop_t *loop,
                       asq_shutdown_cb on_down);

/* Ends draining and checkpoints now, as if the time were over: for the second
 * Ctrl-C. Harmless before start, and when all is being closed. */
void asq_shutdown_hurry(struct asq_shutdown *shutdown);

/* Writes one line that says what was forgotten or cut short on this connection
 * ("reports: 1 hold not ended, 2 statements not released, 1 transaction rolled
 * back, 3 requests cancelled, 12 frames left in the WAL"); it is cut if it does
 * not fit. Returns false, and an empty text, when there is nothing to say. From
 * on_down on, as long as the connection's memory is there. */
bool asq_shutdown_report(const struct asq_shutdown_part *part,
                         char *text,
                         size_t size);

#ifdef __cplusplus
}
#endif

#endif
