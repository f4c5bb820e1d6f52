/* params - the values that go into a statement
 *
 * To look up a name, SQLite walks along all the names before it. So the names
 * of a statement are read from its text once, when values are first bound by
 * name, into a table that is kept with the statement.
 */
#include "01-blocking/params.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One parameter of the SQL. */
struct param {
    const char *name; /* in the SQL, without its first byte; NULL: none */
    size_t size;
    int next;     /* parameter in the same bucket; 0: none */
    size_t value; /* while binding: the number of its value; 0: none yet */
};

/* The parameters of a statement, numbered from 1 as SQLite numbers them. */
struct asq__names {
    int count; /* the highest number in use */
    size_t buckets;
    int *first;            /* parameter of each bucket; 0: none */
    struct param params[]; /* the first one is not used */
};

static int *
bucket_of(const struct asq__names *names, const char *name, size_t size)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619U;
    return &names->first[hash % names->buckets];
}

/* Returns the first parameter of this name from i on in its bucket. ":a" and
 * "@a" are two parameters. */
static int
find(const struct asq__names *names, int i, const char *name, size_t size)
{
    while (i != 0 && (names->params[i].size != size ||
                      memcmp(names->params[i].name, name, size) != 0))
        i = names->params[i].next;
    return i;
}

/* Returns the parameter that is written as the token is, or 0. */
static int
find_token(const struct asq__names *names, int i, struct asq__token token)
{
    const char *name = token.text + 1;
    size_t size = token.size - 1;

    for (i = find(names, i, name, size);
         i != 0 && names->params[i].name[-1] != token.text[0];
         i = find(names, names->params[i].next, name, size))
        ;
    return i;
}

/* Numbers one parameter as SQLite does: "?" gets the next number, "?5" is
 * number 5, and a name gets the next number when it first appears. */
static void
number_token(struct asq__names *names, struct asq__token token, int wanted)
{
    int *bucket;
    struct param *param;

    if (token.text[0] == '?') {
        int number = token.size == 1 ? names->count + 1 : atoi(token.text + 1);

        names->count = number > names->count ? number : names->count;
        return;
    }
    bucket = bucket_of(names, token.text + 1, token.size - 1);
    if (find_token(names, *bucket, token) != 0 || names->count >= wanted)
        return;
    param = &names->params[++names->count];
    param->name = token.text + 1;
    param->size = token.size - 1;
    param->next = *bucket;
    *bucket = names->count;
}

/* Makes the table of names, if the statement does not have it yet. */
static int learn_names(struct asq_stmt *stmt)
{
    int wanted = sqlite3_bind_parameter_count(stmt->handle);
    size_t count = (size_t)wanted + 1;
    const char *end = stmt->sql + stmt->size;
    struct asq__names *names;
    struct asq__token token;

    if (stmt->names != NULL)
        return 0;
    names =
        calloc(1, sizeof *names + count * (sizeof(struct param) + sizeof(int)));
    if (names == NULL)
        return asq__db_fail(stmt->db, SQLITE_NOMEM, "out of memory");
    names->buckets = count;
    names->first = (int *)(void *)&names->params[count];
    stmt->names = names;
    for (token = asq__sql_token(stmt->sql, end);
         wanted > 0 && token.kind != ASQ__TOKEN_END;
         token = asq__sql_next(token, end)) {
        if (token.kind == ASQ__TOKEN_PARAMETER)
            number_token(names, token, wanted);
    }
    return 0;
}

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

/* Refuses values that SQLite would accept and silently change. */
static int
bind_checked(struct asq_stmt *stmt, int i, const struct asq_value *value)
{
    if (value->type == ASQ_TEXT && value->size != 0 &&
        memchr(value->as.text, '\0', value->size) != NULL)
        return asq__db_fail(stmt->db, SQLITE_MISMATCH,
                            "parameter %d: a zero byte inside the text; "
                            "bind it as a blob",
                            i);
    if (value->type == ASQ_DOUBLE && isnan(value->as.real))
        return asq__db_fail(stmt->db, SQLITE_MISMATCH,
                            "parameter %d: NaN would be stored as NULL", i);
    if (bind_one(stmt, i, value) != SQLITE_OK)
        return asq__db_fail_sqlite(stmt->db);
    stmt->bound = true;
    return 0;
}

/* Gives value k to the parameters of its name. Returns false if there is none,
 * or if it already has a value. */
static bool give(struct asq__names *names, const char *name, size_t k)
{
    size_t size = strlen(name);
    int i = find(names, *bucket_of(names, name, size), name, size);

    if (i == 0 || names->params[i].value != 0)
        return false;
    for (; i != 0; i = find(names, names->params[i].next, name, size))
        names->params[i].value = k + 1;
    return true;
}

/* Says what is wrong with a name that could not be given to a parameter. */
static int fail_name(struct asq_stmt *stmt, const char *name)
{
    const struct asq__names *names = stmt->names;
    size_t size = strlen(name);

    if (find(names, *bucket_of(names, name, size), name, size) == 0)
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "the SQL has no parameter \"%s\"", name);
    return asq__db_fail(stmt->db, SQLITE_RANGE,
                        "two values were given for parameter \"%s\"", name);
}

static int bind_param(struct asq_stmt *stmt,
                      int i,
                      const struct param *param,
                      const struct asq_value *values)
{
    if (param->name == NULL)
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "parameter %d has no name in the SQL", i);
    if (param->value == 0)
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "no value was given for parameter \"%.*s\"",
                            (int)param->size, param->name);
    return bind_checked(stmt, i, &values[param->value - 1]);
}

static int bind_by_name(struct asq_stmt *stmt, const struct asq_params *params)
{
    const char *wrong = NULL; /* the first name that fits nowhere */
    int wanted = sqlite3_bind_parameter_count(stmt->handle);
    int rc = learn_names(stmt);

    for (int i = 1; i <= wanted && rc == 0; i++)
        stmt->names->params[i].value = 0;
    for (size_t k = 0; k < params->count && rc == 0; k++) {
        if (!give(stmt->names, params->names[k], k) && wrong == NULL)
            wrong = params->names[k];
    }
    for (int i = 1; i <= wanted && rc == 0; i++)
        rc = bind_param(stmt, i, &stmt->names->params[i], params->values);
    return rc == 0 && wrong != NULL ? fail_name(stmt, wrong) : rc;
}

static int bind_in_order(struct asq_stmt *stmt, const struct asq_params *params)
{
    size_t count = params == NULL ? 0 : params->count;
    int wanted = sqlite3_bind_parameter_count(stmt->handle);
    int rc = 0;

    if (count != (size_t)wanted)
        return asq__db_fail(stmt->db, SQLITE_RANGE,
                            "the SQL has %d parameter%s, %zu value%s given",
                            wanted, wanted == 1 ? "" : "s", count,
                            count == 1 ? " was" : "s were");
    for (int i = 1; i <= wanted && rc == 0; i++)
        rc = bind_checked(stmt, i, &params->values[i - 1]);
    return rc;
}

int asq_stmt_bind(struct asq_stmt *stmt, const struct asq_params *params)
{
    int rc = asq__db_enter(stmt->db);

    if (rc != 0)
        return rc;
    return params != NULL && params->count > 0 && params->names != NULL
               ? bind_by_name(stmt, params)
               : bind_in_order(stmt, params);
}
