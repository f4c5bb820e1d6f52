/* check - tests of the exercise "loader"
 *
 * A test asks for some users, lets the loop turn until there is nothing left to
 * do, and compares what was told, and where the test is about them, the
 * statements that ran. The gate of the slow disk stops a statement where others
 * must come while it runs. The order in which callbacks run is not looked at.
 */
#include "closing.h"
#include "failing.h"
#include "model.h"

#include "grader/leaks.h"

enum {
    STEPS = 4000,
    MANY_KEYS = 600
};

static void set_up(void *fixture)
{
    begin(fixture, false);
}

static void tear_down(void *fixture)
{
    end(fixture);
}

static void one_asks(void *fixture)
{
    struct fixture *f = fixture;
    struct caller *again;

    test_leaks_do_not_count();
    f->names = true;
    again = load(f, 1);
    again->keep = true;
    expect_now(f, "1 is asked for, before the turn", "");
    expect_both(f, "1 is asked for", "1", "[1]");
    CHECK_INT(load_with(again, 2), 0);
    expect_both(f, "then 2, with the same ask", "2", "[2]");
}

/* Three callbacks ask, in any order. */
static void ask_for_more(struct caller *caller)
{
    CHECK_INT(load_with(caller + 3, caller->id + 10), 0);
}

static void of_one_turn(void *fixture)
{
    struct fixture *f = fixture;
    struct caller *first;
    sqlite3 *other;

    test_leaks_do_not_count();
    (void)load_all(f, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    expect_both(f, "1 to 20 are asked for in one turn",
                "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, "
                "18, 19, 20",
                "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20]");
    first = load_all(f, "21 22 23");
    for (int i = 0; i < 3; i++)
        first[i].then = ask_for_more;
    f->count += 3;
    expect_both(f, "in their callbacks 21 22 23 ask for 31 32 33",
                "21, 22, 23, 31, 32, 33", "[21 22 23], [31 32 33]");
    stand(f, "101");
    (void)load_all(f, "41 42");
    turns(f);
    (void)load_all(f, "43 44");
    turns(f);
    expect_now(f, "41 42 and then 43 44 are asked for while 101 is read", "");
    asq_slow_disk_open_gate();
    expect_both(f, "then 101 has been read", "101, 41, 42, 43, 44",
                "[101], [41 42], [43 44]");
    f->names = true;
    stand(f, "102");
    other = raw_open(users_path());
    raw_do(other, "UPDATE users SET name = 'new' WHERE id = 102");
    (void)load_all(f, "102 103");
    turns(f);
    asq_slow_disk_open_gate();
    test_cause("an ask joined a statement that had been submitted");
    expect_both(f,
                "102 is asked for once more while it is read, and its name "
                "has changed meanwhile",
                "102, 102 named \"new\", 103", "[102], [102 103]");
    raw_do(other, "UPDATE users SET name = 'newer' WHERE id = 102");
    raw_close(other);
    (void)load_all(f, "102 104");
    test_cause("a row was kept for later asks");
    expect_both(f, "102 is asked for again, and its name has changed again",
                "102 named \"newer\", 104", "[102 104]");
}

static void same_key(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    (void)load_all(f, "3 3");
    expect_both(f, "3 3 are asked for", "3, 3", "[3]");
    (void)load_all(f, "5 6 5 7 6 5");
    expect_both(f, "5 6 5 7 6 5 are asked for", "5, 6, 5, 7, 6, 5", "[5 6 7]");
    (void)load_all(f, "8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 8");
    expect_both(f, "8 is asked for by 21 callers",
                "8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8",
                "[8]");
    (void)load(f, 3);
    expect_both(f, "3 is asked for again, in a later turn", "3", "[3]");
}

/* Users that exist and others, in an order that is drawn. */
static void drawn_keys(struct fixture *f, struct test_random *random)
{
    char keys[TEXT_SIZE] = "", answers[TEXT_SIZE] = "";
    char step[2 * TEXT_SIZE];
    int order[30];

    test_random_order(random, order, 30);
    for (int i = 0; i < 12; i++) {
        int64_t id = order[i] < 15 ? order[i] + 1 : order[i] + 900;
        size_t used = strlen(keys);

        (void)load(f, id);
        (void)snprintf(keys + used, sizeof keys - used, "%" PRId64 " ", id);
        add(answers, "%" PRId64 "%s", id, id < 900 ? "" : " absent");
    }
    (void)snprintf(step, sizeof step, "%sare asked for", keys);
    expect(f, step, answers);
}

/* 951 is nobody, and then somebody. */
static void appears(struct fixture *f)
{
    sqlite3 *other;

    test_cause("that there was no row was kept for later asks");
    (void)load_all(f, "951 14");
    expect(f, "951 14 are asked for", "951 absent, 14");
    other = raw_open(users_path());
    raw_do(other, "INSERT INTO users (id, name) VALUES (951, 'new')");
    raw_close(other);
    (void)load_all(f, "14 951");
    expect(f, "14 951 are asked for when there is a user 951",
           "14, 951 named \"new\"");
}

static void by_key(void *fixture)
{
    struct fixture *f = fixture;
    struct test_random random;
    char text[TEXT_SIZE];

    test_leaks_do_not_count();
    test_random_init(&random, 4);
    for (int reversed = 0; reversed < 2; reversed++) {
        begin_again(f, reversed != 0);
        f->names = true;
        test_cause("rows come in any order, and not for every key");
        (void)load_all(f, "3 1 3 901");
        expect(f, "3 1 3 901 are asked for", "3, 1, 3, 901 absent");
        (void)load_all(f, "13 11 12");
        expect(f, "13 11 12 are asked for", "13, 11, 12");
        (void)load_all(f, "902 12 903 11 904");
        expect(f, "902 12 903 11 904 are asked for",
               "902 absent, 12, 903 absent, 11, 904 absent");
        (void)load_all(f, "905 906 905");
        expect(f, "905 906 905 are asked for",
               "905 absent, 906 absent, 905 absent");
        (void)load_all(f, "0 13");
        expect(f, "0 13 are asked for", "0 absent, 13");
        (void)load(f, 0);
        expect(f, "0 is asked for", "0 absent");
        for (int i = 0; i < 6; i++)
            drawn_keys(f, &random);
        test_cause("found tells whether there is a row; the name may be NULL");
        (void)load_all(f, "53 50 907 51 52");
        expect(f, "users with unusual names are asked for",
               "53, 50, 907 absent, 51, 52");
        test_cause("keys have 64 bits");
        text[0] = '\0';
        for (int i = 0; i < EDGES; i++) {
            (void)load(f, edges[i]);
            add(text, "%" PRId64, edges[i]);
        }
        (void)load_all(f, "1 2 4294967299 1 4294967297");
        add(text, "1, 2, 4294967299 absent, 1, 4294967297");
        expect(f, "keys of 64 bits are asked for", text);
    }
    appears(f);
}

static void fails(void *fixture)
{
    struct test_random random;

    test_leaks_do_not_count();
    test_random_init(&random, 5);
    for (int i = 0; i < 4; i++) {
        int code = SQLITE_IOERR | (int)test_random_range(&random, 40, 90) << 8;

        begin_again(fixture, false);
        disk_fails(fixture, code, i % 2 == 0 ? 1 : 2);
    }
    begin_again(fixture, false);
    disk_fails(fixture, SQLITE_INTERRUPT, 1);
    conn_refuses(fixture);
    conn_is_cancelled(fixture);
}

/* With this limit, these keys make these statements. */
static void expect_split(struct fixture *f,
                         size_t limit,
                         const char *keys,
                         const char *statements)
{
    char step[2 * TEXT_SIZE], answers[TEXT_SIZE] = "";
    char *rest;

    f->loader->limit = limit;
    (void)load_all(f, keys);
    for (const char *key = keys; *key != '\0'; key = rest + strspn(rest, " ")) {
        int64_t id = strtoll(key, &rest, 10);

        add(answers, "%" PRId64 "%s", id, is_user(id) ? "" : " absent");
    }
    (void)snprintf(step, sizeof step, "limit %zu, %s are asked for", limit,
                   keys);
    expect_both(f, step, answers, statements);
}

/* More keys than the loader's own limit, and no limit. */
static void unlimited(struct fixture *f)
{
    unsigned answers = 0, statements = 0;

    f->loader->limit = 0;
    for (int i = 1; i <= MANY_KEYS; i++)
        (void)load(f, i);
    settle(f);
    for (int i = 0; i < f->count; i++)
        if (f->callers[i].told[0] != '\0')
            answers++;
    for (const char *at = f->ran; (at = strchr(at, '[')) != NULL; at++)
        statements++;
    if (answers != MANY_KEYS || statements != 1)
        test_wrong("limit 0, 600 keys are asked for: 600 answers, 1 statement",
                   "%s, %s", test_count(answers, "answer", NULL),
                   test_count(statements, "statement", NULL));
}

static void limited(void *fixture)
{
    struct fixture *f = fixture;
    char keys[TEXT_SIZE] = "", all[TEXT_SIZE];

    test_leaks_do_not_count();
    expect_split(f, 3, "1 2 3 4 5 6 7", "[1 2 3], [4 5 6], [7]");
    expect_split(f, 3, "16 15 14 13 12 11", "[14 15 16], [11 12 13]");
    expect_split(f, 3, "21 22", "[21 22]");
    expect_split(f, 3, "23 22 21", "[21 22 23]");
    expect_split(f, 1, "31 32", "[31], [32]");
    expect_split(f, SIZE_MAX, "41 42 43", "[41 42 43]");
    expect_split(f, SIZE_MAX / 2 + 2, "41 42 43", "[41 42 43]");
    test_cause("the limit is one of keys, not of asks");
    expect_split(f, 2, "5 5 5 5 6 6 6", "[5 6]");
    test_cause("behind an ask that must wait there may be others for a key "
               "that the statement has");
    expect_split(f, 2, "1 2 3 1 4 2 3 5", "[1 2], [3 4], [5]");
    expect_split(f, 1, "1 2 1 3 2", "[1], [2], [3]");
    for (int i = 1; i <= 100; i++) {
        size_t used = strlen(keys);

        (void)snprintf(keys + used, sizeof keys - used, "%s%d",
                       i == 1 ? "" : " ", i == 50 ? 101 : i);
    }
    sort_keys(keys, all + 1);
    all[0] = '[';
    strcat(all, "]");
    test_cause("0 is no limit");
    expect_split(f, 0, keys, all);
    begin_again(f, false);
    unlimited(f);
}

static void cancelled(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    before_the_turn(f);
    while_it_runs(f);
    while_it_is_queued(f);
    too_late(f);
}

static void closed(void *fixture)
{
    static void (*const situations[])(struct fixture * f) = {
        with_nothing, with_an_answer_before, while_collected,
        while_sent,   with_nobody_waiting,   in_a_callback};
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        begin_again(f, false);
        situations[i](f);
        settle(f);
        expect_closed(f);
    }
}

/* The hold ends, and everything is done. */
static void
run_and_compare(struct fixture *f, struct model *m, const char *what)
{
    char told[TEXT_SIZE], ran[TEXT_SIZE] = "";

    turns(f);
    model_turns(m);
    asq_hold_end(&f->hold);
    model_run(m, ran);
    model_told(m, told);
    expect_both(f, what, told, ran);
    CHECK_INT(asq_hold_begin(&f->conn, &f->hold), 0);
}

static void as_the_model(void *fixture)
{
    static struct fixture second;
    static struct model models[2];
    struct fixture *both[] = {fixture, &second};
    char what[2][TEXT_SIZE] = {"", ""};
    struct test_random random;

    test_leaks_do_not_count();
    test_random_init(&random, 9);
    begin(&second, true);
    for (int k = 0; k < 2; k++) {
        both[k]->names = true;
        models[k].limit = both[k]->loader->limit;
        both[k]->count = SLOTS;
        CHECK_INT(asq_hold_begin(&both[k]->conn, &both[k]->hold), 0);
        for (int i = 0; i < SLOTS; i++) {
            both[k]->callers[i].keep = true;
            both[k]->callers[i].ask = calloc(1, sizeof(struct ex_ask));
            CHECK(both[k]->callers[i].ask != NULL);
        }
    }
    for (unsigned i = 0; i < test_scaled(STEPS); i++) {
        int64_t k = test_random_range(&random, 0, 1);

        if (what[k][0] == '\0')
            add(what[k], "limit %zu%s", models[k].limit,
                models[k].refuses ? ", the conn refuses" : "");
        random_step(both[k], &models[k], &random, what[k]);
        if (models[k].batches < BATCHES / 4 &&
            test_random_range(&random, 0, 5) > 0)
            continue;
        run_and_compare(both[k], &models[k], what[k]);
        what[k][0] = '\0';
    }
    end(&second);
}

#define CASE(title_, run_, points_, needs_, builds_, function_, cause_)        \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .builds = builds_, .seconds = 5,                      \
        .function = function_, .cause = cause_                                 \
    }

static const struct test_case cases[] = {
    CASE("one ask is answered with its user",
         one_asks,
         1,
         0,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_fill",
         "the ask is not added to the batch, or not made due"),
    CASE("the asks of one turn are one statement, later ones the next",
         of_one_turn,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_fill",
         "the batch does not take every ask that is collected"),
    CASE("the same key is asked for once, and every caller is answered",
         same_key,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_fill",
         "a key is added for each ask, or only one ask for each key"),
    CASE("rows are matched by key, an absent user is an answer",
         by_key,
         2,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_answered",
         "the first row is taken for that of the first ask"),
    CASE("a failure reaches every ask of its batch, and no other",
         fails,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_answered",
         "a failure does not take the same path as rows"),
    CASE("a statement has at most as many keys as the limit allows",
         limited,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_fill",
         "the limit is compared with something else, or too early"),
    CASE("an ask is cancelled, the others are answered",
         cancelled,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
         "ex_loader_cancel",
         "the statement is cancelled for all of its asks, or for none"),
    CASE("close gives up everybody who waits, and on_closed runs last",
         closed,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
         "ex_loader_close",
         "asks wait in loader->collected and in each of loader->batches"),
    CASE("random calls to two loaders, compared with a model",
         as_the_model,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_batch_fill",
         "as the message says; if a test before it fails, begin with that one"),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "11-concurrent-queries",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
