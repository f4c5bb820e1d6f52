/* values - the SQL and the values that a user gives
 *
 * Words of the command line and lines of a file become rows of values. A text
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

/* Takes every "--param VALUE" and "--sql TEXT" out of the arguments, because
 * --param may come several times, and SQL may begin with a comment ("-- ..."),
 * which looks like an option. An option without a value is left there. The
 * words are borrowed. You must call asq_values_destroy. */
void asq_values_take(struct asq_values *values, int *argc, char **argv);

/* Reads the SQL of a file. Returns 0, or a negative errno with values->message:
 * -EINVAL if it is not a regular file (a pipe could wait for ever), is empty,
 * has a zero byte in it or more than 1 MB. */
int asq_values_read_sql(struct asq_values *values, const char *path);

/* Reads rows of values: one row a line, each value as after --param, with a tab
 * between two. All lines have the same number of values; the file has 64 MB at
 * most. Returns as above. */
int asq_values_read_rows(struct asq_values *values, const char *path);

/* Frees what was read. Accepts a zeroed one. */
void asq_values_destroy(struct asq_values *values);

/* Returns the value of a word. It is a number if it is written as SQLite would
 * write it; 007 is a text, because a number would lose the zeros. The word is
 * borrowed. */
struct asq_value asq_value_of_word(const char *word);

#ifdef __cplusplus
}
#endif

#endif
