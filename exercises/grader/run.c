/* run - main of every test file: options, the loop over the tests, printing
 *
 * Owns standard output. One thread. With --run it is the child that runs one
 * test; otherwise it is the parent that starts a child for each.
 */
#include "runner.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OUTPUT_SHOWN = 8192 /* bytes of what a test wrote */
};

static const struct test_case *find(const char *name)
{
    for (const struct test_case *test = test_suite.cases; test->name != NULL;
         test++)
        if (strcmp(test->name, name) == 0)
            return test;
    return NULL;
}

/* Reads a whole number from 0 to most. Returns whether it is one. */
static int read_number(const char *text, unsigned most, unsigned *ret_number)
{
    char *end;
    unsigned long number;

    if (text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    number = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || number > most)
        return 0;
    *ret_number = (unsigned)number;
    return 1;
}

/* Returns the time limit of a test in seconds, longer where the machine is
 * busy. override 0: none given. */
static unsigned limit_of(const struct test_case *test, unsigned override)
{
    double seconds = (test->seconds > 0 ? test->seconds : 20) * test__busy();

    if (override != 0)
        return override;
    if (TEST__THREAD_SANITIZER)
        seconds *= 10;
    else if (TEST__ADDRESS_SANITIZER)
        seconds *= 5;
    return (unsigned)seconds;
}

static void print_word(const char *word, const char *colour)
{
    const char *plain = getenv("NO_COLOR");

    if (isatty(STDOUT_FILENO) && (plain == NULL || plain[0] == '\0'))
        printf("\033[%sm%s\033[0m", colour, word);
    else
        printf("%s", word);
}

/* What could steer a terminal is shown as a question mark. */
static void print_character(char c)
{
    unsigned char code = (unsigned char)c;

    putchar((code < ' ' && c != '\n' && c != '\t') || code == 127 ? '?' : c);
}

static void print_text(const char *text)
{
    for (; *text != '\0'; text++)
        print_character(*text);
}

/* Prints what the test wrote, set in. If there is too much, the end of it,
 * from the start of a line. */
static void print_output(const struct test__run *run)
{
    size_t start = 0;
    bool at_start = true;

    if (run->output_total > OUTPUT_SHOWN) {
        const char *end;

        if (run->output_size > OUTPUT_SHOWN)
            start = run->output_size - OUTPUT_SHOWN;
        end = memchr(run->output + start, '\n', run->output_size - start);
        start = end != NULL ? (size_t)(end - run->output) + 1 : start;
        printf("    | (the end of %llu bytes)\n",
               (unsigned long long)run->output_total);
    }
    for (size_t i = start; i < run->output_size; i++) {
        if (at_start)
            printf("    | ");
        print_character(run->output[i]);
        at_start = run->output[i] == '\n';
    }
    if (!at_start)
        printf("\n");
}

/* A folder of a test that passed is of no use any more; one of a test that
 * failed is shown. */
static void finish_folder(const char *name, long pid, int passed)
{
    char path[TEST__PATH_SIZE];
    int err = test__folder_path(name, pid, path, sizeof path);

    if (err != 0 || test__folder_is_given())
        return; /* then the test has not made it either */
    if (passed) {
        err = test__folder_remove(path);
        if (err != 0)
            fprintf(stderr, "cannot remove %s: %s\n", path, uv_strerror(err));
    } else if (access(path, F_OK) == 0) {
        printf("    its files: %s\n", path);
    }
}

static void print_result(const struct test_case *test,
                         const struct test__result *result)
{
    const char *message = result->message;

    switch (result->verdict) {
    case TEST__PASSED:
        print_word("ok", "32");
        printf("    %s", test->name);
        if (message[0] != '\0') {
            printf("  (not checked: ");
            print_text(message);
            printf(")");
        }
        break;
    case TEST__FAILED:
        print_word("FAIL", "31");
        printf("  %s  ", test->name);
        print_text(message);
        break;
    case TEST__NOT_CHECKED:
        print_word("not checked", "33");
        printf("  %s: ", test->name);
        print_text(message);
        break;
    }
    printf("\n");
}

/* Runs one test and counts its verdict. */
static void run_test(const struct test_case *test,
                     unsigned seconds,
                     unsigned counts[TEST__VERDICTS])
{
    struct test__start start = {.name = test->name, .seconds = seconds};
    struct test__run run;
    struct test__result result;
    int err = test__process_run(&start, &run);

    if (err != 0) {
        result.verdict = TEST__FAILED;
        (void)snprintf(result.message, sizeof result.message,
                       "cannot start its process: %s", uv_strerror(err));
    } else {
        test__judge(&run, &result);
    }
    counts[result.verdict]++;
    print_result(test, &result);
    if (result.verdict == TEST__FAILED)
        print_output(&run);
    finish_folder(test->name, run.pid, result.verdict != TEST__FAILED);
    (void)fflush(stdout); /* the next test may take long; main looks at it */
}

static int run_tests(int count, char *names[])
{
    unsigned counts[TEST__VERDICTS] = {0};
    const char *text = getenv("TEST_SECONDS");
    unsigned override = 0;

    if (text != NULL &&
        (!read_number(text, 100000, &override) || override == 0)) {
        fprintf(stderr, "TEST_SECONDS=%s: not a number of seconds\n", text);
        return 2;
    }
    test__process_prepare();
    if (count == 0)
        for (const struct test_case *test = test_suite.cases;
             test->name != NULL; test++)
            run_test(test, limit_of(test, override), counts);
    for (int i = 0; i < count; i++) {
        const struct test_case *test = find(names[i]);

        run_test(test, limit_of(test, override), counts);
    }
    printf("%u passed, %u failed", counts[TEST__PASSED], counts[TEST__FAILED]);
    if (counts[TEST__NOT_CHECKED] > 0)
        printf(", %u not checked", counts[TEST__NOT_CHECKED]);
    printf("\n");
    if (fflush(stdout) != 0 || ferror(stdout))
        return 1; /* output that could not be written is a failure */
    if (counts[TEST__FAILED] > 0)
        return 1;
    return counts[TEST__PASSED] + counts[TEST__NOT_CHECKED] > 0 ? 0 : 1;
}

/* --run NAME is for a debugger: no process, no limits. The runner adds the
 * descriptor to report on and the seconds. */
static int run_here(int argc, char *argv[])
{
    const struct test_case *test = argc >= 3 ? find(argv[2]) : NULL;
    unsigned report;
    unsigned seconds;

    if (test != NULL && argc == 3) {
        int status = test__body_run(test, -1, 0);

        finish_folder(test->name, (long)getpid(), status == 0);
        return status;
    }
    if (test != NULL && argc == 5 && read_number(argv[3], INT_MAX, &report) &&
        read_number(argv[4], INT_MAX, &seconds))
        return test__body_run(test, (int)report, seconds);
    fprintf(stderr, "%s: --run needs the name of one test\n", argv[0]);
    return 2;
}

/* What has no threads has nothing to wait for: five seconds are a hang. */
static int table_seconds(const struct test_case *test)
{
    return test->seconds > 0                   ? test->seconds
           : (test->builds & TEST_THREAD) != 0 ? 20
                                               : 5;
}

/* --table is for the grader: a line a test, its fields apart by tabs. */
static int print_table(void)
{
    int number = 0;

    for (const struct test_case *test = test_suite.cases; test->name != NULL;
         test++) {
        printf("%d\t%s\t%d\t%d\t%u\t%d\t%d\t%s\t%s\n", ++number, test->name,
               test->points, table_seconds(test),
               test->builds != 0 ? test->builds : TEST_PLAIN | TEST_ADDRESS,
               test->times > 0 ? test->times : 1, test->needs,
               test->function != NULL ? test->function : "-",
               test->title != NULL ? test->title : test->name);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char *argv[])
{
    if (argc >= 2 && strcmp(argv[1], "--run") == 0)
        return run_here(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--table") == 0)
        return print_table();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct test_case *test = test_suite.cases;
             test->name != NULL; test++)
            printf("%s\n", test->name);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            fprintf(stderr, "usage: %s [NAME...] | --list | --run NAME\n",
                    argv[0]);
            return 2;
        }
        if (find(argv[i]) == NULL) {
            fprintf(stderr, "%s: no test is named %s\n", argv[0], argv[i]);
            return 2;
        }
    }
    return run_tests(argc - 1, argv + 1);
}
