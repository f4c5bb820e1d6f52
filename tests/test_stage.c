/* test_stage - a stage measures, shows and clears away as it should */
#include "common/slow_disk.h"
#include "common/stage.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const lanes[] = {"first", "second", NULL};

struct fixture {
    struct asq_stage stage;
    char words[3][512]; /* of the command line */
    char text[4096];    /* what was printed or written */
};

static void set_up(void *data)
{
    struct fixture *f = data;

    f->stage.options.program = "build/a-lesson";
    f->stage.options.requests = 4;
    f->stage.options.slow_disk_ms = 1;
    f->stage.lanes = lanes;
    f->stage.spans = 2;
}

/* Opens the stage with one option and its value, or with none. */
static int open_with(struct fixture *f, const char *name, const char *value)
{
    char *argv[] = {f->words[0], f->words[1], f->words[2], NULL};

    (void)snprintf(f->words[0], sizeof f->words[0], "a-lesson");
    if (name == NULL)
        return asq_stage_open(&f->stage, 1, argv);
    (void)snprintf(f->words[1], sizeof f->words[1], "%s", name);
    (void)snprintf(f->words[2], sizeof f->words[2], "%s", value);
    return asq_stage_open(&f->stage, 3, argv);
}

static const char *read_file(struct fixture *f, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t size;

    CHECK(file != NULL);
    size = fread(f->text, 1, sizeof f->text - 1, file);
    f->text[size] = '\0';
    CHECK_INT(fclose(file), 0);
    return f->text;
}

/* Sends what is printed from now on to a file. */
static const char *print_to(FILE *stream, const char *name)
{
    const char *path = test_path(name);

    CHECK(freopen(path, "w", stream) != NULL);
    return path;
}

/* A way with two answers and a span on each lane. */
static void run_way(struct fixture *f, const char *way)
{
    struct asq_stage *stage = &f->stage;
    uint64_t begin_ns;

    asq_stage_begin(stage, way, "slow", 2);
    begin_ns = stage->begin_ns;
    asq_stage_answered(stage, begin_ns);
    asq_stage_answered(stage, begin_ns);
    asq_stage_waited(stage, 0, begin_ns, begin_ns + 5, "query");
    asq_stage_worked(stage, 1, begin_ns + 2, begin_ns + 9, "work");
    asq_stage_end(stage);
}

static void a_way_fills_in_its_row(void *data)
{
    struct fixture *f = data;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    run_way(f, "one");
    run_way(f, "two");
    CHECK_INT(f->stage.row_count, 2);
    CHECK_TEXT(f->stage.rows[0].way, "one");
    CHECK(f->stage.row == &f->stage.rows[1]);
    CHECK_TEXT(f->stage.row->way, "two");
    CHECK_TEXT(f->stage.row->disk, "slow");
    CHECK_INT(f->stage.row->connections, 2);
    CHECK_INT(f->stage.row->requests, 2);
    CHECK(f->stage.row->throughput_per_s > 0);
    CHECK(f->stage.row->p50_us <= f->stage.row->p99_us);
    CHECK(f->stage.row->stall_us > 0);
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
}

static void a_way_without_answers_has_no_throughput(void *data)
{
    struct fixture *f = data;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    asq_stage_begin(&f->stage, "nobody asks", "fast", 1);
    asq_stage_end(&f->stage);
    CHECK_INT(f->stage.row->requests, 0);
    CHECK(f->stage.row->throughput_per_s == 0);
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
}

static void each_way_begins_at_0_on_the_timeline(void *data)
{
    struct fixture *f = data;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    CHECK_INT(asq_trace_end(&f->stage.trace), 0);
    run_way(f, "one");
    run_way(f, "two");
    CHECK_INT(asq_trace_end(&f->stage.trace), 9);
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
}

static void the_rows_are_printed_and_written(void *data)
{
    struct fixture *f = data;
    const char *json = test_path("rows.json");
    const char *printed = print_to(stdout, "printed");

    CHECK_INT(open_with(f, "--json", json), -1);
    run_way(f, "one");
    asq_stage_print_timeline(&f->stage, 0);
    asq_stage_print_rows(&f->stage);
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
    (void)read_file(f, printed);
    CHECK(strstr(f->text, "first ") != NULL);
    CHECK(strstr(f->text, "second ") != NULL);
    CHECK(strstr(f->text, "way  disk  conns") != NULL);
    CHECK(strstr(read_file(f, json), "\"way\": \"one\"") != NULL);
}

static void claims_are_reported_instead_of_rows(void *data)
{
    struct fixture *f = data;
    const char *json = test_path("claims.json");
    const char *printed = print_to(stdout, "printed");

    CHECK_INT(open_with(f, "--json", json), -1);
    run_way(f, "one");
    asq_claim_set(asq_stage_claim(&f->stage), "a-claim", "wrong", 2, "Two.");
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
    CHECK(strstr(read_file(f, printed), "a-claim: wrong") != NULL);
    (void)read_file(f, json);
    CHECK(strstr(f->text, "\"claim\": \"a-claim\"") != NULL);
    CHECK(strstr(f->text, "\"way\"") == NULL);
}

static void the_slow_disk_is_as_slow_as_was_asked(void *data)
{
    struct fixture *f = data;

    f->stage.slow_syncs = true;
    CHECK_INT(open_with(f, "--slow-disk", "3"), -1);
    CHECK(f->stage.options.slow_disk_ms == 3);
    CHECK(sqlite3_vfs_find(ASQ_SLOW_DISK) != NULL);
    CHECK_INT(asq_stage_close(&f->stage, 0), 0);
}

static void its_file_is_made_and_removed(void *data)
{
    struct fixture *f = data;
    struct asq_stage *stage = &f->stage;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    asq_stage_copy_shop(stage);
    CHECK_INT(asq_stage_look(stage, "SELECT count(*) FROM items"), 10000);
    asq_stage_make(stage, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    CHECK_INT(asq_stage_look(stage, "SELECT a FROM t"), 7);
    CHECK_INT(asq_stage_look(stage, "SELECT a FROM t WHERE a > 7"), 0);
    CHECK_INT(access(stage->path, F_OK), 0);
    CHECK_INT(asq_stage_close(stage, 0), 0);
    CHECK(access(stage->path, F_OK) != 0);
}

static void only_the_first_failure_is_printed(void *data)
{
    struct fixture *f = data;
    const char *printed = print_to(stderr, "errors");
    const char *json = test_path("rows.json");

    CHECK_INT(open_with(f, "--json", json), -1);
    asq_stage_must(&f->stage, 0);
    CHECK(!f->stage.failed);
    asq_stage_must(&f->stage, UV_ENOBUFS);
    asq_stage_fail(&f->stage, "the second");
    CHECK(f->stage.failed);
    CHECK_INT(asq_stage_close(&f->stage, 0), 1);
    CHECK_INT(fflush(stderr), 0);
    (void)read_file(f, printed);
    CHECK(strstr(f->text, "build/a-lesson: ") == f->text);
    CHECK(strstr(f->text, uv_strerror(UV_ENOBUFS)) != NULL);
    CHECK(strstr(f->text, "the second") == NULL);
    CHECK(access(json, F_OK) != 0);
}

static void sql_that_fails_is_a_failure(void *data)
{
    struct fixture *f = data;
    const char *printed = print_to(stderr, "errors");

    CHECK_INT(open_with(f, NULL, NULL), -1);
    asq_stage_make(&f->stage, "CREATE TABLE t (a)");
    CHECK_INT(asq_stage_look(&f->stage, "SELECT a FROM nowhere"), 0);
    CHECK_INT(asq_stage_close(&f->stage, 0), 1);
    CHECK_INT(fflush(stderr), 0);
    CHECK(strstr(read_file(f, printed), "no such table") != NULL);
}

static void left_on_the_loop(uv_timer_t *timer)
{
    (void)timer;
}

static void what_is_left_on_the_loop_is_a_failure(void *data)
{
    struct fixture *f = data;
    const char *printed = print_to(stderr, "errors");
    uv_timer_t timer;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    CHECK_INT(uv_timer_init(&f->stage.loop, &timer), 0);
    CHECK_INT(uv_timer_start(&timer, left_on_the_loop, 0, 0), 0);
    CHECK_INT(asq_stage_close(&f->stage, 0), 1);
    CHECK_INT(fflush(stderr), 0);
    CHECK(strstr(read_file(f, printed), "left on the loop") != NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&f->stage.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&f->stage.loop), 0);
}

static void wrong_use_ends_before_it_opens(void *data)
{
    struct fixture *f = data;
    const char *printed = print_to(stderr, "errors");

    CHECK_INT(open_with(f, "--requests", "many"), 2);
    CHECK_INT(fflush(stderr), 0);
    CHECK(strstr(read_file(f, printed), "many") != NULL);
}

static void main_status_is_kept_unless_it_failed(void *data)
{
    struct fixture *f = data;

    CHECK_INT(open_with(f, NULL, NULL), -1);
    CHECK_INT(asq_stage_close(&f->stage, 2), 2);
}

static const struct test_case cases[] = {
    {.name = "a_way_fills_in_its_row", .run = a_way_fills_in_its_row},
    {.name = "a_way_without_answers_has_no_throughput",
     .run = a_way_without_answers_has_no_throughput},
    {.name = "each_way_begins_at_0_on_the_timeline",
     .run = each_way_begins_at_0_on_the_timeline},
    {.name = "the_rows_are_printed_and_written",
     .run = the_rows_are_printed_and_written},
    {.name = "claims_are_reported_instead_of_rows",
     .run = claims_are_reported_instead_of_rows},
    {.name = "the_slow_disk_is_as_slow_as_was_asked",
     .run = the_slow_disk_is_as_slow_as_was_asked},
    {.name = "its_file_is_made_and_removed",
     .run = its_file_is_made_and_removed},
    {.name = "only_the_first_failure_is_printed",
     .run = only_the_first_failure_is_printed},
    {.name = "sql_that_fails_is_a_failure", .run = sql_that_fails_is_a_failure},
    {.name = "what_is_left_on_the_loop_is_a_failure",
     .run = what_is_left_on_the_loop_is_a_failure},
    {.name = "wrong_use_ends_before_it_opens",
     .run = wrong_use_ends_before_it_opens},
    {.name = "main_status_is_kept_unless_it_failed",
     .run = main_status_is_kept_unless_it_failed},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "stage",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up};
