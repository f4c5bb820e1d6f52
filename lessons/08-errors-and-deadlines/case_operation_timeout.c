/* case_operation_timeout - three places where the time goes, and their cures
 *
 * Each trouble is shown first, then a raised timeout, then what helps. The
 * order is forced; what is slow is a function that waits for the loop, or a
 * query that would run for minutes. No line depends on how fast a machine is.
 *
 * Run:      build/08-errors-and-deadlines-case_operation_timeout
 * See also: docs/troubleshooting.md
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "04-measure-first/db_copy.h"
#include "08-errors-and-deadlines/errors.h"
#include "common/paths.h"

#include <stdio.h>
#include <unistd.h>

enum {
    PATH_SIZE = 512,
    DEADLINE_MS = 100,
    RAISED_MS = 200,
    SLOW_MS = 300 /* a slow one lasts longer than both */
};

static const char write_sql[] = "INSERT INTO notes VALUES (1)";
static const char read_sql[] = "SELECT count(*) FROM notes";
/* For each of 20,000 users it looks for their orders among 20,000. */
static const char join_sql[] =
    "SELECT count(*) FROM users WHERE"
    " (SELECT count(*) FROM orders WHERE orders.email = users.email) > 1";
static const char fill_sql[] =
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
    " INSERT INTO users SELECT 's' || i FROM n";
static const char one_sql[] = "SELECT count(*) FROM orders WHERE email = 's7'";

struct app {
    char path[PATH_SIZE];
    uv_loop_t *loop;
    struct asq_conn conn, own; /* own: for what is slow */
    struct asq_db other;       /* of the main thread: holds the lock */
    struct asq_request slow, later, asked;
    uv_timer_t timer;
    uv_sem_t runs, go_on; /* the slow one does; it may end */
    int steps;
    unsigned ended; /* requests that were answered */
    bool answered;  /* asked was */
    bool failed;
};

/* The troubles, in this order. */
static void show_queue(struct app *app);
static void show_lock(struct app *app);
static void show_running(struct app *app);

static void fail(struct app *app, const char *message)
{
    (void)fprintf(stderr, "%s\n", message);
    app->failed = true;
}

static void check(struct app *app, int rc)
{
    if (rc != 0)
        fail(app, uv_strerror(rc));
}

static void must(struct app *app, const char *sql)
{
    if (asq_db_run(&app->other, sql, NULL, NULL) != 0)
        fail(app, asq_db_message(&app->other));
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

static void note_ended(struct asq_request *request, int status)
{
    struct app *app = request->data;

    app->ended++;
    app->answered = app->answered || request == &app->asked;
    if (request != &app->asked && status != 0)
        fail(app, request->message);
}

/* Turns the loop, tells what became of what was asked, and whether it went as
 * it should. */
static void tell(struct app *app, const char *what, enum asq_place wanted)
{
    const struct asq_request *asked = &app->asked;
    const char *place;

    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    place = asq_place_name(asked->timed_out_in);
    (void)printf("    %-50s %s%s\n", what,
                 asked->status == 0 ? "done" : "deadline: ", place);
    if (asked->timed_out_in != wanted ||
        (wanted == ASQ_PLACE_NONE && asked->status != 0))
        fail(app, asked->message);
}

static void ask(struct app *app, const char *sql, unsigned timeout_ms)
{
    app->asked.timeout_ms = timeout_ms;
    check(app, asq_conn_run(&app->conn, &app->asked, sql, NULL, note_ended));
}

/* On the worker: a slow one, which lasts until the loop says so. */
static int wait_for_loop(struct asq_db *db, struct asq_request *request)
{
    struct app *app = request->data;

    (void)db;
    uv_sem_post(&app->runs);
    uv_sem_wait(&app->go_on);
    return 0;
}

static void let_go_on(uv_timer_t *timer)
{
    struct app *app = timer->data;

    uv_sem_post(&app->go_on);
}

/* Returns when it runs, so that what is asked next stands behind it. */
static void start_slow(struct app *app, struct asq_conn *conn)
{
    check(app, asq_conn_call(conn, &app->slow, wait_for_loop, note_ended));
    if (!app->failed)
        uv_sem_wait(&app->runs);
}

static void show_queue(struct app *app)
{
    unsigned place;

    (void)printf("(a) the time is spent in the queue, behind a slow one\n");
    for (int i = 0; i < 3; i++) {
        static const char *const what[] = {
            "a short query, deadline 100 ms", "deadline 200 ms: no cure",
            "the slow one has a connection of its own"};

        start_slow(app, i == 2 ? &app->own : &app->conn);
        ask(app, read_sql, i == 1 ? RAISED_MS : DEADLINE_MS);
        /* It cannot fail: it is not closing. */
        (void)uv_timer_start(&app->timer, let_go_on, SLOW_MS, 0);
        tell(app, what[i], i == 2 ? ASQ_PLACE_NONE : ASQ_PLACE_QUEUE);
    }
    /* One slow one runs, one waits: the urgent one passes the latter. */
    app->ended = 0;
    app->answered = false;
    start_slow(app, &app->conn);
    check(app,
          asq_conn_call(&app->conn, &app->later, wait_for_loop, note_ended));
    app->asked.priority = ASQ_PRIORITY_URGENT;
    ask(app, read_sql, 0);
    uv_sem_post(&app->go_on);
    while (!app->answered && !app->failed)
        (void)uv_run(app->loop, UV_RUN_ONCE);
    place = app->ended;
    uv_sem_post(&app->go_on);
    tell(app, "urgent: behind what runs, before what waits", ASQ_PLACE_NONE);
    app->asked.priority = ASQ_PRIORITY_NORMAL;
    if (place != 2 || app->ended != 3)
        fail(app, "it was not the second of three");
}

static void show_lock(struct app *app)
{
    (void)printf("(b) the time is spent waiting for a lock\n");
    must(app, "BEGIN IMMEDIATE");
    ask(app, write_sql, DEADLINE_MS);
    tell(app, "a write, deadline 100 ms", ASQ_PLACE_LOCK);
    ask(app, write_sql, RAISED_MS);
    tell(app, "deadline 200 ms: no cure", ASQ_PLACE_LOCK);
    must(app, "COMMIT");
    ask(app, write_sql, DEADLINE_MS);
    tell(app, "the other one has committed", ASQ_PLACE_NONE);
}

/* On the worker: how many steps the search for one user takes. */
static int count_steps(struct asq_db *db, struct asq_request *request)
{
    struct app *app = request->data;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(asq_db_handle(db), one_sql, -1, &stmt, NULL);

    if (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW)
        (void)sqlite3_step(stmt); /* finalize repeats what goes wrong */
    app->steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    return rc != 0 ? rc : sqlite3_finalize(stmt);
}

static int ask_steps(struct app *app)
{
    check(app, asq_conn_call(&app->conn, &app->slow, count_steps, note_ended));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is counted */
    return app->steps;
}

static void show_running(struct app *app)
{
    int before = ask_steps(app);

    (void)printf("(c) the time is spent running: a query without an index\n");
    ask(app, join_sql, DEADLINE_MS);
    tell(app, "users with more than one order, deadline 100 ms",
         ASQ_PLACE_RUNNING);
    ask(app, join_sql, RAISED_MS);
    tell(app, "deadline 200 ms: no cure", ASQ_PLACE_RUNNING);
    must(app, "CREATE INDEX orders_email ON orders (email)");
    ask(app, join_sql, 0);
    tell(app, "with an index", ASQ_PLACE_NONE);
    (void)printf("    steps to find the orders of one user: %d, and then %d\n",
                 before, ask_steps(app));
    if (app->steps * 100 > before)
        fail(app, "the index does not help");
}

static void run(struct app *app)
{
    static const char *const sql[] = {
        "CREATE TABLE notes (client INTEGER)",
        "CREATE TABLE users (email TEXT)", fill_sql,
        "CREATE TABLE orders AS SELECT email FROM users"};
    struct asq_profile profile = asq_profile_default(app->path);
    int rc, own;

    if (asq_db_open(&app->other, &profile) != 0) {
        fail(app, asq_db_message(&app->other));
        return;
    }
    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
        must(app, sql[i]);
    rc = asq_conn_open(&app->conn, app->loop, &profile, note_opened);
    own = asq_conn_open(&app->own, app->loop, &profile, note_opened);
    check(app, rc != 0 ? rc : own);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until both are open */
    if (!app->failed) {
        show_queue(app);
        show_lock(app);
        show_running(app);
    }
    if (rc == 0)
        asq_conn_close(&app->conn, note_closed);
    if (own == 0)
        asq_conn_close(&app->own, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until they are closed */
    (void)asq_db_close(&app->other);         /* every statement was released */
}

int main(void)
{
    struct app app = {.loop = uv_default_loop()};
    struct asq_request *requests[] = {&app.slow, &app.later, &app.asked};

    (void)snprintf(app.path, sizeof app.path, "%s/tmp/timeout-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (app.loop == NULL || uv_sem_init(&app.runs, 0) != 0 ||
        uv_sem_init(&app.go_on, 0) != 0 || asq_make_parents(app.path) != 0) {
        (void)fprintf(stderr, "no memory, or no folder for the database\n");
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        asq_request_init(requests[i]);
        requests[i]->data = &app;
    }
    asq_conn_init(&app.conn);
    asq_conn_init(&app.own);
    app.conn.data = app.own.data = &app;
    (void)uv_timer_init(app.loop, &app.timer); /* it always succeeds */
    app.timer.data = &app;
    run(&app);
    (void)asq_db_remove(app.path); /* what cannot be removed stays */
    for (int i = 0; i < 3; i++)
        asq_request_destroy(requests[i]);
    uv_close((uv_handle_t *)&app.timer, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    uv_sem_destroy(&app.runs);
    uv_sem_destroy(&app.go_on);
    return app.failed;
}
