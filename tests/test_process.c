/* test_process - a test's process: how it starts, its limits, what it leaves
 *
 * Each test starts itself again as the inner one, which goes wrong on purpose.
 */
#include "grader/again.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MIB = 1024 * 1024
};

/* Runs the inner test as told and checks that nothing is left of it. */
static void run_again(struct test__run *run, const struct test__start *start)
{
    test__again_run(start, run);
    CHECK_INT(test__again_kin(), 0);
}

_Noreturn static void wait_for_ever(void)
{
    (void)signal(SIGALRM, SIG_IGN); /* or the test would end itself */
    for (;;)
        (void)pause();
}

/* Forks a process that stays. */
static void leave_process(void)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        wait_for_ever();
}

#if defined(__linux__)
#define LINUX_ONLY() (void)0
#else
#define LINUX_ONLY() test_skip("only Linux shows all processes of a test")
#endif

static void start_gives_seed_and_folder(void *run)
{
    const char *folder;

    if (test__again_is_inner()) {
        FILE *file = fopen(test_path("a.txt"), "w");

        CHECK_INT(test_seed(), 41);
        CHECK(file != NULL);
        CHECK_INT(fclose(file), 0);
        CHECK_CONTAINS(test_path("a.txt"), "/given/a.txt");
        return;
    }
    folder = test__again_folder("given");
    run_again(run, &(struct test__start){.name = __func__,
                                         .seconds = 20,
                                         .seed = 41,
                                         .folder = folder});
    test__again_judge(run, TEST__PASSED, "");
    CHECK_INT(access(test_path("given/a.txt"), F_OK), 0);
    CHECK_INT(test__folder_remove(folder), 0);
}

static void graded_environment_is_reduced(void *run)
{
    const char *folder;

    if (test__again_is_inner()) {
        CHECK(getenv("SECRET") == NULL);
        CHECK(getenv("PATH") != NULL);
        CHECK_TEXT(getenv("ASQ_SOMETHING"), "kept");
        CHECK_TEXT(getenv("TMPDIR"), getenv("TEST_FOLDER"));
        CHECK_TEXT(getenv("HOME"), getenv("TEST_FOLDER"));
        return;
    }
    CHECK_INT(setenv("SECRET", "1", 1), 0);
    CHECK_INT(setenv("ASQ_SOMETHING", "kept", 1), 0);
    folder = test__again_folder("given");
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 20, .folder = folder});
    test__again_judge(run, TEST__PASSED, "");
    CHECK_INT(test__folder_remove(folder), 0);
}

static void prefix_stands_before_the_program(void *run)
{
    static const char *const prefix[] = {"env", "PREFIXED=yes", NULL};

    if (test__again_is_inner()) {
        CHECK_TEXT(getenv("PREFIXED"), "yes");
        return;
    }
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 20, .prefix = prefix});
    test__again_judge(run, TEST__PASSED, "");
}

static void other_program_is_started(void *run)
{
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 20, .program = "/bin/sh"});
    test__again_judge(run, TEST__FAILED, "exit with status ");
    CHECK_INT(
        test__process_run(&(struct test__start){.name = __func__,
                                                .seconds = 20,
                                                .program = "/no/such/program"},
                          run),
        UV_ENOENT);
}

static char *touch_memory(size_t size)
{
    char *block = malloc(size);

    CHECK(block != NULL);
    for (size_t i = 0; i < size; i += 512)
        ((volatile char *)block)[i] = 1;
    return block;
}

static void memory_of_all_processes_counts(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        for (int i = 0; i < 4; i++) {
            pid_t pid = fork();

            CHECK(pid >= 0);
            if (pid == 0) {
                (void)touch_memory(100 * MIB); /* to keep */
                wait_for_ever();
            }
        }
        wait_for_ever();
    }
    LINUX_ONLY();
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 100, .memory = 300 * MIB});
    CHECK_INT(run->end, TEST__TOO_MUCH_MEMORY);
    test__again_judge(run, TEST__FAILED, "too much memory");
}

static void memory_below_the_limit_passes(void *run)
{
    if (test__again_is_inner()) {
        free(touch_memory(MIB));
        return;
    }
    run_again(run, &(struct test__start){.name = __func__,
                                         .seconds = 20,
                                         .memory = UINT64_C(1) << 30});
    test__again_judge(run, TEST__PASSED, "");
}

static void endless_output_is_ended(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        for (int i = 0; i < 1000000; i++)
            printf("line %d\n", i);
        wait_for_ever();
    }
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 100, .output = MIB});
    CHECK_INT(run->end, TEST__TOO_MUCH_OUTPUT);
    test__again_judge(run, TEST__FAILED, "too much output");
    CHECK_RANGE(run->output_total, MIB, 2 * MIB);
}

static void output_just_before_the_end_counts(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        for (int i = 0; i < 1000; i++)
            printf("a line of output\n");
        return;
    }
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 20, .output = 1000});
    CHECK_INT(run->end, TEST__TOO_MUCH_OUTPUT);
}

static void many_processes_are_ended(void *fixture)
{
    struct test__run *run = fixture;
    const char *folder;

    if (test__again_is_inner()) {
        for (int i = 0; i < 100; i++)
            leave_process();
        wait_for_ever();
    }
    LINUX_ONLY();
    folder = test__again_folder("given");
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 100, .folder = folder});
    CHECK_INT(run->end, TEST__TOO_MANY_PROCESSES);
    test__again_judge(run, TEST__FAILED, "too many processes");
    CHECK_INT(test__folder_remove(folder), 0);
}

static void fork_bomb_is_cleaned_up(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        pid_t leader = getpid();

        for (int i = 0; i < 6; i++) {
            if (fork() == 0)
                (void)setsid(); /* each in a group of its own */
        }
        if (getpid() == leader)
            return;
        wait_for_ever();
    }
    LINUX_ONLY();
    run_again(run, &(struct test__start){.name = __func__, .seconds = 100});
    CHECK(run->left_behind);
    test__again_judge(run, TEST__FAILED, "left a process running");
}

static void daemon_is_found_and_ended(void *fixture)
{
    struct test__run *run = fixture;
    int ends[2];
    char byte;

    if (test__again_is_inner()) {
        CHECK_INT(pipe(ends), 0);
        if (fork() == 0) {
            CHECK(setsid() > 0);
            if (fork() == 0) {
                for (int fd = 0; fd < 3; fd++)
                    (void)close(fd);
                CHECK_INT(write(ends[1], "d", 1), 1);
                wait_for_ever();
            }
            _exit(0);
        }
        CHECK_INT(read(ends[0], &byte, 1), 1); /* it has got away */
        CHECK(wait(NULL) > 0);
        return;
    }
    LINUX_ONLY();
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    CHECK(run->left_behind);
    test__again_judge(run, TEST__FAILED, "left a process running");
}

static void unreaped_child_is_not_left_running(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        siginfo_t info;

        if (fork() == 0)
            _exit(0);
        CHECK_INT(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
        return;
    }
    LINUX_ONLY();
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    CHECK(!run->left_behind);
    test__again_judge(run, TEST__PASSED, "");
}

static void stopped_test_is_ended(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        (void)raise(SIGSTOP);
        wait_for_ever();
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 1});
    CHECK_INT(run->end, TEST__TIME_OVER);
    CHECK(WIFSIGNALED(run->status));
}

static void test_in_another_group_is_ended(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        CHECK_INT(setpgid(0, getpgid(getppid())), 0);
        wait_for_ever();
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 1});
    CHECK_INT(run->end, TEST__TIME_OVER);
}

static void test_that_kills_its_group_ends_alone(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        (void)kill(0, SIGKILL);
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    CHECK_INT(run->end, TEST__BY_ITSELF);
    test__again_judge(run, TEST__FAILED, "ended by SIGKILL");
}

static void test_that_kills_its_parent_ends_with_it(void *run)
{
    struct test__others others;
    int status;
    pid_t pid;

    if (test__again_is_inner()) {
        (void)kill(getppid(), SIGKILL);
        wait_for_ever();
    }
    LINUX_ONLY();
    test__kin_adopt(&others);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        test__again_run(&(struct test__start){.name = __func__, .seconds = 20},
                        run);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    /* The inner one may be about to end, and is an orphan now. */
    CHECK(!test__kin_end(&others, pid, UINT64_C(10000000000)));
    CHECK_INT(test__again_kin(), 0);
}

static void other_children_stay(void *fixture)
{
    struct test__run *run = fixture;
    int ends[2];
    int status;
    pid_t pid;
    char byte;

    if (test__again_is_inner())
        return;
    CHECK_INT(pipe(ends), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 7 : 8);
    }
    test__again_run(&(struct test__start){.name = __func__, .seconds = 20},
                    run);
    test__again_judge(run, TEST__PASSED, "");
    CHECK_INT(close(ends[1]), 0);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
}

static void large_file_of_a_graded_test_fails(void *run)
{
    const char *folder;

    if (test__again_is_inner()) {
        FILE *file = fopen(test_path("large"), "w");

        CHECK(file != NULL);
        (void)!ftruncate(fileno(file), 300 * MIB); /* needs no space */
        FAIL("there is a file of 300 MiB");
    }
    folder = test__again_folder("given");
    run_again(run, &(struct test__start){
                       .name = __func__, .seconds = 20, .folder = folder});
    test__again_judge(run, TEST__FAILED, "SIGXFSZ");
    CHECK_INT(test__folder_remove(folder), 0);
}

static void processor_time_has_a_limit(void *run)
{
    struct rlimit limit;

    (void)run;
    CHECK_INT(getrlimit(RLIMIT_CPU, &limit), 0);
    CHECK(limit.rlim_cur != RLIM_INFINITY);
    CHECK(limit.rlim_cur < limit.rlim_max);
}

static void copy_of_the_test_does_not_pass(void *run)
{
    if (test__again_is_inner()) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0)
            return;
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        _exit(0);
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    test__again_judge(run, TEST__FAILED, "exit with status 0 before");
}

static void fail_a_check(void)
{
    const char *volatile text = "two";

    CHECK_TEXT(text, "one");
}

/* A student is told both, apart, and the usual cause before the failure. */
static void failed_check_sends_what_it_knows(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        test_cause("it was written down wrong");
        fail_a_check();
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    CHECK_TEXT(test__again_record(run, TEST__EXPECTED, 0), "text = \"one\"");
    CHECK_TEXT(test__again_record(run, TEST__GOT, 0), "text = \"two\"");
    CHECK_TEXT(test__again_record(run, TEST__CAUSE, 0),
               "it was written down wrong");
    test__again_judge(run, TEST__FAILED, ": got \"two\", expected \"one\"");
}

static void the_cause_ends_with_its_part(void *fixture)
{
    struct test__run *run = fixture;
    const char *cause = "of the first part";

    if (test__again_is_inner()) {
        test_while("the first of %d parts", 2);
        test_cause(cause);
        test_while("the second part");
        test_wrong("a", "b");
    }
    run_again(run, &(struct test__start){.name = __func__, .seconds = 20});
    CHECK(test__again_record(run, TEST__CAUSE, 0) == NULL);
    CHECK_TEXT(test__again_record(run, TEST__WHILE, 0), "the second part");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(start_gives_seed_and_folder),
    CASE(graded_environment_is_reduced),
    CASE(prefix_stands_before_the_program),
    CASE(other_program_is_started),
    CASE(memory_of_all_processes_counts),
    CASE(memory_below_the_limit_passes),
    CASE(endless_output_is_ended),
    CASE(output_just_before_the_end_counts),
    CASE(many_processes_are_ended),
    CASE(fork_bomb_is_cleaned_up),
    CASE(daemon_is_found_and_ended),
    CASE(unreaped_child_is_not_left_running),
    CASE(stopped_test_is_ended),
    CASE(test_in_another_group_is_ended),
    CASE(test_that_kills_its_group_ends_alone),
    CASE(test_that_kills_its_parent_ends_with_it),
    CASE(other_children_stay),
    CASE(large_file_of_a_graded_test_fails),
    CASE(processor_time_has_a_limit),
    CASE(copy_of_the_test_does_not_pass),
    CASE(failed_check_sends_what_it_knows),
    CASE(the_cause_ends_with_its_part),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "process",
    .cases = cases,
    .fixture_size = sizeof(struct test__run),
};
