/* conn_reads - point reads through one conn against the raw SQLite C API
 *
 * The ways take turns in one run: raw (one at a time), raw-grouped (64 in a
 * read transaction), and one conn with 64 requests in flight, with and without
 * read batches, with and without polling (poll_us); then one request in flight,
 * and the same with loop and worker on one processor. Every sum is checked
 * before its time is printed. cpu/read is what both threads used.
 *
 * Run: build/bench/conn_reads
 */
#if defined(__linux__)
#define _GNU_SOURCE /* for sched_setaffinity */
#include <sched.h>
#endif

#include "03-event-loop/conn_wait.h"
#include "box.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/options.h"
#include "common/shop.h"
#include "common/table.h"
#include "progress.h"
#include "tally.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    ITEMS = 100000,
    IN_FLIGHT = 64,
    RUNS = 11
};

static const char SQL[] = "SELECT value FROM items WHERE id = ?1";

/* How a way reads. */
enum {
    RAW = 1,      /* not through a conn */
    GROUPED = 2,  /* raw: a transaction for 64 reads; conn: read batches */
    UNPOLLED = 4, /* conn: the loop sleeps after each list of answers */
    PINNED = 8    /* both threads on one processor */
};

/* The ways to read the same items. */
static const struct way {
    const char *name;
    int how;
    int in_flight;
} ways[] = {
    {"raw", RAW, 1},
    {"raw-grouped", RAW | GROUPED, IN_FLIGHT},
    {"conn", GROUPED, IN_FLIGHT},
    {"conn, no read batches", 0, IN_FLIGHT},
    {"conn, no polling", GROUPED | UNPOLLED, IN_FLIGHT},
    {"conn, one in flight", GROUPED, 1},
    {"the same, no polling", GROUPED | UNPOLLED, 1},
    {"the same, one processor", GROUPED | PINNED, 1},
};

enum {
    WAYS = sizeof ways / sizeof ways[0]
};

struct slot {
    struct asq_request request;
    struct asq_value id;
    struct bench *bench;
};

struct bench {
    const char *path;
    long reads; /* of this run */
    long submitted;
    long answered;
    int64_t sum;
    int64_t sums[2]; /* what the raw API reads: all, and few */
    double per_s[WAYS][RUNS];
    double cpu_us[WAYS][RUNS]; /* for each read */
    uint64_t ns, cpu_ns;       /* that the reads took */
    int failed;                /* a status, or 0 */
    char message[ASQ_MESSAGE_SIZE];
    struct progress progress;
    struct asq_conn conn;
    struct slot slots[IN_FLIGHT];
};

/* The nth id to read; all ways read the same ids in the same order. */
static int64_t pick(long n)
{
    return (int64_t)((uint64_t)n * UINT64_C(2654435761) % ITEMS) + 1;
}

/* Keeps the process on its first processor, or lets it go again. */
static bool pin(bool on)
{
#if defined(__linux__)
    static cpu_set_t all;
    cpu_set_t one;
    size_t cpu = 0;

    if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof all, &all) != 0)
        return false;
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, on ? &one : &all) == 0;
#else
    return !on;
#endif
}

static void start_clocks(struct bench *bench)
{
    bench->cpu_ns = box_cpu_now_ns();
    bench->ns = asq_clock_now_ns();
}

static void stop_clocks(struct bench *bench)
{
    bench->ns = asq_clock_now_ns() - bench->ns;
    bench->cpu_ns = box_cpu_now_ns() - bench->cpu_ns;
}

static int fail_raw(struct bench *bench, sqlite3 *db, int rc)
{
    bench->failed = rc;
    (void)snprintf(bench->message, sizeof bench->message, "%s",
                   sqlite3_errmsg(db));
    return rc;
}

/* Reads everything on this thread. Returns 0 or an SQLite code. */
static int read_raw(struct bench *bench, sqlite3 *db, bool grouped)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, SQL, -1, &stmt, NULL);

    for (long n = 0; n < bench->reads && rc == SQLITE_OK; n++) {
        if (grouped && n % IN_FLIGHT == 0)
            rc = sqlite3_exec(db, n == 0 ? "BEGIN" : "COMMIT; BEGIN", NULL,
                              NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_int64(stmt, 1, pick(n));
        if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
            bench->sum += sqlite3_column_int64(stmt, 0);
        if (rc == SQLITE_OK)
            rc = sqlite3_reset(stmt);
    }
    if (grouped && rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        (void)fail_raw(bench, db, rc);
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    return rc;
}

static void time_raw(struct bench *bench, const struct way *way)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(bench->path, &db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA cache_size=-40000", NULL, NULL, NULL) != 0 ||
        read_raw(bench, db, true) != 0) { /* fills the cache */
        (void)fail_raw(bench, db, sqlite3_errcode(db));
    } else {
        bench->sum = 0;
        start_clocks(bench);
        (void)read_raw(bench, db,
                       (way->how & GROUPED) != 0); /* keeps its error */
        stop_clocks(bench);
    }
    (void)sqlite3_close(db); /* every statement is finalized */
}

static void take_answer(struct asq_request *request, int status);

static void ask(struct slot *slot)
{
    struct bench *bench = slot->bench;
    struct asq_params params = {.values = &slot->id, .count = 1};
    int rc;

    if (bench->submitted == bench->reads || bench->failed != 0)
        return;
    slot->id = asq_int64(pick(bench->submitted++));
    rc = asq_conn_run(&bench->conn, &slot->request, SQL, &params, take_answer);
    if (rc != 0)
        bench->failed = rc;
}

static void take_answer(struct asq_request *request, int status)
{
    struct slot *slot = request->data;
    struct bench *bench = slot->bench;

    if (status != 0) {
        bench->failed = status;
        memcpy(bench->message, request->message, sizeof bench->message);
    }
    bench->sum += asq_result_at(&request->result, 0, 0).as.int64;
    bench->answered++;
    ask(slot);
}

/* Reads everything with in_flight requests on the way. */
static void read_conn(struct bench *bench, uv_loop_t *loop, int in_flight)
{
    bench->submitted = 0;
    bench->answered = 0;
    bench->sum = 0;
    start_clocks(bench);
    for (int i = 0; i < in_flight; i++)
        ask(&bench->slots[i]);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* ends when nothing is pending */
    stop_clocks(bench);
}

static void time_conn(struct bench *bench, const struct way *way)
{
    struct asq_profile profile = asq_profile_default(bench->path);
    struct asq_conn *conn = &bench->conn;
    uv_loop_t loop;

    profile.mode = ASQ_OPEN_READ;
    profile.cache_kib = 40000;
    bench->failed = uv_loop_init(&loop);
    if (bench->failed != 0)
        return;
    asq_conn_init(conn);
    conn->batch_reads = (way->how & GROUPED) != 0;
    if (way->how & UNPOLLED)
        conn->poll_us = 0;
    bench->failed = asq_conn_open_wait(conn, &loop, &profile);
    if (bench->failed == 0) {
        read_conn(bench, &loop, IN_FLIGHT); /* fills the cache */
        read_conn(bench, &loop, way->in_flight);
        asq_conn_close_wait(conn);
    } else {
        memcpy(bench->message, conn->message, sizeof bench->message);
    }
    (void)uv_loop_close(&loop); /* nothing is left on it */
}

/* One read at a time through a conn takes ten times as long. */
static bool reads_few(const struct way *way)
{
    return way->in_flight == 1 && !(way->how & RAW);
}

static long count_reads(long reads, bool few)
{
    return few ? reads / 10 + 1 : reads;
}

static int fail(const struct bench *bench, const char *what)
{
    progress_hide(&bench->progress);
    (void)fprintf(stderr, "%s: %s: %s\n", bench->path, what,
                  bench->message[0] != '\0' ? bench->message
                                            : uv_strerror(bench->failed));
    return 1;
}

/* Finds out what all ways must read. */
static int find_sums(struct bench *bench, long reads)
{
    for (int few = 0; few <= 1; few++) {
        bench->reads = count_reads(reads, few != 0);
        time_raw(bench, &(struct way){.how = GROUPED});
        if (bench->failed != 0)
            return fail(bench, "raw");
        bench->sums[few] = bench->sum;
    }
    return 0;
}

/* Measures one way once and checks what it has read. */
static int measure(struct bench *bench, int index, int run, long reads)
{
    const struct way *way = &ways[index];

    bench->reads = count_reads(reads, reads_few(way));
    bench->failed = 0;
    bench->sum = 0;
    if ((way->how & PINNED) && !pin(true))
        return 0; /* its figures stay 0 */
    if (way->how & RAW)
        time_raw(bench, way);
    else
        time_conn(bench, way);
    (void)pin(false); /* was possible a moment ago */
    if (bench->failed != 0)
        return fail(bench, way->name);
    bench->per_s[index][run] = (double)bench->reads * 1e9 / (double)bench->ns;
    bench->cpu_us[index][run] =
        (double)bench->cpu_ns / 1e3 / (double)bench->reads;
    if (bench->sum == bench->sums[reads_few(way)])
        return 0;
    (void)snprintf(bench->message, sizeof bench->message, "a wrong sum");
    return fail(bench, way->name);
}

/* What is shown of a way: medians, and its ratios run by run. */
struct line {
    double per_s, cpu_us;
    struct spread raw, grouped;
};

static struct line sum_up(const struct bench *bench, int index)
{
    const double *per_s = bench->per_s[index];

    return (struct line){
        tally_spread(per_s, RUNS).median,
        tally_spread(bench->cpu_us[index], RUNS).median,
        tally_ratio(per_s, bench->per_s[0], RUNS),
        tally_ratio(per_s, bench->per_s[1], RUNS),
    };
}

static int print(const struct bench *bench)
{
    static const char *const headers[] = {"way",     "in flight", "reads/s",
                                          "vs raw",  "vs grp",    "spread",
                                          "cpu/read"};
    struct asq_table table;
    char text[16];
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < WAYS; i++) {
        struct line line = sum_up(bench, i);

        asq_table_add(&table, "%s", ways[i].name);
        asq_table_add(&table, "%d", ways[i].in_flight);
        asq_table_add(&table, "%s", asq_format_count(text, line.per_s));
        asq_table_add(&table, "%.2f", line.raw.median);
        asq_table_add(&table, "%.2f", line.grouped.median);
        asq_table_add(&table, "%.2f-%.2f", line.grouped.low, line.grouped.high);
        asq_table_add(&table, "%s", asq_format_duration(text, line.cpu_us));
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

static void
write_spread(struct asq_json *json, const char *name, const struct spread *s)
{
    asq_json_put(json, ", \"%s\": ", name);
    asq_json_number(json, s->median);
    asq_json_put(json, ", \"%s_min\": ", name);
    asq_json_number(json, s->low);
    asq_json_put(json, ", \"%s_max\": ", name);
    asq_json_number(json, s->high);
}

static int write_json(const struct bench *bench, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    for (int i = 0; i < WAYS; i++) {
        struct line line = sum_up(bench, i);

        asq_json_put(&json, i == 0 ? "[\n  {\"way\": " : ",\n  {\"way\": ");
        asq_json_text(&json, ways[i].name);
        asq_json_put(
            &json, ", \"in_flight\": %d, \"reads_per_s\": ", ways[i].in_flight);
        asq_json_number(&json, line.per_s);
        write_spread(&json, "ratio_to_raw", &line.raw);
        write_spread(&json, "share_of_grouped", &line.grouped);
        asq_json_put(&json, ", \"cpu_us_per_read\": ");
        asq_json_number(&json, line.cpu_us);
        asq_json_put(&json, "}");
    }
    asq_json_put(&json, "\n]\n");
    return asq_json_close(&json);
}

static int run_all(struct bench *bench, const struct asq_options *options)
{
    int rc = find_sums(bench, options->requests);

    progress_begin(&bench->progress, RUNS * WAYS * 0.3);
    for (int i = 0; i < RUNS * WAYS && rc == 0; i++) {
        progress_show(&bench->progress, "conn_reads", ways[i % WAYS].name);
        rc = measure(bench, i % WAYS, i / WAYS, options->requests);
        progress_add(&bench->progress, 0.3);
    }
    progress_hide(&bench->progress);
    if (rc != 0 || print(bench) != 0)
        return 1;
    if (options->json != NULL)
        rc = write_json(bench, options->json);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", options->json, uv_strerror(rc));
    return rc == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct asq_options options = {
        .program = "build/bench/conn_reads",
        .about = "Point reads through one conn against the raw SQLite C API.",
        .requests = 100000,
    };
    struct asq_shop shop = {.users = 100, .items = ITEMS, .seed = 1};
    char path[ASQ_SHOP_PATH_MAX];
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = asq_options_parse(&options, argc, argv);

    if (rc >= 0)
        return rc;
    if (asq_shop_make(&shop, path, message) != 0) {
        (void)fprintf(stderr, "%s\n", message);
        return 1;
    }
    bench.path = path;
    for (int i = 0; i < IN_FLIGHT; i++) {
        asq_request_init(&bench.slots[i].request);
        bench.slots[i].request.data = &bench.slots[i];
        bench.slots[i].bench = &bench;
    }
    rc = run_all(&bench, &options);
    for (int i = 0; i < IN_FLIGHT; i++)
        asq_request_destroy(&bench.slots[i].request);
    return asq_options_finish(&options, rc);
}
