/* values - the SQL and the values that a user gives */
#include "04-measure-first/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SHORTEST = 32,
    SQL_MAX = 1000000,
    ROWS_MAX = 64000000
};

struct asq_value asq_value_of_word(const char *word)
{
    char shortest[SHORTEST];
    int64_t number = strtoll(word, NULL, 10);
    double real = strtod(word, NULL);

    (void)snprintf(shortest, SHORTEST, "%" PRId64, number); /* it fits */
    if (strcmp(shortest, word) == 0)
        return asq_int64(number);
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(shortest, SHORTEST, "%.*f", digits, real);
        if (strcmp(shortest, word) == 0)
            return asq_double(real);
    }
    return asq_text(word);
}

/* Returns whether a word is an option and not a value: "--name" or
 * "--name=...". A comment of SQL has a blank where an option has letters. */
static bool is_option(const char *word)
{
    size_t letters;

    if (strncmp(word, "--", 2) != 0)
        return false;
    letters = strspn(word + 2, "abcdefghijklmnopqrstuvwxyz-");
    return letters > 0 &&
           (word[2 + letters] == '\0' || word[2 + letters] == '=');
}

/* Returns the value of option name at argv[*i], and moves *i over it; NULL if
 * that is another option or has no value. */
static const char *take(const char *name, int argc, char **argv, int *i)
{
    size_t length = strlen(name);

    if (strncmp(argv[*i], name, length) != 0)
        return NULL;
    if (argv[*i][length] == '=')
        return argv[*i] + length + 1;
    if (argv[*i][length] != '\0' || *i + 1 == argc || is_option(argv[*i + 1]))
        return NULL;
    *i += 1;
    return argv[*i];
}

void asq_values_take(struct asq_values *values, int *argc, char **argv)
{
    int kept = 1;

    values->row.values = values->words;
    for (int i = 1; i < *argc; i++) {
        const char *word = take("--param", *argc, argv, &i);
        const char *sql = word != NULL ? NULL : take("--sql", *argc, argv, &i);

        if (sql != NULL && *sql != '\0')
            values->sql = sql;
        else if (word == NULL)
            argv[kept++] = argv[i];
        else if (values->row.count < ASQ_WORDS_MAX)
            values->words[values->row.count++] = asq_value_of_word(word);
        else
            values->too_many = true;
    }
    *argc = kept;
    if (values->row.count > 0) {
        values->rows = &values->row;
        values->count = 1;
    }
}

static int refuse(struct asq_values *values, const char *path, const char *why)
{
    /* Cut if it is too long. */
    (void)snprintf(values->message, sizeof values->message, "%s: %s", path,
                   why);
    return -EINVAL;
}

static int fail(struct asq_values *values, const char *path, int code)
{
    (void)refuse(values, path, strerror(-code));
    return code;
}

/* Reads a whole text, and ends it with a zero byte. */
static int read_text(struct asq_values *values,
                     const char *path,
                     size_t most,
                     char **ret_text)
{
    struct stat file;
    FILE *in;
    char *text;
    size_t size;

    if (stat(path, &file) != 0)
        return fail(values, path, -errno);
    if (!S_ISREG(file.st_mode))
        return refuse(values, path, "it is not a regular file");
    if (file.st_size == 0)
        return refuse(values, path, "it is empty");
    if ((uint64_t)file.st_size > most)
        return refuse(values, path, "it is too large (SQL 1 MB, values 64 MB)");
    in = fopen(path, "rb");
    if (in == NULL)
        return fail(values, path, -errno);
    text = malloc((size_t)file.st_size + 1);
    size = text == NULL ? 0 : fread(text, 1, (size_t)file.st_size, in);
    (void)fclose(in); /* nothing was written to it */
    if (text == NULL)
        return fail(values, path, -ENOMEM);
    text[size] = '\0';
    *ret_text = text;
    return strlen(text) == size
               ? 0
               : refuse(values, path, "it is not a text: it has a zero byte");
}

int asq_values_read_sql(struct asq_values *values, const char *path)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of files from Windows */
    int rc = read_text(values, path, SQL_MAX, &values->sql_text);

    if (rc == 0)
        values->sql = strncmp(values->sql_text, mark, strlen(mark)) == 0
                          ? values->sql_text + strlen(mark)
                          : values->sql_text;
    return rc;
}

static size_t count_in(const char *text, char wanted)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == wanted;
    return count;
}

/* Cuts the line at its tabs. Returns how many values it has; most + 1
 * means that there are more than that. */
static size_t cut_line(char *line, struct asq_value *ret_values, size_t most)
{
    size_t count = 0;
    size_t length = strlen(line);
    char *next;

    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    for (; line != NULL && count < most; line = next) {
        next = strchr(line, '\t');
        if (next != NULL)
            *next++ = '\0';
        ret_values[count++] = asq_value_of_word(line);
    }
    return line == NULL ? count : most + 1;
}

/* Fills in the rows. width: of the first line. */
static int cut_rows(struct asq_values *values, const char *path, size_t width)
{
    char *line = values->text;
    char why[96];

    while (line != NULL && *line != '\0') {
        struct asq_value *row = values->values + values->count * width;
        char *next = strchr(line, '\n');
        size_t count;

        if (next != NULL)
            *next++ = '\0';
        count = cut_line(line, row, width);
        if (count != width) {
            (void)snprintf(why, sizeof why,
                           "line %zu has %s values than line 1, which has %zu; "
                           "a tab is between two",
                           values->count + 1, count < width ? "fewer" : "more",
                           width);
            return refuse(values, path, why);
        }
        values->params[values->count++] =
            (struct asq_params){.values = row, .count = width};
        line = next;
    }
    return 0;
}

int asq_values_read_rows(struct asq_values *values, const char *path)
{
    size_t lines, width = 1;
    int rc = read_text(values, path, ROWS_MAX, &values->text);

    if (rc != 0)
        return rc;
    lines = count_in(values->text, '\n') + 1;
    for (const char *p = values->text; *p != '\0' && *p != '\n'; p++)
        width += *p == '\t';
    if (width > ASQ_WORDS_MAX)
        return refuse(values, path, "more than 32 values in a line");
    values->values = calloc(lines * width, sizeof *values->values);
    values->params = calloc(lines, sizeof *values->params);
    if (values->values == NULL || values->params == NULL)
        return fail(values, path, -ENOMEM);
    values->count = 0;
    values->rows = values->params;
    return cut_rows(values, path, width);
}

void asq_values_destroy(struct asq_values *values)
{
    free(values->sql_text);
    free(values->text);
    free(values->values);
    free(values->params);
    *values = (struct asq_values){0};
}
