/* gate - a bulkhead, the requests in front of it, and what they are told
 *
 * Requests are letters: a to z are short, A to Z are reports. What the
 * callbacks say is written down as a text: "a, C, b (UV_ETIMEDOUT)". The memory
 * of a request is freed as soon as the contract allows it, unless the test
 * keeps it. One thread.
 */
#ifndef GATE_H
#define GATE_H

#include "given.h"

#include "grader/random.h"
#include "grader/test.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LETTERS = 'z' - 'A' + 1,
    TEXT_SIZE = 1024
};

struct fixture;

enum where {
    OUT,
    ASKED, /* its callback must come */
    IN
};

/* What a caller does in the callback of its request. */
enum act {
    NOTHING,
    LEAVES,
    ENTERS_AGAIN, /* having left, if it is inside */
    OTHER_LEAVES,
    OTHER_GIVES_UP,
    ACTS
};

struct caller {
    struct ex_request *request; /* NULL while it has none */
    struct fixture *f;
    char name;
    enum where where;
    bool keep; /* the memory, even when it is out */
    enum act act;
    char other;
};

struct fixture {
    struct ex_bulkhead *bulkhead;
    struct caller callers[LETTERS];
    bool delivering;
    char text[TEXT_SIZE];
};

static inline struct caller *caller_of(struct fixture *f, char name)
{
    return &f->callers[name - 'A'];
}

static inline void note(char *text, const char *what)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, TEXT_SIZE - used, "%s%s", used > 0 ? ", " : "",
                   what);
}

/* "b", or "b (UV_ETIMEDOUT)": what a callback says. */
static inline void note_answer(char *text, char name, int status)
{
    char what[80];

    if (status == 0)
        (void)snprintf(what, sizeof what, "%c", name);
    else if (status == UV_ECANCELED || status == UV_ETIMEDOUT)
        (void)snprintf(what, sizeof what, "%c (UV_%s)", name,
                       uv_err_name(status));
    else
        (void)snprintf(what, sizeof what, "%c (code %d)", name, status);
    note(text, what);
}

static inline void drop(struct caller *caller)
{
    if (caller->keep || caller->where != OUT)
        return;
    free(caller->request);
    caller->request = NULL;
}

static inline void act(struct caller *caller);

static inline void on_entered(struct ex_request *request, int status)
{
    struct caller *caller = request->data;
    struct fixture *f = caller->f;

    note_answer(f->text, caller->name, status);
    if (!f->delivering)
        note(f->text, "inside the call");
    if (caller->where != ASKED)
        note(f->text, "a second time");
    caller->where = status == 0 ? IN : OUT;
    act(caller);
    drop(caller);
}

static inline enum ex_kind kind_of(char name)
{
    return islower((unsigned char)name) ? EX_SHORT : EX_REPORT;
}

/* Enters through this bulkhead, which may be that of another fixture. */
static inline void
enter_through(struct fixture *f, struct ex_bulkhead *bulkhead, char name)
{
    struct caller *caller = caller_of(f, name);
    bool delivering = f->delivering;

    CHECK(caller->where == OUT);
    if (caller->request == NULL)
        caller->request = calloc(1, sizeof *caller->request);
    CHECK(caller->request != NULL);
    caller->request->data = caller;
    caller->where = ASKED;
    f->delivering = false;
    CHECK_INT(
        ex_bulkhead_enter(bulkhead, caller->request, kind_of(name), on_entered),
        0);
    f->delivering = delivering;
}

static inline void enter(struct fixture *f, const char *names)
{
    for (; *names != '\0'; names++)
        enter_through(f, f->bulkhead, *names);
}

static inline void leave(struct fixture *f, const char *names)
{
    bool delivering = f->delivering;

    f->delivering = false;
    for (; *names != '\0'; names++) {
        struct caller *caller = caller_of(f, *names);

        ex_bulkhead_leave(caller->request);
        if (caller->where == IN)
            caller->where = OUT;
        drop(caller);
    }
    f->delivering = delivering;
}

static inline void give_up(struct fixture *f, char name, int code)
{
    bool delivering = f->delivering;

    f->delivering = false;
    ex_bulkhead_give_up(caller_of(f, name)->request, code);
    f->delivering = delivering;
}

static inline void
resize(struct fixture *f, unsigned places, unsigned report_places)
{
    ex_bulkhead_resize(f->bulkhead, places, report_places);
}

static inline void act(struct caller *caller)
{
    const char name[] = {caller->name, '\0'}, other[] = {caller->other, '\0'};
    enum act act = caller->act;

    caller->act = NOTHING;
    if (act == LEAVES || (act == ENTERS_AGAIN && caller->where == IN))
        leave(caller->f, name);
    if (act == ENTERS_AGAIN)
        enter(caller->f, name);
    if (act == OTHER_LEAVES)
        leave(caller->f, other);
    if (act == OTHER_GIVES_UP)
        give_up(caller->f, other[0], UV_ECANCELED);
}

/* In its callback a caller will do this, once. */
static inline void
let_act(struct fixture *f, char name, enum act act, char other)
{
    caller_of(f, name)->act = act;
    caller_of(f, name)->other = other;
}

/* Keeps the memory of these, so that they may be used when they are out. */
static inline void keep(struct fixture *f, const char *names)
{
    for (; *names != '\0'; names++) {
        struct caller *caller = caller_of(f, *names);

        if (caller->request == NULL)
            caller->request = calloc(1, sizeof *caller->request);
        CHECK(caller->request != NULL);
        caller->keep = true;
    }
}

static inline void deliver(struct fixture *f)
{
    f->delivering = true;
    ex_bulkhead_deliver(f->bulkhead);
    f->delivering = false;
}

static inline const char *or_nobody(const char *text)
{
    return text[0] != '\0' ? text : "no callback";
}

static inline void
expect_now(struct fixture *f, const char *step, const char *called)
{
    char text[2 * TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s", step, or_nobody(called));
    if (strcmp(f->text, called) != 0)
        test_wrong(text, "%s", or_nobody(f->text));
    f->text[0] = '\0';
}

/* After this step the next turn of the loop runs these callbacks. */
static inline void
expect(struct fixture *f, const char *step, const char *called)
{
    deliver(f);
    expect_now(f, step, called);
}

static inline void
begin(struct fixture *f, unsigned places, unsigned report_places)
{
    *f = (struct fixture){.bulkhead = malloc(sizeof *f->bulkhead)};
    CHECK(f->bulkhead != NULL);
    ex_bulkhead_init(f->bulkhead, places, report_places);
    for (int i = 0; i < LETTERS; i++) {
        f->callers[i].f = f;
        f->callers[i].name = (char)('A' + i);
    }
}

static inline void end(struct fixture *f)
{
    for (int i = 0; i < LETTERS; i++)
        free(f->callers[i].request);
    free(f->bulkhead);
}

static inline void
begin_again(struct fixture *f, unsigned places, unsigned report_places)
{
    end(f);
    begin(f, places, report_places);
}

#endif
