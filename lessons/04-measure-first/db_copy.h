/* db_copy - a copy of a database that may be in use
 *
 * One thread enters it. Depends on SQLite and the C library. Lesson 19 says
 * what a backup needs beyond this.
 */
#ifndef ASQ_DB_COPY_H
#define ASQ_DB_COPY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Copies the database at from to the new file at to. A file of that name is
 * replaced, with its -wal, -shm and -journal. Only its owner may read or write
 * the copy, even if others may read the original. If a lock or a read-only
 * folder keeps SQLite from reading the original, the bytes of its files are
 * copied and *ret_raw is true. Such a copy is broken if another program wrote
 * meanwhile, and its errors show when it is used. Returns 0, or an SQLITE_*
 * code or a negative errno with one line in message. */
int asq_db_copy(const char *from,
                const char *to,
                bool *ret_raw,
                char *message,
                size_t size);

/* Removes the file and those that SQLite puts beside it, if they exist. The
 * database must not be open. Returns 0 or a negative errno. */
int asq_db_remove(const char *path);

#ifdef __cplusplus
}
#endif

#endif
