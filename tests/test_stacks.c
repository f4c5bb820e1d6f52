/* test_stacks - a test that hangs or crashes says where its threads are
 *
 * Each test starts itself again as the inner one. What that says about its
 * threads, addr2line turns into names of functions of this file.
 *
 * A sanitizer tells by itself where a test has crashed, and the thread
 * sanitizer holds signals back: in these builds a test about that has nothing
 * to do.
 */
#include "grader/again.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RECORDS = 8
};

/* The functions of one thread, innermost first: "1: f g main". */
struct names {
    char text[RECORDS][2048];
    size_t count;
};

/* A function that can be found on the stack. */
#define SEEN __attribute__((noinline))

/* Adds the names of the functions at the places in a record. */
static void add_names(struct names *names, const char *record)
{
    char program[TEST__PATH_SIZE];
    char command[4096];
    char line[512];
    char *text = names->text[names->count++];
    size_t size = sizeof(program);
    FILE *output;

    CHECK_INT(uv_exepath(program, &size), 0);
    CHECK_CONTAINS(record, ": 0x");
    /* How busy it was depends on the machine. */
    (void)snprintf(text, sizeof(names->text[0]),
                   "%.*s:", (int)strcspn(record, "*:"), record);
    (void)snprintf(command, sizeof(command), "addr2line -f -e '%s'%s", program,
                   strchr(record, ' '));
    output = popen(command, "r");
    CHECK(output != NULL);
    /* Every other line is the place in the source. */
    for (int i = 0; fgets(line, sizeof(line), output) != NULL; i++) {
        size_t used = strlen(text);

        line[strcspn(line, "\n")] = '\0';
        /* What the linker puts in the way is the grader's. */
        if (i % 2 == 0 && strncmp(line, "__wrap_", 7) != 0)
            (void)snprintf(text + used, sizeof(names->text[0]) - used, " %s",
                           line);
    }
    CHECK_INT(pclose(output), 0);
}

static void check_begins(const char *text, const char *begin)
{
    if (strncmp(text, begin, strlen(begin)) != 0)
        FAIL("expected a stack that begins with %s, got %s", begin, text);
}

/* Runs the inner test and reads what it says about its threads. */
static void run_again(struct test__run *run,
                      const char *name,
                      unsigned seconds,
                      struct names *ret_names)
{
    const char *record;

#if !defined(__linux__)
    test_skip("stacks are told on Linux only");
#endif
    if (system("addr2line --version >/dev/null 2>&1") != 0)
        test_skip("there is no addr2line");
    test__again_run(&(struct test__start){.name = name, .seconds = seconds},
                    run);
    CHECK_INT(test__again_kin(), 0);
    memset(ret_names, 0, sizeof(*ret_names));
    while (ret_names->count < RECORDS &&
           (record = test__again_record(run, TEST__STACK, ret_names->count)) !=
               NULL)
        add_names(ret_names, record);
}

/* ---- A test whose time is over ----------------------------------------------
 */

/* What is volatile the compiler does not take away. */
SEEN static void spin(void *data)
{
    volatile unsigned *number = data;

    for (;;)
        ++*number;
}

SEEN static void wait_for_condition(void *data)
{
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    (void)data;
    CHECK_INT(pthread_mutex_lock(&lock), 0);
    for (;;)
        CHECK_INT(pthread_cond_wait(&condition, &lock), 0);
}

SEEN static void run_loop(void *data)
{
    uv_loop_t loop;
    uv_async_t async;

    (void)data;
    CHECK_INT(uv_loop_init(&loop), 0);
    CHECK_INT(uv_async_init(&loop, &async, NULL), 0);
    CHECK_INT(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

SEEN static void run_query(void *data)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    (void)data;
    CHECK_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(db,
                                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                                 " SELECT i + 1 FROM n) SELECT max(i) FROM n",
                                 -1, &statement, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
}

static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER;

SEEN static void lock_twice(void *data)
{
    (void)data;
    CHECK_INT(pthread_mutex_lock(&first_lock), 0);
    CHECK_INT(pthread_mutex_lock(&first_lock), 0);
}

static void every_thread_is_told(void *fixture)
{
    static void (*const hang[])(void *) = {spin, wait_for_condition, run_loop,
                                           run_query, lock_twice};
    static const char *const expected[] = {"2: spin ", "3: wait_for_condition ",
                                           "4: run_loop ",
                                           "5: ", "6: lock_twice "};
    struct names names;
    volatile unsigned number = 0;

    if (test__again_is_inner()) {
        uv_thread_t threads[5];

        for (int i = 0; i < 5; i++)
            CHECK_INT(uv_thread_create(&threads[i], hang[i],
                                       (void *)(uintptr_t)&number),
                      0);
        CHECK_INT(uv_thread_join(&threads[1]), 0);
    }
    if (TEST__THREAD_SANITIZER)
        return;
    run_again(fixture, __func__, 1, &names);
    CHECK_INT(names.count, 6);
    CHECK_CONTAINS(names.text[0], "1: every_thread_is_told test__body_run ");
    for (size_t i = 0; i < 5; i++)
        check_begins(names.text[i + 1], expected[i]);
    CHECK_CONTAINS(names.text[4], " run_query run_task ");
    test__again_judge(fixture, TEST__FAILED, "no end after 1 s");
}

/* It spins until it has used so much of the processor, however long that
 * takes, and waits then. */
static void who_has_used_the_processor_is_busy(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        struct timespec used;

        do
            CHECK_INT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
        while (used.tv_sec < 1 || used.tv_nsec < 100000000); /* BUSY_MS */
        test__stacks();
        FAIL("it was asked");
    }
    run_again(run, __func__, 100, &(struct names){.count = 0});
    CHECK(strncmp(test__again_record(run, TEST__STACK, 0), "1*: ", 4) == 0);
}

static void main_thread_that_spins_is_told(void *fixture)
{
    struct names names;
    volatile unsigned number = 0;

    if (test__again_is_inner())
        spin((void *)(uintptr_t)&number);
    if (TEST__THREAD_SANITIZER)
        return;
    run_again(fixture, __func__, 1, &names);
    CHECK_INT(names.count, 1);
    CHECK_CONTAINS(names.text[0], "1: spin main_thread_that_spins_is_told ");
}

SEEN static void spin_on_pool(uv_work_t *work)
{
    spin(work->data);
}

SEEN static void wait_for_pool(void)
{
    static uv_work_t work;
    static unsigned number;

    work.data = &number;
    CHECK_INT(uv_queue_work(uv_default_loop(), &work, spin_on_pool, NULL), 0);
    CHECK_INT(uv_run(uv_default_loop(), UV_RUN_DEFAULT), 0);
}

static void work_on_the_pool_is_told(void *fixture)
{
    struct names names;

    if (test__again_is_inner())
        wait_for_pool();
    if (TEST__THREAD_SANITIZER)
        return;
    run_again(fixture, __func__, 1, &names);
    CHECK_INT(names.count, 2); /* idle threads of the pool are nowhere */
    CHECK_CONTAINS(names.text[0], "1: wait_for_pool ");
    CHECK_CONTAINS(names.text[1], ": spin spin_on_pool");
}

/* ---- A test that crashes ----------------------------------------------------
 */

SEEN static void write_nowhere(void)
{
    volatile int *volatile nowhere = NULL;

    *nowhere = 1;
}

SEEN static void divide_by_zero(void)
{
    volatile int zero = 0;
    volatile int number = 100;

    number = number / zero;
}

SEEN static void call_abort(void)
{
    abort();
}

SEEN static void call_nowhere(void)
{
    void (*volatile nowhere)(void) = NULL;

    nowhere();
    (void)pause(); /* not reached; the call is not the last thing */
}

/* The array is what fills the stack; the sum keeps the call from being the
 * last thing. */
SEEN static int fill_stack(int depth)
{
    volatile char room[4096];

    room[depth % 4096] = 1;
    return depth < 0 ? 0 : fill_stack(depth + 1) + room[depth % 4096];
}

SEEN static void raise_bus(void)
{
    (void)raise(SIGBUS);
    (void)raise(SIGKILL); /* not reached */
}

/* The inner test crashes; its first stack begins with the names. */
static void expect_crash(void *fixture,
                         const char *name,
                         void (*crash)(void),
                         const char *stack,
                         const char *message)
{
    struct names names;

    if (test__again_is_inner()) {
        crash();
        FAIL("it has not crashed");
    }
    if (TEST__ADDRESS_SANITIZER || TEST__THREAD_SANITIZER)
        return;
    run_again(fixture, name, 20, &names);
    CHECK_INT(names.count, 1);
    check_begins(names.text[0], stack);
    test__again_judge(fixture, TEST__FAILED, message);
}

static void bad_pointer_is_told(void *fixture)
{
    expect_crash(fixture, __func__, write_nowhere, "1: write_nowhere ",
                 "ended by SIGSEGV");
    CHECK(test__again_record(fixture, TEST__FULL, 0) == NULL);
}

static void bad_division_is_told(void *fixture)
{
    expect_crash(fixture, __func__, divide_by_zero, "1: divide_by_zero ",
                 "ended by SIGFPE");
}

static void abort_is_told(void *fixture)
{
    expect_crash(fixture, __func__, call_abort, "1: call_abort ",
                 "ended by SIGABRT");
}

static void call_of_null_is_told(void *fixture)
{
    expect_crash(fixture, __func__, call_nowhere, "1: call_nowhere ",
                 "ended by SIGSEGV");
}

static void raised_signal_is_told(void *fixture)
{
    expect_crash(fixture, __func__, raise_bus, "1: raise_bus ",
                 "ended by SIGBUS");
}

static void overflow(void)
{
    CHECK(fill_stack(0) == 0);
}

static void full_stack_is_told(void *fixture)
{
    expect_crash(fixture, __func__, overflow, "1: fill_stack fill_stack ",
                 "ended by SIGSEGV");
    if (!TEST__ADDRESS_SANITIZER && !TEST__THREAD_SANITIZER)
        CHECK(test__again_record(fixture, TEST__FULL, 0) != NULL);
}

SEEN static void use_much_at_once(void)
{
    volatile char room[64 << 20];

    for (size_t i = 0; i < sizeof room; i += 1024)
        room[i] = 1;
}

static void large_array_fills_the_stack(void *fixture)
{
    expect_crash(fixture, __func__, use_much_at_once, "1: use_much_at_once ",
                 "ended by SIGSEGV");
    if (!TEST__ADDRESS_SANITIZER && !TEST__THREAD_SANITIZER)
        CHECK(test__again_record(fixture, TEST__FULL, 0) != NULL);
}

static void overflow_on_thread(void *data)
{
    (void)data;
    overflow();
}

static void crashing_thread_comes_first(void *fixture)
{
    struct names names;

    if (test__again_is_inner()) {
        uv_thread_t thread;

        CHECK_INT(uv_thread_create(&thread, overflow_on_thread, NULL), 0);
        CHECK_INT(uv_thread_join(&thread), 0);
    }
    if (TEST__ADDRESS_SANITIZER || TEST__THREAD_SANITIZER)
        return;
    run_again(fixture, __func__, 20, &names);
    CHECK_INT(names.count, 2);
    CHECK(test__again_record(fixture, TEST__FULL, 0) != NULL);
    CHECK_CONTAINS(names.text[0], "2: fill_stack fill_stack ");
    /* It may still be starting the other one. */
    CHECK_CONTAINS(names.text[1], "1: ");
    CHECK_CONTAINS(names.text[1], "crashing_thread_comes_first ");
}

static void stack_inside_the_sandbox_is_told(void *fixture)
{
    struct test__start start = {.name = __func__, .seconds = 1, .sandbox = 1};
    const char *reason;
    volatile unsigned number = 0;

    if (test__again_is_inner())
        spin((void *)(uintptr_t)&number);
    if (TEST__THREAD_SANITIZER)
        return;
    if (!test__sandbox_works(&reason))
        test_skip("%s", reason);
    test__again_run(&start, fixture);
    CHECK_CONTAINS(test__again_record(fixture, TEST__STACK, 0), ": 0x");
}

/* Whatever is told there, the test ends by itself or is ended. */
static void hang_under_any_sanitizer_ends(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        uv_thread_t threads[2];
        volatile unsigned number[2] = {0};

        CHECK_INT(uv_thread_create(&threads[0], wait_for_condition, NULL), 0);
        CHECK_INT(
            uv_thread_create(&threads[1], spin, (void *)(uintptr_t)&number[1]),
            0);
        CHECK_INT(uv_thread_join(&threads[0]), 0);
    }
    test__again_run(&(struct test__start){.name = __func__, .seconds = 1}, run);
    test__again_judge(run, TEST__FAILED, "no end after 1 s");
    CHECK_INT(test__again_kin(), 0);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(every_thread_is_told),
    {.name = "who_has_used_the_processor_is_busy",
     .run = who_has_used_the_processor_is_busy,
     .seconds = 120},
    CASE(main_thread_that_spins_is_told),
    CASE(work_on_the_pool_is_told),
    CASE(bad_pointer_is_told),
    CASE(bad_division_is_told),
    CASE(abort_is_told),
    CASE(call_of_null_is_told),
    CASE(raised_signal_is_told),
    CASE(full_stack_is_told),
    CASE(large_array_fills_the_stack),
    CASE(crashing_thread_comes_first),
    CASE(stack_inside_the_sandbox_is_told),
    CASE(hang_under_any_sanitizer_ends),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "stacks",
    .cases = cases,
    .fixture_size = sizeof(struct test__run),
};
