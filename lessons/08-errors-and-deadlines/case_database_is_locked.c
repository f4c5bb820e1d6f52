/* case_database_is_locked - four troubles with one message, and their cures
 *
 * Two connections, a and b, are used by one thread, so the order is certain.
 * Each trouble is shown first, then what does not help, then what does. A line
 * has the code, and says whether a waited for the lock.
 *
 * Run:      build/08-errors-and-deadlines-case_database_is_locked
 * See also: docs/troubleshooting.md
 */
#include "01-blocking/stmt.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/retry.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    SHORT_MS = 20,
    LONG_MS = 5000
};

static const char write_sql[] = "INSERT INTO notes VALUES (1)";
static const char read_sql[] = "SELECT * FROM notes";
static const char returning_sql[] =
    "INSERT INTO notes VALUES (1), (2) RETURNING *";

struct app {
    struct asq_stage stage;
    struct asq_db a, b;
    bool waits; /* a has waited for the lock */
};

/* The troubles, in this order. */
static void show_long_writer(struct app *app);
static void show_upgrade(struct app *app);
static void show_unfinished(struct app *app);
static void show_reader(struct app *app);

/* Runs a statement that has to succeed. */
static void must(struct app *app, struct asq_db *db, const char *sql)
{
    if (asq_db_run(db, sql, NULL, NULL) != 0)
        asq_stage_fail(&app->stage, asq_db_message(db));
}

/* Runs a statement of a, and prints how it ended and whether a waited. */
static int run(struct app *app, const char *what, const char *sql, int wanted)
{
    int rc;

    app->waits = false;
    rc = asq_db_run(&app->a, sql, NULL, NULL);
    (void)printf("    %-44s %3d %s%s\n", what, rc,
                 rc == 0 ? "done" : asq_error_of_code(rc, NULL).name,
                 rc == 0      ? ""
                 : app->waits ? ", after a wait"
                              : ", at once");
    if (rc != wanted)
        asq_stage_fail(&app->stage, asq_db_message(&app->a));
    return rc;
}

static int note_wait(void *data)
{
    struct app *app = data;

    app->waits = app->waits || app->a.waiting;
    return 0; /* go on */
}

/* The third attempt meets a lock that is free. */
static int attempt(struct asq_retry *retry)
{
    struct app *app = retry->data;

    if (retry->attempts == 3)
        must(app, &app->b, "COMMIT");
    asq_retry_settle(retry, run(app, "tries again with back-off", write_sql,
                                retry->attempts == 3 ? 0 : SQLITE_BUSY));
    return 0;
}

static void note_settled(struct asq_retry *retry, int status)
{
    if (status != 0) {
        struct app *app = retry->data;

        asq_stage_fail(&app->stage, "the attempts were used up");
    }
}

static void show_long_writer(struct app *app)
{
    struct asq_retry retry;

    (void)printf("(a) b writes for longer than a waits\n");
    must(app, &app->b, "BEGIN IMMEDIATE");
    (void)run(app, "a writes, timeout 20 ms", write_sql, SQLITE_BUSY);
    (void)printf("  try again, until a deadline\n");
    asq_retry_init(&retry, &app->stage.loop);
    retry.data = app;
    retry.timeout_ms = 10000;
    if (asq_retry_start(&retry, attempt, note_settled) != 0)
        asq_stage_fail(&app->stage, "it cannot be tried again");
    asq_stage_turn(&app->stage); /* until it is done */
    asq_retry_close(&retry, NULL);
    asq_stage_turn(&app->stage); /* until it is closed */
    (void)printf("  b writes in short transactions\n");
    for (int i = 0; i < 2; i++) {
        must(app, &app->b, "BEGIN IMMEDIATE");
        must(app, &app->b, write_sql);
        must(app, &app->b, "COMMIT");
        (void)run(app, "a writes between two of them", write_sql, 0);
    }
}

/* a reads in a transaction, and then b writes. */
static void begin_and_read(struct app *app, const char *begin, bool meanwhile)
{
    must(app, &app->a, begin);
    must(app, &app->a, read_sql);
    if (meanwhile)
        must(app, &app->b, write_sql);
}

static void show_upgrade(struct app *app)
{
    (void)printf("(b) a has read in its transaction, b has written since\n");
    begin_and_read(app, "BEGIN", true);
    (void)run(app, "a writes, timeout 20 ms", write_sql, SQLITE_BUSY_SNAPSHOT);
    (void)printf("  a longer timeout: no cure\n");
    app->a.busy_ms = LONG_MS;
    (void)run(app, "a writes, timeout 5,000 ms", write_sql,
              SQLITE_BUSY_SNAPSHOT);
    app->a.busy_ms = SHORT_MS;
    (void)printf("  the whole transaction again\n");
    must(app, &app->a, "ROLLBACK");
    begin_and_read(app, "BEGIN", false);
    (void)run(app, "a reads again, and writes", write_sql, 0);
    must(app, &app->a, "COMMIT");
    (void)printf("  BEGIN IMMEDIATE\n");
    begin_and_read(app, "BEGIN IMMEDIATE", false);
    if (asq_db_run(&app->b, write_sql, NULL, NULL) != SQLITE_BUSY)
        asq_stage_fail(&app->stage, "b was let in");
    (void)run(app, "a writes; b had to wait", write_sql, 0);
    must(app, &app->a, "COMMIT");
}

static void show_unfinished(struct app *app)
{
    struct asq_stmt *stmt = NULL;

    (void)printf("(c) the program itself has not finished something on b\n");
    must(app, &app->b, "BEGIN");
    must(app, &app->b, write_sql);
    (void)run(app, "a writes; a COMMIT is missing on b", write_sql,
              SQLITE_BUSY);
    must(app, &app->b, "COMMIT");
    (void)run(app, "a writes; b has committed", write_sql, 0);
    if (asq_stmt_prepare(&app->b, returning_sql, ASQ_WHOLE_TEXT, &stmt) != 0 ||
        asq_stmt_step(stmt) != SQLITE_ROW)
        asq_stage_fail(&app->stage, asq_db_message(&app->b));
    (void)run(app, "a writes; b has read 1 of 2 RETURNING rows", write_sql,
              SQLITE_BUSY);
    asq_stmt_release(stmt);
    (void)run(app, "a writes; b has released the statement", write_sql, 0);
}

/* The mode of a file can be changed only by its one and only connection. */
static void set_mode(struct app *app, const char *sql)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.wal = false; /* leave what is there */
    profile.busy_ms = SHORT_MS;
    (void)asq_db_close(&app->a); /* every statement was released */
    must(app, &app->b, sql);
    if (asq_db_open(&app->a, &profile) != 0 ||
        asq_db_watch(&app->a, note_wait, app) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->a));
}

static void show_reader(struct app *app)
{
    struct asq_stmt *stmt = NULL;

    (void)printf("(d) b reads, and the database is not in WAL mode\n");
    for (int wal = 0; wal < 2; wal++) {
        set_mode(app, wal ? "PRAGMA journal_mode=WAL"
                          : "PRAGMA journal_mode=DELETE");
        if (asq_stmt_prepare(&app->b, read_sql, ASQ_WHOLE_TEXT, &stmt) != 0 ||
            asq_stmt_step(stmt) != SQLITE_ROW)
            asq_stage_fail(&app->stage, asq_db_message(&app->b));
        (void)run(app,
                  wal ? "a writes; b reads a row, WAL mode"
                      : "a writes; b reads a row, rollback journal",
                  write_sql, wal ? 0 : SQLITE_BUSY);
        asq_stmt_release(stmt);
    }
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage.options = {.program = "build/08-errors-and-deadlines-"
                                     "case_database_is_locked",
                          .about = "Four troubles with one message.",
                          .slow_disk_ms = 1,
                          .requests = 1},
    };
    int status = asq_stage_open(&app.stage, argc, argv);
    struct asq_profile profile;

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE notes (client INTEGER)");
    profile = asq_profile_default(app.stage.path);
    profile.busy_ms = SHORT_MS;
    if (asq_db_open(&app.a, &profile) != 0 ||
        asq_db_open(&app.b, &profile) != 0 ||
        asq_db_watch(&app.a, note_wait, &app) != 0)
        asq_stage_fail(&app.stage, "the database cannot be opened");
    if (!app.stage.failed) {
        show_long_writer(&app);
        show_upgrade(&app);
        show_unfinished(&app);
        show_reader(&app);
    }
    (void)asq_db_close(&app.a); /* every statement was released */
    (void)asq_db_close(&app.b);
    return asq_stage_close(&app.stage, 0);
}
