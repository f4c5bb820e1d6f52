/* main - how long do I wait?
 *
 * Short queries come in, one every millisecond, and something keeps their
 * connection busy: a slow report before them, a lock that another connection
 * holds, or a query among them that runs for long. In each situation there are
 * three ways to limit the wait. Every answer is checked.
 *
 * Run:      make lesson L=08
 * Expect:   a longer busy timeout makes everybody wait; only a deadline ends
 *           the wait in all three situations, and says where the time went
 * See also: case_try_again.c; idea.c and its wrong twins; errors.h
 */
#include "03-event-loop/conn_wait.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/holder.h"
#include "common/slow_disk.h"
#include "common/stage.h"
#include "common/table.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ITEMS = 6300,  /* 200 pages: as many reads of the slow disk */
    HOLD_MS = 200, /* how long another connection holds the lock */
    LIMIT_MS = 50, /* the deadline, and the short busy timeout */
    OK = 0,        /* how a request may end: answered, */
    BUSY = 1,      /* refused because of the lock, */
    ENDS = 5       /* or too late in one of the three places of asq_place */
};

enum situation {
    QUEUE, /* a slow report is before all of them */
    LOCK,  /* the first one writes, and another connection has the lock */
    RUN,   /* the first one is such a report itself */
    SITUATIONS
};

enum way {
    NO_DEADLINE,  /* a busy timeout of 50 ms */
    BUSY_TIMEOUT, /* of 30 s: the cure of the books */
    DEADLINE,     /* of 50 ms for each request */
    WAYS
};

/* Each of them answers with the number of items. */
static const char report_sql[] =
    "SELECT count(*) AS n FROM items NOT INDEXED WHERE id <= 6300";
static const char write_sql[] =
    "UPDATE items SET value = value + 1 WHERE id = 6300 RETURNING id AS n";
static const char read_sql[] = "SELECT id AS n FROM items WHERE id = 6300";

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_holder holder;     /* another connection: it holds the lock */
    struct asq_request report;    /* before all of them in the queue */
    struct asq_request *requests; /* the first one differs */
    uv_timer_t come;              /* brings the next one */
    enum situation situation;
    enum way way;
    unsigned lane;
    long came;
    long ends[SITUATIONS * (int)WAYS][ENDS];
};

/* On the loop: the next request comes; a request has been answered. */
static void bring_next(uv_timer_t *come);
static void take_answer(struct asq_request *request, int status);

static void open_conn(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.vfs = ASQ_SLOW_DISK;
    profile.cache_kib = 40; /* the report finds nothing in it */
    profile.busy_ms = app->way == BUSY_TIMEOUT ? 30000 : LIMIT_MS; /* (1) */
    asq_conn_init(&app->conn);
    if (asq_conn_open_wait(&app->conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->conn.message);
}

static void
submit(struct app *app, struct asq_request *request, const char *sql)
{
    request->data = app;
    asq_stage_must(&app->stage,
                   asq_conn_run(&app->conn, request, sql, NULL, take_answer));
}

/* The requests may come; where a lock is in the way, it is held now. */
static void begin(struct asq_holder *holder, int status)
{
    struct app *app = holder->data;

    if (status != 0) {
        asq_stage_fail(&app->stage, holder->message);
        return;
    }
    asq_stage_begin(&app->stage, app->stage.lanes[app->lane], "slow", 1);
    if (app->situation == QUEUE)
        submit(app, &app->report, report_sql); /* (2) */
    /* It cannot fail: it is not closing. */
    (void)uv_timer_start(&app->come, bring_next, 0, 1);
}

/* (3) Another request, every millisecond. */
static void bring_next(uv_timer_t *come)
{
    static const char *const first_sql[] = {read_sql, write_sql, report_sql};
    struct app *app = come->data;
    struct asq_request *request = &app->requests[app->came];

    request->timeout_ms = app->way == DEADLINE ? LIMIT_MS : 0; /* (4) */
    submit(app, request, app->came == 0 ? first_sql[app->situation] : read_sql);
    if (++app->came == app->stage.options.requests)
        (void)uv_timer_stop(come); /* it always succeeds */
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;
    enum asq_error_kind kind = asq_error_of(request, status).kind;
    int end = OK;

    if (request->started_ns != 0) /* else it never ran */
        asq_stage_waited(&app->stage, app->lane, request->started_ns,
                         request->ended_ns, "request");
    if (kind == ASQ_ERROR_DEADLINE)
        end = BUSY + (int)request->timed_out_in; /* (5) */
    else if (kind == ASQ_ERROR_BUSY)
        end = BUSY;
    else if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    else if (asq_result_int64(&request->result, 0, "n") != ITEMS)
        asq_stage_fail(&app->stage, "an answer is wrong");
    if (request == &app->report)
        return; /* nobody waits for it */
    app->ends[app->lane - 1][end]++;
    asq_stage_answered(&app->stage, request->submitted_ns);
}

/* ---- What is around it: the ways, the report ----------------------------- */

static void run_way(struct app *app, int i)
{
    app->situation = (enum situation)(i / WAYS);
    app->way = (enum way)(i % WAYS);
    app->lane = 1 + (unsigned)i;
    app->came = 0;
    open_conn(app);
    if (app->stage.failed)
        return;
    if (app->situation == LOCK)
        asq_stage_must(&app->stage,
                       asq_holder_start(&app->holder, &app->stage.loop,
                                        app->stage.path, HOLD_MS, begin));
    else
        begin(&app->holder, 0);
    asq_stage_turn(&app->stage); /* until all is answered */
    if (!app->stage.failed)
        asq_stage_end(&app->stage);
    asq_conn_close_wait(&app->conn);
}

static void print_table(struct app *app)
{
    static const char *const headers[] = {
        "way", "p50", "p99", "stall", "ok", "busy", "queue", "lock", "run"};
    struct asq_table table;
    char text[16];

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < app->stage.row_count; i++) {
        const struct asq_report_row *row = &app->stage.rows[i];

        asq_table_add(&table, "%s", row->way);
        asq_table_add(&table, "%s", asq_format_duration(text, row->p50_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->p99_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->stall_us));
        for (int end = 0; end < ENDS; end++)
            asq_table_add(&table, "%ld", app->ends[i][end]);
    }
    if (asq_table_print(&table, stdout) != 0)
        asq_stage_fail(&app->stage, "out of memory");
    asq_table_destroy(&table);
}

static void report(struct app *app)
{
    printf("%ld short queries, one every millisecond, and something in their "
           "way:\n"
           "1  a slow report is before them in the queue\n"
           "2  the first of them writes, and another connection holds the "
           "lock\n"
           "3  the first of them is a slow report itself\n\n",
           app->stage.options.requests);
    asq_stage_print_timeline(&app->stage, 0);
    printf("\nmain: it never waits, the worker does.\n"
           "no-deadline: no request is given up; the first in 2 fails after %d "
           "ms at the lock.\n"
           "busy-timeout: it waits for the lock up to 30 s, and all others "
           "wait behind it.\n"
           "deadline: a request is given up after %d ms; the report in 1 has "
           "no deadline.\n\n",
           LIMIT_MS, LIMIT_MS);
    print_table(app);
}

int main(int argc, char **argv)
{
    /* The last one is NULL. All but the first are rows of the table, too. */
    static const char *const lanes[2 + SITUATIONS * (int)WAYS] = {
        "main",           "1 no-deadline",  "1 busy-timeout", "1 deadline",
        "2 no-deadline",  "2 busy-timeout", "2 deadline",     "3 no-deadline",
        "3 busy-timeout", "3 deadline"};
    struct app app = {
        .stage = {.options = {.program = "build/08-errors-and-deadlines",
                              .about = "How long do I wait?",
                              .slow_disk_ms = 1,
                              .requests = 120},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = 2},
    };
    int status = asq_stage_open(&app.stage, argc, argv);
    long requests = app.stage.options.requests;

    if (status >= 0)
        return status;
    (void)uv_timer_init(&app.stage.loop, &app.come); /* it always succeeds */
    app.come.data = app.holder.data = &app;
    app.requests = calloc((size_t)requests, sizeof *app.requests);
    if (app.requests == NULL)
        asq_stage_fail(&app.stage, "out of memory");
    asq_stage_copy_shop(&app.stage);
    for (int i = 0; i < SITUATIONS * (int)WAYS && !app.stage.failed; i++)
        run_way(&app, i);
    if (!app.stage.failed)
        report(&app);
    for (long i = 0; i < requests && app.requests != NULL; i++)
        asq_request_destroy(&app.requests[i]);
    free(app.requests);
    asq_request_destroy(&app.report);
    uv_close((uv_handle_t *)&app.come, NULL);
    return asq_stage_close(&app.stage, 0);
}
