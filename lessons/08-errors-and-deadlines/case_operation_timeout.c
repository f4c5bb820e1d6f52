/* case_operation_timeout - three places where the time goes, and their cures
 *
 * Each trouble is shown first, then a longer timeout, then what helps. The
 * order is forced: a slow request is a function that waits for the loop, or a
 * query that would run for minutes. No line depends on how fast the machine is.
 *
 * Run:      build/08-errors-and-deadlines-case_operation_timeout
 * See also: docs/troubleshooting.md
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "08-errors-and-deadlines/errors.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    DEADLINE_MS = 100,
    RAISED_MS = 200,
    SLOW_MS = 300 /* a slow request lasts longer than both */
};

static const char write_sql[] = "INSERT INTO notes VALUES (1)";
static const char read_sql[] = "SELECT count(*) FROM notes";
/* For each of 20,000 users it looks for their orders among 20,000. */
static const char join_sql[] =
    "SELECT count(*) FROM users WHERE"
    " (SELECT count(*) FROM orders WHERE orders.email = users.email) > 1";
static const char make_sql[] =
    "PRAGMA journal_mode=WAL; CREATE TABLE notes (client INTEGER);"
    "CREATE TABLE users (email TEXT);"
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
    " INSERT INTO users SELECT 's' || i FROM n;"
    "CREATE TABLE orders AS SELECT email FROM users";
static const char one_sql[] = "SELECT count(*) FROM orders WHERE email = 's7'";

struct app {
    struct asq_stage stage;
    struct asq_conn conn, own; /* own: for the slow requests */
    struct asq_db other;       /* of the main thread: holds the lock */
    struct asq_request slow, later, asked;
    uv_timer_t timer;
    uv_sem_t runs, go_on; /* posted when the slow one runs; when it may end */
    int steps;
    unsigned ended; /* requests that were answered */
    bool answered;  /* asked was */
};

/* The troubles, in this order. */
static void show_queue(struct app *app);
static void show_lock(struct app *app);
static void show_running(struct app *app);

static void must(struct app *app, const char *sql)
{
    if (asq_db_run(&app->other, sql, NULL, NULL) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->other));
}

static void note_ended(struct asq_request *request, int status)
{
    struct app *app = request->data;

    app->ended++;
    app->answered = app->answered || request == &app->asked;
    if (request != &app->asked && status != 0)
        asq_stage_fail(&app->stage, request->message);
}

/* Turns the loop until all is answered, and prints how the request has ended.
 */
static void tell(struct app *app, const char *what, enum asq_place wanted)
{
    const struct asq_request *asked = &app->asked;
    const char *place;

    asq_stage_turn(&app->stage); /* until all is answered */
    place = asq_place_name(asked->timed_out_in);
    (void)printf("    %-50s %s%s\n", what,
                 asked->status == 0 ? "done" : "deadline: ", place);
    if (asked->timed_out_in != wanted ||
        (wanted == ASQ_PLACE_NONE && asked->status != 0))
        asq_stage_fail(&app->stage, asked->message);
}

static void ask(struct app *app, const char *sql, unsigned timeout_ms)
{
    app->asked.timeout_ms = timeout_ms;
    asq_stage_must(&app->stage, asq_conn_run(&app->conn, &app->asked, sql, NULL,
                                             note_ended));
}

/* On the worker: a slow request, which lasts until the loop posts go_on. */
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

/* Returns when it is running, so that the next request waits behind it. */
static void start_slow(struct app *app, struct asq_conn *conn)
{
    asq_stage_must(&app->stage,
                   asq_conn_call(conn, &app->slow, wait_for_loop, note_ended));
    if (!app->stage.failed)
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
    /* One slow request is running, one waits: the urgent one passes that one.
     */
    app->ended = 0;
    app->answered = false;
    start_slow(app, &app->conn);
    asq_stage_must(&app->stage, asq_conn_call(&app->conn, &app->later,
                                              wait_for_loop, note_ended));
    app->asked.priority = ASQ_PRIORITY_URGENT;
    ask(app, read_sql, 0);
    uv_sem_post(&app->go_on);
    while (!app->answered && !app->stage.failed)
        (void)uv_run(&app->stage.loop, UV_RUN_ONCE);
    place = app->ended;
    uv_sem_post(&app->go_on);
    tell(app, "urgent: behind what runs, before what waits", ASQ_PLACE_NONE);
    app->asked.priority = ASQ_PRIORITY_NORMAL;
    if (place != 2 || app->ended != 3)
        asq_stage_fail(&app->stage, "it was not the second of three");
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

/* On the worker: how many steps SQLite takes to find the orders of a user. */
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
    asq_stage_must(&app->stage, asq_conn_call(&app->conn, &app->slow,
                                              count_steps, note_ended));
    asq_stage_turn(&app->stage); /* until it is counted */
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
        asq_stage_fail(&app->stage, "the index does not help");
}

static void open_conn(struct app *app, struct asq_conn *conn)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    asq_conn_init(conn);
    if (asq_conn_open_wait(conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, conn->message);
}

static void run(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    if (asq_db_open(&app->other, &profile) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->other));
    open_conn(app, &app->conn);
    open_conn(app, &app->own);
    if (!app->stage.failed) {
        show_queue(app);
        show_lock(app);
        show_running(app);
    }
    asq_conn_close_wait(&app->conn);
    asq_conn_close_wait(&app->own);
    (void)asq_db_close(&app->other); /* every statement was released */
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage.options = {.program = "build/08-errors-and-deadlines-"
                                     "case_operation_timeout",
                          .about = "Three places where the time goes.",
                          .slow_disk_ms = 1,
                          .requests = 1},
    };
    struct asq_request *requests[] = {&app.slow, &app.later, &app.asked};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_must(&app.stage, uv_sem_init(&app.runs, 0));
    asq_stage_must(&app.stage, uv_sem_init(&app.go_on, 0));
    asq_stage_make(&app.stage, make_sql);
    for (int i = 0; i < 3; i++)
        requests[i]->data = &app;
    (void)uv_timer_init(&app.stage.loop, &app.timer); /* it always succeeds */
    app.timer.data = &app;
    if (!app.stage.failed)
        run(&app);
    for (int i = 0; i < 3; i++)
        asq_request_destroy(requests[i]);
    uv_close((uv_handle_t *)&app.timer, NULL);
    status = asq_stage_close(&app.stage, 0);
    uv_sem_destroy(&app.runs);
    uv_sem_destroy(&app.go_on);
    return status;
}
