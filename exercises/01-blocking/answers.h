/* answers - what the tests of 01-blocking expect of ex_order_total_get */
#ifndef EX_01_ANSWERS_H
#define EX_01_ANSWERS_H

#include "ex_order_total.h"

#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_SIZE = 320,
    CODE_SIZE = 64
};

/* Returns the code and its name. */
static inline const char *describe(int rc, char text[static CODE_SIZE])
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {{SQLITE_OK, "success"},
                 {SQLITE_ERROR, "SQLITE_ERROR"},
                 {SQLITE_NOMEM, "SQLITE_NOMEM"},
                 {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
                 {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
                 {SQLITE_NOTFOUND, "SQLITE_NOTFOUND"},
                 {SQLITE_MISUSE, "SQLITE_MISUSE"}};
    const char *name = sqlite3_errstr(rc);

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == rc)
            name = codes[i].name;
    (void)snprintf(text, CODE_SIZE, "%d (%s)", rc, name);
    return text;
}

static inline void expect_code(const char *what, int rc, int expected)
{
    char text[ANSWER_SIZE];
    char code[CODE_SIZE];

    if (rc == expected)
        return;
    (void)snprintf(text, sizeof text, "%s: ex_order_total_get returns %s", what,
                   describe(expected, code));
    test_wrong(text, "%s", describe(rc, code));
}

static inline void
expect_cents(const struct ex_order *got, int64_t cents, const char *what)
{
    char text[ANSWER_SIZE];

    if (got->cents == cents)
        return;
    (void)snprintf(text, sizeof text, "%s: the order costs %lld cents", what,
                   (long long)cents);
    test_wrong(text, "%lld cents", (long long)got->cents);
}

static inline void
expect_name(const struct ex_order *got, const char *name, const char *when)
{
    char text[ANSWER_SIZE];

    (void)snprintf(text, sizeof text, "the customer is \"%.40s\" (%zu bytes)",
                   name, strlen(name));
    if (got->customer == NULL)
        test_wrong(text, "no text (NULL) %s", when);
    if (strcmp(got->customer, name) != 0)
        test_wrong(text, "another text %s", when);
}

/* Checks what a call that failed has left in *ret. */
static inline void expect_untouched(const struct ex_order *got,
                                    const char *customer)
{
    if (got->cents == -1 && got->customer == customer)
        return;
    test_cause("*ret is written before it is known that all went well");
    test_wrong("*ret stays as it was, because the call failed",
               "%s was changed",
               got->cents != -1 ? "ret->cents" : "ret->customer");
}

#endif
