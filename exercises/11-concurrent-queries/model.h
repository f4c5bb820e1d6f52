/* model - a loader that is written down in another way
 *
 * A batch is a list of keys with a number; which ask waits for which batch is
 * looked up each time. While the hold lasts no statement runs, so it is known
 * in which state each ask is. Loop thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "loading.h"

enum {
    SLOTS = 24,
    BATCHES = 30
};

enum stage {
    AWAY,
    COLLECTED,
    SENT,
    DUE
};

struct model {
    size_t limit;
    bool refuses;
    unsigned clock; /* counts loads */
    int batches;    /* since the hold began */
    struct {
        int64_t keys[SLOTS];
        size_t count;
    } batch[BATCHES];
    struct one {
        enum stage stage;
        int64_t id;
        unsigned since; /* the clock when it was asked for */
        int batch;
        int status;
        char told[240];
    } ones[SLOTS];
};

static inline bool is_user(int64_t id)
{
    for (int i = 0; i < EDGES; i++)
        if (edges[i] == id)
            return true;
    return id >= 1 && id <= USERS;
}

static inline void model_load(struct model *m, int i, int64_t id)
{
    m->ones[i].stage = COLLECTED;
    m->ones[i].id = id;
    m->ones[i].since = m->clock++;
}

static inline void model_cancel(struct model *m, int i)
{
    struct one *one = &m->ones[i];

    if (one->stage != COLLECTED && one->stage != SENT)
        return;
    one->stage = DUE;
    one->status = UV_ECANCELED;
}

static inline void model_deliver(struct model *m)
{
    for (int i = 0; i < SLOTS; i++) {
        struct one *one = &m->ones[i];
        struct ex_ask ask = {.id = one->id};
        char name[NAME_SIZE];

        if (one->stage != DUE)
            continue;
        one->stage = AWAY;
        ask.found = one->status == 0 && is_user(one->id);
        ask.name = name_of(one->id, name);
        describe(&ask, one->id, one->status, one->told, sizeof one->told);
    }
}

/* Returns the ask that has waited longest and is younger than this, or NULL. */
static inline struct one *model_next(struct model *m, unsigned since)
{
    struct one *next = NULL;

    for (int i = 0; i < SLOTS; i++) {
        struct one *one = &m->ones[i];

        if (one->stage == COLLECTED && one->since >= since &&
            (next == NULL || one->since < next->since))
            next = one;
    }
    return next;
}

static inline void model_fill(struct model *m)
{
    int b = m->batches++;
    struct one *one = model_next(m, 0);

    m->batch[b].count = 0;
    for (; one != NULL; one = model_next(m, one->since + 1)) {
        size_t k = 0, count = m->batch[b].count;

        while (k < count && m->batch[b].keys[k] != one->id)
            k++;
        if (k == count && m->limit != 0 && count == m->limit)
            continue;
        m->batch[b].keys[k] = one->id;
        m->batch[b].count = k == count ? count + 1 : count;
        one->stage = m->refuses ? DUE : SENT;
        one->status = m->refuses ? UV_ENOBUFS : 0;
        one->batch = b;
    }
}

static inline void model_turns(struct model *m)
{
    model_deliver(m);
    while (model_next(m, 0) != NULL)
        model_fill(m);
    model_deliver(m);
}

/* The statements run that somebody waits for. */
static inline void model_run(struct model *m, char ran[static TEXT_SIZE])
{
    for (int b = 0; b < m->batches; b++) {
        char keys[TEXT_SIZE / 2] = "", sorted[TEXT_SIZE / 2];
        size_t used = 0;
        bool waited_for = false;

        for (int i = 0; i < SLOTS; i++) {
            if (m->ones[i].stage != SENT || m->ones[i].batch != b)
                continue;
            m->ones[i].stage = DUE;
            waited_for = true;
        }
        if (!waited_for)
            continue;
        for (size_t k = 0; k < m->batch[b].count; k++)
            used += (size_t)snprintf(keys + used, sizeof keys - used,
                                     " %" PRId64, m->batch[b].keys[k]);
        sort_keys(keys, sorted);
        add(ran, "[%s]", sorted);
    }
    m->batches = 0;
    model_deliver(m);
}

/* What was told since this was called last. */
static inline void model_told(struct model *m, char text[static TEXT_SIZE])
{
    text[0] = '\0';
    for (int i = 0; i < SLOTS; i++) {
        if (m->ones[i].told[0] != '\0')
            add(text, "%s", m->ones[i].told);
        m->ones[i].told[0] = '\0';
    }
}

/* Does the same to a loader and to its model, and writes down what. */
static inline void random_step(struct fixture *f,
                               struct model *m,
                               struct test_random *random,
                               char what[static TEXT_SIZE])
{
    static const int64_t ids[] = {
        1, 2, 3, 4, 5, 0, 901, INT64_MIN, ((int64_t)1 << 32) + 1};
    int i = (int)test_random_range(random, 0, SLOTS - 1);
    int64_t n = test_random_range(random, 0, 23);

    if (n == 0) {
        m->limit = f->loader->limit = (size_t)test_random_range(random, 0, 4);
        add(what, "limit %zu", m->limit);
    } else if (n == 1) {
        m->refuses = !m->refuses;
        f->conn.capacity = m->refuses ? 0 : 1024;
        add(what, "the conn %s", m->refuses ? "refuses" : "accepts again");
    } else if (n < 8) {
        if (m->ones[i].stage != AWAY)
            add(what, "%" PRId64 " is cancelled", f->callers[i].id);
        cancel(&f->callers[i]);
        model_cancel(m, i);
    } else if (n < 11) {
        add(what, "a turn");
        turns(f);
        model_turns(m);
    } else if (m->ones[i].stage == AWAY) {
        int64_t id = ids[test_random_range(
            random, 0, (int64_t)(sizeof ids / sizeof ids[0]) - 1)];

        add(what, "%" PRId64, id);
        CHECK_INT(load_with(&f->callers[i], id), 0);
        model_load(m, i, id);
    }
}

#endif
