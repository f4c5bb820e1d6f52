/* db_open - a connection is opened as its profile says
 *
 * The public way in is asq_db_open (db). The calling thread owns the
 * connection. Depends on db, db_settings and db_tidy.
 */
#ifndef ASQ_DB_OPEN_H
#define ASQ_DB_OPEN_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Internal to the modules. As asq_db_open, with the watch (or NULL) set from
 * the start: it is asked while opening waits for a lock, too, and ends it with
 * SQLITE_BUSY or SQLITE_INTERRUPT. It stays set once the database is open. */
int asq__db_open(struct asq_db *db,
                 const struct asq_profile *profile,
                 asq_watch_cb watch,
                 void *data);

#ifdef __cplusplus
}
#endif

#endif
