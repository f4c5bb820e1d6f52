/* calls - counts the calls by which code waits: asleep, or by polling
 *
 * A thread that sleeps until it is woken makes one call; one that looks again
 * and again makes many. Which they are is known only for a thread that is being
 * watched: a test watches its own thread while it is inside the code under
 * test, and stops in the callbacks that come back from there.
 *
 *     test_calls_watch(1);
 *     err = ex_flights_get(&flights, user, &value);
 *     test_calls_watch(0);
 *
 * The counts are relaxed atomics, so that they put no threads in order. Only
 * where the linker knows --wrap (TEST_HAVE_WRAP); elsewhere all stay 0. Calls
 * inside a library that is linked dynamically, as those of uv_run, do not
 * count.
 */
#ifndef GRADER_CALLS_H
#define GRADER_CALLS_H

enum test_call {
    TEST_CALL_SLEEP, /* sleep, usleep, nanosleep, clock_nanosleep, uv_sleep,
                        and poll, select, pselect */
    TEST_CALL_TIMED, /* pthread_cond_timedwait, pthread_cond_clockwait,
                        uv_cond_timedwait, sem_timedwait */
    TEST_CALL_WAIT,  /* pthread_cond_wait, uv_cond_wait */
    TEST_CALL_WAKE,  /* ..._cond_signal, ..._cond_broadcast */
    TEST_CALL_LOCK,  /* ..._mutex_lock, ..._mutex_trylock */
    TEST_CALL_YIELD, /* sched_yield, uv_sem_trywait, sem_trywait */
    TEST_CALLS
};

/* From now on calls of this thread count, or do not. Returns what was. */
int test_calls_watch(int on);

/* Returns how often the threads that were watched have called one of these
 * since the start of the test. Any thread. */
unsigned test_calls(enum test_call call);

#endif
