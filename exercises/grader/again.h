/* again - starts the test file again; for tests of the runner itself
 *
 * The same test runs twice: the outer one starts the file again with its own
 * name, the inner one goes wrong on purpose, and the outer one reads what the
 * runner says about it. Test thread only. Depends on fork and exec.
 */
#ifndef GRADER_AGAIN_H
#define GRADER_AGAIN_H

#include "grader/runner.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A runner that a test has started. Too large for a small stack: let it be
 * the fixture. */
struct test__again {
    pid_t pid;
    int output;
    int line; /* what the inner test tells; at its end all processes are gone */
    int status;       /* as from waitpid */
    char text[32768]; /* what the runner printed */
};

/* Returns whether this is the inner test. */
bool test__again_is_inner(void);

/* In the inner test: sends the outer one a text. */
void test__again_tell(const char *text);

/* In the outer test: starts the file with one argument, or with none when it
 * is NULL. */
void test__again_start(struct test__again *again, const char *argument);

/* Waits until the inner test tells something, at most size - 1 bytes. */
void test__again_listen(struct test__again *again, char *text, size_t size);

/* Waits for the end of the runner and of every process it has left. */
void test__again_finish(struct test__again *again);

/* Starts, finishes, and checks that the runner's exit status is the given one
 * and that it prints part. Returns all that it printed. */
const char *test__again_expect(void *again,
                               const char *argument,
                               int status,
                               const char *part);

/* The same for a test that has to fail, with part in its message. */
const char *
test__again_expect_fail(void *again, const char *test, const char *part);

/* In the outer test: starts the file again as told, without a runner of its
 * own. Let the struct test__run be the fixture. */
void test__again_run(const struct test__start *start,
                     struct test__run *ret_run);

/* Checks what the judge says about a run: the verdict, and that its message
 * contains part. */
void test__again_judge(const struct test__run *run,
                       enum test__verdict verdict,
                       const char *part);

/* Returns the nth record of that kind, from 0, or NULL. */
const char *
test__again_record(const struct test__run *run, char kind, size_t nth);

/* Makes a folder among the test's files and returns its path. */
const char *test__again_folder(const char *name);

/* Returns how many processes descend from the outer test. */
size_t test__again_kin(void);

#endif
