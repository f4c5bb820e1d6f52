/* statement_left_open - the search returns early and keeps its statement
 *
 * The row is found, so the function returns at once, and the line that gives
 * the statement back is skipped. The statement stays on its row: its read
 * transaction goes on, the connection cannot be closed, and in WAL mode no
 * checkpoint can copy anything newer than what this reader sees, so the -wal
 * file keeps growing.
 *
 * Copy of: idea.c
 * Proof: prints not closed: 1 statement is in use
 * Proof: exits 1
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
        if (strcmp(here, name) == 0) {
            (void)printf("the name before %s is %s\n", name, before);
            return 0; /* WRONG: skips the release */
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
        rc = print_name_before(&db, "Edsger");
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    if (asq_db_close(&db) != 0) {
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
        rc = 1;
    }
    return rc != 0;
}
