/* failing - merges of which an input fails
 *
 * The query itself fails at a row, with a code that is drawn. Loop thread.
 */
#ifndef FAILING_H
#define FAILING_H

#include "pausing.h"

static inline int draw_code(struct test_random *random)
{
    static const int codes[] = {SQLITE_ERROR, SQLITE_IOERR, SQLITE_MISMATCH,
                                SQLITE_CONSTRAINT};

    return codes[test_random_range(random, 0, 3)] |
           (int)test_random_range(random, 40, 90) << 8;
}

/* Row nth of input i cannot be read. */
static inline void fail_at(struct pair *p, int i, unsigned nth, int code)
{
    set_failure(&p->shops[i], nth, code);
    if (p->most > rows_until(p, i, nth - 1))
        p->most = rows_until(p, i, nth - 1);
}

static inline void expect_failure(struct pair *p,
                                  int i,
                                  unsigned nth,
                                  size_t chunk,
                                  struct test_random *random)
{
    int code = draw_code(random);

    doing(p, "row %u of %c cannot be read", nth, "ab"[i]);
    fail_at(p, i, nth, code);
    start(p, chunk);
    expect(p, "in the end", rows_until(p, i, nth - 1), code);
}

static inline void at_each_row(struct pair *p, struct test_random *random)
{
    for (unsigned nth = 1; nth <= 7; nth++)
        for (int i = 0; i < 2; i++) {
            prepare(p, "1 3 5 7 9 11 13 15 17", "2 4 6 8 10 12 14 16", 3);
            expect_failure(p, i, nth, 3, random);
            prepare(p, "1 3 5 7 9 11 13", "4 6 6 8 20 22 24", 2);
            expect_failure(p, i, nth, 2, random);
            run(p, "1 3", "2 4", 2, "the merge before this one has failed");
        }
    prepare(p, "1", "2 3 4 5", 1);
    expect_failure(p, 1, 3, 1, random);
    prepare(p, "2 3 4 5", "", 1);
    expect_failure(p, 0, 4, 1, random);
}

/* Input i was stopped, even if its worker is slow, or the consumer pauses. */
static inline void expect_stopped(struct pair *p, int i)
{
    const struct asq_stream *stream = &p->merge->inputs[i].stream;

    test_cause("an input is stopped at once, even if it has no chunk at that "
               "moment, or the consumer pauses");
    if (stream->started && !stream->over)
        test_wrong(i == 0 ? "a is stopped" : "b is stopped",
                   "its stream goes on");
}

/* The end waits for the other input, whose code does not count. */
static inline void while_the_other_is_slow(struct pair *p,
                                           struct test_random *random)
{
    for (int i = 0; i < 2; i++)
        for (int fails_too = 0; fails_too < 2; fails_too++) {
            int code = draw_code(random);

            prepare(p, "1 3 5 7 9", "2 4 6 8 10", 2);
            doing(p, "%c fails, and %c is slow", "ab"[i], "ba"[i]);
            fail_at(p, i, 1, code);
            set_gate(&p->shops[i], 1);
            set_gate(&p->shops[1 - i], 2);
            if (fails_too != 0)
                fail_at(p, 1 - i, 2, draw_code(random));
            start(p, 2);
            expect(p, "before that", 0, NO_END);
            open_gate(&p->shops[i]);
            test_cause("the end has the code of the input that failed first");
            expect(p, "while the slow one has not ended", 0, NO_END);
            expect_stopped(p, 1 - i);
            open_gate(&p->shops[1 - i]);
            expect(p, "in the end", 0, code);
        }
}

/* That of the other one is behind rows that cannot be handed over. */
static inline void both_fail(struct pair *p, struct test_random *random)
{
    for (int i = 0; i < 2; i++) {
        int first = draw_code(random), second = draw_code(random);

        prepare(p, i == 0 ? "1 3 99" : "2 4 6 8", i == 0 ? "2 4 6 8" : "1 3 99",
                2);
        doing(p, "row 3 of %c and row 4 of %c cannot be read", "ab"[i],
              "ba"[i]);
        fail_at(p, i, 3, first);
        fail_at(p, 1 - i, 4, second);
        start(p, 2);
        test_cause("the end has the code of the input that failed first");
        expect(p, "in the end", rows_until(p, i, 2), first);
    }
}

/* At the last row before the failure, or earlier. */
static inline void while_paused(struct pair *p, struct test_random *random)
{
    p->then = pause_at;
    for (int i = 0; i < 2; i++)
        for (p->nth = 1; p->nth <= 3; p->nth++) {
            int code = draw_code(random);

            prepare(p, i == 0 ? "1 3 99" : "2 4 5 6",
                    i == 0 ? "2 4 5 6" : "1 3 99", 1);
            doing(p, "EX_PAUSE at row %zu, row 3 of %c cannot be read", p->nth,
                  "ab"[i]);
            fail_at(p, i, 3, code);
            test_cause("only more and stop end a pause, a failure does not");
            start(p, 1);
            expect(p, "in the pause", p->nth, NO_END);
            if (p->nth == 3)
                expect_stopped(p, 1 - i);
            more(p);
            test_cause("the code is kept for the end, also in a pause");
            expect(p, "after more", 3, code);
        }
    p->then = NULL;
}

static inline void open_again(struct pair *p, int i)
{
    asq_conn_close_wait(&p->shops[i].conn);
    open_conn(&p->shops[i], p->loop);
}

/* An input that cannot be started has failed; so has one that is cut off. */
static inline void conn_is_closed(struct pair *p)
{
    struct asq_hold hold;

    for (int i = 0; i < 3; i++) {
        prepare(p, "1 3 5 7", "2 4 6 8", 2);
        doing(p, "%s not take requests",
              i == 2   ? "the conns do"
              : i == 0 ? "a's conn does"
                       : "b's conn does");
        for (int k = 0; k < 2; k++)
            if (i == 2 || i == k)
                asq_conn_refuse(&p->shops[k].conn);
        p->most = 0;
        test_cause("every code but 0 is a failure, also one below 0");
        start(p, 2);
        expect(p, "in the end", 0, UV_ESHUTDOWN);
        open_again(p, 0);
        open_again(p, 1);
    }
    prepare(p, "1 3 5 7", "2 4 6 8", 2);
    doing(p, "a's conn is cancelled before the query runs");
    asq_hold_init(&hold);
    CHECK_INT(asq_hold_begin(&p->shops[0].conn, &hold), 0);
    p->most = 0;
    test_cause("UV_ECANCELED is a failure, too, if the merge was not stopped");
    start_now(p, 2);
    asq_conn_cancel(&p->shops[0].conn);
    expect(p, "in the end", 0, UV_ECANCELED);
    open_again(p, 0);
}

#endif
