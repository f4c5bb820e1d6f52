/* params - the values that go into a statement
 *
 * Values are bound by position or by name, never pasted into the SQL. Every
 * parameter must get a value, and every value must have a parameter.
 *
 * Called on the thread that owns the connection. Depends on cache and value.
 */
#ifndef ASQ_PARAMS_H
#define ASQ_PARAMS_H

#include "01-blocking/cache.h"
#include "01-blocking/value.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The parameters of a statement. Without names they are bound in order; with
 * names (without the ':', '@' or '$' of the SQL) they may come in any order.
 * Binding thousands of names is as quick for each as binding a few; but the
 * time that SQLite itself takes to prepare N names grows with N * N (32,766
 * names take 3 s, as many "?" 20 ms). */
struct asq_params {
    const struct asq_value *values;
    const char *const *names; /* NULL: by position */
    size_t count;
};

/* Binds all parameters. Text and blobs are borrowed until the statement is
 * released. Returns 0, SQLITE_TOOBIG, SQLITE_NOMEM, or
 *   SQLITE_RANGE     wrong count, a name that the SQL does not have, one
 * without a value, or a parameter without a name SQLITE_MISMATCH  a text with a
 * zero byte inside, which SQL functions would cut, or a NaN, which SQLite would
 * store as NULL (infinities are accepted) After an error do not step the
 * statement: some of its parameters have their new value and others do not. */
int asq_stmt_bind(struct asq_stmt *stmt, const struct asq_params *params);

#ifdef __cplusplus
}
#endif

#endif
