/* model - a breaker that is written in a different way
 *
 * What is left of the cool-down is counted down, and opening makes all requests
 * in flight void. One thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "told.h"

#include "grader/random.h"

struct model {
    enum ex_breaker_state state;
    unsigned failures, failures_max;
    uint64_t left_ms, cool_ms;
    struct under_way {
        bool asked, probe, is_void;
        struct ex_ticket ticket;
    } requests[UNDER_WAY];
};

static inline void
end_in_model(struct model *m, struct under_way *r, enum kind kind)
{
    r->asked = false;
    if (r->is_void)
        return;
    if (kind == ANSWER) {
        m->state = EX_CLOSED;
        m->failures = 0;
    } else if (kind == NONE && r->probe) {
        m->state = EX_OPEN;
    } else if (kind == FAILURE) {
        m->failures++;
        if (!r->probe && m->failures < m->failures_max)
            return;
        m->state = EX_OPEN;
        m->left_ms = m->cool_ms;
        for (size_t i = 0; i < UNDER_WAY; i++)
            m->requests[i].is_void = true;
    }
}

static inline void
step(struct fixture *f, struct model *m, struct test_random *random)
{
    struct under_way *r =
        &m->requests[test_random_range(random, 0, UNDER_WAY - 1)];
    uint64_t ms =
        (uint64_t)(test_random_range(random, 0, 2) *
                   test_random_range(random, 0, (int64_t)m->cool_ms / 2));
    const struct end *end = &known_ends[test_random_range(random, 0, ENDS - 1)];

    f->now_ms += ms;
    m->left_ms -= ms < m->left_ms ? ms : m->left_ms;
    if (r->asked) {
        tell(f, &r->ticket, end->code);
        SAY(f, "while %s, at %" PRIu64 " ms, %s is told for %s",
            name_of(m->state), f->now_ms, end->name,
            r->is_void ? "a request from before it opened"
            : r->probe ? "the probe"
                       : "a request");
        end_in_model(m, r, end->kind);
    } else {
        SAY(f, "while %s, at %" PRIu64 " ms, a request asks", name_of(m->state),
            f->now_ms);
        if (m->state == EX_HALF_OPEN ||
            (m->state == EX_OPEN && m->left_ms > 0)) {
            refuse(f, m->state == EX_OPEN ? m->left_ms : m->cool_ms);
            return;
        }
        r->ticket = go(f);
        r->asked = true;
        r->is_void = false;
        r->probe = m->state == EX_OPEN;
        if (r->probe)
            m->state = EX_HALF_OPEN;
    }
    expect_state(f, m->state);
    if (m->state == EX_CLOSED)
        expect_failures(f, m->failures);
}

#endif
