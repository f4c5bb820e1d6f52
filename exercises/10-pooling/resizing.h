/* resizing - limits that are raised and lowered, and many requests
 *
 * Short requests and reports are told apart: in which order both are served is
 * the matter of another test. One thread.
 */
#ifndef RESIZING_H
#define RESIZING_H

#include "gate.h"

enum {
    MANY = 70000, /* more than fit in 16 bits */
    REPORTS = 300,
    SHORT_ONES = 50
};

static inline void count(struct ex_request *request, int status)
{
    unsigned *counted = request->data;

    if (status == 0)
        (*counted)++;
}

/* Many reports wait for other reports, and short requests pass them. */
static inline void behind_reports(struct fixture *f)
{
    struct ex_request *requests =
        calloc(REPORTS + SHORT_ONES, sizeof *requests);
    unsigned inside = 0;

    CHECK(requests != NULL);
    begin_again(f, 5, 0);
    for (int i = 0; i < REPORTS + SHORT_ONES; i++) {
        requests[i].data = &inside;
        CHECK_INT(ex_bulkhead_enter(f->bulkhead, &requests[i],
                                    i < REPORTS ? EX_REPORT : EX_SHORT, count),
                  0);
        ex_bulkhead_deliver(f->bulkhead);
        if (i >= REPORTS)
            ex_bulkhead_leave(&requests[i]);
    }
    if (inside != SHORT_ONES)
        test_wrong("300 reports wait, none may enter; 50 short requests enter "
                   "and leave, one after another: 50 callbacks",
                   "%s", test_count(inside, "callback", NULL));
    free(requests);
}

/* As many places as this; then one request more. */
static inline void many_places(struct fixture *f, enum ex_kind kind)
{
    struct ex_request *requests = calloc(MANY + 1, sizeof *requests);
    unsigned inside = 0;

    CHECK(requests != NULL);
    begin_again(f, MANY, MANY);
    for (int i = 0; i <= MANY; i++) {
        requests[i].data = &inside;
        CHECK_INT(ex_bulkhead_enter(f->bulkhead, &requests[i], kind, count), 0);
        if (i % 100 == 0)
            ex_bulkhead_deliver(f->bulkhead);
    }
    ex_bulkhead_deliver(f->bulkhead);
    if (inside != MANY)
        test_wrong("70001 enter, 70000 places: 70000 are inside",
                   "%u are inside", inside);
    ex_bulkhead_leave(&requests[0]);
    ex_bulkhead_deliver(f->bulkhead);
    if (inside != MANY + 1)
        test_wrong("one of 70000 leaves: one enters", "nobody enters");
    free(requests);
}

static inline void lowered(struct fixture *f)
{
    test_cause("more places may be taken than the new limits allow");
    begin_again(f, 5, 2);
    enter(f, "abcdefg");
    expect(f, "5 places; a b c d e f g enter", "a, b, c, d, e");
    resize(f, 3, 2);
    expect(f, "3 places, a b c d e are inside", "");
    leave(f, "a");
    expect(f, "a leaves, b c d e are inside", "");
    leave(f, "b");
    expect(f, "b leaves, c d e are inside", "");
    leave(f, "c");
    expect(f, "c leaves, f and g wait", "f");
    resize(f, 0, 2);
    leave(f, "def");
    expect(f, "no places; d e f leave, g waits", "");
    resize(f, 1, 2);
    expect(f, "1 place, g waits", "g");
    begin_again(f, 9, 3);
    enter(f, "ABCDE");
    expect(f, "3 places for reports; A B C D E enter", "A, B, C");
    resize(f, 9, 1);
    expect(f, "1 place for reports, A B C are inside", "");
    leave(f, "A");
    expect(f, "A leaves, B and C are inside", "");
    leave(f, "B");
    expect(f, "B leaves, C is inside", "");
    leave(f, "C");
    expect(f, "C leaves, D and E wait", "D");
}

static inline void raised(struct fixture *f, unsigned large)
{
    char step[80];

    begin_again(f, 1, 1);
    enter(f, "abcd");
    expect(f, "1 place; a b c d enter", "a");
    resize(f, large, 1);
    (void)snprintf(step, sizeof step, "%u places, b c d wait", large);
    expect(f, step, "b, c, d");
    begin_again(f, 9, 1);
    enter(f, "ABCD");
    expect(f, "1 place for reports; A B C D enter", "A");
    resize(f, 9, large);
    (void)snprintf(step, sizeof step, "%u places for reports, B C D wait",
                   large);
    expect(f, step, "B, C, D");
}

#endif
