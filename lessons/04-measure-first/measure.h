/* measure - asks one query many times in one way
 *
 * A number of users, in_flight, ask at once, and each asks again as soon as it
 * has its answer, until there are enough samples or the time is up. The first
 * run is different: it opens the database and finds no page in memory. It also
 * shows how long one query takes, so that a slow query is not asked more often
 * than the time allows.
 *
 * Main's thread enters it. measure_ask runs the query once; measure_threads and
 * measure_loop are the other ways. Depends on advise, on db and params of
 * lesson 01, and on libuv for the clock.
 */
#ifndef ASQ_MEASURE_H
#define ASQ_MEASURE_H

#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "04-measure-first/advise.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A query ran on lane 0, which is main's, or on the lane of a connection, from
 * 1 on. Called on the thread that ran it, or on main's. */
typedef void (*asq_query_cb)(void *data,
                             unsigned lane,
                             uint64_t begin_ns,
                             uint64_t end_ns);

/* The first run took one_ns; at least least_ns more are to come. */
typedef void (*asq_first_cb)(void *data, uint64_t one_ns, uint64_t least_ns);

/* What kind of statement it is, which decides how it is run. */
enum asq_measure_kind {
    ASQ_MEASURE_QUERY,
    ASQ_MEASURE_WRITE, /* in a transaction, undone before its COMMIT: each run
                          finds the same rows, and the COMMIT is measured */
    ASQ_MEASURE_PLAIN  /* PRAGMA, VACUUM: run as it is, again and again */
};

struct asq_measure {
    /* public: set before; all that they point to is borrowed */
    struct asq_profile profile;
    const char *sql;
    const struct asq_params *params; /* rows of values, used in turn */
    size_t params_count;             /* 0: none */
    bool may_write;                  /* false: only queries are accepted */
    unsigned in_flight;              /* how many users, at least 1; see below */
    size_t requests;       /* of each way, in all rounds; at least 1 */
    uint64_t budget_ns;    /* of each way, in all rounds; what has begun is
                              finished */
    uint64_t deadline_ns;  /* by uv_hrtime: then it is interrupted; 0: none */
    unsigned rounds;       /* wanted, 0 is one; see below */
    asq_query_cb on_query; /* or NULL */
    asq_first_cb on_first; /* or NULL */
    void *data;
    /* read-only: found by the blocking way, which comes first */
    enum asq_measure_kind kind;
    bool counted;    /* plan has its steps; false for PRAGMA, CREATE, ANALYZE
                        and the like, whose work is intended */
    uint64_t one_ns; /* how long one query takes, without opening */
    bool slow;       /* twice that is more than the budget: it is asked once in
                        each way, and in_flight and rounds are as the budget
                        allows */
    struct asq_advise_plan plan;    /* of one run */
    char message[ASQ_MESSAGE_SIZE]; /* one line when something failed */
    /* private: main's thread */
    size_t turn; /* which row of values is next; goes on from way to way */
};

/* What one way has shown. */
struct asq_measured {
    unsigned connections;
    uint64_t *samples_ns; /* from "ready" to "answered" */
    size_t count;
    uint64_t first_ns; /* until all connections were open and had answered */
    uint64_t took_ns;  /* all samples together */
    uint64_t stall_ns; /* longest gap between beats of main */
    uint64_t lost_ns;  /* blocking: main was ready to run, but other programs
                          had the processor; estimated from its switches */
    /* private */
    size_t capacity;
    size_t asked;
    bool large_results; /* one did not fit into memory: rows are not kept */
    uint64_t *ready_ns; /* since when each user has been waiting */
    uint64_t begin_ns, beat_ns;
};

/* Asks on the calling thread, one query after another. Returns 0, or a UV_E* or
 * SQLITE_* code with measure->message, among them
 *   SQLITE_READONLY  it is not a query, and may_write is false
 *   SQLITE_MISUSE    it means nothing alone (BEGIN, ATTACH)
 *   SQLITE_RANGE     values and parameters do not agree
 *   UV_ETIMEDOUT     the deadline passed
 * The caller destroys ret_measured in any case. */
int asq_measure_blocking(struct asq_measure *measure,
                         struct asq_measured *ret_measured);

/* Frees the samples. Accepts NULL and a zeroed one. */
void asq_measured_destroy(struct asq_measured *measured);

/* Returns it in the form of asq_advise; the samples are borrowed. */
struct asq_advise_way asq_measured_way(const struct asq_measured *measured);

/* Internal to measure*: keeps the message and returns code. */
int asq__measure_fail(struct asq_measure *measure, int code, const char *text);
/* Makes room for the samples. Returns 0 or UV_ENOMEM. */
int asq__measure_begin(const struct asq_measure *measure,
                       unsigned connections,
                       struct asq_measured *ret_measured);
/* Begins to count: all users ask at this moment. */
void asq__measure_start(const struct asq_measure *measure,
                        struct asq_measured *measured);
/* Keeps the sample of a user that got its answer at end_ns and is ready to ask
 * again. */
void asq__measure_answered(struct asq_measured *measured,
                           unsigned user,
                           uint64_t end_ns);
/* Returns the values of the next query, or NULL if it has none. Main's thread.
 */
const struct asq_params *asq__measure_next(struct asq_measure *measure);
/* Returns whether count more may be asked, and counts them. */
bool asq__measure_again(const struct asq_measure *measure,
                        struct asq_measured *measured,
                        unsigned count);
/* Notes that main is alive. Main's thread. */
void asq__measure_beat(struct asq_measured *measured);

#ifdef __cplusplus
}
#endif

#endif
