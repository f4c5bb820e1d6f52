/* idea - a name from outside picks a column, and never becomes SQL
 *
 * A form of two fields, a key and a text, changes item 1. A list holds what a
 * form may change, and the SQL takes the name from the list. The text is bound.
 * And a caller that asks for one row gets one row, or is told how many there
 * are.
 *
 * Run:      build/05-crud-idea
 * Expect:   a key that is more than a name is refused; no text changes the
 *           price; two rows are not one
 * See also: its wrong twins column_names_pasted.c, value_pasted.c and
 *           first_of_many.c
 */
#include "01-blocking/stmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SQL_SIZE = 160
};

static const char *const form[] = {"name", "data"}; /* (1) not the price */

/* Returns the column of this name, or NULL. */
static const char *find_column(const char *key)
{
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        if (strcmp(form[i], key) == 0)
            return form[i]; /* (2) the word from the list, not the key */
    }
    return NULL;
}

/* Prints the one row of the result, or how many there are. */
static void print_one(const struct asq_result *result)
{
    if (result->rows != 1) { /* (5) */
        (void)printf("expected one row, there are %zu\n", result->rows);
        return;
    }
    (void)printf("item %" PRId64 ": %s, %" PRId64 " cents\n",
                 asq_result_int64(result, 0, "id"),
                 asq_result_text(result, 0, "name"),
                 asq_result_int64(result, 0, "value"));
}

/* change and find return 0 or an SQLITE_* code. */
static int change(struct asq_db *db, const char *key, const char *text)
{
    const char *column = find_column(key);
    struct asq_value value = asq_text(text);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_result result = {0};
    char sql[SQL_SIZE];
    int rc;

    (void)printf("%s = %s\n    ", key, text);
    if (column == NULL) {
        (void)printf("refused: no such column\n");
        return 0;
    }
    (void)snprintf(sql, sizeof sql,
                   "UPDATE items SET %s = ?1 WHERE id = 1 "
                   "RETURNING id, name, value",
                   column);                     /* (3) */
    rc = asq_db_run(db, sql, &params, &result); /* (4) the value is bound */
    if (rc == 0)
        print_one(&result);
    asq_result_destroy(&result);
    return rc;
}

static int find(struct asq_db *db, const char *status)
{
    struct asq_value value = asq_text(status);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_result result = {0};
    int rc =
        asq_db_run(db, "SELECT id, name, value FROM items WHERE status = ?",
                   &params, &result);

    (void)printf("the item whose status is %s: ", status);
    if (rc == 0)
        print_one(&result);
    asq_result_destroy(&result);
    return rc;
}

int main(void)
{
    static const char *const table[] = {
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " status TEXT NOT NULL, data TEXT NOT NULL, value INTEGER) STRICT",
        "INSERT INTO items VALUES (1, 'lamp', 'active', '{}', 4900),"
        " (2, 'vase', 'active', '{}', 1200)"};
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db db;
    int rc = asq_db_open(&db, &profile);

    for (int i = 0; i < 2 && rc == 0; i++)
        rc = asq_db_run(&db, table[i], NULL, NULL);
    if (rc == 0)
        rc = change(&db, "name", "desk lamp");
    if (rc == 0)
        rc = change(&db, "value = 1, name", "my lamp");
    if (rc == 0)
        rc = change(&db, "name", "my lamp', value = '1");
    if (rc == 0)
        rc = find(&db, "active");
    if (rc == 0)
        rc = find(&db, "sold");
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
    return rc == 0 ? 0 : 1;
}
