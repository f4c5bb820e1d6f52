/* pausing - consumers that pause, and what happens meanwhile
 *
 * Loop thread.
 */
#ifndef PAUSING_H
#define PAUSING_H

#include "merging.h"

static inline enum ex_next pause_at(struct pair *p, size_t nth)
{
    return nth == p->nth ? EX_PAUSE : EX_GO_ON;
}

static inline enum ex_next pause_always(struct pair *p, size_t nth)
{
    (void)p;
    (void)nth;
    return EX_PAUSE;
}

/* The consumer is ready again before on_row has returned. */
static inline enum ex_next more_and_pause(struct pair *p, size_t nth)
{
    (void)nth;
    more(p);
    return EX_PAUSE;
}

static inline enum ex_next more_and_go_on(struct pair *p, size_t nth)
{
    (void)nth;
    more(p);
    return EX_GO_ON;
}

/* None of these makes the pause shorter. */
static inline enum ex_next more_before_pause(struct pair *p, size_t nth)
{
    if (nth >= p->nth)
        return pause_at(p, nth);
    more(p);
    more(p);
    return EX_GO_ON;
}

/* Nothing is paused when more is called, so the pause after it is as long as
 * any. */
static inline void more_without_pause(struct pair *p, int i)
{
    prepare(p, "1 3 5", "2 4 6", 2);
    doing(p, "%c is slow, more is called meanwhile, EX_PAUSE at row 1",
          "ab"[i]);
    set_gate(&p->shops[i], 1);
    p->then = pause_at;
    p->nth = 1;
    start(p, 2);
    expect(p, "before it goes on", 0, NO_END);
    more(p);
    expect(p, "after more", 0, NO_END);
    test_cause("more ends the pause that there is, and is not saved up");
    open_gate(&p->shops[i]);
    expect(p, "in the pause", 1, NO_END);
    more(p);
    expect(p, "after the other more", p->total, 0);
}

/* One pause, at each of the rows. */
static inline void pause_once(struct pair *p, size_t chunk)
{
    for (p->nth = 1; p->nth <= p->total; p->nth++) {
        doing(p, "EX_PAUSE at row %zu", p->nth);
        p->then = pause_at;
        start(p, chunk);
        expect(p, "in the pause", p->nth, NO_END);
        test_cause("a chunk is given back after its last row, even if the "
                   "consumer pauses");
        for (int i = 0; i < 2; i++)
            expect_read(p, i, SIZE_MAX);
        test_cause("more ends the pause, and wakes the merge");
        more(p);
        expect(p, "after more", p->total, 0);
        doing(p, "on_row calls more twice, EX_PAUSE at row %zu", p->nth);
        p->then = more_before_pause;
        start(p, chunk);
        test_cause("more ends the pause that there is, and is not saved up");
        expect(p, "in the pause", p->nth, NO_END);
        more(p);
        more(p);
        expect(p, "after more", p->total, 0);
    }
}

/* The consumer pauses at the last row of a chunk, so the next chunk comes
 * meanwhile. That does not end the pause. */
static inline void pause_while_slow(struct pair *p, int i)
{
    prepare(p, "1 3 5 7 9 11", "2 4 6 8 10 12", 2);
    p->nth = i == 0 ? 3 : 4;
    doing(p, "%c is slow, EX_PAUSE at its second row", "ab"[i]);
    set_gate(&p->shops[i], 3);
    p->then = pause_at;
    start(p, 2);
    expect(p, "in the pause", p->nth, NO_END);
    open_gate(&p->shops[i]);
    expect(p, "in the pause, the next chunk has come", p->nth, NO_END);
    test_cause("more ends the pause, and wakes the merge");
    more(p);
    expect(p, "after more", p->total, 0);
}

static inline void pause_at_each(struct pair *p)
{
    prepare(p, "1 3 5 7 9", "2 4 6 8", 2);
    doing(p, "EX_PAUSE at each row");
    p->then = pause_always;
    start(p, 2);
    for (size_t n = 1; n <= p->total; n++) {
        expect(p, "in a pause", n, NO_END);
        more(p);
    }
    expect(p, "after more", p->total, 0);
}

static inline void more_in_each(struct pair *p)
{
    doing(p, "on_row calls more, and returns EX_PAUSE");
    p->then = more_and_pause;
    start(p, 2);
    test_cause("more inside on_row takes back the pause for which the row "
               "asks");
    expect(p, "both inputs are read to the end", p->total, 0);
}

#endif
