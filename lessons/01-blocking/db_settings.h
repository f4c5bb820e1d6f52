/* db_settings - the settings of a profile are applied and read back
 *
 * Internal to 01: called by db_open, on the thread that owns the connection.
 * Depends on db.
 */
#ifndef ASQ_DB_SETTINGS_H
#define ASQ_DB_SETTINGS_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets what the profile asks for, the journal mode first, and reads what is in
 * force into db. Waits for locks as the connection does. Returns 0, or a code
 * for which SQLite's handle has the message. */
int asq__db_set(struct asq_db *db, const struct asq_profile *profile);

#ifdef __cplusplus
}
#endif

#endif
