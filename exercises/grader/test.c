/* test - the child's side: runs one test's function and reports its outcome
 *
 * Owns the descriptor on which the outcome is reported. Assertions may come
 * from any thread; the first that fails ends the process. Nothing here
 * allocates after the test has begun, so a failing allocator does not hide a
 * failure.
 */
#include "runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    /* Set before the test begins. */
    const struct test_case *test;
    int report; /* -1: run by hand, so all goes to standard error */
    pid_t pid;
    unsigned seconds;
    uint64_t end; /* 0: no limit */
    char nonce[TEST__NONCE_SIZE + 1];

    atomic_flag ending; /* an assertion has failed already */

    /* The usual cause. Relaxed, as below: the text is constant. */
    _Atomic(const char *) cause;

    /* Where the test waits. Relaxed: nothing may be ordered by it that the
     * code under test does not order itself. */
    _Atomic(const char *) wait_file;
    atomic_int wait_line;
} child = {.report = -1, .ending = ATOMIC_FLAG_INIT};

/* Sends a record in one piece. */
static void send_record(char kind, const char *text)
{
    char record[TEST__MESSAGE_SIZE + 2];
    int length = snprintf(record, sizeof record, "%c%s", kind, text);
    size_t size = length < 0 ? 0 : (size_t)length;

    if (child.report < 0)
        return;
    if (size >= sizeof record)
        size = sizeof record - 1;
    if (write(child.report, record, size + 1) != (ssize_t)(size + 1)) {
        /* Then the runner is gone, or sees a record that is cut off, which
         * counts as a failure. */
        return;
    }
}

void test__note(const char *text)
{
    if (child.report < 0)
        fprintf(stderr, "not checked: %s\n", text);
    send_record(TEST__NOTE, text);
}

void test_cause(const char *text)
{
    atomic_store_explicit(&child.cause, text, memory_order_relaxed);
}

/* Of each thread, what it is doing; "" when the test has not said. */
static _Thread_local char doing[TEST__WHILE_SIZE];

void test_while(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(doing, sizeof doing, format, arguments);
    va_end(arguments);
    test_cause(NULL);
}

/* Tells what the test was doing and the usual cause, where they are known. */
static void send_cause(void)
{
    const char *cause =
        atomic_load_explicit(&child.cause, memory_order_relaxed);

    if (cause == NULL)
        cause = child.test->cause;
    if (cause != NULL)
        send_record(TEST__CAUSE, cause);
    if (doing[0] != '\0')
        send_record(TEST__WHILE, doing);
}

/* Ends the process once; a second thread that wants to waits for that. */
_Noreturn static void end_test(char kind, const char *text)
{
    if (atomic_flag_test_and_set(&child.ending))
        for (;;)
            (void)pause(); /* a signal must not make it go on */
    if (child.report < 0) {
        fprintf(stderr, "%s\n", text);
        if (kind == TEST__FAIL)
            abort(); /* a debugger stops here */
    }
    if (kind == TEST__FAIL)
        send_cause();
    send_record(kind, text);
    _exit(kind == TEST__FAIL ? 1 : 0);
}

void test__tell(char kind, const char *format, ...)
{
    char text[TEST__MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    send_record(kind, text);
}

void test_wrong(const char *expected, const char *got, ...)
{
    char text[TEST__MESSAGE_SIZE];
    char both[TEST__MESSAGE_SIZE * 2];
    va_list arguments;

    va_start(arguments, got);
    (void)vsnprintf(text, sizeof text, got, arguments);
    va_end(arguments);
    send_record(TEST__EXPECTED, expected);
    send_record(TEST__GOT, text);
    (void)snprintf(both, sizeof both, "expected %s, got %s", expected, text);
    test__stacks_here();
    end_test(TEST__FAIL, both);
}

uint64_t test_seed(void)
{
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 1;

    return seed != 0 ? seed : 1;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    char text[TEST__MESSAGE_SIZE];
    int length = snprintf(text, sizeof text, "%s:%d: ", file, line);
    va_list arguments;

    if (length > 0 && (size_t)length < sizeof text) {
        va_start(arguments, format);
        (void)vsnprintf(text + length, sizeof text - (size_t)length, format,
                        arguments);
        va_end(arguments);
    }
    test__stacks_here();
    end_test(TEST__FAIL, text);
}

void test_skip(const char *format, ...)
{
    char text[TEST__MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    end_test(TEST__SKIP, text);
}

uint64_t test__time_left(void)
{
    uint64_t now = uv_hrtime();

    if (child.end == 0)
        return UINT64_MAX;
    return now < child.end ? child.end - now : 0;
}

void test__wait_at(const char *file, int line)
{
    atomic_store_explicit(&child.wait_line, line, memory_order_relaxed);
    atomic_store_explicit(&child.wait_file, file, memory_order_relaxed);
}

/* The time is over. Formatting a text is not promised to be safe in a signal
 * handler. Should it ever hang, the runner kills the test a moment later and
 * only the place is lost. */
static void on_time_over(int number)
{
    const char *file =
        atomic_load_explicit(&child.wait_file, memory_order_relaxed);
    int line = atomic_load_explicit(&child.wait_line, memory_order_relaxed);
    char text[64];

    (void)number; /* it is SIGALRM */
    test__stacks();
    if (file != NULL)
        test_fail(file, line, "still waits here after %u s", child.seconds);
    /* Never return: a call that the signal has interrupted could go on as if
     * what it waited for had come. */
    (void)snprintf(text, sizeof text, "no end after %u s", child.seconds);
    end_test(TEST__FAIL, text);
}

/* Takes the nonce off the socket before any code under test has run. */
static int begin_report(int report, unsigned seconds)
{
    struct sigaction action;

    if (read(report, child.nonce, TEST__NONCE_SIZE) != TEST__NONCE_SIZE ||
        fcntl(report, F_SETFD, FD_CLOEXEC) != 0)
        return UV_EIO;
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask); /* constant arguments */
    action.sa_handler = on_time_over;
    (void)sigaction(SIGALRM, &action, NULL);
    test__stacks_prepare();
    child.report = report;
    child.seconds = seconds;
    child.end = uv_hrtime() + seconds * UINT64_C(1000000000);
    (void)alarm(seconds + 1); /* after test_close_loop has had its say */
    return 0;
}

/* What still runs could touch what the test has given back. */
static void check_nothing_is_left(void)
{
    char text[64];
    unsigned threads;

    (void)alarm(0); /* the test has ended; what follows has its own limits */
    threads = test__threads_left();
    if (threads > 0) {
        test__stacks();
        (void)snprintf(text, sizeof text, "leaves %u threads running", threads);
        end_test(TEST__FAIL, text);
    }
    if (test__processes_left() > 0)
        end_test(TEST__FAIL, "left a process running");
}

int test__body_run(const struct test_case *test, int report, unsigned seconds)
{
    void *fixture = NULL;

    child.test = test;
    child.pid = getpid();
    test__path_prepare(test->name);
    /* Whole lines are on their way before a process is killed. If it fails,
     * only output is late. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (report >= 0 && begin_report(report, seconds) != 0) {
        fprintf(stderr, "--run: descriptor %d is not the runner's\n", report);
        return 2;
    }
    test__threads_prepare();
    if (test_suite.fixture_size > 0) {
        fixture = calloc(1, test_suite.fixture_size);
        if (fixture == NULL)
            FAIL("no memory for the fixture");
    }
    if (test_suite.set_up != NULL)
        test_suite.set_up(fixture);
    test->run(fixture);
    if (test_suite.tear_down != NULL)
        test_suite.tear_down(fixture);
    free(fixture);
    if (getpid() != child.pid)
        _exit(1); /* a copy of the test has come here */
    check_nothing_is_left();
    send_record(TEST__PASS, child.nonce);
    if (report < 0)
        fprintf(stderr, "%s returned\n", test->name);
    return 0;
}
