/* failing - statements that fail, each in another way
 *
 * Codes are drawn by the test. Loop thread.
 */
#ifndef FAILING_H
#define FAILING_H

#include "loading.h"

static inline void ask_once_more(struct caller *caller)
{
    caller->then = NULL;
    CHECK_INT(load_with(caller, caller->id), 0);
}

/* The disk fails once: at the first or second read of the second statement. */
static inline void disk_fails(struct fixture *f, int code, uint64_t nth)
{
    char answers[TEXT_SIZE];
    struct caller *first;

    stand(f, "161");
    first = load_all(f, "11 12 901");
    turns(f);
    (void)load_all(f, "21 22");
    turns(f);
    (void)load_all(f, "23 24");
    first[0].then = ask_once_more;
    asq_slow_disk_fail(ASQ_DISK_READ, nth, code, 0);
    asq_slow_disk_open_gate();
    (void)snprintf(answers, sizeof answers,
                   "161, 11: %s, 11, 12: %s, 901: %s, 21, 22, 23, 24",
                   test_code(code), test_code(code), test_code(code));
    test_cause("a failure is for every ask of its batch, found or not, and for "
               "no other");
    expect(f,
           "statements for 161, 11 12 901, 21 22, 23 24; the disk fails in the "
           "second one, and 11 asks once more",
           answers);
    (void)load_all(f, "12 21");
    expect(f, "then 12 21 are asked for", "12, 21");
    test_cause(NULL);
}

static inline void conn_refuses(struct fixture *f)
{
    char answers[TEXT_SIZE];
    struct caller *first;

    stand(f, "151");
    f->conn.capacity = 1;
    (void)load_all(f, "31 32 901");
    turns(f);
    (void)snprintf(answers, sizeof answers, "31: %s, 32: %s, 901: %s",
                   test_code(UV_ENOBUFS), test_code(UV_ENOBUFS),
                   test_code(UV_ENOBUFS));
    expect_now(f, "31 32 901 are asked for, and the conn takes no statement",
               answers);
    first = load_all(f, "33 34");
    first[0].then = ask_once_more;
    f->conn.capacity = 2;
    asq_slow_disk_open_gate();
    expect(f, "33 34 are asked for, and the conn takes one again",
           "151, 33, 33, 34");
}

/* While the hold lasts, the statement is queued. */
static inline void conn_is_cancelled(struct fixture *f)
{
    char answers[TEXT_SIZE];

    CHECK_INT(asq_hold_begin(&f->conn, &f->hold), 0);
    (void)load_all(f, "35 36");
    turns(f);
    asq_conn_cancel(&f->conn);
    (void)load(f, 37);
    (void)snprintf(answers, sizeof answers,
                   "35 cancelled, 36 cancelled, 37: %s",
                   test_code(UV_ESHUTDOWN));
    expect(f, "35 36 are queued, the conn is cancelled, 37 is asked for",
           answers);
}

#endif
