/* model - two merges at once, with consumers and inputs that are drawn
 *
 * Which rows come, and with which code it ends, follows from the keys, from the
 * rows at which the inputs fail, and from what the consumer does. Loop thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "failing.h"

enum {
    STEPS = 4000,
    LONGEST = 24 /* rows of an input */
};

struct model {
    size_t rows;   /* that come, if nobody stops it, */
    int code;      /* and what the end has then */
    size_t pauses; /* at every nth row; 0: never */
    size_t stops;  /* at this row; 0: never */
    size_t at;     /* so many rows have come */
    bool runs;     /* it was started, and the end has not come */
    char what[TEXT_SIZE];
};

/* At every third row it is ready again before on_row has returned. */
static inline enum ex_next drawn_consumer(struct pair *p, size_t nth)
{
    struct model *m = p->model;

    if (nth % 3 == 0)
        more(p);
    if (nth == m->stops)
        stop(p);
    return m->pauses != 0 && nth % m->pauses == 0 ? EX_PAUSE : EX_GO_ON;
}

/* At one row it lets the other merge go on, or stops it, and pauses. */
static inline enum ex_next more_of_other(struct pair *p, size_t nth)
{
    if (nth == p->nth)
        more(p->other);
    return pause_at(p, nth);
}

static inline enum ex_next stop_of_other(struct pair *p, size_t nth)
{
    if (nth == p->nth)
        stop(p->other);
    return pause_at(p, nth);
}

/* Another merge pauses, and on_row of this one calls more or stop for it. That
 * changes nothing in this one. */
static inline void calls_other(struct pair *p, bool stops)
{
    struct pair *other = p->other;

    prepare(other, "1 3 5", "2 4", 2);
    other->then = pause_at;
    other->nth = 2;
    start(other, 2);
    expect(other, "in the pause", 2, NO_END);
    prepare(p, "1 3 5 7", "2 4 6", 2);
    doing(p, "on_row calls %s of another merge in row 3, and returns EX_PAUSE",
          stops ? "stop" : "more");
    test_cause("two merges share nothing: what was called is kept in the "
               "merge, not in a static");
    p->then = stops ? stop_of_other : more_of_other;
    p->nth = 3;
    start(p, 2);
    expect(p, "in the pause", 3, NO_END);
    test_cause(NULL);
    if (stops)
        expect(other, "the other one", 2, UV_ECANCELED);
    else
        expect(other, "the other one", other->total, 0);
    more(p);
    expect(p, "after more", p->total, 0);
}

static inline void each_calls_the_other(struct pair pairs[2])
{
    for (int k = 0; k < 2; k++) {
        pairs[k].other = &pairs[1 - k];
        calls_other(&pairs[k], false);
        calls_other(&pairs[k], true);
    }
}

/* Goes on until the consumer pauses, or the end. Returns what that has, or
 * NO_END. */
static inline int model_go_on(struct model *m)
{
    while (m->at < m->rows) {
        m->at++;
        if (m->at == m->stops)
            return UV_ECANCELED;
        if (m->pauses != 0 && m->at % m->pauses == 0 && m->at % 3 != 0)
            return NO_END;
    }
    return m->code;
}

/* In a pause. If the rows are over, it is known why. */
static inline int model_stop(const struct model *m)
{
    return m->at == m->rows && m->code != 0 ? m->code : UV_ECANCELED;
}

/* Returns how many rows it has. */
static inline size_t
draw_input(struct pair *p, int i, struct test_random *random)
{
    int64_t keys[LONGEST];
    size_t count = (size_t)test_random_range(random, 0, LONGEST);
    int64_t step = test_random_range(random, 0, 3);
    int64_t key = test_random_range(random, -5, 5);

    add(p->model->what, TEXT_SIZE, "%s%c has", i == 0 ? "" : ", ", "ab"[i]);
    for (size_t n = 0; n < count; n++) {
        keys[n] = key;
        add(p->model->what, TEXT_SIZE, " %" PRId64, key);
        key += test_random_range(random, 0, step);
    }
    add(p->model->what, TEXT_SIZE, "%s", count == 0 ? " no rows" : "");
    fill(p, i, keys, count);
    return count;
}

static inline void draw_merge(struct pair *p, struct test_random *random)
{
    struct model *m = p->model;
    size_t chunk = (size_t)test_random_range(random, 1, 5);
    int fails = (int)test_random_range(random, 0, 5); /* 2 and above: none */
    size_t counts[2];

    *m = (struct model){.pauses = (size_t)test_random_range(random, 1, 7)};
    if (m->pauses == 1)
        m->pauses = 0;
    else
        add(m->what, sizeof m->what, "EX_PAUSE every %zu rows, ", m->pauses);
    if (test_random_range(random, 0, 2) == 0) {
        m->stops = (size_t)test_random_range(random, 1, 40);
        add(m->what, sizeof m->what, "stop in row %zu, ", m->stops);
    }
    add(m->what, sizeof m->what, "more every 3 rows, chunks of %zu: ", chunk);
    for (int i = 0; i < 2; i++)
        counts[i] = draw_input(p, i, random);
    m->rows = p->total;
    if (fails < 2 && counts[fails] > 0) {
        size_t nth =
            (size_t)test_random_range(random, 1, (int64_t)counts[fails]);

        m->code = draw_code(random);
        fail_at(p, fails, (unsigned)nth, m->code);
        m->rows = p->most;
        add(m->what, sizeof m->what, ", %c fails at its row %zu", "ab"[fails],
            nth);
    }
    m->runs = true;
    start(p, chunk);
}

/* One of two merges starts, goes on after a pause, or is stopped in it. The
 * other one is in a pause, or has ended. */
static inline void random_step(struct pair *p, struct test_random *random)
{
    struct model *m = p->model;
    bool stops = false;
    int end;

    if (!m->runs) {
        draw_merge(p, random);
    } else {
        stops = test_random_range(random, 0, 11) == 0;
        (stops ? stop : more)(p);
    }
    end = stops ? model_stop(m) : model_go_on(m);
    test_while("%s", m->what);
    expect(p, stops ? "after stop in a pause" : "so far", m->at, end);
    m->runs = end == NO_END;
}

#endif
