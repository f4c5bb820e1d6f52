/* runner - what the files of the runner share; tests include test.h only
 *
 * The parent starts the test file again for each test (process.c), follows
 * it to its end (watch.c), judges it (judge.c) and prints (run.c). The child
 * runs the test's function (test.c). Both know the test's folder (folder.c).
 */
#ifndef GRADER_RUNNER_H
#define GRADER_RUNNER_H

#include "grader/test.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* Which sanitizer this file is built with. */
#if defined(__SANITIZE_THREAD__)
#define TEST__THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define TEST__ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST__THREAD_SANITIZER 1
#elif __has_feature(address_sanitizer)
#define TEST__ADDRESS_SANITIZER 1
#endif
#endif
#ifndef TEST__THREAD_SANITIZER
#define TEST__THREAD_SANITIZER 0
#endif
#ifndef TEST__ADDRESS_SANITIZER
#define TEST__ADDRESS_SANITIZER 0
#endif

enum {
    TEST__NONCE_SIZE = 32,    /* hexadecimal digits */
    TEST__REPORT_SIZE = 4096, /* all records of a test */
    TEST__MESSAGE_SIZE = 2048,
    TEST__OUTPUT_SIZE = 8192, /* the tail that is kept */
    TEST__PATH_SIZE = 1024
};

/* A test reports by records on a descriptor of its own: a letter, a text, a
 * zero byte. */
enum {
    TEST__PASS = 'P', /* the nonce */
    TEST__FAIL = 'F', /* file:line: message */
    TEST__SKIP = 'S', /* the reason */
    TEST__NOTE = 'N', /* what a test that passes did not check */
    /* Before a failure's record, where they are known: */
    TEST__EXPECTED = 'E', /* one line for a student */
    TEST__GOT = 'G',      /* likewise */
    TEST__CAUSE = 'C',    /* likewise: the usual cause */
    TEST__STACK = 'B',    /* "THREAD: OFFSET OFFSET ...", see test__stacks */
    TEST__OPEN = 'O'      /* the loop's open handles, by type */
};

/* What is known of a test's process when it has ended. */
struct test__run {
    long pid;
    int status; /* as from waitpid */
    int timed_out;
    int left_behind; /* it left processes of its group running */
    unsigned seconds;
    char nonce[TEST__NONCE_SIZE + 1];
    char report[TEST__REPORT_SIZE];
    size_t report_size;
    char output[TEST__OUTPUT_SIZE];
    size_t output_size;
    uint64_t output_total; /* more than output_size: the rest was dropped */
};

enum test__verdict {
    TEST__PASSED,
    TEST__FAILED,
    TEST__NOT_CHECKED
};
enum {
    TEST__VERDICTS = 3
};

struct test__result {
    enum test__verdict verdict;
    /* Why it failed or was not checked; for a passed test what it left out,
     * or "". */
    char message[TEST__MESSAGE_SIZE];
};

/* Makes the runner's process ready to start tests. Call once, first. */
void test__process_prepare(void);

/* Starts the test's process with the given signal mask. Returns 0 and the
 * parent's ends of its socket and its pipe, or a negative UV_E*. */
int test__process_start(const char *name,
                        const sigset_t *signals,
                        struct test__run *run,
                        int *ret_report,
                        int *ret_output);

/* Runs one test in a process of its own and waits for its end. Returns 0 or a
 * negative UV_E* when the process could not be started. */
int test__process_run(const char *name,
                      unsigned seconds,
                      struct test__run *ret_run);

/* Decides what the end of a test means. */
void test__judge(const struct test__run *run, struct test__result *ret_result);

/* In the child: runs the test and returns main's status. report is the
 * descriptor for the records, or -1 when somebody runs the test by hand. */
int test__body_run(const struct test_case *test, int report, unsigned seconds);

/* In the child, on any thread: sends a record, formatted as by printf. */
void test__tell(char kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In the child, on any thread: adds a note to a test that passes. */
void test__note(const char *text);

/* Returns the nanoseconds the test may still take, 0 when its time is over,
 * UINT64_MAX when it has no limit. */
uint64_t test__time_left(void);

/* While a test waits at a place of its file, a time limit names that place.
 * NULL: it does not wait any more. */
void test__wait_at(const char *file, int line);

/* Writes the path of a test's folder, without a slash at the end. Returns 0
 * or UV_ENAMETOOLONG. */
int test__folder_path(const char *name, long pid, char *path, size_t size);

/* Makes the folder and those above it. Returns 0 or a negative UV_E*. */
int test__folder_make(const char *path);

/* Removes the folder, its files, and the empty folders in it. Returns 0 (also
 * when there is none) or a negative UV_E*. */
int test__folder_remove(const char *path);

#endif
