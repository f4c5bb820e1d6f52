/* case_pool_exhausted - three reasons why no connection is left, and cures
 *
 * For each: what a caller is told, what asq_pool_report says meanwhile, a
 * larger pool, which does not help, and what does. The pool's clock is moved by
 * the program, so no line depends on how fast the machine is.
 *
 * Run:      build/10-pooling-case_pool_exhausted
 * See also: docs/troubleshooting.md
 */
#include "10-pooling/pool.h"
#include "10-pooling/pool_report.h"
#include "common/stage.h"

#include <stdio.h>
#include <string.h>

enum {
    LIMIT_MS = 2000, /* that a caller waits for a connection */
    REPORT_SIZE = 256,
    COLUMNS = 70
};

/* A part of the program that uses the database. */
struct part {
    struct asq_loan loan;
    struct asq_request request;
    int status; /* of the last loan or request; 1: not told yet */
};

struct app {
    struct asq_stage stage;
    struct asq_profile profile;
    struct asq_pool pool, writer;
    struct part parts[6];
};

/* The reasons, in this order. */
static void show_leak(struct app *app);
static void show_two_at_once(struct app *app);
static void show_writers(struct app *app);

static uint64_t now_ns = 1;

static uint64_t read_clock(void)
{
    return now_ns;
}

static void move_clock(unsigned ms)
{
    now_ns += ms * UINT64_C(1000000);
}

static void take_loan(struct asq_loan *loan, int status)
{
    struct part *part = loan->data;

    part->status = status;
}

static void take_answer(struct asq_request *request, int status)
{
    struct part *part = request->data;

    part->status = status;
}

static struct part *part_of(struct app *app, int i, const char *who)
{
    struct part *part = &app->parts[i];

    asq_loan_init(&part->loan);
    part->loan.data = part;
    part->loan.who = who;
    part->request.data = part;
    return part;
}

/* Asks for a connection, and gives it up after LIMIT_MS if nobody moves on. */
static void start(struct app *app, struct asq_pool *pool, struct part *part)
{
    part->status = 1;
    part->loan.timeout_ms = LIMIT_MS;
    asq_stage_must(&app->stage, asq_pool_acquire(pool, &part->loan, take_loan));
}

/* Lets the loop run until the part has been told. */
static void turn(struct app *app, struct part *part)
{
    while (part->status == 1 && !app->stage.failed)
        (void)uv_run(&app->stage.loop, UV_RUN_ONCE);
}

static void tell(struct app *app, const char *what, int status, int wanted)
{
    (void)printf("    %-52s %s\n", what, status == 0 ? "done" : "timed out");
    if (status != wanted)
        asq_stage_fail(&app->stage, uv_strerror(status));
}

/* Prints the report in lines that are short enough for any terminal. */
static void print_report(struct app *app)
{
    char text[REPORT_SIZE];
    size_t column = 0;

    (void)asq_pool_report(&app->pool, text, sizeof text); /* somebody waits */
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        if (column == 0 || column + strlen(word) > COLUMNS) {
            (void)printf("%s     ", column == 0 ? "" : "\n");
            column = 6;
        }
        column += (size_t)printf(" %s", word);
    }
    (void)printf("\n");
}

/* The part gets a connection, or is told after LIMIT_MS that there is none. */
static void
take(struct app *app, struct part *part, const char *what, int wanted)
{
    start(app, &app->pool, part);
    if (wanted != 0) {
        move_clock(LIMIT_MS / 2);
        print_report(app);
        move_clock(LIMIT_MS / 2);
    }
    turn(app, part);
    tell(app, what, part->status, wanted);
}

static void hold(struct app *app, struct part *part)
{
    start(app, &app->pool, part);
    turn(app, part);
    asq_stage_must(&app->stage, part->status);
}

static void show_leak(struct app *app)
{
    struct part *first = part_of(app, 0, "import");
    struct part *second = part_of(app, 1, "import");
    struct part *report = part_of(app, 2, "report");

    (void)printf("(a) somebody does not give back what was lent\n");
    hold(app, first);
    move_clock(60000);
    take(app, report, "a report waits for a connection", UV_ETIMEDOUT);
    asq_stage_must(&app->stage, asq_pool_resize(&app->pool, 2));
    hold(app, second); /* the import runs again */
    move_clock(60000);
    take(app, report, "2 connections: no cure", UV_ETIMEDOUT);
    asq_loan_release(&first->loan);
    asq_loan_release(&second->loan);
    take(app, report, "the import gives back on every way out", 0);
    asq_loan_release(&report->loan);
}

/* So many orders hold a connection each, and each asks for one more. */
static void take_two_each(struct app *app, int orders, const char *what)
{
    static const char *const names[] = {"order 1", "order 2", "order 3"};

    for (int i = 0; i < orders; i++)
        hold(app, part_of(app, i, names[i]));
    for (int i = 0; i < orders - 1; i++)
        start(app, &app->pool, part_of(app, orders + i, names[i]));
    take(app, part_of(app, 2 * orders - 1, names[orders - 1]), what,
         UV_ETIMEDOUT);
    for (int i = 0; i < orders; i++)
        turn(app, &app->parts[orders + i]); /* they are told as well */
    for (int i = 0; i < orders; i++)
        asq_loan_release(&app->parts[i].loan);
}

static void show_two_at_once(struct app *app)
{
    (void)printf("(b) each holder asks for one more\n");
    take_two_each(app, 2, "each of 2 orders takes a second connection");
    asq_stage_must(&app->stage, asq_pool_resize(&app->pool, 3));
    take_two_each(app, 3, "3 connections, and 3 orders: no cure");
    for (int i = 0; i < 3; i++)
        hold(app, part_of(app, i, "order"));
    start(app, &app->pool, part_of(app, 3, "order"));
    asq_loan_release(&app->parts[0].loan);
    turn(app, &app->parts[3]);
    tell(app, "an order does all its work on one connection",
         app->parts[3].status, 0);
    for (int i = 1; i < 4; i++)
        asq_loan_release(&app->parts[i].loan);
}

/* Submits a statement on the borrowed connection. */
static void run(struct app *app, struct part *part, const char *sql)
{
    if (app->stage.failed)
        return;
    part->status = 1;
    asq_stage_must(&app->stage, asq_conn_run(part->loan.conn, &part->request,
                                             sql, NULL, take_answer));
}

static void run_to_end(struct app *app, struct part *part, const char *sql)
{
    run(app, part, sql);
    turn(app, part);
    asq_stage_must(&app->stage, part->status);
}

/* The first one writes, and the others wait for its lock with a connection in
 * their hands. */
static void write_at_once(struct app *app, int writers)
{
    static const char *const names[] = {"writer 1", "writer 2", "writer 3"};

    for (int i = 0; i < writers; i++)
        hold(app, part_of(app, i, names[i]));
    run_to_end(app, &app->parts[0], "BEGIN IMMEDIATE");
    for (int i = 1; i < writers; i++)
        run(app, &app->parts[i], "BEGIN IMMEDIATE");
}

/* Those that wait for the lock give up, and all connections come back. */
static void end_writes(struct app *app, int writers)
{
    for (int i = 1; i < writers; i++)
        asq_request_cancel(&app->parts[i].request);
    for (int i = 0; i < writers; i++) {
        turn(app, &app->parts[i]);
        asq_loan_release(&app->parts[i].loan);
    }
}

static void show_writers(struct app *app)
{
    struct part *page = part_of(app, 5, "page");

    (void)printf("(c) writers wait for the lock, and each holds a "
                 "connection\n");
    asq_stage_must(&app->stage, asq_pool_resize(&app->pool, 2));
    write_at_once(app, 2);
    take(app, page, "a page waits for a connection to read", UV_ETIMEDOUT);
    end_writes(app, 2);
    asq_stage_must(&app->stage, asq_pool_resize(&app->pool, 3));
    write_at_once(app, 3);
    take(app, page, "3 connections, and 3 writers: no cure", UV_ETIMEDOUT);
    end_writes(app, 3);
    start(app, &app->writer, part_of(app, 0, "writer 1"));
    start(app, &app->writer, part_of(app, 1, "writer 2"));
    turn(app, &app->parts[0]);
    take(app, page, "a pool of one for the writers, where they wait", 0);
    asq_loan_release(&page->loan);
    asq_loan_release(&app->parts[0].loan);
    turn(app, &app->parts[1]);
    tell(app, "and the next writer after it", app->parts[1].status, 0);
    asq_loan_release(&app->parts[1].loan);
}

static void open_pool(struct app *app, struct asq_pool *pool)
{
    asq_pool_init(pool);
    pool->now_ns = read_clock;
    pool->idle_ms = 0; /* never, however far the clock is moved */
    asq_stage_must(&app->stage,
                   asq_pool_open(pool, &app->stage.loop, &app->profile, 1));
}

static void note_closed(struct asq_pool *pool)
{
    (void)pool; /* a part of app */
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {
            .options = {.program = "build/10-pooling-case_pool_exhausted"}}};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE notes (text TEXT) STRICT");
    app.profile = asq_profile_default(app.stage.path);
    for (int i = 0; i < 6; i++)
        asq_request_init(&app.parts[i].request);
    open_pool(&app, &app.pool);
    open_pool(&app, &app.writer);
    if (!app.stage.failed)
        show_leak(&app);
    if (!app.stage.failed)
        show_two_at_once(&app);
    if (!app.stage.failed)
        show_writers(&app);
    asq_pool_close(&app.pool, note_closed);
    asq_pool_close(&app.writer, note_closed);
    asq_pool_cancel(&app.pool);
    asq_pool_cancel(&app.writer);
    asq_stage_turn(&app.stage); /* until both are closed */
    for (int i = 0; i < 6; i++)
        asq_request_destroy(&app.parts[i].request);
    return asq_stage_close(&app.stage, 0);
}
