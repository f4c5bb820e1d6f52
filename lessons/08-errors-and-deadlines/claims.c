/* claims - measures the claims that lesson 08 settles
 *
 * One function a claim; docs/claims.md says who made it. Errors and places are
 * counted, and the order of events is forced: no clock decides.
 *
 * Run: make claims L=08
 */
#include "01-blocking/stmt.h"
#include "08-errors-and-deadlines/errors.h"
#include "common/stage.h"

#include <string.h>

enum {
    ERRORS = 8,
    PLACES = 3,
    WAITS = 5 /* for a lock, then it is given back */
};

static const char write_sql[] = "INSERT INTO notes VALUES (1)";

struct app {
    struct asq_stage stage;
    struct asq_db a, b; /* two connections to the file, of this thread */
    int words, codes;   /* errors that they tell apart */
    int looks, waits;   /* of a; looks while it waited for a lock */
    int late_at;        /* the look at which it is too late, or 0 */
    bool interrupted;   /* then: from outside; else a stops by itself */
};

static int run(struct asq_db *db, const char *sql)
{
    return asq_db_run(db, sql, NULL, NULL);
}

/* Runs statements that have to succeed. */
static void must(struct app *app, struct asq_db *db, const char *sql)
{
    if (sqlite3_exec(asq_db_handle(db), sql, NULL, NULL, NULL) != 0)
        asq_stage_fail(&app->stage, sqlite3_errmsg(asq_db_handle(db)));
}

/* Before each statement of a, while it runs, and while it waits for a lock:
 * there it gives up at once, unless it may be late. */
static int look(void *data)
{
    struct app *app = data;
    bool late = ++app->looks == app->late_at;

    app->waits += app->a.waiting;
    if (late && app->interrupted)
        sqlite3_interrupt(app->a.handle);
    if (app->waits == WAITS)
        must(app, &app->b, "ROLLBACK");
    return app->late_at == 0 ? app->a.waiting : late && !app->interrupted;
}

/* What the words of a message say, as in the document. */
static enum asq_error_kind read_words(const char *message)
{
    return strstr(message, "UNIQUE constraint")        ? ASQ_ERROR_UNIQUE
           : strstr(message, "FOREIGN KEY constraint") ? ASQ_ERROR_FOREIGN_KEY
           : strstr(message, "database is locked")     ? ASQ_ERROR_BUSY
           : strstr(message, "no such table")          ? ASQ_ERROR_NO_TABLE
                                                       : ASQ_ERROR_OTHER;
}

/* Runs on a what has to fail, and counts whether words and code say why. */
static void judge(struct app *app, const char *sql, enum asq_error_kind kind)
{
    int rc = run(&app->a, sql);

    if (rc == 0)
        asq_stage_fail(&app->stage, "a statement that had to fail did not");
    app->words += read_words(asq_db_message(&app->a)) == kind;
    app->codes += asq_error_of_code(rc, NULL).kind == kind;
}

/* "Errors are told apart by their text." */
static void error_strings(struct app *app)
{
    struct asq_stmt *reader = NULL;

    judge(app, "INSERT INTO users VALUES (2, 's01', 20)", ASQ_ERROR_UNIQUE);
    judge(app, "INSERT INTO users VALUES (1, 's02', 20)", ASQ_ERROR_UNIQUE);
    judge(app, "INSERT INTO users VALUES (3, 's03', 9)", ASQ_ERROR_CONSTRAINT);
    judge(app, "INSERT INTO orders VALUES (7)", ASQ_ERROR_FOREIGN_KEY);
    judge(app, "SELECT * FROM user", ASQ_ERROR_NO_TABLE);
    must(app, &app->b, "BEGIN IMMEDIATE");
    judge(app, write_sql, ASQ_ERROR_BUSY);
    must(app, &app->b, "ROLLBACK");
    must(app, &app->a, "BEGIN; SELECT * FROM notes");
    must(app, &app->b, write_sql);
    judge(app, write_sql, ASQ_ERROR_BUSY_SNAPSHOT);
    must(app, &app->a, "ROLLBACK");
    if (asq_stmt_prepare(&app->a, "SELECT * FROM notes", ASQ_WHOLE_TEXT,
                         &reader) != 0 ||
        asq_stmt_step(reader) != SQLITE_ROW)
        asq_stage_fail(&app->stage, asq_db_message(&app->a));
    judge(app, "DROP TABLE notes", ASQ_ERROR_LOCKED);
    asq_stmt_release(reader);
    asq_claim_set(asq_stage_claim(&app->stage), "error-strings",
                  app->words == ERRORS      ? "holds"
                  : app->codes < app->words ? "holds if words are all there is"
                                            : "wrong",
                  (double)app->words / (double)ERRORS,
                  "Words told the kind of %s errors, extended codes of %s:\na "
                  "missing table has the code of all wrong SQL.",
                  asq_claim_count(app->words, ERRORS).text,
                  asq_claim_count(app->codes, ERRORS).text);
}

/* "'database is locked' wants WAL or a longer timeout." Both are there. */
static void deferred_upgrade(struct app *app)
{
    int first, same = 0, whole, waits;

    app->waits = 0;
    must(app, &app->a, "BEGIN; SELECT * FROM notes");
    must(app, &app->b, write_sql);
    first = run(&app->a, write_sql);
    for (int i = 0; i < 3; i++) /* the statement alone, again */
        same += run(&app->a, write_sql) == first;
    must(app, &app->a, "ROLLBACK; BEGIN; SELECT * FROM notes");
    whole = run(&app->a, write_sql); /* all of it, again */
    must(app, &app->a, whole == 0 ? "COMMIT" : "ROLLBACK");
    waits = app->waits;
    must(app, &app->b, "BEGIN IMMEDIATE"); /* a lock to wait for */
    if (run(&app->a, "BEGIN IMMEDIATE") != SQLITE_BUSY)
        asq_stage_fail(&app->stage, "two connections hold the write lock");
    must(app, &app->b, "ROLLBACK");
    asq_claim_set(asq_stage_claim(&app->stage), "deferred-upgrade",
                  waits > 0 || whole != 0 || same < 3 ? "holds"
                  : app->waits > 0 ? "holds if the transaction begins IMMEDIATE"
                                   : "wrong",
                  waits,
                  "In WAL mode with 5 s to wait, a write after a read failed "
                  "with %d after %d\nwaits, and so did each of 3 more "
                  "attempts. The whole transaction again\nreturned %d. BEGIN "
                  "IMMEDIATE does wait.",
                  first, waits, whole);
}

/* Says whether a statement of a ends at a place where it is too late. */
static bool ends(struct app *app, enum asq_place place, bool interrupted)
{
    const char *sql = place != ASQ_PLACE_RUNNING
                          ? write_sql
                          : "WITH n AS (SELECT 1 UNION ALL SELECT 1 FROM n) "
                            "SELECT count(*) FROM n";
    int rc;

    if (place == ASQ_PLACE_LOCK)
        must(app, &app->b, "BEGIN IMMEDIATE");
    app->looks = app->waits = 0;
    app->late_at = place == ASQ_PLACE_QUEUE ? 1 : 2;
    app->interrupted = interrupted;
    rc = run(&app->a, sql);
    app->late_at = 0;
    if (asq_db_in_transaction(&app->b))
        must(app, &app->b, "ROLLBACK");
    return rc != 0 && app->waits < WAITS;
}

/* "operation_timeout limits the time of a query": a timer that interrupts. */
static void operation_timeout(struct app *app)
{
    int interrupts = 0, looks = 0;
    bool next = true;

    for (int i = ASQ_PLACE_QUEUE; i <= ASQ_PLACE_RUNNING; i++) {
        interrupts += ends(app, (enum asq_place)i, true);
        looks += ends(app, (enum asq_place)i, false);
        next = next && run(&app->a, "SELECT 1") == 0;
    }
    asq_claim_set(asq_stage_claim(&app->stage), "operation-timeout",
                  interrupts == PLACES ? "holds"
                  : looks == PLACES && next
                      ? "holds if the worker looks at the clock"
                      : "wrong",
                  (double)interrupts / (double)PLACES,
                  "A query can be in the queue, at a lock, or running. An "
                  "interrupt from\noutside ended it at %d of these 3 places, a "
                  "deadline at %d; the next statement\nwas %s.",
                  interrupts, looks, next ? "left alone" : "hit");
}

static const char make_sql[] =
    "CREATE TABLE notes (client INTEGER); INSERT INTO notes VALUES (1);"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, age INT);"
    "CREATE TABLE orders (id INTEGER REFERENCES users (id));"
    "INSERT INTO users VALUES (1, 's01', 20);"
    "CREATE TRIGGER adults BEFORE INSERT ON users WHEN new.age < 18 BEGIN"
    " SELECT RAISE(ABORT, 'no UNIQUE constraint, but too young'); END";

int main(int argc, char **argv)
{
    struct app app = {
        .stage.options = {.program = "build/08-errors-and-deadlines-claims",
                          .about =
                              "Measures the claims that lesson 08 settles.",
                          .slow_disk_ms = 1,
                          .requests = ERRORS},
    };
    int status = asq_stage_open(&app.stage, argc, argv);
    struct asq_profile profile;

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, make_sql);
    profile = asq_profile_default(app.stage.path);
    if (asq_db_open(&app.a, &profile) != 0 ||
        asq_db_open(&app.b, &profile) != 0 ||
        asq_db_watch(&app.a, look, &app) != 0)
        asq_stage_fail(&app.stage, "the database cannot be opened");
    if (!app.stage.failed) {
        error_strings(&app);
        deferred_upgrade(&app);
        operation_timeout(&app);
    }
    (void)asq_db_close(&app.a); /* every statement was released */
    (void)asq_db_close(&app.b);
    return asq_stage_close(&app.stage, 0);
}
