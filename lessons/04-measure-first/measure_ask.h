/* measure_ask - runs the statement of a measurement once
 *
 * It steps through the rows and reads each cell, but keeps nothing, because a
 * result may be larger than memory. A write is undone inside its transaction,
 * which then commits: that costs as many writes and syncs as the statement
 * alone would, and the next run finds the same rows.
 *
 * Any thread enters it, with a connection of its own. Depends on measure and
 * on stmt of lesson 01.
 */
#ifndef ASQ_MEASURE_ASK_H
#define ASQ_MEASURE_ASK_H

#include "04-measure-first/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Finds out what kind of statement it is: sets measure->kind, and the fields of
 * measure->plan that are known before it runs. Runs nothing. Returns as
 * asq_measure_blocking, with measure->message. */
int asq__measure_look(struct asq_measure *measure, struct asq_db *db);

/* Runs it once. params may be NULL. ret_plan (may be NULL) gets what SQLite
 * counted, if it is the first run on this connection. Returns 0, UV_ETIMEDOUT
 * or an SQLITE_* code with one line in message. */
int asq__measure_ask(const struct asq_measure *measure,
                     struct asq_db *db,
                     const struct asq_params *params,
                     struct asq_advise_plan *ret_plan,
                     char message[ASQ_MESSAGE_SIZE]);

/* Makes the connection look at the deadline, if there is one. */
void asq__measure_watch(const struct asq_measure *measure, struct asq_db *db);

#ifdef __cplusplus
}
#endif

#endif
