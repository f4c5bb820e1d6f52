/* model - two connections, lines and numbered questions for 03-event-loop
 *
 * A question asks for the row of its number, so that an answer says whose it
 * is. Connection a is made to answer late by the gate of the slow disk: it
 * stands in a read until the test lets it go, while b goes on. What was
 * delivered is noted as a text: "1, 2 cancelled, 3". A line lies on the heap
 * and is freed in on_closed. Everything belongs to the loop thread.
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

/* A line, and what is known of it. */
struct track {
    struct ex_in_order *line; /* NULL when it was closed and freed */
    struct fixture *f;
    int close_called;
    unsigned asked, count; /* successfully; delivered */
};

struct item {
    struct ex_question question;
    struct fixture *f;
    struct track *track;
    int number;
    int on_heap; /* freed when it is delivered */
};

struct fixture {
    uv_loop_t loop;
    struct asq_conn a, b;
    struct track line, second; /* second.line is NULL where there is none */
    struct item items[QUESTIONS + 1]; /* by number */
    char sqls[QUESTIONS + 1][48];
    struct test_random random;
    int opened, conns_closed;
    int inside;         /* a call of the student's that must not call back */
    int closed;         /* calls of on_closed */
    const char *early;  /* what was wrong with one of them */
    int closing_counts; /* a line that does not close fails the test */
    unsigned last;      /* so many answers are all of the test; 0: unknown */
    unsigned count;     /* of answers delivered */
    char text[1024];    /* which */
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

/* Where closing is not the matter, the line may close itself at its end, with
 * whatever is wrong with that. */
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
        note(f, " inside of the call");
    if (item->track->line == NULL)
        note(f, " after the end");
    if (status == UV_ECANCELED)
        note(f, " cancelled");
    else if (status != 0)
        note(f, " failed %d", status);
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
    if (f->inside)
        f->early = "inside of close";
    else if (track->count < track->asked)
        f->early = "before the last answer";
    track->line = NULL;
    test_closed(&f->loop, line, sizeof *line);
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
        FAIL("%d: %s", status, conn->message);
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
    conn->poll_us = 0; /* its idle handle is not the line's */
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

/* A line that was not closed, or not for the test, is given back here. */
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
            test_wrong("calls of on_closed for each line: 1", "0");
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
        test_wrong(text, "%d%s%s", err, err < 0 ? ", " : "",
                   err < 0 ? uv_err_name(err) : "");
}

static inline void ask(struct fixture *f, int number, struct asq_conn *conn)
{
    expect_error(ask_item(f, &f->items[number], conn, f->sqls[number]), 0,
                 "0 from ex_in_order_ask");
}

/* Asks the first question of a, which then stands in a read. */
static inline void ask_and_stand(struct fixture *f, int number)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    ask(f, number, &f->a);
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("ask submits the question at once",
                   "its connection has nothing to do");
}

static inline void expect(struct fixture *f, const char *expected)
{
    if (strcmp(f->text, expected) != 0)
        test_wrong(expected, "%s", f->text[0] != '\0' ? f->text : "nothing");
}

/* Ends when the loop has nothing to wait for, however much was delivered. */
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

/* While a stands at the gate, b has answered all that it was asked. */
static inline void expect_none_yet(struct fixture *f, unsigned of_b)
{
    if (f->b.pending != of_b)
        test_wrong("all questions are on their way at once", "%zu of %u asked",
                   f->b.pending, of_b);
    run_b(f);
    if (f->count > 0)
        test_wrong("nothing before the answer to 1 has come", "%s", f->text);
    if (test_handles_active(&f->loop, UV_IDLE) > 0)
        test_wrong("the line sleeps until an answer comes",
                   "an idle handle is active: the loop never sleeps");
}

/* on_closed must have run once for each of so many lines, in time. */
static inline void expect_closed(struct fixture *f, int lines)
{
    if (f->early != NULL)
        test_wrong("on_closed runs after the last answer, not inside of close",
                   "%s", f->early);
    if (f->closed != lines)
        test_wrong(lines == 1 ? "calls of on_closed for one line: 1"
                              : "calls of on_closed for two lines, both closed "
                                "by the test: 2",
                   "%d", f->closed);
}

#endif
