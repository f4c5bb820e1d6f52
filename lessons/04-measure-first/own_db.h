/* own_db - a database and values that a reader gives on the command line
 *
 * The database is somebody's, and may be in use: it is opened for reading
 * only, or a copy is made of it. Main's thread enters it. Depends on db_copy,
 * and on db and value of lesson 01.
 */
#ifndef ASQ_OWN_DB_H
#define ASQ_OWN_DB_H

#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "01-blocking/value.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_WORDS_MAX = 32
};

struct asq_own_db {
    /* public: set before; borrowed */
    const char *path;
    const char *copy; /* where to put a copy; NULL: none is made */
    /* read-only */
    struct asq_profile profile; /* how to open what is measured */
    bool raw; /* the copy is one of bytes, because it was locked */
    struct asq_params params; /* what take_params has found */
    bool too_many;            /* more than ASQ_WORDS_MAX */
    char message[2 * ASQ_MESSAGE_SIZE];
    /* private */
    struct asq_value values[ASQ_WORDS_MAX];
};

/* Takes every "--param VALUE" and "--param=VALUE" out of the arguments, because
 * it may come several times. One without a value is left there. */
void asq_own_db_take_params(struct asq_own_db *own, int *argc, char **argv);

/* Makes the copy if one is wanted, and the profile. Returns 0, or a code as
 * asq_db_copy with own->message. Clean up is owed in any case. */
int asq_own_db_prepare(struct asq_own_db *own);

/* Removes the copy. Nobody may have it open. */
void asq_own_db_clean_up(struct asq_own_db *own);

/* Returns what a reader can do about an error: "" or "; ...". */
const char *asq_own_db_hint(const struct asq_own_db *own, int code);

/* Returns the value that a word stands for. A number that is written as SQLite
 * would write it is a number; 007 is a text, because a number would lose its
 * zeros. The word is borrowed. */
struct asq_value asq_value_of_word(const char *word);

#ifdef __cplusplus
}
#endif

#endif
