/* check - the tests of 08-errors-and-deadlines, a circuit breaker
 *
 * The clock is a number that the tests move on, so nothing here takes time. In
 * all tests but the last one there is no database either: they tell the breaker
 * how a request is said to have ended. The breaker is used on one thread.
 */
#include "ex_breaker.h"

#include "03-event-loop/conn.h"
#include "common/slow_disk.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE = 200,
    WHAT_SIZE = 120,
    COOL_MS = 1000,
    RUNS = 60, /* of random requests */
    STEPS = 300,
    UNDER_WAY = 12, /* at most, of them */
    GATE_MS = 4000
};

/* What an end of a request says about the database. */
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
} ends[] = {CODE(SQLITE_IOERR_READ, FAILURE), CODE(SQLITE_FULL, FAILURE),
            CODE(SQLITE_OK, ANSWER), CODE(SQLITE_CONSTRAINT_UNIQUE, ANSWER),
            CODE(UV_ECANCELED, NONE), CODE(SQLITE_INTERRUPT, NONE),
            /* beyond the usual ones */
            CODE(SQLITE_IOERR, FAILURE), CODE(SQLITE_IOERR_FSYNC, FAILURE),
            CODE(SQLITE_CORRUPT, FAILURE), CODE(SQLITE_CORRUPT_INDEX, FAILURE),
            CODE(SQLITE_NOTADB, FAILURE), CODE(SQLITE_CANTOPEN, FAILURE),
            CODE(SQLITE_CANTOPEN_ISDIR, FAILURE),
            CODE(SQLITE_CONSTRAINT, ANSWER), CODE(SQLITE_ERROR, ANSWER),
            CODE(SQLITE_TOOBIG, ANSWER), CODE(SQLITE_READONLY, ANSWER),
            CODE(UV_ETIMEDOUT, NONE), CODE(UV_ESHUTDOWN, NONE),
            CODE(UV_ENOBUFS, NONE), CODE(UV_EINVAL, NONE),
            CODE(UV_EAGAIN, NONE), /* -11 on Linux, and 11 is SQLITE_CORRUPT */
            CODE(UV_EOF, NONE),    /* -4095, whose last byte is SQLITE_ERROR */
            CODE(SQLITE_BUSY, NONE), CODE(SQLITE_BUSY_SNAPSHOT, NONE),
            CODE(SQLITE_LOCKED, NONE), CODE(SQLITE_NOMEM, NONE),
            CODE(SQLITE_MISUSE, NONE)};

enum {
    USUAL_ENDS = 6,
    ENDS = sizeof ends / sizeof ends[0]
};

struct fixture {
    struct ex_breaker breaker;
    uint64_t now_ms;
    char what[WHAT_SIZE]; /* happens now, for messages */
    /* of the test with a disk */
    uv_loop_t loop;
    struct asq_conn conn;
    struct asq_request request, other;
    struct ex_ticket ticket; /* of the request */
    char sql[WHAT_SIZE];
    int row; /* that was asked for */
    int done, status, opened, closed;
};

/* Says what happens now, for the messages. */
#define SAY(f, ...) (void)snprintf((f)->what, WHAT_SIZE, __VA_ARGS__)

static const char *name_of(enum ex_breaker_state state)
{
    static const char *const names[] = {"CLOSED", "OPEN", "HALF_OPEN"};

    return state <= EX_HALF_OPEN ? names[state] : "no state at all";
}

static void init(struct fixture *f, unsigned failures_max, uint64_t cool_ms)
{
    ex_breaker_init(&f->breaker, failures_max, cool_ms);
    f->now_ms = test_seed() % 50;
}

static void expect_state(struct fixture *f, enum ex_breaker_state state)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s", f->what, name_of(state));
    if (f->breaker.state != state)
        test_wrong(text, "%s", name_of(f->breaker.state));
}

static void expect_failures(struct fixture *f, unsigned failures)
{
    char text[TEXT_SIZE];

    expect_state(f, EX_CLOSED);
    (void)snprintf(text, sizeof text, "%s: failures is %u", f->what, failures);
    if (f->breaker.failures != failures)
        test_wrong(text, "%u", f->breaker.failures);
}

static void tell(struct fixture *f, const struct ex_ticket *ticket, int status)
{
    ex_breaker_tell(&f->breaker, f->now_ms, ticket, status);
}

static struct ex_ticket go(struct fixture *f)
{
    struct ex_ticket ticket;
    char text[TEXT_SIZE];
    int err;

    memset(&ticket, 'x', sizeof ticket);
    (void)snprintf(text, sizeof text, "%s: ex_breaker_ask returns 0", f->what);
    err = ex_breaker_ask(&f->breaker, f->now_ms, &ticket);
    if (err != 0)
        test_wrong(text, "%d%s%s", err, err < 0 ? ", UV_" : "",
                   err < 0 ? uv_err_name(err) : "");
    return ticket;
}

static void refuse(struct fixture *f, uint64_t wait_ms)
{
    struct ex_breaker before = f->breaker;
    struct ex_ticket ticket, untouched;
    char text[TEXT_SIZE];
    int err;

    memset(&ticket, 'x', sizeof ticket);
    memset(&untouched, 'x', sizeof untouched);
    (void)snprintf(text, sizeof text, "%s: UV_EAGAIN, wait_ms %" PRIu64,
                   f->what, wait_ms);
    err = ex_breaker_ask(&f->breaker, f->now_ms, &ticket);
    if (err == 0)
        test_wrong(text, "0: it may go");
    if (err != UV_EAGAIN || f->breaker.wait_ms != wait_ms)
        test_wrong(text, "%d (UV_EAGAIN is %d), wait_ms %" PRIu64, err,
                   UV_EAGAIN, f->breaker.wait_ms);
    if (memcmp(&ticket, &untouched, sizeof ticket) != 0)
        test_wrong("a refusal leaves the ticket as it was", "it was changed");
    expect_state(f, before.state);
}

/* A request that goes and ends in the same millisecond. */
static void run(struct fixture *f, int status)
{
    struct ex_ticket ticket = go(f);

    tell(f, &ticket, status);
}

/* Fails as often as it takes from CLOSED. */
static void open_it(struct fixture *f)
{
    SAY(f, "%u failures in a row", f->breaker.failures_max);
    for (unsigned i = 0; i < f->breaker.failures_max; i++)
        run(f, SQLITE_IOERR);
    expect_state(f, EX_OPEN);
}

/* The tests */

static void opens(void *fixture)
{
    struct fixture *f = fixture;

    for (unsigned max = 1; max < 5 + test_seed() % 5; max++) {
        struct ex_ticket tickets[16];

        init(f, max, COOL_MS);
        for (unsigned i = 0; i < max * 5; i++) {
            unsigned failures = i % max;

            SAY(f, "%u failures since the last answer", failures);
            run(f, failures == 0 ? 0 : SQLITE_IOERR);
            expect_failures(f, failures);
            f->now_ms += i;
        }
        run(f, 0);
        for (unsigned i = 0; i < max; i++)
            tickets[i] = go(f);
        for (unsigned i = 0; i < max; i++) {
            expect_failures(f, i);
            SAY(f, "of those under way, %u have failed", i + 1);
            tell(f, &tickets[i], SQLITE_IOERR);
        }
        expect_state(f, EX_OPEN);
        refuse(f, COOL_MS);
    }
}

static void codes(void *fixture)
{
    struct fixture *f = fixture;
    unsigned max = 2 + (unsigned)(test_seed() % 3);

    for (size_t i = 0; i < ENDS; i++) {
        const struct end *end = &ends[i];

        init(f, max, COOL_MS);
        SAY(f, "before any failure");
        for (unsigned k = 1; k < max; k++)
            run(f, SQLITE_IOERR);
        SAY(f, "one failure before the last, %s", end->name);
        test_cause(end->code < 0 ? "a code below 0 was looked at like one of "
                                   "SQLite: it is no failure and no answer"
                                 : NULL);
        run(f, end->code);
        if (end->kind == FAILURE)
            expect_state(f, EX_OPEN);
        else
            expect_failures(f, end->kind == ANSWER ? 0 : max - 1);
        test_cause(NULL);
    }
}

static const struct cooling {
    uint64_t opened, cool;
} coolings[] = {{0, COOL_MS},
                {7, 0},
                {2, 1},
                {123456, UINT64_C(5000000000)},
                {UINT32_MAX - 5, COOL_MS},
                {UINT64_C(1) << 40, UINT32_MAX},
                {UINT64_MAX - COOL_MS, COOL_MS},
                {UINT64_MAX - 10, COOL_MS},
                {0, UINT64_MAX},
                {9, UINT64_MAX}};

/* It is open for so many milliseconds now. */
static void let_pass(struct fixture *f, const struct cooling *c, uint64_t ms)
{
    f->now_ms = c->opened + ms;
    SAY(f, "open at %" PRIu64 " for %" PRIu64 " ms, now %" PRIu64, c->opened,
        c->cool, f->now_ms);
    if (ms == c->cool) {
        (void)go(f);
        expect_state(f, EX_HALF_OPEN);
        return;
    }
    refuse(f, c->cool - ms);
    refuse(f, c->cool - ms); /* the clock may stand still */
}

static void cools_down(void *fixture)
{
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof coolings / sizeof coolings[0]; i++) {
        const struct cooling *c = &coolings[i];
        uint64_t end = UINT64_MAX - c->opened; /* of the clock */
        struct ex_ticket ticket;

        test_cause(c->cool > end ? "opened_ms + cool_ms does not fit the clock"
                                 : NULL);
        init(f, 1, c->cool);
        f->now_ms = c->opened / 2;
        SAY(f, "the request that will fail");
        ticket = go(f);
        f->now_ms = c->opened;
        tell(f, &ticket, SQLITE_IOERR);
        expect_state(f, EX_OPEN);
        if (c->cool / 2 < c->cool && c->cool / 2 < end)
            let_pass(f, c, c->cool / 2);
        if (c->cool > 1)
            let_pass(f, c, c->cool - 1 < end ? c->cool - 1 : end);
        if (c->cool <= end)
            let_pass(f, c, c->cool);
    }
}

/* While a probe is on its way all others are refused, however long it takes. */
static struct ex_ticket probe(struct fixture *f)
{
    struct ex_ticket ticket;

    SAY(f, "cooled, the next request");
    ticket = go(f);
    expect_state(f, EX_HALF_OPEN);
    SAY(f, "while the probe is on its way, another one");
    for (unsigned i = 0; i < 3; i++) {
        refuse(f, COOL_MS);
        refuse(f, COOL_MS);
        f->now_ms += COOL_MS;
    }
    return ticket;
}

/* Probes end in this way, again and again. */
static void end_probes(struct fixture *f, const struct end *end)
{
    for (unsigned i = 0; i < 3; i++) {
        struct ex_ticket ticket = probe(f);

        tell(f, &ticket, end->code);
        SAY(f, "the probe ended with %s", end->name);
        if (end->kind == ANSWER) {
            expect_failures(f, 0);
            open_it(f); /* takes as many failures as ever */
        } else
            expect_state(f, EX_OPEN);
        if (end->kind != NONE) {
            SAY(f, "opened again just now, the next request");
            refuse(f, COOL_MS);
            f->now_ms += COOL_MS - 1;
            SAY(f, "opened again %d ms ago, the next request", COOL_MS - 1);
            refuse(f, 1);
            f->now_ms++;
        }
    }
}

static void one_probe(void *fixture)
{
    static const char *const causes[] = {
        "the place of a probe that says nothing was not given back",
        "an answer to the probe does not close the breaker, or not all of it",
        "a probe that fails opens the breaker anew, from this moment on"};
    struct fixture *f = fixture;

    for (size_t i = 0; i < USUAL_ENDS; i++) {
        init(f, 3, COOL_MS);
        open_it(f);
        f->now_ms += COOL_MS + i;
        test_cause(causes[ends[i].kind]);
        end_probes(f, &ends[i]);
        test_cause(NULL);
    }
}

/* Old requests end now; that changes nothing. */
static void tell_old(struct fixture *f, struct ex_ticket **old)
{
    struct ex_breaker before = f->breaker;
    static const int statuses[] = {SQLITE_IOERR, UV_ECANCELED, 0,
                                   SQLITE_FULL,  SQLITE_BUSY,  SQLITE_CORRUPT,
                                   SQLITE_IOERR};
    size_t first = (size_t)test_seed();

    for (size_t i = 0; i < 7; i++) {
        tell(f, (*old)++, statuses[(first + i) % 7]);
        expect_state(f, before.state);
        if (before.state == EX_CLOSED)
            expect_failures(f, before.failures);
    }
}

static void late(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_ticket tickets[35], *old = tickets, ticket;

    init(f, 2, COOL_MS);
    SAY(f, "the first requests");
    for (size_t i = 0; i < 35; i++)
        tickets[i] = go(f);
    open_it(f);
    f->now_ms += 10;
    SAY(f, "while it is OPEN, a request from before ends");
    tell_old(f, &old);
    refuse(f, COOL_MS - 10);
    f->now_ms += COOL_MS;
    tell_old(f, &old);
    ticket = probe(f);
    SAY(f, "beside the probe, a request from before ends");
    tell_old(f, &old);
    refuse(f, COOL_MS);
    tell(f, &ticket, 0);
    SAY(f, "closed by the probe");
    run(f, SQLITE_IOERR);
    SAY(f, "closed by the probe, a request from before ends");
    tell_old(f, &old);
    run(f, SQLITE_IOERR);
    SAY(f, "open for the second time, a request from before ends");
    expect_state(f, EX_OPEN);
    f->now_ms += COOL_MS - 1;
    tell_old(f, &old);
    refuse(f, 1);
}

/* A breaker that is written down in another way: what is left of the cool-down
 * is counted down, and opening voids whatever is under way. */
struct model {
    enum ex_breaker_state state;
    unsigned failures, failures_max;
    uint64_t left_ms, cool_ms;
    struct under_way {
        bool asked, probe, is_void;
        struct ex_ticket ticket;
    } requests[UNDER_WAY];
};

static void end_in_model(struct model *m, struct under_way *r, enum kind kind)
{
    r->asked = false;
    if (r->is_void)
        return;
    if (kind == ANSWER) {
        m->state = EX_CLOSED;
        m->failures = 0;
    } else if (kind == NONE && r->probe) {
        m->state = EX_OPEN;
    } else if (kind == FAILURE) {
        m->failures++;
        if (!r->probe && m->failures < m->failures_max)
            return;
        m->state = EX_OPEN;
        m->left_ms = m->cool_ms;
        for (size_t i = 0; i < UNDER_WAY; i++)
            m->requests[i].is_void = true;
    }
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (*random >> 33) % below;
}

static void step(struct fixture *f, struct model *m, uint64_t *random)
{
    struct under_way *r = &m->requests[draw(random, UNDER_WAY)];
    uint64_t ms = draw(random, 3) * draw(random, 1 + m->cool_ms / 2);
    const struct end *end = &ends[draw(random, ENDS)];

    f->now_ms += ms;
    m->left_ms -= ms < m->left_ms ? ms : m->left_ms;
    if (r->asked) {
        tell(f, &r->ticket, end->code);
        SAY(f, "while %s, at %" PRIu64 " ms %s is told for %s",
            name_of(m->state), f->now_ms, end->name,
            r->is_void ? "a request from before it opened"
            : r->probe ? "the probe"
                       : "a request");
        end_in_model(m, r, end->kind);
    } else {
        SAY(f, "while %s, at %" PRIu64 " ms a request", name_of(m->state),
            f->now_ms);
        if (m->state == EX_HALF_OPEN ||
            (m->state == EX_OPEN && m->left_ms > 0)) {
            refuse(f, m->state == EX_OPEN ? m->left_ms : m->cool_ms);
            return;
        }
        r->ticket = go(f);
        r->asked = true;
        r->is_void = false;
        r->probe = m->state == EX_OPEN;
        if (r->probe)
            m->state = EX_HALF_OPEN;
    }
    expect_state(f, m->state);
    if (m->state == EX_CLOSED)
        expect_failures(f, m->failures);
}

static void as_the_model(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t random = test_seed();

    for (unsigned i = 0; i < RUNS; i++) {
        struct model m = {.failures_max = 1 + (unsigned)draw(&random, 4),
                          .cool_ms = draw(&random, 200)};

        init(f, m.failures_max, m.cool_ms);
        for (unsigned k = 0; k < STEPS; k++)
            step(f, &m, &random);
    }
}

/* With a disk */

/* Each row has a page of its own, so that each read is one of the disk. */
static const char make[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, photo BLOB);"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 40) INSERT INTO users SELECT i, zeroblob(3000) FROM n";

static const char refused[] = "INSERT INTO users (id) VALUES (1)";

static void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;

    CHECK_INT(status, 0);
    f->opened = 1;
}

static void on_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    f->closed = 1;
}

static void on_done(struct asq_request *request, int status)
{
    struct fixture *f = request->data;

    f->now_ms += 3;
    tell(f, &f->ticket, status);
    f->status = status;
    f->done = 1;
}

/* It is not asked through the breaker. */
static void on_other_done(struct asq_request *request, int status)
{
    (void)request, (void)status;
}

static void submit(struct fixture *f, const char *sql)
{
    f->ticket = go(f);
    f->done = 0;
    CHECK_INT(asq_conn_run(&f->conn, &f->request, sql, NULL, on_done), 0);
}

/* Asks through the breaker; the code is the one that SQLite gives. */
static void ask_disk(struct fixture *f, const char *sql, int code)
{
    submit(f, sql);
    test_run_until(&f->loop, &f->done);
    CHECK_INT(f->status, code);
}

/* Makes the statement that reads a row which is not in the cache. */
static const char *next_row(struct fixture *f)
{
    (void)snprintf(f->sql, sizeof f->sql, "SELECT id FROM users WHERE id = %d",
                   ++f->row);
    return f->sql;
}

/* A probe that is cancelled behind a request that stands in a read. */
static void cancel_probe(struct fixture *f)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    CHECK_INT(
        asq_conn_run(&f->conn, &f->other, next_row(f), NULL, on_other_done), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(GATE_MS), 0);
    submit(f, refused);
    asq_request_cancel(&f->request);
    asq_slow_disk_open_gate();
    test_run_until(&f->loop, &f->done);
    CHECK_INT(f->status, UV_ECANCELED);
}

static void open_disk(struct fixture *f)
{
    struct asq_profile profile = asq_profile_default(test_path("users.db"));

    raw_run(profile.path, make);
    CHECK_INT(asq_slow_disk_register(), 0);
    profile.vfs = ASQ_SLOW_DISK;
    CHECK_INT(uv_loop_init(&f->loop), 0);
    asq_conn_init(&f->conn);
    f->conn.data = f;
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &profile, on_open), 0);
    test_run_until(&f->loop, &f->opened);
    asq_request_init(&f->request);
    asq_request_init(&f->other);
    f->request.data = f;
}

static void close_disk(struct fixture *f)
{
    asq_slow_disk_reset();
    asq_conn_close(&f->conn, on_closed);
    test_run_until(&f->loop, &f->closed);
    test_close_loop(&f->loop);
    asq_request_destroy(&f->request);
    asq_request_destroy(&f->other);
}

static void real_disk(void *fixture)
{
    struct fixture *f = fixture;

    init(f, 3, COOL_MS);
    open_disk(f);
    SAY(f, "the disk works");
    ask_disk(f, next_row(f), 0);
    SAY(f, "constraints and wrong SQL");
    for (int i = 0; i < 4; i++) {
        ask_disk(f, refused, SQLITE_CONSTRAINT_PRIMARYKEY);
        ask_disk(f, "SELECT id FROM nowhere", SQLITE_ERROR);
    }
    expect_failures(f, 0);
    asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 1);
    SAY(f, "three times SQLITE_IOERR_READ");
    for (int i = 0; i < 3; i++)
        ask_disk(f, next_row(f), SQLITE_IOERR_READ);
    expect_state(f, EX_OPEN);
    refuse(f, COOL_MS);
    f->now_ms += COOL_MS;
    SAY(f, "the probe, on a disk that is still broken");
    ask_disk(f, next_row(f), SQLITE_IOERR_READ);
    refuse(f, COOL_MS);
    f->now_ms += COOL_MS;
    SAY(f, "the second probe, cancelled while it waits");
    cancel_probe(f);
    expect_state(f, EX_OPEN);
    asq_slow_disk_fail(ASQ_DISK_READ, 0, 0, 0);
    SAY(f, "the third probe, which a constraint refuses");
    ask_disk(f, refused, SQLITE_CONSTRAINT_PRIMARYKEY);
    expect_failures(f, 0);
    ask_disk(f, next_row(f), 0);
    close_disk(f);
}

#define CASE(title_, run_, points_, needs_, function_, cause_)                 \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .function = function_, .cause = cause_                \
    }

static const struct test_case cases[] = {
    CASE("opens after failures in a row",
         opens,
         1,
         0,
         "ex_breaker_tell",
         "failures are counted when they are told, and an answer in between "
         "ends the row"),
    CASE("whose error it is",
         codes,
         2,
         1,
         "ex_breaker_tell",
         "codes above 0 are extended: their last byte says what they are; an "
         "answer ends the row, what says nothing does not"),
    CASE("cools down to the millisecond",
         cools_down,
         1,
         1,
         "ex_breaker_ask",
         "the cool-down begins when the failure is told, and is over cool_ms "
         "later"),
    CASE("one probe, and what comes of it",
         one_probe,
         2,
         3,
         "ex_breaker_tell",
         "only one request is let through after the cool-down"),
    CASE("old news changes nothing",
         late,
         2,
         3,
         "ex_breaker_tell",
         "a request that went before the breaker opened has changed it"),
    CASE("random requests, many under way",
         as_the_model,
         1,
         4,
         "ex_breaker_tell",
         "a ticket counts as long as the breaker has not opened since"),
    CASE("a disk that breaks and is mended",
         real_disk,
         1,
         1,
         "ex_breaker_tell",
         "as in tests 2 and 4, with codes of SQLite and of conn"),
    {0},
};

const struct test_suite test_suite = {
    .name = "08-errors-and-deadlines",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
};
