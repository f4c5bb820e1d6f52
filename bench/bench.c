/* bench - every workload every way, interleaved
 *
 * Round by round, each way runs the workload for the same box of time; the
 * order of the ways is rotated from round to round, so that none has always
 * the better moment. Every answer and every file is checked before a figure
 * is printed. bench/README.md says how to read the table.
 *
 * Run: make bench; make bench QUICK=1; make bench B=read-64
 */
#include "bench_report.h"
#include "common/clock.h"
#include "common/options.h"
#include "common/slow_disk.h"
#include "flat.h"
#include "floors.h"
#include "peers.h"
#include "progress.h"
#include "ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKLOADS_MAX = 32,
    ROWS_MAX = WORKLOADS_MAX * WAYS_MAX,
    FEW_REQUESTS = 1000 /* below it nothing is measured, only tried */
};

struct bench {
    struct asq_options options;
    int quick;
    int check;
    const char *only;
    long rounds; /* 0: as many as quick says */
    struct machine machine;
    struct data data;
    struct progress progress;
    struct box box;
    bool chosen[WORKLOADS_MAX];
    struct tally tallies[WAYS_MAX]; /* of the workload that runs */
    struct bench_row rows[ROWS_MAX];
    int row_count;
};

/* Says whether word, of that length, is the name of a workload. */
static int find_workload(const char *word, size_t length)
{
    for (int i = 0; i < workload_count; i++) {
        if (strlen(workloads[i].name) == length &&
            strncmp(workloads[i].name, word, length) == 0)
            return i;
    }
    return -1;
}

static int refuse_workload(const struct bench *bench, const char *word)
{
    (void)fprintf(stderr, "%s: there is no workload \"%.*s\", only",
                  bench->options.program, (int)strcspn(word, ",\n\r"), word);
    for (int i = 0; i < workload_count; i++)
        (void)fprintf(stderr, " %s", workloads[i].name);
    (void)fprintf(stderr, "\n");
    return 2;
}

/* Chooses what --only names; without it everything, or what has a floor.
 * Returns 0, or 2 after a line on stderr. */
static int choose(struct bench *bench)
{
    const char *word = bench->only;

    for (int i = 0; i < workload_count; i++)
        bench->chosen[i] =
            word == NULL && (!bench->check || floors_need(workloads[i].name));
    while (word != NULL) {
        size_t length = strcspn(word, ",");
        int index = find_workload(word, length);

        if (index < 0)
            return refuse_workload(bench, word);
        bench->chosen[index] = true;
        word = word[length] == ',' ? word + length + 1 : NULL;
    }
    return 0;
}

/* How long the box of a round is, in milliseconds. The first round warms up;
 * what has no box has it whole, or not at all. */
static double box_ms(const struct bench *bench, long round)
{
    double ms = bench->quick ? 50 : 200;

    return round > 0 ? ms : ms / 4;
}

/* Says whether a workload is chosen that peers run, too. */
static bool compares_peers(const struct bench *bench)
{
    bool found = false;

    for (int i = 0; i < workload_count && !bench->check; i++)
        found = found || (bench->chosen[i] &&
                          workload_has(&workloads[i], peers[0].name));
    return found;
}

/* Says whether the workload is run this way, which a peer has to be there for.
 */
static bool runs(const struct workload *workload, const struct way *way)
{
    const struct peer *peer = peers_find(way->name);

    if (peer != NULL && peer->version[0] == '\0')
        return false;
    return workload_has(workload, way->name);
}

/* What a run is expected to take, in seconds; opening and checking included.
 * It feeds the progress bar only. */
static double expect_seconds(const struct bench *bench,
                             const struct workload *workload,
                             long round)
{
    return workload->whole ? 0.4 : box_ms(bench, round) / 1e3 + 0.08;
}

static double expect_total(const struct bench *bench)
{
    double total = 0;

    for (int i = 0; i < workload_count; i++) {
        for (int way = 0; way < way_count; way++) {
            if (!bench->chosen[i] || !runs(&workloads[i], &ways[way]))
                continue;
            for (long round = 0; round <= bench->rounds; round++)
                total += expect_seconds(bench, &workloads[i], round);
        }
    }
    return total;
}

/* Sets the box up for a workload, one way. */
static void
set_box(struct bench *bench, const struct workload *workload, long round)
{
    struct box *box = &bench->box;
    long whole = workload_ops(workload, &bench->data);

    workload_set_disk(workload, bench->options.slow_disk_ms);
    box->workload = workload;
    box->in_flight = workload->in_flight;
    box->length_ns = (uint64_t)(box_ms(bench, round) * (double)ASQ_NS_PER_MS);
    box->limit = bench->options.requests;
    if (workload->works && box->limit > JOBS - workload->in_flight)
        box->limit =
            JOBS - workload->in_flight; /* each lane may hold one more */
    if (whole > 0) {
        box->length_ns = 0;
        box->limit = whole;
    }
}

/* Runs the box. Returns 0, or 1 after a line on stderr. */
static int run_way(struct bench *bench, const struct way *way)
{
    struct box *box = &bench->box;

    box->connections = way->connections;
    box->way = way->name;
    progress_show(&bench->progress, box->workload->name, way->name);
    if (box_run(box, way->run) == 0)
        return 0;
    progress_hide(&bench->progress);
    (void)fprintf(stderr, "%s: %s: %s\n", box->workload->name, way->name,
                  box->message);
    return 1;
}

/* One round of all ways. Which begins depends on the round, and every second
 * round goes backwards, so that a way does not always follow the same one. */
static int
run_round(struct bench *bench, const struct workload *workload, long round)
{
    for (int i = 0; i < way_count; i++) {
        int step = round % 2 == 0 ? i : way_count - 1 - i;
        int index = (int)((round + step) % way_count);

        if (!runs(workload, &ways[index]))
            continue;
        set_box(bench, workload, round);
        if (run_way(bench, &ways[index]) != 0)
            return 1;
        progress_add(&bench->progress, expect_seconds(bench, workload, round));
        if (round > 0)
            tally_add(&bench->tallies[index], &bench->box);
    }
    return 0;
}

static const struct tally *find_tally(const struct bench *bench,
                                      const char *way)
{
    const struct tally *tally = &bench->tallies[ways_find(way) - ways];

    return tally->runs > 0 ? tally : NULL;
}

static int report_workload(struct bench *bench)
{
    struct bench_row *first = &bench->rows[bench->row_count];
    int count = 0;

    for (int i = 0; i < way_count; i++) {
        if (bench->tallies[i].runs > 0)
            first[count++] =
                tally_row(&bench->tallies[i], find_tally(bench, "raw"),
                          find_tally(bench, "raw-grouped"));
    }
    bench->row_count += count;
    progress_hide(&bench->progress);
    return bench_print(first, count) == 0 ? 0 : 1;
}

static int run_workload(struct bench *bench, const struct workload *workload)
{
    /* The slow disk keeps nothing warm; neither does a run that is only tried.
     */
    bool cold = workload->slow || bench->options.requests < FEW_REQUESTS;
    long first = cold ? 1 : 0;

    for (int i = 0; i < way_count; i++)
        bench->tallies[i] =
            (struct tally){.workload = workload->name, .way = ways[i].name};
    for (long round = first; round <= bench->rounds; round++) {
        if (run_round(bench, workload, round) != 0)
            return 1;
    }
    return report_workload(bench);
}

static int write_results(const struct bench *bench)
{
    const char *json = bench->options.json;
    int rc = bench_write(&bench->machine, bench->rows, bench->row_count, json);

    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", json, strerror(-rc));
    return rc == 0 ? 0 : 1;
}

/* With --check both halves have their say. */
static int run_all(struct bench *bench)
{
    int grown = 0;
    int rc = 0;

    machine_print(&bench->machine);
    if (bench->check) {
        bench->box.limit = bench->options.requests;
        grown = flat_check(&bench->box);
    }
    progress_begin(&bench->progress, expect_total(bench));
    for (int i = 0; i < workload_count && rc == 0; i++) {
        if (bench->chosen[i])
            rc = run_workload(bench, &workloads[i]);
    }
    machine_control(&bench->machine, 1);
    if (rc == 0 && compares_peers(bench))
        rc = bench_print_peers(bench->rows, bench->row_count) == 0 ? 0 : 1;
    if (rc == 0)
        rc = write_results(bench);
    if (rc == 0 && bench->check)
        rc = floors_check(bench->rows, bench->row_count);
    return rc == 0 ? grown : rc;
}

static int prepare(struct bench *bench)
{
    int rc;

    if (data_init(&bench->data, bench->options.requests, bench->box.message) !=
        0) {
        (void)fprintf(stderr, "%s\n", bench->box.message);
        return 1;
    }
    if (bench->quick)
        bench->data.slow_reads = (bench->data.slow_reads + 2) / 3;
    if (asq_slow_disk_register() != 0) {
        (void)fprintf(stderr, "the slow disk cannot be set up\n");
        return 1;
    }
    if (compares_peers(bench))
        peers_look();
    rc = machine_look(&bench->machine);
    if (rc != 0)
        (void)fprintf(stderr, "the disk cannot be probed: %s\n", strerror(-rc));
    bench->box.data = &bench->data;
    return rc == 0 ? 0 : 1;
}

static int parse(struct bench *bench, int argc, char **argv)
{
    const struct asq_option more[] = {
        {.name = "quick",
         .help = "shorter runs, three rounds, a third of the stall",
         .kind = ASQ_OPTION_FLAG,
         .target = &bench->quick},
        {.name = "only",
         .value = "NAMES",
         .help = "only these workloads, separated by commas",
         .kind = ASQ_OPTION_TEXT,
         .target = &bench->only},
        {.name = "rounds",
         .value = "N",
         .help = "how many rounds to measure; 0: five, or three with --quick",
         .kind = ASQ_OPTION_LONG,
         .target = &bench->rounds,
         .minimum = 0,
         .maximum = RUNS_MAX},
        {.name = "check",
         .help = "fail if a floor is missed or the cost grows",
         .kind = ASQ_OPTION_FLAG,
         .target = &bench->check},
    };
    int rc;

    bench->options.more = more;
    bench->options.more_count = sizeof more / sizeof more[0];
    rc = asq_options_parse(&bench->options, argc, argv);
    bench->options.more = NULL; /* they end with this function */
    bench->options.more_count = 0;
    if (bench->rounds == 0 && bench->options.requests < FEW_REQUESTS)
        bench->rounds = 1;
    else if (bench->rounds == 0)
        bench->rounds = bench->quick ? 3 : 5;
    return rc >= 0 ? rc : choose(bench) == 0 ? -1 : 2;
}

int main(int argc, char **argv)
{
    static struct bench bench = {
        .options = {.program = "build/bench/bench",
                    .about = "Every workload in every way, round by round.",
                    .slow_disk_ms = 1,
                    .requests = 10000000}};
    char json[ASQ_SHOP_PATH_MAX];
    int rc;

    /* Cut if the build folder's path is too long; opening it then fails. */
    (void)snprintf(json, sizeof json, "%s/bench.json", asq_build_dir());
    bench.options.json = json;
    rc = parse(&bench, argc, argv);
    if (rc >= 0)
        return rc;
    ways_fix_pool();
    rc = prepare(&bench);
    if (rc == 0)
        rc = run_all(&bench);
    box_destroy(&bench.box);
    data_destroy(&bench.data);
    return asq_options_finish(&bench.options, rc);
}
