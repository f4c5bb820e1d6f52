/* queue_state - the structs of a queue, of its jobs and of what is put
 *
 * They are apart from queue so that its parts can share them. Everything
 * belongs to the loop thread; only a request is the worker's while it is
 * pending. Depends on conn of lesson 03 and tx of lesson 07.
 */
#ifndef ASQ_QUEUE_STATE_H
#define ASQ_QUEUE_STATE_H

#include "01-blocking/params.h"
#include "01-blocking/value.h"
#include "03-event-loop/conn.h"
#include "07-transactions/tx.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_put;
struct asq_queue;
struct asq_queue_job;

enum {
    ASQ_LOST = -5000, /* a status of its own, outside the UV_E* codes: the job
                         is not the caller's any more */
    ASQ_PAYLOAD_MAX = 1048576, /* bytes of a payload: put what is larger into a
                                  table of your own, and its id into the job */
    ASQ_WORKER_SIZE = 40       /* of a worker's name */
};

/* The states of a job, as the table has them. */
enum asq_queue_state {
    ASQ_QUEUE_READY,
    ASQ_QUEUE_DELAYED,
    ASQ_QUEUE_RUNNING,
    ASQ_QUEUE_DONE,
    ASQ_QUEUE_DEAD
};

typedef void (*asq_queue_cb)(struct asq_queue *queue);

/* For on_open: status is 0, or the code for which the tables could not be made,
 * with queue->message. */
typedef void (*asq_queue_open_cb)(struct asq_queue *queue, int status);

/* Something that the queue does by itself has failed, and will be tried again:
 * to claim, to extend leases, to store how a job ended. The message is borrowed
 * for the call. */
typedef void (*asq_queue_error_cb)(struct asq_queue *queue,
                                   int status,
                                   const char *message);

/* For on_job and on_lost. */
typedef void (*asq_job_cb)(struct asq_queue_job *job);

/* How a job ended is stored. status is 0, and `became` says what it is now;
 * ASQ_LOST: nothing was changed, because the job is not yours any more; or
 * UV_ECANCELED: the queue was closed before it could be stored. The lane is
 * free when the callback has returned. */
typedef void (*asq_job_end_cb)(struct asq_queue_job *job, int status);

/* The put is committed, or was not done. status is 0; UV_ENOBUFS: the queue is
 * full; or as in request.h. The message is that of put->step.request. */
typedef void (*asq_put_cb)(struct asq_put *put, int status);

/* The same inside a transaction, where it is not committed yet; the result is
 * that of asq_tx_cb: return 0 to go on. */
typedef int (*asq_put_step_cb)(struct asq_put *put, int status);

/* Internal: a statement of the queue with its parameters. */
struct asq__queue_ask {
    struct asq_request request; /* its data is the queue, or the job */
    struct asq_value values[8];
    struct asq_params params;
};

/* A job to put. Embedded by the caller. */
struct asq_put {
    /* public: set between init and submit; what it points to is borrowed until
     * the callback begins */
    void *data;
    const void *payload;   /* NULL: none */
    size_t size;           /* of the payload in bytes */
    const char *key;       /* unique among the unfinished jobs of the queue: if
                              there is one of that key already, nothing is put.
                              NULL: none */
    int priority;          /* higher ones are claimed first: 0 */
    uint64_t delay_ms;     /* not claimed before, by the wall clock: 0 */
    unsigned max_attempts; /* then it is dead; 0: that of the queue */
    /* read-only: valid when the callback begins with status 0 */
    int64_t id;
    bool already; /* id is that of an unfinished job with the same key */
    /* For asq_request_cancel, outcome_unknown and the message; of a plain put
     * also timeout_ms, which is set before submit. */
    struct asq_tx_step step;
    /* private: loop thread only */
    struct asq_queue *queue;
    struct asq_value values[8];
    int64_t due_ms; /* by the wall clock; 0: at once */
    bool returning; /* the answer has a row, or the queue is full */
    asq_put_cb on_put;
    asq_put_step_cb on_step;
};

enum asq_job_place {
    ASQ_JOB_FREE,
    ASQ_JOB_LOADED, /* claimed; on_job has not been called */
    ASQ_JOB_HELD,   /* by the caller, from on_job on */
    ASQ_JOB_ENDING  /* what became of it is being stored */
};

/* A lane: the place for one job at a time. An array of them is the caller's. */
struct asq_queue_job {
    /* public: it stays as it is from job to job */
    void *data;
    /* read-only: from on_job until on_ended has returned */
    struct asq_queue *queue;
    int64_t id;
    int64_t attempt; /* 1 for the first. With the id it is the token of this
                        claim, and it only grows: whoever stores the effect of a
                        job elsewhere can refuse a smaller one */
    int64_t max_attempts;
    int priority;
    const void *payload; /* followed by a zero byte */
    size_t size;
    bool lost;                   /* on_lost was called */
    enum asq_queue_state became; /* valid in on_ended with status 0 */
    /* private: loop thread only */
    enum asq_job_place place;
    uint64_t lease_ms; /* when it is over */
    bool in_beat;      /* held when the pending heartbeat was submitted */
    bool gone;         /* the database says that it is not ours */
    int64_t due_ms;    /* of a retry */
    char *block;       /* the bytes of the payload */
    const char *sql;   /* of the end */
    size_t count;      /* of its parameters */
    struct asq__queue_ask ask;
    asq_job_end_cb on_ended; /* or NULL */
};

/* What a queue has done since it was opened. */
struct asq_queue_stats {
    uint64_t claims;   /* statements */
    uint64_t jobs;     /* claimed */
    uint64_t ended;    /* stored by done, retry and dead */
    uint64_t lost;     /* of those that were held: told by on_lost */
    uint64_t too_late; /* ends that were answered with ASQ_LOST */
    uint64_t given_back, promoted, rescued; /* jobs */
    uint64_t beats;                         /* heartbeats */
    uint64_t looks;                         /* at the table, without a claim */
    uint64_t errors;
};

struct asq_queue {
    /* public: set between init and open */
    void *data;
    unsigned lease_ms;     /* 30,000 */
    unsigned poll_ms;      /* how long it sleeps at most: 1,000 */
    unsigned max_attempts; /* of a job: 5 */
    size_t bound;          /* most unfinished jobs; 0: any number. Triggers keep
                              their number: they stay in the file, and make
                              the puts of all its queues a little dearer */
    bool durable; /* puts and ends, in a store of lesson 13: true. Claims are
                     not: after a power cut a job may be ready again, and the
                     number of that attempt come again */
    asq_job_cb on_lost;          /* or NULL */
    asq_queue_error_cb on_error; /* or NULL */
    uint64_t (*now_ms)(void);    /* the machine's monotonic clock, the same for
                                    all processes; NULL: uv_hrtime */
    int64_t (*wall_ms)(void);    /* since 1970; NULL: the real one */
    const char *boot; /* tells one run of the machine from the next; NULL: the
                         system's own. Empty if it has none: then a lease that
                         was running at a restart ends only when the clock has
                         come that far again */
    /* read-only */
    char message[ASQ_MESSAGE_SIZE]; /* why open failed */
    struct asq_queue_stats stats;
    char worker[ASQ_WORKER_SIZE]; /* the process id, and a random number */
    /* private: loop thread only */
    struct asq_conn *conn;
    const char *name;
    struct asq_queue_job *jobs; /* NULL: it does not work */
    size_t lanes, free_lanes;
    asq_job_cb on_job;
    uv_timer_t timer;
    struct asq__queue_ask open, promote, rescue, claim, next, beat, back;
    size_t pending;        /* requests, also those of puts, ends and prunes */
    bool wanted;           /* something has happened since the last claim was
                              submitted that may have made a job ready */
    bool trouble;          /* something has failed: wait for the timer */
    int refused;           /* what submit said last, until the timer tells it */
    size_t claim_most;     /* jobs at a time: fewer if a result was too big */
    unsigned round;        /* of claims */
    int64_t next_due_ms;   /* of a delayed job; INT64_MAX: none known */
    int64_t next_lease_ms; /* of another worker; INT64_MAX: none known */
    uint64_t look_at_ms;   /* by the time of the loop */
    uint64_t beat_ms;      /* the lease that the pending heartbeat gives */
    uint64_t beat_again_ms; /* not before */
    bool beat_refused;      /* the conn has no room: with the next answer */
    bool must_close;        /* open returned 0, on_closed has not been called */
    bool draining, over;    /* the time for draining is over */
    bool drained;
    uint64_t drain_end_ms;
    bool closing, timer_closing;
    asq_queue_open_cb on_open;
    asq_queue_cb on_drained, on_closed;
};

#ifdef __cplusplus
}
#endif

#endif
