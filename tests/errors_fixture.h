/* errors_fixture - a status of a real request, and what errors makes of it
 */
#ifndef TESTS_ERRORS_FIXTURE_H
#define TESTS_ERRORS_FIXTURE_H

#include "08-errors-and-deadlines/errors.h"
#include "conn_fixture.h"

struct expected {
    int status;
    enum asq_error_kind kind;
    enum asq_remedy remedy;
    const char *subject;
};

static inline void check_error(struct asq_error error,
                               const struct expected *expected)
{
    CHECK_INT(error.kind, expected->kind);
    CHECK_INT(error.remedy, expected->remedy);
    CHECK_TEXT(error.subject, expected->subject);
}

static inline void expect_error(struct ask *ask,
                                const struct expected *expected)
{
    expect(ask, expected->status);
    check_error(asq_error_of(&ask->request, ask->status), expected);
}

static inline void
sql_fails(struct fixture *f, const char *sql, const struct expected *expected)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_sql(&ask, sql);
    expect_error(&ask, expected);
    asq_request_destroy(&ask.request);
}

#endif
