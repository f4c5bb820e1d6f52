/* db_open - a connection is opened as its profile says
 *
 * Programs call asq_db_open (db). The calling thread becomes the owner of the
 * connection. Depends on db, db_settings and db_tidy.
 */
#ifndef ASQ_DB_OPEN_H
#define ASQ_DB_OPEN_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Internal to the modules. As asq_db_open, but with the watch (or NULL) set
 * from the start: it is also asked while opening waits for a lock, and ends
 * that with SQLITE_BUSY or SQLITE_INTERRUPT. It stays set once the database is
 * open. */
int asq__db_open(struct asq_db *db,
                 const struct asq_profile *profile,
                 asq_watch_cb watch,
                 void *data);

#ifdef __cplusplus
}
#endif

#endif
