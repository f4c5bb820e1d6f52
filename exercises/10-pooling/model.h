/* model - a bulkhead that is written down in another way
 *
 * Nothing is counted on the way: which places are taken is looked up each time,
 * and the request that came first is found by its number. One thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "giving_up.h"

enum stage {
    AWAY,
    IN_LINE,
    DUE,
    INSIDE
};

struct model {
    unsigned places, report_places;
    unsigned clock; /* counts enters and what becomes due */
    struct one {
        enum stage stage;
        unsigned since; /* the clock when it came, or became due */
        int status;
        enum act act;
        char other;
    } ones[LETTERS];
    char text[TEXT_SIZE];
};

static inline struct one *one_of(struct model *m, char name)
{
    return &m->ones[name - 'A'];
}

static inline bool has_place(const struct one *one)
{
    return one->stage == INSIDE || (one->stage == DUE && one->status == 0);
}

static inline bool model_may_enter(const struct model *m, char name)
{
    uint64_t all = 0, reports = 0;

    for (int i = 0; i < LETTERS; i++) {
        all += has_place(&m->ones[i]);
        reports +=
            has_place(&m->ones[i]) && kind_of((char)('A' + i)) == EX_REPORT;
    }
    return all < m->places &&
           (kind_of(name) == EX_SHORT || reports < m->report_places);
}

static inline void model_due(struct model *m, struct one *one, int status)
{
    if (one->stage == IN_LINE)
        one->since = m->clock++;
    one->stage = DUE;
    one->status = status;
}

/* Returns the name of the first one in this stage, or 0. */
static inline char model_first(const struct model *m, enum stage stage)
{
    const struct one *first = NULL;

    for (int i = 0; i < LETTERS; i++) {
        const struct one *one = &m->ones[i];

        if (one->stage == stage && (first == NULL || one->since < first->since))
            if (stage != IN_LINE || model_may_enter(m, (char)('A' + i)))
                first = one;
    }
    return first == NULL ? 0 : (char)('A' + (first - m->ones));
}

static inline void model_serve(struct model *m)
{
    for (char name = model_first(m, IN_LINE); name != 0;
         name = model_first(m, IN_LINE))
        model_due(m, one_of(m, name), 0);
}

static inline void model_enter(struct model *m, char name)
{
    one_of(m, name)->stage = IN_LINE;
    one_of(m, name)->since = m->clock++;
    model_serve(m);
}

static inline void model_leave(struct model *m, char name)
{
    if (one_of(m, name)->stage == INSIDE)
        one_of(m, name)->stage = AWAY;
    model_serve(m);
}

static inline void model_give_up(struct model *m, char name, int code)
{
    struct one *one = one_of(m, name);

    if (one->stage == IN_LINE || (one->stage == DUE && one->status == 0))
        model_due(m, one, code);
    model_serve(m);
}

static inline void model_act(struct model *m, char name)
{
    struct one *one = one_of(m, name);
    enum act act = one->act;

    one->act = NOTHING;
    if (act == LEAVES || act == ENTERS_AGAIN)
        model_leave(m, name);
    if (act == ENTERS_AGAIN)
        model_enter(m, name);
    if (act == OTHER_LEAVES)
        model_leave(m, one->other);
    if (act == OTHER_GIVES_UP)
        model_give_up(m, one->other, UV_ECANCELED);
}

static inline void model_deliver(struct model *m)
{
    unsigned now = m->clock;

    for (char name = model_first(m, DUE);
         name != 0 && one_of(m, name)->since < now;
         name = model_first(m, DUE)) {
        struct one *one = one_of(m, name);

        note_answer(m->text, name, one->status);
        one->stage = one->status == 0 ? INSIDE : AWAY;
        model_act(m, name);
    }
}

/* The names of those in a stage, in the order in which they came to it. */
static inline const char *
names_in(const struct model *m, enum stage stage, char *names)
{
    size_t used = 0;

    for (int i = 0; i < LETTERS; i++) {
        size_t place = used;

        if (m->ones[i].stage != stage)
            continue;
        for (; place > 0; place--) {
            const struct one *before = &m->ones[names[place - 1] - 'A'];

            if (before->since < m->ones[i].since)
                break;
            names[place] = names[place - 1];
        }
        names[place] = (char)('A' + i);
        used++;
    }
    names[used] = '\0';
    return names;
}

/* What there is before the next steps. */
static inline void model_tell(const struct model *m, char *what)
{
    char inside[LETTERS + 1], line[LETTERS + 1], due[LETTERS + 1];

    (void)snprintf(what, TEXT_SIZE,
                   "%s (%u for reports), inside \"%s\", line \"%s\", "
                   "due \"%s\"",
                   test_count(m->places, "place", NULL), m->report_places,
                   names_in(m, INSIDE, inside), names_in(m, IN_LINE, line),
                   names_in(m, DUE, due));
}

/* Does the same to a bulkhead and to its model, and writes down what. */
static inline void random_step(struct fixture *f,
                               struct model *m,
                               struct test_random *random,
                               char *what)
{
    static const char names[] = "abcdefghijkABCDEFG";
    char name = names[test_random_range(random, 0, sizeof names - 2)];
    const char text[] = {name, '\0'};
    int64_t n = test_random_range(random, 0, 15);
    char did[80];

    (void)snprintf(did, sizeof did, "%c leaves", name);
    if (n == 0) {
        m->places = (unsigned)test_random_range(random, 0, 8);
        m->report_places = (unsigned)test_random_range(random, 0, 4);
        (void)snprintf(did, sizeof did, "%s, %u for reports",
                       test_count(m->places, "place", NULL), m->report_places);
        resize(f, m->places, m->report_places);
        model_serve(m);
    } else if (n < 4) {
        int code = draw_code(random);

        (void)snprintf(did, sizeof did, "%c gives up", name);
        give_up(f, name, code);
        model_give_up(m, name, code);
    } else if (n < 12 && one_of(m, name)->stage == AWAY) {
        enum act act = (enum act)test_random_range(random, 0, 3 * ACTS);
        char other = names[test_random_range(random, 0, sizeof names - 2)];

        (void)snprintf(did, sizeof did, "%c enters", name);
        let_act(f, name, act, other);
        one_of(m, name)->act = act;
        one_of(m, name)->other = other;
        enter(f, text);
        model_enter(m, name);
    } else {
        leave(f, text);
        model_leave(m, name);
    }
    note(what, did);
}

#endif
