/* check - tests of the exercise "single flight"
 *
 * Nothing is put in order by sleeping: model.h knows which callers are asleep,
 * and stops threads where the code under test lets others in.
 */
#include "model.h"

#include <sqlite3.h>

enum {
    USERS = 5, /* that are asked for at once */
    ROUNDS = 8
};

static void check_list(void)
{
    if (t.flights.first != NULL) {
        test_cause("a flight that has ended is not taken out of the list");
        test_wrong("no flight in the list when all callers are answered",
                   "a flight is still in the list");
    }
}

static void check_no_polling(void)
{
    if (test_calls(TEST_CALL_SLEEP) + test_calls(TEST_CALL_TIMED) +
            test_calls(TEST_CALL_YIELD) ==
        0)
        return;
    test_cause("it sleeps for some time and looks again, so it answers late");
    test_wrong("a caller that waits sleeps in uv_cond_wait until it is woken",
               "it uses a sleep or a wait that ends by itself");
}

/* Waits until so many loads stop at their closed gates, and so many callers
 * are asleep. */
static void await_sleepers(unsigned loads, unsigned sleepers)
{
    char expected[160];
    unsigned begun, answers, asleep;
    bool locked;

    do {
        begun = count_loads();
        answers = count_answers();
        asleep = relaxed(&t.sleepers);
        /* A caller that falls asleep holds the lock until it sleeps. */
        locked = uv_mutex_trylock(&t.flights.lock) == 0;
        if (locked)
            uv_mutex_unlock(&t.flights.lock);
        check_no_polling();
        if (begun == loads && asleep == sleepers && locked)
            return;
        (void)sched_yield(); /* if it fails, this only takes longer */
    } while (begun <= loads && answers == 0 && uv_hrtime() < t.deadline);
    if (!locked && answers == 0) {
        test_cause("load is called while the lock is held");
        test_wrong("nobody holds the lock while a load runs", "a caller does");
    }
    (void)snprintf(expected, sizeof expected, "%s begun, %s asleep, no answers",
                   test_count(loads, "load", NULL),
                   test_count(sleepers, "caller", NULL));
    test_wrong(expected, "%s begun, %s asleep, %s",
               test_count(begun, "load", NULL),
               test_count(asleep, "caller", NULL),
               test_count(answers, "answer", NULL));
}

/* Joins all callers. The first answer of each must be that of load `number` of
 * its user, or the error status. */
static void check_answers(int status, unsigned number)
{
    for (unsigned i = 0; i < t.started; i++) {
        struct caller *caller = &t.callers[i];
        int64_t value =
            status == 0 ? value_of(caller->user, number) : UNTOUCHED;
        char expected[192];

        CHECK_INT(uv_thread_join(&caller->thread), 0);
        if (caller->status[0] == status && caller->value[0] == value)
            continue;
        (void)snprintf(expected, sizeof expected,
                       "caller %u gets %s and %s (value %lld)", i + 1,
                       test_code(status), status == 0 ? "a value" : "no value",
                       (long long)value);
        test_wrong(expected, "%s (value %lld)", test_code(caller->status[0]),
                   (long long)caller->value[0]);
    }
    check_no_polling();
}

/* Tests */

static void one_asks(void *fixture)
{
    int64_t value = UNTOUCHED;
    int status;

    (void)fixture; /* everything is in t */
    test_leaks_do_not_count();
    begin(load);
    t.open[3] = true;
    status = ex_flights_get(&t.flights, id_of(3), &value);
    expect_got(status, value, 0, value_of(3, 1));
    if (count_loads() != 1)
        test_wrong("1 load", "%s", test_count(count_loads(), "load", NULL));
    end();
}

static int load_elsewhere(void *data, int64_t user, int64_t *ret_value)
{
    (void)user;
    *(unsigned *)data += 1;
    *ret_value = 0; /* a value like any other */
    return 0;
}

/* A second list of flights, while the first one loads the same user. */
static void ask_elsewhere(int64_t user)
{
    struct ex_flights elsewhere;
    unsigned loads = 0;
    int64_t value = UNTOUCHED;
    int status;

    test_cause("a static variable, or one list for every struct ex_flights");
    CHECK_INT(ex_flights_init(&elsewhere, load_elsewhere, &loads), 0);
    status = ex_flights_get(&elsewhere, user, &value);
    expect_got(status, value, 0, 0);
    ex_flights_destroy(&elsewhere);
    test_cause(NULL);
}

/* A flight ends that is not the first in the list: the others stay in it. */
static void end_in_the_middle(void)
{
    test_cause("more leaves the list than the flight that has ended");
    start_round(NO_STOP, 0);
    start_each(1, 4);
    await_sleepers(1, 0);
    start_each(1, 5);
    await_sleepers(2, 0);
    open_gate(4);
    await_answers(4, "the answer for user 4 while user 5 is being loaded");
    start_each(1, 5);
    while (relaxed(&t.sleepers) == 0 && count_loads() == 2 &&
           uv_hrtime() < t.deadline)
        (void)sched_yield(); /* if it fails, this only takes longer */
    open_gate(5);
    await_answers(0, "2 loads, 3 answers");
    if (count_loads() != 2)
        test_wrong("2 loads, 3 answers", "%s, 3 answers",
                   test_count(count_loads(), "load", NULL));
    check_answers(0, 1);
}

/* The ids of all users have the same low 32 bits. */
static void others_do_not_wait(void *fixture)
{
    struct test_random random;

    (void)fixture;
    test_leaks_do_not_count();
    begin(load);
    test_random_init(&random, 2);
    t.stride = test_random_range(&random, -1000, -1) * (INT64_C(1) << 32);
    t.add = INT64_MAX / 2 + test_random_range(&random, 0, 1000000);
    start_each(1, 1);
    await_sleepers(1, 0);
    open_gate(2);
    start_each(1, 2);
    await_answers(2, "the answer for user 2 while user 1 is being loaded");
    ask_elsewhere(id_of(1));
    open_gate(1);
    await_answers(0, "2 loads, 2 answers");
    check_answers(0, 1);
    end_in_the_middle();
    end();
}

static void twenty_ask(void *fixture)
{
    static const char expected[] = "5 loads, 20 answers";

    (void)fixture;
    test_leaks_do_not_count();
    begin(load);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        int64_t first = 1 + (int64_t)round * USERS;

        start_round(NO_STOP, 0);
        for (unsigned i = 0; i < CALLERS; i++)
            start(first + i % USERS, 1, run_caller);
        await_sleepers(USERS, CALLERS - USERS);
        /* Callers for other users are woken too, and must not go on. */
        for (int64_t user = first + USERS - 1; user >= first; user--) {
            open_gate(user);
            await_answers(user, expected);
        }
        if (count_loads() != USERS)
            test_wrong(expected, "%s, 20 answers",
                       test_count(count_loads(), "load", NULL));
        check_answers(0, 1);
    }
    end();
}

/* Without memory for a new flight, if the code under test allocates one. */
static void ask_without_memory(int64_t user)
{
    int64_t value = UNTOUCHED;
    int status, failed;

    test_cause("malloc or calloc returned NULL, and that was not checked");
    t.open[user] = true;
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    status = ex_flights_get(&t.flights, user, &value);
    failed = test_alloc_has_failed();
    test_alloc_fail_at(0, 0, 0);
    if (failed)
        expect_got(status, value, UV_ENOMEM, UNTOUCHED);
    test_cause("after UV_ENOMEM the lock is held, or a flight is left");
    if (uv_mutex_trylock(&t.flights.lock) != 0)
        test_wrong("nobody holds the lock after UV_ENOMEM", "it is held");
    uv_mutex_unlock(&t.flights.lock);
    check_list();
}

static void an_error_is_for_all(void *fixture)
{
    struct test_random random;

    (void)fixture;
    test_leaks_do_not_count();
    begin(load);
    test_random_init(&random, 4);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        int code = SQLITE_IOERR | (int)test_random_range(&random, 1, 90) << 8;
        int64_t user = 1 + (int64_t)round;
        int64_t value = UNTOUCHED;
        int status;

        if (round % 2 == 0)
            code = (int)test_random_range(&random, -4096, -1);
        start_round(NO_STOP, 0);
        t.status = code;
        start_each(6, user);
        await_sleepers(1, 5);
        open_gate(user);
        await_answers(0, "1 load that fails, 6 answers");
        check_answers(code, 1);
        t.status = 0;
        test_cause("the error of a flight is kept for later callers");
        status = ex_flights_get(&t.flights, user, &value);
        expect_got(status, value, 0, value_of(user, 2));
        test_cause(NULL);
    }
    ask_without_memory(LAST_USER);
    end();
}

/* The first caller asks again before the others of its flight have woken. */
static void the_next_ask_loads(void *fixture)
{
    (void)fixture;
    test_leaks_do_not_count();
    begin(load);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        struct caller *first = &t.callers[0];
        int64_t user = 1 + (int64_t)round;

        start_round(NO_STOP, 0);
        start(user, 2, run_caller);
        await_sleepers(1, 0);
        start_each(3, user);
        await_sleepers(1, 3);
        atomic_store_explicit(&t.hold, true, memory_order_relaxed);
        open_gate(user);
        await_answers(0, "2 loads, 4 answers");
        atomic_store_explicit(&t.hold, false, memory_order_relaxed);
        check_answers(0, 1);
        if (first->status[1] != 0 || first->value[1] != value_of(user, 2))
            test_wrong("a second load for a caller that asks after the end",
                       "%s; %s, value %lld",
                       test_count(count_loads(), "load", NULL),
                       test_code(first->status[1]), (long long)first->value[1]);
    }
    check_list();
    end();
}

/* A caller that unlocks stops there until the others have come too. */
static void at_the_same_moment(void *fixture)
{
    (void)fixture;
    test_leaks_do_not_count();
    begin(load);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        int64_t user = 1 + 2 * (int64_t)round;

        test_cause("the lock is released between looking and acting");
        start_round(UNTIL_ALL_CAME, 3);
        start_each(3, user);
        await_sleepers(1, 2);
        set_relaxed(&t.came, 0); /* and so again when they leave */
        open_gate(user);
        await_answers(0, "1 load, 3 answers");
        check_answers(0, 1);
        /* Once more: the second caller stops until the first is gone. */
        start_round(UNTIL_ONE_IS_DONE, 2);
        start_each(1, user + 1);
        await_sleepers(1, 0);
        start_each(1, user + 1);
        while ((relaxed(&t.came) & 2) == 0 && uv_hrtime() < t.deadline)
            (void)sched_yield();
        open_gate(user + 1);
        await_answers(0, "1 load, 2 answers");
        check_answers(0, 1);
    }
    check_list();
    end();
}

static const char crowd_expected[] =
    "one load of a user at a time, which ends after the caller asked";

static atomic_uint inside[4], numbers[4], newest[4]; /* of users 1 to 3 */

/* Counts without a lock, because a lock would put the callers in order. */
static int load_for_crowd(void *data, int64_t user, int64_t *ret_value)
{
    unsigned number;

    (void)data; /* the other load checks it */
    if (atomic_fetch_add_explicit(&inside[user], 1, memory_order_relaxed) != 0)
        test_wrong(crowd_expected, "two loads of user %lld at once",
                   (long long)user);
    number =
        1 + atomic_fetch_add_explicit(&numbers[user], 1, memory_order_relaxed);
    for (int i = 0; i < 3; i++)
        (void)sched_yield(); /* so that others find this flight */
    if (number % 8 != 0)
        *ret_value = number;
    (void)atomic_fetch_sub_explicit(&inside[user], 1, memory_order_relaxed);
    return number % 8 != 0 ? 0 : SQLITE_BUSY;
}

/* An answer must come from a load that ended after the caller asked: its number
 * is higher than any that a caller had got before. */
static void run_in_crowd(void *data)
{
    struct caller *caller = data;
    unsigned dice =
        (unsigned)test_seed() * 2654435761u + (unsigned)caller->user;

    self = caller;
    for (unsigned i = 0; i < caller->asks; i++) {
        int64_t user = 1 + (dice >> 16) % 3;
        unsigned before = relaxed(&newest[user]);
        unsigned seen = before;
        int64_t value = 0;
        int status = ex_flights_get(&t.flights, user, &value);

        if (status == SQLITE_BUSY && value == 0)
            value = before;
        else if (status != 0 || value <= before)
            test_wrong(crowd_expected,
                       "%s and load %lld; load %u had ended before it asked",
                       test_code(status), (long long)value, before);
        while (seen < value && !atomic_compare_exchange_weak_explicit(
                                   &newest[user], &seen, (unsigned)value,
                                   memory_order_relaxed, memory_order_relaxed))
            continue;
        dice = dice * 1103515245u + 12345u;
    }
    say_answered(caller);
}

/* Leaks count in this test. */
static void a_crowd(void *fixture)
{
    (void)fixture;
    begin(load_for_crowd);
    for (int64_t i = 1; i <= 8; i++)
        start(i, test_scaled(2000), run_in_crowd);
    await_answers(0, "all 8 callers get all of their answers");
    for (unsigned i = 0; i < t.started; i++)
        CHECK_INT(uv_thread_join(&t.callers[i].thread), 0);
    check_list();
    end();
}

#define ALL_BUILDS (TEST_PLAIN | TEST_ADDRESS | TEST_THREAD)
#define GET .seconds = SECONDS, .function = "ex_flights_get"

static const struct test_case cases[] = {
    {.name = "one_asks",
     .title = "one caller asks: one load",
     .points = 1,
     .run = one_asks,
     GET},
    {.name = "others_do_not_wait",
     .title = "no caller waits for the load of another user",
     .points = 1,
     .run = others_do_not_wait,
     .needs = 1,
     GET,
     .cause = "one lock, or one flight, for all users"},
    {.name = "twenty_ask",
     .title = "twenty callers ask, five users are loaded",
     .points = 2,
     .run = twenty_ask,
     .needs = 1,
     GET,
     .cause = "a caller that is woken does not check whether its own flight "
              "has ended, or not all callers are woken"},
    {.name = "an_error_is_for_all",
     .title = "an error wakes all callers and is given to each",
     .points = 2,
     .run = an_error_is_for_all,
     .needs = 1,
     GET,
     .cause = "the way out after an error is not the same as after a success"},
    {.name = "the_next_ask_loads",
     .title = "a caller that asks after the end loads again",
     .points = 1,
     .run = the_next_ask_loads,
     .needs = 1,
     GET,
     .cause = "a flight that has ended is still found in the list"},
    {.name = "at_the_same_moment",
     .title = "all callers ask, and all leave, at the same moment",
     .points = 1,
     .run = at_the_same_moment,
     .builds = ALL_BUILDS,
     .needs = 1,
     GET},
    {.name = "a_crowd",
     .title = "eight threads ask again and again: no race, nothing left",
     .points = 2,
     .run = a_crowd,
     .builds = ALL_BUILDS,
     .times = 2,
     .needs = 1,
     GET,
     .cause = "the lock is released between looking and acting"},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "02-threads", .cases = cases};
