/* judge - decides what the end of a test's process means
 *
 * Owns nothing; any thread may enter. A test has passed only if the nonce came
 * back and the process then ended with status 0 and left nobody behind.
 * Whatever else happened is a failure with a reason in words.
 */
#include "runner.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Returns the text of the first record of that kind, or NULL. */
static const char *find_record(const struct test__run *run, char kind)
{
    size_t at = 0;

    while (at < run->report_size) {
        const char *record = run->report + at;
        const char *end = memchr(record, '\0', run->report_size - at);

        if (end == NULL)
            return NULL; /* cut off, or not one of ours */
        if (record[0] == kind)
            return record + 1;
        at += (size_t)(end - record) + 1;
    }
    return NULL;
}

static const char *name_signal(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGABRT, "SIGABRT (abort)"},
        {SIGALRM, "SIGALRM"},
        {SIGBUS, "SIGBUS (memory access)"},
        {SIGFPE, "SIGFPE (arithmetic)"},
        {SIGHUP, "SIGHUP"},
        {SIGILL, "SIGILL (instruction)"},
        {SIGINT, "SIGINT"},
        {SIGKILL, "SIGKILL"},
        {SIGPIPE, "SIGPIPE (write to a closed pipe)"},
        {SIGQUIT, "SIGQUIT"},
        {SIGSEGV, "SIGSEGV (memory access)"},
        {SIGSYS, "SIGSYS"},
        {SIGTERM, "SIGTERM"},
        {SIGTRAP, "SIGTRAP"},
        {SIGUSR1, "SIGUSR1"},
        {SIGUSR2, "SIGUSR2"},
        {SIGXCPU, "SIGXCPU (processor time)"},
        {SIGXFSZ, "SIGXFSZ (file too large)"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

/* A sanitizer ends its report with a line that sums it up; gcc's one for
 * undefined behaviour begins with it. Returns whether there is such a line and
 * copies the first. */
static bool find_summary(const struct test__run *run, char *text, size_t size)
{
    static const char summary[] = "SUMMARY: ";
    char line[TEST__MESSAGE_SIZE];
    size_t at = 0;

    while (at < run->output_size) {
        const char *start = run->output + at;
        const char *end = memchr(start, '\n', run->output_size - at);
        size_t length =
            end != NULL ? (size_t)(end - start) : run->output_size - at;

        (void)snprintf(line, sizeof line, "%.*s", (int)length, start);
        if (strncmp(line, summary, strlen(summary)) == 0) {
            (void)snprintf(text, size, "%s", line + strlen(summary));
            return true;
        }
        if (strstr(line, ": runtime error: ") != NULL) {
            (void)snprintf(text, size, "%s", line);
            return true;
        }
        at += length + 1;
    }
    return false;
}

/* The process ended, but not in order. */
static void explain_end(const struct test__run *run,
                        int body_returned,
                        char *text,
                        size_t size)
{
    const char *when = body_returned ? "after" : "before";

    if (WIFSIGNALED(run->status)) {
        const char *name = name_signal(WTERMSIG(run->status));

        if (name != NULL) {
            (void)snprintf(text, size, "ended by %s", name);
        } else {
            (void)snprintf(text, size, "ended by signal %d",
                           WTERMSIG(run->status));
        }
    } else if (WEXITSTATUS(run->status) == 0 ||
               !find_summary(run, text, size)) {
        (void)snprintf(text, size,
                       "exit with status %d %s the test's function returned",
                       WEXITSTATUS(run->status), when);
    }
}

/* Somebody had to end the process. */
static void explain_limit(const struct test__run *run, char *text, size_t size)
{
    switch (run->end) {
    case TEST__BY_ITSELF:
        break; /* the caller has seen to that */
    case TEST__TIME_OVER:
        (void)snprintf(text, size, "no end after %u s, killed", run->seconds);
        break;
    case TEST__TOO_MUCH_MEMORY:
        (void)snprintf(text, size, "too much memory, killed");
        break;
    case TEST__TOO_MUCH_OUTPUT:
        (void)snprintf(text, size, "too much output, killed");
        break;
    case TEST__TOO_MANY_PROCESSES:
        (void)snprintf(text, size, "too many processes, killed");
        break;
    }
}

void test__judge(const struct test__run *run, struct test__result *ret_result)
{
    const char *fail = find_record(run, TEST__FAIL);
    const char *skip = find_record(run, TEST__SKIP);
    const char *pass = find_record(run, TEST__PASS);
    const char *note = find_record(run, TEST__NOTE);
    bool body_returned = pass != NULL && strcmp(pass, run->nonce) == 0;
    bool good_end = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0;
    char *text = ret_result->message;
    size_t size = sizeof ret_result->message;

    ret_result->verdict = TEST__FAILED;
    if (fail != NULL) {
        (void)snprintf(text, size, "%s", fail);
    } else if (run->end != TEST__BY_ITSELF) {
        explain_limit(run, text, size);
    } else if (skip != NULL) {
        ret_result->verdict = TEST__NOT_CHECKED;
        (void)snprintf(text, size, "%s", skip);
    } else if (!body_returned || !good_end) {
        explain_end(run, body_returned, text, size);
    } else if (run->left_behind) {
        (void)snprintf(text, size, "left a process running");
    } else {
        ret_result->verdict = TEST__PASSED;
        (void)snprintf(text, size, "%s", note != NULL ? note : "");
    }
}
