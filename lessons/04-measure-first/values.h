/* values - the SQL and the values that a reader gives
 *
 * Words of the command line and lines of a file become rows of values; a text
 * file becomes SQL. Main's thread enters it. Depends on params and value of
 * lesson 01.
 */
#ifndef ASQ_VALUES_H
#define ASQ_VALUES_H

#include "01-blocking/params.h"
#include "01-blocking/value.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_WORDS_MAX = 32, /* values of one row */
    ASQ_VALUES_MESSAGE = 512
};

struct asq_values {
    /* read-only */
    const struct asq_params *rows;
    size_t count;
    const char *sql; /* of --sql or of a file; NULL: none was given */
    bool too_many;   /* more than ASQ_WORDS_MAX */
    char message[ASQ_VALUES_MESSAGE];
    /* private */
    struct asq_value words[ASQ_WORDS_MAX];
    struct asq_params row; /* of the words */
    char *sql_text, *text; /* of the files */
    struct asq_value *values;
    struct asq_params *params;
};

/* Takes every "--param VALUE" and "--sql TEXT" out of the arguments: the first
 * may come several times, and the other may begin with a comment ("-- ..."),
 * which looks like an option. One without a value is left there. The words
 * are borrowed. Destroy is owed. */
void asq_values_take(struct asq_values *values, int *argc, char **argv);

/* Reads the SQL of a file. Returns 0 or a negative errno with values->message:
 * what is not a regular file (a pipe would keep us waiting), is empty, has a
 * zero byte inside or more than 1 MB is -EINVAL. */
int asq_values_read_sql(struct asq_values *values, const char *path);

/* Reads rows of values: one a line, each value as after --param, a tab between
 * two. All lines have as many values; 64 MB at most. Returns as above. */
int asq_values_read_rows(struct asq_values *values, const char *path);

/* Frees what was read. Accepts a zeroed one. */
void asq_values_destroy(struct asq_values *values);

/* Returns the value that a word stands for. A number that is written as SQLite
 * would write it is a number; 007 is a text, because a number would lose its
 * zeros. The word is borrowed. */
struct asq_value asq_value_of_word(const char *word);

#ifdef __cplusplus
}
#endif

#endif
