/* closing - the situations in which a loader is closed
 *
 * Each begins with a new loader and ends when close was called and everything
 * up to then was checked; the caller waits for on_closed.
 */
#ifndef CLOSING_H
#define CLOSING_H

#include "cancelling.h"

/* Whoever asks after close is told so at once. */
static inline void expect_refusal(struct fixture *f)
{
    struct caller *late = &f->callers[CALLERS - 1];
    int rc = load_with(late, 1);

    test_cause("close sets loader->on_closed first of all");
    if (rc != UV_ESHUTDOWN)
        test_wrong("after close ex_loader_load returns UV_ESHUTDOWN",
                   "it returns %s", test_code(rc));
    test_cause(NULL);
}

/* The loop has come to rest. */
static inline void expect_closed(const struct fixture *f)
{
    if (f->closed == 0)
        test_wrong("on_closed runs once", "it never runs");
    if (f->closed > 1)
        test_wrong("on_closed runs once", "it runs %s",
                   test_times((uint64_t)f->closed));
}

static inline void with_nothing(struct fixture *f)
{
    test_while("nothing is asked for, then close");
    close_loader(f);
    expect_refusal(f);
    test_cause("close does not wake the loader");
    settle(f);
    expect_closed(f);
}

static inline void with_an_answer_before(struct fixture *f)
{
    test_while("an ask is answered, then close");
    (void)load(f, 1);
    expect(f, "1 is asked for", "1");
    close_loader(f);
}

static inline void while_collected(struct fixture *f)
{
    test_while("1 2 1 are asked for, and close comes before the turn");
    (void)load_all(f, "1 2 1");
    close_loader(f);
    expect_refusal(f);
    expect_now(f, "close", "");
    settle(f);
    expect_both(f, "1 2 1 are asked for, then close",
                "1 cancelled, 2 cancelled, 1 cancelled", "");
}

/* One statement runs, three are queued, and for one of these nobody waits any
 * more; others are collected. */
static inline void while_sent(struct fixture *f)
{
    struct caller *queued;

    test_while("a statement runs, three are queued, and close comes");
    stand(f, "121 122");
    (void)load_all(f, "123 124");
    turns(f);
    queued = load_all(f, "125 126");
    turns(f);
    (void)load_all(f, "127 128");
    turns(f);
    cancel(&queued[0]);
    cancel(&queued[1]);
    (void)load_all(f, "129 130");
    close_loader(f);
    expect_refusal(f);
    expect_now(f, "close", "");
    turns(f);
    test_cause("close gives up the asks of every batch, and the collected");
    expect_now(f,
               "the statement for 121 122 runs, those for 123 124, 125 126 and "
               "127 128 are queued, 125 and 126 are cancelled, 129 130 are "
               "collected, then close",
               "121 cancelled, 122 cancelled, 123 cancelled, 124 cancelled, "
               "125 cancelled, 126 cancelled, 127 cancelled, 128 cancelled, "
               "129 cancelled, 130 cancelled");
    expect_given_up(f, "close has given up all asks");
    test_cause("a statement is pending, and the loader must stay until then");
    if (f->closed > 0)
        test_wrong("on_closed waits for the statement that runs",
                   "it runs before");
    test_cause(NULL);
    asq_slow_disk_open_gate();
    settle(f);
    expect_both(f, "then the statement ends", "", "[121 122]");
}

/* All asks are cancelled before, and the statement still runs. */
static inline void with_nobody_waiting(struct fixture *f)
{
    struct caller *first = &f->callers[f->count];

    test_while("the only asks are cancelled while their statement runs, then "
               "close");
    stand(f, "131 132");
    cancel(&first[0]);
    cancel(&first[1]);
    turns(f);
    expect_now(f, "131 and 132 are cancelled", "131 cancelled, 132 cancelled");
    close_loader(f);
    turns(f);
    if (f->closed > 0)
        test_wrong("on_closed waits for the statement that runs",
                   "it runs before");
    asq_slow_disk_open_gate();
}

static inline void close_in_callback(struct caller *caller)
{
    struct fixture *f = caller->f;

    (void)load_all(f, "4 5");
    close_loader(f);
    expect_refusal(f);
}

/* Those that are due keep their answer. */
static inline void in_a_callback(struct fixture *f)
{
    struct caller *first;

    test_while("close is called in a callback");
    first = load_all(f, "1 2 3");
    first[0].then = close_in_callback;
    settle(f);
    test_cause("an ask that is due is told what it was to be told");
    expect_now(f,
               "1 2 3 are asked for; in its callback 1 asks for 4 5, and "
               "closes the loader",
               "1, 2, 3, 4 cancelled, 5 cancelled");
    test_cause(NULL);
}

#endif
