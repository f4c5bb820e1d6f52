/* own_db - the database, SQL and values that a user gives on the command line
 *
 * The database belongs to the user and may be in use. So it is opened for
 * reading only, or it is copied. Main's thread enters it. Depends on own_copy
 * and values, and on db of lesson 01.
 */
#ifndef ASQ_OWN_DB_H
#define ASQ_OWN_DB_H

#include "01-blocking/db.h"
#include "04-measure-first/values.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_own_db {
    /* public: set before; borrowed */
    const char *path; /* NULL: no database was given */
    const char *sql_file, *rows_file;
    const char *extension; /* to load into every connection; NULL: none */
    int on_a_copy;
    const char *folder; /* where to put a copy; ends with '/' */
    struct asq_values values;
    /* read-only */
    struct asq_profile profile; /* how to open what is measured */
    bool raw; /* it was locked, so the copy is one of its bytes */
    char message[2 * ASQ_MESSAGE_SIZE];
};

/* Checks whether all that was given goes together, and reads the files. Returns
 * 0, or -1 with own->message for a wrong command line. */
int asq_own_db_check(struct asq_own_db *own);

/* Makes the copy, if one is wanted, and the profile. Only a regular file is
 * opened: a pipe, for example, could wait for ever. Returns 0, or a code as
 * asq_db_copy with own->message. You must clean up in any case. */
int asq_own_db_prepare(struct asq_own_db *own);

/* Removes the copy, which must not be open, and frees the values. */
void asq_own_db_clean_up(struct asq_own_db *own);

/* Returns what the user can do about an error: "" or "; ...". */
const char *asq_own_db_hint(const struct asq_own_db *own, int code);

#ifdef __cplusplus
}
#endif

#endif
