/* table - a table for the terminal
 *
 * Cells are text, and a column is as wide as its widest cell. The first column
 * is aligned left, the others right. One thread at a time may use a table.
 */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    ASQ_TABLE_COLUMNS_MAX = 16
};

struct asq_table {
    /* private */
    size_t columns;
    size_t cells;
    size_t capacity;
    char **cell; /* row by row, the header first; each freed by destroy */
    size_t width[ASQ_TABLE_COLUMNS_MAX]; /* of the widest cell */
    int failed; /* the first error, UV_ENOMEM or UV_EINVAL; then cells are no
                   longer added */
};

/* Starts a table with the given headers, 1 to ASQ_TABLE_COLUMNS_MAX of them.
 * Errors are kept and returned by asq_table_print, so the calls in between need
 * no check. */
void asq_table_init(struct asq_table *table,
                    const char *const headers[],
                    size_t columns);

/* Frees all cells. Accepts NULL and a zeroed table. */
void asq_table_destroy(struct asq_table *table);

/* Adds the next cell, which is formatted as by printf. */
void asq_table_add(struct asq_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the table, whose last row must be complete. Returns 0, UV_ENOMEM, or
 * UV_EINVAL for an incomplete row or a format that failed. ferror(out) tells
 * whether writing failed. */
int asq_table_print(const struct asq_table *table, FILE *out);

/* Returns how many columns of the terminal a UTF-8 text takes: one for each
 * character, which is right for everything that the course prints. */
size_t asq_text_width(const char *text);

/* Formats a duration with three significant digits and its unit: "2.13 us",
 * "5.40 ms", "1.02 s", "1.50 min", "2.00 h"; NAN is "-". Returns text. */
const char *asq_format_duration(char text[static 16], double us);

/* Formats a count with three significant digits: "187", "12.4 k", "1.91 M",
 * "3.00 G"; NAN is "-". Returns text. */
const char *asq_format_count(char text[static 16], double count);

/* Returns whether the terminal shows UTF-8, according to the environment
 * (LC_ALL, LC_CTYPE, LANG). */
bool asq_terminal_is_utf8(void);

/* Returns whether out is a terminal that should get colour: not if NO_COLOR is
 * set, if TERM is missing or "dumb", or into a pipe. */
bool asq_terminal_has_colour(FILE *out);

#endif
