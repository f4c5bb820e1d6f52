/* request_freed_early - the memory is freed before the callback has run
 *
 * Everything has been asked, so main tidies up and then runs the loop. But a
 * question belongs to the thread until it is answered, and to the loop until
 * its callback has run: both now use freed memory. Without a sanitizer this
 * often looks right.
 *
 * Copy of: idea.c
 * Proof: address heap-use-after-free
 */
#include "01-blocking/stmt.h"
#include "common/heartbeat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    QUESTIONS = 4
};

static const char sql[] = /* takes SQLite tens of milliseconds */
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 200000) SELECT sum(i) * ?1 AS sum FROM n";

struct question {
    struct asq_value factor;
    struct asq_result answer;
    uint64_t beats; /* of the loop, when it was asked */
};

struct app {
    struct question *questions;
    uv_async_t wake_up;
    uv_thread_t thread;
    struct asq_heartbeat heart; /* loop thread only */
    int asked, taken;           /* questions, answers: loop thread only */
    uv_sem_t more;              /* questions that wait for the thread */
    uv_mutex_t lock;
    int answered; /* guarded by lock */
    int rc;       /* of the thread; read once it has ended */
};

static void print(struct app *app, const struct question *question)
{
    (void)printf("answer %" PRId64 ", and meanwhile %" PRIu64 " beats\n",
                 asq_result_int64(&question->answer, 0, "sum"),
                 app->heart.beats - question->beats);
}

static void ask(struct app *app)
{
    struct question *question = &app->questions[app->asked];

    question->factor = asq_int64(app->asked + 1);
    question->beats = app->heart.beats;
    (void)printf("asked %d\n", ++app->asked);
    uv_sem_post(&app->more); /* (1) the question is the thread's now */
}

static void run_thread(void *data)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct app *app = data;
    struct asq_db db;

    app->rc = asq_db_open(&db, &profile);
    for (int n = 0; n < QUESTIONS; n++) {
        struct question *question = &app->questions[n];
        struct asq_params params = {.values = &question->factor, .count = 1};

        uv_sem_wait(&app->more); /* (2) */
        if (app->rc == 0)
            app->rc = asq_db_run(&db, sql, &params, &question->answer);
        uv_mutex_lock(&app->lock);
        app->answered++; /* (3) the question is the loop's again */
        uv_mutex_unlock(&app->lock);
        (void)uv_async_send(&app->wake_up); /* (4) cannot fail: it is open */
    }
    if (app->rc != 0)
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
}

/* On the loop, some time after (4): one call for one answer or for several. */
static void take_answers(uv_async_t *wake_up)
{
    struct app *app = wake_up->data;
    int answered;

    uv_mutex_lock(&app->lock);
    answered = app->answered;
    uv_mutex_unlock(&app->lock);
    while (app->taken < answered) { /* (5) */
        print(app, &app->questions[app->taken++]);
        if (app->asked < QUESTIONS)
            ask(app); /* (6) */
    }
    if (app->taken < QUESTIONS)
        return;
    (void)uv_thread_join(&app->thread); /* (7) it may be just before (4) */
    uv_close((uv_handle_t *)wake_up, NULL);
    asq_heartbeat_detach(&app->heart, NULL);
}

int main(void)
{
    struct app app = {.questions = calloc(QUESTIONS, sizeof *app.questions)};
    uv_loop_t *loop = uv_default_loop();

    app.wake_up.data = &app;
    if (app.questions == NULL || loop == NULL || uv_mutex_init(&app.lock) ||
        uv_sem_init(&app.more, 0) || asq_heartbeat_attach(&app.heart, loop) ||
        uv_async_init(loop, &app.wake_up, take_answers) ||
        uv_thread_create(&app.thread, run_thread, &app)) {
        (void)fprintf(stderr, "no memory, descriptor or thread is left\n");
        return 1;
    }
    ask(&app);
    ask(&app);
    for (int n = 0; n < QUESTIONS; n++)
        asq_result_destroy(&app.questions[n].answer);
    free(app.questions);                /* WRONG */
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until both handles are closed */
    (void)printf("the longest stall was %" PRIu64 " us\n",
                 app.heart.longest_ns / 1000);
    uv_sem_destroy(&app.more);
    uv_mutex_destroy(&app.lock);
    (void)uv_loop_close(loop); /* nothing is left on it */
    return app.rc == 0 ? 0 : 1;
}
