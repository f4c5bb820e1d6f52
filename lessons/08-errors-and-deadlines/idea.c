/* idea - what went wrong is a code; what to do now follows from it
 *
 * Three requests that fail, two cancels that come too late, and two deadlines.
 * Each failure is explained: what it was, what it is about, what to do now.
 *
 * Run:      build/08-errors-and-deadlines-idea
 * Expect:   neither cancel undoes anything; a deadline says where time ran out
 * See also: progress_handler_returns_one.c, interrupt_from_the_loop.c
 */
#include "01-blocking/script.h"
#include "03-event-loop/conn_wait.h"
#include "08-errors-and-deadlines/errors.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    REQUESTS = 9
};

static const char *const sql[REQUESTS] = {
    "INSERT INTO users VALUES ('s01', 21)",
    "SELECT * FROM user",
    "SELECT mail FROM users",
    "UPDATE users SET age = 19 WHERE email = 's01'",
    "UPDATE users SET age = (SELECT meet())",
    "INSERT INTO users VALUES ('s03', meet())",
    "SELECT count(*) AS users FROM users",
    "WITH n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n",
    "SELECT max(age) FROM users"};
static const char make_sql[] =
    "CREATE TABLE users (email TEXT UNIQUE, age INT);"
    "INSERT INTO users VALUES ('s01', 20), ('s02', 20)";

struct app {
    struct asq_conn conn;
    struct asq_request requests[REQUESTS];
    uv_async_t running;        /* sent by meet */
    uv_sem_t go_on;            /* posted for it */
    struct asq_request *meant; /* that the loop is about to cancel */
};

/* The SQL function meet(), on the worker: it waits until the loop has come. */
static void meet(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct app *app = sqlite3_user_data(context);

    (void)count; /* there are no values */
    (void)values;
    (void)uv_async_send(&app->running); /* cannot fail: it is open */
    uv_sem_wait(&app->go_on);
    sqlite3_result_int(context, 30);
}

/* On the loop, while the worker is in meet: in UPDATE, then in INSERT. */
static void cancel_one(uv_async_t *running)
{
    struct app *app = running->data;

    asq_request_cancel(app->meant); /* (4) */
    app->meant += 2;
    uv_sem_post(&app->go_on);
}

/* On the worker, while it opens the database. */
static int prepare(struct asq_db *db, void *app)
{
    int rc = sqlite3_create_function(asq_db_handle(db), "meet", 0, SQLITE_UTF8,
                                     app, meet, NULL, NULL);

    return rc != 0 ? rc : asq_db_script(db, make_sql, NULL);
}

static void print(struct asq_request *request, int status)
{
    static const char *const remedies[] = {
        "go on",           "tell the caller",    "try again later",
        "all of it again", "stop here",          "reopen and look",
        "call a person",   "correct the program"};
    struct asq_error error = asq_error_of(request, status); /* (1) */
    const struct app *app = request->data;
    const char *names = request->timed_out_in == ASQ_PLACE_NONE
                            ? error.subject                          /* (2) */
                            : asq_place_name(request->timed_out_in); /* (3) */

    (void)printf("%s\n", sql[request - app->requests]);
    if (status != 0)
        (void)printf("    %d %s%s%s\n    %s\n    So: %s.\n", status, error.name,
                     names[0] == 0 ? "" : ": ", names, error.advice,
                     remedies[error.remedy]);
    else if (request->result.rows == 1)
        (void)printf("    users: %" PRId64 "\n",
                     asq_result_int64(&request->result, 0, "users"));
    else
        (void)printf("    done, changed: %" PRId64 "\n",
                     request->result.changes);
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct app app = {.meant = &app.requests[3]};
    uv_loop_t *loop = uv_default_loop();

    app.running.data = profile.on_open_data = &app;
    profile.on_open_db = prepare;
    asq_conn_init(&app.conn);
    if (loop == NULL || uv_sem_init(&app.go_on, 0) != 0 ||
        uv_async_init(loop, &app.running, cancel_one) != 0 ||
        asq_conn_open_wait(&app.conn, loop, &profile) != 0) {
        (void)fprintf(stderr, "it cannot begin %s\n", app.conn.message);
        return 1;
    }
    app.requests[7].timeout_ms = 500; /* (5) */
    app.requests[8].timeout_ms = 100;
    for (int i = 0; i < REQUESTS; i++) {
        app.requests[i].data = &app;
        if (asq_conn_run(&app.conn, &app.requests[i], sql[i], NULL, print) != 0)
            (void)fprintf(stderr, "request %d is refused\n", i);
    }
    uv_unref((uv_handle_t *)&app.running); /* nobody may ever send it */
    (void)uv_run(loop, UV_RUN_DEFAULT);    /* until all is answered */
    asq_conn_close_wait(&app.conn);
    uv_close((uv_handle_t *)&app.running, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until it is closed */
    for (int i = 0; i < REQUESTS; i++)
        asq_request_destroy(&app.requests[i]);
    uv_sem_destroy(&app.go_on);
    return uv_loop_close(loop) != 0; /* nothing is left on it */
}
