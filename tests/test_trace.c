/* test_trace - tests of spans, timeline and Trace Event JSON */
#include "common/clock.h"
#include "common/trace.h"
#include "grader/test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct asq_trace trace;
    char *text; /* what was drawn or written */
    size_t size;
    char answer[128];
};

/* The clock rarely begins at zero. */
static const uint64_t start = 5 * ASQ_NS_PER_S;

static void set_up(void *fixture)
{
    (void)fixture; /* only the environment */
    CHECK_INT(setenv("LC_ALL", "C", 1), 0);
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    asq_trace_destroy(&f->trace);
    free(f->text);
}

/* Adds a span; times are microseconds since start. */
static void add(struct fixture *f,
                unsigned lane,
                enum asq_trace_kind kind,
                unsigned begin_us,
                unsigned end_us)
{
    struct asq_span span = {.begin_ns = start + begin_us * ASQ_NS_PER_US,
                            .end_ns = start + end_us * ASQ_NS_PER_US,
                            .kind = kind,
                            .name = "query"};

    asq_trace_add(&f->trace, lane, &span);
}

static const char *draw(struct fixture *f, uint64_t begin_ns, uint64_t end_ns)
{
    FILE *out;

    free(f->text);
    f->text = NULL;
    out = open_memstream(&f->text, &f->size);
    CHECK(out != NULL);
    asq_trace_print(&f->trace, out, begin_ns, end_ns);
    CHECK_INT(fclose(out), 0);
    return f->text;
}

static void read_file(struct fixture *f, const char *path)
{
    FILE *in = fopen(path, "r");
    int c;
    FILE *out;

    CHECK(in != NULL);
    free(f->text);
    f->text = NULL;
    out = open_memstream(&f->text, &f->size);
    CHECK(out != NULL);
    while ((c = fgetc(in)) != EOF) {
        CHECK_INT(fputc(c, out), c);
    }
    CHECK_INT(fclose(in), 0);
    CHECK_INT(fclose(out), 0);
}

/* Asks SQLite about the file that was read: it knows JSON. */
static const char *ask(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int length;

    CHECK_INT(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, f->text, -1, SQLITE_STATIC),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    CHECK(sqlite3_column_type(stmt, 0) != SQLITE_NULL);
    length = snprintf(f->answer, sizeof f->answer, "%s",
                      (const char *)sqlite3_column_text(stmt, 0));
    CHECK(length >= 0 && (size_t)length < sizeof f->answer);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    return f->answer;
}

static void column_shows_what_fills_most_of_it(void *fixture)
{
    struct fixture *f = fixture;

    /* A name of 8 leaves 70 columns: of 1 ms each. */
    CHECK_INT(asq_trace_init(&f->trace, 2, 8), 0);
    asq_trace_name(&f->trace, 0, "main");
    asq_trace_name(&f->trace, 1, "worker 1");
    add(f, 0, ASQ_TRACE_WAIT, 0, 10000);
    add(f, 0, ASQ_TRACE_WORK, 10000, 30000);
    add(f, 0, ASQ_TRACE_FREE, 30000, 40000);
    add(f, 1, ASQ_TRACE_WAIT, 1000, 1400); /* too short to be seen */
    add(f, 1, ASQ_TRACE_WAIT, 5100, 5700);
    add(f, 1, ASQ_TRACE_WORK, 8000, 8500); /* half: seen */
    add(f, 1, ASQ_TRACE_WAIT, 10000, 10300);
    add(f, 1, ASQ_TRACE_WORK, 10300, 10900);
    add(f, 1, ASQ_TRACE_WAIT, 12600, 14400); /* most of the middle one */
    add(f, 1, ASQ_TRACE_WAIT, 69000, 70000);
    CHECK_TEXT(
        draw(f, start, start + 70 * ASQ_NS_PER_MS),
        "main      ##########++++++++++++++++++++.............................."
        "..........\n"
        "worker 1  .....#..+.+..#.............................................."
        ".........#\n"
        "ms        |0        |10       |20       |30       |40       |50       "
        "|60\n"
        "          # waits in a query   + works   . free\n");
}

static void drawing_cuts_spans_at_its_edges(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 8), 0);
    asq_trace_name(&f->trace, 0, "worker 1");
    add(f, 0, ASQ_TRACE_WORK, 0, 10000); /* before */
    add(f, 0, ASQ_TRACE_WAIT, 15000, 22000);
    add(f, 0, ASQ_TRACE_WAIT, 89000, 95000);
    add(f, 0, ASQ_TRACE_WORK, 95000, 96000); /* after */
    CHECK_CONTAINS(
        draw(f, start + 20 * ASQ_NS_PER_MS, start + 90 * ASQ_NS_PER_MS),
        "worker 1  ##.........................................................."
        ".........#\n");
}

static void legend_in_words_of_a_lesson(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 8), 0);
    f->trace.waits = "waits for the disk";
    f->trace.works = "waits for the lock";
    add(f, 0, ASQ_TRACE_WAIT, 0, 1000);
    CHECK_CONTAINS(draw(f, start, start + ASQ_NS_PER_MS),
                   "# waits for the disk   + waits for the lock   . free\n");
}

static void timeline_in_utf8(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(setenv("LC_ALL", "C.UTF-8", 1), 0);
    CHECK_INT(asq_trace_init(&f->trace, 2, 8), 0);
    asq_trace_name(&f->trace, 0, "größer");
    add(f, 0, ASQ_TRACE_WORK, 0, 1000);
    add(f, 1, ASQ_TRACE_WAIT, 71000, 72000);
    (void)draw(f, start, start + 72 * ASQ_NS_PER_MS); /* read below */
    CHECK_CONTAINS(f->text, "größer  ▒···");
    CHECK_CONTAINS(f->text, "\n        ····");
    CHECK_CONTAINS(f->text, "···█\n");
    CHECK_CONTAINS(f->text, "█ waits in a query   ▒ works   · free\n");
}

/* Checks that every line of a drawing is at most 80 characters. */
static void check_widths(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width = *text == '\n' ? 0 : width + 1;
        CHECK(width <= 80);
    }
}

static void timeline_fits_80_columns(void *fixture)
{
    static const char *const names[] = {"", "m", "main", "connection 123456789",
                                        "a name that is far too long for it"};
    struct asq_span span = {start, UINT64_MAX, ASQ_TRACE_WAIT, "query"};
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    asq_trace_add(&f->trace, 0, &span);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        asq_trace_name(&f->trace, 0, names[i]);
        for (uint64_t ns = 100; ns < UINT64_C(1000000000000000);
             ns = ns * 7 / 4 + 1) {
            (void)draw(f, start, start + ns); /* read below */
            check_widths(f->text);
            CHECK_CONTAINS(f->text, "ms");
            CHECK_CONTAINS(f->text, "  |0");
            CHECK_CONTAINS(f->text, "  ##");
        }
    }
}

static void empty_time_is_drawn_free(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    add(f, 0, ASQ_TRACE_WAIT, 10, 20);
    CHECK_CONTAINS(draw(f, start, start), "    ....");
    CHECK_CONTAINS(draw(f, start + 1, start), "    ....");
}

static void ruler_counts_parts_of_milliseconds(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    asq_trace_name(&f->trace, 0, "worker 1");
    CHECK_CONTAINS(draw(f, start, start + 700 * ASQ_NS_PER_US),
                   "ms        |0        |0.1      |0.2      |0.3      |0.4");
    CHECK_CONTAINS(draw(f, start, start + 2 * ASQ_NS_PER_S),
                   "ms        |0                |500             |1000");
}

static void spans_beyond_the_room_are_counted(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 2, 2), 0);
    for (unsigned i = 0; i < 5; i++) {
        add(f, 1, ASQ_TRACE_WAIT, i, i + 1);
    }
    CHECK_INT(f->trace.lanes[0].count, 0);
    CHECK_INT(f->trace.lanes[1].count, 2);
    CHECK_INT(f->trace.lanes[1].dropped, 3);
    CHECK_INT(f->trace.lanes[1].spans[1].begin_ns, start + 1000);
    CHECK_CONTAINS(draw(f, start, start + 1000),
                   "3 spans found no room in the trace\n");
}

static void long_name_is_cut_between_characters(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    asq_trace_name(&f->trace, 0, "1234567890123456789012");
    CHECK_TEXT(f->trace.lanes[0].name, "1234567890123456789012");
    asq_trace_name(&f->trace, 0, "1234567890123456789012345");
    CHECK_TEXT(f->trace.lanes[0].name, "12345678901234567890123");
    asq_trace_name(&f->trace, 0, "123456789012345678901ü");
    CHECK_TEXT(f->trace.lanes[0].name, "123456789012345678901ü");
    asq_trace_name(&f->trace, 0, "1234567890123456789012ü");
    CHECK_TEXT(f->trace.lanes[0].name, "1234567890123456789012");
}

static void json_holds_lanes_and_spans(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("new/trace.json");
    struct asq_span span = {start + 1234567, start + 1235568, ASQ_TRACE_WORK,
                            "say \"hi\"\\\n\x01µ"};

    CHECK_INT(asq_trace_init(&f->trace, 3, 8), 0);
    asq_trace_name(&f->trace, 0, "main");
    asq_trace_name(&f->trace, 1, "worker \"1\"");
    add(f, 1, ASQ_TRACE_WAIT, 1000, 3000);
    asq_trace_add(&f->trace, 0, &span);
    CHECK_INT(asq_trace_write(&f->trace, path), 0);
    read_file(f, path);

    CHECK_TEXT(ask(f, "SELECT json_valid(?1)"), "1");
    CHECK_TEXT(ask(f, "SELECT json_array_length(?1, '$.traceEvents')"), "5");
    CHECK_TEXT(ask(f, "SELECT ?1 -> '$.traceEvents[0]'"),
               "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_name\","
               "\"args\":{\"name\":\"main\"}}");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$.traceEvents[1].name'"), span.name);
    CHECK_TEXT(ask(f, "SELECT json_remove(?1 -> '$.traceEvents[1]', '$.name')"),
               "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"cat\":\"work\","
               "\"ts\":234.567,\"dur\":1.001}");
    CHECK_TEXT(ask(f, "SELECT ?1 ->> '$.traceEvents[2].args.name'"),
               "worker \"1\"");
    CHECK_TEXT(ask(f, "SELECT ?1 -> '$.traceEvents[3]'"),
               "{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"name\":\"query\","
               "\"cat\":\"wait\",\"ts\":0.000,\"dur\":2000.000}");
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(test_path("new")), 0);
}

static void json_of_nothing_is_valid(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("trace.json");

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    CHECK_INT(asq_trace_write(&f->trace, path), 0);
    read_file(f, path);
    CHECK_TEXT(ask(f, "SELECT json_array_length(?1, '$.traceEvents')"), "1");
}

static void json_tells_what_the_system_says(void *fixture)
{
    struct fixture *f = fixture;
    char path[1024];
    const char *file = test_path("file");

    CHECK_INT(asq_trace_init(&f->trace, 1, 1), 0);
    CHECK_INT(asq_trace_write(&f->trace, file), 0);
    CHECK(snprintf(path, sizeof path, "%s/trace.json", file) <
          (int)sizeof path);
    CHECK_INT(asq_trace_write(&f->trace, path), UV_ENOTDIR);
}

static void failed_allocation_leaves_nothing(void *fixture)
{
    struct fixture *f = fixture;
    int failures = 0;
    int rc;

    test_alloc_install();
    do {
        test_alloc_fail_at(TEST_ALLOC_MALLOC, (uint64_t)failures + 1, 0);
        rc = asq_trace_init(&f->trace, 3, 4);
        CHECK_INT(rc, test_alloc_has_failed() ? UV_ENOMEM : 0);
        failures += rc != 0;
    } while (rc != 0);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK(failures == 4 || failures == 0); /* none where it cannot fail */
    asq_trace_destroy(&f->trace);
    asq_trace_destroy(&f->trace);
    asq_trace_destroy(NULL);
}

static const struct test_case cases[] = {
    {.name = "column_shows_what_fills_most_of_it",
     .run = column_shows_what_fills_most_of_it},
    {.name = "drawing_cuts_spans_at_its_edges",
     .run = drawing_cuts_spans_at_its_edges},
    {.name = "legend_in_words_of_a_lesson", .run = legend_in_words_of_a_lesson},
    {.name = "timeline_in_utf8", .run = timeline_in_utf8},
    {.name = "timeline_fits_80_columns", .run = timeline_fits_80_columns},
    {.name = "empty_time_is_drawn_free", .run = empty_time_is_drawn_free},
    {.name = "ruler_counts_parts_of_milliseconds",
     .run = ruler_counts_parts_of_milliseconds},
    {.name = "spans_beyond_the_room_are_counted",
     .run = spans_beyond_the_room_are_counted},
    {.name = "long_name_is_cut_between_characters",
     .run = long_name_is_cut_between_characters},
    {.name = "json_holds_lanes_and_spans", .run = json_holds_lanes_and_spans},
    {.name = "json_of_nothing_is_valid", .run = json_of_nothing_is_valid},
    {.name = "json_tells_what_the_system_says",
     .run = json_tells_what_the_system_says},
    {.name = "failed_allocation_leaves_nothing",
     .run = failed_allocation_leaves_nothing},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "trace",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
