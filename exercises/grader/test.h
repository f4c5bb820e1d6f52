/* test - the test interface of the course
 *
 * A test file defines `test_suite`; main is the runner's. Every test runs in
 * a process of its own, started by exec, with a time limit. A test passes
 * only if its function returned, its process then ended with status 0 and
 * left no other process running. Its output is shown when it fails.
 *
 *     build/tests/test_pool                      runs all tests of the file
 *     build/tests/test_pool wakes_oldest         runs those that are named
 *     build/tests/test_pool --list               names them
 *     build/tests/test_pool --run wakes_oldest   runs one under a debugger:
 *                                                no process, no time limit
 *
 * Exit status: 0 all passed or were not checked, 1 one failed or there was
 * none, 2 a name or an option is unknown. TEST_SECONDS sets every time limit,
 * ASQ_BUILD the folder that stands in for build, NO_COLOR takes the colours.
 *
 * Give the fields of the structs by name: later ones come at the end.
 */
#ifndef GRADER_TEST_H
#define GRADER_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct test_case {
    const char *name; /* a C identifier, unique in the file */
    void (*run)(void *fixture);
    const char *title; /* what a reader is told; NULL: the name */
    int points;        /* for exercises */
    int seconds;       /* time limit, 0: 20, and of an exercise's test without
                          TEST_THREAD 5; times 5 with the address and 10 with
                          the thread sanitizer */

    /* Only an exercise's check.c gives these; the grader reads them. */
    unsigned builds; /* TEST_PLAIN and others; 0: plain and address */
    int times;       /* how often it runs under each of them; 0: once */
    int needs;       /* number, from 1, of the test that has to pass
                        first; 0: none */
    const char
        *function;     /* of the contract: where a failure sends the reader */
    const char *cause; /* usual cause of a failure, or NULL */
};

/* The builds of an exercise: without sanitizer, with address and undefined,
 * with thread. */
enum {
    TEST_PLAIN = 1,
    TEST_ADDRESS = 2,
    TEST_THREAD = 4
};

struct test_suite {
    const char *name;
    const struct test_case *cases;    /* ends with a case whose name is NULL */
    size_t fixture_size;              /* zeroed memory given to set_up; or 0 */
    void (*set_up)(void *fixture);    /* or NULL */
    void (*tear_down)(void *fixture); /* or NULL; runs after a test passed */
};

extern const struct test_suite test_suite;

/* Ends the test as failed with a message like printf's. May be called on any
 * thread. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the test as a wrong answer: what was expected, and what came, as by
 * printf. Both are one line for a student: "5 loads, 20 answers". Any thread.
 */
_Noreturn void test_wrong(const char *expected, const char *got, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on this is the usual cause, should the test fail; NULL: that of
 * its struct test_case. The text is constant. Any thread. */
void test_cause(const char *text);

/* From now on the calling thread does this, as by printf, one line, should it
 * fail: "the second call", "COMMIT fails with SQLITE_BUSY". It begins another
 * part of the test, so a cause that test_cause has set is forgotten. */
void test_while(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns "1 load", "5 loads", "no loads", to be printed at once: each thread
 * has room for four. many is the plural, NULL: one and an s. */
const char *test_count(uint64_t count, const char *one, const char *many);

/* Returns "never", "once", "twice", "5 times", from the same room. */
const char *test_times(uint64_t times);

/* Returns a code of SQLite or of libuv with its name: "SQLITE_BUSY (5)",
 * "UV_EINVAL (-22)", "0 (success)", from the same room. An extended code that
 * has no name here is told as "SQLITE_IOERR | 99 << 8 (25354)". */
const char *test_code(int code);

/* Returns the seed of this run, above 0: the same seed, the same test. It is
 * the environment variable TEST_SEED, else 1. */
uint64_t test_seed(void);

/* Ends the test as not checked, with the reason. */
_Noreturn void test_skip(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

void test_check_int(const char *file,
                    int line,
                    const char *expression,
                    int64_t got,
                    int64_t expected);
void test_check_text(const char *file,
                     int line,
                     const char *expression,
                     const char *got,
                     const char *expected);
void test_check_range(const char *file,
                      int line,
                      const char *expression,
                      double got,
                      double least,
                      double most);

/* Assertions. Each prints the expression, what it got and what was expected,
 * and ends the test. Arguments are evaluated once. */
#define CHECK(condition)                                                       \
    ((condition) ? (void)0                                                     \
                 : test_fail(__FILE__, __LINE__, "%s is false", #condition))
#define CHECK_INT(got, expected)                                               \
    test_check_int(__FILE__, __LINE__, #got, (int64_t)(got),                   \
                   (int64_t)(expected))
#define CHECK_TEXT(got, expected)                                              \
    test_check_text(__FILE__, __LINE__, #got, got, expected)
/* The text got contains part. */
#define CHECK_CONTAINS(got, part)                                              \
    test_check_contains(__FILE__, __LINE__, #got, got, part)
#define CHECK_RANGE(got, least, most)                                          \
    test_check_range(__FILE__, __LINE__, #got, (double)(got), (double)(least), \
                     (double)(most))
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

void test_check_contains(const char *file,
                         int line,
                         const char *expression,
                         const char *got,
                         const char *part);

/* Runs the loop until *done is not zero. Fails the test when that takes
 * longer than the test's time limit, or when the loop has nothing left to
 * wait for and *done is still zero. */
void test_run_until_at(const char *file,
                       int line,
                       uv_loop_t *loop,
                       const int *done);
#define test_run_until(loop, done)                                             \
    test_run_until_at(__FILE__, __LINE__, loop, done)

/* Runs the loop until nothing is left, then closes it; fails with the list of
 * open handles (type and active or not) if it does not close. */
void test_close_loop_at(const char *file, int line, uv_loop_t *loop);
#define test_close_loop(loop) test_close_loop_at(__FILE__, __LINE__, loop)

/* Returns the path of a file in this test's own folder, which is empty when
 * the test starts and is removed when it passes. The text lives as long as
 * the test; at most 32 paths. */
const char *test_path(const char *name);

/* Returns n, or a smaller number under a sanitizer, where everything takes
 * longer: n / 10 for thread, n / 3 for address. At least 1. */
unsigned test_scaled(unsigned n);

/* Defined where the linker knows --wrap, so that malloc can fail as well. */
#if defined(__linux__)
#define TEST_HAVE_WRAP 1
#endif

/* How the failing allocator counts. Only the kinds given to
 * test_alloc_fail_at count and fail. */
enum {
    TEST_ALLOC_MALLOC = 1, /* of the code under test: malloc, calloc, realloc,
                              reallocarray, aligned_alloc, posix_memalign,
                              strdup, strndup, asprintf, vasprintf */
    TEST_ALLOC_SQLITE = 2,
    TEST_ALLOC_UV = 4, /* libuv itself aborts where it enlarges the table of
                          descriptors that a loop watches */
    TEST_ALLOC_ALL = 7
};

/* Puts the counting allocators of SQLite and libuv in place. Must be the
 * first thing a test (its set_up) does, before SQLite or libuv allocate. On a
 * system without --wrap TEST_ALLOC_MALLOC is not checked, and says so. */
void test_alloc_install(void);

/* The nth allocation of these kinds from now on (1: the next) fails, on
 * whatever thread it happens; 0 takes it back. With keep the following ones
 * fail as well. */
void test_alloc_fail_at(int kinds, uint64_t nth, int keep);

/* Returns whether an allocation has failed since test_alloc_fail_at. */
bool test_alloc_has_failed(void);

/* Returns the bytes that SQLite and libuv hold now (counted by the installed
 * allocators), to show that a life cycle gives everything back. */
int64_t test_alloc_held(void);

#endif
