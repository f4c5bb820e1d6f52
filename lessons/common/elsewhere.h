/* elsewhere - what other programs find in a database
 *
 * To find out what is really in a database, a program asks through a connection
 * that shares nothing with its own: no cache, no transaction.
 *
 * Any thread may call it. It waits for up to five seconds for a lock. Depends
 * on SQLite only.
 */
#ifndef COMMON_ELSEWHERE_H
#define COMMON_ELSEWHERE_H

#include <stddef.h>
#include <stdint.h>

/* Opens the file, making it if it does not exist, runs SQL (several statements
 * if need be) and closes it. ret_number (may be NULL) gets the first cell of
 * the last row, or 0 if there is no row. Returns 0, or an extended SQLITE_*
 * code with one line in message. */
int asq_ask_elsewhere(const char *path,
                      const char *sql,
                      int64_t *ret_number,
                      char *message,
                      size_t size);

#endif
