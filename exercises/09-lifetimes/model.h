/* model - what a cache must do, written in a different way
 *
 * One step at a time, so that there is only one right answer. One thread.
 */
#ifndef MODEL_H
#define MODEL_H

#include "steps.h"

enum {
    STEPS = 300
};

struct model {
    bool open[TENANTS];
    int borrowed[TENANTS];
    int returned[TENANTS]; /* the clock at the last return */
    int clock;
    int line[BORROWERS];
    int waiting;
    char text[TEXT_SIZE];
};

static inline int oldest_idle(const struct model *m)
{
    int oldest = -1;

    for (int t = 0; t < TENANTS; t++)
        if (m->open[t] && m->borrowed[t] == 0 &&
            (oldest < 0 || m->returned[t] < m->returned[oldest]))
            oldest = t;
    return oldest;
}

static inline void model_answer(struct model *m, int t)
{
    const char name[2] = {(char)('a' + t), '\0'};

    if (m->open[t])
        m->borrowed[t]++;
    note(m->text, m->open[t] ? name : "x: SQLITE_NOTADB (26)");
}

/* Serves the front of the line as long as there is a slot for it. */
static inline void model_serve(struct model *m)
{
    while (m->waiting > 0) {
        int t = m->line[0], open = 0, left = 0;

        for (int i = 0; i < TENANTS; i++)
            open += m->open[i];
        if (open == EX_SLOTS && oldest_idle(m) < 0)
            return;
        if (open == EX_SLOTS)
            m->open[oldest_idle(m)] = false;
        m->open[t] = t != 'x' - 'a';
        for (int i = 0; i < m->waiting; i++) {
            if (m->line[i] == t)
                model_answer(m, t);
            else
                m->line[left++] = m->line[i];
        }
        m->waiting = left;
    }
}

static inline void model_return(struct model *m, int t)
{
    m->borrowed[t]--;
    m->returned[t] = ++m->clock;
    model_serve(m);
}

#endif
