/* ex_counters - many callers add to counters, and one flush writes for them
 *
 * The decisions: which adds are accepted, what is written, and who is told what
 * and when. The contract, and what is given, is in ex_counters.h.
 */
#include "ex_counters.h"

#include <string.h>

/* Adds the amount to the counter, if its limits allow that. Which numbers may
 * be compared without leaving 64 bits? Returns 0 or UV_ERANGE. */
static int decide(struct ex_add *add, struct ex_counter *counter)
{
    /* Your code. */
    return UV_ERANGE;
}

/* Reads the counter of this add, decides about all adds for it, from this one
 * to the end of the group, and writes the counter once. Returns 0, or the code
 * with which SQLite has failed. */
static int add_up(sqlite3 *db, struct ex_add *first)
{
    /* Your code. */
    return SQLITE_ERROR;
}

/* From BEGIN to the last callback. What is true of an add once its callback has
 * begun? */
void ex_counters_flush(struct ex_counters *counters)
{
    /* Your code. */
}
