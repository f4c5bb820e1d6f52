/* test_table - tests of the terminal's table and its numbers */
#define _XOPEN_SOURCE 700 /* for posix_openpt: a terminal to ask about */

#include "common/table.h"
#include "grader/test.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

struct fixture {
    struct asq_table table;
    char *text; /* what was printed */
    size_t size;
};

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    asq_table_destroy(&f->table);
    free(f->text);
}

static int print(struct fixture *f)
{
    FILE *out;
    int rc;

    free(f->text);
    f->text = NULL;
    out = open_memstream(&f->text, &f->size);
    CHECK(out != NULL);
    rc = asq_table_print(&f->table, out);
    CHECK_INT(fclose(out), 0);
    return rc;
}

static void columns_are_aligned(void *fixture)
{
    static const char *const headers[] = {"way", "requests", "p50"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 3);
    asq_table_add(&f->table, "%s", "event-loop");
    asq_table_add(&f->table, "%d", 7);
    asq_table_add(&f->table, "%.2f ms", 5.4);
    asq_table_add(&f->table, "%s", "raw");
    asq_table_add(&f->table, "%d", 123456789);
    asq_table_add(&f->table, "%s", "");
    CHECK_INT(print(f), 0);
    CHECK_TEXT(f->text, "way          requests      p50\n"
                        "----------  ---------  -------\n"
                        "event-loop          7  5.40 ms\n"
                        "raw         123456789         \n");
}

static void width_is_counted_in_characters(void *fixture)
{
    static const char *const headers[] = {"Größe", "µs"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 2);
    asq_table_add(&f->table, "%s", "abcdef");
    asq_table_add(&f->table, "%s", "1€");
    asq_table_add(&f->table, "%s", "ü");
    asq_table_add(&f->table, "%s", "123");
    CHECK_INT(print(f), 0);
    CHECK_TEXT(f->text, "Größe    µs\n"
                        "------  ---\n"
                        "abcdef   1€\n"
                        "ü       123\n");
    CHECK_INT(asq_text_width("█▒·"), 3);
    CHECK_INT(asq_text_width(""), 0);
}

static void table_of_one_column_has_no_blanks(void *fixture)
{
    static const char *const headers[] = {"name"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 1);
    CHECK_INT(print(f), 0);
    CHECK_TEXT(f->text, "name\n");
    asq_table_add(&f->table, "%s", "x");
    CHECK_INT(print(f), 0);
    CHECK_TEXT(f->text, "name\n----\nx\n");
}

static void incomplete_row_is_an_error(void *fixture)
{
    static const char *const headers[] = {"a", "b"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 2);
    asq_table_add(&f->table, "1");
    CHECK_INT(print(f), UV_EINVAL);
    CHECK_TEXT(f->text, "");
    asq_table_add(&f->table, "2");
    CHECK_INT(print(f), 0);
}

static void many_rows_grow_the_table(void *fixture)
{
    static const char *const headers[] = {"a", "b"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 2);
    for (int i = 0; i < 500; i++) {
        asq_table_add(&f->table, "row %d", i);
        asq_table_add(&f->table, "%d", i);
    }
    CHECK_INT(print(f), 0);
    CHECK_INT(f->size, 502 * 13);
    CHECK_CONTAINS(f->text, "\nrow 499  499\n");
}

static void failed_format_is_an_error(void *fixture)
{
    static const char *const headers[] = {"a"};
    struct fixture *f = fixture;

    asq_table_init(&f->table, headers, 1);
    /* No locale is set, so that the euro sign has no bytes. */
    asq_table_add(&f->table, "%lc", (wint_t)0x20ac);
    asq_table_add(&f->table, "x");
    CHECK_INT(print(f), UV_EINVAL);
    CHECK_TEXT(f->text, "");
}

static void failed_allocation_is_told_by_print(void *fixture)
{
    static const char *const headers[] = {"a", "b"};
    struct fixture *f = fixture;
    int failures = 0;
    int rc;

    test_alloc_install();
    do {
        test_alloc_fail_at(TEST_ALLOC_MALLOC, (uint64_t)failures + 1, 0);
        asq_table_init(&f->table, headers, 2);
        for (int i = 0; i < 80; i++) {
            asq_table_add(&f->table, "%d", i);
        }
        rc = print(f);
        CHECK_INT(rc, test_alloc_has_failed() ? UV_ENOMEM : 0);
        CHECK_INT(f->size > 0, rc == 0);
        asq_table_destroy(&f->table);
        failures += rc != 0;
    } while (rc != 0);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    /* 82 cells, the first room and a larger one; none where the allocator
     * cannot fail. */
    CHECK(failures == 84 || failures == 0);
}

static void destroy_accepts_null_and_zero(void *fixture)
{
    struct fixture *f = fixture;

    asq_table_destroy(NULL);
    asq_table_destroy(&f->table);
    asq_table_destroy(&f->table);
}

static void durations_have_three_digits(void *fixture)
{
    static const struct {
        double us;
        const char *text;
    } table[] = {
        {0, "0 ns"},
        {1e-7, "0 ns"},
        {0.0004, "0.400 ns"},
        {0.001, "1.00 ns"},
        {0.0421, "42.1 ns"},
        {0.9994, "999 ns"},
        {0.9996, "1.00 us"},
        {1, "1.00 us"},
        {2.13, "2.13 us"},
        {9.994, "9.99 us"},
        {9.996, "10.0 us"},
        {99.94, "99.9 us"},
        {99.96, "100 us"},
        {999.4, "999 us"},
        {999.6, "1.00 ms"},
        {5400, "5.40 ms"},
        {999600, "1.00 s"},
        {1.02e6, "1.02 s"},
        {59.94e6, "59.9 s"},
        {59.96e6, "1.00 min"},
        {90e6, "1.50 min"},
        {59.96 * 60e6, "1.00 h"},
        {2 * 3600e6, "2.00 h"},
        {1234 * 3600e6, "1234 h"},
        {1e300, "2.78e+290 h"},
        {-5400, "-5.40 ms"},
        {INFINITY, "inf h"},
        {NAN, "-"},
    };
    char text[16];

    (void)fixture; /* none needed */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CHECK_TEXT(asq_format_duration(text, table[i].us), table[i].text);
    }
}

static void counts_have_three_digits(void *fixture)
{
    static const struct {
        double count;
        const char *text;
    } table[] = {{0, "0"},           {1, "1"},           {187, "187"},
                 {999, "999"},       {0.5, "0.500"},     {12.34, "12.3"},
                 {999.4, "999"},     {999.6, "1.00 k"},  {1000, "1.00 k"},
                 {12400, "12.4 k"},  {999400, "999 k"},  {999600, "1.00 M"},
                 {1.91e6, "1.91 M"}, {3e9, "3.00 G"},    {4.5e12, "4.50 T"},
                 {-12, "-12"},       {1e30, "1e+18 T"},  {-12400, "-12.4 k"},
                 {NAN, "-"},         {INFINITY, "inf T"}};
    char text[16];

    (void)fixture; /* none needed */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CHECK_TEXT(asq_format_count(text, table[i].count), table[i].text);
    }
}

static void set(const char *name, const char *value)
{
    if (value == NULL) {
        CHECK_INT(unsetenv(name), 0);
    } else {
        CHECK_INT(setenv(name, value, 1), 0);
    }
}

static void utf8_is_read_from_the_environment(void *fixture)
{
    static const struct {
        const char *all, *ctype, *lang;
        bool utf8;
    } table[] = {
        {NULL, NULL, NULL, false},
        {NULL, NULL, "C", false},
        {NULL, NULL, "de_DE.UTF-8", true},
        {NULL, NULL, "C.utf8", true},
        {"", "", "en_GB.utf-8", true},
        {NULL, "UTF-8", "C", true},
        {NULL, "C", "C.UTF-8", false},
        {"POSIX", "C.UTF-8", "C.UTF-8", false},
        {"C.UTF-8", "C", "C", true},
        {"de_DE.ISO-8859-1", NULL, NULL, false},
    };

    (void)fixture; /* none needed */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        set("LC_ALL", table[i].all);
        set("LC_CTYPE", table[i].ctype);
        set("LANG", table[i].lang);
        CHECK_INT(asq_terminal_is_utf8(), table[i].utf8);
    }
}

static void colour_is_for_terminals_that_want_it(void *fixture)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    FILE *file = fopen(test_path("file"), "w");
    FILE *terminal;
    int slave;

    (void)fixture; /* none needed */
    CHECK(file != NULL);
    set("NO_COLOR", NULL);
    set("TERM", "xterm");
    CHECK(!asq_terminal_has_colour(file));
    CHECK_INT(fclose(file), 0);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        test_skip("the system gives no terminal to ask about");
    }
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    terminal = fdopen(slave, "r+");
    CHECK(terminal != NULL);
    CHECK(asq_terminal_has_colour(terminal));
    set("NO_COLOR", "1");
    CHECK(!asq_terminal_has_colour(terminal));
    set("NO_COLOR", "");
    CHECK(asq_terminal_has_colour(terminal));
    set("TERM", "dumb");
    CHECK(!asq_terminal_has_colour(terminal));
    set("TERM", NULL);
    CHECK(!asq_terminal_has_colour(terminal));
    CHECK_INT(fclose(terminal), 0);
    CHECK_INT(close(master), 0);
}

static const struct test_case cases[] = {
    {.name = "columns_are_aligned", .run = columns_are_aligned},
    {.name = "width_is_counted_in_characters",
     .run = width_is_counted_in_characters},
    {.name = "table_of_one_column_has_no_blanks",
     .run = table_of_one_column_has_no_blanks},
    {.name = "incomplete_row_is_an_error", .run = incomplete_row_is_an_error},
    {.name = "many_rows_grow_the_table", .run = many_rows_grow_the_table},
    {.name = "failed_format_is_an_error", .run = failed_format_is_an_error},
    {.name = "failed_allocation_is_told_by_print",
     .run = failed_allocation_is_told_by_print},
    {.name = "destroy_accepts_null_and_zero",
     .run = destroy_accepts_null_and_zero},
    {.name = "durations_have_three_digits", .run = durations_have_three_digits},
    {.name = "counts_have_three_digits", .run = counts_have_three_digits},
    {.name = "utf8_is_read_from_the_environment",
     .run = utf8_is_read_from_the_environment},
    {.name = "colour_is_for_terminals_that_want_it",
     .run = colour_is_for_terminals_that_want_it},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "table",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .tear_down = tear_down};
