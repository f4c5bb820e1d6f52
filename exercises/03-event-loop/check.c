/* check - tests of the exercise "in order"
 *
 * Questions have numbers and ask for the row of that number, so that an
 * answer says whose it is. Connection a is made to answer late by the gate of
 * the slow disk: it stands in a read until the test lets it go, while b goes
 * on. What was delivered is noted as a text: "1, 2 cancelled, 3".
 */
#include "ex_in_order.h"

#include "common/slow_disk.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTIONS = 8,
    SECONDS = 5,
    GATE_MS = 4000
};

/* Each row has a page of its own, so that each question reads the disk. */
static const char make[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, photo BLOB);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
    "WHERE i < 60) INSERT INTO users SELECT i, zeroblob(3000) FROM n;";

static const char *const sqls[QUESTIONS + 1] = {
    NULL,
    "SELECT id FROM users WHERE id = 1",
    "SELECT id FROM users WHERE id = 2",
    "SELECT id FROM users WHERE id = 3",
    "SELECT id FROM users WHERE id = 4",
    "SELECT id FROM users WHERE id = 5",
    "SELECT id FROM users WHERE id = 6",
    "SELECT id FROM users WHERE id = 7",
    "SELECT id FROM users WHERE id = 8",
};

struct fixture {
    uv_loop_t loop;
    struct asq_conn a, b;
    struct ex_in_order line;
    struct ex_question questions[QUESTIONS + 1]; /* by number */
    int opened, conns_closed;
    int inside;      /* a call of the student's that must not call back */
    int closed;      /* calls of on_closed */
    int early;       /* one of them came inside, or before the last answer */
    unsigned asked;  /* successfully */
    unsigned count;  /* of answers delivered */
    char text[1024]; /* which */
    void (*then)(struct fixture *f, struct ex_question *question);
};

static void note(struct fixture *f, const char *text)
{
    size_t used = strlen(f->text);

    (void)snprintf(f->text + used, sizeof f->text - used, "%s", text);
}

static void on_answer(struct ex_question *question, int status)
{
    struct fixture *f = question->data;
    char name[12];
    int number = 0;

    while (number < QUESTIONS && question != &f->questions[number])
        number++;
    if (question != &f->questions[number])
        number = 0; /* one from the heap */
    (void)snprintf(name, sizeof name, "%d", number);
    note(f, f->count++ > 0 ? ", " : "");
    note(f, name);
    if (f->inside)
        note(f, " inside of the call");
    if (f->closed)
        note(f, " after the end");
    if (status == UV_ECANCELED || status == SQLITE_INTERRUPT)
        note(f, " cancelled");
    else if (status != 0)
        note(f, " failed");
    else if (number != 0 &&
             asq_result_int64(&question->request.result, 0, "id") != number)
        note(f, " without its result");
    if (f->then != NULL)
        f->then(f, question);
}

static void on_closed(struct ex_in_order *line)
{
    struct fixture *f = line->data;

    f->closed++;
    f->early |= f->inside || f->count < f->asked;
}

static void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;

    if (status != 0)
        FAIL("%d: %s", status, conn->message);
    f->opened++;
}

static void on_conn_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    f->conns_closed++;
}

static void open_conn(struct fixture *f, struct asq_conn *conn)
{
    struct asq_profile profile = asq_profile_default(test_path("users.db"));

    profile.vfs = ASQ_SLOW_DISK;
    asq_conn_init(conn);
    conn->data = f;
    conn->batch_reads = false;
    CHECK_INT(asq_conn_open(conn, &f->loop, &profile, on_open), 0);
}

static void set_up(void *fixture)
{
    struct fixture *f = fixture;
    sqlite3 *db;

    CHECK_INT(sqlite3_open(test_path("users.db"), &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, make, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    open_conn(f, &f->a);
    open_conn(f, &f->b);
    while (f->opened < 2)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* both keep it alive */
    ex_in_order_init(&f->line, &f->loop, on_answer);
    f->line.data = f;
    for (int i = 0; i <= QUESTIONS; i++) {
        ex_question_init(&f->questions[i]);
        f->questions[i].data = f;
    }
}

static void close_line(struct fixture *f)
{
    f->inside++;
    ex_in_order_close(&f->line, on_closed);
    f->inside--;
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    asq_slow_disk_reset();
    if (f->line.on_closed == NULL)
        close_line(f);
    asq_conn_close(&f->a, on_conn_closed);
    asq_conn_close(&f->b, on_conn_closed);
    test_close_loop(&f->loop);
    CHECK_INT(f->conns_closed, 2);
    if (f->closed != 1)
        test_wrong("on_closed runs once", "%d times", f->closed);
    for (int i = 0; i <= QUESTIONS; i++)
        ex_question_destroy(&f->questions[i]);
}

static int
ask_sql(struct fixture *f, int number, struct asq_conn *conn, const char *sql)
{
    int err;

    f->inside++;
    err = ex_in_order_ask(&f->line, &f->questions[number], conn, sql);
    f->inside--;
    f->asked += err == 0;
    return err;
}

static void expect_error(int err, int expected, const char *text)
{
    if (err != expected)
        test_wrong(text, "%d%s%s", err, err < 0 ? ", " : "",
                   err < 0 ? uv_err_name(err) : "");
}

static void ask(struct fixture *f, int number, struct asq_conn *conn)
{
    expect_error(ask_sql(f, number, conn, sqls[number]), 0,
                 "0 from ex_in_order_ask");
}

/* Asks the first question of a, which then stands in a read. */
static void ask_and_stand(struct fixture *f, int number)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    ask(f, number, &f->a);
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("ask submits the question at once",
                   "its connection has nothing to do");
}

static void run_until_idle(struct fixture *f, struct asq_conn *conn)
{
    while (conn->pending > 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* pending keeps it alive */
}

static void expect(struct fixture *f, const char *expected)
{
    if (strcmp(f->text, expected) != 0)
        test_wrong(expected, "%s", f->text[0] != '\0' ? f->text : "nothing");
}

/* Ends when the loop has nothing to wait for, however much was delivered. */
static void run_and_expect(struct fixture *f, const char *expected)
{
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* 0: nobody calls uv_stop */
    expect(f, expected);
}

/* While a stands at the gate, b has answered all that it was asked. */
static void expect_none_yet(struct fixture *f, unsigned of_b)
{
    if (f->b.pending != of_b)
        test_wrong("all questions are on their way at once", "%zu of %u asked",
                   f->b.pending, of_b);
    run_until_idle(f, &f->b);
    if (f->count > 0)
        test_wrong("nothing before the answer to 1 has come", "%s", f->text);
}

/* Tests */

static void three_on_one(void *fixture)
{
    struct fixture *f = fixture;

    for (int number = 1; number <= 3; number++)
        ask(f, number, &f->a);
    run_and_expect(f, "1, 2, 3");
}

static void out_of_order(void *fixture)
{
    struct fixture *f = fixture;

    ask_and_stand(f, 1);
    ask(f, 2, &f->b);
    ask(f, 3, &f->a);
    ask(f, 4, &f->b);
    ask(f, 5, &f->b);
    ask(f, 6, &f->a);
    expect_none_yet(f, 3);
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2, 3, 4, 5, 6");
    ask(f, 7, &f->b); /* the line is empty, and works again */
    ask(f, 8, &f->a);
    run_and_expect(f, "1, 2, 3, 4, 5, 6, 7, 8");
}

static void errors_in_the_middle(void *fixture)
{
    struct fixture *f = fixture;

    ask_and_stand(f, 1);
    CHECK_INT(ask_sql(f, 2, &f->b, "SELECT id FROM nowhere"), 0);
    expect_error(ask_sql(f, 3, &f->b, NULL), UV_EINVAL,
                 "what asq_conn_run returns for no sql, UV_EINVAL");
    ask(f, 4, &f->b);
    expect_none_yet(f, 2);
    asq_slow_disk_open_gate();
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* as in run_and_expect */
    if (f->count == 2)
        test_cause("a question that asq_conn_run refused stands in the line");
    expect(f, "1, 2 failed, 4");
}

static void cancelled(void *fixture)
{
    struct fixture *f = fixture;

    ask_and_stand(f, 1);
    ask(f, 2, &f->a);
    ask(f, 3, &f->b);
    ask(f, 4, &f->a);
    f->inside++;
    ex_in_order_cancel(&f->questions[2]);
    f->inside--;
    expect_none_yet(f, 1);
    ex_in_order_cancel(&f->questions[3]); /* too late: it has its answer */
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2 cancelled, 3, 4");
}

/* Question 0 is from the heap: asked again and again, freed at the end. */
static void ask_anew(struct fixture *f, struct ex_question *question)
{
    struct ex_question *next;

    if (f->count < 6) {
        next = malloc(sizeof *next);
        CHECK(next != NULL);
        ex_question_init(next);
        next->data = f;
        f->inside++;
        CHECK_INT(ex_in_order_ask(&f->line, next,
                                  f->count % 2 == 0 ? &f->a : &f->b, sqls[8]),
                  0);
        f->inside--;
        f->asked++;
    }
    if (question >= f->questions && question <= &f->questions[QUESTIONS])
        return;
    ex_question_destroy(question);
    free(question);
}

static void ask_in_the_callback(void *fixture)
{
    struct fixture *f = fixture;

    f->then = ask_anew;
    ask_and_stand(f, 1);
    ask(f, 2, &f->b);
    ask(f, 3, &f->b);
    expect_none_yet(f, 2);
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2, 3, 0, 0, 0, 0, 0");
}

static void close_while_asked(void *fixture)
{
    struct fixture *f = fixture;

    ask_and_stand(f, 1);
    ask(f, 2, &f->b);
    ask(f, 3, &f->a);
    close_line(f);
    expect_error(ask_sql(f, 4, &f->b, sqls[4]), UV_ESHUTDOWN,
                 "UV_ESHUTDOWN from ex_in_order_ask after close");
    expect_none_yet(f, 1);
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2, 3");
    if (f->early || f->closed != 1)
        test_wrong("on_closed runs once, after the last answer", "%d times%s",
                   f->closed, f->early ? ", too early" : "");
}

static void close_in_callback(struct fixture *f, struct ex_question *question)
{
    if (question == &f->questions[2])
        close_line(f);
}

static void close_in_the_last(void *fixture)
{
    struct fixture *f = fixture;

    f->then = close_in_callback;
    ask(f, 1, &f->a);
    ask(f, 2, &f->b);
    run_and_expect(f, "1, 2");
    if (f->early || f->closed != 1)
        test_wrong("on_closed runs once, and not inside of close", "%d times%s",
                   f->closed, f->early ? ", inside" : "");
}

static const struct test_case cases[] = {
    {.name = "three_on_one",
     .title = "three on one connection, each with its own result",
     .points = 1,
     .run = three_on_one,
     .seconds = SECONDS,
     .function = "ex_in_order_ask",
     .cause = "an answer is not delivered, or to the wrong question"},
    {.name = "out_of_order",
     .title = "delivered in the order of asking, not of answering",
     .points = 2,
     .run = out_of_order,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "an answer that is not the first in the line does not wait, or "
              "those behind the first are forgotten"},
    {.name = "errors_in_the_middle",
     .title = "an error in its place; a question that was refused has none",
     .points = 1,
     .run = errors_in_the_middle,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "an error is delivered on another way than an answer"},
    {.name = "cancelled",
     .title = "cancelled in its place, and the later ones still come",
     .points = 2,
     .run = cancelled,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a question that was cancelled leaves the line early or never"},
    {.name = "ask_in_the_callback",
     .title = "asking and freeing while an answer is delivered",
     .points = 1,
     .run = ask_in_the_callback,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a question is looked at after on_answer has begun"},
    {.name = "close_while_asked",
     .title = "closed when the last answer is delivered",
     .points = 2,
     .run = close_while_asked,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "close does not wait for those in the line, or nobody closes "
              "after the last"},
    {.name = "close_in_the_last",
     .title = "close while the last answer is delivered",
     .points = 1,
     .run = close_in_the_last,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "the handle is closed twice, by close and by take_answer"},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "03-event-loop",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
