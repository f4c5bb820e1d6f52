/* main - does my machine work, and what must I know?
 *
 * Three refreshers: two threads hand numbers over, a timer fires on an event
 * loop, statements write and read rows. Each checks what it shows.
 *
 * Run:    make lesson L=00
 * Expect: "right" three times
 */
#include "common/clock.h"
#include "common/json.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

enum {
    TICKS = 3,
    TICK_MS = 10
};

struct app {
    struct asq_stage stage;
    uv_mutex_t lock;
    uv_cond_t changed; /* the place */
    /* guarded by lock: a place for one number */
    bool full;
    long number;
    /* what was counted */
    long sum, waits, ticks; /* of the numbers, for a number, of the timer */
    long rows, cents;       /* read from the database */
};

/* ---- A mutex and a condition --------------------------------------------- */
/* Runs on the second thread: puts every number into the place. */
static void put_all(void *data)
{
    struct app *app = data;

    for (long number = 1; number <= app->stage.options.requests; number++) {
        uv_mutex_lock(&app->lock);
        while (app->full) /* (1) */
            uv_cond_wait(&app->changed, &app->lock);
        app->number = number;
        app->full = true;
        uv_cond_signal(&app->changed); /* only the main thread can be waiting */
        uv_mutex_unlock(&app->lock);
    }
}

/* Starts the second thread and takes its numbers out of the place. */
static int hand_over(struct app *app)
{
    uv_thread_t thread;
    int rc = uv_thread_create(&thread, put_all, app);

    for (long i = 0; rc == 0 && i < app->stage.options.requests; i++) {
        uv_mutex_lock(&app->lock);
        while (!app->full) { /* (2) */
            app->waits++;
            uv_cond_wait(&app->changed, &app->lock);
        }
        app->sum += app->number;
        app->full = false;
        uv_cond_signal(&app->changed);
        uv_mutex_unlock(&app->lock);
    }
    return rc != 0 ? rc : uv_thread_join(&thread); /* (3) */
}

/* ---- A timer on a loop --------------------------------------------------- */
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
    (void)uv_timer_init(&loop, &timer); /* neither this nor start can fail */
    timer.data = app;
    (void)uv_timer_start(&timer, on_tick, TICK_MS, TICK_MS);
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* (4) until nothing is left */
    return uv_loop_close(&loop);         /* (6) */
}

/* ---- A statement --------------------------------------------------------- */
static int write_rows(sqlite3 *db)
{
    static const int cents[] = {45, 340, 560};
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO items VALUES (?1)", -1, &stmt,
                                NULL); /* (7) */

    for (int i = 0; rc == SQLITE_OK && i < 3; i++) {
        rc = sqlite3_bind_int(stmt, 1, cents[i]); /* (8) */
        if (rc == SQLITE_OK)
            rc = sqlite3_step(stmt); /* (9) */
        if (rc == SQLITE_DONE)
            rc = sqlite3_reset(stmt); /* (10) */
    }
    (void)sqlite3_finalize(stmt); /* (11) repeats the error of a step */
    return rc;
}

static int read_rows(struct app *app, sqlite3 *db)
{
    static const char sql[] = "SELECT cents FROM items WHERE cents > 100";
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
        app->cents += sqlite3_column_int(stmt, 0); /* (12) */
        app->rows++;
    }
    (void)sqlite3_finalize(stmt); /* repeats the error of a step */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int use_statements(struct app *app)
{
    sqlite3 *db;
    int rc = sqlite3_open_v2(app->stage.path, &db, SQLITE_OPEN_READWRITE,
                             ASQ_SLOW_DISK);
    int closed;

    if (rc == SQLITE_OK)
        rc = write_rows(db);
    if (rc == SQLITE_OK)
        rc = read_rows(app, db);
    closed = sqlite3_close(db); /* (13) */
    return rc != SQLITE_OK ? rc : closed;
}

/* ---- What is around it: what is checked and printed ---------------------- */

static const struct {
    const char *name;
    int (*run)(struct app *app); /* 0, a UV_E* or an SQLITE_* code */
} refreshers[] = {{"mutex and condition", hand_over},
                  {"timer on a loop", run_timer},
                  {"statement", use_statements}};

static void must(struct app *app, const char *name, int rc)
{
    char message[256];

    if (rc == 0)
        return;
    (void)snprintf(message, sizeof message, "%s: %s", name,
                   rc < 0 ? uv_strerror(rc) : sqlite3_errstr(rc));
    asq_stage_fail(&app->stage, message);
}

static void run_all(struct app *app)
{
    for (size_t i = 0; i < sizeof refreshers / sizeof refreshers[0]; i++) {
        uint64_t begin_ns = asq_clock_now_ns();

        must(app, refreshers[i].name, refreshers[i].run(app));
        asq_stage_waited(&app->stage, 0, begin_ns, asq_clock_now_ns(),
                         refreshers[i].name);
    }
}

static const char *verdict(bool right)
{
    return right ? "right" : "WRONG";
}

/* Prints what was counted. Returns whether all of it is right. */
static bool print_counts(const struct app *app)
{
    long count = app->stage.options.requests;
    bool handed = app->sum == count * (count + 1) / 2;
    bool ticked = app->ticks == TICKS;
    bool stored = app->rows == 2 && app->cents == 340 + 560;

    printf(
        "mutex and condition  handed over %ld numbers, their sum is %ld: %s\n"
        "                     (times the taker had to wait for one: %ld)\n"
        "timer on a loop      fired %ld times, then the loop ended: %s\n"
        "statement            wrote 3 rows, read %ld of %ld cents: %s\n",
        count, app->sum, verdict(handed), app->waits, app->ticks,
        verdict(ticked), app->rows, app->cents, verdict(stored));
    return handed && ticked && stored;
}

/* There is no table, so the stage has nothing to write for --json. */
static void write_json(struct app *app)
{
    const char *path = app->stage.options.json;
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc == 0) {
        asq_json_put(&json, "{\"sum\": %ld, \"ticks\": %ld, \"cents\": %ld}\n",
                     app->sum, app->ticks, app->cents);
        rc = asq_json_close(&json);
    }
    must(app, path, rc);
    app->stage.options.json = NULL;
}

static void report(struct app *app)
{
    if (!app->stage.failed && !print_counts(app))
        asq_stage_fail(&app->stage, "a result is wrong");
    if (!app->stage.failed && app->stage.options.json != NULL)
        write_json(app);
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/00-start",
                              .about = "Does my machine work, and what must I "
                                       "know?",
                              .requests = 40},
                  .slow_reads = true,
                  .lanes = (const char *const[]){"main", NULL},
                  .spans = 3},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE items (cents INTEGER)");
    if (uv_mutex_init(&app.lock) != 0 || uv_cond_init(&app.changed) != 0) {
        asq_stage_fail(&app.stage, "out of memory");
        return asq_stage_close(&app.stage, 1);
    }
    run_all(&app);
    report(&app);
    uv_cond_destroy(&app.changed);
    uv_mutex_destroy(&app.lock);
    return asq_stage_close(&app.stage, 0);
}
