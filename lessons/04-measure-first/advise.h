/* advise - a verdict from what was measured
 *
 * Samples of three ways of asking the same query, in several rounds, and what
 * SQLite counted while it ran, become a verdict with the figures that decided,
 * and with how sure it is. Functions of their arguments alone: no clock, no
 * database, no memory of their own, and nothing is printed. Any thread may
 * call them. Depends on nothing.
 */
#ifndef ASQ_ADVISE_H
#define ASQ_ADVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum asq_verdict {
    ASQ_UNDECIDED, /* blocking was not measured, or a figure is no number */
    ASQ_TOO_BUSY,  /* other programs, or chance, decided and not the query */
    ASQ_FIX_QUERY, /* whoever waits for it, it does too much */
    ASQ_STAY_SYNC, /* call it where you need the answer */
    ASQ_HAND_OFF,  /* to a thread; the code stays as it is */
    ASQ_EVENT_LOOP /* submit it and take the answer in a callback */
};

enum asq_reason {
    ASQ_NOT_MEASURED,
    ASQ_DISTURBED,    /* other programs had the processor */
    ASQ_DIFFERS,      /* the rounds do not agree */
    ASQ_SCANS,        /* it reads many rows to return few */
    ASQ_BUILDS_INDEX, /* it makes an index for itself, each time */
    ASQ_SORTS,        /* it sorts many rows to return few */
    ASQ_MANY_STEPS,   /* it takes many steps for each row, in another way */
    ASQ_SHORT,        /* nobody notices the wait, and nothing is faster */
    ASQ_NO_GAIN,      /* one notices, but no way that was measured is better */
    ASQ_STALL,        /* the main thread stands still for too long */
    ASQ_THROUGHPUT    /* several at once get more done */
};

/* One way of asking. Without samples it was not measured. */
struct asq_advise_way {
    const uint64_t *samples_ns; /* each from "ready" to "answered", any order */
    size_t count;
    double per_s;      /* queries answered in a second */
    uint64_t stall_ns; /* longest gap between beats of the main thread */
};

/* What SQLite counted in one run of the statement, and what kind it is. */
struct asq_advise_plan {
    uint64_t scan_steps; /* SQLITE_STMTSTATUS_FULLSCAN_STEP */
    uint64_t sorts;      /* SQLITE_STMTSTATUS_SORT */
    uint64_t auto_index; /* SQLITE_STMTSTATUS_AUTOINDEX: rows put into one */
    uint64_t vm_steps;   /* SQLITE_STMTSTATUS_VM_STEP */
    uint64_t rows;       /* returned, or changed */
    unsigned columns;    /* of each row */
    bool sums; /* an aggregate without a condition that drops rows: what it
                  reads is what it was asked to add up */
};

/* One round. */
struct asq_advise_samples {
    struct asq_advise_way blocking;
    struct asq_advise_way threads;
    struct asq_advise_way loop;
    unsigned in_flight; /* how many are ready at once */
    uint64_t took_ns;   /* all of blocking */
    uint64_t lost_ns;   /* of that: it could run, but others had the processor;
                           0: none, or not known */
};

/* Where one verdict ends and the next begins. */
struct asq_advise_limits {
    bool as_it_is;         /* the query is meant: only the waiting is judged */
    uint64_t short_ns;     /* who waits no longer need not be answered faster */
    uint64_t stall_ns;     /* how long the main thread may stand still */
    double gain;           /* so many times the throughput is a gain */
    double lost;           /* the share of others that may hide a gain */
    unsigned few;          /* in flight: as many threads can wait for them */
    uint64_t scan_steps;   /* fewer are not worth an index */
    double scan_per_row;   /* rows read for one returned: more are too many */
    uint64_t steps;        /* of the VM: fewer nobody notices */
    uint64_t sum_steps;    /* the same for what sums up */
    double steps_per_row;  /* of the VM, for one row that comes out */
    double steps_per_cell; /* that many more for each of its columns */
};

enum {
    ASQ_ADVICE_TEXT = 160,
    ASQ_ADVICE_SURE = 64,
    ASQ_ADVISE_ROUNDS = 16 /* more are not looked at */
};

struct asq_advice {
    enum asq_verdict verdict;
    enum asq_reason reason;
    double threads_gain; /* throughput, blocking being 1; 0: not measured */
    double loop_gain;
    uint64_t wait_ns;  /* what half of the users wait when it blocks */
    uint64_t still_ns; /* what the main thread stands still when it blocks */
    unsigned rounds;   /* that count: they were not disturbed */
    unsigned agreed;   /* of these: each for itself has the same verdict */
    unsigned disturbed;
    char why[ASQ_ADVICE_TEXT];  /* the reason with its figures, a sentence */
    char sure[ASQ_ADVICE_SURE]; /* as in "sure: 5 of 5 rounds" */
};

/* Returns the limits of the course. advise.c says where each comes from. */
struct asq_advise_limits asq_advise_limits_default(void);

/* Judges the medians of the rounds. The plan is looked at first: a query that
 * does too much is slow in every way, and steps are counted, not timed.
 * Rounds that other programs have decided are left out; when these are the
 * most, or when no more than half of the others agree, the verdict is
 * ASQ_TOO_BUSY. limits NULL: the default ones. A plan of zeros says nothing
 * against the query. */
void asq_advise(const struct asq_advise_samples *rounds,
                size_t count,
                const struct asq_advise_plan *plan,
                const struct asq_advise_limits *limits,
                struct asq_advice *ret_advice);

/* Says whether the verdict of this round would be another one without the
 * time that other programs took: then it should be measured again. limits as
 * above. */
bool asq_advise_disturbed(const struct asq_advise_samples *round,
                          const struct asq_advise_limits *limits);

/* Returns the nearest-rank percentile: the smallest sample that at least
 * percent of all samples do not exceed. samples are in any order and are left
 * so. percent is in (0, 100], what lies outside is taken as the nearest end;
 * without samples the answer is 0. */
uint64_t
asq_percentile_ns(const uint64_t *samples_ns, size_t count, double percent);

/* Returns "stay sync", "hand off", "event loop", "fix the query first", "the
 * machine is too busy to tell" or "undecided". */
const char *asq_verdict_name(enum asq_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif
