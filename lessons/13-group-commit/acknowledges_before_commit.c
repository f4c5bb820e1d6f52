/* acknowledges_before_commit - wrong: the answer comes before the COMMIT
 *
 * Each request is answered as soon as its statement has run, because that looks
 * faster. The statement did work; but its row is not stored before COMMIT has
 * returned, and here the last COMMIT fails.
 *
 * What it costs: a user is told "stored", and the row does not exist. Nobody
 * can take the answer back. As long as every COMMIT works, nobody notices.
 *
 * Copy of: idea.c
 * Proof: prints stored: 4 by the answers, 3 by the table
 */
#include "09-lifetimes/tempdb.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

struct app {
    sqlite3 *db;
    int ms;        /* the clock */
    int submitted; /* requests 1 to this one */
    int answered;  /* requests 1 to this one: the others wait */
    int commits, stored;
    int codes[6]; /* of requests 1 to 5 */
};

static void submit(struct app *app)
{
    printf("%2d ms  %d is submitted\n", app->ms, ++app->submitted);
}

/* Runs inside COMMIT, and decides whether it fails. */
static int wait_for_the_disk(void *data)
{
    static const int meanwhile[] = {3, 1, 0}; /* so many are submitted */
    struct app *app = data;
    int number = app->commits++;

    app->ms += 2;
    for (int i = 0; i < meanwhile[number]; i++)
        submit(app);
    app->ms += 3;
    return number == 2; /* the disk refuses the third one */
}

static int run(struct app *app, int number)
{
    static const char *const inserts[] = {
        "INSERT INTO rows VALUES ('Ada')", "INSERT INTO rows VALUES ('Bob')",
        "INSERT INTO rows VALUES ('Ada')", "INSERT INTO rows VALUES ('Eve')",
        "INSERT INTO rows VALUES ('Dan')"};
    /* (2) If it fails it undoes itself, and nothing else. */
    int rc = sqlite3_exec(app->db, inserts[number - 1], NULL, NULL, NULL);

    printf("%2d ms    %d runs: %s\n", app->ms, number,
           rc == 0 ? "ok" : sqlite3_errmsg(app->db));
    return rc;
}

static void answer(struct app *app, int number, int rc)
{
    printf("%2d ms  %d is answered: %s\n", app->ms, number,
           rc == 0 ? "stored" : "not stored");
    app->stored += rc == 0;
}

static int execute(struct app *app, const char *sql, int ms)
{
    printf("%2d ms  %s\n", app->ms, sql);
    app->ms += ms;
    return sqlite3_exec(app->db, sql, NULL, NULL, NULL);
}

static void run_group(struct app *app)
{
    int last = app->submitted; /* (1) all that wait */
    int rc = execute(app, "BEGIN IMMEDIATE", 0);

    for (int i = app->answered + 1; i <= last; i++) {
        app->codes[i] = rc == 0 ? run(app, i) : rc;
        answer(app, i, app->codes[i]); /* (4) too early */
    }
    if (rc == 0)
        rc = execute(app, "COMMIT", 0); /* (3) one wait for all of them */
    if (!sqlite3_get_autocommit(app->db))
        (void)execute(app, "ROLLBACK", 0); /* COMMIT has left it open */
    app->answered = last;
    if (app->commits == 2) /* (5) the answers have gone out */
        (void)execute(app, "PRAGMA wal_checkpoint", 20);
}

static int open_db(struct app *app, const char *path)
{
    static const char sql[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA wal_autocheckpoint = 0;"
                              "CREATE TABLE rows (name TEXT UNIQUE)";
    int rc = sqlite3_open(path, &app->db);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(app->db, sql, NULL, NULL, NULL);
    (void)sqlite3_commit_hook(app->db, wait_for_the_disk, app); /* the first */
    return rc;
}

int main(void)
{
    struct app app = {0};
    struct asq_tempdb file;
    char message[100] = "no file, or no memory";
    int64_t rows = 0;
    int rc = asq_tempdb_open(&file, ASQ_TEMPDB_FILE, asq_build_dir());

    if (rc == 0 && (rc = open_db(&app, file.path)) == 0) {
        submit(&app);
        while (app.answered < app.submitted) /* (6) without a timer */
            run_group(&app);
        rc = asq_ask_elsewhere(file.path, "SELECT count(*) FROM rows", &rows,
                               message, sizeof message);
    }
    printf("stored: %d by the answers, %" PRId64 " by the table\n", app.stored,
           rows);
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", message);
    (void)sqlite3_close(app.db); /* no statement is left */
    return rc != 0 || asq_tempdb_close(&file) != 0;
}
