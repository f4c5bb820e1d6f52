/* test_claims - claims are printed, written and cut as they should be */
#include "common/claims.h"
#include "grader/test.h"

#include <math.h>
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
    struct asq_claim_runs runs = {0};
    char text[2048];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    (void)fixture;
    asq_claim_set(&claims[0], "a", "holds", 0.5, "says \"half\"");
    asq_claim_set(&claims[1], "b", "wrong", 3, "says three");
    asq__claim_runs_keep(&runs, 2, 1);
    asq__claim_runs_keep(&runs, 4, 1);
    asq_claim_timed(&claims[1], &runs);
    CHECK_INT(asq_claims_report(claims, 2, &options), 0);
    read_file(options.json, text, sizeof text);
    CHECK_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_INT(
        sqlite3_prepare_v2(db,
                           "SELECT json_array_length(?1), ?1 ->> '$[0].text',"
                           " ?1 ->> '$[0].measured', ?1 ->> '$[1].claim',"
                           " ?1 ->> '$[1].verdict', ?1 -> '$[0].low',"
                           " ?1 ->> '$[1].low', ?1 ->> '$[1].high'",
                           -1, &stmt, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    CHECK_INT(sqlite3_column_int(stmt, 0), 2);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 1), "says \"half\"");
    CHECK_RANGE(sqlite3_column_double(stmt, 2), 0.5, 0.5);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 3), "b");
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 4), "wrong");
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 5), "null");
    CHECK_RANGE(sqlite3_column_double(stmt, 6), 2, 2);
    CHECK_RANGE(sqlite3_column_double(stmt, 7), 4, 4);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void the_calm_runs_have_a_median_and_a_range(void *fixture)
{
    static const double ratios[] = {3, 0.5, 7, 2, 4};
    struct asq_claim_runs runs = {0};

    (void)fixture;
    CHECK(isnan(asq_claim_runs_median(&runs)));
    for (int i = 0; i < 5; i++)
        asq__claim_runs_keep(&runs, ratios[i], 0.75);
    asq__claim_runs_keep(&runs, 100, 0.25);
    CHECK_INT(runs.calm, 5);
    CHECK_INT(runs.disturbed, 1);
    CHECK_RANGE(asq_claim_runs_median(&runs), 3, 3);
    CHECK_RANGE(asq_claim_runs_low(&runs), 0.5, 0.5);
    CHECK_RANGE(asq_claim_runs_high(&runs), 7, 7);
}

static void more_runs_than_have_room_are_not_kept(void *fixture)
{
    struct asq_claim_runs runs = {0};

    (void)fixture;
    for (int i = 0; i < ASQ_CLAIM_RUNS + 2; i++)
        asq__claim_runs_keep(&runs, i, 1);
    CHECK_INT(runs.calm, ASQ_CLAIM_RUNS);
    CHECK_RANGE(asq_claim_runs_high(&runs), ASQ_CLAIM_RUNS - 1,
                ASQ_CLAIM_RUNS - 1);
}

/* Whether it was disturbed is not looked at: that is the machine's. */
static void a_run_is_added_once(void *fixture)
{
    struct asq_claim_runs runs = {0};

    (void)fixture;
    asq_claim_runs_add(&runs, 2);
    asq_claim_runs_add(&runs, NAN);
    CHECK_INT(runs.calm + runs.disturbed, 2);
}

/* Sets a claim that rests on so many runs. */
static struct asq_claim claim_of(unsigned calm, unsigned disturbed)
{
    struct asq_claim_runs runs = {0};
    struct asq_claim claim;

    for (unsigned i = 0; i < calm; i++)
        asq__claim_runs_keep(&runs, 2, 1);
    for (unsigned i = 0; i < disturbed; i++)
        asq__claim_runs_keep(&runs, 9, 0);
    asq_claim_set(&claim, "id", "holds", 2, "it is twice as much");
    asq_claim_timed(&claim, &runs);
    return claim;
}

static void a_claim_with_mostly_calm_runs_is_told(void *fixture)
{
    struct asq_claim claim = claim_of(4, 3);

    (void)fixture;
    CHECK_TEXT(claim.verdict, "holds");
    CHECK_TEXT(claim.text, "it is twice as much");
    CHECK_RANGE(claim.high, 2, 2);
}

static void a_claim_with_mostly_disturbed_runs_is_not_told(void *fixture)
{
    struct asq_claim claim = claim_of(3, 3);

    (void)fixture;
    CHECK_TEXT(claim.verdict, ASQ_CLAIM_TOO_BUSY);
    CHECK_TEXT(claim.text, "Runs that other programs disturbed: 3 of 6.\n"
                           "Measure again when the processor is free.");
    CHECK(isnan(claim.measured) && isnan(claim.low) && isnan(claim.high));
}

static void a_claim_that_was_not_told_stays_so(void *fixture)
{
    struct asq_claim claim = claim_of(3, 3);
    struct asq_claim_runs calm = {0};

    (void)fixture;
    asq__claim_runs_keep(&calm, 2, 1);
    asq_claim_timed(&claim, &calm);
    CHECK_TEXT(claim.verdict, ASQ_CLAIM_TOO_BUSY);
    CHECK(isnan(claim.low));
    asq_claim_set(&claim, "id", "holds", 2, "it is so");
    asq_claim_busy(&claim, 0, 8);
    CHECK_TEXT(claim.verdict, "holds");
    asq_claim_busy(&claim, 1, 8);
    CHECK_TEXT(claim.verdict, ASQ_CLAIM_TOO_BUSY);
}

static void a_count_is_said_as_people_say_it(void *fixture)
{
    (void)fixture;
    CHECK_TEXT(asq_claim_count(8, 8).text, "all 8");
    CHECK_TEXT(asq_claim_count(0, 8).text, "none of the 8");
    CHECK_TEXT(asq_claim_count(5, 8).text, "5 of the 8");
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
    {.name = "the_calm_runs_have_a_median_and_a_range",
     .run = the_calm_runs_have_a_median_and_a_range},
    {.name = "more_runs_than_have_room_are_not_kept",
     .run = more_runs_than_have_room_are_not_kept},
    {.name = "a_run_is_added_once", .run = a_run_is_added_once},
    {.name = "a_claim_with_mostly_calm_runs_is_told",
     .run = a_claim_with_mostly_calm_runs_is_told},
    {.name = "a_claim_with_mostly_disturbed_runs_is_not_told",
     .run = a_claim_with_mostly_disturbed_runs_is_not_told},
    {.name = "a_claim_that_was_not_told_stays_so",
     .run = a_claim_that_was_not_told_stays_so},
    {.name = "a_count_is_said_as_people_say_it",
     .run = a_count_is_said_as_people_say_it},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "claims", .cases = cases};
