/* test_graded - what sanitizers look for in a test that is graded
 *
 * Each test starts itself again as the inner one, with a folder of its own,
 * and inside bubblewrap where that works. What only one sanitizer finds is
 * looked for in its build alone; in the others such a test has nothing to do.
 */
#include "grader/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs the inner test as the grader does. */
static void run_graded(struct test__run *run, const char *name)
{
    struct test__start start = {.name = name, .seconds = 100};
    const char *reason;

    start.folder = test__again_folder("given");
    start.sandbox = test__sandbox_works(&reason);
    test__again_run(&start, run);
    CHECK_INT(test__again_kin(), 0);
    CHECK_INT(test__folder_remove(start.folder), 0);
}

__attribute__((noinline)) static char *make_text(int number)
{
    char text[16];
    char *volatile escaped = text; /* or the compiler sees it */

    (void)snprintf(text, sizeof(text), "%d", number);
    return escaped;
}

static void use_after_return_is_found(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        char *volatile text = make_text(41);

        printf("%c\n", text[0]);
        return;
    }
    if (!TEST__ADDRESS_SANITIZER)
        return;
    run_graded(run, __func__);
    test__again_judge(run, TEST__FAILED, "stack-use-after-return");
}

static void abort_is_told_with_its_stack(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner())
        abort();
    if (!TEST__ADDRESS_SANITIZER)
        return;
    run_graded(run, __func__);
    CHECK_CONTAINS(run->output, "AddressSanitizer: ABRT");
    CHECK_CONTAINS(run->output, "abort_is_told_with_its_stack");
    CHECK(strchr(run->output, '\033') == NULL);
    test__again_judge(run, TEST__FAILED, "ABRT");
}

static void huge_allocation_is_refused(void *run)
{
    if (test__again_is_inner()) {
        volatile size_t size = (size_t)1 << 46;
        void *volatile block = malloc(size);

        CHECK(block == NULL);
        return;
    }
    if (!TEST__ADDRESS_SANITIZER)
        return;
    run_graded(run, __func__);
    test__again_judge(run, TEST__PASSED, "");
}

static void leak_is_found(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        void *volatile block = malloc(1000);

        CHECK(block != NULL);
        block = NULL;
        return;
    }
    if (!TEST__ADDRESS_SANITIZER)
        return;
    run_graded(run, __func__);
    test__again_judge(run, TEST__FAILED, "1000 byte(s) leaked");
}

static void count(void *data)
{
    (*(int *)data)++;
}

static void race_ends_the_test(void *fixture)
{
    struct test__run *run = fixture;
    uv_thread_t threads[2];
    int number = 0;

    if (test__again_is_inner()) {
        for (int i = 0; i < 2; i++)
            CHECK_INT(uv_thread_create(&threads[i], count, &number), 0);
        for (int i = 0; i < 2; i++)
            CHECK_INT(uv_thread_join(&threads[i]), 0);
        return;
    }
    if (!TEST__THREAD_SANITIZER)
        return;
    run_graded(run, __func__);
    CHECK(test__again_record(run, TEST__PASS, 0) == NULL);
    test__again_judge(run, TEST__FAILED, "data race");
}

static void do_nothing(void *data)
{
    (void)data;
}

static void thread_that_nobody_joins_is_found(void *fixture)
{
    struct test__run *run = fixture;
    uv_thread_t thread;

    if (test__again_is_inner()) {
        CHECK_INT(uv_thread_create(&thread, do_nothing, NULL), 0);
        return;
    }
    if (!TEST__THREAD_SANITIZER)
        return;
    run_graded(run, __func__);
    test__again_judge(run, TEST__FAILED, "thread leak");
}

static void good_test_passes(void *run)
{
    uv_thread_t thread;

    if (test__again_is_inner()) {
        CHECK_INT(uv_thread_create(&thread, do_nothing, NULL), 0);
        CHECK_INT(uv_thread_join(&thread), 0);
        CHECK_INT(access(test_path("nothing"), F_OK), -1);
        return;
    }
    run_graded(run, __func__);
    test__again_judge(run, TEST__PASSED, "");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(use_after_return_is_found),  CASE(abort_is_told_with_its_stack),
    CASE(huge_allocation_is_refused), CASE(leak_is_found),
    CASE(race_ends_the_test),         CASE(thread_that_nobody_joins_is_found),
    CASE(good_test_passes),           {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "graded",
    .cases = cases,
    .fixture_size = sizeof(struct test__run),
};
