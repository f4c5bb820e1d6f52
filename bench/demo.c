/* demo - 200 queries, four ways of waiting, two disks
 *
 * The first program of the course. The same queries, all ready at once, are
 * answered by blocking calls, by threads, and on an event loop with eight
 * connections and with one; on a slow disk, where waiting is real, and on the
 * fast one. Every answer is checked before a figure is printed.
 *
 * Run: make demo
 *      build/demo --disk slow (a class guesses before it sees the fast one)
 */
#include "blocking.h"
#include "common/options.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "event_loop.h"
#include "progress.h"
#include "threads.h"
#include "work.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    CONNECTIONS = 8,
    WAYS = 4,
    ROWS = 2 * WAYS,
    PICTURE_LANES = 2 * WAYS - 1, /* blocking has no worker */
    PICTURE_SPANS = 4096
};

static const uint64_t FAST_NS = 200000000; /* a way's time on the fast disk */
static const double QUERY_READS = 5.2;     /* of the slow disk, about */

static const struct way {
    const char *name;
    int connections;
    way_fn run;
} ways[WAYS] = {
    {"blocking", 1, run_blocking},
    {"threads", CONNECTIONS, run_threads},
    {"event-loop", CONNECTIONS, run_event_loop},
    {"event-loop-1", 1, run_event_loop},
};

struct demo {
    struct asq_options options;
    const char *disk; /* the only one that is run, or NULL */
    struct asq_report_row rows[ROWS];
    struct asq_trace picture; /* main and worker 1 of each way */
    unsigned drawn;           /* its lanes */
    uint64_t longest_ns;      /* of the ways in the picture */
    struct progress progress;
};

static bool wants(const struct demo *demo, const char *disk)
{
    return demo->disk == NULL || strcmp(demo->disk, disk) == 0;
}

/* Returns how long a way takes on a disk, about, in seconds. */
static double
expected(const struct demo *demo, const struct way *way, const char *disk)
{
    if (strcmp(disk, "fast") == 0)
        return (double)FAST_NS / 1e9;
    return (double)demo->options.requests * QUERY_READS *
           demo->options.slow_disk_ms / 1e3 / way->connections;
}

static void begin_progress(struct demo *demo)
{
    double total = 0;

    for (int i = 0; i < WAYS; i++) {
        total += wants(demo, "slow") ? expected(demo, &ways[i], "slow") : 0;
        total += wants(demo, "fast") ? expected(demo, &ways[i], "fast") : 0;
    }
    progress_begin(&demo->progress, total);
}

/* Copies a lane of a way into the picture, where all ways begin at 0. */
static void
draw_lane(struct demo *demo, const struct outcome *outcome, unsigned from)
{
    const struct asq_lane *lane = &outcome->trace.lanes[from];
    unsigned to = demo->drawn++;
    char name[48];

    /* The trace cuts a name that is too long. */
    (void)snprintf(name, sizeof name, "%-12s %s", outcome->way, lane->name);
    asq_trace_name(&demo->picture, to, name);
    for (size_t i = 0; i < lane->count; i++) {
        struct asq_span span = lane->spans[i];

        span.begin_ns -= outcome->begin_ns;
        span.end_ns -= outcome->begin_ns;
        asq_trace_add(&demo->picture, to, &span);
    }
}

/* Draws main and, where there is one, the first of the workers. */
static void draw_way(struct demo *demo, const struct outcome *outcome)
{
    uint64_t ns = outcome->end_ns - outcome->begin_ns;

    draw_lane(demo, outcome, 0);
    if (outcome->trace.lanes[1].count > 0)
        draw_lane(demo, outcome, 1);
    if (ns > demo->longest_ns)
        demo->longest_ns = ns;
}

/* Runs one way on one disk. Returns 0, or 1 after a line on stderr. */
static int run_way(struct demo *demo, const struct work *work, int index)
{
    const struct way *way = &ways[index];
    bool slow = work->vfs != NULL;
    struct asq_report_row *row = &demo->rows[index + (slow ? 0 : WAYS)];
    struct outcome outcome;
    int rc = outcome_init(&outcome, work, way->name, way->connections, slow);

    if (rc != 0)
        (void)outcome_fail(&outcome, "out of memory");
    progress_show(&demo->progress, way->name, work->disk);
    if (rc == 0)
        rc = way->run(work, &outcome);
    if (rc == 0)
        rc = outcome_report(&outcome, work, row);
    progress_add(&demo->progress, expected(demo, way, work->disk));
    progress_hide(&demo->progress);
    if (rc != 0)
        (void)fprintf(stderr, "%s\n", outcome.message);
    else if (slow)
        draw_way(demo, &outcome);
    outcome_destroy(&outcome);
    return rc == 0 ? 0 : 1;
}

static int run_ways(struct demo *demo, const struct work *work)
{
    int rc = 0;

    for (int i = 0; i < WAYS && rc == 0; i++)
        rc = run_way(demo, work, i);
    return rc;
}

/* The slow disk waits slow_disk_ms for each read; the fast one is the
 * machine's own, and the work is repeated to have something to measure. */
static int run_disks(struct demo *demo, const char *path, int items)
{
    struct work work = {.path = path,
                        .vfs = ASQ_SLOW_DISK,
                        .disk = "slow",
                        .items = items,
                        .requests = demo->options.requests};
    int rc = work_prepare(&work) == 0 ? 0 : 1;

    if (rc == 0 && asq_slow_disk_register() != 0) {
        (void)fprintf(stderr, "the slow disk cannot be set up\n");
        rc = 1;
    }
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(demo->options.slow_disk_ms * 1000));
    if (rc == 0 && wants(demo, "slow"))
        rc = run_ways(demo, &work);
    work.vfs = NULL;
    work.disk = "fast";
    work.least_ns = FAST_NS;
    if (rc == 0 && wants(demo, "fast"))
        rc = run_ways(demo, &work);
    return rc;
}

static void print_slow(const struct asq_report_row *slow)
{
    double faster = slow[2].throughput_per_s / slow[0].throughput_per_s;
    double calmer = slow[0].stall_us / slow[3].stall_us;
    char stall[16];

    printf("\nOn the slow disk the main thread of `blocking` did nothing else "
           "for %s.\n",
           asq_format_duration(stall, slow[0].stall_us));
    printf("Eight connections answered %.1f times as much in the same time, "
           "on threads\nor on the loop: what they do is wait, and waiting can "
           "be shared.\n",
           faster);
    printf("One connection on the loop is no faster (%.1f times), but its "
           "stall was\n%.0f times shorter: the loop stays awake.\n",
           slow[3].throughput_per_s / slow[0].throughput_per_s, calmer);
}

static void print_fast(const struct asq_report_row *fast)
{
    printf("On the fast disk nothing waits. The event loop did %.1f times what "
           "`blocking`\ndid: handing a query over costs time, and several "
           "queries in one transaction\nsave a part of it.\n",
           fast[2].throughput_per_s / fast[0].throughput_per_s);
    printf("\nTake away: async does not make a query faster. It lets the "
           "program go on\nwhile a query waits, and lets several wait at "
           "once. Measure which you need.\n");
}

/* What is about to be done, and what the table is of. */
static void print_head(const struct demo *demo)
{
    printf("%ld queries, all ready at once", demo->options.requests);
    if (wants(demo, "slow"))
        printf("; the slow disk takes %g ms a read.\n\n",
               demo->options.slow_disk_ms);
    else
        printf(", again and again on the fast disk.\n\n");
    (void)fflush(stdout); /* an error is seen at the end */
}

/* Prints the table, and the picture where the slow disk was run. */
static int
print_rows(struct demo *demo, const struct asq_report_row *rows, size_t count)
{
    if (asq_report_print(rows, count, stdout) != 0)
        return 1;
    if (wants(demo, "slow")) {
        printf("\nWho waits for whom, on the slow disk:\n\n");
        asq_trace_print(&demo->picture, stdout, 0, demo->longest_ns);
    }
    return 0;
}

static int report(struct demo *demo)
{
    const struct asq_report_row *slow = demo->rows;
    const struct asq_report_row *fast = demo->rows + WAYS;
    const struct asq_report_row *rows = wants(demo, "slow") ? slow : fast;
    size_t count = demo->disk == NULL ? ROWS : WAYS;

    if (print_rows(demo, rows, count) != 0)
        return 1;
    if (wants(demo, "slow"))
        print_slow(slow);
    else
        printf("\n");
    if (wants(demo, "fast"))
        print_fast(fast);
    return asq_report_save(rows, count, &demo->picture, &demo->options);
}

/* Returns as asq_options_parse. */
static int parse(struct demo *demo, int argc, char **argv)
{
    const struct asq_option disk = {.name = "disk",
                                    .value = "NAME",
                                    .help = "only the slow or the fast disk",
                                    .kind = ASQ_OPTION_TEXT,
                                    .target = &demo->disk};
    int rc;

    demo->options.more = &disk;
    demo->options.more_count = 1;
    rc = asq_options_parse(&demo->options, argc, argv);
    demo->options.more = NULL; /* disk is about to go */
    demo->options.more_count = 0;
    if (rc >= 0)
        return rc;
    if (!wants(demo, "slow") && !wants(demo, "fast")) {
        (void)fprintf(stderr,
                      "%s: --disk \"%s\" is neither slow nor fast; try "
                      "--help\n",
                      demo->options.program, demo->disk);
        return 2;
    }
    if (!wants(demo, "slow") && demo->options.trace != NULL) {
        (void)fprintf(stderr,
                      "%s: --trace shows the slow disk, leave out "
                      "--disk fast; try --help\n",
                      demo->options.program);
        return 2;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct asq_shop shop = {
        .users = 1000, .items = 10000, .orders = 2000, .seed = 1};
    char path[ASQ_SHOP_PATH_MAX];
    char message[ASQ_SHOP_MESSAGE_MAX];
    char json[ASQ_SHOP_PATH_MAX];
    struct demo demo = {
        .options = {.program = "build/demo",
                    .about = "The same queries in four ways of waiting, on two "
                             "disks.",
                    .slow_disk_ms = 1,
                    .requests = 200}};
    int rc;

    /* Cut if the build folder's path is too long; opening it then fails. */
    (void)snprintf(json, sizeof json, "%s/demo.json", asq_build_dir());
    demo.options.json = json;
    rc = parse(&demo, argc, argv);
    if (rc >= 0)
        return rc;
    if (asq_shop_make(&shop, path, message) != 0) {
        (void)fprintf(stderr, "%s\n", message);
        return 1;
    }
    if (asq_trace_init(&demo.picture, PICTURE_LANES, PICTURE_SPANS) != 0) {
        (void)fprintf(stderr, "out of memory\n");
        return 1;
    }
    print_head(&demo);
    begin_progress(&demo);
    rc = run_disks(&demo, path, shop.items);
    if (rc == 0)
        rc = report(&demo);
    asq_trace_destroy(&demo.picture);
    return asq_options_finish(&demo.options, rc);
}
