/* test_report - tests of the rows that every comparison prints */
#include "common/report.h"
#include "common/table.h"
#include "grader/test.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_MAX = 4096
};

struct fixture {
    char text[TEXT_MAX]; /* what was printed or written */
    char answer[256];
};

static const struct asq_report_row rows[] = {
    {"blocking", "slow", 1, 200, 1000, 186.9, 540123.4, 1.07e6, 1.07e6},
    {"event-loop-1", "fast", 8, 10000000, 0, 412345.6, 2.134, 19.5, 999.7},
};

static const char *read_file(struct fixture *f, const char *path)
{
    FILE *in = fopen(path, "r");
    size_t length;

    CHECK(in != NULL);
    length = fread(f->text, 1, sizeof f->text - 1, in);
    CHECK(feof(in) && !ferror(in));
    f->text[length] = '\0';
    CHECK_INT(fclose(in), 0);
    return f->text;
}

static const char *
print(struct fixture *f, const struct asq_report_row *row, size_t count)
{
    FILE *out = fmemopen(f->text, sizeof f->text, "w");

    CHECK(out != NULL);
    CHECK_INT(asq_report_print(row, count, out), 0);
    CHECK_INT(fclose(out), 0);
    return f->text;
}

/* Asks SQLite about the text: it knows JSON. NULL is answered as "NULL". */
static const char *ask(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    const unsigned char *text;
    int length;

    CHECK_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, f->text, -1, SQLITE_STATIC),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    text = sqlite3_column_text(stmt, 0);
    length = snprintf(f->answer, sizeof f->answer, "%s",
                      text != NULL ? (const char *)text : "NULL");
    CHECK(length >= 0 && (size_t)length < sizeof f->answer);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    return f->answer;
}

static void rows_are_printed_as_a_table(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_TEXT(
        print(f, rows, 2),
        "way           disk  conns  requests  reads  per s      p50      p99   "
        " stall\n"
        "------------  ----  -----  --------  -----  -----  -------  -------  "
        "-------\n"
        "blocking      slow      1       200   1000    187   540 ms   1.07 s   "
        "1.07 s\n"
        "event-loop-1  fast      8  10000000      0  412 k  2.13 us  19.5 us  "
        "1.00 ms\n");
    CHECK_CONTAINS(print(f, rows, 0), "way  disk  conns");
}

static void widest_row_fits_80_columns(void *fixture)
{
    static const struct asq_report_row wide = {"event-loop-1", "slow",   10000,
                                               10000000,       99999999, 123456,
                                               999e3,          999e3,    999e3};
    struct fixture *f = fixture;
    char *line;

    (void)print(f, &wide, 1); /* read below */
    for (line = strtok(f->text, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        CHECK_RANGE(asq_text_width(line), 1, 80);
    }
}

static void failed_allocation_is_told_by_print(void *fixture)
{
    struct fixture *f = fixture;
    FILE *out = fmemopen(f->text, sizeof f->text, "w");
    int rc;

    test_alloc_install();
    CHECK(out != NULL);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 15, 0);
    rc = asq_report_print(rows, 2, out);
    CHECK_INT(rc, test_alloc_has_failed() ? UV_ENOMEM : 0);
    CHECK_INT(fclose(out), 0);
}

static void rows_are_written_as_json(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("new/report.json");

    CHECK_INT(asq_report_write(rows, 2, path), 0);
    (void)read_file(f, path); /* asked below */
    CHECK_TEXT(ask(f, "SELECT json_valid(?1)"), "1");
    CHECK_TEXT(ask(f, "SELECT json_array_length(?1)"), "2");
    CHECK_TEXT(ask(f, "SELECT ?1 -> 0"),
               "{\"way\":\"blocking\",\"disk\":\"slow\",\"connections\":1,"
               "\"requests\":200,\"disk_reads\":1000,"
               "\"throughput_per_s\":186.900,\"p50_us\":540123.400,"
               "\"p99_us\":1070000.000,\"stall_us\":1070000.000}");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[1].requests'"), "10000000");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[1].p50_us'"), "2.134");
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(test_path("new")), 0);
}

static void no_rows_are_an_empty_array(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("report.json");

    CHECK_INT(asq_report_write(NULL, 0, path), 0);
    (void)read_file(f, path); /* asked below */
    CHECK_TEXT(ask(f, "SELECT json_array_length(?1)"), "0");
}

static void strange_values_stay_json(void *fixture)
{
    static const struct asq_report_row strange = {
        "a \"way\"\n", "\\", -1, UINT64_MAX, 0, NAN, INFINITY, 0.0, -1.5};
    struct fixture *f = fixture;
    const char *path = test_path("report.json");

    CHECK_INT(asq_report_write(&strange, 1, path), 0);
    CHECK_CONTAINS(read_file(f, path), "\"requests\": 18446744073709551615,");
    CHECK_TEXT(ask(f, "SELECT json_valid(?1)"), "1");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[0].way'"), "a \"way\"\n");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[0].disk'"), "\\");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[0].throughput_per_s'"), "NULL");
    CHECK_TEXT(ask(f, "SELECT ?1 -> '$[0].p50_us'"), "null");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$[0].stall_us'"), "-1.5");
}

static void system_error_is_returned(void *fixture)
{
    const char *file = test_path("file");
    const char *below = test_path("file/report.json");

    (void)fixture; /* none needed */
    CHECK_INT(asq_report_write(rows, 1, file), 0);
    CHECK_INT(asq_report_write(rows, 1, below), -ENOTDIR);
}

static const struct test_case cases[] = {
    {.name = "rows_are_printed_as_a_table", .run = rows_are_printed_as_a_table},
    {.name = "widest_row_fits_80_columns", .run = widest_row_fits_80_columns},
    {.name = "failed_allocation_is_told_by_print",
     .run = failed_allocation_is_told_by_print},
    {.name = "rows_are_written_as_json", .run = rows_are_written_as_json},
    {.name = "no_rows_are_an_empty_array", .run = no_rows_are_an_empty_array},
    {.name = "strange_values_stay_json", .run = strange_values_stay_json},
    {.name = "system_error_is_returned", .run = system_error_is_returned},
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "report", .cases = cases, .fixture_size = sizeof(struct fixture)};
