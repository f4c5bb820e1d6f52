/* model - counters that are written down in another way
 *
 * There is no group and no sum: each add changes a copy of the table at once,
 * and the copy becomes the table if nothing has failed. One thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "counting.h"

enum {
    NAMES = 6
};

/* The first four are in the table; the last one is never there. */
static const char *const model_names[NAMES] = {"a", "A", "b", "c", "d", "x"};

struct model {
    struct row {
        bool exists;
        int64_t value, least, most;
    } rows[NAMES];
    struct waiting {
        int name;
        int64_t amount;
    } waiting[CALLERS];
    size_t taken, count;
    char told[TEXT_SIZE]; /* since the last flush */
};

static inline void model_ask(struct model *m, int name, int64_t amount)
{
    m->waiting[m->count++] = (struct waiting){name, amount};
}

static inline void model_label(const struct waiting *add,
                               char label[static LABEL_SIZE])
{
    (void)snprintf(label, LABEL_SIZE, "%s%+" PRId64, model_names[add->name],
                   add->amount);
}

/* Decides one add, and writes down its answer. code: of the whole group. */
static inline void
model_decide(struct model *m, struct row rows[static NAMES], int code)
{
    struct waiting *add = &m->waiting[m->taken++];
    struct row *row = &rows[add->name];
    struct caller answer = {.answers = 1, .status = code};

    model_label(add, answer.label);
    if (code == 0 && !row->exists)
        answer.status = UV_ENOENT;
    else if (code == 0 && (row->value + add->amount < row->least ||
                           row->value + add->amount > row->most))
        answer.status = UV_ERANGE;
    else if (code == 0)
        answer.value = row->value += add->amount;
    describe(&answer, m->told);
}

/* A group, which fails with this code, or with 0 does not. Returns how many
 * counters it changes. */
static inline unsigned model_flush(struct model *m, size_t group_max, int code)
{
    struct row rows[NAMES];
    size_t left = m->count - m->taken;
    unsigned changed = 0;

    memcpy(rows, m->rows, sizeof rows);
    m->told[0] = '\0';
    for (size_t n = left < group_max ? left : group_max; n > 0; n--)
        model_decide(m, rows, code);
    for (int i = 0; i < NAMES; i++)
        changed += rows[i].value != m->rows[i].value;
    if (code == 0)
        memcpy(m->rows, rows, sizeof rows);
    return changed;
}

static inline void model_table(const struct model *m,
                               char text[static TEXT_SIZE])
{
    static const int sorted[] = {1, 0, 2, 3, 4, 5}; /* A, a, b */

    text[0] = '\0';
    for (int i = 0; i < NAMES; i++) {
        const struct row *row = &m->rows[sorted[i]];

        if (row->exists)
            note(text, "%s%s=%" PRId64, text[0] != '\0' ? " " : "",
                 model_names[sorted[i]], row->value);
    }
}

/* What there is before a flush. */
static inline void model_tell(const struct model *m,
                              size_t group_max,
                              int code,
                              char what[static TEXT_SIZE])
{
    what[0] = '\0';
    for (int i = 0; i < NAMES; i++)
        if (m->rows[i].exists)
            note(what, "%s=%" PRId64 " (%" PRId64 " to %" PRId64 ") ",
                 model_names[i], m->rows[i].value, m->rows[i].least,
                 m->rows[i].most);
    note(what, "and the group");
    for (size_t i = m->taken; i < m->count && i - m->taken < group_max; i++) {
        char label[LABEL_SIZE];

        model_label(&m->waiting[i], label);
        note(what, " %s", label);
    }
    if (code != 0)
        note(what, ", a write fails with %s", test_code(code));
}

/* Somebody else changes a counter, makes or removes it. */
static inline void model_change(struct fixture *f,
                                struct model *m,
                                struct test_random *random,
                                int i)
{
    struct row *row = &m->rows[i];

    row->exists = i < NAMES - 2 || test_random_range(random, 0, 1) == 0;
    row->least = test_random_range(random, -9, 0);
    row->most = test_random_range(random, 1, 30);
    row->value = test_random_range(random, row->least, row->most);
    put(f->other, model_names[i], row->value, row->least, row->most);
    if (!row->exists)
        raw_do(f->other, "DELETE FROM counters WHERE name = 'd'");
}

static inline void
model_begin(struct fixture *f, struct model *m, struct test_random *random)
{
    for (int i = 0; i < NAMES - 1; i++)
        model_change(f, m, random, i);
}

/* Makes an add, or changes a counter. */
static inline void
random_step(struct fixture *f, struct model *m, struct test_random *random)
{
    int name = (int)test_random_range(random, 0, NAMES - 1);
    int64_t amount = test_random_range(random, -12, 15);
    char label[LABEL_SIZE];

    if (test_random_range(random, 0, 15) == 0) {
        model_change(f, m, random, name < NAMES - 1 ? name : 0);
        return;
    }
    model_ask(m, name, amount);
    model_label(&m->waiting[m->count - 1], label);
    (void)make(f, model_names[name], amount, label);
}

#endif
