/* lease_shorter_than_the_job - another gets the job while its holder works
 *
 * idea.c without (4): A works for longer than its lease and does not extend it.
 * To the others A looks dead, so B gets the job, and both do it. The token
 * keeps A from storing its end, but the mail has been sent twice.
 *
 * Copy of: idea.c
 * Proof: prints 40000 ms  B claims job 1, attempt 2
 */
#include "09-lifetimes/tempdb.h"
#include "common/paths.h"

#include <sqlite3.h>
#include <stdio.h>

static const char tables[] =
    "PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY);"
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " state TEXT DEFAULT 'ready', attempt INT DEFAULT 0, lease_ms INT)";

static const char order_sql[] = "BEGIN; INSERT INTO orders VALUES (NULL);"
                                "INSERT INTO jobs DEFAULT VALUES"; /* (1) */

/* (3) Look and take in one statement. The lease ends in 30 s; a job whose lease
 * is over may be claimed again. */
static const char claim_sql[] =
    "UPDATE jobs SET state = 'running', attempt = attempt + 1,"
    " lease_ms = ?1 + 30000 WHERE id = (SELECT min(id) FROM jobs"
    " WHERE state = 'ready' OR (state = 'running' AND lease_ms <= ?1))"
    " RETURNING id, attempt";

/* (4) and (5) Only if this attempt is still the one that runs. */
#define OURS " WHERE id = ?2 AND attempt = ?3 AND state = 'running'"
static const char extend_sql[] = "UPDATE jobs SET lease_ms = ?1 + 30000" OURS;
static const char done_sql[] = "UPDATE jobs SET state = 'done'" OURS;

struct worker {
    const char *name;
    sqlite3 *db;               /* its own connection, as a process has it */
    sqlite3_int64 id, attempt; /* the token of its claim */
};

struct app {
    sqlite3 *db; /* the shop's */
    struct worker a, b;
    sqlite3_int64 now_ms;
};

/* Runs one of these statements. Returns how many rows it has changed. */
static int run(struct app *app, struct worker *w, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int before = sqlite3_total_changes(w->db);
    int rc = sqlite3_prepare_v2(w->db, sql, -1, &stmt, NULL);

    (void)sqlite3_bind_int64(stmt, 1, app->now_ms);
    (void)sqlite3_bind_int64(stmt, 2, w->id); /* a claim has no 2 and 3 */
    (void)sqlite3_bind_int64(stmt, 3, w->attempt);
    while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        w->id = sqlite3_column_int64(stmt, 0);
        w->attempt = sqlite3_column_int64(stmt, 1);
    }
    if (rc != SQLITE_OK || sqlite3_finalize(stmt) != SQLITE_OK)
        (void)fprintf(stderr, "%s\n", sqlite3_errmsg(w->db));
    return sqlite3_total_changes(w->db) - before;
}

static void claim(struct app *app, struct worker *w)
{
    if (run(app, w, claim_sql) == 0)
        printf("%5lld ms  %s finds nothing\n", app->now_ms, w->name);
    else
        printf("%5lld ms  %s claims job %lld, attempt %lld\n", app->now_ms,
               w->name, w->id, w->attempt);
}

static void change(struct app *app, struct worker *w, const char *sql)
{
    printf("%5lld ms  %s %s: %s\n", app->now_ms, w->name,
           sql == done_sql ? "is done" : "extends its lease",
           run(app, w, sql) > 0 ? "stored" : "the job is lost");
}

static void wake(struct app *app)
{
    claim(app, &app->a);
    claim(app, &app->b);
}

static void take_order(struct app *app, const char *end)
{
    if (sqlite3_exec(app->db, order_sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(app->db, end, NULL, NULL, NULL) != SQLITE_OK)
        (void)fprintf(stderr, "%s\n", sqlite3_errmsg(app->db));
    printf("%5lld ms  an order: %s\n", app->now_ms, end);
    wake(app); /* (2) after the COMMIT, not before */
}

static void run_story(struct app *app)
{
    take_order(app, "ROLLBACK");
    app->now_ms = 100;
    take_order(app, "COMMIT");
    app->now_ms = 20000;
    (void)extend_sql; /* (4) A works on, and forgets its lease */
    app->now_ms = 40000;
    claim(app, &app->b);
    app->now_ms = 60000; /* now it is over, because A hangs */
    claim(app, &app->b);
    change(app, &app->a, done_sql); /* (5) A goes on, too late */
    change(app, &app->b, done_sql);
}

int main(void)
{
    struct app app = {.a = {.name = "A"}, .b = {.name = "B"}};
    struct asq_tempdb file = {0};

    if (asq_tempdb_open(&file, ASQ_TEMPDB_FILE, asq_build_dir()) != 0 ||
        sqlite3_open(file.path, &app.db) != SQLITE_OK ||
        sqlite3_open(file.path, &app.a.db) != SQLITE_OK ||
        sqlite3_open(file.path, &app.b.db) != SQLITE_OK ||
        sqlite3_exec(app.db, tables, NULL, NULL, NULL) != SQLITE_OK)
        return 1;
    run_story(&app);
    (void)sqlite3_close(app.a.db); /* no statement is open */
    (void)sqlite3_close(app.b.db);
    (void)sqlite3_close(app.db);
    return asq_tempdb_close(&file) != 0;
}
