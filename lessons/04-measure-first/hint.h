/* hint - which loop of a query costs most, and what would help
 *
 * SQLite's plan names the loops. Indexes that might help are tried on a copy in
 * memory, if the file is small enough for that. The database is only read.
 *
 * Main's thread enters it. Depends on advise, measure and wants.
 */
#ifndef ASQ_HINT_H
#define ASQ_HINT_H

#include "04-measure-first/advise.h"
#include "04-measure-first/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_HINT_TEXT = 400
};

struct asq_hint {
    char loop[ASQ_HINT_TEXT]; /* the line of SQLite's plan that costs most, or
                                 "" */
    char help[ASQ_HINT_TEXT]; /* what to do about it, in one line or two */
};

/* Looks for both, for a query that was measured and does too much for this
 * reason. What it cannot find out stays "". It takes at most two seconds, and
 * memory for a copy of at most 64 MiB. */
void asq_hint_find(const struct asq_measure *measure,
                   enum asq_reason reason,
                   struct asq_hint *ret_hint);

#ifdef __cplusplus
}
#endif

#endif
