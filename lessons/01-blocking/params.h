/* params - the values that go into a statement
 *
 * Values are bound by position or by name, never pasted into the SQL. Every
 * parameter must get a value and every value must have its parameter.
 *
 * Entered by the thread that owns the connection. Depends on cache and value.
 */
#ifndef ASQ_PARAMS_H
#define ASQ_PARAMS_H

#include "01-blocking/cache.h"
#include "01-blocking/value.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of a statement. Without names they are bound in order; with
 * names (without the ':', '@' or '$' of the SQL) in any order. Thousands of
 * names are found as quickly as few; but SQLite itself prepares N of them in a
 * time that grows with N * N (32,766: 3 s, where as many "?" take 20 ms). */
struct asq_params {
    const struct asq_value *values;
    const char *const *names; /* NULL: by position */
    size_t count;
};

/* Binds all parameters. Text and blobs are borrowed until the statement is
 * released. Returns 0, or SQLITE_RANGE: wrong count, a name that the SQL does
 * not have, one that was not given, a parameter without a name; or
 * SQLITE_MISMATCH: a text with a zero byte inside, which SQL functions would
 * cut, or a NaN, which SQLite would store as NULL (infinities go); or
 * SQLITE_TOOBIG, SQLITE_NOMEM. After an error nothing may be stepped: some
 * parameters have their new value, others not. */
int asq_stmt_bind(struct asq_stmt *stmt, const struct asq_params *params);

#ifdef __cplusplus
}
#endif

#endif
