/* test_paths - tests of where programs write */
#include "common/paths.h"
#include "grader/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void missing_parents_are_made(void *fixture)
{
    const char *path = test_path("one/two//three/file");

    (void)fixture; /* none needed */
    CHECK_INT(asq_make_parents(path), 0);
    CHECK_INT(access(path, F_OK), -1);
    CHECK_INT(asq_make_parents(path), 0);
    /* Each holds nothing but the next. */
    CHECK_INT(rmdir(test_path("one/two/three")), 0);
    CHECK_INT(rmdir(test_path("one/two")), 0);
    CHECK_INT(rmdir(test_path("one")), 0);
}

static void last_slash_ends_the_parents(void *fixture)
{
    (void)fixture; /* none needed */
    CHECK_INT(asq_make_parents(test_path("one/two/")), 0);
    CHECK_INT(rmdir(test_path("one/two")), 0);
}

static void path_without_parents_makes_nothing(void *fixture)
{
    (void)fixture; /* none needed */
    CHECK_INT(asq_make_parents("file"), 0);
    CHECK_INT(access("file", F_OK), -1);
    CHECK_INT(asq_make_parents("/file"), 0);
    CHECK_INT(asq_make_parents(""), 0);
}

static void file_among_the_parents_is_told(void *fixture)
{
    FILE *file = fopen(test_path("file"), "w");

    (void)fixture; /* none needed */
    CHECK(file != NULL);
    CHECK_INT(fclose(file), 0);
    CHECK_INT(asq_make_parents(test_path("file/x")), -ENOTDIR);
    CHECK_INT(asq_make_parents(test_path("file/one/x")), -ENOTDIR);
}

static void system_error_is_returned(void *fixture)
{
    char path[400];

    (void)fixture; /* none needed */
    memset(path, 'x', sizeof path);
    path[300] = '/';
    path[sizeof path - 1] = '\0';
    CHECK_INT(asq_make_parents(path), -ENAMETOOLONG);
}

static void failed_allocation_is_told(void *fixture)
{
    const char *path = test_path("x");
    int rc;

    (void)fixture; /* none needed */
    test_alloc_install();
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    rc = asq_make_parents(path);
    CHECK_INT(rc, test_alloc_has_failed() ? -ENOMEM : 0);
}

static void build_folder_comes_from_the_environment(void *fixture)
{
    (void)fixture; /* none needed */
    CHECK_INT(unsetenv("ASQ_BUILD"), 0);
    CHECK_TEXT(asq_build_dir(), "build");
    CHECK_INT(setenv("ASQ_BUILD", "", 1), 0);
    CHECK_TEXT(asq_build_dir(), "build");
    CHECK_INT(setenv("ASQ_BUILD", "other/folder", 1), 0);
    CHECK_TEXT(asq_build_dir(), "other/folder");
}

static const struct test_case cases[] = {
    {.name = "missing_parents_are_made", .run = missing_parents_are_made},
    {.name = "last_slash_ends_the_parents", .run = last_slash_ends_the_parents},
    {.name = "path_without_parents_makes_nothing",
     .run = path_without_parents_makes_nothing},
    {.name = "file_among_the_parents_is_told",
     .run = file_among_the_parents_is_told},
    {.name = "system_error_is_returned", .run = system_error_is_returned},
    {.name = "failed_allocation_is_told", .run = failed_allocation_is_told},
    {.name = "build_folder_comes_from_the_environment",
     .run = build_folder_comes_from_the_environment},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "paths", .cases = cases};
