/* stopping - the situations in which a merge is stopped
 *
 * Loop thread.
 */
#ifndef STOPPING_H
#define STOPPING_H

#include "failing.h"

static inline enum ex_next stop_at_nth(struct pair *p, size_t nth)
{
    if (nth == p->nth)
        stop(p);
    return EX_GO_ON;
}

static inline enum ex_next stop_and_pause(struct pair *p, size_t nth)
{
    if (nth != p->nth)
        return EX_GO_ON;
    stop(p);
    return EX_PAUSE;
}

static inline enum ex_next stop_more_stop(struct pair *p, size_t nth)
{
    if (nth != p->nth)
        return EX_GO_ON;
    stop(p);
    more(p);
    stop(p);
    return EX_PAUSE;
}

static inline void in_each_row(struct pair *p)
{
    static enum ex_next (*const ways[])(struct pair * p, size_t nth) = {
        stop_at_nth, stop_and_pause, stop_more_stop};

    prepare(p, "1 3 5 7 9", "2 4 6 8", 2);
    p->values = true;
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++)
        for (p->nth = 1; p->nth <= p->total; p->nth++) {
            doing(p, "on_row calls stop in row %zu%s", p->nth,
                  way == 0 ? "" : ", and returns EX_PAUSE");
            p->then = ways[way];
            start(p, 2);
            if (way > 0)
                test_cause("stop ends a pause, also the one for which this row "
                           "asks");
            expect(p, "in the end", p->nth, UV_ECANCELED);
        }
    p->then = NULL;
    p->values = false;
}

/* For an input that is slow. The end waits for it, too. */
static inline void while_waiting(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        prepare(p, "1 3 5 7 9", "2 4 6 8", 2);
        doing(p, "stop is called at once");
        set_gate(&p->shops[i], 1);
        start_now(p, 2);
        stop(p);
        rest(p);
        open_gate(&p->shops[i]);
        expect(p, "in the end", 0, UV_ECANCELED);
        for (unsigned nth = 1; nth <= 3; nth += 2) {
            size_t before = rows_until(p, i, nth - 1);

            doing(p, "%c is slow, only %u rows of it have come", "ab"[i],
                  nth - 1);
            set_gate(&p->shops[i], nth);
            start(p, 2);
            expect(p, "before stop", before, NO_END);
            stop(p);
            expect(p, "after stop", before, NO_END);
            expect_stopped(p, i);
            expect_stopped(p, 1 - i);
            open_gate(&p->shops[i]);
            expect(p, "when it goes on", before, UV_ECANCELED);
        }
    }
}

static inline void in_a_pause(struct pair *p)
{
    prepare(p, "1 3 5 7 9", "2 4 6 8", 2);
    p->then = pause_at;
    for (int twice = 0; twice < 2; twice++)
        for (p->nth = 1; p->nth <= p->total; p->nth++) {
            doing(p, "EX_PAUSE at row %zu", p->nth);
            test_cause("only more and stop end a pause");
            start(p, 2);
            expect(p, "in the pause", p->nth, NO_END);
            stop(p);
            if (twice != 0) {
                stop(p);
                more(p);
            }
            test_cause("stop ends a pause, and wakes the merge: both streams "
                       "may have ended before");
            expect(p, "after stop", p->nth, UV_ECANCELED);
        }
    p->then = NULL;
}

/* At row 3 the merge knows of the failure, and the end has its code. Before
 * that, with chunks of 1, its stream is stopped before it can tell; with chunks
 * of 3 it tells only when the chunk is taken away, and stop came first. */
static inline void beside_a_failure(struct pair *p, int i, size_t chunk)
{
    p->then = pause_at;
    for (p->nth = 1; p->nth <= 3; p->nth++) {
        prepare(p, i == 0 ? "1 3 99" : "2 4 5 6", i == 0 ? "2 4 5 6" : "1 3 99",
                chunk);
        doing(p, "EX_PAUSE at row %zu, row 3 of %c cannot be read", p->nth,
              "ab"[i]);
        fail_at(p, i, 3, SQLITE_FULL);
        test_cause("only more and stop end a pause, a failure does not");
        start(p, chunk);
        expect(p, "in the pause", p->nth, NO_END);
        stop(p);
        test_cause("stop ends a pause even if an input has failed, and the "
                   "code that comes first counts");
        expect(p, "after stop", p->nth,
               p->nth == 3 ? SQLITE_FULL : UV_ECANCELED);
    }
    p->then = NULL;
}

static inline void keep_merge(struct pair *p)
{
    stop(p); /* it is not started any more */
    more(p);
}

/* Stop and more, when it is not started. */
static inline void harmless(struct pair *p)
{
    prepare(p, "1 3", "2 4", 2);
    doing(p, "stop and more before the start, in on_end and after it");
    p->merge = calloc(1, sizeof *p->merge);
    CHECK(p->merge != NULL);
    ex_merge_init(p->merge);
    stop(p);
    more(p);
    rest(p);
    p->at_end = keep_merge;
    start(p, 2);
    expect(p, "in the end", 4, 0);
    stop(p);
    expect(p, "after stop", 4, 0);
    p->at_end = NULL;
}

static inline void start_again(struct pair *p)
{
    p->at_end = NULL;
    p->then = NULL;
    start_now(p, 1);
}

/* The same merge, started in its on_end; it was stopped, or has all rows. */
static inline void used_again(struct pair *p)
{
    for (size_t nth = 1; nth <= 5; nth++) {
        prepare(p, "1 3", "2 4", 2);
        doing(p, "stop in row %zu, and started again in on_end", nth);
        p->at_end = start_again;
        p->then = stop_at_nth;
        p->nth = nth;
        start(p, 2);
        expect(p, "in the end", 4, 0);
    }
}

#endif
