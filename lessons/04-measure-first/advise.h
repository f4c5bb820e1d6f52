/* advise - a verdict from measured figures
 *
 * It takes samples of one query, asked in three ways and in several rounds, and
 * what SQLite counted while the query ran. It returns a verdict, the figures
 * that decided, and how sure it is. The functions depend on their arguments
 * alone: they use no clock, no database and no memory of their own, and print
 * nothing. Any thread may call them. Depends on nothing.
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
    ASQ_UNDECIDED, /* blocking was not measured, or a figure is not a number */
    ASQ_TOO_BUSY,  /* other programs, or chance, decided and not the query */
    ASQ_FIX_QUERY, /* it does too much, in whatever way you wait for it */
    ASQ_STAY_SYNC, /* call it where you need the answer */
    ASQ_HAND_OFF,  /* let a thread call it; the code stays as it is */
    ASQ_EVENT_LOOP /* submit it and take the answer in a callback */
};

enum asq_reason {
    ASQ_NOT_MEASURED,
    ASQ_DISTURBED,    /* other programs had the processor */
    ASQ_DIFFERS,      /* the rounds do not agree */
    ASQ_SCANS,        /* it reads many rows to return few */
    ASQ_BUILDS_INDEX, /* it makes an index for itself, each time */
    ASQ_SORTS,        /* it sorts many rows to return few */
    ASQ_MANY_STEPS,   /* it takes many steps for each row, for another reason */
    ASQ_SHORT,        /* nobody notices the wait, and nothing is faster */
    ASQ_NO_GAIN,      /* users notice it, but no measured way is better */
    ASQ_STALL,        /* the main thread stands still for too long */
    ASQ_THROUGHPUT    /* several at once get more done */
};

/* One way of asking. If it has no samples, it was not measured. */
struct asq_advise_way {
    const uint64_t *samples_ns; /* each from "ready" to "answered", any order */
    size_t count;
    double per_s;      /* queries answered in a second */
    uint64_t stall_ns; /* longest gap between beats of the main thread */
};

/* What SQLite counted in one run of the statement, and what kind of statement
 * it is. */
struct asq_advise_plan {
    uint64_t scan_steps; /* SQLITE_STMTSTATUS_FULLSCAN_STEP */
    uint64_t sorts;      /* SQLITE_STMTSTATUS_SORT */
    uint64_t auto_index; /* SQLITE_STMTSTATUS_AUTOINDEX: rows put into one */
    uint64_t vm_steps;   /* SQLITE_STMTSTATUS_VM_STEP */
    uint64_t rows;       /* returned, or changed */
    unsigned columns;    /* of each row */
    bool sums; /* it is an aggregate without a condition that drops rows: it
                  must read what it was asked to add up */
};

/* One round. */
struct asq_advise_samples {
    struct asq_advise_way blocking;
    struct asq_advise_way threads;
    struct asq_advise_way loop;
    unsigned in_flight; /* how many are ready at once */
    uint64_t took_ns;   /* how long all of blocking took */
    uint64_t lost_ns;   /* of that: it was ready to run, but other programs had
                           the processor; 0: none, or not known */
};

/* Where one verdict ends and the next begins. */
struct asq_advise_limits {
    bool as_it_is;         /* judge only the waiting, not the query */
    uint64_t short_ns;     /* a wait up to this need not become shorter */
    uint64_t stall_ns;     /* how long the main thread may stand still */
    double gain;           /* this many times the throughput is a gain */
    double lost;           /* a share of other programs that may hide a gain */
    unsigned few;          /* in flight: up to this many have a thread each */
    uint64_t scan_steps;   /* fewer rows are not worth an index */
    double scan_per_row;   /* rows read for each returned: more are too many */
    uint64_t steps;        /* of SQLite's machine: fewer are not noticed */
    uint64_t sum_steps;    /* the same for an aggregate */
    double steps_per_row;  /* for each row that is returned */
    double steps_per_cell; /* in addition, for each of its columns */
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
    uint64_t wait_ns;  /* blocking: half of the users wait up to this long */
    uint64_t still_ns; /* blocking: in 99 of 100 cases the main thread stands
                          still no longer than this */
    unsigned rounds;   /* that count, because they were not disturbed */
    unsigned agreed;   /* of these: alone they would give the same verdict */
    unsigned disturbed;
    char why[ASQ_ADVICE_TEXT];  /* the reason with its figures, a sentence */
    char sure[ASQ_ADVICE_SURE]; /* as in "sure: 5 of 5 rounds" */
};

/* Returns the limits of the course. advise.c says where each comes from. */
struct asq_advise_limits asq_advise_limits_default(void);

/* Judges the medians of the rounds. It looks at the plan first, because a query
 * that does too much is slow in every way, and steps are counted, not timed.
 * Rounds in which other programs decided are left out. If they are half of the
 * rounds or more, or if no more than half of the other rounds agree, the
 * verdict is ASQ_TOO_BUSY. limits NULL: the default ones. A plan of zeros says
 * nothing against the query. */
void asq_advise(const struct asq_advise_samples *rounds,
                size_t count,
                const struct asq_advise_plan *plan,
                const struct asq_advise_limits *limits,
                struct asq_advice *ret_advice);

/* Returns whether the verdict of this round would be different without the time
 * that other programs took. Such a round should be measured again. limits as
 * above. */
bool asq_advise_disturbed(const struct asq_advise_samples *round,
                          const struct asq_advise_limits *limits);

/* Returns the nearest-rank percentile: the smallest sample that at least
 * percent of all samples do not exceed. The samples may be in any order and are
 * not changed. percent is in (0, 100]; a number outside is taken as the nearest
 * end. Returns 0 if there are no samples. */
uint64_t
asq_percentile_ns(const uint64_t *samples_ns, size_t count, double percent);

/* Returns "stay sync", "hand off", "event loop", "fix the query first", "the
 * machine is too busy to tell" or "undecided". */
const char *asq_verdict_name(enum asq_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif
