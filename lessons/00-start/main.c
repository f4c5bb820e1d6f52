/* main - does my machine work, and what must I know?
 *
 * Three refreshers: two threads hand numbers over, a timer fires on an event
 * loop, a statement writes and reads rows. Each checks what it shows.
 *
 * Run:    make lesson L=00
 * Expect: "right" three times
 */
#include "common/clock.h"
#include "common/json.h"
#include "common/options.h"
#include "common/slow_disk.h"
#include "common/trace.h"

#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>

enum {
    REFRESHERS = 3,
    TICKS = 3,
    TICK_MS = 10
};

/* Room for one number between two threads. */
struct place {
    uv_mutex_t lock;
    uv_cond_t changed;
    long count; /* of numbers, set before the thread starts */
    /* guarded by lock */
    int full;
    long number;
};

struct app {
    struct asq_options options;
    struct asq_trace trace;
    long sum, waits; /* of the numbers; for a number */
    long ticks;
    long rows, cents; /* read from the database */
};

/* The refreshers. They return 0, a UV_E* or an SQLITE_* code. */

/* Takes the numbers that a second thread puts, one at a time. */
static int hand_over(struct app *app);
/* Runs a loop until a timer has fired three times. */
static int run_timer(struct app *app);
/* Writes three rows into a database and reads two of them. */
static int use_statement(struct app *app);

static const struct {
    const char *name;
    int (*run)(struct app *app);
} refreshers[REFRESHERS] = {{"mutex and condition", hand_over},
                            {"timer on a loop", run_timer},
                            {"statement", use_statement}};

static void put_all(void *data)
{
    struct place *place = data;

    for (long number = 1; number <= place->count; number++) {
        uv_mutex_lock(&place->lock);
        while (place->full) /* (1) */
            uv_cond_wait(&place->changed, &place->lock);
        place->number = number;
        place->full = 1;
        uv_cond_signal(&place->changed); /* only the other one can wait */
        uv_mutex_unlock(&place->lock);
    }
}

static void take_all(struct app *app, struct place *place)
{
    for (long i = 0; i < place->count; i++) {
        uv_mutex_lock(&place->lock);
        while (!place->full) { /* (2) */
            app->waits++;
            uv_cond_wait(&place->changed, &place->lock);
        }
        app->sum += place->number;
        place->full = 0;
        uv_cond_signal(&place->changed);
        uv_mutex_unlock(&place->lock);
    }
}

static int hand_over(struct app *app)
{
    struct place place = {.count = app->options.requests};
    uv_thread_t thread;
    int rc = uv_mutex_init(&place.lock);

    if (rc != 0)
        return rc;
    rc = uv_cond_init(&place.changed);
    if (rc == 0) {
        rc = uv_thread_create(&thread, put_all, &place);
        if (rc == 0) {
            take_all(app, &place);
            rc = uv_thread_join(&thread); /* (3) */
        }
        uv_cond_destroy(&place.changed);
    }
    uv_mutex_destroy(&place.lock);
    return rc;
}

static void on_tick(uv_timer_t *timer)
{
    struct app *app = timer->data;

    if (++app->ticks == TICKS)
        uv_close((uv_handle_t *)timer, NULL); /* (5) */
}

static int run_timer(struct app *app)
{
    uv_loop_t loop;
    uv_timer_t timer;
    int rc = uv_loop_init(&loop);

    if (rc != 0)
        return rc;
    (void)uv_timer_init(&loop, &timer); /* it always succeeds */
    timer.data = app;
    rc = uv_timer_start(&timer, on_tick, TICK_MS, TICK_MS);
    if (rc == 0)
        (void)uv_run(&loop, UV_RUN_DEFAULT);    /* (4) until nothing is left */
    return rc != 0 ? rc : uv_loop_close(&loop); /* (6) */
}

/* Each row: bind, step, reset. */
static int write_rows(sqlite3 *db)
{
    static const char *const names[] = {"apple", "bread", "cheese"};
    static const int cents[] = {45, 340, 560};
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO items VALUES (?1, ?2)", -1,
                                &stmt, NULL); /* (7) */

    for (int i = 0; rc == SQLITE_OK && i < 3; i++) {
        rc = sqlite3_bind_text(stmt, 1, names[i], -1, SQLITE_STATIC); /* (8) */
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_int(stmt, 2, cents[i]);
        if (rc == SQLITE_OK)
            rc = sqlite3_step(stmt); /* (9) */
        if (rc == SQLITE_DONE)
            rc = sqlite3_reset(stmt); /* (10) */
    }
    (void)sqlite3_finalize(stmt); /* (11) repeats the error of a step */
    return rc;
}

/* Each row: step, column. */
static int read_rows(struct app *app, sqlite3 *db)
{
    static const char sql[] = "SELECT cents FROM items WHERE cents > ?1";
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int(stmt, 1, 100);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    while (rc == SQLITE_ROW) { /* (12) */
        app->rows++;
        app->cents += sqlite3_column_int(stmt, 0);
        rc = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt); /* repeats the error of a step */
    return rc == SQLITE_DONE ? 0 : rc;
}

static int use_statement(struct app *app)
{
    char path[512];
    sqlite3 *db = NULL;
    int rc;

    (void)snprintf(path, sizeof path, "%s/data/start.db", asq_build_dir());
    rc = asq_make_parents(path);
    if (rc == 0)
        rc = asq_slow_disk_register();
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    if (rc == 0)
        rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             ASQ_SLOW_DISK);
    if (rc == 0)
        rc = sqlite3_exec(db,
                          "DROP TABLE IF EXISTS items;"
                          "CREATE TABLE items (name TEXT, cents INTEGER)",
                          NULL, NULL, NULL);
    if (rc == 0)
        rc = write_rows(db);
    if (rc == 0)
        rc = read_rows(app, db);
    if (sqlite3_close(db) != SQLITE_OK && rc == 0) /* (13) */
        rc = SQLITE_BUSY;
    return rc;
}

static int fail(const char *name, int rc)
{
    (void)fprintf(stderr, "%s: %s\n", name,
                  rc < 0 ? uv_strerror(rc) : sqlite3_errstr(rc));
    return 1;
}

static const char *verdict(int right)
{
    return right ? "right" : "WRONG";
}

/* Prints what was counted. Returns whether all of it is right. */
static int print_counts(const struct app *app)
{
    long count = app->options.requests;
    int handed = app->sum == count * (count + 1) / 2;
    int ticked = app->ticks == TICKS;
    int stored = app->rows == 2 && app->cents == 340 + 560;

    printf("mutex and condition  %ld numbers came over, their sum is %ld: %s\n"
           "                     (times the taker had to wait for one: %ld)\n"
           "timer on a loop      fired %ld times, then the loop ended: %s\n"
           "statement            wrote 3 rows, read %ld of %ld cents: %s\n",
           count, app->sum, verdict(handed), app->waits, app->ticks,
           verdict(ticked), app->rows, app->cents, verdict(stored));
    return handed && ticked && stored;
}

static int write_json(const struct app *app, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "{\"sum\": %ld, \"ticks\": %ld, \"cents\": %ld}\n",
                 app->sum, app->ticks, app->cents);
    return asq_json_close(&json);
}

static int report(const struct app *app)
{
    const char *json = app->options.json, *trace = app->options.trace;
    int failed = !print_counts(app);
    int rc = json != NULL ? write_json(app, json) : 0;

    if (rc != 0)
        return fail(json, rc);
    if (trace != NULL)
        rc = asq_trace_write(&app->trace, trace);
    return rc != 0 ? fail(trace, rc) : failed;
}

/* Runs a refresher and keeps for the trace how long it took. */
static int run(struct app *app, int i)
{
    struct asq_span span = {.begin_ns = asq_clock_now_ns(),
                            .kind = ASQ_TRACE_WAIT,
                            .name = refreshers[i].name};
    int rc = refreshers[i].run(app);

    span.end_ns = asq_clock_now_ns();
    asq_trace_add(&app->trace, 0, &span);
    return rc == 0 ? 0 : fail(refreshers[i].name, rc);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/00-start",
                    .about = "Does my machine work, and what must I know?",
                    .slow_disk_ms = 0,
                    .requests = 40},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    rc = asq_trace_init(&app.trace, 1, REFRESHERS);
    if (rc != 0)
        return fail(app.options.program, rc);
    asq_trace_name(&app.trace, 0, "main");
    for (int i = 0; rc == 0 && i < REFRESHERS; i++)
        rc = run(&app, i);
    if (rc == 0)
        rc = report(&app);
    asq_trace_destroy(&app.trace);
    return asq_options_finish(&app.options, rc);
}
