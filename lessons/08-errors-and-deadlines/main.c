/* main - how long do I wait?
 *
 * Short queries come in, one each millisecond, and something is in their way:
 * a slow report in the queue, a lock that another connection holds, or a long
 * query of their own. Three ways to limit the wait. Then clients that all
 * meet a lock at once, and three ways to try again. Every answer is checked.
 *
 * Run:      make lesson L=08
 * Expect:   a longer busy timeout makes everybody wait; only a deadline ends in
 *           all three places, and says which
 * See also: idea.c and its wrong twins; errors.h, retry.h
 */
#include "03-event-loop/conn.h"
#include "04-measure-first/db_copy.h"
#include "08-errors-and-deadlines/clients.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/holder.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "common/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PLACES = 3, /* queue, lock, running: asq_place less one */
    WAYS = 3,
    ENDS = 2 + PLACES,
    ITEMS = 6300,  /* 200 pages: as many reads of the slow disk */
    HOLD_MS = 200, /* how long another connection holds the lock */
    LIMIT_MS = 50, /* the deadline, and the short busy timeout */
    SYNC_MS = 3,   /* of a client's commit */
    PATH_SIZE = 512
};

static const char report_sql[] = "SELECT sum(id) AS n FROM items NOT INDEXED";
static const char read_sql[] = "SELECT id AS n FROM items WHERE id = 42";
static const char write_sql[] =
    "UPDATE items SET value = value + 1 WHERE id = 1";

static const char *const way_names[WAYS] = {"no-deadline", "busy-timeout",
                                            "deadline"};

enum way {
    NO_DEADLINE,  /* a busy timeout of 50 ms */
    BUSY_TIMEOUT, /* of 30 s: the cure of the books */
    DEADLINE      /* of 50 ms for each request */
};

struct app;

struct ask {
    struct asq_request request;
    struct app *app;
    const char *sql;
    uint64_t asked_ns;
};

/* What came of one way in one place. */
struct cell {
    struct asq_latency waited;
    double stall_us;
    long ends[ENDS]; /* answered, busy, and timed out in each place */
};

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_trace trace;
    struct cell cells[PLACES][WAYS];
    struct ask *asks; /* the first is the one that is slow by itself */
    struct ask slow;  /* who stands before all in the queue */
    struct asq_conn conn;
    struct asq_holder holder;
    uv_timer_t come; /* the next ask */
    struct asq_clients_count counts[WAYS];
    /* of the run that is under way */
    int place;
    enum way way;
    long come_count;
    uint64_t begin_ns, base_ns, longest_ns;
    bool failed;
};

/* What happens, in this order. Each int is 0, or 1 after a line on stderr. */

/* Makes the database, the slow disk, and room for what is measured. */
static int prepare(struct app *app);
/* One way in one place: opens, lets everybody come, closes. */
static int run_way(struct app *app, int place, enum way way);
/* On the loop: all begins, another ask, its answer. */
static void begin(struct asq_holder *holder, int status);
static void let_come(uv_timer_t *timer);
static void take(struct asq_request *request, int status);
/* Clients that all meet a lock at once, in three ways. */
static int run_clients(struct app *app);
/* Shows what came out, and writes the files that were asked for. */
static int report(struct app *app);

/* Tells the first failure. */
static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

static void check(struct app *app, int rc)
{
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

static int prepare(struct app *app)
{
    static const char *const lanes[] = {"no-deadline   main", "  worker",
                                        "busy-timeout  main", "  worker",
                                        "deadline      main", "  worker"};
    static const struct asq_shop shop = {.users = 1, .items = ITEMS, .seed = 1};
    size_t asks = (size_t)app->options.requests;
    char message[ASQ_SHOP_MESSAGE_MAX];

    (void)snprintf(app->path, sizeof app->path, "%s/tmp/deadlines-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (asq_make_parents(app->path) != 0 || asq_slow_disk_register() != 0)
        return fail(app, "no folder for the database, or no slow disk");
    if (asq_shop_copy(&shop, app->path, message) != 0)
        return fail(app, message);
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    app->asks = calloc(asks, sizeof *app->asks);
    if (app->asks == NULL ||
        asq_trace_init(&app->trace, 2 * WAYS, PLACES * (asks + 1)) != 0)
        return fail(app, "out of memory");
    for (unsigned i = 0; i < 2 * WAYS; i++)
        asq_trace_name(&app->trace, i, lanes[i]);
    return app->failed;
}

static void submit(struct ask *ask)
{
    ask->asked_ns = asq_clock_now_ns();
    check(ask->app,
          asq_conn_run(&ask->app->conn, &ask->request, ask->sql, NULL, take));
}

/* (3) One more each millisecond. The first is in its own way. */
static void let_come(uv_timer_t *timer)
{
    static const char *const first_sql[PLACES] = {read_sql, write_sql,
                                                  report_sql};
    struct app *app = timer->data;
    struct ask *ask = &app->asks[app->come_count];

    ask->app = app;
    ask->sql = app->come_count == 0 ? first_sql[app->place] : read_sql;
    ask->request.timeout_ms = app->way == DEADLINE ? LIMIT_MS : 0; /* (4) */
    submit(ask);
    if (++app->come_count == app->options.requests)
        (void)uv_timer_stop(timer); /* it always succeeds */
}

static void take(struct asq_request *request, int status)
{
    struct ask *ask = ASQ_CONTAINER_OF(request, struct ask, request);
    struct app *app = ask->app;
    struct cell *cell = &app->cells[app->place][app->way];
    int64_t expected = ask->sql == report_sql ? ITEMS * (ITEMS + 1) / 2 : 42;
    struct asq_error error = asq_error_of(request, status);
    uint64_t now_ns = asq_clock_now_ns();
    uint64_t shift_ns = app->base_ns - app->begin_ns;
    struct asq_span span = {request->started_ns + shift_ns,
                            request->ended_ns + shift_ns, ASQ_TRACE_WAIT,
                            ask->sql};

    if (request->started_ns != 0)
        asq_trace_add(&app->trace, 2 * (unsigned)app->way + 1, &span);
    if (now_ns - app->begin_ns > app->longest_ns)
        app->longest_ns = now_ns - app->begin_ns;
    if (status == 0 &&
        (ask->sql == write_sql
             ? request->result.changes != 1
             : asq_result_int64(&request->result, 0, "n") != expected))
        (void)fail(app, "an answer is wrong");
    if (ask == &app->slow && (status == 0 || error.kind == ASQ_ERROR_DEADLINE))
        return; /* nobody waits for it */
    if (asq_latency_add(&cell->waited, now_ns - ask->asked_ns) != 0)
        (void)fail(app, "out of memory");
    cell->ends[0] += error.kind == ASQ_ERROR_NONE;
    cell->ends[1] += error.kind == ASQ_ERROR_BUSY;
    if (error.kind == ASQ_ERROR_DEADLINE) /* (5) it says where */
        cell->ends[1 + request->timed_out_in]++;
    else if (status != 0 && error.kind != ASQ_ERROR_BUSY)
        (void)fail(app, request->message);
}

/* Something is in the way now. */
static void begin(struct asq_holder *holder, int status)
{
    struct app *app = holder->data;

    if (status != 0) {
        (void)fail(app, holder->message);
        return;
    }
    asq_heartbeat_start(&app->beats);
    app->begin_ns = asq_clock_now_ns();
    if (app->place == 0)
        submit(&app->slow); /* (2) */
    let_come(&app->come);
    if (app->options.requests > 1) /* it cannot fail: it is not closing */
        (void)uv_timer_start(&app->come, let_come, 1, 1);
}

static int run_way(struct app *app, int place, enum way way)
{
    struct asq_profile profile = asq_profile_default(app->path);
    int rc;

    profile.vfs = ASQ_SLOW_DISK;
    profile.cache_kib = 40; /* the report finds nothing in it */
    profile.busy_ms = way == BUSY_TIMEOUT ? 30000 : LIMIT_MS; /* (1) */
    app->place = place;
    app->way = way;
    app->come_count = 0;
    if (way == 0)
        app->longest_ns = 0;
    asq_conn_init(&app->conn);
    app->conn.data = app;
    rc = asq_conn_open(&app->conn, app->loop, &profile, note_opened);
    if (rc != 0)
        return fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
    if (place == 1)
        check(app, asq_holder_start(&app->holder, app->loop, app->path, HOLD_MS,
                                    begin));
    else
        begin(&app->holder, 0);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    app->cells[place][way].stall_us =
        (double)asq_heartbeat_stop(&app->beats) / 1e3;
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
    if (way == WAYS - 1) /* the next place is drawn to the right */
        app->base_ns += app->longest_ns + 40 * ASQ_NS_PER_MS;
    return app->failed;
}

static int run_clients(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);

    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2;
    asq_slow_disk_delay(ASQ_DISK_READ, 0);
    asq_slow_disk_delay(ASQ_DISK_SYNC, SYNC_MS * ASQ_NS_PER_US);
    for (int i = 0; i < WAYS; i++) {
        struct asq_clients_count *count = &app->counts[i];

        if (asq_clients_run(&profile, (enum asq_again)i, HOLD_MS, count) != 0)
            return fail(app, count->message);
        if (count->served != ASQ_CLIENTS)
            return fail(app, "a client was not served");
    }
    return 0;
}

static int print_cells(struct app *app, int place, struct asq_report_row *rows)
{
    static const char *const headers[] = {"way",   "p50", "p99",  "longest",
                                          "stall", "ok",  "busy", "queue",
                                          "lock",  "run"};
    struct asq_table table;
    char text[16];
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int way = 0; way < WAYS; way++) {
        struct cell *cell = &app->cells[place][way];
        double us[] = {(double)asq_latency_percentile(&cell->waited, 50) / 1e3,
                       (double)asq_latency_percentile(&cell->waited, 99) / 1e3,
                       (double)asq_latency_percentile(&cell->waited, 100) / 1e3,
                       cell->stall_us};

        rows[way] =
            (struct asq_report_row){.way = way_names[way],
                                    .disk = "slow",
                                    .connections = 1,
                                    .requests = (uint64_t)app->options.requests,
                                    .p50_us = us[0],
                                    .p99_us = us[1],
                                    .stall_us = us[3]};
        asq_table_add(&table, "%s", way_names[way]);
        for (int i = 0; i < 4; i++)
            asq_table_add(&table, "%s", asq_format_duration(text, us[i]));
        for (int i = 0; i < ENDS; i++)
            asq_table_add(&table, "%ld", cell->ends[i]);
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

static int report(struct app *app)
{
    static const char *const titles[PLACES] = {
        "In the queue, behind a slow report:",
        "The first one writes, and another connection holds the lock:",
        "The first one runs long by itself:"};
    static const char *const again[WAYS] = {"at once", "10 ms later",
                                            "back-off"};
    struct asq_report_row rows[PLACES * WAYS];
    int rc = 0;

    printf("%ld short queries, one each millisecond: behind a slow report; "
           "behind one that\nwaits for a lock; behind one that runs long.\n\n",
           app->options.requests);
    asq_trace_print(&app->trace, stdout, 0, app->base_ns);
    printf("\nno-deadline: the worker stands in each of them to the end; "
           "SQLite's own timeout\nof %d ms ends the wait for the lock.\n"
           "busy-timeout: 30 s serve the one who waits for the lock; all "
           "others stand behind.\ndeadline: whoever has one is out of the way "
           "after %d ms. The report has none.\n",
           LIMIT_MS, LIMIT_MS);
    for (int i = 0; i < PLACES && rc == 0; i++) {
        printf("\n%s\n\n", titles[i]);
        rc = print_cells(app, i, &rows[(size_t)i * WAYS]);
    }
    if (rc != 0)
        return fail(app, "out of memory");
    printf("\n%d clients meet a lock at once, and each tries again until it is "
           "served:\n\n",
           ASQ_CLIENTS);
    for (int i = 0; i < WAYS; i++)
        printf("%-12s %6u attempts, %5u by one of them\n", again[i],
               app->counts[i].attempts, app->counts[i].most);
    return asq_report_save(rows, PLACES * WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/08-errors-and-deadlines",
                    .about = "How long do I wait?",
                    .slow_disk_ms = 1,
                    .requests = 120},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    (void)uv_timer_init(app.loop, &app.come); /* it always succeeds */
    app.come.data = app.holder.data = &app;
    app.slow = (struct ask){.app = &app, .sql = report_sql};
    rc = prepare(&app);
    for (int i = 0; i < PLACES * WAYS && rc == 0; i++)
        rc = run_way(&app, i / WAYS, (enum way)(i % WAYS));
    if (rc == 0)
        rc = run_clients(&app);
    if (rc == 0)
        rc = report(&app);
    (void)asq_db_remove(app.path); /* what cannot be removed stays */
    for (long i = 0; i < app.options.requests && app.asks != NULL; i++)
        asq_request_destroy(&app.asks[i].request);
    free(app.asks);
    asq_request_destroy(&app.slow.request);
    for (int i = 0; i < PLACES * WAYS; i++)
        asq_latency_destroy(&app.cells[i / WAYS][i % WAYS].waited);
    asq_trace_destroy(&app.trace);
    uv_close((uv_handle_t *)&app.come, NULL);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timers are closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
