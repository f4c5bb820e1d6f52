/* told - a breaker, what it is told, and what it must answer
 *
 * The clock is a number that the tests move. One thread.
 */
#ifndef TOLD_H
#define TOLD_H

#include "ex_breaker.h"

#include "grader/test.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE = 240,
    WHAT_SIZE = 120,
    COOL_MS = 1000,
    RUNS = 60, /* of random requests */
    STEPS = 300,
    UNDER_WAY = 12 /* at most so many in flight */
};

/* What the end of a request tells about the database. */
enum kind {
    NONE,
    ANSWER,
    FAILURE
};

#define CODE(code_, kind_)                                                     \
    {                                                                          \
        .code = (code_), .name = #code_, .kind = (kind_)                       \
    }

static const struct end {
    int code;
    const char *name;
    enum kind kind;
} known_ends[] = {
    CODE(SQLITE_IOERR, FAILURE), CODE(SQLITE_FULL, FAILURE),
    CODE(SQLITE_OK, ANSWER), CODE(SQLITE_ERROR, ANSWER),
    CODE(UV_ECANCELED, NONE), CODE(SQLITE_INTERRUPT, NONE),
    /* the less usual ones */
    CODE(SQLITE_IOERR_READ, FAILURE), CODE(SQLITE_IOERR_FSYNC, FAILURE),
    CODE(SQLITE_CORRUPT, FAILURE), CODE(SQLITE_CORRUPT_INDEX, FAILURE),
    CODE(SQLITE_NOTADB, FAILURE), CODE(SQLITE_CANTOPEN, FAILURE),
    CODE(SQLITE_CANTOPEN_ISDIR, FAILURE), CODE(SQLITE_CONSTRAINT, ANSWER),
    CODE(SQLITE_CONSTRAINT_UNIQUE, ANSWER), CODE(SQLITE_TOOBIG, ANSWER),
    CODE(SQLITE_READONLY, ANSWER), CODE(UV_ETIMEDOUT, NONE),
    CODE(UV_ESHUTDOWN, NONE), CODE(UV_ENOBUFS, NONE), CODE(UV_EINVAL, NONE),
    CODE(UV_EAGAIN, NONE), /* -11 on Linux, and 11 is SQLITE_CORRUPT */
    CODE(UV_EOF, NONE),    /* -4095, whose last byte is SQLITE_ERROR */
    CODE(SQLITE_BUSY, NONE), CODE(SQLITE_BUSY_SNAPSHOT, NONE),
    CODE(SQLITE_LOCKED, NONE), CODE(SQLITE_NOMEM, NONE),
    CODE(SQLITE_MISUSE, NONE)};

enum {
    USUAL_ENDS = 6,
    ENDS = sizeof known_ends / sizeof known_ends[0]
};

struct fixture {
    struct ex_breaker breaker;
    uint64_t now_ms;
    char what[WHAT_SIZE]; /* what happens now, for messages */
    bool exact; /* wait_ms is judged, and whether a refusal changes anything */
};

/* Says what happens now, for the messages. */
#define SAY(f, ...) (void)snprintf((f)->what, WHAT_SIZE, __VA_ARGS__)

static inline const char *name_of(enum ex_breaker_state state)
{
    static const char *const names[] = {"CLOSED", "OPEN", "HALF_OPEN"};

    return state <= EX_HALF_OPEN ? names[state] : "an unknown state";
}

static inline void
init(struct fixture *f, unsigned failures_max, uint64_t cool_ms)
{
    ex_breaker_init(&f->breaker, failures_max, cool_ms);
    f->now_ms = test_seed() % 50;
}

static inline void expect_state(struct fixture *f, enum ex_breaker_state state)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: the breaker is %s", f->what,
                   name_of(state));
    if (f->breaker.state != state)
        test_wrong(text, "it is %s", name_of(f->breaker.state));
}

static inline void expect_failures(struct fixture *f, unsigned failures)
{
    char text[TEXT_SIZE];

    expect_state(f, EX_CLOSED);
    (void)snprintf(text, sizeof text, "%s: failures = %u", f->what, failures);
    if (f->breaker.failures != failures)
        test_wrong(text, "failures = %u", f->breaker.failures);
}

static inline void
tell(struct fixture *f, const struct ex_ticket *ticket, int status)
{
    ex_breaker_tell(&f->breaker, f->now_ms, ticket, status);
}

static inline struct ex_ticket go(struct fixture *f)
{
    struct ex_ticket ticket;
    char text[TEXT_SIZE];
    int err;

    memset(&ticket, 'x', sizeof ticket);
    (void)snprintf(text, sizeof text, "%s: ex_breaker_ask returns 0", f->what);
    err = ex_breaker_ask(&f->breaker, f->now_ms, &ticket);
    if (err != 0)
        test_wrong(text, "%s", test_code(err));
    return ticket;
}

/* The breaker refuses, and changes nothing but wait_ms. */
static inline void refuse(struct fixture *f, uint64_t wait_ms)
{
    struct ex_breaker before = f->breaker;
    struct ex_ticket ticket, untouched;
    char text[TEXT_SIZE];
    int err;

    memset(&ticket, 'x', sizeof ticket);
    memset(&untouched, 'x', sizeof untouched);
    err = ex_breaker_ask(&f->breaker, f->now_ms, &ticket);
    (void)snprintf(text, sizeof text, "%s: ex_breaker_ask returns %s", f->what,
                   test_code(UV_EAGAIN));
    if (err != UV_EAGAIN)
        test_wrong(text, "%s%s", test_code(err),
                   err == 0 ? ", so the request may go" : "");
    expect_state(f, before.state);
    if (!f->exact)
        return;
    (void)snprintf(text, sizeof text, "%s: wait_ms = %" PRIu64, f->what,
                   wait_ms);
    if (f->breaker.wait_ms != wait_ms)
        test_wrong(text, "wait_ms = %" PRIu64, f->breaker.wait_ms);
    before.wait_ms = wait_ms;
    if (memcmp(&before, &f->breaker, sizeof before) != 0)
        test_wrong("a refusal changes nothing but wait_ms",
                   "%s: something else has changed", f->what);
    if (memcmp(&ticket, &untouched, sizeof ticket) != 0)
        test_wrong("a refusal leaves the ticket as it was", "it was changed");
}

/* A request that goes and ends in the same millisecond. */
static inline void run(struct fixture *f, int status)
{
    struct ex_ticket ticket = go(f);

    tell(f, &ticket, status);
}

/* Fails until the breaker is open. Another test judges how many it takes. */
static inline void open_it(struct fixture *f)
{
    SAY(f, "%s in a row", test_count(f->breaker.failures_max, "failure", NULL));
    for (unsigned i = 0; i <= f->breaker.failures_max; i++)
        if (f->breaker.state == EX_CLOSED)
            run(f, SQLITE_IOERR);
    expect_state(f, EX_OPEN);
}

#endif
