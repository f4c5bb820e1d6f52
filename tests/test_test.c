/* test_test - what the runner says, the assertions, a test's folder
 *
 * Most tests run themselves again with a runner inside. There they go wrong
 * on purpose, and the outer one reads what the runner says about it.
 */
#include "grader/again.h"
#include "grader/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void passed_test_is_ok(void *again)
{
    if (!test__again_is_inner()) {
        test__again_expect(again, __func__, 0,
                           "ok    passed_test_is_ok\n1 passed, 0 failed\n");
    }
}

static void check_shows_both_numbers(void *again)
{
    const char *text;

    if (test__again_is_inner()) {
        printf("what it printed\n");
        CHECK_INT(40 + 1, 42);
    }
    text = test__again_expect_fail(again, __func__, "test_test.c:");
    CHECK_CONTAINS(text,
                   ": 40 + 1: got 41, expected 42\n    | what it printed\n");
}

static void numbers_have_their_words(void *again)
{
    (void)again;
    CHECK_TEXT(test_count(0, "load", NULL), "no loads");
    CHECK_TEXT(test_count(1, "load", NULL), "1 load");
    CHECK_TEXT(test_count(5, "load", NULL), "5 loads");
    CHECK_TEXT(test_count(UINT64_MAX, "query", "queries"),
               "18446744073709551615 queries");
    CHECK_TEXT(test_times(0), "never");
    CHECK_TEXT(test_times(1), "once");
    CHECK_TEXT(test_times(2), "twice");
    CHECK_TEXT(test_times(7), "7 times");
}

static void codes_have_their_names(void *again)
{
    (void)again;
    CHECK_TEXT(test_code(0), "0 (success)");
    CHECK_TEXT(test_code(5), "SQLITE_BUSY (5)");
    CHECK_TEXT(test_code(778), "SQLITE_IOERR_WRITE (778)");
    CHECK_TEXT(test_code(10 | 99 << 8), "SQLITE_IOERR | 99 << 8 (25354)");
    CHECK_TEXT(test_code(60), "60 (no known code)");
    CHECK_CONTAINS(test_code(UV_EINVAL), "UV_EINVAL (-");
    CHECK_TEXT(test_code(-100001), "-100001 (no known code)");
}

static void check_shows_both_texts(void *again)
{
    if (test__again_is_inner()) {
        CHECK_TEXT("one\n\x1b", "one");
    }
    test__again_expect_fail(again, __func__,
                            ": got \"one\\n\\x1b\", expected \"one\"\n");
}

static void check_of_null_fails(void *again)
{
    if (test__again_is_inner()) {
        const char *volatile nothing = NULL;

        CHECK_TEXT(nothing, NULL);
        CHECK_TEXT(nothing, "one");
    }
    test__again_expect_fail(again, __func__,
                            ": nothing: got NULL, expected \"one\"\n");
}

static void check_shows_what_is_not_contained(void *again)
{
    if (test__again_is_inner()) {
        CHECK_CONTAINS("a needle", "needle");
        CHECK_CONTAINS("a needle", "thread");
    }
    test__again_expect_fail(again, __func__,
                            ": got \"a needle\", expected a text");
}

static void check_shows_the_range(void *again)
{
    if (test__again_is_inner()) {
        CHECK_RANGE(1, 1, 2);
        CHECK_RANGE(2, 1, 2);
        CHECK_RANGE(0.5, 1, 2);
    }
    test__again_expect_fail(again, __func__,
                            ": 0.5: got 0.5, expected 1 to 2\n");
}

static void check_shows_the_condition(void *again)
{
    if (test__again_is_inner()) {
        CHECK(2 > 1);
        CHECK(1 > 2);
    }
    test__again_expect_fail(again, __func__, ": 1 > 2 is false\n");
}

static void fail_on_thread(void *data)
{
    (void)data;
    FAIL("from a thread");
}

static void thread_may_fail(void *again)
{
    if (test__again_is_inner()) {
        uv_thread_t thread;

        CHECK_INT(uv_thread_create(&thread, fail_on_thread, NULL), 0);
        CHECK_INT(uv_thread_join(&thread), 0);
    }
    test__again_expect_fail(again, __func__, ": from a thread\n");
}

static void skipped_test_is_not_checked(void *again)
{
    if (test__again_is_inner()) {
        test_skip("no %s", "printer");
    }
    test__again_expect(again, __func__, 0,
                       "not checked  skipped_test_is_not_checked: no printer\n"
                       "0 passed, 0 failed, 1 not checked\n");
}

static void only_the_end_of_output_is_shown(void *again)
{
    const char *text;

    if (test__again_is_inner()) {
        for (int i = 0; i < 100000; i++) {
            printf("line %d\n", i);
        }
        FAIL("enough");
    }
    text = test__again_expect_fail(again, __func__,
                                   ": enough\n    | (the end of ");
    CHECK_CONTAINS(text, "    | line 99400\n");
    CHECK_CONTAINS(text, "    | line 99999\n");
    CHECK(strlen(text) < 20000);
}

/* Removes the folder that the runner has named, and checks that it was there.
 */
static void remove_kept_folder(const char *text)
{
    static const char mark[] = "\n    its files: ";
    char path[TEST__PATH_SIZE];

    CHECK_CONTAINS(text, mark);
    text = strstr(text, mark) + strlen(mark);
    (void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(text, "\n"), text);
    CHECK_INT(access(path, F_OK), 0);
    CHECK_INT(test__folder_remove(path), 0);
    CHECK(access(path, F_OK) != 0);
}

static void one_failure_fails_the_file(void *again)
{
    const char *text;

    if (test__again_is_inner()) {
        return; /* or it would start itself without end */
    }
    text = test__again_expect(again, NULL, 1, " failed, 1 not checked\n");
    CHECK_CONTAINS(text, "\nok    one_failure_fails_the_file\n");
    CHECK_CONTAINS(text, "\nFAIL  check_shows_both_numbers  ");
    CHECK_CONTAINS(text, "\nnot checked  skipped_test_is_not_checked: ");
    remove_kept_folder(text); /* of folder_is_kept_after_a_failure */
}

static void output_does_not_steer_the_terminal(void *again)
{
    if (test__again_is_inner()) {
        printf("\033[2J\n");
        FAIL("a\033b");
    }
    test__again_expect_fail(again, __func__, ": a?b\n    | ?[2J\n");
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    CHECK_INT(fclose(file), 0);
}

static void folder_is_removed_after_a_pass(void *fixture)
{
    struct test__again *again = fixture;
    char path[TEST__PATH_SIZE];

    if (test__again_is_inner()) {
        make_file(test_path("a.db"));
        make_file(test_path("a.db-wal"));
        test__again_tell(test_path("a.db"));
        return;
    }
    test__again_start(again, __func__);
    test__again_listen(again, path, sizeof(path));
    test__again_finish(again);
    CHECK_CONTAINS(again->text, "1 passed");
    CHECK_CONTAINS(path, "/tmp/test-folder_is_removed_after_a_pass-");
    *strrchr(path, '/') = '\0';
    CHECK(access(path, F_OK) != 0);
}

static void folder_is_kept_after_a_failure(void *again)
{
    const char *text;

    if (test__again_is_inner()) {
        make_file(test_path("a.db"));
        FAIL("on purpose");
    }
    text = test__again_expect_fail(again, __func__, ": on purpose\n");
    remove_kept_folder(text);
}

static void path_stays_the_same(void *again)
{
    const char *path = test_path("a.db");

    (void)again;
    CHECK_INT(access(path, F_OK), -1);
    make_file(path);
    CHECK(test_path("b.db") != path);
    CHECK(test_path("a.db") == path);
    CHECK_INT(access(path, F_OK), 0);
}

static void list_names_the_tests(void *again)
{
    test__again_expect(again, "--list", 0, "list_names_the_tests\n");
}

static void unknown_test_is_refused(void *again)
{
    test__again_expect(again, "no_such_test", 2,
                       "no test is named no_such_test\n");
}

static void unknown_option_is_refused(void *again)
{
    test__again_expect(again, "--loud", 2, "usage: ");
}

static void bad_time_limit_is_refused(void *again)
{
    CHECK_INT(setenv("TEST_SECONDS", "soon", 1), 0);
    test__again_expect(again, __func__, 2, "TEST_SECONDS=soon: ");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(passed_test_is_ok),
    CASE(check_shows_both_numbers),
    CASE(numbers_have_their_words),
    CASE(codes_have_their_names),
    CASE(check_shows_both_texts),
    CASE(check_of_null_fails),
    CASE(check_shows_what_is_not_contained),
    CASE(check_shows_the_range),
    CASE(check_shows_the_condition),
    CASE(thread_may_fail),
    CASE(skipped_test_is_not_checked),
    CASE(only_the_end_of_output_is_shown),
    CASE(one_failure_fails_the_file),
    CASE(output_does_not_steer_the_terminal),
    CASE(folder_is_removed_after_a_pass),
    CASE(folder_is_kept_after_a_failure),
    CASE(path_stays_the_same),
    CASE(list_names_the_tests),
    CASE(unknown_test_is_refused),
    CASE(unknown_option_is_refused),
    CASE(bad_time_limit_is_refused),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "test",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
