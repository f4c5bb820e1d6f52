/* model - two connections, lines and numbered questions for 03-event-loop
 *
 * A question asks for the row of its own number, so an answer tells to which
 * question it belongs. The gate of the slow disk makes connection a answer
 * late: it stops in a read until the test opens the gate, while b goes on. What
 * was delivered is written down as a text: "1, 2 cancelled, 3". A line is
 * allocated on the heap and freed in on_closed. All of this runs on the loop
 * thread.
 */
#ifndef EX_03_MODEL_H
#define EX_03_MODEL_H

#include "ex_in_order.h"

#include "common/slow_disk.h"
#include "grader/closed.h"
#include "grader/random.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTIONS = 30,
    GATE_MS = 4000
};

struct fixture;

/* A line, and what is known about it. */
struct track {
    struct ex_in_order *line; /* NULL once it is closed and freed */
    struct fixture *f;
    int close_called;
    unsigned asked, count; /* asked successfully; delivered */
};

struct item {
    struct ex_question question;
    struct fixture *f;
    struct track *track;
    int number;
    int on_heap; /* freed once it is delivered */
};

struct fixture {
    uv_loop_t loop;
    struct asq_conn a, b;
    struct track line, second; /* second.line is NULL where there is none */
    struct item items[QUESTIONS + 1]; /* by number */
    char sqls[QUESTIONS + 1][48];
    struct test_random random;
    int opened, conns_closed;
    int inside;         /* we are in a call that must not call back */
    int closed;         /* calls of on_closed */
    int closing_counts; /* a line that does not close fails the test */
    unsigned last;      /* how many answers the test expects; 0: unknown */
    unsigned count;     /* of answers delivered */
    char text[1024];    /* of which questions */
    void (*then)(struct fixture *f, struct item *item);
};

static inline void note(struct fixture *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void note(struct fixture *f, const char *format, ...)
{
    size_t used = strlen(f->text);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(f->text + used, sizeof f->text - used, format, arguments);
    va_end(arguments);
}

static inline void on_closed_unasked(struct ex_in_order *line)
{
    (void)line; /* the test is over */
}

/* Where a test is not about closing, the line may close by itself when it is
 * empty, whatever is wrong with that. */
static inline void forget_closing(struct track *track)
{
    if (track->line != NULL && track->line->on_closed == NULL)
        track->line->on_closed = on_closed_unasked;
}

static inline void on_answer(struct ex_question *question, int status)
{
    struct item *item = question->data;
    struct fixture *f = item->f;

    note(f, "%s%d", f->count++ > 0 ? ", " : "", item->number);
    item->track->count++;
    if (f->inside)
        note(f, " inside the call");
    if (item->track->line == NULL)
        note(f, " after on_closed");
    if (status == UV_ECANCELED)
        note(f, " cancelled");
    else if (status != 0)
        note(f, " failed with %s", test_code(status));
    else if (asq_result_int64(&question->request.result, 0, "id") !=
             item->number)
        note(f, " without its result");
    if (f->then != NULL)
        f->then(f, item);
    if (f->count == f->last) {
        forget_closing(&f->line);
        forget_closing(&f->second);
    }
    if (item->on_heap) {
        ex_question_destroy(question);
        free(item);
    }
}

static inline void on_closed(struct ex_in_order *line)
{
    struct track *track = line->data;
    struct fixture *f = track->f;

    f->closed++;
    if (!f->inside && track->count < track->asked)
        test_wrong("on_closed runs after the last answer",
                   "it runs before that");
    track->line = NULL;
    test_cause("on_closed does not wait for the callback of uv_close");
    test_closed(&f->loop, line, sizeof *line);
    test_cause(NULL);
    if (f->inside)
        test_wrong("on_closed does not run inside close", "it does");
    free(line);
}

static inline void open_line(struct fixture *f, struct track *track)
{
    *track = (struct track){.f = f, .line = malloc(sizeof *track->line)};
    CHECK(track->line != NULL);
    ex_in_order_init(track->line, &f->loop, on_answer);
    track->line->data = track;
}

static inline void close_line(struct fixture *f, struct track *track)
{
    f->inside++;
    track->close_called = 1;
    ex_in_order_close(track->line, on_closed);
    f->inside--;
}

static inline void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;

    if (status != 0)
        FAIL("%s: %s", test_code(status), conn->message);
    f->opened++;
}

static inline void on_conn_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    f->conns_closed++;
}

static inline void open_conn(struct fixture *f, struct asq_conn *conn)
{
    struct asq_profile profile = asq_profile_default(test_path("users.db"));

    profile.vfs = ASQ_SLOW_DISK;
    asq_conn_init(conn);
    conn->data = f;
    conn->batch_reads = false;
    conn->poll_us = 0; /* so it has no idle handle, as the line has */
    CHECK_INT(asq_conn_open(conn, &f->loop, &profile, on_open), 0);
}

/* Each row has a page of its own, so that each question reads the disk. */
static inline void make_users(void)
{
    static const char make[] =
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE users (id INTEGER PRIMARY KEY, photo BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 60) INSERT INTO users SELECT i, zeroblob(3000) FROM n;";
    sqlite3 *db;

    CHECK_INT(sqlite3_open(test_path("users.db"), &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, make, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static inline void
init_item(struct fixture *f, struct item *item, struct track *track, int number)
{
    *item = (struct item){.f = f, .track = track, .number = number};
    ex_question_init(&item->question);
    item->question.data = item;
}

static inline void open_model(struct fixture *f)
{
    make_users();
    test_random_init(&f->random, 3);
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    open_conn(f, &f->a);
    open_conn(f, &f->b);
    while (f->opened < 2)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* both keep it alive */
    open_line(f, &f->line);
    for (int i = 0; i <= QUESTIONS; i++) {
        init_item(f, &f->items[i], &f->line, i);
        (void)snprintf(f->sqls[i], sizeof f->sqls[i],
                       "SELECT id FROM users WHERE id = %d", i);
    }
}

/* Frees a line that was not closed, or need not be. */
static inline void drop_line(struct fixture *f, struct track *track)
{
    uv_handle_t *handle = (uv_handle_t *)&track->line->handle;

    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
        (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    }
    free(track->line);
}

static inline void close_model(struct fixture *f)
{
    struct track *tracks[] = {&f->line, &f->second};

    asq_slow_disk_reset();
    asq_conn_close(&f->a, on_conn_closed);
    asq_conn_close(&f->b, on_conn_closed);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* 0: nobody calls uv_stop */
    for (size_t i = 0; i < 2; i++) {
        if (tracks[i]->line == NULL)
            continue;
        if (f->closing_counts)
            test_wrong("on_closed runs once for each line that was closed",
                       "it never ran for one of them");
        drop_line(f, tracks[i]);
    }
    test_close_loop(&f->loop);
    CHECK_INT(f->conns_closed, 2);
    for (int i = 0; i <= QUESTIONS; i++)
        ex_question_destroy(&f->items[i].question);
}

/* Asking */

static inline int ask_item(struct fixture *f,
                           struct item *item,
                           struct asq_conn *conn,
                           const char *sql)
{
    int err;

    f->inside++;
    err = ex_in_order_ask(item->track->line, &item->question, conn, sql);
    f->inside--;
    item->track->asked += err == 0;
    return err;
}

static inline void expect_error(int err, int expected, const char *text)
{
    if (err != expected)
        test_wrong(text, "%s", test_code(err));
}

static inline void ask(struct fixture *f, int number, struct asq_conn *conn)
{
    expect_error(ask_item(f, &f->items[number], conn, f->sqls[number]), 0,
                 "ex_in_order_ask returns 0 (success)");
}

/* Asks connection a this question, which then stops in a read. */
static inline void ask_and_stand(struct fixture *f, int number)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    ask(f, number, &f->a);
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("ex_in_order_ask submits the question at once",
                   "its connection has nothing to do");
}

static inline void expect(struct fixture *f, const char *expected)
{
    char text[sizeof f->text + 16];

    (void)snprintf(text, sizeof text, "delivered: %s", expected);
    if (strcmp(f->text, expected) != 0)
        test_wrong(text, "delivered: %s",
                   f->text[0] != '\0' ? f->text : "nothing");
}

/* Runs until the loop has nothing to wait for, however much was delivered. */
static inline void run_and_expect(struct fixture *f, const char *expected)
{
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* 0: nobody calls uv_stop */
    expect(f, expected);
}

static inline void run_b(struct fixture *f)
{
    while (f->b.pending > 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* pending keeps it alive */
}

/* A handle that was closed too early is closed now. */
static inline void turn(struct fixture *f)
{
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* While a is stopped at the gate, b answers all its questions. */
static inline void expect_none_yet(struct fixture *f, unsigned of_b)
{
    if (f->b.pending != of_b)
        test_wrong("every question is submitted at once",
                   "only %zu of the %u for b are", f->b.pending, of_b);
    run_b(f);
    if (f->count > 0)
        test_wrong("nothing is delivered before 1 is answered", "delivered: %s",
                   f->text);
    if (test_handles_active(&f->loop, UV_IDLE) > 0)
        test_wrong("the line sleeps until an answer comes",
                   "an idle handle is active, so the loop never sleeps");
}

/* on_closed must have run once for each of these lines. */
static inline void expect_closed(struct fixture *f, int lines)
{
    if (f->closed != lines)
        test_wrong(lines == 1 ? "one line is closed, so on_closed runs once"
                              : "two lines are closed, so on_closed runs twice",
                   "it ran %s", test_times((uint64_t)f->closed));
}

#endif
