/* test_result - rows in one block: growth, limit, access, hand-over */
#include "01-blocking/result.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static void add(struct asq_result *result, struct asq_value value)
{
    CHECK_INT(asq_result_add(result, &value), 0);
}

/* Two columns "id" and "name", no row yet. */
static void start(struct asq_result *result)
{
    asq_result_init(result);
    result->columns = 2;
    add(result, asq_text("id"));
    add(result, asq_text("name"));
}

static void add_row(struct asq_result *result, int64_t id, const char *name)
{
    add(result, asq_int64(id));
    add(result, asq_text(name));
}

static void an_empty_result_answers(void *fixture)
{
    struct asq_result result = {0};

    (void)fixture;
    CHECK_INT(asq_result_at(&result, 0, 0).type, ASQ_NULL);
    CHECK(asq_result_name(&result, 0) == NULL);
    CHECK_INT(asq_result_column(&result, "id"), -1);
    CHECK_INT(asq_result_int64(&result, 0, "id"), 0);
    CHECK(asq_result_text(&result, 0, "id") == NULL);
    asq_result_clear(&result);
    asq_result_destroy(&result);
    asq_result_destroy(&result);
    asq_result_destroy(NULL);
}

static void every_type_comes_back(void *fixture)
{
    const struct asq_value values[] = {
        asq_null(),           asq_int64(INT64_MIN), asq_int64(INT64_MAX),
        asq_double(-1.5e300), asq_text("text"),     asq_text(""),
        asq_blob("a\0b", 3),  asq_blob("", 0),
    };
    const int count = sizeof values / sizeof values[0];
    struct asq_result result;

    (void)fixture;
    asq_result_init(&result);
    result.columns = count;
    for (int i = 0; i < count; i++)
        add(&result, asq_text("c"));
    for (int i = 0; i < count; i++)
        add(&result, values[i]);
    CHECK_INT(result.rows, 1);
    for (int i = 0; i < count; i++) {
        struct asq_value got = asq_result_at(&result, 0, i);

        CHECK(asq_value_equal(&got, &values[i]));
    }
    CHECK_TEXT(asq_result_at(&result, 0, 5).as.text, "");
    CHECK(asq_result_at(&result, 0, 7).as.blob != NULL);
    asq_result_destroy(&result);
}

static void a_row_counts_when_it_is_complete(void *fixture)
{
    struct asq_result result;

    (void)fixture;
    start(&result);
    CHECK_INT(result.rows, 0);
    add(&result, asq_int64(1));
    CHECK_INT(result.rows, 0);
    CHECK_INT(asq_result_at(&result, 0, 0).type, ASQ_NULL);
    add(&result, asq_text("one"));
    CHECK_INT(result.rows, 1);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, 1);
    asq_result_destroy(&result);
}

static void outside_is_null(void *fixture)
{
    struct asq_result result;

    (void)fixture;
    start(&result);
    add_row(&result, 1, "one");
    CHECK_INT(asq_result_at(&result, 1, 0).type, ASQ_NULL);
    CHECK_INT(asq_result_at(&result, SIZE_MAX, 0).type, ASQ_NULL);
    CHECK_INT(asq_result_at(&result, 0, 2).type, ASQ_NULL);
    CHECK_INT(asq_result_at(&result, 0, -1).type, ASQ_NULL);
    CHECK(asq_result_name(&result, 2) == NULL);
    CHECK(asq_result_name(&result, -1) == NULL);
    asq_result_destroy(&result);
}

static void columns_are_found_by_name(void *fixture)
{
    struct asq_result result;

    (void)fixture;
    start(&result);
    add_row(&result, 1, "one");
    CHECK_INT(asq_result_column(&result, "name"), 1);
    CHECK_INT(asq_result_column(&result, "Name"), -1);
    CHECK_INT(asq_result_column(&result, ""), -1);
    CHECK_INT(asq_result_int64(&result, 0, "id"), 1);
    CHECK_TEXT(asq_result_text(&result, 0, "name"), "one");
    CHECK_INT(asq_result_int64(&result, 0, "name"), 0);
    CHECK(asq_result_text(&result, 0, "id") == NULL);
    CHECK_INT(asq_result_int64(&result, 0, "other"), 0);
    CHECK(asq_result_text(&result, 0, "other") == NULL);
    CHECK_INT(asq_result_int64(&result, 1, "id"), 0);
    asq_result_destroy(&result);
}

static void the_first_of_two_equal_names_is_found(void *fixture)
{
    struct asq_result result = {.columns = 2};

    (void)fixture;
    add(&result, asq_text("n"));
    add(&result, asq_text("n"));
    add(&result, asq_int64(1));
    add(&result, asq_int64(2));
    CHECK_INT(asq_result_column(&result, "n"), 0);
    CHECK_INT(asq_result_int64(&result, 0, "n"), 1);
    asq_result_destroy(&result);
}

enum {
    MANY = 100000
};

static void fill_many(struct asq_result *result)
{
    char name[32];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "row %d", i); /* it fits */
        add_row(result, i, name);
    }
}

static void a_hundred_thousand_rows_stay_what_they_were(void *fixture)
{
    struct asq_result result;
    char name[32];

    (void)fixture;
    start(&result);
    fill_many(&result);
    CHECK_INT(result.rows, MANY);
    CHECK_TEXT(asq_result_name(&result, 1), "name");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "row %d", i); /* it fits */
        CHECK_INT(asq_result_at(&result, (size_t)i, 0).as.int64, i);
        CHECK_TEXT(asq_result_at(&result, (size_t)i, 1).as.text, name);
    }
    asq_result_destroy(&result);
}

static void clear_keeps_the_block(void *fixture)
{
    struct asq_result result;
    const char *block;

    (void)fixture;
    start(&result);
    fill_many(&result);
    result.changes = 3;
    result.last_insert_id = 4;
    block = result.block;
    asq_result_clear(&result);
    CHECK_INT(result.rows, 0);
    CHECK_INT(result.columns, 0);
    CHECK_INT(result.changes, 0);
    CHECK_INT(result.last_insert_id, 0);
    CHECK(asq_result_name(&result, 0) == NULL);
    result.columns = 2;
    add(&result, asq_text("id"));
    add(&result, asq_text("name"));
    fill_many(&result);
    CHECK_INT(result.rows, MANY);
    CHECK(result.block == block);
    asq_result_destroy(&result);
}

static void take_moves_the_block(void *fixture)
{
    struct asq_result from, to;
    const char *text;

    (void)fixture;
    start(&from);
    add_row(&from, 1, "one");
    start(&to);
    add_row(&to, 2, "two"); /* freed by take: the leak check looks */
    text = asq_result_text(&from, 0, "name");
    asq_result_take(&from, &to);
    CHECK_INT(to.rows, 1);
    CHECK_INT(asq_result_int64(&to, 0, "id"), 1);
    CHECK(asq_result_text(&to, 0, "name") == text);
    CHECK_TEXT(text, "one");
    CHECK_INT(from.rows, 0);
    CHECK_INT(from.columns, 0);
    asq_result_take(&to, &to);
    CHECK_INT(to.rows, 1);
    from.columns = 1;
    add(&from, asq_text("again"));
    CHECK_TEXT(asq_result_name(&from, 0), "again");
    asq_result_destroy(&from);
    asq_result_destroy(&to);
}

/* Fills up to every limit: what was added before the refusal stays. */
static void the_limit_is_kept_to_the_byte(void *fixture)
{
    const size_t cell = sizeof(struct asq_value);

    (void)fixture;
    for (size_t limit = 1; limit < 2000; limit += 7) {
        struct asq_result result = {.limit = limit};
        struct asq_value value = asq_text("12345");
        size_t fits = limit / (cell + 6); /* the final zero is kept too */
        int rc = 0;

        result.columns = 1;
        for (size_t i = 0; i < fits; i++)
            add(&result, value);
        rc = asq_result_add(&result, &value);
        CHECK_INT(rc, SQLITE_TOOBIG);
        CHECK_INT(result.rows, fits == 0 ? 0 : fits - 1);
        if (fits > 1)
            CHECK_TEXT(asq_result_at(&result, fits - 2, 0).as.text, "12345");
        CHECK(result.capacity <= limit);
        asq_result_destroy(&result);
    }
}

static void a_size_beyond_all_memory_is_refused(void *fixture)
{
    struct asq_result result = {.columns = 1};
    struct asq_value value = asq_blob("x", SIZE_MAX / 2);

    (void)fixture;
    CHECK_INT(asq_result_add(&result, &value), SQLITE_TOOBIG);
    CHECK_INT(result.rows, 0);
    asq_result_destroy(&result);
}

static void without_memory_it_keeps_what_it_had(void *fixture)
{
    struct asq_result result;
    struct asq_value value = asq_int64(7);
    int rc;

    (void)fixture;
    start(&result);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    do {
        rc = asq_result_add(&result, &value);
    } while (rc == 0);
    CHECK_INT(rc, SQLITE_NOMEM);
    CHECK(test_alloc_has_failed());
    CHECK_TEXT(asq_result_name(&result, 1), "name");
    CHECK_INT(asq_result_at(&result, result.rows - 1, 1).as.int64, 7);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK_INT(asq_result_add(&result, &value), 0);
    asq_result_destroy(&result);
}

/* Fills the result with one blob of that size. Returns the block. */
static const char *hold(struct asq_result *result, size_t size)
{
    static const char bytes[1 << 20];

    asq_result_clear(result);
    result->columns = 1;
    add(result, asq_text("b"));
    add(result, asq_blob(bytes, size));
    return result->block;
}

static void what_was_large_once_does_not_stay(void *fixture)
{
    struct asq_result result = {0};

    (void)fixture;
    (void)hold(&result, 1 << 20);
    for (int i = 0; i < 17; i++)
        (void)hold(&result, 100);
    CHECK_RANGE(result.capacity, 100, 1000);
    (void)hold(&result, 1 << 20);
    for (int i = 0; i < 17; i++)
        asq_result_clear(&result); /* nothing is little, too */
    CHECK_INT(result.capacity, 0);
    asq_result_clear(&result);
    asq_result_destroy(&result);
}

static void what_is_large_time_and_again_is_kept(void *fixture)
{
    struct asq_result result = {0};
    const char *block = hold(&result, 1 << 20);

    (void)fixture;
    for (int i = 0; i < 100; i++) {
        CHECK(hold(&result, i % 8 == 0 ? 1 << 20 : 10) == block);
        asq_result_clear(&result);
    }
    asq_result_destroy(&result);
    block = hold(&result, 30000); /* not worth to be given back */
    for (int i = 0; i < 100; i++)
        CHECK(hold(&result, 10) == block);
    asq_result_destroy(&result);
}

/* The limit belongs to the owner of the result. */
static void the_limit_outlives_the_block(void *fixture)
{
    struct asq_result result = {.limit = 200000};
    /* Refused before it is read. */
    struct asq_value large = asq_blob(test_path("x"), 300000);

    (void)fixture;
    (void)hold(&result, 150000);
    for (int i = 0; i < 17; i++)
        asq_result_clear(&result);
    CHECK_INT(result.capacity, 0);
    CHECK_INT(result.limit, 200000);
    CHECK_INT(asq_result_add(&result, &large), SQLITE_TOOBIG);
    asq_result_destroy(&result);
}

static const struct test_case cases[] = {
    {.name = "an_empty_result_answers", .run = an_empty_result_answers},
    {.name = "every_type_comes_back", .run = every_type_comes_back},
    {.name = "a_row_counts_when_it_is_complete",
     .run = a_row_counts_when_it_is_complete},
    {.name = "outside_is_null", .run = outside_is_null},
    {.name = "columns_are_found_by_name", .run = columns_are_found_by_name},
    {.name = "the_first_of_two_equal_names_is_found",
     .run = the_first_of_two_equal_names_is_found},
    {.name = "a_hundred_thousand_rows_stay_what_they_were",
     .run = a_hundred_thousand_rows_stay_what_they_were},
    {.name = "clear_keeps_the_block", .run = clear_keeps_the_block},
    {.name = "take_moves_the_block", .run = take_moves_the_block},
    {.name = "the_limit_is_kept_to_the_byte",
     .run = the_limit_is_kept_to_the_byte},
    {.name = "a_size_beyond_all_memory_is_refused",
     .run = a_size_beyond_all_memory_is_refused},
    {.name = "without_memory_it_keeps_what_it_had",
     .run = without_memory_it_keeps_what_it_had},
    {.name = "what_was_large_once_does_not_stay",
     .run = what_was_large_once_does_not_stay},
    {.name = "what_is_large_time_and_again_is_kept",
     .run = what_is_large_time_and_again_is_kept},
    {.name = "the_limit_outlives_the_block",
     .run = the_limit_outlives_the_block},
    {0},
};

const struct test_suite test_suite = {.name = "result", .cases = cases};
