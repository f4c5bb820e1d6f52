/* text_after_step - the text of a row is used after the next step
 *
 * The text belongs to the statement. The next step writes the next row into the
 * same memory, so the pointer is still valid but points to another name.
 * Nothing crashes, and no sanitizer notices, because the memory still belongs
 * to SQLite.
 *
 * Copy of: idea.c
 * Proof: prints the name before Edsger is Edsger
 */
#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>

/* Returns 0 or an SQLITE_* code with a message in db. */
static int print_name_before(struct asq_db *db, const char *name)
{
    struct asq_stmt *stmt = NULL;
    const char *before = "nobody";
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
        before = here; /* WRONG: the next step overwrites it */
        rc = asq_stmt_step(stmt);
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
