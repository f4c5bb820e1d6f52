/* request - what is asked of a connection, and its answer
 *
 * Embedded by the caller, who owns the memory. Two threads hold a request in
 * turn: the loop until it is submitted, the worker until it is posted, then
 * the loop again; the lock of the worker orders the turns. Only `cancelled`
 * is touched by both at once.
 */
#ifndef ASQ_REQUEST_H
#define ASQ_REQUEST_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "01-blocking/result.h"
#include "03-event-loop/work.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h> /* the codes of a status */

#ifdef __cplusplus
extern "C" {
#endif

struct asq_hold;
struct asq_request;

/* status is 0; UV_ECANCELED: it never ran (cancelled, or the connection
 * closes); SQLITE_INTERRUPT: cancelled while it ran, and undone;
 * UV_ETIMEDOUT: the deadline passed, timed_out_in says where, and it is
 * undone; UV_ESHUTDOWN: it never ran, the database is not open (see message);
 * or any other SQLITE_* extended code. */
typedef void (*asq_done_cb)(struct asq_request *request, int status);

/* Runs on the worker; may use db and the request's result and message as it
 * likes. Returns the status: 0 or an SQLITE_* code of db. It releases every
 * statement that it prepares, unless a hold keeps others away. */
typedef int (*asq_call_cb)(struct asq_db *db, struct asq_request *request);

/* Where a request was when its deadline passed. */
enum asq_place {
    ASQ_PLACE_NONE,
    ASQ_PLACE_QUEUE,
    ASQ_PLACE_LOCK,
    ASQ_PLACE_RUNNING
};

enum asq_priority {
    ASQ_PRIORITY_NORMAL,
    ASQ_PRIORITY_URGENT /* before what is normal and still waits; not into a
                           hold, and not before what the worker has taken */
};

struct asq_request {
    /* public: set by the caller before submit */
    void *data;
    unsigned timeout_ms; /* from submit until answered; 0: no deadline */
    enum asq_priority priority;
    struct asq_hold *hold; /* NULL: none */
    /* read-only: valid when the callback begins */
    enum asq_place timed_out_in;
    int outcome_unknown; /* 1: a commit failed with an I/O error; whether it
                            happened shows when the database is reopened */
    struct asq_result result;
    uint64_t started_ns, ended_ns; /* uv_hrtime; 0 if it never ran */
    /* private: set by submit, then the worker's until finished */
    struct asq_work work;
    const char *sql;
    struct asq_params params;
    asq_call_cb call;
    asq_done_cb on_done;
    uint64_t deadline_ns;
    int status;
    /* private: loop thread only */
    bool pending; /* submitted, its callback has not begun */
    /* private: set by the loop, read by the worker */
    atomic_bool cancelled;
    /* read-only: valid when the callback begins; last, so that the fields that
     * go from thread to thread lie close together */
    char message[ASQ_MESSAGE_SIZE]; /* one line when status is not 0 */
};

/* Makes a request ready for its first submit. */
void asq_request_init(struct asq_request *request);

/* Frees the result. Not while the request is pending. Accepts NULL. */
void asq_request_destroy(struct asq_request *request);

/* Asks that a pending request be stopped; its callback says what came of it.
 * One that waits is not run; one that runs is interrupted, unless it is done
 * before it notices. Harmless when nothing is pending. */
void asq_request_cancel(struct asq_request *request);

/* Returns what is left until a deadline (uv_hrtime; 0: none) as the timeout_ms
 * of a request that is submitted now: rounded up, 1 if it has passed, 0 if
 * there is none. Any thread. */
unsigned asq_time_left_ms(uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
