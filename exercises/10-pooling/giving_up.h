/* giving_up - requests that are given up in each of their states
 *
 * One thread.
 */
#ifndef GIVING_UP_H
#define GIVING_UP_H

#include "gate.h"

#include <limits.h>

/* Codes that do not survive being cut, or being taken for a truth value. */
static inline int draw_code(struct test_random *random)
{
    static const int codes[] = {UV_ECANCELED, UV_ETIMEDOUT, INT_MIN, INT_MAX,
                                256,          -65536,       1,       -1};
    int64_t i = test_random_range(random, 0, 15);

    if (i < 8)
        return codes[i];
    return (int)test_random_range(random, 1, INT_MAX) * (i < 12 ? 1 : -1);
}

/* One gives up, and its callback says so. */
static inline const char *
give_up_one(struct fixture *f, char name, struct test_random *random)
{
    static char text[TEXT_SIZE];
    int code = draw_code(random);

    give_up(f, name, code);
    text[0] = '\0';
    note_answer(text, name, code);
    return text;
}

static inline void while_waiting(struct fixture *f, struct test_random *random)
{
    keep(f, "h");
    enter(f, "abcdefGhIj");
    expect(f, "a to j enter, G and I are reports", "a, b, c, d, e");
    expect(f, "h gives up, f G I j wait", give_up_one(f, 'h', random));
    test_cause("the status of a request says nothing unless it is due");
    enter(f, "h");
    expect(f, "h enters once more and gives up, f G I j wait",
           give_up_one(f, 'h', random));
    test_cause(NULL);
    expect(f, "j gives up, f G I wait", give_up_one(f, 'j', random));
    expect(f, "f gives up, G I wait", give_up_one(f, 'f', random));
    leave(f, "ab");
    expect(f, "a and b leave", "G, I");
    enter(f, "Kl");
    expect(f, "K and l enter", "");
    expect(f, "K gives up", give_up_one(f, 'K', random));
    leave(f, "c");
    expect(f, "c leaves", "l");
}

/* It has given up, and its callback has not run. */
static inline void cannot_enter(struct fixture *f, char name)
{
    int rc = ex_bulkhead_enter(f->bulkhead, caller_of(f, name)->request,
                               kind_of(name), on_entered);

    if (rc != UV_EINVAL)
        test_wrong("C gives up, which is due, and enters before its callback "
                   "has run: UV_EINVAL (-22)",
                   "%s", test_code(rc));
}

/* Those that are due and give up make way for others. */
static inline void while_due(struct fixture *f)
{
    enter(f, "AbCdfE");
    give_up(f, 'C', UV_ETIMEDOUT);
    test_cause("a request that has given up stays due until its callback runs");
    cannot_enter(f, 'C');
    test_cause("a request that is due gives back its place, the line is "
               "served, and it keeps its position in due");
    expect(f, "A b C d f E enter, then C gives up, which is due",
           "A, b, C (UV_ETIMEDOUT), d, f, E");
    enter(f, "g");
    leave(f, "b");
    give_up(f, 'g', UV_ECANCELED);
    enter(f, "hi");
    expect(f, "g enters, b leaves, g is due and gives up, h and i enter",
           "g (UV_ECANCELED), h");
    leave(f, "d");
    expect(f, "d leaves", "i");
    let_act(f, 'j', OTHER_GIVES_UP, 'k');
    let_act(f, 'k', ENTERS_AGAIN, 0);
    leave(f, "fh");
    enter(f, "jkn");
    expect(f, "j and k are due, in its callback j gives up k",
           "j, k (UV_ECANCELED)");
    expect(f, "n waited for k, which has entered again behind it", "n");
    leave(f, "n");
    expect(f, "n leaves", "k");
    begin_again(f, 5, 2);
    enter(f, "ABcD");
    give_up(f, 'c', UV_ECANCELED);
    test_cause("a short request gives back no place of the reports");
    expect(f, "A B c D enter, then c gives up, which is due",
           "A, B, c (UV_ECANCELED)");
}

/* Giving up must do nothing. */
static inline void not_given_up(struct fixture *f)
{
    struct ex_request never = {0};

    keep(f, "abBf");
    enter(f, "abBcdefg");
    expect(f, "a b B c d e f g enter", "a, b, B, c, d");
    test_cause("giving up does nothing unless the request is waiting, or due "
               "with status 0");
    ex_bulkhead_give_up(&never, UV_ECANCELED);
    expect(f, "a request gives up that never entered", "");
    give_up(f, 'a', UV_ECANCELED);
    give_up(f, 'B', UV_ECANCELED);
    expect(f, "a and B give up, which are inside", "");
    give_up(f, 'f', UV_ETIMEDOUT);
    give_up(f, 'f', UV_ECANCELED);
    expect(f, "f gives up twice, e f g wait", "f (UV_ETIMEDOUT)");
    give_up(f, 'f', UV_ECANCELED);
    expect(f, "f gives up once more", "");
    leave(f, "a");
    give_up(f, 'a', UV_ECANCELED);
    expect(f, "a has left and gives up", "e");
    enter(f, "f");
    leave(f, "b");
    give_up(f, 'g', 7);
    give_up(f, 'g', UV_ECANCELED);
    enter(f, "hi");
    expect(f, "b leaves, g is due and gives up twice, f h i wait",
           "g (code 7), f");
    leave(f, "B");
    expect(f, "B leaves, h and i wait", "h");
}

#endif
