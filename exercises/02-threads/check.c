/* check - tests of the exercise "single flight"
 *
 * Callers are threads, numbered from 1. The load is ours: it counts, and
 * stands at the gate of its user until the test opens it. Nothing is ordered
 * by sleeping: the test knows from ex_flights_waiting that somebody waits. All
 * of its own waits end at a deadline before the time limit, to say who hangs.
 */
#include "ex_single_flight.h"
#include "grader/test.h"

#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    CALLERS = 20,
    USERS = 5, /* who are asked for at once */
    ROUNDS = 20,
    LAST_USER = USERS * ROUNDS, /* each round has users of its own */
    SECONDS = 8,                /* time limit of each test */
    PATIENCE = 4,               /* seconds, the deadline */
    UNTOUCHED = -1
};

struct caller {
    /* set before it starts */
    int64_t user;
    unsigned asks; /* one right after the other */
    uv_thread_t thread;
    /* its own until it has answered */
    int status[2];
    int64_t value[2];
    /* guarded by lock */
    bool answered;
};

/* Static, so that a flight left in the list is no leak: the tests whose
 * business it is say so. */
static struct {
    struct ex_flights flights;
    uint64_t deadline;
    uv_mutex_t lock;
    uv_cond_t changed; /* any of these */
    /* guarded by lock */
    unsigned loads[LAST_USER + 1]; /* that have begun */
    unsigned loads_of_round;
    bool open[LAST_USER + 1]; /* the gates */
    int status;               /* that loads return */
    struct caller callers[CALLERS];
    unsigned started;
    /* for the crowd; relaxed, so that they put nothing in order */
    atomic_uint inside[4], numbers[4], newest[4];
} t;

/* The value says which load of which user it was: 3002 is user 3's second. */
static int load(void *data, int64_t user, int64_t *ret_value)
{
    unsigned number;
    int status;

    if (data != &t || user < 1 || user > LAST_USER)
        test_wrong("load gets the data of init and the user that was asked for",
                   "load got %s data and user %lld",
                   data == &t ? "these" : "other", (long long)user);
    uv_mutex_lock(&t.lock);
    number = ++t.loads[user];
    t.loads_of_round++;
    status = t.status;
    uv_cond_broadcast(&t.changed);
    while (!t.open[user])
        uv_cond_wait(&t.changed, &t.lock);
    uv_mutex_unlock(&t.lock);
    if (status == 0)
        *ret_value = user * 1000 + number;
    return status;
}

static void begin(ex_load_cb load_cb)
{
    /* 4 s, and under a sanitizer as many times as long as things take. */
    t.deadline =
        uv_hrtime() + PATIENCE * UINT64_C(10000000000) / test_scaled(10);
    CHECK_INT(uv_mutex_init(&t.lock), 0);
    CHECK_INT(uv_cond_init(&t.changed), 0);
    CHECK_INT(ex_flights_init(&t.flights, load_cb, &t), 0);
}

static void check_list(void)
{
    if (t.flights.first != NULL) {
        test_cause("a flight is not taken out of the list when it has ended");
        test_wrong("no flight in the list when all have their answers",
                   "a flight is still in the list");
    }
}

static void end(void)
{
    ex_flights_destroy(&t.flights);
    uv_cond_destroy(&t.changed);
    uv_mutex_destroy(&t.lock);
}

static void open_gate(int64_t user)
{
    uv_mutex_lock(&t.lock);
    t.open[user] = true;
    uv_cond_broadcast(&t.changed);
    uv_mutex_unlock(&t.lock);
}

static unsigned count_loads(void)
{
    unsigned loads;

    uv_mutex_lock(&t.lock);
    loads = t.loads_of_round;
    uv_mutex_unlock(&t.lock);
    return loads;
}

/* Callers */

static void run_caller(void *data)
{
    struct caller *caller = data;

    for (unsigned i = 0; i < caller->asks; i++)
        caller->status[i] =
            ex_flights_get(&t.flights, caller->user, &caller->value[i]);
    uv_mutex_lock(&t.lock);
    caller->answered = true;
    uv_cond_broadcast(&t.changed);
    uv_mutex_unlock(&t.lock);
}

static void start(int64_t user, unsigned asks, uv_thread_cb run)
{
    struct caller *caller = &t.callers[t.started++];

    *caller = (struct caller){
        .user = user, .asks = asks, .value = {UNTOUCHED, UNTOUCHED}};
    CHECK_INT(uv_thread_create(&caller->thread, run, caller), 0);
}

static unsigned count_answers(void)
{
    unsigned answers = 0;

    uv_mutex_lock(&t.lock);
    for (unsigned i = 0; i < t.started; i++)
        answers += t.callers[i].answered;
    uv_mutex_unlock(&t.lock);
    return answers;
}

static void start_each(unsigned count, int64_t user)
{
    while (count-- > 0)
        start(user, 1, run_caller);
}

/* Ends the test: "5 loads, 17 answers; callers 4, 9, 13 still wait". */
_Noreturn static void say_who_waits(const char *expected)
{
    unsigned loads = count_loads();
    char list[256];
    size_t used = 0;
    unsigned answers = 0;

    list[0] = '\0';
    uv_mutex_lock(&t.lock);
    for (unsigned i = 0; i < t.started; i++) {
        if (t.callers[i].answered)
            answers++;
        else
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%u",
                                     used == 0 ? "" : ", ", i + 1);
    }
    uv_mutex_unlock(&t.lock);
    test_wrong(expected, "%u load(s), %u answer(s); still waiting: caller %s",
               loads, answers, list);
}

/* Waits until all callers of this user (0: of any) have their answers. */
static void await_answers(int64_t user, const char *expected)
{
    bool in_time = true;

    uv_mutex_lock(&t.lock);
    for (unsigned i = 0; i < t.started; i++) {
        struct caller *caller = &t.callers[i];

        while (in_time && !caller->answered &&
               (user == 0 || caller->user == user)) {
            uint64_t now = uv_hrtime();

            in_time =
                now < t.deadline &&
                uv_cond_timedwait(&t.changed, &t.lock, t.deadline - now) == 0;
        }
    }
    uv_mutex_unlock(&t.lock);
    if (!in_time)
        say_who_waits(expected);
}

/* Waits until so many loads stand at their gates, which are closed, and so
 * many callers sleep. */
static void await_sleepers(unsigned loads, unsigned sleepers)
{
    char expected[64];
    unsigned begun, answers, waiting = 0;
    bool locked;

    do {
        begun = count_loads();
        answers = count_answers();
        locked = uv_mutex_trylock(&t.flights.lock) == 0;
        if (locked) {
            waiting = t.flights.waiting;
            uv_mutex_unlock(&t.flights.lock);
        }
        if (begun == loads && waiting == sleepers && locked)
            return;
        (void)sched_yield(); /* if it fails, this only takes longer */
    } while (begun <= loads && answers == 0 && uv_hrtime() < t.deadline);
    if (!locked && answers == 0)
        test_wrong("the lock is free while a load runs", "it is held");
    (void)snprintf(expected, sizeof expected,
                   "%u load(s) and %u caller(s) asleep, none answered", loads,
                   sleepers);
    test_wrong(expected, "%u load(s) and %u asleep, %u answered", begun,
               waiting, answers);
}

/* Joins all. Each of their first answers must be that of load `number` of
 * their user, or status. */
static void check_answers(int status, unsigned number)
{
    for (unsigned i = 0; i < t.started; i++) {
        struct caller *caller = &t.callers[i];
        int64_t value = status == 0 ? caller->user * 1000 + number : UNTOUCHED;
        char expected[96];

        CHECK_INT(uv_thread_join(&caller->thread), 0);
        if (caller->status[0] == status && caller->value[0] == value)
            continue;
        (void)snprintf(expected, sizeof expected,
                       "caller %u gets status %d and %s (value %lld)", i + 1,
                       status, status == 0 ? "what was loaded" : "no value",
                       (long long)value);
        test_wrong(expected, "status %d (value %lld)", caller->status[0],
                   (long long)caller->value[0]);
    }
}

/* All callers of the last round are joined. */
static void start_round(void)
{
    t.started = 0;
    t.loads_of_round = 0;
}

/* Tests */

/* Only one thread is there, so nobody else can hold the lock. */
static int load_alone(void *data, int64_t user, int64_t *ret_value)
{
    if (uv_mutex_trylock(&t.flights.lock) != 0) {
        test_cause("the lock is not given back before load is called");
        test_wrong("load is called without the lock",
                   "load was called with the lock held");
    }
    uv_mutex_unlock(&t.flights.lock);
    return load(data, user, ret_value);
}

static void one_asks(void *fixture)
{
    int64_t value = UNTOUCHED;

    (void)fixture; /* all is in t */
    begin(load_alone);
    t.open[3] = true;
    CHECK_INT(ex_flights_get(&t.flights, 3, &value), 0);
    CHECK_INT(count_loads(), 1);
    CHECK_INT(value, 3001);
    end();
}

static void others_do_not_wait(void *fixture)
{
    (void)fixture;
    begin(load);
    start_each(1, 1);
    await_sleepers(1, 0);
    open_gate(2);
    start_each(1, 2);
    await_answers(2, "the answer for user 2 while user 1 is being loaded");
    open_gate(1);
    await_answers(0, "2 loads, 2 answers");
    check_answers(0, 1);
    end();
}

static void twenty_ask(void *fixture)
{
    static const char expected[] = "5 loads, 20 answers";

    (void)fixture;
    begin(load);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        int64_t first = 1 + (int64_t)round * USERS;

        start_round();
        for (unsigned i = 0; i < CALLERS; i++)
            start(first + i % USERS, 1, run_caller);
        await_sleepers(USERS, CALLERS - USERS);
        /* Whoever waits for another user is woken too, and must not go. */
        for (int64_t user = first + USERS - 1; user >= first; user--) {
            open_gate(user);
            await_answers(user, expected);
        }
        if (count_loads() != USERS)
            test_wrong(expected, "%u loads, 20 answers", count_loads());
        check_answers(0, 1);
    }
    end();
}

static void an_error_is_for_all(void *fixture)
{
    (void)fixture;
    begin(load);
    for (unsigned round = 0; round < test_scaled(ROUNDS); round++) {
        int64_t user = 1 + (int64_t)round;
        int64_t value = UNTOUCHED;

        start_round();
        t.status = SQLITE_IOERR;
        start_each(6, user);
        await_sleepers(1, 5);
        open_gate(user);
        await_answers(0, "1 load that fails, 6 answers");
        check_answers(SQLITE_IOERR, 1);
        t.status = 0;
        test_cause("an error is kept for those who ask later");
        CHECK_INT(ex_flights_get(&t.flights, user, &value), 0);
        CHECK_INT(value, user * 1000 + 2);
        test_cause(NULL);
    }
    end();
}

/* The caller asks again while those who shared its flight still wake up. */
static void the_next_ask_loads(void *fixture)
{
    (void)fixture;
    begin(load);
    for (unsigned round = 0; round < test_scaled(LAST_USER); round++) {
        struct caller *first = &t.callers[0];
        int64_t user = 1 + (int64_t)round;

        start_round();
        start(user, 2, run_caller);
        await_sleepers(1, 0);
        start_each(3, user);
        await_sleepers(1, 3);
        open_gate(user);
        await_answers(0, "2 loads, 4 answers");
        check_answers(0, 1);
        if (first->status[1] != 0 || first->value[1] != user * 1000 + 2)
            test_wrong("who asks after the end gets what a second load brings",
                       "%u load, and status %d, value %lld", count_loads(),
                       first->status[1], (long long)first->value[1]);
    }
    check_list();
    end();
}

static const char crowd_expected[] =
    "one load of a user at a time, each ended after the question";

/* Counts without any lock, which would put the callers in order. */
static int load_for_crowd(void *data, int64_t user, int64_t *ret_value)
{
    unsigned number;

    (void)data; /* looked at by the other load */
    if (atomic_fetch_add_explicit(&t.inside[user], 1, memory_order_relaxed) !=
        0)
        test_wrong(crowd_expected, "two loads of user %lld at once",
                   (long long)user);
    number = 1 + atomic_fetch_add_explicit(&t.numbers[user], 1,
                                           memory_order_relaxed);
    for (int i = 0; i < 3; i++)
        (void)sched_yield(); /* so that others find this flight */
    *ret_value = number;
    (void)atomic_fetch_sub_explicit(&t.inside[user], 1, memory_order_relaxed);
    return 0;
}

/* An answer has to come from a load that ended after the question: its number
 * is above all that anybody had got before. */
static void run_in_crowd(void *data)
{
    struct caller *caller = data;
    unsigned dice =
        (unsigned)test_seed() * 2654435761u + (unsigned)caller->user;

    for (unsigned i = 0; i < caller->asks; i++) {
        int64_t user = 1 + (dice >> 16) % 3;
        atomic_uint *newest = &t.newest[user];
        unsigned before = atomic_load_explicit(newest, memory_order_relaxed);
        unsigned seen = before;
        int64_t value = 0;
        int status = ex_flights_get(&t.flights, user, &value);

        if (status != 0 || value <= before)
            test_wrong(crowd_expected,
                       "status %d and load %lld; before the question load %u "
                       "had ended",
                       status, (long long)value, before);
        while (seen < value && !atomic_compare_exchange_weak_explicit(
                                   newest, &seen, (unsigned)value,
                                   memory_order_relaxed, memory_order_relaxed))
            continue;
        dice = dice * 1103515245u + 12345u;
    }
    uv_mutex_lock(&t.lock);
    caller->answered = true;
    uv_cond_broadcast(&t.changed);
    uv_mutex_unlock(&t.lock);
}

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

static const struct test_case cases[] = {
    {.name = "one_asks",
     .title = "one asks, one is loaded",
     .points = 1,
     .run = one_asks,
     .seconds = SECONDS,
     .function = "ex_flights_get"},
    {.name = "others_do_not_wait",
     .title = "nobody waits for the load of another user",
     .points = 2,
     .run = others_do_not_wait,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_flights_get",
     .cause = "one lock, or one flight, for all users"},
    {.name = "twenty_ask",
     .title = "twenty ask, five are loaded",
     .points = 2,
     .run = twenty_ask,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_flights_get",
     .cause = "who wakes goes on, or sleeps on, without looking at its flight; "
              "or not all are woken"},
    {.name = "an_error_is_for_all",
     .title = "an error wakes all and is given to all",
     .points = 2,
     .run = an_error_is_for_all,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_flights_get",
     .cause = "after an error the way out is another one than after a success"},
    {.name = "the_next_ask_loads",
     .title = "who asks after the end loads again",
     .points = 1,
     .run = the_next_ask_loads,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_flights_get",
     .cause = "a flight that has ended is still found in the list"},
    {.name = "a_crowd",
     .title = "eight ask again and again: no race, nothing left",
     .points = 2,
     .run = a_crowd,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .times = 3,
     .needs = 1,
     .function = "ex_flights_get",
     .cause = "the lock is given back between looking and acting"},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "02-threads", .cases = cases};
