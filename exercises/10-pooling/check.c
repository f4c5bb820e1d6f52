/* check - tests of the exercise "bulkhead"
 *
 * A test makes some calls, then runs one turn of the loop, that is, one
 * ex_bulkhead_deliver, and compares the callbacks with those it expects. Each
 * test after the first builds on it, and looks at one rule. One thread.
 */
#include "giving_up.h"
#include "model.h"
#include "resizing.h"

#include <limits.h>

enum {
    PLACES = 5,
    REPORT_PLACES = 2,
    STEPS = 4000
};

static void set_up(void *fixture)
{
    begin(fixture, PLACES, REPORT_PLACES);
}

static void tear_down(void *fixture)
{
    end(fixture);
}

/* The first so many of these letters, as callbacks are written down. */
static const char *first_of(const char *names, unsigned count, char *text)
{
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        note_answer(text, names[i], 0);
    return text;
}

static void five_enter(void *fixture)
{
    struct fixture *f = fixture;
    unsigned places = 6 + (unsigned)(test_seed() % 9);
    char text[TEXT_SIZE], step[80];

    enter(f, "abcdefg");
    expect_now(f, "seven short requests enter, before the next turn", "");
    expect(f, "seven short requests enter, 5 places", "a, b, c, d, e");
    expect(f, "nobody leaves", "");
    begin_again(f, places, 1);
    (void)snprintf(step, sizeof step, "twenty short requests enter, %u places",
                   places);
    enter(f, "abcd");
    expect(f, "four short requests enter", "a, b, c, d");
    enter(f, "efghijklmnopqrst");
    expect(f, step, first_of("efghijklmnopqrst", places - 4, text));
}

/* As many leave as enter, in an order that is drawn. */
static void long_line(struct fixture *f)
{
    static const char waiting[] = "fghijklmnopqrstuvwxyz";
    struct test_random random;
    char inside[] = "abcde", step[80];

    test_random_init(&random, 2);
    enter(f, inside);
    enter(f, waiting);
    expect(f, "26 short requests enter", "a, b, c, d, e");
    for (const char *next = waiting; *next != '\0'; next++) {
        int64_t i = test_random_range(&random, 0, PLACES - 1);
        const char leaver[] = {inside[i], '\0'}, name[] = {*next, '\0'};

        (void)snprintf(step, sizeof step, "%c leaves, %c to z wait", inside[i],
                       *next);
        leave(f, leaver);
        expect(f, step, name);
        inside[i] = *next;
    }
}

/* Leaves that must do nothing, while f and g wait. */
static void harmless(struct fixture *f)
{
    struct ex_request never = {0};

    keep(f, "abfx");
    enter(f, "abcdefgh");
    expect(f, "eight short requests enter", "a, b, c, d, e");
    test_cause("leave gives back a place although the request has none");
    ex_bulkhead_leave(&never);
    expect(f, "a request leaves that never entered", "");
    leave(f, "f");
    expect(f, "f leaves, which is waiting", "");
    leave(f, "a");
    leave(f, "a");
    expect(f, "a leaves twice", "f");
    test_cause("data is public, so it is the caller's");
    if (caller_of(f, 'a')->request->data != caller_of(f, 'a'))
        test_wrong("a leaves: its data stays, which is public",
                   "its data has changed");
    test_cause("leave gives back a place although the request has none");
    leave(f, "a");
    expect(f, "a leaves for the third time", "");
    test_cause("a request that is due does not leave: its callback is not "
               "cancelled, and the place is still its own");
    let_act(f, 'f', LEAVES, 0);
    leave(f, "f");
    expect(f, "f leaves", "g");
    enter(f, "f");
    leave(f, "b");
    leave(f, "h");
    expect(f, "b leaves, and then h, which is due", "h");
    leave(f, "h");
    expect(f, "h leaves", "f");
}

static void on_leave(void *fixture)
{
    struct fixture *f = fixture;

    enter(f, "abcdefgh");
    expect(f, "eight short requests enter", "a, b, c, d, e");
    leave(f, "c");
    enter(f, "i");
    expect(f, "c leaves, then i enters", "f");
    enter(f, "c");
    leave(f, "ea");
    expect(f, "c enters again, then e and a leave", "g, h");
    leave(f, "bd");
    enter(f, "a");
    expect(f, "b and d leave, then a enters", "i, c");
    let_act(f, 'a', ENTERS_AGAIN, 0);
    leave(f, "f");
    enter(f, "j");
    expect(f, "f leaves, then j enters", "a");
    expect(f, "in its callback a has left and entered again", "j");
    leave(f, "j");
    expect(f, "j leaves", "a");
    begin_again(f, PLACES, REPORT_PLACES);
    long_line(f);
    begin_again(f, PLACES, REPORT_PLACES);
    harmless(f);
}

static void reports(void *fixture)
{
    struct fixture *f = fixture;

    enter(f, "AbCDeFg");
    expect(f, "A b C D e F g enter", "A, b, C, e, g");
    enter(f, "hi");
    expect(f, "h and i enter", "");
    leave(f, "b");
    expect(f, "b leaves, D F h i wait", "h");
    leave(f, "eg");
    expect(f, "e and g leave, D F i wait", "i");
    enter(f, "j");
    expect(f, "j enters, a place is free", "j");
    leave(f, "i");
    expect(f, "i leaves, D and F wait", "");
    leave(f, "C");
    expect(f, "C leaves, D and F wait", "D");
    leave(f, "DA");
    expect(f, "D and A leave, F waits", "F");
    enter(f, "GH");
    expect(f, "F is inside, G and H enter", "G");
    leave(f, "hj");
    expect(f, "h and j leave, H waits", "");
    leave(f, "FG");
    expect(f, "F and G leave", "H");
    enter(f, "IJ");
    expect(f, "H is inside, I and J enter", "I");
    enter(f, "klmno");
    expect(f, "three places are free, k l m n o enter", "k, l, m");
    begin_again(f, PLACES, REPORT_PLACES);
    enter(f, "ABcdef");
    expect(f, "A B c d e f enter", "A, B, c, d, e");
    leave(f, "A");
    expect(f, "A leaves, f waits", "f");
    enter(f, "CD");
    leave(f, "c");
    expect(f, "B is inside, C and D enter, c leaves", "C");
    leave(f, "d");
    expect(f, "d leaves, B and C are inside, D waits", "");
    test_cause("reports have as many places as report_places says, all or none "
               "too");
    begin_again(f, 3, 7);
    enter(f, "ABaC");
    expect(f, "3 places, 7 for reports; A B a C enter", "A, B, a");
    leave(f, "a");
    expect(f, "a leaves", "C");
    begin_again(f, 3, 0);
    enter(f, "AaBb");
    expect(f, "3 places, none for reports; A a B b enter", "a, b");
    test_cause("the line is served to its end, however long it is, and however "
               "often a report was passed");
    behind_reports(f);
}

/* Whenever one leaves, a short request enters: it is not served before those
 * that came earlier. */
static void in_order(void *fixture)
{
    struct fixture *f = fixture;

    enter(f, "abcde");
    enter(f, "fGhIjk");
    expect(f, "a b c d e, then f G h I j k enter", "a, b, c, d, e");
    leave(f, "a");
    enter(f, "n");
    expect(f, "a leaves and n enters", "f");
    leave(f, "b");
    enter(f, "o");
    expect(f, "b leaves and o enters, G h I j k n o wait", "G");
    leave(f, "c");
    enter(f, "p");
    expect(f, "c leaves and p enters", "h");
    leave(f, "d");
    enter(f, "q");
    expect(f, "d leaves and q enters, I j k n o p q wait", "I");
    leave(f, "e");
    enter(f, "r");
    expect(f, "e leaves and r enters", "j");
    enter(f, "S");
    leave(f, "G");
    expect(f, "S enters and G leaves, k n o p q r S wait", "k");
    leave(f, "f");
    expect(f, "f leaves, n o p q r S wait", "n");
    leave(f, "hI");
    expect(f, "h and I leave, o p q r S wait", "o, p");
    leave(f, "jk");
    expect(f, "j and k leave, q r S wait", "q, r");
}

static void gives_up(void *fixture)
{
    struct fixture *f = fixture;
    struct test_random random;

    test_random_init(&random, 5);
    for (int i = 0; i < 8; i++) {
        while_waiting(f, &random);
        begin_again(f, PLACES, REPORT_PLACES);
    }
    while_due(f);
    begin_again(f, PLACES, REPORT_PLACES);
    not_given_up(f);
}

static void resized(void *fixture)
{
    static const unsigned large[] = {
        4, 256, 65536, INT_MAX, (unsigned)INT_MAX + 1, UINT_MAX};

    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        raised(fixture, large[i]);
    lowered(fixture);
    many_places(fixture, EX_SHORT);
    many_places(fixture, EX_REPORT);
}

/* A request that was used with one bulkhead is used with the other. */
static void of_both(struct fixture *f, struct fixture *second)
{
    keep(f, "a");
    enter(f, "a");
    expect(f, "a enters", "a");
    leave(f, "a");
    test_cause("two bulkheads share nothing");
    for (int i = 0; i < 2; i++) {
        enter(second, "BbCcdg");
        expect(second, "B b C c d g enter the second bulkhead",
               "B, b, C, c, d");
        enter_through(f, second->bulkhead, 'a');
        enter(f, "BCDe");
        expect(f, "B C D e enter the first one", "B, C, e");
        leave(f, "e");
        expect(f, "e leaves the first one", "");
        leave(f, "B");
        expect(f, "B leaves the first one", "D");
        leave(second, "b");
        expect(second, "b leaves the second one", "g");
        leave(second, "c");
        f->delivering = true; /* a is called back by the other one */
        deliver(second);
        f->delivering = false;
        expect_now(f, "c leaves the second one, where a waits", "a");
        leave(f, "aCD");
        leave(second, "BCdg");
    }
    test_cause(NULL);
}

static void as_the_model(void *fixture)
{
    static struct fixture second;
    static struct model models[2];
    struct fixture *both[] = {fixture, &second};
    char what[2][TEXT_SIZE] = {"", ""};
    struct test_random random;

    test_random_init(&random, 7);
    begin(&second, PLACES, REPORT_PLACES);
    of_both(fixture, &second);
    for (int k = 0; k < 2; k++) {
        begin_again(both[k], PLACES, REPORT_PLACES);
        models[k].places = PLACES;
        models[k].report_places = REPORT_PLACES;
        keep(both[k], "abcdefghijkABCDEFG");
    }
    for (unsigned i = 0; i < STEPS; i++) {
        int64_t k = test_random_range(&random, 0, 1);

        if (what[k][0] == '\0')
            model_tell(&models[k], what[k]);
        random_step(both[k], &models[k], &random, what[k]);
        if (test_random_range(&random, 0, 3) > 0)
            continue;
        models[k].text[0] = '\0';
        model_deliver(&models[k]);
        expect(both[k], what[k], models[k].text);
        what[k][0] = '\0';
    }
    end(&second);
}

#define CASE(title_, run_, points_, needs_, function_, cause_)                 \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .seconds = 5, .function = function_, .cause = cause_  \
    }

static const struct test_case cases[] = {
    CASE("five requests enter, in order, the others wait",
         five_enter,
         1,
         0,
         "ex_bulkhead_serve",
         "a place is taken when a request becomes due, not later, and short "
         "requests may have all places"),
    CASE("a request that leaves makes way for the first in the line, once",
         on_leave,
         2,
         1,
         "ex_bulkhead_leave",
         "the place is not given back, not given away at once, or given twice"),
    CASE("reports have at most two places, and hold up nobody",
         reports,
         2,
         1,
         "ex_bulkhead_serve",
         "the line is served up to the first report that has to wait, or the "
         "places of reports are not counted"),
    CASE("first come, first served among those that may enter",
         in_order,
         1,
         1,
         "ex_bulkhead_serve",
         "one kind is served before the other"),
    CASE("requests are given up, while they wait and when they are due",
         gives_up,
         2,
         1,
         "ex_bulkhead_give_up",
         "a waiting request has no place; one that is due has one"),
    CASE("the limits change, to any value",
         resized,
         1,
         1,
         "ex_bulkhead_serve",
         "serve may let several enter, and more may be inside than the limits "
         "allow"),
    CASE("random calls to two bulkheads, compared with a model",
         as_the_model,
         1,
         1,
         "ex_bulkhead_serve",
         "as the message says; if a test before it fails, begin with that one"),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "10-pooling",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
