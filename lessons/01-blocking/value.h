/* value - one typed cell, for parameters and for rows
 *
 * A value borrows its text or blob: the function that returns a value says how
 * long the bytes live. Any thread may call these functions. Owns nothing.
 */
#ifndef ASQ_VALUE_H
#define ASQ_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the order in which SQLite sorts: null first, blob last. */
enum asq_type {
    ASQ_NULL,
    ASQ_INT64,
    ASQ_DOUBLE,
    ASQ_TEXT,
    ASQ_BLOB
};

struct asq_value {
    enum asq_type type;
    size_t size; /* bytes of text (without its final zero) or blob, else 0 */
    union {
        int64_t int64;
        double real;
        const char *text; /* ends with a zero byte if it comes from a row */
        const void *blob;
        size_t offset; /* private to result */
    } as;
};

/* Return a value. Text and blob are borrowed; NULL makes a null value. */
struct asq_value asq_null(void);
struct asq_value asq_int64(int64_t number);
struct asq_value asq_double(double number);
struct asq_value asq_text(const char *text);
struct asq_value asq_text_n(const char *text, size_t size);
struct asq_value asq_blob(const void *blob, size_t size);

/* Returns whether two values have the same type and, bit for bit, the same
 * content: 1 and 1.0 differ, and a NaN equals itself. */
bool asq_value_equal(const struct asq_value *a, const struct asq_value *b);

#ifdef __cplusplus
}
#endif

#endif
