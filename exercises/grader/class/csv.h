/* csv - reads a CSV file as RFC 4180 describes it
 *
 * Fields may be quoted and hold line ends; CRLF, semicolons (spreadsheets of
 * some countries) or tabs instead of commas, and Excel's "sep=;" are
 * understood. The text is UTF-8. One thread enters.
 */
#ifndef CLASS_CSV_H
#define CLASS_CSV_H

#include <stddef.h>

enum {
    CLASS_CSV_FIELDS = 512 /* a gradebook has many */
};

struct class_csv {
    /* read-only after class_csv_next */
    char *field[CLASS_CSV_FIELDS];
    size_t fields;
    size_t line; /* where this record begins, from 1 */
    char separator;
    /* private */
    char *next;
    size_t next_line;
};

/* Starts at the beginning of a text, which is changed by reading and borrowed
 * as long as fields are used. */
void class_csv_start(struct class_csv *csv, char *text);

/* Reads the next record that is not empty. Returns 1, 0 at the end, or -1 for
 * a record that is not well formed; *ret_wrong then says why. */
int class_csv_next(struct class_csv *csv, const char **ret_wrong);

#endif
