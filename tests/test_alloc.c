/* test_alloc - the failing allocator, and the bytes that are held
 *
 * Allocations go through volatile pointers, so that the compiler cannot leave
 * them out.
 */
#include "grader/again.h"
#include "grader/test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of the C library, but not of the POSIX that the course is built with. */
int asprintf(char **ret_text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int vasprintf(char **ret_text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void *reallocarray(void *block, size_t count, size_t size);

static void the_nth_malloc_fails(void *again)
{
    /* clang would take for granted that malloc leaves errno alone. */
    void *(*volatile take)(size_t) = malloc;
    void *block;

    (void)again;
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 2, 0);
    block = take(10);
    CHECK(block != NULL);
    CHECK(!test_alloc_has_failed());
    free(block);
    errno = 0;
    CHECK(take(10) == NULL);
    CHECK_INT(errno, ENOMEM);
    CHECK(test_alloc_has_failed());
    block = take(10);
    CHECK(block != NULL);
    free(block);
}

static void calloc_and_realloc_count_too(void *again)
{
    char *volatile block;
    void *volatile larger;

    (void)again;
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 2, 1);
    block = calloc(1, 10);
    CHECK(block != NULL);
    larger = realloc(block, 100);
    CHECK(larger == NULL);
    CHECK_INT(block[9], 0); /* what could not grow is still there */
    larger = calloc(1, 10);
    CHECK(larger == NULL);
    larger = malloc(10);
    CHECK(larger == NULL);
    test_alloc_fail_at(0, 0, 0);
    larger = realloc(block, 100);
    CHECK(larger != NULL);
    free(larger);
}

/* Each of these allocates once and returns what it got, or NULL. */

static const char *volatile source = "a copy that students write";

static void *by_strdup(void)
{
    return strdup(source);
}

static void *by_strndup(void)
{
    return strndup(source, 6);
}

static void *by_asprintf(void)
{
    char *text = NULL;

    return asprintf(&text, "%s %d", source, 7) >= 0 ? text : NULL;
}

__attribute__((format(printf, 1, 2))) static void *format(const char *form, ...)
{
    char *text = NULL;
    va_list arguments;
    int length;

    va_start(arguments, form);
    length = vasprintf(&text, form, arguments);
    va_end(arguments);
    return length >= 0 ? text : NULL;
}

static void *by_vasprintf(void)
{
    return format("%s", source);
}

static void *by_reallocarray(void)
{
    return reallocarray(NULL, 3, 10);
}

static void *by_aligned_alloc(void)
{
    return aligned_alloc(64, 128);
}

static void *by_posix_memalign(void)
{
    void *block = NULL;

    return posix_memalign(&block, 64, 128) == 0 ? block : NULL;
}

static void every_way_to_allocate_fails(void *again)
{
    static void *(*const volatile ways[])(void) = {
        by_strdup,       by_strndup,       by_asprintf,      by_vasprintf,
        by_reallocarray, by_aligned_alloc, by_posix_memalign};
    enum {
        WAYS = sizeof ways / sizeof ways[0]
    };

    (void)again;
    for (size_t i = 0; i < WAYS; i++) {
        void *block;

        test_alloc_fail_at(TEST_ALLOC_MALLOC, 2, 0);
        block = ways[i]();
        CHECK(block != NULL); /* so each counts once, as the next shows */
        CHECK(!test_alloc_has_failed());
        free(block);
        block = ways[i]();
        CHECK(block == NULL);
        CHECK(test_alloc_has_failed());
        block = ways[i]();
        CHECK(block != NULL);
        free(block);
    }
}

static void they_do_what_the_library_does(void *again)
{
    char *text;
    int length;

    (void)again;
    text = by_strndup();
    CHECK_TEXT(text, "a copy");
    free(text);
    text = by_strdup();
    CHECK_TEXT(text, source);
    free(text);
    length = asprintf(&text, "%s %d of %g", "part", 3, 0.5);
    CHECK_TEXT(text, "part 3 of 0.5");
    CHECK_INT(length, 13);
    free(text);
}

static void allocate(void *data)
{
    *(void *volatile *)data = malloc(10);
}

static void other_threads_count_too(void *again)
{
    uv_thread_t thread;
    void *volatile block = NULL;

    (void)again;
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    CHECK_INT(uv_thread_create(&thread, allocate, (void *)(uintptr_t)&block),
              0);
    CHECK_INT(uv_thread_join(&thread), 0);
    CHECK(block == NULL);
    CHECK(test_alloc_has_failed());
}

/* Opens a database in memory, makes a table and closes it. */
static int use_sqlite(void)
{
    sqlite3 *db = NULL;
    int err = sqlite3_open(":memory:", &db);

    if (err == SQLITE_OK) {
        err = sqlite3_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
                           NULL, NULL, NULL);
    }
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    return err;
}

static void every_allocation_of_sqlite_can_fail(void *again)
{
    uint64_t nth = 0;
    int err;

    (void)again;
    test_alloc_install();
    do {
        nth++;
        test_alloc_fail_at(TEST_ALLOC_SQLITE, nth, 0);
        err = use_sqlite();
        CHECK(err == SQLITE_OK || test_alloc_has_failed());
        CHECK(err == SQLITE_OK || err == SQLITE_NOMEM);
    } while (test_alloc_has_failed());
    CHECK_INT(err, SQLITE_OK);
    CHECK_RANGE(nth, 30, 1000); /* it takes more than a handful */
    CHECK_INT(sqlite3_shutdown(), SQLITE_OK);
    CHECK_INT(test_alloc_held(), 0);
}

static void allocation_of_libuv_can_fail(void *again)
{
    uv_loop_t loop;

    (void)again;
    test_alloc_install();
    test_alloc_fail_at(TEST_ALLOC_UV, 1, 0);
    CHECK_INT(uv_loop_init(&loop), UV_ENOMEM);
    CHECK(test_alloc_has_failed());
    CHECK_INT(test_alloc_held(), 0);
    CHECK_INT(uv_loop_init(&loop), 0);
    CHECK(test_alloc_held() > 0);
    test_close_loop(&loop);
    CHECK_INT(test_alloc_held(), 0);
}

static void kinds_that_are_not_asked_for_do_not_count(void *again)
{
    void *volatile block;
    uv_loop_t loop;

    (void)again;
    test_alloc_install();
    test_alloc_fail_at(TEST_ALLOC_SQLITE, 1, 1);
    block = malloc(10);
    CHECK(block != NULL);
    free(block);
    CHECK_INT(uv_loop_init(&loop), 0);
    test_close_loop(&loop);
    CHECK(!test_alloc_has_failed());
    CHECK_INT(use_sqlite(), SQLITE_NOMEM);
    CHECK(test_alloc_has_failed());
}

static void held_bytes_are_counted(void *again)
{
    void *block;
    int64_t before;

    (void)again;
    test_alloc_install();
    CHECK_INT(sqlite3_initialize(), SQLITE_OK);
    before = test_alloc_held();
    block = sqlite3_malloc(1000);
    CHECK_INT(test_alloc_held() - before, 1000);
    block = sqlite3_realloc(block, 3000);
    CHECK_INT(test_alloc_held() - before, 3000);
    sqlite3_free(block);
    CHECK_INT(test_alloc_held() - before, 0);
}

static void late_install_fails(void *again)
{
    if (test__again_is_inner()) {
        CHECK_INT(sqlite3_initialize(), SQLITE_OK);
        test_alloc_install();
    }
    test__again_expect_fail(again, __func__,
                            "test_alloc_install comes too late");
}

static void missing_install_fails(void *again)
{
    if (test__again_is_inner()) {
        test_alloc_fail_at(TEST_ALLOC_UV, 1, 0);
    }
    test__again_expect_fail(again, __func__,
                            "test_alloc_fail_at without test_alloc_install");
}

static void assertion_fails_without_memory(void *again)
{
    if (test__again_is_inner()) {
        test_alloc_install();
        test_alloc_fail_at(TEST_ALLOC_ALL, 1, 1);
        CHECK_TEXT("one", "two");
    }
    test__again_expect_fail(again, __func__, ": got \"one\", expected \"two\"");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(the_nth_malloc_fails),
    CASE(calloc_and_realloc_count_too),
    CASE(every_way_to_allocate_fails),
    CASE(they_do_what_the_library_does),
    CASE(other_threads_count_too),
    CASE(every_allocation_of_sqlite_can_fail),
    CASE(allocation_of_libuv_can_fail),
    CASE(kinds_that_are_not_asked_for_do_not_count),
    CASE(held_bytes_are_counted),
    CASE(late_install_fails),
    CASE(missing_install_fails),
    CASE(assertion_fails_without_memory),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "alloc",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
