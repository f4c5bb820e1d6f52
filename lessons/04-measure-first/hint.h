/* hint - which loop of a query costs, and what would help
 *
 * SQLite's plan names the loops; which index would help is tried on a copy in
 * memory, where the file is small enough for it. The database is read only.
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

/* Looks for both, for a query that was measured and that does too much for
 * this reason. What cannot be found out is left out. Takes two seconds at
 * most, and the memory of a copy of at most 64 MiB. */
void asq_hint_find(const struct asq_measure *measure,
                   enum asq_reason reason,
                   struct asq_hint *ret_hint);

#ifdef __cplusplus
}
#endif

#endif
