/* claims - what a lesson says of the claims that it settles
 *
 * A claim has an id (docs/claims.md says who made it), a verdict, the ratio
 * that decided, and a sentence with what was measured. The verdict is decided
 * by the program from its own figures, never written down beforehand.
 *
 * One thread enters it. Depends on json and options.
 */
#ifndef COMMON_CLAIMS_H
#define COMMON_CLAIMS_H

#include "common/options.h"

#include <stddef.h>

enum {
    ASQ_CLAIM_TEXT = 240
};

struct asq_claim {
    const char *id;
    const char *verdict; /* "holds", "holds if ...", "wrong" */
    double measured;     /* a ratio */
    char text[ASQ_CLAIM_TEXT];
};

/* Fills in a claim. text is formatted as by printf, and cut if too long. It is
 * broken where it has a '\n', so that its lines do not depend on the figures;
 * they are at most 76 columns long. */
void asq_claim_set(struct asq_claim *claim,
                   const char *id,
                   const char *verdict,
                   double measured,
                   const char *text,
                   ...) __attribute__((format(printf, 5, 6)));

/* Prints the claims, and writes them to options->json where that is wanted: an
 * array of objects with the keys claim, verdict, measured and text. Returns the
 * exit status: 0, or 1 after one line on stderr. */
int asq_claims_report(const struct asq_claim *claims,
                      size_t count,
                      const struct asq_options *options);

#endif
