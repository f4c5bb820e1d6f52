/* calls - counts the calls by which code waits: asleep, or by polling
 *
 * Owns the counts. Any thread enters. The linker turns each call of these
 * functions in the files that are linked into one of __wrap_..., see
 * alloc_wrap.c.
 */
#include "calls.h"
#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/select.h>
#include <time.h>

static atomic_uint counts[TEST_CALLS];
static _Thread_local int watched;

int test_calls_watch(int on)
{
    int before = watched;

    watched = on;
    return before;
}

unsigned test_calls(enum test_call call)
{
    return atomic_load_explicit(&counts[call], memory_order_relaxed);
}

#ifdef TEST_HAVE_WRAP

static void count(enum test_call call)
{
    if (watched)
        (void)atomic_fetch_add_explicit(&counts[call], 1, memory_order_relaxed);
}

/* The Makefile reads the names out of these lines. */
unsigned __wrap_sleep(unsigned seconds);
int __wrap_usleep(unsigned microseconds);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_clock_nanosleep(clockid_t clock,
                           int flags,
                           const struct timespec *time,
                           struct timespec *left);
void __wrap_uv_sleep(unsigned milliseconds);
int __wrap_poll(struct pollfd *fds, nfds_t number, int timeout);
int __wrap_select(
    int number, fd_set *in, fd_set *out, fd_set *errors, struct timeval *time);
int __wrap_pselect(int number,
                   fd_set *in,
                   fd_set *out,
                   fd_set *errors,
                   const struct timespec *time,
                   const sigset_t *mask);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond,
                                  pthread_mutex_t *mutex,
                                  const struct timespec *time);
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond,
                                  pthread_mutex_t *mutex,
                                  clockid_t clock,
                                  const struct timespec *time);
int __wrap_uv_cond_timedwait(uv_cond_t *cond, uv_mutex_t *mutex, uint64_t ns);
int __wrap_sem_timedwait(sem_t *sem, const struct timespec *time);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
void __wrap_uv_cond_wait(uv_cond_t *cond, uv_mutex_t *mutex);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
void __wrap_uv_cond_signal(uv_cond_t *cond);
void __wrap_uv_cond_broadcast(uv_cond_t *cond);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
void __wrap_uv_mutex_lock(uv_mutex_t *mutex);
int __wrap_uv_mutex_trylock(uv_mutex_t *mutex);
int __wrap_sched_yield(void);
int __wrap_sem_trywait(sem_t *sem);
int __wrap_uv_sem_trywait(uv_sem_t *sem);

/* Defines one of them. */
#define COUNTED(call, type, name, parameters, arguments)                       \
    type __real_##name parameters __attribute__((weak));                       \
    type __wrap_##name parameters                                              \
    {                                                                          \
        count(call);                                                           \
        return __real_##name arguments;                                        \
    }
#define COUNTED_VOID(call, name, parameters, arguments)                        \
    void __real_##name parameters __attribute__((weak));                       \
    void __wrap_##name parameters                                              \
    {                                                                          \
        count(call);                                                           \
        __real_##name arguments;                                               \
    }

COUNTED(TEST_CALL_SLEEP, unsigned, sleep, (unsigned seconds), (seconds))
COUNTED(TEST_CALL_SLEEP, int, usleep, (unsigned microseconds), (microseconds))
COUNTED(TEST_CALL_SLEEP,
        int,
        nanosleep,
        (const struct timespec *time, struct timespec *left),
        (time, left))
COUNTED(TEST_CALL_SLEEP,
        int,
        clock_nanosleep,
        (clockid_t clock,
         int flags,
         const struct timespec *time,
         struct timespec *left),
        (clock, flags, time, left))
COUNTED_VOID(TEST_CALL_SLEEP, uv_sleep, (unsigned milliseconds), (milliseconds))
COUNTED(TEST_CALL_SLEEP,
        int,
        poll,
        (struct pollfd * fds, nfds_t number, int timeout),
        (fds, number, timeout))
COUNTED(
    TEST_CALL_SLEEP,
    int,
    select,
    (int number, fd_set *in, fd_set *out, fd_set *errors, struct timeval *time),
    (number, in, out, errors, time))
COUNTED(TEST_CALL_SLEEP,
        int,
        pselect,
        (int number,
         fd_set *in,
         fd_set *out,
         fd_set *errors,
         const struct timespec *time,
         const sigset_t *mask),
        (number, in, out, errors, time, mask))
COUNTED(TEST_CALL_TIMED,
        int,
        pthread_cond_timedwait,
        (pthread_cond_t * cond,
         pthread_mutex_t *mutex,
         const struct timespec *time),
        (cond, mutex, time))
COUNTED(TEST_CALL_TIMED,
        int,
        pthread_cond_clockwait,
        (pthread_cond_t * cond,
         pthread_mutex_t *mutex,
         clockid_t clock,
         const struct timespec *time),
        (cond, mutex, clock, time))
COUNTED(TEST_CALL_TIMED,
        int,
        uv_cond_timedwait,
        (uv_cond_t * cond, uv_mutex_t *mutex, uint64_t ns),
        (cond, mutex, ns))
COUNTED(TEST_CALL_TIMED,
        int,
        sem_timedwait,
        (sem_t * sem, const struct timespec *time),
        (sem, time))
COUNTED(TEST_CALL_WAIT,
        int,
        pthread_cond_wait,
        (pthread_cond_t * cond, pthread_mutex_t *mutex),
        (cond, mutex))
COUNTED_VOID(TEST_CALL_WAIT,
             uv_cond_wait,
             (uv_cond_t * cond, uv_mutex_t *mutex),
             (cond, mutex))
COUNTED(
    TEST_CALL_WAKE, int, pthread_cond_signal, (pthread_cond_t * cond), (cond))
COUNTED(TEST_CALL_WAKE,
        int,
        pthread_cond_broadcast,
        (pthread_cond_t * cond),
        (cond))
COUNTED_VOID(TEST_CALL_WAKE, uv_cond_signal, (uv_cond_t * cond), (cond))
COUNTED_VOID(TEST_CALL_WAKE, uv_cond_broadcast, (uv_cond_t * cond), (cond))
COUNTED(
    TEST_CALL_LOCK, int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
COUNTED(TEST_CALL_LOCK,
        int,
        pthread_mutex_trylock,
        (pthread_mutex_t * mutex),
        (mutex))
COUNTED_VOID(TEST_CALL_LOCK, uv_mutex_lock, (uv_mutex_t * mutex), (mutex))
COUNTED(TEST_CALL_LOCK, int, uv_mutex_trylock, (uv_mutex_t * mutex), (mutex))
COUNTED(TEST_CALL_YIELD, int, sched_yield, (void), ())
COUNTED(TEST_CALL_YIELD, int, sem_trywait, (sem_t * sem), (sem))
COUNTED(TEST_CALL_YIELD, int, uv_sem_trywait, (uv_sem_t * sem), (sem))

#endif
