/* own_db - what a reader gives on the command line: a database, SQL, values
 *
 * The database is somebody's, and may be in use: it is opened for reading
 * only, or a copy is made of it. Main's thread enters it. Depends on own_copy
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
    const char *path; /* NULL: none was given */
    const char *sql_file, *rows_file;
    const char *extension; /* to load into every connection; NULL: none */
    int on_a_copy;
    const char *folder; /* where to put a copy; ends with '/' */
    struct asq_values values;
    /* read-only */
    struct asq_profile profile; /* how to open what is measured */
    bool raw; /* the copy is one of bytes, because it was locked */
    char message[2 * ASQ_MESSAGE_SIZE];
};

/* Says whether all that goes together, and reads the files. Returns 0, or -1
 * with own->message: that is wrong use. */
int asq_own_db_check(struct asq_own_db *own);

/* Makes the copy if one is wanted, and the profile. What is not a regular file
 * is refused, and not opened: a pipe would keep us waiting. Returns 0, or a
 * code as asq_db_copy with own->message. Clean up is owed in any case. */
int asq_own_db_prepare(struct asq_own_db *own);

/* Removes the copy, which nobody may have open, and frees the values. */
void asq_own_db_clean_up(struct asq_own_db *own);

/* Returns what a reader can do about an error: "" or "; ...". */
const char *asq_own_db_hint(const struct asq_own_db *own, int code);

#ifdef __cplusplus
}
#endif

#endif
