/* threads - counts the threads that a test has started and that still run
 *
 * Owns the count. Any thread enters. The linker turns each call of the
 * functions below in the files that are linked into one of __wrap_..., so
 * threads of libuv's pool and of a sanitizer do not count. The count is a
 * relaxed atomic: it must not put threads in an order that the code under test
 * does not, or the thread sanitizer would miss its races. A thread that was
 * joined has been taken off before the join returned.
 *
 * Without --wrap nobody calls the functions, and no thread is ever left.
 */
#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* How long a thread that nobody joins may take to end on an idle machine. */
#define ENDING_NS UINT64_C(1000000000)

static atomic_int running;

/* Set before the test begins. The key's destructor runs in every thread that
 * ends, also by pthread_exit. */
static int counts;
static pthread_key_t key;

static void take_off(void *value)
{
    (void)value;
    atomic_fetch_sub_explicit(&running, 1, memory_order_relaxed);
}

void test__threads_prepare(void)
{
    counts = pthread_key_create(&key, take_off) == 0;
}

unsigned test__threads_left(void)
{
    uint64_t most = (uint64_t)(ENDING_NS * test__busy());
    uint64_t rest = test__time_left();
    uint64_t end = uv_hrtime() + (most < rest ? most : rest);
    int left;

    while ((left = atomic_load_explicit(&running, memory_order_relaxed)) > 0 &&
           uv_hrtime() < end)
        (void)poll(NULL, 0, 1); /* for those that are detached */
    return left > 0 ? (unsigned)left : 0;
}

#ifdef TEST_HAVE_WRAP

/* What a thread is to do, by either interface. */
struct task {
    void *(*run)(void *data);
    uv_thread_cb run_uv;
    void *data;
    bool has_room; /* on its stack, for another one */
};

/* The allocator below the one that fails by countdown. */
void *__real_malloc(size_t size) __attribute__((weak));

int __real_pthread_create(pthread_t *,
                          const pthread_attr_t *,
                          void *(*)(void *),
                          void *) __attribute__((weak));
int __real_uv_thread_create(uv_thread_t *, uv_thread_cb, void *)
    __attribute__((weak));
int __real_uv_thread_create_ex(uv_thread_t *,
                               const uv_thread_options_t *,
                               uv_thread_cb,
                               void *) __attribute__((weak));
int __wrap_pthread_create(pthread_t *,
                          const pthread_attr_t *,
                          void *(*)(void *),
                          void *);
int __wrap_uv_thread_create(uv_thread_t *, uv_thread_cb, void *);
int __wrap_uv_thread_create_ex(uv_thread_t *,
                               const uv_thread_options_t *,
                               uv_thread_cb,
                               void *);

static void *run_task(const struct task *task)
{
    if (task->run != NULL)
        return task->run(task->data);
    task->run_uv(task->data);
    return NULL;
}

/* Not inlined, so that a small stack does not hold the array. */
__attribute__((noinline)) static void *run_with_stack(const struct task *task)
{
    char memory[TEST__STACK_SIZE];
    void *result;

    test__crash_thread(memory);
    result = run_task(task);
    test__crash_thread(NULL);
    return result;
}

/* Takes the thread off by itself where the key does not. */
static void *run_thread(void *data)
{
    struct task task = *(struct task *)data;
    bool is_kept;
    void *result;

    free(data);
    /* Without memory for it, the thread is taken off when it returns. */
    is_kept = counts && pthread_setspecific(key, &running) == 0;
    result = task.has_room ? run_with_stack(&task) : run_task(&task);
    if (!is_kept)
        take_off(NULL);
    return result;
}

static void run_uv_thread(void *data)
{
    (void)run_thread(data);
}

/* Counts a thread and writes down what it is to do. Returns NULL without
 * memory. */
static struct task *add(void *(*run)(void *), uv_thread_cb run_uv, void *data)
{
    struct task *task =
        __real_malloc != NULL ? __real_malloc(sizeof *task) : NULL;

    if (task == NULL)
        return NULL;
    task->run = run;
    task->run_uv = run_uv;
    task->data = data;
    /* A sanitizer has stacks for signals of its own. */
    task->has_room = !TEST__ADDRESS_SANITIZER && !TEST__THREAD_SANITIZER;
    atomic_fetch_add_explicit(&running, 1, memory_order_relaxed);
    return task;
}

/* The thread could not be started. */
static void take_back(struct task *task)
{
    take_off(NULL);
    free(task);
}

int __wrap_pthread_create(pthread_t *ret_thread,
                          const pthread_attr_t *attributes,
                          void *(*run)(void *),
                          void *data)
{
    struct task *task = add(run, NULL, data);
    size_t size;
    int err;

    if (task == NULL)
        return EAGAIN;
    if (attributes != NULL && pthread_attr_getstacksize(attributes, &size) == 0)
        task->has_room &= size >= 8 * TEST__STACK_SIZE;
    err = __real_pthread_create(ret_thread, attributes, run_thread, task);
    if (err != 0)
        take_back(task);
    return err;
}

int __wrap_uv_thread_create(uv_thread_t *ret_thread,
                            uv_thread_cb run,
                            void *data)
{
    struct task *task = add(NULL, run, data);
    int err;

    if (task == NULL)
        return UV_ENOMEM;
    err = __real_uv_thread_create(ret_thread, run_uv_thread, task);
    if (err != 0)
        take_back(task);
    return err;
}

int __wrap_uv_thread_create_ex(uv_thread_t *ret_thread,
                               const uv_thread_options_t *options,
                               uv_thread_cb run,
                               void *data)
{
    struct task *task = add(NULL, run, data);
    int err;

    if (task == NULL)
        return UV_ENOMEM;
    task->has_room &= (options->flags & UV_THREAD_HAS_STACK_SIZE) == 0;
    err = __real_uv_thread_create_ex(ret_thread, options, run_uv_thread, task);
    if (err != 0)
        take_back(task);
    return err;
}

#endif
