/* check - tests of the exercise "merge"
 *
 * A test fills two shops, starts a merge and lets the loop turn until the
 * workers have nothing to do, or are at their gates. Each row is compared when
 * it comes, so a test says only how many of them have come by then.
 */
#include "model.h"
#include "pausing.h"
#include "stopping.h"

#include "grader/leaks.h"

enum {
    MANY = 6000 /* rows of an input that is long */
};

struct fixture {
    uv_loop_t loop;
    struct pair pairs[2]; /* the second one for test 9 */
};

static void set_up(void *fixture)
{
    static const char *names[] = {"a.db", "b.db"};
    struct fixture *f = fixture;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    begin(&f->pairs[0], &f->loop, names);
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    end(&f->pairs[0]);
    test_close_loop(&f->loop);
}

static struct pair *first_pair(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    return &f->pairs[0];
}

/* Input 0 comes first, and has the rows that come first. */
static void in_turn(void *fixture)
{
    struct pair *p = first_pair(fixture);

    prepare(p, "1 2 3", "4 5 6", 10);
    set_gate(&p->shops[1], 1);
    start(p, 10);
    rest(p);
    open_gate(&p->shops[1]);
    expect(p, "both inputs are read to the end", 6, 0);
}

/* Input i stops before its nth row, with chunks of 3, so the merge has the
 * whole chunks before that. */
static void expect_waiting(struct pair *p, int i, unsigned nth)
{
    unsigned rows = (nth - 1) / 3 * 3;

    set_gate(&p->shops[i], nth);
    doing(p, "%c is slow, only %u rows of it have come", "ab"[i], rows);
    start(p, 3);
    test_cause("a row is handed over only if the other input has a row, too, "
               "or has ended");
    expect(p, "before it goes on", rows_until(p, i, rows), NO_END);
    open_gate(&p->shops[i]);
    expect(p, "when it goes on", p->total, 0);
}

static void waits(void *fixture)
{
    struct pair *p = first_pair(fixture);

    for (unsigned nth = 1; nth <= 7; nth++)
        for (int i = 0; i < 2; i++) {
            prepare(p, "1 3 5 5 7 9 11 13", "2 4 6 6 8 8 10 20", 3);
            expect_waiting(p, i, nth);
            prepare(p, "1 2 3 4 5 6 7 8", "11 12 13 14 15 16 17", 3);
            expect_waiting(p, i, nth);
            prepare(p, "6 6 6 6 6 6 6 6", "5 5 5 5 5 5 5", 3);
            expect_waiting(p, i, nth);
        }
}

static void equal_and_large(void *fixture)
{
    static const int64_t edges[][6] = {
        {INT64_MIN, -1, 0, 5, (int64_t)1 << 32, INT64_MAX},
        {INT64_MIN + 1, -2, 0, 4, ((int64_t)1 << 32) - 1, INT64_MAX - 1},
        {INT64_MIN, INT64_MIN, 0, 1, INT64_MAX, INT64_MAX},
        {((int64_t)1 << 53), ((int64_t)1 << 53) + 2, INT64_MAX - 3,
         INT64_MAX - 2, INT64_MAX - 1, INT64_MAX},
        {((int64_t)1 << 53) + 1, ((int64_t)1 << 53) + 2, INT64_MAX - 4,
         INT64_MAX - 2, INT64_MAX - 2, INT64_MAX},
        {-((int64_t)1 << 32), -((int64_t)1 << 31) - 1, -((int64_t)1 << 31), 3,
         ((int64_t)1 << 31), ((int64_t)1 << 32) + 2}};
    static const char equal[] = "of equal keys, those of input 0 come first";
    struct pair *p = first_pair(fixture);

    p->values = true;
    run(p, "7", "7", 10, equal);
    run(p, "1 1 2 5 5", "1 2 2 5", 10, equal);
    run(p, "3 3 3 3 3", "3 3 3", 10, equal);
    run(p, "4 4 4", "3 4 4 4 4 5", 10, equal);
    for (int i = 0; i < 36; i++) {
        fill(p, 0, edges[i / 6], 6);
        fill(p, 1, edges[i % 6], 6);
        test_while("keys at the ends of 64 bits");
        test_cause("keys have 64 bits, and are below 0, too");
        start(p, 10);
        expect(p, "both inputs are read to the end", 12, 0);
    }
}

/* All rows but the last one are certain when both chunks are there. */
static enum ex_next in_one_turn(struct pair *p, size_t nth)
{
    static unsigned first;

    if (nth == 1)
        first = p->turn;
    if (nth < p->total && p->turn != first)
        test_wrong("rows that are certain come in one turn",
                   "row %zu comes in a later turn than row 1", nth);
    return EX_GO_ON;
}

static void one_ends_first(void *fixture)
{
    static const char *const keys[][2] = {
        {"", ""},           {"", "2"},
        {"5", "4 6"},       {"1 3 5", "8"},
        {"7 7 7", "2 4 4"}, {"1 19", "2 4 6 8"},
        {"1 3", "-4 -2 0"}, {"1 3 5 7 9 11 13", "2 4 6"}};
    const size_t count = sizeof keys / sizeof keys[0];
    struct pair *p = first_pair(fixture);

    for (size_t i = 0; i < count; i++)
        for (size_t chunk = 1; chunk <= 4; chunk++) {
            run(p, keys[i][0], keys[i][1], chunk, NULL);
            run(p, keys[i][1], keys[i][0], chunk, NULL);
        }
    p->then = in_one_turn;
    run(p, "1 3 5 7", "2 4 6 8", 4,
        "ex_merge_hand_over goes on as long as the next row is certain");
}

/* Ascending keys, some of them several times, but only in one input. */
static void fill_many(struct pair *p, struct test_random *random, size_t count)
{
    static int64_t keys[MOST];

    for (int i = 0; i < 2; i++) {
        keys[0] = 2 * test_random_range(random, -9, 9) + i;
        for (size_t n = 1; n < count; n++)
            keys[n] = keys[n - 1] + 2 * test_random_range(random, 0, 3);
        fill(p, i, keys, count);
    }
}

/* The row that comes still counts as one that is in memory. */
static enum ex_next look_at_worker(struct pair *p, size_t nth)
{
    int i = p->order[nth - 1].from;
    size_t before = p->handed_of[i] - 1;
    size_t chunk = p->merge->chunk_rows;
    unsigned read = rows_read(&p->shops[i]);

    if (read > (before / chunk + 2) * chunk)
        test_wrong("at most two chunks of each input are in memory",
                   "%zu rows of input %c were handed over, and %u are read, "
                   "in chunks of %zu",
                   before, "ab"[i], read, chunk);
    return EX_GO_ON;
}

/* Input 1 - i waits for input i, which is slow. */
static void expect_ahead(struct pair *p, int i, unsigned nth, size_t chunk)
{
    set_gate(&p->shops[i], nth);
    doing(p, "%c is slow, before row %u of it", "ab"[i], nth);
    start(p, chunk);
    expect(p, "before it goes on", rows_until(p, i, (nth - 1) / chunk * chunk),
           NO_END);
    test_cause("a chunk is given back when its last row was handed over, not "
               "before, and not later");
    expect_read(p, 1 - i, SIZE_MAX);
    expect_read(p, i, nth - 1);
    open_gate(&p->shops[i]);
    expect(p, "when it goes on", p->total, 0);
}

static void back_pressure(void *fixture)
{
    struct pair *p = first_pair(fixture);
    struct test_random random;

    test_random_init(&random, 5);
    p->then = look_at_worker;
    for (unsigned nth = 1; nth <= 12; nth++)
        for (int i = 0; i < 2; i++) {
            prepare(p, "1 3 5 7 9 11 13 15 17 19 21 23 25 27",
                    "2 4 6 8 10 12 14 16 18 20 22 24 26 28", 2);
            expect_ahead(p, i, nth, 2);
            prepare(p, "1 3 5 7 9 11 13 15 17 19 21 23", "2 8 16 18 20 22 24",
                    3);
            expect_ahead(p, i, nth % 7 + 1, 3);
        }
    fill_many(p, &random, test_scaled(MANY));
    p->values = true;
    (void)snprintf(p->what, sizeof p->what, "a and b have %u rows each",
                   test_scaled(MANY));
    expect_ahead(p, 1, 1, 7);
    expect_ahead(p, 0, test_scaled(MANY) - 1, 100);
    doing(p, "chunks end when they have 256 KiB");
    p->then = NULL;
    start(p, 100000);
    test_cause("a chunk may have fewer rows than chunk_rows, and is not the "
               "last one");
    expect(p, "both inputs are read to the end", p->total, 0);
}

static void pauses(void *fixture)
{
    struct pair *p = first_pair(fixture);
    struct test_random random;

    test_random_init(&random, 6);
    pause_while_slow(p, 0);
    pause_while_slow(p, 1);
    more_without_pause(p, 0);
    more_without_pause(p, 1);
    prepare(p, "1 3 5 7", "2 4 6", 2);
    pause_once(p, 2);
    prepare(p, "1 3 5 7 9 11 13", "4 4 4 4", 3);
    pause_once(p, 3);
    prepare(p, "", "1 2", 1);
    pause_once(p, 1);
    pause_at_each(p);
    more_in_each(p);
    fill_many(p, &random, test_scaled(MANY));
    test_while("a and b have %u rows each, on_row calls more each time",
               test_scaled(MANY));
    p->then = more_and_go_on;
    start(p, 1000);
    expect(p, "both inputs are read to the end", p->total, 0);
}

static void failures(void *fixture)
{
    struct pair *p = first_pair(fixture);
    struct test_random random;

    test_random_init(&random, 7);
    at_each_row(p, &random);
    while_the_other_is_slow(p, &random);
    both_fail(p, &random);
    while_paused(p, &random);
    conn_is_closed(p);
}

static void stopped(void *fixture)
{
    struct fixture *f = fixture;
    struct pair *p = &f->pairs[0];

    in_each_row(p);
    while_waiting(p);
    in_a_pause(p);
    for (int i = 0; i < 2; i++) {
        beside_a_failure(p, i, 1);
        beside_a_failure(p, i, 3);
    }
    harmless(p);
    used_again(p);
}

static void as_the_model(void *fixture)
{
    static const char *names[] = {"c.db", "d.db"};
    static struct model models[2];
    struct fixture *f = fixture;
    struct test_random random;

    test_leaks_do_not_count();
    test_random_init(&random, 9);
    begin(&f->pairs[1], &f->loop, names);
    each_calls_the_other(f->pairs);
    for (int k = 0; k < 2; k++) {
        f->pairs[k].model = &models[k];
        f->pairs[k].then = drawn_consumer;
        f->pairs[k].values = true;
    }
    for (unsigned i = 0; i < test_scaled(STEPS); i++)
        random_step(&f->pairs[test_random_range(&random, 0, 1)], &random);
    for (int k = 0; k < 2; k++)
        if (models[k].runs) {
            test_while("%s", models[k].what);
            stop(&f->pairs[k]);
            expect(&f->pairs[k], "after stop in a pause", models[k].at,
                   model_stop(&models[k]));
        }
    end(&f->pairs[1]);
}

#define CASE(title_, run_, points_, needs_, builds_, function_, cause_)        \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .builds = builds_, .seconds = 5,                      \
        .function = function_, .cause = cause_                                 \
    }

static const struct test_case cases[] = {
    CASE("the rows of both inputs come, then one end",
         in_turn,
         1,
         0,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_hand_over",
         "the chunk is not kept, or no row of it is handed over"),
    CASE("no row comes before the next key of the other input is known",
         waits,
         2,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_next",
         "an input without a chunk is taken for one that has ended"),
    CASE("equal keys, and keys of 64 bits",
         equal_and_large,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_next",
         "the keys are not compared as 64 bits"),
    CASE("an input that is empty or ends first holds nothing up",
         one_ends_first,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_next",
         "an input that has ended has no next key to wait for"),
    CASE("a slow input holds the other one back",
         back_pressure,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
         "ex_merge_hand_over",
         "a chunk is given back too early, or too late"),
    CASE("a consumer pauses and goes on",
         pauses,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_hand_over",
         "the pause is looked at only once"),
    CASE("an input fails: the rows before it, then the first code",
         failures,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_input_ended",
         "the other input is not stopped, or its code counts, too"),
    CASE("stop ends it, whatever happens at that moment",
         stopped,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
         "ex_merge_stop",
         "both inputs have to be stopped, and a pause has to end"),
    CASE("two merges at once, with random consumers",
         as_the_model,
         1,
         1,
         TEST_PLAIN | TEST_ADDRESS,
         "ex_merge_hand_over",
         "as the message says; the tests before it show it more simply"),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "12-streaming",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
