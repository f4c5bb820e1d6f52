/* again - starts the test file again and reads what its runner prints
 *
 * Owns the two pipes of the runner it has started. The test's thread enters.
 */
#include "again.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Holds the descriptor to tell on. */
#define VARIABLE "TEST_AGAIN"

bool test__again_is_inner(void)
{
    return getenv(VARIABLE) != NULL;
}

void test__again_tell(const char *text)
{
    size_t size = strlen(text);

    CHECK_INT(write(atoi(getenv(VARIABLE)), text, size), size);
}

void test__again_start(struct test__again *again, const char *argument)
{
    char program[TEST__PATH_SIZE];
    char line_text[16];
    size_t size = sizeof program;
    int output[2];
    int line[2];

    CHECK_INT(uv_exepath(program, &size), 0);
    CHECK_INT(pipe(output), 0);
    CHECK_INT(pipe(line), 0);
    (void)snprintf(line_text, sizeof line_text, "%d", line[1]);
    again->pid = fork();
    CHECK(again->pid >= 0);
    if (again->pid == 0) {
        CHECK_INT(dup2(output[1], STDOUT_FILENO), STDOUT_FILENO);
        CHECK_INT(dup2(output[1], STDERR_FILENO), STDERR_FILENO);
        CHECK_INT(close(output[0]) + close(output[1]) + close(line[0]), 0);
        CHECK_INT(setenv(VARIABLE, line_text, 1), 0);
        (void)execl(program, program, argument, (char *)NULL);
        _exit(127);
    }
    CHECK_INT(close(output[1]) + close(line[1]), 0);
    again->output = output[0];
    again->line = line[0];
}

void test__again_listen(struct test__again *again, char *text, size_t size)
{
    ssize_t n = read(again->line, text, size - 1);

    CHECK(n > 0);
    text[n] = '\0';
}

void test__again_finish(struct test__again *again)
{
    char rest[256];
    size_t used = 0;
    ssize_t n;

    while ((n = read(again->output, again->text + used,
                     sizeof again->text - 1 - used)) > 0)
        used += (size_t)n;
    again->text[used] = '\0';
    CHECK_INT(waitpid(again->pid, &again->status, 0), again->pid);
    while (read(again->line, rest, sizeof rest) > 0) {
        /* Nobody has listened to it. */
    }
    CHECK_INT(close(again->output) + close(again->line), 0);
}

const char *test__again_expect(void *again,
                               const char *argument,
                               int status,
                               const char *part)
{
    struct test__again *run = again;

    test__again_start(run, argument);
    test__again_finish(run);
    CHECK_CONTAINS(run->text, part);
    CHECK(WIFEXITED(run->status));
    CHECK_INT(WEXITSTATUS(run->status), status);
    return run->text;
}

const char *
test__again_expect_fail(void *again, const char *test, const char *part)
{
    const char *text = test__again_expect(again, test, 1, part);
    char start[TEST__PATH_SIZE];
    const char *end = strchr(text, '\n');
    const char *found = strstr(text, part);

    (void)snprintf(start, sizeof start, "FAIL  %s  ", test);
    CHECK(strncmp(text, start, strlen(start)) == 0);
    CHECK(found < end); /* it is in the message, not only in the output */
    CHECK_CONTAINS(text, "\n0 passed, 1 failed\n");
    return text;
}

void test__again_run(const struct test__start *start, struct test__run *ret_run)
{
    static int is_prepared;

    if (!is_prepared)
        test__process_prepare();
    is_prepared = 1;
    CHECK_INT(setenv(VARIABLE, "-1", 1), 0);
    CHECK_INT(test__process_run(start, ret_run), 0);
}

void test__again_judge(const struct test__run *run,
                       enum test__verdict verdict,
                       const char *part)
{
    struct test__result result;

    test__judge(run, &result);
    CHECK_CONTAINS(result.message, part);
    CHECK_INT(result.verdict, verdict);
}

const char *
test__again_record(const struct test__run *run, char kind, size_t nth)
{
    size_t at = 0;

    while (at < run->report_size) {
        const char *record = run->report + at;

        if (record[0] == kind && nth-- == 0)
            return record + 1;
        at += strlen(record) + 1; /* the report is never quite full */
    }
    return NULL;
}

const char *test__again_folder(const char *name)
{
    const char *path = test_path(name);

    CHECK_INT(test__folder_make(path), 0);
    return path;
}

size_t test__again_kin(void)
{
    static const struct test__others nobody;
    uint64_t memory;

    return test__kin_measure(&nobody, &memory);
}
