/* deciding - adds that are accepted or not, many of them or at the edge
 *
 * One thread.
 */
#ifndef DECIDING_H
#define DECIDING_H

#include "counting.h"

/* Many adds, for half as many counters. */
static inline void many(struct fixture *f)
{
    enum {
        MANY = 550
    };
    static char names[MANY][16];
    int64_t right;

    raw_do(f->other, "BEGIN; DELETE FROM counters");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        put(f->other, names[i], i + 1, 0, MANY + 1);
    }
    raw_do(f->other, "COMMIT");
    forget(f);
    for (int i = 0; i < 2 * MANY; i++)
        (void)make(f, names[i % MANY], i < MANY ? 1 : -2, "one of 1100");
    flush(f);
    test_while("an add of 1 for each of 550 counters, then one of -2");
    test_cause("a group may have any number of adds, and of counters");
    for (size_t i = 0; i < f->count; i++)
        if (f->callers[i].answers != 1)
            test_wrong("one answer for each of the 1100 adds", "%s for add %zu",
                       test_count(f->callers[i].answers, "answer", NULL), i);
    expect_count("", "write", f->writes, MANY);
    right = raw_ask(f->other, "SELECT count(*) FROM counters"
                              " WHERE name = 'n' || value");
    if (right != MANY)
        test_wrong("550 counters are less by 1", "%" PRId64 " are", right);
}

/* One flush of one add, which is accepted or not. */
static inline void
at_the_edge(struct fixture *f, const struct ex_counter *counter, int64_t amount)
{
    uint64_t room = amount >= 0
                        ? (uint64_t)counter->most - (uint64_t)counter->value
                        : (uint64_t)counter->value - (uint64_t)counter->least;
    uint64_t distance = amount >= 0 ? (uint64_t)amount : 0 - (uint64_t)amount;
    int64_t value = counter->value + (distance <= room ? amount : 0);
    char told[120];

    put(f->other, "n", counter->value, counter->least, counter->most);
    test_while("n=%" PRId64 " from %" PRId64 " to %" PRId64 ", an add of "
               "%" PRId64,
               counter->value, counter->least, counter->most, amount);
    forget(f);
    (void)make(f, "n", amount, "the add");
    flush(f);
    if (distance <= room)
        (void)snprintf(told, sizeof told, "the add: %" PRId64, value);
    else
        (void)snprintf(told, sizeof told, "the add: UV_ERANGE");
    expect_told(f, "", told);
    (void)snprintf(told, sizeof told, "n=%" PRId64, value);
    expect_table(f->other, "then", told);
}

#endif
