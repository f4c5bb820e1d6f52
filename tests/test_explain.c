/* test_explain - the end of a test's process becomes one finding
 *
 * The runs are made by hand, record by record. Those that name places ask for
 * them in a program that is compiled here.
 */
#include "grader/driver/explain.h"
#include "grader/runner.h"
#include "student_file.h"

#include <inttypes.h>
#include <signal.h>

#define SHOWN "exercises/90-x/ex_x.c"

static const char nonce[] = "0123456789abcdef0123456789abcdef";

/* Begins a run: a process that ended by itself with status 0. */
static struct student *begin(void *fixture)
{
    struct student *student = fixture;

    memset(&student->run, 0, sizeof(student->run));
    memcpy(student->run.nonce, nonce, sizeof(nonce));
    return student;
}

static void add_record(struct student *student, char kind, const char *text)
{
    struct test__run *run = &student->run;
    char *to = run->report + run->report_size;

    CHECK(run->report_size + strlen(text) + 2 <= sizeof(run->report));
    to[0] = kind;
    memcpy(to + 1, text, strlen(text) + 1);
    run->report_size += strlen(text) + 2;
}

static void add_output(struct student *student, const char *text, size_t size)
{
    CHECK(size <= sizeof(student->run.output));
    memcpy(student->run.output, text, size);
    student->run.output_size = size;
}

static const struct finding *explain(struct student *student)
{
    struct explain_test test = student_test;

    test.program = "no-program";
    explain_run(&student->run, &test, &student->finding);
    return &student->finding;
}

static void
expect(struct student *student, enum verdict verdict, const char *got)
{
    const struct finding *finding = explain(student);

    CHECK_TEXT(verdict_name(finding->verdict), verdict_name(verdict));
    CHECK_TEXT(finding->got, got);
}

static void every_verdict_has_a_name(void *fixture)
{
    (void)fixture;
    for (int i = 0; i < VERDICTS; i++) {
        CHECK(verdict_name((enum verdict)i) != NULL);
        for (int j = 0; j < i; j++)
            CHECK(strcmp(verdict_name((enum verdict)i),
                         verdict_name((enum verdict)j)) != 0);
    }
}

static void nonce_and_a_good_end_pass(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__PASS, nonce);
    expect(student, VERDICT_PASSED, "");
    student->run.left_behind = 1;
    expect(student, VERDICT_LEFT_RUNNING, "leaves a process running");
    student->run.left_behind = 0;
    student->run.status = 3 << 8;
    expect(student, VERDICT_LEFT_EARLY,
           "exit with status 3 after the test was over");
    student->run.status = 0;
    add_output(student, "ex_x.c:3:4: runtime error: shift exponent 40\n", 45);
    expect(student, VERDICT_UNDEFINED, "shift exponent 40");
    CHECK_TEXT(student->finding.where, SHOWN ":3");
}

static void without_the_nonce_nothing_passes(void *fixture)
{
    struct student *student = begin(fixture);

    expect(student, VERDICT_LEFT_EARLY,
           "exit with status 0 before the test was over");
    CHECK_CONTAINS(student->finding.cause, "exit, _exit or exec");
    add_record(student, TEST__PASS, "0123");
    expect(student, VERDICT_LEFT_EARLY,
           "exit with status 0 before the test was over");
    begin(student);
    student->run.report_size = 33; /* cut off before its zero */
    student->run.report[0] = TEST__PASS;
    memcpy(student->run.report + 1, nonce, 32);
    expect(student, VERDICT_LEFT_EARLY,
           "exit with status 0 before the test was over");
}

static void wrong_answer_has_both_sides_and_a_cause(void *fixture)
{
    static const char output[] = "one\n\x1b[31mtwo\0\n";
    struct student *student = begin(fixture);

    add_output(student, output, sizeof(output) - 1);
    add_record(student, TEST__EXPECTED, "5 loads, 20 answers");
    add_record(student, TEST__GOT, "5 loads, 17 answers\x07");
    add_record(student, TEST__CAUSE, "a waiter arrived too late");
    add_record(student, TEST__FAIL, "expected 5 loads, got 5 loads");
    expect(student, VERDICT_WRONG, "5 loads, 17 answers?");
    CHECK_TEXT(student->finding.expected, "5 loads, 20 answers");
    CHECK_TEXT(student->finding.cause, "a waiter arrived too late");
    CHECK_TEXT(student->finding.more, "one\n?[31mtwo?");
}

static void failure_without_sides_is_its_text(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__FAIL,
               "exercises/90-x/check.c:12: SELECT \"a: b\" fails");
    expect(student, VERDICT_WRONG, "SELECT \"a: b\" fails");
    begin(student);
    add_record(student, TEST__FAIL,
               "no place: /tmp/x/build/y at 0x7ffe12345678");
    expect(student, VERDICT_WRONG, "no place: y at ");
}

/* What a test looks at inside of a struct is its own affair. */
static void expressions_of_the_test_are_not_shown(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__FAIL,
               "exercises/90-x/check.c:12: b->state == LENT is false");
    expect(student, VERDICT_WRONG,
           "something that the test looks at is not as it should be");
    CHECK_TEXT(student->finding.more,
               "the test says it at exercises/90-x/check.c:12");
    begin(student);
    add_record(student, TEST__EXPECTED, "f->list[2].count = 3");
    add_record(student, TEST__GOT, "f->list[2].count = 5");
    add_record(student, TEST__FAIL,
               "exercises/90-x/check.c:9: f->list[2].count: got 5");
    expect(student, VERDICT_WRONG, "5");
    CHECK_TEXT(student->finding.expected, "3");
    CHECK_TEXT(student->finding.more,
               "the test says it at exercises/90-x/check.c:9");
    begin(student);
    add_record(student, TEST__EXPECTED, "ex_get(&t.list) = 3");
    add_record(student, TEST__GOT, "ex_get(&t.list) = 2.5");
    add_record(student, TEST__FAIL, "check.c:9: ex_get(&t.list): got 2.5");
    expect(student, VERDICT_WRONG, "ex_get(&t.list) = 2.5");
    CHECK_TEXT(student->finding.expected, "ex_get(&t.list) = 3");
}

static void what_the_test_was_doing_is_told(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__EXPECTED, "a");
    add_record(student, TEST__GOT, "b");
    add_record(student, TEST__WHILE, "\"COMMIT\" fails with SQLITE_BUSY");
    add_record(student, TEST__FAIL, "expected a, got b");
    expect(student, VERDICT_WRONG, "b");
    CHECK_TEXT(student->finding.doing, "\"COMMIT\" fails with SQLITE_BUSY");
}

static void full_stack_is_no_null_pointer(void *fixture)
{
    struct student *student = begin(fixture);

    student->run.status = SIGSEGV;
    add_record(student, TEST__FULL, "the stack is full");
    expect(student, VERDICT_CRASHED, "the stack is full");
    CHECK_CONTAINS(student->finding.cause, "calls itself without end");
}

static void threads_left_are_counted(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__FAIL, "leaves 1 threads running");
    expect(student, VERDICT_LEFT_RUNNING, "leaves 1 thread running");
    begin(student);
    add_record(student, TEST__FAIL, "left a process running");
    expect(student, VERDICT_LEFT_RUNNING, "leaves a process running");
}

static void loop_that_does_not_close_names_its_handles(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__OPEN, "uv_timer (active), uv_async (closing)");
    add_record(student, TEST__CAUSE, "the test's own");
    add_record(student, TEST__FAIL,
               "check.c:3: the loop does not close, open: timer (active)");
    expect(student, VERDICT_OPEN,
           "the loop does not close; open: uv_timer (active), "
           "uv_async (closing)");
    CHECK_CONTAINS(student->finding.cause, "uv_close was called, but");
    begin(student);
    add_record(student, TEST__FAIL,
               "check.c:3: the loop does not close: a request is in flight");
    expect(student, VERDICT_OPEN,
           "the loop does not close; open: a request is in flight");
    CHECK_CONTAINS(student->finding.cause, "callback has not run");
    begin(student);
    add_record(student, TEST__OPEN, "uv_idle (active)");
    add_record(student, TEST__FAIL, "check.c:3: the loop does not close");
    expect(student, VERDICT_OPEN,
           "the loop does not close; open: uv_idle (active)");
    CHECK_CONTAINS(student->finding.cause, "idle handle");
}

static void skipped_test_is_not_checked(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__SKIP, "there is no /proc");
    expect(student, VERDICT_NOT_CHECKED, "there is no /proc");
}

static void limits_are_named(void *fixture)
{
    struct student *student = begin(fixture);

    add_record(student, TEST__PASS, nonce);
    student->run.output_total = (UINT64_C(64) << 20) + 5;
    student->run.end = TEST__TOO_MUCH_OUTPUT;
    expect(student, VERDICT_OUTPUT, "printed more than 64 MiB");
    student->run.end = TEST__TOO_MUCH_MEMORY;
    expect(student, VERDICT_TOO_BIG, "took more memory than a test may have");
    student->run.end = TEST__TOO_MANY_PROCESSES;
    expect(student, VERDICT_TOO_BIG,
           "started more processes or threads than a test may have");
    student->run.end = TEST__TIME_OVER;
    expect(student, VERDICT_HUNG, "no end after 10 s");
}

static void signals_have_words(void *fixture)
{
    struct student *student = begin(fixture);

    student->run.status = SIGSEGV;
    expect(student, VERDICT_CRASHED, "SIGSEGV: uses an invalid address");
    student->run.status = SIGXFSZ;
    expect(student, VERDICT_OUTPUT, "SIGXFSZ: a file grew too large");
    student->run.status = SIGABRT;
    add_output(student, "free(): double free\n", 20);
    expect(student, VERDICT_CRASHED, "SIGABRT: abort was called");
    CHECK_TEXT(student->finding.more, "free(): double free");
}

/* ---- With a program --------------------------------------------------------
 */

static const char places_c[] = "int ex_get(int *p);\n"
                               "int ex_put(int n);\n"
                               "int check_it(void);\n"
                               "int ex_get(int *p)\n"
                               "{\n" /* 5 */
                               "    return *p + 1;\n"
                               "}\n"
                               "\n"
                               "int ex_put(int n)\n"
                               "{\n" /* 10 */
                               "    return n + 2;\n"
                               "}\n"
                               "#line 40 \"check.c\"\n"
                               "int check_it(void) { return 3; }\n"
                               "#line 90 \"calls.c\"\n"
                               "int __wrap_it(void);\n"
                               "int __wrap_it(void) { return 4; }\n"
                               "int main(void) { return check_it(); }\n";

/* Makes the program and sets the texts "0x1234" of its four functions. */
static struct explain_test make_program(struct student *student,
                                        char offsets[4][32])
{
    static const char *const names[] = {"ex_get T ", "ex_put T ", "check_it T ",
                                        "__wrap_it T "};
    const char *nm[] = {"nm", "-P", test_path("program"), NULL};
    const char *options[] = {
        "-g", "-O0", "-o", nm[2], student_write("ex_x.c", places_c), NULL};
    struct explain_test test = student_test;

#if !defined(__linux__)
    test_skip("asks addr2line");
#endif
    CHECK_INT(student_compile(student, options), 0);
    CHECK_INT(
        tool_run(nm, STUDENT_SECONDS, student->text, sizeof(student->text)), 0);
    for (int i = 0; i < 4; i++) {
        const char *at = strstr(student->text, names[i]);

        CHECK(at != NULL);
        (void)snprintf(offsets[i], 32, "0x%" PRIx64,
                       (uint64_t)strtoull(at + strlen(names[i]), NULL, 16));
    }
    test.program = nm[2];
    return test;
}

static void hang_names_where_each_thread_waits(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);
    char stack[128];

    (void)snprintf(stack, sizeof(stack), "1: 0x1 %s", offsets[2]);
    add_record(student, TEST__STACK, stack);
    (void)snprintf(stack, sizeof(stack), "3: 0x1 %s %s", offsets[0],
                   offsets[1]);
    add_record(student, TEST__STACK, stack);
    (void)snprintf(stack, sizeof(stack), "4: %s", offsets[1]);
    add_record(student, TEST__STACK, stack);
    (void)snprintf(stack, sizeof(stack), "7: %s", offsets[0]);
    add_record(student, TEST__STACK, stack);
    add_record(student, TEST__FAIL, "check.c:40: still waits here after 10 s");
    explain_run(&student->run, &test, &student->finding);
    CHECK_INT(student->finding.verdict, VERDICT_HUNG);
    CHECK_TEXT(student->finding.got, "no end after 10 s");
    CHECK_TEXT(student->finding.where, SHOWN ":5");
    CHECK_TEXT(student->finding.more,
               "threads 3, 7 wait at " SHOWN ":5 (ex_get)\n"
               "thread 4 waits at " SHOWN ":10 (ex_put)");
}

static void busy_threads_do_not_wait(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);
    char stack[128];

    (void)snprintf(stack, sizeof stack, "1*: %s", offsets[0]);
    add_record(student, TEST__STACK, stack);
    (void)snprintf(stack, sizeof stack, "2: %s", offsets[0]);
    add_record(student, TEST__STACK, stack);
    add_record(student, TEST__FAIL, "no end after 10 s");
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.more,
               "thread 1 is busy at " SHOWN ":5 (ex_get)\n"
               "thread 2 waits at " SHOWN ":5 (ex_get)");
    CHECK_CONTAINS(student->finding.cause, "instead of waiting");
}

static void hang_outside_of_the_file_names_what_it_knows(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);
    char stack[128];

    (void)snprintf(stack, sizeof(stack), "1: %s %s", offsets[3], offsets[2]);
    add_record(student, TEST__STACK, stack);
    student->run.end = TEST__TIME_OVER;
    test.function = "ex_put"; /* which need not be what hangs */
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.more,
               "thread 1 waits at check.c:40 (check_it)");
    CHECK_TEXT(student->finding.where, "");
}

static void crash_names_its_line(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);
    char stack[128];

    (void)snprintf(stack, sizeof(stack), "2: %s %s", offsets[2], offsets[1]);
    add_record(student, TEST__STACK, stack);
    (void)snprintf(stack, sizeof(stack), "1: %s", offsets[0]);
    add_record(student, TEST__STACK, stack);
    student->run.status = SIGSEGV;
    test.function = "ex_get";
    explain_run(&student->run, &test, &student->finding);
    CHECK_INT(student->finding.verdict, VERDICT_CRASHED);
    CHECK_TEXT(student->finding.where, SHOWN ":10");
}

/* The test was called back from ex_get, and did not like it. */
static void wrong_answer_names_the_line_that_called_back(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);
    char stack[128];

    (void)snprintf(stack, sizeof stack, "1: %s %s", offsets[2], offsets[0]);
    add_record(student, TEST__STACK, stack);
    add_record(student, TEST__EXPECTED, "a");
    add_record(student, TEST__GOT, "b");
    add_record(student, TEST__FAIL, "expected a, got b");
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.where, SHOWN ":5");
}

/* Of several functions any may have done it, so none is named. */
static void wrong_answer_looks_at_the_only_function(void *fixture)
{
    struct student *student = begin(fixture);
    char offsets[4][32];
    struct explain_test test = make_program(student, offsets);

    add_record(student, TEST__FAIL, "check.c:40: false");
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.where, "");
    test.function = "ex_put";
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.where, SHOWN ":10");
    test.function = "check_it"; /* not in the student's file */
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.where, "");
    begin(student);
    add_record(student, TEST__PASS, nonce);
    test.function = "ex_put";
    explain_run(&student->run, &test, &student->finding);
    CHECK_TEXT(student->finding.where, "");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(every_verdict_has_a_name),
    CASE(nonce_and_a_good_end_pass),
    CASE(without_the_nonce_nothing_passes),
    CASE(wrong_answer_has_both_sides_and_a_cause),
    CASE(failure_without_sides_is_its_text),
    CASE(expressions_of_the_test_are_not_shown),
    CASE(what_the_test_was_doing_is_told),
    CASE(full_stack_is_no_null_pointer),
    CASE(threads_left_are_counted),
    CASE(loop_that_does_not_close_names_its_handles),
    CASE(skipped_test_is_not_checked),
    CASE(limits_are_named),
    CASE(signals_have_words),
    CASE(hang_names_where_each_thread_waits),
    CASE(busy_threads_do_not_wait),
    CASE(hang_outside_of_the_file_names_what_it_knows),
    CASE(crash_names_its_line),
    CASE(wrong_answer_names_the_line_that_called_back),
    CASE(wrong_answer_looks_at_the_only_function),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "explain",
    .cases = cases,
    .fixture_size = sizeof(struct student),
};
