/* own_copy - a copy of a database that is removed, whatever happens
 *
 * The copy is named after this process. It is removed when the program ends,
 * even by Ctrl-C or another signal that can be handled. The copy of a process
 * that was killed is removed by the next one.
 *
 * Main's thread enters it; there is one copy at a time in a process. Depends
 * on db_copy and POSIX.
 */
#ifndef ASQ_OWN_COPY_H
#define ASQ_OWN_COPY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Copies the database at from into folder, which exists and ends with '/', as
 * asq_db_copy does, and removes copies that ended processes have left there.
 * Returns as asq_db_copy. After 0 you must call asq_own_copy_remove; *ret_path
 * is valid until then. */
int asq_own_copy_make(const char *from,
                      const char *folder,
                      const char **ret_path,
                      bool *ret_raw,
                      char *message,
                      size_t size);

/* Removes the copy, which must not be open. Does nothing if there is none. */
void asq_own_copy_remove(void);

#ifdef __cplusplus
}
#endif

#endif
