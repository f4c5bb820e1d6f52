/* test_include_list - what a student's file may include */
#include "grader/driver/compiler.h"
#include "grader/driver/files.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char source[512], header[512], lessons[512], lesson[600], other[512];
    struct finding finding;
};

static void keep(char to[512], const char *name)
{
    (void)snprintf(to, 512, "%s", test_path(name));
}

static void set_up(void *fixture)
{
    struct fixture *f = fixture;

    keep(f->source, "ex_a.c");
    keep(f->header, "ex_a.h");
    keep(f->lessons, "lessons");
    keep(f->other, "other.c");
    (void)snprintf(f->lesson, sizeof(f->lesson), "%s/m.h", f->lessons);
    CHECK_INT(mkdir(f->lessons, 0700), 0);
    CHECK_INT(file_write(f->source, ""), 0);
    CHECK_INT(file_write(f->header, ""), 0);
    CHECK_INT(file_write(f->lesson, ""), 0);
    CHECK_INT(file_write(f->other, ""), 0);
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    folder_remove(f->lessons);
}

/* Looks at the list of a compiler that has read the file besides. */
static enum verdict look(struct fixture *f, const char *path)
{
    const struct compiler_file file = {"ex_a.c", "exercises/01-a/ex_a.c"};
    const char *list = test_path("list");
    char text[4096];

    (void)snprintf(text, sizeof(text), "a.o: %s \\\n %s %s \\\n  %s\n",
                   f->source, f->header, path, f->lesson);
    CHECK_INT(file_write(list, text), 0);
    CHECK_INT(compiler_includes(list, f->source, f->header, f->lessons, &file,
                                &f->finding),
              0);
    return f->finding.verdict;
}

static void its_own_and_the_system_are_allowed(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(look(f, f->lesson), VERDICT_PASSED);
    CHECK_INT(look(f, "/usr/include/stdio.h"), VERDICT_PASSED);
}

static void another_source_is_refused(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(look(f, f->other), VERDICT_REFUSED);
    CHECK_CONTAINS(f->finding.got, "other.c, which is not for this exercise");
    CHECK_TEXT(f->finding.where, "exercises/01-a/ex_a.c");
}

static void what_is_no_header_is_refused(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(look(f, "/etc/passwd"), VERDICT_REFUSED);
    CHECK_INT(look(f, "/dev/null"), VERDICT_REFUSED);
    CHECK_INT(look(f, "no-such-file.h"), VERDICT_REFUSED);
}

/* The tests run in the folder of the course. */
static void a_header_of_the_grader_is_refused(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(look(f, "exercises/grader/runner.h"), VERDICT_REFUSED);
    CHECK_INT(look(f, "lessons/../exercises/grader/test.h"), VERDICT_REFUSED);
}

static void a_link_is_what_it_leads_to(void *fixture)
{
    struct fixture *f = fixture;
    char path[700];

    (void)snprintf(path, sizeof(path), "%s/link.h", f->lessons);
    CHECK_INT(symlink(f->other, path), 0);
    CHECK_INT(look(f, path), VERDICT_REFUSED);
}

static void a_missing_list_is_an_error(void *fixture)
{
    struct fixture *f = fixture;
    const struct compiler_file file = {"ex_a.c", "exercises/01-a/ex_a.c"};

    CHECK_INT(compiler_includes(test_path("none"), f->source, f->header,
                                f->lessons, &file, &f->finding),
              UV_ENOENT);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(its_own_and_the_system_are_allowed),
    CASE(another_source_is_refused),
    CASE(what_is_no_header_is_refused),
    CASE(a_header_of_the_grader_is_refused),
    CASE(a_link_is_what_it_leads_to),
    CASE(a_missing_list_is_an_error),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "include_list",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
