/* cancelling - asks that are cancelled in each of their states
 *
 * A statement that stands at the gate of the slow disk is running; those that
 * are submitted after it are queued.
 */
#ifndef CANCELLING_H
#define CANCELLING_H

#include "failing.h"

/* Collected: a key that nobody wants any more is not asked for. */
static inline void before_the_turn(struct fixture *f)
{
    struct caller *first = load_all(f, "1 2 3");

    cancel(&first[1]);
    expect_now(f, "1 2 3 are asked for, then 2 is cancelled", "");
    test_cause("an ask that is collected leaves the list when it is cancelled");
    expect_both(f, "1 2 3 are asked for, then 2 is cancelled",
                "1, 2 cancelled, 3", "[1 3]");
    first = load_all(f, "5 5 6");
    cancel(&first[0]);
    expect(f, "5 5 6 are asked for, then the first 5 is cancelled",
           "5 cancelled, 5, 6");
    f->ran[0] = '\0';
    first = load_all(f, "7 8");
    cancel(&first[0]);
    cancel(&first[1]);
    (void)load(f, 8);
    expect_both(f, "7 8 are asked for and cancelled, then 8 is asked for",
                "7 cancelled, 8 cancelled, 8", "[8]");
    cancel(load(f, 9));
    expect_both(f, "9 is asked for and cancelled", "9 cancelled", "");
}

/* A statement that has no asks left is cancelled, whether it runs or not. */
static inline void expect_given_up(struct fixture *f, const char *step)
{
    test_cause("a statement for which nobody waits is to be cancelled");
    for (struct ex_batch *batch = f->loader->batches; batch != NULL;
         batch = batch->next)
        if (batch->asks == NULL && !atomic_load(&batch->request.cancelled))
            test_wrong("a statement for which nobody waits is cancelled",
                       "%s, and the statement goes on", step);
    test_cause(NULL);
}

/* Sent: it is told at once, and nobody else notices. */
static inline void while_it_runs(struct fixture *f)
{
    struct caller *first = &f->callers[f->count];

    stand(f, "101 102 103 102 106");
    cancel(&first[1]);
    cancel(&first[4]);
    expect_now(f,
               "101 102 103 102 106 are asked for, then the first 102 and "
               "106 are cancelled",
               "");
    test_cause("the ask is told when its statement has run, not before");
    turns(f);
    expect_now(f,
               "the first 102 and 106 of 101 102 103 102 106 are cancelled, "
               "a turn later",
               "102 cancelled, 106 cancelled");
    test_cause("others wait for the same statement, so it must run");
    asq_slow_disk_open_gate();
    expect(f, "then the statement ends", "101, 103, 102");
    test_cause(NULL);
    first = &f->callers[f->count];
    stand(f, "104 105");
    cancel(&first[1]);
    cancel(&first[0]);
    expect_given_up(f, "104 and 105 are cancelled while theirs runs");
    turns(f);
    expect_now(f, "104 and 105 are cancelled while their statement runs",
               "104 cancelled, 105 cancelled");
    asq_slow_disk_open_gate();
    expect(f, "then the statement ends", "");
    (void)load_all(f, "104 107");
    expect(f, "104 is asked for again, with 107", "104, 107");
    f->ran[0] = '\0';
}

/* How many keys a statement has does not say how many asks wait for it. */
static inline void while_it_is_queued(struct fixture *f)
{
    struct caller *queued;

    stand(f, "111");
    queued = load_all(f, "112 113");
    turns(f);
    (void)load_all(f, "114 115 114");
    turns(f);
    (void)load_all(f, "116 117");
    turns(f);
    (void)load_all(f, "118 118");
    turns(f);
    cancel(&queued[1]);
    cancel(&queued[2]);
    cancel(&queued[0]);
    cancel(&queued[3]);
    cancel(&queued[6]);
    cancel(&queued[7]);
    turns(f);
    expect_now(f,
               "112 113 of one statement, the first 114 and 115 of 114 115 "
               "114, 117 of 116 117 and one of 118 118 are cancelled",
               "112 cancelled, 113 cancelled, 114 cancelled, 115 cancelled, "
               "117 cancelled, 118 cancelled");
    asq_slow_disk_open_gate();
    expect(f, "then the statement before them ends", "111, 114, 116, 118");
    test_cause("a statement for which nobody waits is to be cancelled");
    expect_ran(f,
               "112 113 are cancelled, the first 114 and 115 of 114 115 114, "
               "117 of 116 117, one of 118 118",
               "[111], [114 115], [116 117], [118]");
    test_cause(NULL);
}

static inline void cancel_next(struct caller *caller)
{
    cancel(caller + 1);
}

static inline void cancel_self(struct caller *caller)
{
    cancel(caller);
}

/* Cancelling must do nothing. */
static inline void too_late(struct fixture *f)
{
    struct ex_ask never = {0};
    struct caller *first = load_all(f, "11 12 13");

    first[0].keep = first[1].keep = true;
    first[0].then = cancel_next;
    first[1].then = cancel_self;
    test_cause("cancelling does nothing unless the ask is collected or sent");
    f->inside++;
    ex_loader_cancel(&never);
    f->inside--;
    expect(f, "11 12 13 are asked for; in its callback 11 cancels 12",
           "11, 12, 13");
    cancel(&first[0]);
    cancel(&first[1]);
    expect(f, "11 and 12 are cancelled when they are answered", "");
    first = load_all(f, "14 15 16");
    first[0].keep = true;
    cancel(&first[0]);
    cancel(&first[0]);
    expect(f, "14 15 16 are asked for, then 14 is cancelled twice",
           "14 cancelled, 15, 16");
    cancel(&first[0]);
    expect(f, "14 is cancelled once more", "");
    CHECK_INT(load_with(&first[0], 17), 0);
    first[0].then = ask_once_more;
    cancel(&first[0]);
    expect(f,
           "the same ask is for 17, is cancelled, and in its callback asks "
           "for 17 again",
           "17 cancelled, 17");
    f->ran[0] = '\0';
}

#endif
