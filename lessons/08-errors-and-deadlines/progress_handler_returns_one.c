/* progress_handler_returns_one - committed work is reported as cancelled
 *
 * The handler ends the statement by itself: it returns 1. SQLite asks it once
 * more when a statement has done everything, its commit included, and then
 * takes the 1 for its end. Who asked is told "cancelled, nothing of it stays",
 * and s03 is in the table. Who tries again is told that s03 is taken.
 *
 * Copy of: idea.c
 * Proof: prints 9 cancelled
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "08-errors-and-deadlines/errors.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ASKS = 10
};

struct ask {
    struct asq_request request;
    const char *sql; /* NULL: make */
};

struct app {
    struct asq_conn conn;
    struct ask asks[ASKS];
    uv_async_t running; /* sent by meet */
    uv_sem_t go_on;     /* posted for it */
    struct ask *meant;  /* whom the loop is about to stop */
};

static const char *const does[] = {
    [ASQ_REMEDY_NONE] = "go on",
    [ASQ_REMEDY_TELL] = "tell who asked",
    [ASQ_REMEDY_RETRY] = "try again later",
    [ASQ_REMEDY_RETRY_ALL] = "try all of it again",
    [ASQ_REMEDY_STOP] = "stop here",
    [ASQ_REMEDY_REOPEN] = "reopen and look",
    [ASQ_REMEDY_REPAIR] = "call a person",
    [ASQ_REMEDY_FIX] = "correct the program",
};

/* The SQL function meet(), on the worker: in the midst of a statement the loop
 * catches up, so that every run has the same order. */
static void meet(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct app *app = sqlite3_user_data(context);

    (void)count; /* there are no values */
    (void)values;
    (void)uv_async_send(&app->running); /* cannot fail: it is open */
    uv_sem_wait(&app->go_on);
    sqlite3_result_int(context, 30);
}

/* On the loop, while the worker stands in meet. The first time the request
 * that is meant has ended just now; the second time it stands there. */
static void stop_one(uv_async_t *running)
{
    struct app *app = running->data;

    asq_request_cancel(&app->meant->request); /* (4) */
    app->meant += 2;
    uv_sem_post(&app->go_on);
}

/* On the worker, after each operation of the virtual machine. */
static int stop_at_once(void *data)
{
    struct asq_request *request = data; /* the one of s03 */
    bool runs = request->started_ns != 0 && request->ended_ns == 0;

    return runs && atomic_load(&request->cancelled); /* WRONG */
}

/* On the worker. */
static int make(struct asq_db *db, struct asq_request *request)
{
    static const char *const sql[] = {
        "CREATE TABLE users (email TEXT UNIQUE, age INT CHECK (age > 0))",
        "CREATE TABLE orders (email TEXT REFERENCES users (email))",
        "INSERT INTO users VALUES ('s01', 20), ('s02', 20)"};
    struct ask *ask = request->data;
    struct app *app = ASQ_CONTAINER_OF(ask, struct app, asks[0]);
    sqlite3 *handle = asq_db_handle(db);
    int rc;

    rc = sqlite3_create_function(handle, "meet", 0, SQLITE_UTF8, app, meet,
                                 NULL, NULL);
    sqlite3_progress_handler(handle, 1, stop_at_once, &app->asks[8].request);
    for (size_t i = 0; i < sizeof sql / sizeof sql[0] && rc == 0; i++)
        rc = asq_db_run(db, sql[i], NULL, NULL);
    return rc;
}

static void print(struct asq_request *request, int status)
{
    struct asq_error error = asq_error_of(request, status); /* (1) */
    const struct ask *ask = request->data;
    const char *names = request->timed_out_in == ASQ_PLACE_NONE
                            ? error.subject                          /* (2) */
                            : asq_place_name(request->timed_out_in); /* (3) */

    if (ask->sql != NULL)
        (void)printf("%s\n", ask->sql);
    if (status != 0)
        (void)printf("    %d %s%s%s\n    %s\n    So: %s.\n", status, error.name,
                     names[0] == 0 ? "" : ": ", names, error.advice,
                     does[error.remedy]);
    else if (request->result.rows == 1)
        (void)printf("    users: %" PRId64 "\n",
                     asq_result_int64(&request->result, 0, "users"));
    else if (ask->sql != NULL)
        (void)printf("    done, changed: %" PRId64 "\n",
                     request->result.changes);
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fprintf(stderr, "%s\n", conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* on the stack of main */
}

static const struct {
    const char *sql;
    unsigned timeout_ms;
} given[ASKS] = {{.sql = NULL},
                 {.sql = "INSERT INTO users VALUES ('s01', 21)"},
                 {.sql = "INSERT INTO orders VALUES ('s07')"},
                 {.sql = "UPDATE users SET age = 0 WHERE email = 's01'"},
                 {.sql = "SELECT * FROM user"},
                 {.sql = "SELECT mail FROM users"},
                 {.sql = "UPDATE users SET age = 19 WHERE email = 's01'"},
                 {.sql = "UPDATE users SET age = (SELECT meet())"},
                 {.sql = "INSERT INTO users VALUES ('s03', meet())"},
                 {.sql = "SELECT count(*) AS users FROM users"}};

/* Returns 0, or the code with which one was refused. */
static int submit_all(struct app *app)
{
    int rc = 0;

    for (int i = 0; i < ASKS && rc == 0; i++) {
        struct ask *ask = &app->asks[i];
        struct asq_request *request = &ask->request;

        ask->sql = given[i].sql;
        asq_request_init(request);
        request->data = ask;
        request->timeout_ms = given[i].timeout_ms; /* (5) */
        rc = ask->sql == NULL
                 ? asq_conn_call(&app->conn, request, make, print)
                 : asq_conn_run(&app->conn, request, ask->sql, NULL, print);
    }
    return rc;
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct app app = {0};
    uv_loop_t *loop = uv_default_loop();
    int rc, failed;

    app.running.data = &app;
    app.meant = &app.asks[6];
    if (loop == NULL || uv_sem_init(&app.go_on, 0) != 0 ||
        uv_async_init(loop, &app.running, stop_one) != 0) {
        (void)fprintf(stderr, "no memory or descriptor is left\n");
        return 1;
    }
    uv_unref((uv_handle_t *)&app.running); /* nothing may ever be sent */
    asq_conn_init(&app.conn);
    rc = asq_conn_open(&app.conn, loop, &profile, note_opened);
    if (rc == 0)
        rc = submit_all(&app);
    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", uv_strerror(rc));
        return 1;
    }
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&app.conn, note_closed);
    uv_close((uv_handle_t *)&app.running, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until both are closed */
    failed = app.asks[0].request.status != 0;
    for (int i = 0; i < ASKS; i++)
        asq_request_destroy(&app.asks[i].request);
    uv_sem_destroy(&app.go_on);
    (void)uv_loop_close(loop); /* nothing is left on it */
    return failed;
}
