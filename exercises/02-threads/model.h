/* model - callers, loads and gates, and the order in which threads go on
 *
 * Callers are threads, numbered from 1. The load belongs to the tests: it
 * counts itself and stops at the gate of its user until the test opens it.
 * uv_mutex_unlock, uv_cond_wait and uv_cond_broadcast are replaced as well. So
 * a test knows which callers are asleep, can stop a caller that has just
 * unlocked, and can delay a wake-up for a while: what goes wrong between two
 * critical sections goes wrong each time.
 *
 * Callers are put in order by relaxed atomics only, so that the thread
 * sanitizer sees every race. All waits end at a deadline before the time limit,
 * so that the test can say which callers hang.
 */
#ifndef EX_02_MODEL_H
#define EX_02_MODEL_H

#include "ex_single_flight.h"

#include "grader/calls.h"
#include "grader/leaks.h"
#include "grader/random.h"
#include "grader/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    CALLERS = 20,
    LAST_USER = 100,
    SECONDS = 8,  /* time limit of each test */
    PATIENCE = 4, /* seconds, the deadline */
    UNTOUCHED = -1
};

/* What a caller waits for when it has unlocked. */
enum stop {
    NO_STOP,
    UNTIL_ALL_CAME,   /* every caller has unlocked or sleeps */
    UNTIL_ONE_IS_DONE /* the first caller has its answer */
};

struct caller {
    /* set before it starts */
    int64_t user;
    unsigned number, asks; /* one right after the other */
    uv_thread_t thread;
    /* its own until it has answered */
    int status[2];
    int64_t value[2];
    /* guarded by lock */
    bool answered;
};

/* Static, so that a flight left in the list is not a leak: only the tests that
 * are about that complain. */
static struct {
    int64_t stride;            /* between the ids of two users */
    int64_t add;               /* to every value that is loaded */
    struct ex_flights flights; /* not first: its address is not that of t */
    uint64_t deadline;
    uv_mutex_t lock;
    uv_cond_t changed; /* one of the fields below */
    /* guarded by lock */
    unsigned loads[LAST_USER + 1]; /* begun, for each user */
    unsigned loads_of_round;
    bool open[LAST_USER + 1]; /* the gates */
    int status;               /* what loads return */
    struct caller callers[CALLERS];
    unsigned started;
    /* relaxed */
    atomic_uint sleepers; /* callers in uv_cond_wait */
    atomic_uint came;     /* a bit for each caller that has unlocked or slept */
    atomic_uint done;     /* a bit for each caller that has an answer */
    atomic_uint stop;     /* an enum stop */
    atomic_uint of;       /* how many callers have to come */
    atomic_bool hold;     /* nobody is woken */
    _Atomic(uv_cond_t *) held;
} t;

static _Thread_local struct caller *self; /* NULL: not a caller */

static inline unsigned relaxed(atomic_uint *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static inline void set_relaxed(atomic_uint *number, unsigned value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline void set_bit(atomic_uint *bits)
{
    (void)atomic_fetch_or_explicit(bits, 1u << self->number,
                                   memory_order_relaxed);
}

static inline unsigned count_bits(unsigned bits)
{
    unsigned count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* Lets a wake-up through that was held. */
static inline void wake_held(void)
{
    uv_cond_t *cond =
        atomic_exchange_explicit(&t.held, NULL, memory_order_relaxed);

    if (cond != NULL)
        (void)pthread_cond_broadcast(cond); /* it always succeeds */
}

/* Stops a caller that has just unlocked. Code that uses more locks might wait
 * for one another here, so it is let go after a while. */
static inline void stand_still(void)
{
    int watched = test_calls_watch(0);
    uint64_t end = uv_hrtime() + 500000000;
    enum stop stop = (enum stop)relaxed(&t.stop);

    set_bit(&t.came);
    (void)sched_yield();
    while (uv_hrtime() < end &&
           ((stop == UNTIL_ALL_CAME &&
             count_bits(relaxed(&t.came)) < relaxed(&t.of)) ||
            (stop == UNTIL_ONE_IS_DONE && self->number != 0 &&
             (relaxed(&t.done) & 1) == 0)))
        (void)sched_yield(); /* if it fails, this only takes longer */
    (void)test_calls_watch(watched);
}

/* These replace the functions of libuv, whose uv_mutex_t and uv_cond_t are
 * those of pthreads. */

void uv_mutex_unlock(uv_mutex_t *mutex)
{
    if (pthread_mutex_unlock(mutex) != 0)
        FAIL("uv_mutex_unlock of a lock that this thread does not hold");
    if (self != NULL && mutex != &t.lock)
        stand_still();
}

void uv_cond_wait(uv_cond_t *cond, uv_mutex_t *mutex)
{
    bool counts = self != NULL && mutex != &t.lock;

    if (counts) {
        wake_held();
        set_bit(&t.came);
        (void)atomic_fetch_add_explicit(&t.sleepers, 1, memory_order_relaxed);
    }
    if (pthread_cond_wait(cond, mutex) != 0)
        FAIL("uv_cond_wait while the lock is not held");
    if (counts)
        (void)atomic_fetch_sub_explicit(&t.sleepers, 1, memory_order_relaxed);
}

void uv_cond_broadcast(uv_cond_t *cond)
{
    if (self != NULL && cond != &t.changed &&
        atomic_load_explicit(&t.hold, memory_order_relaxed))
        atomic_store_explicit(&t.held, cond, memory_order_relaxed);
    else if (pthread_cond_broadcast(cond) != 0)
        FAIL("uv_cond_broadcast fails");
}

/* Loads */

static inline int64_t id_of(int64_t user)
{
    return user * t.stride;
}

/* The value of the nth load of a user. */
static inline int64_t value_of(int64_t user, unsigned nth)
{
    return user * 1000 + nth + t.add;
}

/* The value tells which load of which user it was: 3002 is the second load of
 * user 3. */
static inline int load(void *data, int64_t id, int64_t *ret_value)
{
    int watched = test_calls_watch(0);
    int64_t user = id / t.stride;
    unsigned number;
    int status;

    wake_held();
    if (data != &t || user < 1 || user > LAST_USER || id != id_of(user))
        test_wrong("load gets the data of init and the user that was asked for",
                   "%s data, and user %lld", data == &t ? "these" : "other",
                   (long long)id);
    uv_mutex_lock(&t.lock);
    number = ++t.loads[user];
    t.loads_of_round++;
    status = t.status;
    uv_cond_broadcast(&t.changed);
    while (!t.open[user])
        uv_cond_wait(&t.changed, &t.lock);
    uv_mutex_unlock(&t.lock);
    if (status == 0)
        *ret_value = value_of(user, number);
    (void)test_calls_watch(watched);
    return status;
}

static inline void begin(ex_load_cb load_cb)
{
    /* 4 s, and longer under a sanitizer, where everything takes longer. */
    t.deadline =
        uv_hrtime() + PATIENCE * UINT64_C(10000000000) / test_scaled(10);
    t.stride = 1;
    CHECK_INT(uv_mutex_init(&t.lock), 0);
    CHECK_INT(uv_cond_init(&t.changed), 0);
    CHECK_INT(ex_flights_init(&t.flights, load_cb, &t), 0);
}

static inline void end(void)
{
    ex_flights_destroy(&t.flights);
    uv_cond_destroy(&t.changed);
    uv_mutex_destroy(&t.lock);
}

static inline void open_gate(int64_t user)
{
    uv_mutex_lock(&t.lock);
    t.open[user] = true;
    uv_cond_broadcast(&t.changed);
    uv_mutex_unlock(&t.lock);
}

static inline unsigned count_loads(void)
{
    unsigned loads;

    uv_mutex_lock(&t.lock);
    loads = t.loads_of_round;
    uv_mutex_unlock(&t.lock);
    return loads;
}

/* Callers */

static inline void say_answered(struct caller *caller)
{
    wake_held();
    uv_mutex_lock(&t.lock);
    caller->answered = true;
    uv_cond_broadcast(&t.changed);
    uv_mutex_unlock(&t.lock);
}

static inline void run_caller(void *data)
{
    struct caller *caller = data;

    self = caller;
    test_leaks_do_not_count(); /* only the crowd is judged by them */
    for (unsigned i = 0; i < caller->asks; i++) {
        (void)test_calls_watch(1);
        caller->status[i] =
            ex_flights_get(&t.flights, id_of(caller->user), &caller->value[i]);
        (void)test_calls_watch(0);
        set_bit(&t.came);
        set_bit(&t.done);
    }
    say_answered(caller);
}

static inline void start(int64_t user, unsigned asks, uv_thread_cb run)
{
    struct caller *caller = &t.callers[t.started];

    *caller = (struct caller){.user = user,
                              .number = t.started++,
                              .asks = asks,
                              .value = {UNTOUCHED, UNTOUCHED}};
    CHECK_INT(uv_thread_create(&caller->thread, run, caller), 0);
}

static inline void start_each(unsigned count, int64_t user)
{
    while (count-- > 0)
        start(user, 1, run_caller);
}

/* All callers of the last round must have been joined. */
static inline void start_round(enum stop stop, unsigned callers)
{
    t.started = 0;
    t.loads_of_round = 0;
    set_relaxed(&t.came, 0);
    set_relaxed(&t.done, 0);
    set_relaxed(&t.of, callers);
    set_relaxed(&t.stop, stop);
}

/* Ends the test: "5 loads, 17 answers; callers 4, 9, 13 still wait". */
_Noreturn static inline void say_who_waits(const char *expected)
{
    unsigned loads = count_loads();
    bool counted = t.flights.load == load; /* the loads of a crowd are not */
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
    test_wrong(expected, "%s%s%s; caller%s %s still wait%s",
               counted ? test_count(loads, "load", NULL) : "",
               counted ? ", " : "", test_count(answers, "answer", NULL),
               answers + 1 == t.started ? "" : "s", list,
               answers + 1 == t.started ? "s" : "");
}

static inline unsigned count_answers(void)
{
    unsigned answers = 0;

    uv_mutex_lock(&t.lock);
    for (unsigned i = 0; i < t.started; i++)
        answers += t.callers[i].answered;
    uv_mutex_unlock(&t.lock);
    return answers;
}

/* Waits until all callers of this user (0: all callers) have their answers. */
static inline void await_answers(int64_t user, const char *expected)
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

static inline void
expect_got(int status, int64_t value, int expected, int64_t loaded)
{
    char text[160];

    (void)snprintf(text, sizeof text, "ex_flights_get: %s, value %lld",
                   test_code(expected), (long long)loaded);
    if (status != expected || value != loaded)
        test_wrong(text, "%s, value %lld", test_code(status), (long long)value);
}

#endif
