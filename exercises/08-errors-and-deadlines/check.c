/* check - the tests of 08-errors-and-deadlines, a circuit breaker
 *
 * The clock is a number that the tests move, so nothing takes time. Only the
 * last test has a database: the others just tell the breaker that a request has
 * ended. The breaker is used on one thread.
 *
 * Only tests 4 and 7 judge the exact milliseconds, and what a refusal changes.
 */
#include "disk.h"
#include "model.h"
#include "told.h"

/* The tests */

static void opens(void *fixture)
{
    struct fixture *f = fixture;

    for (unsigned max = 1; max < 5 + test_seed() % 5; max++) {
        init(f, max, COOL_MS);
        for (unsigned i = 0; i < max; i++) {
            SAY(f, "after %u of %s", i, test_count(max, "failure", NULL));
            expect_failures(f, i);
            run(f, SQLITE_IOERR);
        }
        SAY(f, "%s in a row", test_count(max, "failure", NULL));
        expect_state(f, EX_OPEN);
        refuse(f, COOL_MS);
    }
}

/* Tells this code when one failure more would open the breaker. */
static void tell_code(struct fixture *f, const struct end *end)
{
    unsigned max = 2 + (unsigned)(test_seed() % 3);

    init(f, max, COOL_MS);
    SAY(f, "before the first failure");
    for (unsigned k = 1; k < max; k++)
        run(f, SQLITE_IOERR);
    SAY(f, "one failure before the last one, %s is told", end->name);
    test_cause(end->code < 0
                   ? "a code below 0 is of libuv, whose last byte means "
                     "nothing: it is neither a failure nor an answer"
                   : NULL);
    run(f, end->code);
    if (end->kind == FAILURE)
        expect_state(f, EX_OPEN);
    else
        expect_failures(f, end->kind == ANSWER ? 0 : max - 1);
    test_cause(NULL);
}

/* Failures are counted beyond 16 bits. */
static void many_failures(struct fixture *f)
{
    init(f, 70000, COOL_MS);
    SAY(f, "after 69999 of 70000 failures");
    for (unsigned i = 1; i < 70000; i++)
        run(f, SQLITE_IOERR);
    expect_failures(f, 69999);
}

static void codes(void *fixture)
{
    many_failures(fixture);
    for (size_t i = 0; i < ENDS; i++)
        tell_code(fixture, &known_ends[i]);
}

/* What the contract says about a code above 0. */
static enum kind kind_of(int code)
{
    static const int failures[] = {SQLITE_IOERR, SQLITE_FULL, SQLITE_CORRUPT,
                                   SQLITE_NOTADB, SQLITE_CANTOPEN};
    static const int nothing[] = {SQLITE_INTERRUPT, SQLITE_BUSY, SQLITE_LOCKED,
                                  SQLITE_NOMEM, SQLITE_MISUSE};

    for (size_t i = 0; i < 5; i++) {
        if ((code & 0xff) == failures[i])
            return FAILURE;
        if ((code & 0xff) == nothing[i])
            return NONE;
    }
    return ANSWER;
}

/* Every last byte, with and without an extension, and any code below 0. */
static void drawn_codes(void *fixture)
{
    struct test_random random;
    char name[WHAT_SIZE];
    struct end end = {.name = name};

    test_random_init(&random, 8);
    for (int i = 0; i < 2 * 256; i++) {
        end.code = i % 256;
        if (i >= 256)
            end.code |= (int)test_random_range(&random, 1,
                                               i % 2 == 0 ? 60 : INT32_MAX >> 8)
                        << 8;
        end.kind = kind_of(end.code);
        (void)snprintf(name, sizeof name, "%s", test_code(end.code));
        tell_code(fixture, &end);
    }
    end.kind = NONE;
    for (int i = 0; i < 200; i++) {
        end.code = -(int)test_random_range(&random, 1, i < 100 ? 4095 : 255);
        (void)snprintf(name, sizeof name, "%s", test_code(end.code));
        tell_code(fixture, &end);
    }
    end.code = INT32_MIN;
    tell_code(fixture, &end);
}

static const struct cooling {
    uint64_t opened, cool;
} coolings[] = {{0, COOL_MS},
                {7, 0},
                {2, 1},
                {123456, UINT64_C(5000000000)},
                {UINT32_MAX - 5, COOL_MS},
                {UINT64_C(1) << 40, UINT32_MAX},
                {UINT64_MAX / 2 - 10, COOL_MS},
                {UINT64_MAX - COOL_MS, COOL_MS},
                {UINT64_MAX - 10, COOL_MS},
                {0, UINT64_MAX},
                {9, UINT64_MAX}};

/* The breaker has been open for this many milliseconds. */
static void let_pass(struct fixture *f, const struct cooling *c, uint64_t ms)
{
    f->now_ms = c->opened + ms;
    SAY(f, "opened at %" PRIu64 ", cool_ms %" PRIu64 ", now %" PRIu64,
        c->opened, c->cool, f->now_ms);
    if (ms == c->cool) {
        (void)go(f);
        expect_state(f, EX_HALF_OPEN);
        test_cause("while the probe is in flight, wait_ms is cool_ms");
        refuse(f, c->cool);
        return;
    }
    refuse(f, c->cool - ms);
    refuse(f, c->cool - ms); /* the clock may stand still */
}

static void cools_down(void *fixture)
{
    struct fixture *f = fixture;

    f->exact = true;
    for (size_t i = 0; i < sizeof coolings / sizeof coolings[0]; i++) {
        const struct cooling *c = &coolings[i];
        uint64_t end = UINT64_MAX - c->opened; /* when the clock ends */
        struct ex_ticket ticket;

        test_cause(c->cool > end ? "opened_ms + cool_ms overflows a uint64_t"
                                 : NULL);
        init(f, 1, c->cool);
        f->now_ms = c->opened / 2;
        SAY(f, "the request that will fail");
        ticket = go(f);
        f->now_ms = c->opened;
        tell(f, &ticket, SQLITE_IOERR);
        open_it(f);
        if (c->cool / 2 < c->cool && c->cool / 2 < end)
            let_pass(f, c, c->cool / 2);
        if (c->cool > 1)
            let_pass(f, c, c->cool - 1 < end ? c->cool - 1 : end);
        if (c->cool <= end)
            let_pass(f, c, c->cool);
    }
}

/* While the probe is in flight every other request is refused, however long it
 * takes. */
static struct ex_ticket probe(struct fixture *f)
{
    struct ex_ticket ticket;

    SAY(f, "cooled down, the next request asks");
    ticket = go(f);
    expect_state(f, EX_HALF_OPEN);
    SAY(f, "while the probe is in flight, another request asks");
    for (unsigned i = 0; i < 3; i++) {
        refuse(f, COOL_MS);
        refuse(f, COOL_MS);
        f->now_ms += COOL_MS + 5;
    }
    return ticket;
}

/* Probes end with this code, again and again. */
static void end_probes(struct fixture *f, const struct end *end)
{
    for (unsigned i = 0; i < 3; i++) {
        struct ex_ticket ticket = probe(f);

        tell(f, &ticket, end->code);
        SAY(f, "the probe ended with %s", end->name);
        if (end->kind == ANSWER) {
            expect_failures(f, 0);
            open_it(f); /* takes as many failures as before */
        } else
            expect_state(f, EX_OPEN);
        if (end->kind != NONE) {
            SAY(f, "opened again just now, the next request asks");
            refuse(f, COOL_MS);
            f->now_ms += COOL_MS / 2;
            SAY(f, "opened again %d ms ago, the next request asks",
                COOL_MS / 2);
            refuse(f, COOL_MS / 2);
            f->now_ms += COOL_MS;
        }
    }
}

static void one_probe(void *fixture)
{
    static const char *const causes[] = {
        "a probe that says nothing does not give up its place",
        "an answer to the probe does not close the breaker and clear failures",
        "a probe that fails opens the breaker again, from that moment on"};
    struct fixture *f = fixture;

    for (size_t i = 0; i < USUAL_ENDS; i++) {
        init(f, 3, COOL_MS);
        open_it(f);
        f->now_ms += COOL_MS + 5 + i;
        test_cause(causes[known_ends[i].kind]);
        end_probes(f, &known_ends[i]);
        test_cause(NULL);
    }
}

/* Requests from before the breaker opened end now: nothing changes. */
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
        if (memcmp(&before, &f->breaker, sizeof before) != 0)
            test_wrong("old news changes nothing", "%s: something has changed",
                       f->what);
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
    SAY(f, "while the probe is in flight, a request from before ends");
    tell_old(f, &old);
    refuse(f, COOL_MS);
    tell(f, &ticket, 0);
    SAY(f, "closed by the probe, the next request asks");
    run(f, 0);
    run(f, SQLITE_IOERR);
    SAY(f, "closed by the probe, a request from before ends");
    tell_old(f, &old);
    open_it(f);
    SAY(f, "open for the second time, a request from before ends");
    expect_state(f, EX_OPEN);
    f->now_ms += COOL_MS / 2;
    tell_old(f, &old);
    refuse(f, COOL_MS / 2);
}

/* Two breakers that are asked in turn share nothing. */
static void as_the_model(void *fixture)
{
    static struct fixture second;
    struct fixture *both[] = {fixture, &second};
    struct test_random random;

    test_random_init(&random, 88);
    for (unsigned i = 0; i < RUNS; i++) {
        struct model models[2];

        for (int k = 0; k < 2; k++) {
            int64_t max = test_random_range(&random, 1, 4);

            models[k] = (struct model){
                .failures_max = i % 10 == 9 ? UINT32_MAX : (unsigned)max,
                .cool_ms = (uint64_t)test_random_range(&random, 0, 200)};
            both[k]->exact = true;
            init(both[k], models[k].failures_max, models[k].cool_ms);
        }
        for (unsigned k = 0; k < STEPS; k++) {
            int one = (int)test_random_range(&random, 0, 1);

            step(both[one], &models[one], &random);
        }
    }
}

static void real_disk(void *fixture)
{
    struct fixture *f = fixture;
    struct disk d = {.f = f};

    init(f, 3, COOL_MS);
    open_disk(&d);
    SAY(f, "the disk works");
    ask_disk(&d, next_row(&d), 0);
    SAY(f, "constraints and wrong SQL");
    for (int i = 0; i < 4; i++) {
        ask_disk(&d, refused, SQLITE_CONSTRAINT_PRIMARYKEY);
        ask_disk(&d, "SELECT id FROM nowhere", SQLITE_ERROR);
    }
    expect_failures(f, 0);
    asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 1);
    SAY(f, "three times SQLITE_IOERR_READ");
    for (int i = 0; i < 3; i++)
        ask_disk(&d, next_row(&d), SQLITE_IOERR_READ);
    expect_state(f, EX_OPEN);
    refuse(f, COOL_MS);
    f->now_ms += COOL_MS + 5;
    SAY(f, "the probe, while the disk is still broken");
    ask_disk(&d, next_row(&d), SQLITE_IOERR_READ);
    refuse(f, COOL_MS);
    f->now_ms += COOL_MS + 5;
    SAY(f, "the second probe, which is cancelled while it waits");
    cancel_probe(&d);
    expect_state(f, EX_OPEN);
    asq_slow_disk_fail(ASQ_DISK_READ, 0, 0, 0);
    SAY(f, "the third probe, which a constraint refuses");
    ask_disk(&d, refused, SQLITE_CONSTRAINT_PRIMARYKEY);
    expect_failures(f, 0);
    ask_disk(&d, next_row(&d), 0);
    close_disk(&d);
}

#define CASE(title_, run_, points_, needs_, function_, cause_)                 \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .seconds = 5, .function = function_, .cause = cause_  \
    }

static const struct test_case cases[] = {
    CASE("it opens after failures in a row",
         opens,
         1,
         0,
         "ex_breaker_tell",
         "failures are counted in ex_breaker_tell"),
    CASE("which code is a failure, an answer, or neither",
         codes,
         1,
         1,
         "ex_breaker_tell",
         "an answer ends a row of failures; a code that says nothing does not"),
    CASE("any code of SQLite or libuv",
         drawn_codes,
         1,
         1,
         "ex_breaker_tell",
         "codes above 0 are extended: their last byte is the plain code"),
    CASE("it cools down to the millisecond",
         cools_down,
         1,
         0,
         "ex_breaker_ask",
         "the cool-down begins when the failure is told and ends cool_ms "
         "later; wait_ms is what is left of it"),
    CASE("one probe, and each of its three ends",
         one_probe,
         2,
         0,
         "ex_breaker_tell",
         "after the cool-down only one request may go"),
    CASE("old news changes nothing",
         late,
         2,
         0,
         "ex_breaker_tell",
         "a request that went before the breaker opened changes it"),
    CASE("random requests to two breakers",
         as_the_model,
         1,
         1,
         "ex_breaker_tell",
         "a ticket counts only if its breaker has not opened since"),
    CASE("a disk that breaks and works again",
         real_disk,
         1,
         1,
         "ex_breaker_tell",
         "as in tests 2 and 5, with the codes of a real connection"),
    {0},
};

const struct test_suite test_suite = {
    .name = "08-errors-and-deadlines",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
};
