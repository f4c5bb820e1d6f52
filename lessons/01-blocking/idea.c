/* idea - the smallest right blocking program
 *
 * Finds the name that comes before Edsger in the alphabetical list of users.
 * Each step waits until its row is there. A text that the next step may
 * overwrite is copied, and the statement is given back on the only path out.
 *
 * Run:      build/01-blocking-idea
 * Expect:   one sentence, "the name before Edsger is Barbara"
 * See also: text_after_step.c, statement_left_open.c
 */
#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 32
};

/* Returns 0 or an SQLITE_* code with a message in db. */
static int print_name_before(struct asq_db *db, const char *name)
{
    struct asq_stmt *stmt = NULL;
    char before[NAME_SIZE] = "nobody";
    int rc = asq_stmt_prepare(db, "SELECT name FROM users ORDER BY name",
                              ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_step(stmt);
    while (rc == SQLITE_ROW) {
        const char *here = asq_stmt_value(stmt, 0).as.text; /* (1) */

        if (here == NULL)
            here = ""; /* out of memory: the next step returns the error */
        if (strcmp(here, name) == 0)
            break;
        (void)snprintf(before, sizeof before, "%s", here); /* (2) */
        rc = asq_stmt_step(stmt);                          /* (3) */
    }
    if (rc == SQLITE_ROW)
        (void)printf("the name before %s is %s\n", name, before);
    asq_stmt_release(stmt); /* (4) */
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db db;
    int rc = asq_db_open(&db, &profile);

    if (rc == 0)
        rc = asq_db_run(&db, "CREATE TABLE users (name TEXT NOT NULL) STRICT",
                        NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(&db,
                        "INSERT INTO users VALUES"
                        " ('Grace'), ('Ada'), ('Edsger'), ('Barbara')",
                        NULL, NULL);
    if (rc == 0)
        rc = print_name_before(&db, "Edsger");
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    if (asq_db_close(&db) != 0) {
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
        rc = 1;
    }
    return rc != 0;
}
