/* check - tests of the exercise "counters"
 *
 * A test makes some adds, flushes, and compares what each of them is told with
 * what it expects, and the table with what others see of it. Each test after
 * the first builds on it, and looks at one rule. One thread.
 */
#include "deciding.h"
#include "failing.h"
#include "grouping.h"
#include "model.h"

#include "grader/leaks.h"
#include "grader/traces.h"

enum {
    STEPS = 600
};

static void set_up(void *fixture)
{
    test_alloc_install();
    begin(fixture, "counters.db");
}

static void tear_down(void *fixture)
{
    end(fixture);
}

static struct fixture *of_test(void *fixture, const char *values)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    put_all(f->other, values);
    return f;
}

static void one_add(void *fixture)
{
    struct fixture *f = of_test(fixture, "");
    int64_t value = 10 + (int64_t)(test_seed() % 70);
    char told[LABEL_SIZE], table[LABEL_SIZE];

    put(f->other, "a", value, 0, 1000);
    (void)snprintf(told, sizeof told, "a+3: %" PRId64, value + 3);
    (void)snprintf(table, sizeof table, "a=%" PRId64, value + 3);
    run(f, "a+3", told, table);
}

static void one_transaction(void *fixture)
{
    struct fixture *f = of_test(fixture, "555");
    struct test_traces before;

    test_traces_look(f->other, f->db, &before);
    run(f, "a+1 b+2 c+3", "a+1: 6, b+2: 7, c+3: 8", "a=6 b=7 c=8");
    expect_count("a+1 b+2 c+3", "COMMIT", f->commits, 1);
    test_traces_settings(f->db, &before, "in a flush");
    run(f, "a+1", "a+1: 7", "a=7 b=7 c=8");
    expect_count("a+1, alone", "BEGIN", f->begins, 1);
    test_while("others read and write during the flush");
    f->try = true;
    run(f, "a+1 b+1 c-1", "a+1: 8, b+1: 8, c-1: 7", "a=8 b=8 c=7");
    f->try = false;
    test_cause("BEGIN IMMEDIATE keeps others from writing, from the first read "
               "on, BEGIN alone does not");
    expect_count("while the transaction is open", "write of others", f->written,
                 0);
    test_cause("BEGIN EXCLUSIVE keeps readers out, BEGIN IMMEDIATE does not");
    expect_count("while the transaction is open", "refused read of others",
                 f->refused, 0);
    test_while("others set a=1, just before BEGIN");
    test_cause(
        "what was read before BEGIN is old if others have written since");
    f->before_begin = "UPDATE counters SET value = 1 WHERE name = 'a'";
    run(f, "a+2 b+1", "a+2: 3, b+1: 9", "a=3 b=9 c=7");
    test_while("no add is waiting");
    forget(f);
    test_traces_look(f->other, f->db, &before);
    flush(f);
    test_traces_none(f->other, f->db, &before, "when no add is waiting");
    expect_count("no add is waiting", "BEGIN", f->begins, 0);
}

/* One flush, and it writes so many rows. */
static void
run_writes(struct fixture *f, const char *adds, const char *table, unsigned n)
{
    forget(f);
    ask(f, adds);
    flush(f);
    expect_table(f->other, adds, table);
    expect_count(adds, "write", f->writes, n);
}

static void written_once(void *fixture)
{
    struct fixture *f = of_test(fixture, "5555");
    char adds[TEXT_SIZE] = "", table[80];
    int64_t sums[3] = {0, 0, 0};
    struct test_random random;

    run_writes(f, "a+1 a+1 a+1", "a=8 b=5 c=5 d=5", 1);
    run_writes(f, "a-1 b+1 a-1 c+2 b+1 a-1", "a=5 b=7 c=7 d=5", 3);
    test_random_init(&random, 3);
    for (unsigned i = 0; i < 90; i++) {
        int64_t letter = i < 3 ? i : test_random_range(&random, 0, 2);
        int64_t amount = test_random_range(&random, 1, 9);

        sums[letter] += amount;
        note(adds, "%c%+" PRId64 " ", (char)('a' + letter), amount);
    }
    raw_do(f->other, "UPDATE counters SET value = 1000, most = 9999");
    (void)snprintf(table, sizeof table,
                   "a=%" PRId64 " b=%" PRId64 " c=%" PRId64 " d=1000",
                   1000 + sums[0], 1000 + sums[1], 1000 + sums[2]);
    forget(f);
    ask(f, adds);
    flush(f);
    expect_table(f->other, "90 adds for three counters", table);
    expect_count("90 adds for three counters", "write", f->writes, 3);
    put_all(f->other, "5555");
    test_cause("a counter whose value ends as it began is not written");
    run_writes(f, "a+2 b+1 a-2", "a=5 b=6 c=5 d=5", 1);
    run_writes(f, "a+0 b+1 b-1", "a=5 b=6 c=5 d=5", 0);
    many(f);
}

static void refused_alone(void *fixture)
{
    struct fixture *f = of_test(fixture, "555");

    run(f, "a+4 b+6 c+1", "a+4: 9, b+6: UV_ERANGE, c+1: 6", "a=9 b=5 c=6");
    put_all(f->other, "555");
    test_cause("a refused add changes nothing, for those behind it either");
    run(f, "a+4 a+3 a+1 a-2 a+2",
        "a+4: 9, a+3: UV_ERANGE, a+1: 10, a-2: 8, a+2: 10", "a=10 b=5 c=5");
    run(f, "a-10 a-1 b-6 b+1 b-6 b-1",
        "a-10: 0, a-1: UV_ERANGE, b-6: UV_ERANGE, b+1: 6, b-6: 0, "
        "b-1: UV_ERANGE",
        "a=0 b=0 c=5");
    test_cause("the sum of the adds says nothing about each of them");
    put_all(f->other, "555");
    run(f, "a+6 a-6 b-6 b+6 c-1 c+7",
        "a+6: UV_ERANGE, a-6: UV_ERANGE, b-6: UV_ERANGE, b+6: UV_ERANGE, "
        "c-1: 4, c+7: UV_ERANGE",
        "a=5 b=5 c=4");
    expect_count("a+6 a-6 b-6 b+6 c-1 c+7", "write", f->writes, 1);
    run(f, "a+3 a+3 a-3 a+3 a+0",
        "a+3: 8, a+3: UV_ERANGE, a-3: 5, a+3: 8, a+0: 8", "a=8 b=5 c=4");
    run(f, "b+3 b-9 b+6", "b+3: 8, b-9: UV_ERANGE, b+6: UV_ERANGE",
        "a=8 b=8 c=4");
    test_cause(NULL);
    put(f->other, "b", 7, 7, 7);
    run(f, "b+0 b+1 b-1 b+0 c+1",
        "b+0: 7, b+1: UV_ERANGE, b-1: UV_ERANGE, b+0: 7, c+1: 5",
        "a=8 b=7 c=5");
    put(f->other, "a", -5, -9, -2);
    run(f, "a-4 a+8 a+7 a-8",
        "a-4: -9, a+8: UV_ERANGE, a+7: -2, a-8: UV_ERANGE", "a=-2 b=7 c=5");
}

static void large_numbers(void *fixture)
{
    static const int64_t numbers[] = {INT64_MIN,
                                      INT64_MIN + 1,
                                      -((int64_t)1 << 53) - 1,
                                      INT32_MIN,
                                      -1,
                                      0,
                                      1,
                                      (int64_t)INT32_MAX + 1,
                                      ((int64_t)1 << 53) + 1,
                                      INT64_MAX - 1,
                                      INT64_MAX};
    const int count = sizeof numbers / sizeof numbers[0];
    struct fixture *f = of_test(fixture, "");
    struct test_random random;

    test_random_init(&random, 5);
    for (int i = 0; i < count * count; i++) {
        struct ex_counter counter = {"n", numbers[i / count], INT64_MIN,
                                     INT64_MAX};
        int64_t edge = test_random_edge(&random);

        at_the_edge(f, &counter, numbers[i % count]);
        counter.least = edge < counter.value ? edge : INT64_MIN;
        counter.most = edge > counter.value ? edge : INT64_MAX;
        at_the_edge(f, &counter, numbers[i % count]);
        at_the_edge(f, &counter, test_random_edge(&random));
    }
}

static void names(void *fixture)
{
    static const char *const kinds[] = {"",      "tea",  "Tea",  "TEA",
                                        "tea ",  " tea", "it's", "a\"b",
                                        "'; --", "t%",   "t_"};
    enum {
        KINDS = sizeof kinds / sizeof kinds[0],
        ALL = KINDS + TEST_NAME_EMPTY + 3
    };
    static char texts[ALL][1200], copies[ALL][1200];
    struct fixture *f = of_test(fixture, "");
    struct test_random random;

    test_random_init(&random, 6);
    for (int i = 0; i < ALL; i++) {
        if (i < KINDS)
            (void)snprintf(texts[i], sizeof texts[i], "%s", kinds[i]);
        else if (i < KINDS + TEST_NAME_EMPTY)
            (void)test_random_name(&random, (enum test_name)(i - KINDS),
                                   texts[i], sizeof texts[i] - 1);
        else
            (void)snprintf(texts[i], sizeof texts[i], "%0*d", 1000, i);
        memcpy(copies[i], texts[i], sizeof texts[i]);
        put(f->other, texts[i], 100 * i, 0, 9999);
    }
    for (int i = 0; i < 2 * ALL; i++) {
        char label[LABEL_SIZE];

        (void)snprintf(label, sizeof label, "%.24s+1", texts[i % ALL]);
        (void)make(f, i < ALL ? texts[i] : copies[i - ALL], 1, label);
    }
    flush(f);
    for (int i = 0; i < 2 * ALL; i++)
        if (f->callers[i].answers != 1 || f->callers[i].status != 0)
            expect_told_by(&f->callers[i], "accepted");
    for (int i = 0; i < ALL; i++)
        if (value_of(f->other, texts[i]) != 100 * i + 2)
            test_wrong("two adds of 1 for each name, and its value grows by 2",
                       "the value of \"%.30s\" grows by %" PRId64, texts[i],
                       value_of(f->other, texts[i]) - 100 * i);
    expect_count("two adds for each of 19 names", "write", f->writes, ALL);
    put_all(f->other, "55");
    test_cause("a name that is not in the table is the matter of its adds "
               "alone");
    run(f, "x+1 a+1 y+1 x+2 b-1",
        "x+1: UV_ENOENT, a+1: 6, y+1: UV_ENOENT, x+2: UV_ENOENT, b-1: 4",
        "a=6 b=4");
    run(f, "x+0 x+2", "x+0: UV_ENOENT, x+2: UV_ENOENT", "a=6 b=4");
    test_cause("others change the table between two flushes");
    put(f->other, "x", 5, 0, 9);
    raw_do(f->other, "DELETE FROM counters WHERE name = 'b'");
    run(f, "b+1 x+1 a+1 y+1", "b+1: UV_ENOENT, x+1: 6, a+1: 7, y+1: UV_ENOENT",
        "a=7 x=6");
}

static void failures(void *fixture)
{
    struct fixture *f = of_test(fixture, "");

    nothing_fails(f, GROUP);
    nothing_fails(f, 1);
    begin_fails(f);
    commit_fails(f);
    writes_fail(f);
    reads_fail(f);
    each_statement_fails(f);
    each_allocation_fails(f);
}

static void callbacks(void *fixture)
{
    struct fixture *f = fixture;

    put_all(f->other, "555");
    forget(f);
    ask(f, "b+1 a+1 b-9 x+1 a+1 b+1");
    test_cause("answers come in the order in which the adds were made");
    expect_order(f, "b+1 a+1 b-9 x+1 a+1 b+1", "b+1 a+1 b-9 x+1 a+1 b+1");
    in_groups(f);
    in_callbacks(f, false, false);
    in_callbacks(f, true, false);
    in_callbacks(f, false, true);
    made_again(f);
}

/* A code with which the flush fails, if it writes anything. */
static int draw_failure(struct fixture *f,
                        const struct model *m,
                        struct test_random *random)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_ERROR,
                                SQLITE_CORRUPT_INDEX};
    static struct model copy;
    int64_t n = test_random_range(random, 0, 9);

    memcpy(&copy, m, sizeof copy);
    if (model_flush(&copy, f->counters->group_max, 0) == 0 || n > 2)
        return 0;
    f->row = 1;
    f->kind = codes[n];
    return f->kind;
}

static void as_the_model(void *fixture)
{
    static struct fixture second;
    static struct model models[2];
    struct fixture *both[] = {of_test(fixture, ""), &second};
    char what[TEXT_SIZE], table[TEXT_SIZE];
    struct test_random random;

    test_random_init(&random, 9);
    begin(&second, "second.db");
    model_begin(both[0], &models[0], &random);
    model_begin(both[1], &models[1], &random);
    for (unsigned i = 0; i < STEPS; i++) {
        int k = (int)test_random_range(&random, 0, 1);
        struct fixture *f = both[k];
        struct model *m = &models[k];
        size_t first = m->taken;
        unsigned changed;
        int code;

        random_step(f, m, &random);
        if (test_random_range(&random, 0, 4) > 0)
            continue;
        f->counters->group_max = (size_t)test_random_range(&random, 1, 9);
        code = draw_failure(f, m, &random);
        model_tell(m, f->counters->group_max, code, what);
        flush(f);
        f->kind = 0;
        changed = model_flush(m, f->counters->group_max, code);
        test_while("%s", what);
        expect_told_from(f, first, m->taken, "", m->told);
        model_table(m, table);
        expect_table(f->other, "", table);
        if (code == 0)
            expect_count("", "write", f->writes, changed);
    }
    end(&second);
}

#define CASE(title_, run_, points_, needs_, cause_)                            \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .seconds = 5, .function = "ex_counters_flush",        \
        .cause = cause_                                                        \
    }

static const struct test_case cases[] = {
    CASE("one add is written and answered",
         one_add,
         1,
         0,
         "the counter is not read, not written or not committed, or the add is "
         "not answered"),
    CASE("a group is one transaction, and others cannot write in it",
         one_transaction,
         1,
         1,
         "BEGIN and COMMIT enclose the whole group, and everything that is "
         "read for it"),
    CASE("a counter is written once for all of its adds",
         written_once,
         1,
         1,
         "an add was written, not the counter"),
    CASE("a refused add fails alone, each other one has its own value",
         refused_alone,
         1,
         1,
         "each add is decided by itself, with the value that the adds before "
         "it have left"),
    CASE("numbers of 64 bits, and sums beyond them",
         large_numbers,
         1,
         1,
         "a sum of two numbers of 64 bits may not fit in 64 bits"),
    CASE("names of all kinds, and unknown ones",
         names,
         1,
         1,
         "names are compared byte by byte, to their end"),
    CASE("nobody is told before COMMIT, everybody if a step fails",
         failures,
         2,
         1,
         "this step was not checked, or an answer was decided before it"),
    CASE("one group in a flush, and callbacks that make adds",
         callbacks,
         1,
         1,
         "an add that is made in a callback belongs to the next flush"),
    CASE("random adds to two tables, compared with a model",
         as_the_model,
         1,
         1,
         "as the message says; if a test before it fails, begin with that one"),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "13-group-commit",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
