/* claims - measures the claims that lesson 08 settles
 *
 * One function a claim; docs/claims.md says who made it. Errors and places are
 * counted, and the order of two threads is forced: no clock decides.
 *
 * Run: make claims L=08
 */
#include "common/claims.h"

#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "04-measure-first/db_copy.h"
#include "08-errors-and-deadlines/errors.h"
#include "common/options.h"
#include "common/paths.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CLAIMS = 3,
    ERRORS = 8,
    PLACES = 3,
    PATH_SIZE = 512
};

static const char endless[] = "WITH n AS (SELECT 1 UNION ALL SELECT 1 FROM n)"
                              " SELECT count(*) FROM n";
static const char write_sql[] = "INSERT INTO notes VALUES (1)";
static const char users_sql[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE,"
    " age INTEGER)";
static const char trigger_sql[] =
    "CREATE TRIGGER adults BEFORE INSERT ON users WHEN new.age < 18 BEGIN"
    " SELECT RAISE(ABORT, 'no UNIQUE constraint, but too young'); END";

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    struct asq_db a, b; /* two connections of this thread */
    struct asq_claim claims[CLAIMS];
    bool failed;
};

static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

/* Runs a statement that has to succeed. */
static void must(struct app *app, struct asq_db *db, const char *sql)
{
    if (!app->failed && asq_db_run(db, sql, NULL, NULL) != 0)
        fail(app, asq_db_message(db));
}

/* What the words of a message say, as in the document. */
static enum asq_error_kind read_words(const char *message)
{
    return strstr(message, "UNIQUE constraint") != NULL ? ASQ_ERROR_UNIQUE
           : strstr(message, "FOREIGN KEY constraint") != NULL
               ? ASQ_ERROR_FOREIGN_KEY
           : strstr(message, "database is locked") != NULL ? ASQ_ERROR_BUSY
           : strstr(message, "no such table") != NULL      ? ASQ_ERROR_NO_TABLE
                                                           : ASQ_ERROR_OTHER;
}

struct tally {
    int words, codes, all;
};

/* Runs a statement that has to fail, and counts who knows why. */
static void judge(struct app *app,
                  struct tally *tally,
                  const char *sql,
                  enum asq_error_kind kind)
{
    int rc = asq_db_run(&app->a, sql, NULL, NULL);

    tally->words += read_words(asq_db_message(&app->a)) == kind;
    tally->codes += asq_error_of_code(rc, NULL).kind == kind;
    tally->all += rc != 0;
}

static void make_tables(struct app *app)
{
    static const char *const sql[] = {
        users_sql, "CREATE TABLE orders (id INTEGER REFERENCES users (id))",
        trigger_sql, "INSERT INTO users VALUES (1, 's01', 20)"};

    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
        must(app, &app->a, sql[i]);
}

/* "Errors are told apart by their text." */
static void error_strings(struct app *app, struct asq_claim *claim)
{
    struct asq_stmt *reader = NULL;
    struct tally tally = {0};

    make_tables(app);
    judge(app, &tally, "INSERT INTO users VALUES (2, 's01', 20)",
          ASQ_ERROR_UNIQUE);
    judge(app, &tally, "INSERT INTO users VALUES (1, 's02', 20)",
          ASQ_ERROR_UNIQUE);
    judge(app, &tally, "INSERT INTO users VALUES (3, 's03', 9)",
          ASQ_ERROR_CONSTRAINT);
    judge(app, &tally, "INSERT INTO orders VALUES (7)", ASQ_ERROR_FOREIGN_KEY);
    judge(app, &tally, "SELECT * FROM user", ASQ_ERROR_NO_TABLE);
    if (asq_stmt_prepare(&app->a, "SELECT * FROM users", ASQ_WHOLE_TEXT,
                         &reader) != 0 ||
        asq_stmt_step(reader) != SQLITE_ROW)
        fail(app, asq_db_message(&app->a));
    judge(app, &tally, "DROP TABLE users", ASQ_ERROR_LOCKED);
    asq_stmt_release(reader);
    must(app, &app->b, "BEGIN IMMEDIATE");
    judge(app, &tally, write_sql, ASQ_ERROR_BUSY);
    must(app, &app->b, "ROLLBACK");
    must(app, &app->a, "BEGIN");
    must(app, &app->a, "SELECT * FROM users");
    must(app, &app->b, write_sql);
    judge(app, &tally, write_sql, ASQ_ERROR_BUSY_SNAPSHOT);
    must(app, &app->a, "ROLLBACK");
    if (tally.all != ERRORS)
        fail(app, "a statement that had to fail did not");
    asq_claim_set(claim, "error-strings",
                  tally.words == ERRORS ? "holds"
                  : tally.codes < tally.words
                      ? "holds if words are all there is"
                      : "wrong",
                  (double)tally.words / ERRORS,
                  "Of %d errors, words tell the kind of %d, extended codes of "
                  "%d: a missing\ntable has the code of all wrong SQL.",
                  ERRORS, tally.words, tally.codes);
}

static int count_look(void *data)
{
    struct app *app = data;

    app->claims[1].measured += app->a.waiting;
    return 0;
}

/* Reads and then writes while b writes in between. Returns a's write. */
static int upgrade(struct app *app, const char *begin, bool meanwhile)
{
    must(app, &app->a, begin);
    must(app, &app->a, "SELECT * FROM notes");
    if (meanwhile)
        must(app, &app->b, write_sql);
    return asq_db_run(&app->a, write_sql, NULL, NULL);
}

/* "'database is locked' wants WAL or a longer timeout." Both are there. */
static void deferred_upgrade(struct app *app, struct asq_claim *claim)
{
    int first, same = 0, whole;
    double waits, all;

    claim->measured = 0; /* how often it waited */
    if (asq_db_watch(&app->a, count_look, app) != 0)
        fail(app, asq_db_message(&app->a));
    app->a.busy_ms = 5000;
    first = upgrade(app, "BEGIN", true);
    for (int i = 0; i < 3; i++) /* the statement alone, again */
        same += asq_db_run(&app->a, write_sql, NULL, NULL) == first;
    must(app, &app->a, "ROLLBACK");
    whole = upgrade(app, "BEGIN", false);
    must(app, &app->a, whole == 0 ? "COMMIT" : "ROLLBACK");
    waits = claim->measured;
    must(app, &app->b, "BEGIN IMMEDIATE"); /* a lock to wait for */
    app->a.busy_ms = 20;
    if (asq_db_run(&app->a, "BEGIN IMMEDIATE", NULL, NULL) != SQLITE_BUSY)
        fail(app, "two connections hold the write lock");
    must(app, &app->b, "ROLLBACK");
    app->a.busy_ms = 0;
    (void)asq_db_watch(&app->a, NULL, NULL); /* as above */
    all = claim->measured;
    asq_claim_set(
        claim, "deferred-upgrade",
        waits > 0 || whole != 0 || same < 3 ? "holds"
        : all > 0 ? "holds if the transaction begins IMMEDIATE"
                  : "wrong",
        waits,
        "WAL mode, timeout 5 s: %d after %g waits; BEGIN IMMEDIATE "
        "does wait.\nThe statement again: %d at each of 3 attempts. All of "
        "it again: %d.",
        first, waits, first, whole);
}

/* A statement on a thread of its own, and somebody who interrupts it. */
struct victim {
    struct app *app;
    const char *sql;
    struct asq_db db;
    uv_sem_t ready, go, looked;
    bool begun; /* the first look is before the first step */
    atomic_bool ended;
    int rc;
};

static int note_look(void *data)
{
    struct victim *victim = data;

    if (victim->begun)
        uv_sem_post(&victim->looked); /* it runs, or waits for a lock */
    victim->begun = true;
    return 0;
}

static void run_victim(void *data)
{
    struct victim *victim = data;
    struct asq_profile profile = asq_profile_default(victim->app->path);

    victim->rc = asq_db_open(&victim->db, &profile);
    if (victim->rc == 0)
        victim->rc = asq_db_watch(&victim->db, note_look, victim);
    uv_sem_post(&victim->ready);
    uv_sem_wait(&victim->go);
    if (victim->rc == 0)
        victim->rc = asq_db_run(&victim->db, victim->sql, NULL, NULL);
    atomic_store(&victim->ended, true);
    uv_sem_post(&victim->looked); /* who waits for a look need not */
    uv_sem_post(&victim->looked);
    (void)asq_db_close(&victim->db); /* every statement was released */
}

/* Interrupts from outside while the statement is at a place, and says whether
 * that ended it. */
static bool is_ended_by_interrupt(struct app *app, enum asq_place place)
{
    struct victim victim = {
        .app = app, .sql = place == ASQ_PLACE_RUNNING ? endless : write_sql};
    bool in_time = true;
    sqlite3 *handle;
    uv_thread_t thread;

    if (uv_sem_init(&victim.ready, 0) != 0 || uv_sem_init(&victim.go, 0) != 0 ||
        uv_sem_init(&victim.looked, 0) != 0 ||
        uv_thread_create(&thread, run_victim, &victim) != 0) {
        fail(app, "no memory or thread is left");
        return false;
    }
    uv_sem_wait(&victim.ready);
    handle = victim.db.handle; /* the thread closes it */
    if (place == ASQ_PLACE_LOCK)
        must(app, &app->b, "BEGIN IMMEDIATE");
    if (place == ASQ_PLACE_QUEUE && handle != NULL) /* it has not begun */
        sqlite3_interrupt(handle);
    uv_sem_post(&victim.go);
    if (place != ASQ_PLACE_QUEUE && handle != NULL) {
        uv_sem_wait(&victim.looked); /* now it is there */
        sqlite3_interrupt(handle);
    }
    if (place == ASQ_PLACE_LOCK) {
        uv_sem_wait(&victim.looked); /* it waits on and on */
        uv_sem_wait(&victim.looked);
        in_time = atomic_load(&victim.ended);
        must(app, &app->b, "COMMIT");
    }
    (void)uv_thread_join(&thread); /* it was made above */
    if (victim.rc != 0 && victim.rc != SQLITE_INTERRUPT)
        fail(app, "the interrupted statement failed");
    uv_sem_destroy(&victim.ready);
    uv_sem_destroy(&victim.go);
    uv_sem_destroy(&victim.looked);
    return in_time && victim.rc == SQLITE_INTERRUPT;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* on the stack */
}

static void note_done(struct asq_request *request, int status)
{
    (void)request; /* looked at when all is over */
    (void)status;
}

/* Returns in how many places a deadline ended a request, and whether the one
 * after them was left alone. */
static int count_deadlines(struct app *app, bool *ret_next_is_whole)
{
    static const struct {
        const char *sql;
        unsigned timeout_ms;
    } asks[] = {
        {write_sql, 50}, {endless, 300}, {write_sql, 100}, {"SELECT 1", 0}};
    static const enum asq_place places[] = {ASQ_PLACE_LOCK, ASQ_PLACE_RUNNING,
                                            ASQ_PLACE_QUEUE, ASQ_PLACE_NONE};
    struct asq_profile profile = asq_profile_default(app->path);
    struct asq_request requests[sizeof asks / sizeof asks[0]];
    struct asq_conn conn;
    int rc, ended = 0;

    asq_conn_init(&conn);
    conn.data = app;
    must(app, &app->b, "BEGIN IMMEDIATE");
    rc = asq_conn_open(&conn, uv_default_loop(), &profile, note_opened);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until it is open */
    for (size_t i = 0; i < PLACES + 1; i++) {
        asq_request_init(&requests[i]);
        requests[i].timeout_ms = asks[i].timeout_ms;
        if (rc == 0)
            rc =
                asq_conn_run(&conn, &requests[i], asks[i].sql, NULL, note_done);
    }
    if (rc != 0) {
        fail(app, uv_strerror(rc));
        return 0;
    }
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&conn, note_closed);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until it is closed */
    must(app, &app->b, "COMMIT");
    for (size_t i = 0; i < PLACES + 1; i++) {
        ended += requests[i].timed_out_in == places[i] && i < PLACES;
        asq_request_destroy(&requests[i]);
    }
    *ret_next_is_whole = requests[PLACES].status == 0;
    return ended;
}

/* "operation_timeout limits the time of a query": a timer that interrupts. */
static void operation_timeout(struct app *app, struct asq_claim *claim)
{
    bool next = false;
    int interrupted = 0, ended;

    for (int i = 0; i < PLACES; i++)
        interrupted +=
            is_ended_by_interrupt(app, (enum asq_place)(ASQ_PLACE_QUEUE + i));
    ended = count_deadlines(app, &next);
    asq_claim_set(claim, "operation-timeout",
                  interrupted == PLACES ? "holds"
                  : ended == PLACES && next
                      ? "holds if the worker looks at the clock"
                      : "wrong",
                  (double)interrupted / PLACES,
                  "Of queue, lock and running, an interrupt from outside ends "
                  "%d, a deadline %d;\nthe statement after it was %s.",
                  interrupted, ended, next ? "left alone" : "hit");
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/08-errors-and-deadlines-claims",
                    .about = "Measures the claims that lesson 08 settles.",
                    .slow_disk_ms = 1,
                    .requests = 8},
    };
    int rc = asq_options_parse(&app.options, argc, argv);
    struct asq_profile profile;

    if (rc >= 0)
        return rc;
    (void)snprintf(app.path, sizeof app.path, "%s/tmp/errors-claims-%ld.db",
                   asq_build_dir(), (long)getpid());
    profile = asq_profile_default(app.path);
    profile.busy_ms = 0;
    if (uv_default_loop() == NULL || asq_make_parents(app.path) != 0) {
        fail(&app, "no memory, or no folder for the database");
    } else if (asq_db_open(&app.a, &profile) != 0 ||
               asq_db_open(&app.b, &profile) != 0) {
        fail(&app, "the database cannot be opened");
    } else {
        must(&app, &app.a, "CREATE TABLE notes (client INTEGER)");
        error_strings(&app, &app.claims[0]);
        deferred_upgrade(&app, &app.claims[1]);
        operation_timeout(&app, &app.claims[2]);
    }
    (void)asq_db_close(&app.a); /* every statement was released */
    (void)asq_db_close(&app.b);
    (void)asq_db_remove(app.path);          /* what cannot be removed stays */
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
