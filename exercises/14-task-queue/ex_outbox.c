/* ex_outbox - a message is written with the order, and takes effect once
 *
 * The contract, and what is given, is in ex_outbox.h.
 */
#include "ex_outbox.h"

/* The statements. */
/* Your code. */

/* What if the caller has not begun a transaction? */
int ex_outbox_put(sqlite3 *db,
                  const struct ex_message *message,
                  int64_t *ret_id)
{
    /* Your code. */
    return SQLITE_ERROR;
}

/* Four steps. What does the outbox say if the relay is killed after each? */
int ex_relay_next(struct ex_relay *relay)
{
    /* Your code. */
    return SQLITE_ERROR;
}

/* Was it received before? */
int ex_receive(sqlite3 *db, const struct ex_message *message)
{
    /* Your code. */
    return SQLITE_ERROR;
}
