/* params - the values that go into a statement */
#include "01-blocking/params.h"

#include <stdbool.h>
#include <string.h>

static int bind_one(struct asq_stmt *stmt, int i, const struct asq_value *value)
{
    switch (value->type) {
    case ASQ_NULL:
        return sqlite3_bind_null(stmt->handle, i);
    case ASQ_INT64:
        return sqlite3_bind_int64(stmt->handle, i, value->as.int64);
    case ASQ_DOUBLE:
        return sqlite3_bind_double(stmt->handle, i, value->as.real);
    case ASQ_TEXT:
        return sqlite3_bind_text64(stmt->handle, i, value->as.text, value->size,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case ASQ_BLOB:
        if (value->size == 0)
            return sqlite3_bind_zeroblob(stmt->handle, i, 0);
        return sqlite3_bind_blob64(stmt->handle, i, value->as.blob, value->size,
                                   SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int
bind_checked(struct asq_stmt *stmt, int i, const struct asq_value *value)
{
    if (value->type == ASQ_TEXT && value->size != 0 &&
        memchr(value->as.text, '\0', value->size) != NULL)
        return asq__db_fail(stmt->db, SQLITE_MISMATCH,
                            "parameter %d: a zero byte inside the text; "
                            "bind it as a blob",
                            i);
    if (bind_one(stmt, i, value) != SQLITE_OK)
        return asq__db_fail_sqlite(stmt->db);
    stmt->bound = true;
    return 0;
}

/* Finds the value for parameter i of the SQL among the names given. */
static int
find_named(struct asq_stmt *stmt, int i, const struct asq_params *params)
{
    const char *name = sqlite3_bind_parameter_name(stmt->handle, i);

    if (name == NULL || name[0] == '?')
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "parameter %d has no name in the SQL", i),
               -1;
    for (size_t k = 0; k < params->count; k++) {
        if (strcmp(params->names[k], name + 1) == 0)
            return (int)k;
    }
    return asq__db_fail(stmt->db, SQLITE_RANGE,
                        "no value was given for parameter \"%s\"", name + 1),
           -1;
}

/* Says whether the SQL has a parameter of this name. */
static bool has_name(const struct asq_stmt *stmt, const char *wanted)
{
    int count = sqlite3_bind_parameter_count(stmt->handle);

    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt->handle, i);

        if (name != NULL && strcmp(wanted, name + 1) == 0)
            return true;
    }
    return false;
}

/* Every name given must stand in the SQL, and must have been given once. */
static int check_names(struct asq_stmt *stmt, const struct asq_params *params)
{
    for (size_t k = 0; k < params->count; k++) {
        const char *name = params->names[k];

        if (!has_name(stmt, name))
            return asq__db_fail(stmt->db, SQLITE_RANGE,
                                "the SQL has no parameter \"%s\"", name);
        for (size_t j = 0; j < k; j++) {
            if (strcmp(params->names[j], name) == 0)
                return asq__db_fail(stmt->db, SQLITE_RANGE,
                                    "two values were given for parameter "
                                    "\"%s\"",
                                    name);
        }
    }
    return 0;
}

int asq_stmt_bind(struct asq_stmt *stmt, const struct asq_params *params)
{
    size_t count = params == NULL ? 0 : params->count;
    const bool named = count > 0 && params->names != NULL;
    int wanted;
    int rc = asq__db_enter(stmt->db);

    if (rc != 0)
        return rc;
    wanted = sqlite3_bind_parameter_count(stmt->handle);
    if (!named && count != (size_t)wanted)
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "the SQL has %d parameters, %zu values were given",
                            wanted, count);
    for (int i = 1; i <= wanted; i++) {
        int k = named ? find_named(stmt, i, params) : i - 1;

        if (k < 0)
            return SQLITE_RANGE;
        rc = bind_checked(stmt, i, &params->values[k]);
        if (rc != 0)
            return rc;
    }
    return named ? check_names(stmt, params) : 0;
}
