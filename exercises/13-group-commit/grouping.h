/* grouping - which adds a flush answers, and what their callbacks do
 *
 * Here, and only here, the order of the answers is judged, and the memory of an
 * add is freed in its callback. One thread.
 */
#ifndef GROUPING_H
#define GROUPING_H

#include "counting.h"

/* One flush, in which these are answered, in this order. */
static inline void
expect_order(struct fixture *f, const char *step, const char *order)
{
    char text[2 * TEXT_SIZE];

    flush(f);
    (void)snprintf(text, sizeof text, "%s: answers for %s", step,
                   order[0] != '\0' ? order : "nobody");
    if (strcmp(f->order, order) != 0)
        test_wrong(text, "answers for %s",
                   f->order[0] != '\0' ? f->order : "nobody");
}

/* At most three in a group. */
static inline void in_groups(struct fixture *f)
{
    static const char adds[] = "a+1 b+1 a+1 c+1 b-1 c+1 a+1 a+1";

    test_while("%s, at most 3 in a group", adds);
    test_cause("a flush takes one group; what is left waits for the next one");
    put_all(f->other, "555");
    f->counters->group_max = 3;
    forget(f);
    ask(f, adds);
    expect_order(f, "the first flush", "a+1 b+1 a+1");
    expect_table(f->other, "the first flush", "a=7 b=6 c=5");
    expect_order(f, "the second flush", "c+1 b-1 c+1");
    expect_table(f->other, "the second flush", "a=7 b=5 c=7");
    ask(f, "c-1");
    expect_order(f, "c-1 is made, the third flush", "a+1 a+1 c-1");
    expect_table(f->other, "the third flush", "a=9 b=5 c=6");
    expect_order(f, "the fourth flush", "");
    f->counters->group_max = CALLERS;
}

/* In its callback each add of the group is made once more; or others are made,
 * and its memory may be freed, too. */
static inline void in_callbacks(struct fixture *f, bool again, bool frees)
{
    put_all(f->other, "555");
    forget(f);
    test_while("a+1 b-1 a+1 are made, and in each callback %s",
               again   ? "the same add once more"
               : frees ? "b+1 c-1, and the add is freed"
                       : "b+1 c-1");
    test_cause(frees ? "once its callback has begun, the add is no longer there"
                     : "an add that is made in a callback belongs to the next "
                       "flush, and changes `next`");
    for (int i = 0; i < 3; i++) {
        char *name = strdup(i == 1 ? "b" : "a");
        struct caller *caller;

        CHECK(name != NULL);
        caller = make(f, name, i == 1 ? -1 : 1, i == 1 ? "b-1" : "a+1");
        caller->name = name;
        caller->makes = again ? NULL : "b+1 c-1";
        caller->again = again;
        caller->frees = frees;
    }
    expect_order(f, "the first flush", "a+1 b-1 a+1");
    expect_table(f->other, "the first flush", "a=7 b=4 c=5");
    for (int i = 0; i < 3; i++)
        f->callers[i].again = false;
    if (again) {
        expect_order(f, "the second flush", "a+1 b-1 a+1");
        expect_table(f->other, "the second flush", "a=9 b=3 c=5");
    } else {
        expect_order(f, "the second flush", "b+1 c-1 b+1 c-1 b+1 c-1");
        expect_table(f->other, "the second flush", "a=7 b=7 c=2");
    }
    expect_order(f, "the third flush", "");
}

static inline void
flush_again(struct fixture *f, struct caller *caller, const char *told)
{
    char got[TEXT_SIZE] = "", text[TEXT_SIZE];

    caller->answers = 0;
    flush(f);
    describe(caller, got);
    (void)snprintf(text, sizeof text, "%s: %s", caller->label, told);
    if (strcmp(got, text) != 0)
        test_wrong(text, "%s", got);
}

/* The same add is made in each flush; others make the counter and remove it. */
static inline void made_again(struct fixture *f)
{
    struct caller *caller;

    test_while("a+3 is made once more in each callback, others make a and "
               "remove it");
    test_cause("`status` and `value` are those of the last time");
    put_all(f->other, "");
    forget(f);
    caller = make(f, "a", 3, "a+3");
    caller->again = true;
    flush_again(f, caller, "UV_ENOENT");
    put(f->other, "a", 5, 0, 10);
    flush_again(f, caller, "8");
    put_all(f->other, "");
    caller->again = false;
    flush_again(f, caller, "UV_ENOENT");
}

#endif
