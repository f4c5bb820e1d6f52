/* test_claims - claims are printed, written and cut as they should be */
#include "common/claims.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads a file into text, which must have room for it. */
static void read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t read;

    CHECK(file != NULL);
    read = fread(text, 1, size - 1, file);
    CHECK(read < size - 1);
    text[read] = '\0';
    CHECK_INT(fclose(file), 0);
}

/* Sends what the test prints from now on to a file. */
static const char *print_to_file(void)
{
    const char *path = test_path("printed");

    CHECK(freopen(path, "w", stdout) != NULL);
    return path;
}

static void claims_are_printed_line_by_line(void *fixture)
{
    struct asq_claim claims[2];
    struct asq_options options = {0};
    const char *path = print_to_file();
    char text[2048];

    (void)fixture;
    asq_claim_set(&claims[0], "short", "wrong", 2, "two %s", "words");
    asq_claim_set(&claims[1], "long", "holds if it is long", 1, "one\ntwo %d\n",
                  3);
    CHECK_INT(asq_claims_report(claims, 2, &options), 0);
    CHECK_INT(fflush(stdout), 0);
    read_file(path, text, sizeof text);
    CHECK_TEXT(text, "short: wrong\n    two words\n"
                     "long: holds if it is long\n    one\n    two 3\n");
}

static void a_text_that_is_too_long_is_cut(void *fixture)
{
    struct asq_claim claim;
    char text[2 * ASQ_CLAIM_TEXT];

    (void)fixture;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    asq_claim_set(&claim, "id", "holds", 1, "%s", text);
    CHECK_INT(strlen(claim.text), ASQ_CLAIM_TEXT - 1);
}

static void claims_are_written_as_json(void *fixture)
{
    struct asq_claim claims[2];
    struct asq_options options = {.json = test_path("claims.json")};
    char text[2048];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    (void)fixture;
    asq_claim_set(&claims[0], "a", "holds", 0.5, "says \"half\"");
    asq_claim_set(&claims[1], "b", "wrong", 3, "says three");
    CHECK_INT(asq_claims_report(claims, 2, &options), 0);
    read_file(options.json, text, sizeof text);
    CHECK_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_INT(
        sqlite3_prepare_v2(db,
                           "SELECT json_array_length(?1), ?1 ->> '$[0].text',"
                           " ?1 ->> '$[0].measured', ?1 ->> '$[1].claim',"
                           " ?1 ->> '$[1].verdict'",
                           -1, &stmt, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    CHECK_INT(sqlite3_column_int(stmt, 0), 2);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 1), "says \"half\"");
    CHECK_RANGE(sqlite3_column_double(stmt, 2), 0.5, 0.5);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 3), "b");
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 4), "wrong");
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void a_file_that_cannot_be_written_is_status_1(void *fixture)
{
    struct asq_claim claim;
    struct asq_options options = {.json = "/"};

    (void)fixture;
    asq_claim_set(&claim, "id", "holds", 1, "text");
    CHECK_INT(asq_claims_report(&claim, 1, &options), 1);
}

static const struct test_case cases[] = {
    {.name = "claims_are_printed_line_by_line",
     .run = claims_are_printed_line_by_line},
    {.name = "a_text_that_is_too_long_is_cut",
     .run = a_text_that_is_too_long_is_cut},
    {.name = "claims_are_written_as_json", .run = claims_are_written_as_json},
    {.name = "a_file_that_cannot_be_written_is_status_1",
     .run = a_file_that_cannot_be_written_is_status_1},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "claims", .cases = cases};
