/* case_not_closed - four reasons why a pool does not close, and cures
 *
 * For each: what happens, where to look, and what helps. The first pool's clock
 * is moved by the program, so no line depends on how fast the machine is.
 *
 * Run:      build/10-pooling-case_not_closed
 * See also: docs/troubleshooting.md
 */
#include "10-pooling/pool.h"
#include "10-pooling/pool_report.h"
#include "10-pooling/thread_pool.h"
#include "common/stage.h"

#include <stdio.h>

struct app {
    struct asq_stage stage;
    struct asq_profile profile;
    uv_loop_t loop; /* a new one for each reason */
    struct asq_pool pool;
    struct asq_loan loan;
    bool lent, closed;
    struct asq_thread_pool thread_pool;
    uv_sem_t reached, go_on;
};

/* The reasons, in this order. */
static void show_loan(struct app *app);
static void show_no_close(struct app *app);
static void show_no_turn(struct app *app);
static void show_thread(struct app *app);

static uint64_t now_ns = 1;

static uint64_t read_clock(void)
{
    return now_ns;
}

static void take_loan(struct asq_loan *loan, int status)
{
    struct app *app = loan->data;

    app->lent = status == 0;
}

static void note_closed(struct asq_pool *pool)
{
    struct app *app = pool->data;

    app->closed = true;
}

/* Says it, and that it was foreseen. */
static void tell(struct app *app, const char *what, bool is, bool wanted)
{
    (void)printf("    %-56s %s\n", what, is ? "yes" : "no");
    if (is != wanted)
        asq_stage_fail(&app->stage, what);
}

static void turn(struct app *app)
{
    (void)uv_run(&app->loop, UV_RUN_DEFAULT); /* nobody stops it */
}

/* A loop, and a pool on it that has lent its one connection. */
static void begin(struct app *app, const char *what)
{
    (void)printf("%s\n", what);
    app->lent = app->closed = false;
    asq_stage_must(&app->stage, uv_loop_init(&app->loop));
    asq_pool_init(&app->pool);
    app->pool.data = app;
    app->pool.now_ns = read_clock;
    app->pool.idle_ms = 0;
    asq_stage_must(&app->stage,
                   asq_pool_open(&app->pool, &app->loop, &app->profile, 1));
    asq_loan_init(&app->loan);
    app->loan.data = app;
    app->loan.who = "export";
    asq_stage_must(&app->stage,
                   asq_pool_acquire(&app->pool, &app->loan, take_loan));
    turn(app);
    tell(app, "a connection is lent to the export", app->lent, true);
}

static void close_loop(struct app *app, int wanted)
{
    int rc = uv_loop_close(&app->loop);

    (void)printf("    %-56s %s\n", "uv_loop_close",
                 rc == 0 ? "0" : uv_err_name(rc));
    if (rc != wanted)
        asq_stage_fail(&app->stage, "the loop closes, or does not");
}

static void print_report(struct app *app)
{
    char text[256];

    (void)asq_pool_report(&app->pool, text, sizeof text); /* nobody waits */
    (void)printf("      %s\n", text);
}

static void show_loan(struct app *app)
{
    begin(app, "(a) something is still lent");
    asq_pool_close(&app->pool, note_closed);
    now_ns += UINT64_C(60000000000);
    turn(app);
    tell(app, "the loop has ended; was on_closed called?", app->closed, false);
    print_report(app);
    asq_loan_release(&app->loan);
    turn(app);
    tell(app, "given back: was on_closed called?", app->closed, true);
    close_loop(app, 0);
    begin(app, "    if nobody may wait for the export:");
    asq_pool_close(&app->pool, note_closed);
    asq_pool_cancel(&app->pool);
    turn(app);
    tell(app, "asq_pool_cancel: was on_closed called?", app->closed, true);
    close_loop(app, 0);
}

static void show_no_close(struct app *app)
{
    begin(app, "(b) close was never called");
    asq_loan_release(&app->loan);
    turn(app);
    close_loop(app, UV_EBUSY);
    asq_pool_close(&app->pool, note_closed);
    turn(app);
    tell(app, "asq_pool_close: was on_closed called?", app->closed, true);
    close_loop(app, 0);
}

static void show_no_turn(struct app *app)
{
    begin(app, "(c) the loop does not turn after close");
    asq_loan_release(&app->loan);
    asq_pool_close(&app->pool, note_closed);
    tell(app, "was on_closed called?", app->closed, false);
    close_loop(app, UV_EBUSY);
    turn(app);
    tell(app, "the loop has turned: was on_closed called?", app->closed, true);
    close_loop(app, 0);
}

static void run_thread(void *data)
{
    struct app *app = data;
    struct asq_thread_loan loan = {0};
    int rc = asq_thread_pool_take(&app->thread_pool, &loan);

    if (rc != 0)
        (void)fprintf(stderr, "%s\n", loan.message);
    uv_sem_post(&app->reached);
    uv_sem_wait(&app->go_on);
    /* It does not give back. */
}

static void show_thread(struct app *app)
{
    uv_thread_t thread;
    struct asq_thread_pool_stats stats;

    (void)printf("(d) a thread has one of a thread_pool\n");
    asq_stage_must(&app->stage,
                   asq_thread_pool_init(&app->thread_pool, &app->profile, 1));
    asq_stage_must(&app->stage, uv_thread_create(&thread, run_thread, app));
    if (app->stage.failed)
        return;
    uv_sem_wait(&app->reached);
    tell(app, "does close return within 10 ms?",
         asq_thread_pool_close(&app->thread_pool, 10) == 0, false);
    stats = asq_thread_pool_statistics(&app->thread_pool);
    (void)printf("      %u open, %u lent, %u waiting\n", stats.open, stats.lent,
                 stats.waiting);
    uv_sem_post(&app->go_on);
    tell(app, "the thread ends: does close return?",
         asq_thread_pool_close(&app->thread_pool, 0) == 0, true);
    (void)uv_thread_join(&thread); /* ours: it cannot fail */
    stats = asq_thread_pool_statistics(&app->thread_pool);
    (void)printf("      abandoned: %u\n", (unsigned)stats.abandoned);
    asq_thread_pool_destroy(&app->thread_pool);
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/10-pooling-case_not_closed"}}};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE notes (text TEXT) STRICT");
    app.profile = asq_profile_default(app.stage.path);
    if (uv_sem_init(&app.reached, 0) != 0 || uv_sem_init(&app.go_on, 0) != 0)
        asq_stage_fail(&app.stage, "out of memory");
    if (!app.stage.failed) {
        show_loan(&app);
        show_no_close(&app);
        show_no_turn(&app);
        show_thread(&app);
    }
    uv_sem_destroy(&app.go_on);
    uv_sem_destroy(&app.reached);
    return asq_stage_close(&app.stage, 0);
}
