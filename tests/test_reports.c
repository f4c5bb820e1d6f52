/* test_reports - what a sanitizer reports is said in words, with the lines
 *
 * Most tests compile a file that goes wrong in one way and let it run, so
 * that they hold for the compiler of this machine; the texts that stand here
 * are what another one prints.
 */
#include "grader/driver/reports.h"
#include "grader/runner.h"
#include "student_file.h"

#define SHOWN "exercises/90-x/ex_x.c"

/* Explains what the program printed, and checks the verdict and the words. */
static void expect(struct student *student,
                   const char *program,
                   enum verdict verdict,
                   const char *got)
{
    struct explain_test test = student_test;

    test.program = program;
    explain_run(&student->run, &test, &student->finding);
    if (student->finding.verdict != verdict)
        fprintf(stderr, "%s\n", student->text);
    CHECK_TEXT(verdict_name(student->finding.verdict), verdict_name(verdict));
    CHECK_CONTAINS(student->finding.got, got);
}

/* Likewise of a text. */
static void expect_text(struct student *student,
                        const char *text,
                        enum verdict verdict,
                        const char *got)
{
    memset(&student->run, 0, sizeof(student->run));
    student->run.status = 1 << 8;
    student->run.output_size = strlen(text);
    memcpy(student->run.output, text, strlen(text));
    expect(student, "no-program", verdict, got);
}

static const char memory_c[] =
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "static char *volatile last;\n"
    "static void give_back(char *p) {\n"
    "    free(p);\n" /* 5 */
    "}\n"
    "static int deeper(volatile int *n) {\n"
    "    int volatile here[64] = {*n};\n"
    "    return deeper(&here[3]) + here[0];\n"
    "}\n" /* 10 */
    "int main(int count, char **words) {\n"
    "    int way = words[count - 1][0] - '0';\n"
    "    char *p = malloc(24);\n"
    "    char volatile *q = p;\n"
    "    int volatile n = 2147483647;\n" /* 15 */
    "    last = p;\n"
    "    if (way == 1) { give_back(p);\n"
    "        memset(last, 0, 4); }\n"
    "    if (way == 2)\n"
    "        memset(last, 0, 30);\n" /* 20 */
    "    if (way == 3) { free(p);\n"
    "        give_back(last); }\n"
    "    if (way == 4) p = last = NULL;\n"
    "    if (way == 5)\n"
    "        *(int volatile *)0x123456789000 = 1;\n" /* 25 */
    "    if (way == 6)\n"
    "        n = n + 1;\n"
    "    if (way == 7)\n"
    "        return deeper(&n);\n"
    "    if (way == 8)\n" /* 30 */
    "        free(last + 8);\n"
    "    if (way == 9)\n"
    "        return memcmp(last - 1, \"abc\", 3);\n"
    "    (void)q;\n"
    "    if (way != 4) free(last);\n" /* 35 */
    "    last = NULL;\n"
    "    return 0;\n"
    "}\n";

static void memory_errors_are_told_apart(void *fixture)
{
    static const struct {
        const char *way;
        enum verdict verdict;
        const char *got;
        const char *where;
        const char *where2;
    } ways[] = {
        {"1", VERDICT_MEMORY, "writes to memory that was freed", SHOWN ":18",
         SHOWN ":5"},
        {"2", VERDICT_MEMORY, "writes past the end of an allocation",
         SHOWN ":20", SHOWN ":13"},
        {"3", VERDICT_MEMORY, "frees the same memory twice", SHOWN ":5",
         SHOWN ":21"},
        {"5", VERDICT_CRASHED, "SIGSEGV: writes at", SHOWN ":25", ""},
        {"6", VERDICT_UNDEFINED,
         "signed integer overflow: 2147483647 + 1 cannot be represented",
         SHOWN ":27", ""},
        {"7", VERDICT_CRASHED, "the stack is full", SHOWN ":", ""},
        {"8", VERDICT_MEMORY, "frees memory that did not come from malloc",
         SHOWN ":31", SHOWN ":13"},
        {"9", VERDICT_MEMORY, "reads before the beginning of an allocation",
         SHOWN ":33", SHOWN ":13"},
    };
    struct student *student = fixture;
    const char *program = student_build(student, memory_c, "address,undefined");

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        student_run(student, program, ways[i].way);
        expect(student, program, ways[i].verdict, ways[i].got);
        CHECK_CONTAINS(student->finding.where, ways[i].where);
        CHECK_TEXT(student->finding.where2, ways[i].where2);
        CHECK(strstr(student->finding.got, "0x") == NULL);
        CHECK(strstr(student->finding.more, "0x") == NULL);
    }
}

static void leak_names_its_allocation(void *fixture)
{
    struct student *student = fixture;
    const char *program;

#if !defined(__linux__)
    test_skip("leaks are found on Linux only");
#endif
    program = student_build(student, memory_c, "address,undefined");
    student_run(student, program, "4");
    expect(student, program, VERDICT_LEAKED,
           "24 bytes in 1 allocation are never freed");
    CHECK_TEXT(student->finding.where, SHOWN ":13");
}

static const char threads_c[] =
    "#include <pthread.h>\n"
    "#include <stdlib.h>\n"
    "#include <sched.h>\n"
    "#include <stdatomic.h>\n"
    "static atomic_int done;\n" /* 5 */
    "#define TELL atomic_store_explicit(&done, 1, memory_order_relaxed)\n"
    "#define WAIT while (!atomic_load_explicit(&done, "
    "memory_order_relaxed)) sched_yield()\n"
    "static long n;\n"
    "static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;\n"
    "static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;\n" /* 10 */
    "static void *count(void *data) {\n"
    "    (void)data;\n"
    "    n++; TELL;\n"
    "    return NULL;\n"
    "}\n" /* 15 */
    "static void *order(void *data) {\n"
    "    (void)data;\n"
    "    pthread_mutex_lock(&b);\n"
    "    pthread_mutex_lock(&a);\n"
    "    pthread_mutex_unlock(&a);\n" /* 20 */
    "    pthread_mutex_unlock(&b);\n"
    "    return NULL;\n"
    "}\n"
    "static void *use(void *data) {\n"
    "    *(char *)data = 2; TELL;\n" /* 25 */
    "    return NULL;\n"
    "}\n"
    "int main(int words, char **word) {\n"
    "    int way = word[words - 1][0] - '0';\n"
    "    char *p = malloc(16);\n" /* 30 */
    "    pthread_t thread;\n"
    "    long k = 0;\n"
    "    if (way == 1) {\n"
    "        pthread_create(&thread, NULL, count, NULL);\n"
    "        WAIT; k = n;\n" /* 35 */
    "        pthread_join(thread, NULL);\n"
    "    }\n"
    "    if (way == 2) {\n"
    "        pthread_mutex_lock(&a);\n"
    "        pthread_mutex_lock(&b);\n" /* 40 */
    "        pthread_mutex_unlock(&b);\n"
    "        pthread_mutex_unlock(&a);\n"
    "        pthread_create(&thread, NULL, order, NULL);\n"
    "        pthread_join(thread, NULL);\n"
    "    }\n" /* 45 */
    "    if (way == 3)\n"
    "        pthread_mutex_lock(&a);\n"
    "    if (way == 3)\n"
    "        pthread_mutex_destroy(&a);\n"
    "    if (way == 5)\n" /* 50 */
    "        pthread_mutex_unlock(&a);\n"
    "    if (way == 6) {\n"
    "        pthread_create(&thread, NULL, use, p);\n"
    "        WAIT; free(p);\n"
    "        pthread_join(thread, NULL);\n" /* 55 */
    "        return 0;\n"
    "    }\n"
    "    free(p);\n"
    "    return k > 100;\n"
    "}\n";
/* 60 */ /* 60 */

static void errors_of_threads_are_told_apart(void *fixture)
{
    static const struct {
        const char *way;
        enum verdict verdict;
        const char *got;
        const char *lines[2]; /* in any order */
    } ways[] = {
        {"1",
         VERDICT_RACED,
         "same data, and nothing orders them: ",
         {SHOWN ":13", SHOWN ":35"}},
        {"2",
         VERDICT_RACED,
         "two mutexes are locked in different orders",
         {SHOWN ":40", SHOWN ":19"}},
        {"3",
         VERDICT_UNDEFINED,
         "destroyed while it is locked",
         {SHOWN ":49", SHOWN ":47"}},
        {"5",
         VERDICT_UNDEFINED,
         "unlocked that this thread has not locked",
         {SHOWN ":51", ""}},
        {"6", VERDICT_RACED, "frees at ex_x.c:54", {SHOWN ":25", SHOWN ":54"}},
    };
    struct student *student = fixture;
    const char *program = student_build(student, threads_c, "thread");

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct finding *finding = &student->finding;
        int swapped;

        student_run(student, program, ways[i].way);
        expect(student, program, ways[i].verdict, ways[i].got);
        swapped = strcmp(finding->where, ways[i].lines[0]) != 0;
        CHECK_TEXT(finding->where, ways[i].lines[swapped]);
        CHECK_TEXT(finding->where2, ways[i].lines[!swapped]);
        CHECK(strstr(finding->got, "pid") == NULL);
    }
}

static void connection_that_is_shared_is_named(void *fixture)
{
    static const char text[] =
        "==================\n"
        "WARNING: ThreadSanitizer: data race (pid=26747)\n"
        "  Read of size 8 at 0x5555555580e8 by main thread:\n"
        "    #0 use_connection exercises/grader/thread_check.c:120 "
        "(program+0x13fa)\n"
        "    #1 __wrap_sqlite3_prepare_v2 exercises/grader/thread_check.c:173 "
        "(program+0x1686)\n"
        "    #2 use /home/a b/ex_x.c:4 (program+0x12b9)\n"
        "    #3 main /home/a b/ex_x.c:7 (program+0x1341)\n"
        "\n"
        "  Previous write of size 8 at 0x5555555580e8 by thread T1:\n"
        "    #0 use_connection exercises/grader/thread_check.c:120 "
        "(program+0x140a)\n"
        "    #1 __wrap_sqlite3_step exercises/grader/thread_check.c:197 "
        "(program+0x1723)\n"
        "    #2 use /home/a b/ex_x.c:9 (program+0x12cb)\n"
        "\n"
        "  Location is global 'counters' of size 524288 at 0x5555555580e0\n"
        "\n"
        "  Thread T1 (tid=26750, finished) created by main thread at:\n"
        "    #0 pthread_create interceptors.cpp:1001 (libtsan.so.2+0x5e686)\n"
        "    #1 main /home/a b/ex_x.c:6 (program+0x1337)\n"
        "\n"
        "SUMMARY: ThreadSanitizer: data race thread_check.c:120\n";
    struct student *student = fixture;

    expect_text(student, text, VERDICT_RACED, "two threads use one connection");
    CHECK_TEXT(student->finding.got, "two threads use one connection: "
                                     "at ex_x.c:4, at ex_x.c:9");
    CHECK_TEXT(student->finding.where, SHOWN ":4");
    CHECK_TEXT(student->finding.where2, SHOWN ":9");
}

static void other_side_of_a_race_is_named(void *fixture)
{
    static const char text[] =
        "WARNING: ThreadSanitizer: data race (pid=3648)\n"
        "  Write of size 8 at 0x5555569ca258 by main thread (mutexes: write "
        "M0):\n"
        "    #0 ex_get /x/ex_x.c:14:64 (program+0xd01fb) (BuildId: 917e)\n"
        "\n"
        "  Previous read of size 8 at 0x5555569ca258 by thread T1:\n"
        "    #0 asks /x/exercises/90-x/check.c:5:39 (program+0xd0321)\n"
        "\n"
        "==================\n"
        "WARNING: ThreadSanitizer: thread leak (pid=3648)\n"
        "  Thread T1 (tid=3650, finished) created by main thread at:\n"
        "    #0 pthread_create <null> (program+0x513ad)\n"
        "    #1 ex_get /x/ex_x.c:11:11 (program+0xd01e3)\n";
    struct student *student = fixture;

    expect_text(student, text, VERDICT_RACED,
                ": writes at ex_x.c:14, reads in the test");
    CHECK_TEXT(student->finding.where, SHOWN ":14");
    CHECK_TEXT(student->finding.where2, "");
    /* The second report alone is another one. */
    expect_text(student, strstr(text, "==="), VERDICT_LEFT_RUNNING,
                "a thread was never joined");
    CHECK_TEXT(student->finding.where, SHOWN ":11");
}

static void report_that_knows_the_file_comes_first(void *fixture)
{
    static const char text[] =
        "WARNING: ThreadSanitizer: signal-unsafe call inside of a signal "
        "(pid=1)\n"
        "    #0 malloc <null> (program+0x4fbf1)\n"
        "    #1 ex_get /x/ex_x.c:3 (program+0x1234)\n"
        "WARNING: ThreadSanitizer: data race (pid=1)\n"
        "  Write of size 8 at 0x7b0400000000 by thread T1:\n"
        "    #0 asks /x/check.c:5 (program+0xd0321)\n"
        "  Previous write of size 8 at 0x7b0400000000 by thread T2:\n"
        "    #0 asks /x/check.c:5 (program+0xd0321)\n"
        "WARNING: ThreadSanitizer: data race (pid=1)\n"
        "  Write of size 8 at 0x7b0400000000 by thread T1:\n"
        "    #0 ex_get /x/ex_x.c:50 (program+0xd0321)\n"
        "  Previous write of size 8 at 0x7b0400000000 by thread T2:\n"
        "    #0 ex_get /x/ex_x.c:60 (program+0xd0321)\n";
    struct student *student = fixture;

    expect_text(student, text, VERDICT_RACED, "writes at ex_x.c:50");
}

static void report_about_a_library_has_its_usual_cause(void *fixture)
{
    static const char leak[] =
        "==26619==ERROR: LeakSanitizer: detected memory leaks\n"
        "\n"
        "Indirect leak of 15984 byte(s) in 107 object(s) allocated from:\n"
        "    #0 0x7f071d2b89cf in __interceptor_malloc "
        "../libsanitizer/asan/asan_malloc_linux.cpp:69\n"
        "    #1 0x7f071d98a503  (/lib/x86_64-linux-gnu/libsqlite3.so.0+0xa7)\n"
        "\n"
        "SUMMARY: AddressSanitizer: 15984 byte(s) leaked in 107 "
        "allocation(s).\n";
    static const char use[] =
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address "
        "0x603000000043 at pc 0x5608c0c43221 bp 0x7ffe98e62ab0 sp 0x7ffe98e6\n"
        "READ of size 8 at 0x603000000043 thread T0\n"
        "    #0 0x7f28b0f20249 in uv__run_timers "
        "(/lib/x86_64-linux-gnu/libuv.so.1+0x16249)\n"
        "    #1 0x7f28b0f20304 in uv_run (/lib/libuv.so.1+0x17304)\n";
    static const char called_back[] =
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address "
        "0x603000000043 at pc 0x5608c0c43221 bp 0x7ffe98e62ab0 sp 0x7ffe98e6\n"
        "READ of size 8 at 0x603000000043 thread T0\n"
        "    #0 0x5608c0c43220 in on_answered exercises/11-x/asking.h:165\n"
        "    #1 0x7f28b0f20249 in uv__run_idle "
        "(/lib/x86_64-linux-gnu/libuv.so.1+0x16890)\n";
    struct student *student = fixture;

    expect_text(student, leak, VERDICT_LEAKED,
                "15984 bytes in 107 allocations are never freed");
    CHECK_CONTAINS(student->finding.cause, "statement that was not finalized");
    CHECK_TEXT(student->finding.where, "");
    expect_text(student, use, VERDICT_MEMORY, "reads memory that was freed");
    CHECK_CONTAINS(student->finding.cause, "before its callback has run");
    expect_text(student, called_back, VERDICT_MEMORY,
                "reads memory that was freed");
    CHECK_CONTAINS(student->finding.cause, "something still points to it");
}

static void frames_without_names_are_looked_up(void *fixture)
{
    struct student *student = fixture;
    const char *program;

#if !defined(__linux__)
    test_skip("asks addr2line");
#endif
    program = student_build(student, memory_c, "address,undefined");
    CHECK_INT(setenv("ASAN_OPTIONS", "symbolize=0", 1), 0);
    student_run(student, program, "1");
    CHECK(strstr(student->text, "ex_x.c") == NULL);
    expect(student, program, VERDICT_MEMORY, "writes to memory that was freed");
    CHECK_TEXT(student->finding.where, SHOWN ":18");
    CHECK_TEXT(student->finding.where2, SHOWN ":5");
}

static void sanitizer_that_gives_up_is_not_the_student(void *fixture)
{
    struct student *student = fixture;

    expect_text(student,
                "FATAL: ThreadSanitizer: unexpected memory mapping "
                "0x5a3e0f0c0000-0x5a3e0f0c1000\n",
                VERDICT_GRADER, "cannot work on this machine");
}

static void text_of_the_student_is_no_report(void *fixture)
{
    struct student *student = fixture;

    expect_text(student, "shop: runtime error: no rows\n", VERDICT_LEFT_EARLY,
                "exit with status 1 before");
    expect_text(student, "<unknown>: runtime error: shift exponent 40\n",
                VERDICT_UNDEFINED, "shift exponent 40");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(memory_errors_are_told_apart),
    CASE(leak_names_its_allocation),
    CASE(errors_of_threads_are_told_apart),
    CASE(connection_that_is_shared_is_named),
    CASE(other_side_of_a_race_is_named),
    CASE(report_that_knows_the_file_comes_first),
    CASE(report_about_a_library_has_its_usual_cause),
    CASE(frames_without_names_are_looked_up),
    CASE(sanitizer_that_gives_up_is_not_the_student),
    CASE(text_of_the_student_is_no_report),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "reports",
    .cases = cases,
    .fixture_size = sizeof(struct student),
};
