/* closing - the situations in which a cache is closed
 *
 * Each begins with a new cache and ends when close was called and everything up
 * to then was checked; the caller waits for on_closed.
 */
#ifndef CLOSING_H
#define CLOSING_H

#include "steps.h"

static inline void with_nothing(struct fixture *f)
{
    close_cache(f);
    settle(f);
    if (f->closed != 1)
        test_wrong("nothing is borrowed or asked for: on_closed runs",
                   "it does not, with %s left",
                   test_count(f->count, "conn", NULL));
}

/* When a conn is closed, what was written last moves from the WAL to the
 * database. There the gate stops it, while the loop goes on. */
static inline void while_closing(struct fixture *f, char tenant)
{
    while_open(f, tenant);
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("a conn that nobody has borrowed is closed",
                   "that of %c is not", tenant);
    for (int i = 0; i < 10; i++)
        turn(f);
    if (f->closed > 0)
        test_wrong("on_closed waits for a conn that is closing",
                   "it runs before the conn is closed");
}

static inline void with_two_idle(struct fixture *f)
{
    borrow_all(f, "ab");
    write_to_file(f, &f->borrowers[0]);
    return_all(f, 2);
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    close_cache(f);
    while_closing(f, 'a');
    asq_slow_disk_open_gate();
    settle(f);
    if (f->closed != 1)
        test_wrong("two conns are idle: on_closed runs",
                   "it does not, with %s left",
                   test_count(f->count, "conn", NULL));
}

static inline void just_asked(struct fixture *f)
{
    ask(f, 0, 'a');
    close_cache(f);
    CHECK_INT(ask_with(f, 1, 'b', NULL), UV_ESHUTDOWN);
    expect(f, "one asks for a, and the cache is closed at once", "a cancelled");
}

/* The gate of the slow disk stops a conn while it opens its file. */
static inline void
while_opening(struct fixture *f, char tenant, const char *answered)
{
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    ask(f, 0, tenant);
    for (int i = 0; f->count == 0 && i < TURNS; i++)
        turn(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(GATE_MS), 0);
    close_cache(f);
    for (int i = 0; i < 10; i++)
        turn(f);
    if (f->closed > 0)
        test_wrong("on_closed waits for a conn that is opening",
                   "it runs before the conn is open");
    asq_slow_disk_open_gate();
    expect(f, "the cache is closed while a conn is opening", answered);
}

static inline void while_opening_a(struct fixture *f)
{
    while_opening(f, 'a', "a cancelled");
}

static inline void while_opening_fails(struct fixture *f)
{
    while_opening(f, 'x', "x cancelled");
}

static inline void while_evicting(struct fixture *f)
{
    borrow_all(f, "abcd");
    write_to_file(f, &f->borrowers[2]);
    give_back(&f->borrowers[2]);
    f->text[0] = '\0';
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    ask(f, 4, 'e');
    while_open(f, 'c');
    close_cache(f);
    for (int i = 0; i < 3; i++) /* idle conns are closing too */
        give_back(&f->borrowers[i < 2 ? i : 3]);
    while_closing(f, 'c');
    asq_slow_disk_open_gate();
    expect(f, "the cache is closed while c makes room for e", "e cancelled");
}

static inline void with_a_line(struct fixture *f)
{
    borrow_all(f, "abcd");
    f->text[0] = '\0';
    ask(f, 4, 'e');
    ask(f, 5, 'f');
    settle(f);
    close_cache(f);
    expect(f, "the cache is closed with e and f in the line",
           "e cancelled, f cancelled");
    if (f->closed > 0)
        test_wrong("on_closed waits for what is borrowed",
                   "it runs before all is returned");
    expect_open(f, "the cache is closed with all four borrowed", "abcd");
    give_back(&f->borrowers[1]);
    settle(f);
    expect_open(f, "the cache is closed, then b is returned", "acd");
}

static inline void close_it(struct borrower *b)
{
    CHECK_INT(ask_with(b->f, 8, 'b', NULL), 0);
    give_back(b);
    close_cache(b->f);
}

static inline void in_a_callback(struct fixture *f)
{
    CHECK_INT(ask_with(f, 0, 'a', close_it), 0);
    ask(f, 1, 'a');
    expect(f, "of two asks for a, the first asks for b, returns a, closes",
           "a, a cancelled, b cancelled");
}

static inline void close_later(struct borrower *b)
{
    CHECK_INT(ask_with(b->f, 8, 'b', NULL), 0);
    close_cache(b->f);
}

static inline void
in_a_failure(struct fixture *f, char tenant, const char *answered)
{
    CHECK_INT(ask_with(f, 0, tenant, close_later), 0);
    expect(f, "opening fails, and the callback asks for b and closes",
           answered);
}

static inline void in_a_failure_of_x(struct fixture *f)
{
    in_a_failure(f, 'x', "x: SQLITE_NOTADB (26), b cancelled");
}

#endif
