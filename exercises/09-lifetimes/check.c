/* check - tests of the exercise "tenant cache"
 *
 * The tests are about the functions that the student writes; the rest of the
 * cache is in given.h. Only some tests run under a sanitizer.
 */
#include "closing.h"
#include "model.h"
#include "steps.h"

#include "grader/random.h"

/* Tests */

static void one_asks(void *fixture)
{
    struct fixture *f = fixture;
    char path[EX_PATH_SIZE], name[EX_TENANT_SIZE];

    ask(f, 0, 'a');
    expect(f, "one asks for a", "a");
    write_to_file(f, &f->borrowers[0]);
    (void)snprintf(path, sizeof path, "%s.db", name_of('a', name));
    CHECK_INT(raw_number(test_path(path), "PRAGMA user_version"), 7);
}

static void two_ask_for_one(void *fixture)
{
    struct fixture *f = fixture;

    ask(f, 0, 'a');
    ask(f, 1, 'a');
    expect(f, "two ask for a", "a, a");
    ask(f, 2, 'a');
    expect(f, "a third asks for a", "a");
    test_cause("an ask that comes while the conn is opening opens it again");
    if (f->most != 1)
        test_wrong("a is opened once", "there were %zu conns", f->most);
    test_cause(NULL);
    if (f->borrowers[0].ask.conn != f->borrowers[2].ask.conn)
        test_wrong("a third ask for a is lent the same conn", "it is not");
    ask(f, 3, 'b');
    expect(f, "one asks for b", "b");
}

/* Four tenants are lent in this order and returned in another; then four others
 * are asked for, one after another. */
static void evict_four(struct fixture *f,
                       const char *tenants,
                       const char *others,
                       struct test_random *random)
{
    int order[EX_SLOTS];
    char open[EX_SLOTS + 1], what[TEXT_SIZE / 2], answered[2] = "";

    borrow_all(f, tenants);
    do
        test_random_order(random, order, EX_SLOTS);
    while (order[0] == 0 || order[EX_SLOTS - 1] == 3 || order[0] == 3);
    for (int i = 0; i < EX_SLOTS; i++) {
        give_back(&f->borrowers[order[i]]);
        settle(f);
    }
    f->text[0] = '\0';
    memcpy(open, tenants, sizeof open);
    for (int i = 0; i < EX_SLOTS; i++) {
        (void)snprintf(what, sizeof what,
                       "%s were lent, %c was returned %s, one asks for %c",
                       tenants, tenants[order[i]], i == 0 ? "first" : "next",
                       others[i]);
        ask(f, 8 + i, others[i]);
        open[order[i]] = others[i];
        answered[0] = others[i];
        expect_set(f, what, answered, open);
    }
    for (int i = 0; i < EX_SLOTS; i++)
        give_back(&f->borrowers[8 + i]);
    settle(f);
}

static void evicts_the_oldest(void *fixture)
{
    struct fixture *f = fixture;
    struct test_random random;

    f->cache->clock = UINT32_MAX - 6; /* the returns take it past 2^32 */
    test_random_init(&random, 1);
    for (int i = 0; i < 4; i++) {
        evict_four(f, "abcd", "efgh", &random);
        borrow_all(f, "e"); /* so that the clock is odd */
        return_all(f, 1);
        evict_four(f, "hfeg", "dacb", &random);
        borrow_all(f, "a");
        return_all(f, 1);
    }
}

/* A returned conn stays open until its slot is needed. A conn that one of two
 * borrowers has returned is not idle. */
static void borrowed_stays(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_conn *of_a;

    borrow_all(f, "a");
    ask(f, 1, 'b');
    give_back(&f->borrowers[0]);
    settle(f);
    expect_open(f, "a is returned while b is asked for, and two slots are free",
                "ab");
    return_all(f, 0);
    give_back(&f->borrowers[1]);
    sixteen_borrow(f);
    borrow_all(f, "abcda");
    of_a = f->borrowers[0].ask.conn;
    return_all(f, 4); /* one of two borrowers of a is left */
    expect_open(f, "all are returned, a by one of its two borrowers", "abcd");
    borrow_all(f, "b");
    return_all(f, 1);
    expect_open(f, "b is asked for again and returned", "abcd");
    if (f->most != EX_SLOTS)
        test_wrong("four are opened once", "there were %zu conns", f->most);
    for (int i = 0; i < 4; i++) {
        ask(f, 10 + i, (char)('e' + i)); /* it may be lent, or wait */
        settle(f);
        if (f->borrowers[10 + i].state == LENT)
            give_back(&f->borrowers[10 + i]);
        settle(f);
    }
    if (!is_open(f, of_a))
        test_wrong("a stays open: one of two still has it", "it is closed");
}

/* When a conn is closed, what was written last moves from the WAL to the
 * database. There the gate stops it. */
static void one_closes_first(void *fixture)
{
    static struct fixture second;
    struct fixture *f = fixture;

    not_open_twice(f);
    f->strict = true;
    begin_in(&second, test_path("second"));
    borrow_all(&second, "abcd");
    return_all(&second, 4);
    borrow_all(f, "abcd");
    write_to_file(f, &f->borrowers[0]);
    return_all(f, 4);
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    ask(f, 0, 'e');
    while_open(f, 'a');
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("a is closed when e needs its slot", "it is not");
    ask(f, 1, 'e');
    for (int i = 0; i < 10; i++)
        turn(f);
    for (char c = 'b'; c <= 'd'; c++)
        if (!is_open(f, f->of[c - 'a']))
            test_wrong("one conn is evicted for two asks for e",
                       "those of a and %c are", c);
    expect_now(f, "a is still closing, two ask for e", "");
    ask(&second, 4, 'e');
    test_cause("something is kept outside the cache, and mixes up two caches");
    expect(&second, "while a conn of another cache is closing", "e");
    test_cause(NULL);
    asq_slow_disk_open_gate();
    expect_both(f, "a is closed", "e, e", "bcde");
    ask(f, 2, 'f');
    ask(f, 3, 'g');
    settle(f);
    expect_open(f, "b and c were returned first, then f and g are asked for",
                "defg");
    discard(&second);
}

static void waits_in_line(void *fixture)
{
    struct fixture *f = fixture;

    borrow_all(f, "abcd");
    expect(f, "four ask", "a, b, c, d");
    ask(f, 4, 'e');
    ask(f, 5, 'e');
    ask(f, 6, 'f');
    expect_both(f, "all are borrowed, three ask for e, e, f", "", "abcd");
    ask(f, 7, 'a');
    expect(f, "one asks for a, which is open", "a");
    give_back(&f->borrowers[0]);
    expect(f, "a is returned by one of two borrowers", "");
    give_back(&f->borrowers[1]);
    expect_both(f, "b is returned", "e, e", "acde");
    give_back(&f->borrowers[2]);
    expect(f, "c is returned", "f");
    CHECK_INT(ask_with(f, 0, 'g', give_back), 0);
    ask(f, 1, 'h');
    expect(f, "all four are borrowed, and two ask for g, h", "");
    give_back(&f->borrowers[3]);
    expect_both(f, "d is returned, then g in its callback", "g, h", "aefh");
    give_back(&f->borrowers[1]);
    CHECK_INT(ask_with(f, 8, 'k', ask_next), 0);
    expect(f, "k is returned and l asked for in its callback, then m",
           "k, l, m");
}

/* e is first in the line and its file is being opened, while x fails. */
static void another_is_first(struct fixture *f)
{
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    ask(f, 0, 'e');
    for (int i = 0; f->count == 0 && i < TURNS; i++)
        turn(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(GATE_MS), 0);
    ask(f, 1, 'x');
    ask(f, 2, 'x');
    while (f->text[0] == '\0') {
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* whatever is left */
        look(f);
    }
    expect_now(f, "e is opening, two ask for x",
               "x: SQLITE_NOTADB (26), x: SQLITE_NOTADB (26)");
    asq_slow_disk_open_gate();
    expect(f, "e is open", "e");
    return_all(f, 1);
}

/* The code is the one of SQLite, with its extension. */
static void code_is_whole(struct fixture *f)
{
    static const int codes[] = {SQLITE_CANTOPEN_ISDIR, SQLITE_IOERR_ACCESS,
                                SQLITE_CANTOPEN_FULLPATH, SQLITE_IOERR_LOCK};
    int code = codes[test_seed() % 4];
    char text[TEXT_SIZE / 2];

    (void)snprintf(text, sizeof text, "k: %s, k: %s", test_code(code),
                   test_code(code));
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, code, 1);
    ask(f, 0, 'k');
    ask(f, 1, 'k');
    expect(f, "two ask for k, and the disk fails", text);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 0, 0, 0);
}

static void opening_fails(void *fixture)
{
    static const char none[] = "x: SQLITE_NOTADB (26)";
    struct fixture *f = fixture;
    char three[TEXT_SIZE] = "";

    another_is_first(f);
    code_is_whole(f);
    discard(f);
    begin(f, test_path("."));
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ask_with(f, i, 'x', ask_again), 0);
        note(three, none);
    }
    for (int i = 0; i < 3; i++)
        note(three, none);
    expect(f, "three ask for x, and again in their callbacks", three);
    test_cause("a conn that failed to open is not closed");
    expect_open(f, "x has failed", "");
    test_cause("a slot stays in use although opening has failed");
    borrow_all(f, "abcd");
    expect(f, "four ask", "a, b, c, d");
    ask(f, 4, 'x');
    ask(f, 5, 'e');
    ask(f, 6, 'x');
    ask(f, 7, 'x');
    expect(f, "all four are borrowed, and four ask for x, e, x, x", "");
    give_back(&f->borrowers[2]);
    settle(f);
    (void)snprintf(three, sizeof three, "%s, %s, %s, e", none, none, none);
    expect(f, "c is returned, and x fails", three);
    expect_open(f, "x has failed", "abde");
    discard(f);
    begin(f, test_path("missing"));
    ask(f, 0, 'a');
    ask(f, 1, 'a');
    expect(f, "two ask for a, whose folder is missing",
           "a: SQLITE_CANTOPEN (14), a: SQLITE_CANTOPEN (14)");
}

static void closes(void *fixture)
{
    static void (*const situations[])(struct fixture * f) = {
        with_nothing,    with_two_idle,       just_asked,
        while_opening_a, while_opening_fails, while_evicting,
        with_a_line,     in_a_callback,       in_a_failure_of_x};
    static char folder[EX_PATH_SIZE + 1];
    char answered[TEXT_SIZE];
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        situations[i](f);
        finish(f);
        begin(f, test_path("."));
    }
    discard(f);
    memset(folder, 'f', EX_PATH_SIZE); /* so asq_conn_open is not even called */
    begin(f, folder);
    (void)snprintf(answered, sizeof answered, "a: %s, b cancelled",
                   test_code(UV_ENAMETOOLONG));
    in_a_failure(f, 'a', answered);
    finish(f);
    begin(f, test_path("."));
}

/* Asks, and sometimes returns inside the callback. */
static void random_ask(struct fixture *f, struct model *m, int i, uint64_t n)
{
    int t = n % 9 == 8 ? 'x' - 'a' : (int)(n % 9);
    bool at_once = m->waiting == 0 && n / 9 % 4 == 0 && t != 'x' - 'a' &&
                   (m->open[t] || oldest_idle(m) >= 0);

    CHECK_INT(ask_with(f, i, (char)('a' + t), at_once ? give_back : NULL), 0);
    if (m->open[t]) {
        model_answer(m, t);
    } else {
        m->line[m->waiting++] = t;
        model_serve(m);
    }
    if (at_once)
        model_return(m, t);
}

static void
random_step(struct fixture *f, struct model *m, int step, uint64_t n)
{
    struct borrower *b = &f->borrowers[n % BORROWERS];
    char what[40], open[TENANTS + 1];
    size_t count = 0;

    (void)snprintf(what, sizeof what, "step %d, one %s", step,
                   b->state == IDLE ? "asks" : "returns");
    m->text[0] = '\0';
    if (b->state == LENT) {
        give_back(b);
        model_return(m, b->tenant - 'a');
    } else if (b->state == IDLE && n / BORROWERS % 3 == 0) {
        random_ask(f, m, (int)(n % BORROWERS), n / BORROWERS / 3);
    }
    expect(f, what, m->text);
    for (int t = 0; t < TENANTS; t++) {
        if (m->open[t])
            open[count++] = (char)('a' + t);
    }
    open[count] = '\0';
    expect_open(f, what, open);
}

/* Two caches in turn, each with a loop and a folder of its own. */
static void random_steps(void *fixture)
{
    static struct fixture second;
    static struct model models[2];
    struct fixture *both[] = {fixture, &second};
    struct test_random random;

    test_random_init(&random, 9);
    begin_in(&second, test_path("second"));
    both[0]->strict = both[1]->strict = true;
    for (int step = 1; step <= (int)test_scaled(STEPS); step++) {
        int one = (int)test_random_range(&random, 0, 1);

        random_step(both[one], &models[one], step,
                    test_random_bits(&random) >> 1);
    }
    discard(&second);
}

#define CASE(title_, run_, points_, needs_, builds_, function_, cause_)        \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .builds = builds_, .seconds = 8,                      \
        .function = function_, .cause = cause_                                 \
    }

static const struct test_case cases[] = {
    CASE("one ask is lent the tenant's conn",
         one_asks,
         1,
         0,
         TEST_PLAIN,
         "ex_cache_serve",
         "an ask is lent a conn once that is open, not before"),
    CASE("two asks for one tenant: it is opened once",
         two_ask_for_one,
         1,
         1,
         TEST_PLAIN,
         "ex_slot_opened",
         "the cache is not woken when the conn is open"),
    CASE("an idle conn is evicted, the least recently returned first",
         evicts_the_oldest,
         1,
         1,
         TEST_PLAIN,
         "ex_cache_serve",
         "a different conn is evicted, more than one, or none"),
    CASE("a borrowed conn is not evicted",
         borrowed_stays,
         1,
         1,
         TEST_PLAIN,
         "ex_tenants_return",
         "others may have borrowed the same conn"),
    CASE("an evicted conn is closed before the next is opened",
         one_closes_first,
         1,
         1,
         TEST_ADDRESS, /* it finds memory that is freed too early */
         "ex_cache_serve",
         "a slot is used as free before its conn is closed"),
    CASE("all four are borrowed: asks are served on return, in order",
         waits_in_line,
         1,
         1,
         TEST_PLAIN,
         "ex_tenants_return",
         "a return does not wake the cache, or the front is not served first"),
    CASE("opening fails: all asks get the code, the slot is free again",
         opening_fails,
         1,
         1,
         TEST_PLAIN,
         "ex_slot_opened",
         "an ask for the tenant is not told that opening failed"),
    CASE("closed in ten situations: on_closed runs last and once",
         closes,
         2,
         1,
         TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
         "ex_cache_maybe_closed",
         "a reason to wait is missing in ex_cache_maybe_closed"),
    CASE("random asks and returns in two caches",
         random_steps,
         1,
         1,
         TEST_PLAIN,
         "ex_cache_serve",
         "as the message says; if a test before it fails, begin with that one"),
    {0},
};

const struct test_suite test_suite = {
    .name = "09-lifetimes",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
