/* claims - what a lesson says of the claims that it settles
 *
 * A claim has an id (docs/claims.md says who made it), a verdict, the figure
 * that decided, and a sentence that says what was measured. The program decides
 * the verdict from its own figures; it is never written down beforehand.
 *
 * What is counted is the same on every machine. What is timed is not: while
 * other programs have the processor, a time says nothing. So a claim that rests
 * on times is measured in several runs, and asq_claim_timed looks at how many
 * of them were disturbed.
 *
 * One thread enters it. Depends on clock, json and options.
 */
#ifndef COMMON_CLAIMS_H
#define COMMON_CLAIMS_H

#include "common/options.h"

#include <stddef.h>

#define ASQ_CLAIM_TOO_BUSY "too busy to tell"

enum {
    ASQ_CLAIM_TEXT = 400,
    ASQ_CLAIM_RUNS = 16 /* more are not kept */
};

struct asq_claim {
    const char *id;
    const char *verdict; /* "holds", "holds if ...", "wrong" */
    double measured;     /* a ratio or a share */
    double low, high;    /* of that ratio in several runs, or NAN */
    char text[ASQ_CLAIM_TEXT];
};

/* Runs of what is compared by time. Zeroed before the first one. */
struct asq_claim_runs {
    double ratios[ASQ_CLAIM_RUNS]; /* of the calm ones */
    unsigned calm;
    unsigned disturbed; /* others had the processor */
};

struct asq_claim_words {
    char text[48];
};

/* Fills in a claim. text is formatted as by printf, and cut if it is too long.
 * It is broken where it has a '\n', so that its lines do not depend on the
 * figures; they are at most 76 columns long. docs/claims.md has the same words,
 * so it says nothing in words that may differ from run to run. */
void asq_claim_set(struct asq_claim *claim,
                   const char *id,
                   const char *verdict,
                   double measured,
                   const char *text,
                   ...) __attribute__((format(printf, 5, 6)));

/* Adds a run, and finds out whether the processor was free: it works for some
 * milliseconds and compares the clock with the time that the processor gave.
 * ratio is NAN where a run has none. */
void asq_claim_runs_add(struct asq_claim_runs *runs, double ratio);

/* Return the median, the lowest and the highest ratio of the calm runs, or NAN
 * if there are none. */
double asq_claim_runs_median(const struct asq_claim_runs *runs);
double asq_claim_runs_low(const struct asq_claim_runs *runs);
double asq_claim_runs_high(const struct asq_claim_runs *runs);

/* Says, after asq_claim_set, that the claim rests on the times of these runs:
 * fills in low and high, or, if half of the runs or more were disturbed, calls
 * asq_claim_busy. A claim that rests on several is told so for each, last for
 * the ratio that it is about. */
void asq_claim_timed(struct asq_claim *claim,
                     const struct asq_claim_runs *runs);

/* Says, after asq_claim_set, how many of its runs were disturbed: if any was,
 * the claim cannot be told, and its verdict becomes ASQ_CLAIM_TOO_BUSY. */
void asq_claim_busy(struct asq_claim *claim, unsigned disturbed, unsigned runs);

/* Says how many of them as people do: "all 8", "none of the 8", "5 of the 8".
 * The text is there until the end of the expression that calls it. */
struct asq_claim_words asq_claim_count(long count, long all);

/* Prints the claims, and writes them to options->json where that is wanted: an
 * array of objects with the keys claim, verdict, measured, low, high and text.
 * Returns the exit status: 0, or 1 after one line on stderr. */
int asq_claims_report(const struct asq_claim *claims,
                      size_t count,
                      const struct asq_options *options);

/* Internal to claims: keep a run in which this share of the time was left to
 * the program. */
void asq__claim_runs_keep(struct asq_claim_runs *runs,
                          double ratio,
                          double share);

#endif
