/* ask - questions to an SQLite database in memory
 *
 * Owns nothing. One thread enters. Depends on text.
 */
#include "ask.h"

#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* In a message of several lines these are still words apart. */
static void
run_shown(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    char *copy = class_format("%s", text != NULL ? text : "");
    char *shown;

    (void)count; /* it is registered with one */
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    shown = class_shown(copy);
    sqlite3_result_text(context, shown, -1, free);
    free(copy);
}

static void
run_masked(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    char *masked = class_format("%s", text != NULL ? text : "");
    char *to = masked;

    (void)count; /* it is registered with one */
    for (const char *c = masked; *c != '\0'; c++) {
        bool is_digit = *c >= '0' && *c <= '9';

        if (!is_digit)
            *to++ = *c;
        else if (to == masked || to[-1] != '#')
            *to++ = '#';
    }
    *to = '\0';
    sqlite3_result_text(context, masked, -1, free);
}

sqlite3_stmt *class_ask(sqlite3 *db, const char *sql, sqlite3_int64 n)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        /* UNTESTED: the questions are constants. */
        (void)fprintf(stderr, "build/class: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    if (sqlite3_bind_parameter_count(statement) > 0)
        (void)sqlite3_bind_int64(statement, 1, n); /* there is this one */
    return statement;
}

bool class_ask_next(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) == SQLITE_ROW)
        return true;
    (void)sqlite3_finalize(statement); /* only memory could have failed it */
    return false;
}

const char *class_ask_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

int class_ask_open(sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open(":memory:", &db);

    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(db, "shown", 1, SQLITE_UTF8, NULL,
                                     run_shown, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(db, "masked", 1, SQLITE_UTF8, NULL,
                                     run_masked, NULL, NULL);
    if (rc == SQLITE_OK)
        *ret_db = db;
    else
        (void)sqlite3_close(db); /* nothing is open in it */
    return rc;
}
