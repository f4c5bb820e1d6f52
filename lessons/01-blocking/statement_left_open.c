/* statement_left_open - the search returns early and keeps its statement
 *
 * The row is found, so the function leaves, past the line that gives the
 * statement back. The statement still stands on its row: its read transaction
 * goes on, the connection does not close, and under WAL no checkpoint can
 * pass the point where the reader stands, so the -wal file only grows.
 *
 * Copy of: idea.c
 * Proof: prints not closed: 1 of its statements are in use
 * Proof: exits 1
 */
#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 32
};

/* Returns 0 or an SQLITE_* code with a message in db. */
static int print_who_stands_before(struct asq_db *db, const char *name)
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
            here = ""; /* no memory for the text: the next step says so */
        if (strcmp(here, name) == 0) {
            (void)printf("before %s stands %s\n", name, before);
            return 0; /* WRONG: past the release */
        }
        (void)snprintf(before, sizeof before, "%s", here); /* (2) */
        rc = asq_stmt_step(stmt);                          /* (3) */
    }
    asq_stmt_release(stmt); /* (4) */
    return rc == SQLITE_DONE ? 0 : rc;
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
        rc = print_who_stands_before(&db, "Edsger");
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    if (asq_db_close(&db) != 0) {
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
        rc = 1;
    }
    return rc != 0;
}
