/* stage - what every lesson program needs around it
 *
 * Owns the loop, the file and everything that is measured. Called on the main
 * thread, and on others as the header says. Depends on the rest of common.
 */
#include "common/stage.h"

#include "common/clock.h"
#include "common/elsewhere.h"
#include "common/paths.h"
#include "common/slow_disk.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct asq_shop usual_shop = {
    .users = 1000, .items = 10000, .orders = 2000, .seed = 1};

void asq_stage_fail(struct asq_stage *stage, const char *message)
{
    if (!stage->failed)
        (void)fprintf(stderr, "%s: %s\n", stage->options.program, message);
    stage->failed = true;
}

void asq_stage_must(struct asq_stage *stage, int rc)
{
    if (rc != 0)
        asq_stage_fail(stage, uv_strerror(rc));
}

/* Names the file after the program: build/tmp/07-transactions-4711.db. */
static void name_file(struct asq_stage *stage)
{
    const char *program = stage->options.program;
    const char *slash = strrchr(program, '/');
    int length = snprintf(stage->path, sizeof stage->path, "%s/tmp/%s-%ld.db",
                          asq_build_dir(), slash == NULL ? program : slash + 1,
                          (long)getpid());

    if (length < 0 || (size_t)length >= sizeof stage->path ||
        asq_make_parents(stage->path) != 0)
        asq_stage_fail(stage, "the folder for its database cannot be made");
}

static void prepare_disk(struct asq_stage *stage)
{
    uint64_t us = (uint64_t)(stage->options.slow_disk_ms * 1000);

    if (asq_slow_disk_register() != 0)
        asq_stage_fail(stage, "the slow disk cannot be registered");
    if (stage->slow_reads)
        asq_slow_disk_delay(ASQ_DISK_READ, us);
    if (stage->slow_syncs)
        asq_slow_disk_delay(ASQ_DISK_SYNC, us);
}

static void prepare_lanes(struct asq_stage *stage)
{
    size_t requests = (size_t)stage->options.requests;
    unsigned lanes = 0;

    while (stage->lanes != NULL && stage->lanes[lanes] != NULL)
        lanes++;
    if (asq_latency_init(&stage->latency, requests) != 0 ||
        (lanes > 0 &&
         asq_trace_init(&stage->trace, lanes, stage->spans * requests) != 0)) {
        asq_stage_fail(stage, "out of memory");
        return;
    }
    for (unsigned i = 0; i < lanes; i++)
        asq_trace_name(&stage->trace, i, stage->lanes[i]);
}

/* Removes the file, and what SQLite may have put beside it. */
static void remove_file(struct asq_stage *stage)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char path[sizeof stage->path + 16];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", stage->path, endings[i]);
        (void)unlink(path); /* it may not exist */
    }
}

int asq_stage_open(struct asq_stage *stage, int argc, char **argv)
{
    int status = asq_options_parse(&stage->options, argc, argv);

    if (status >= 0)
        return status;
    stage->shop = usual_shop;
    if (uv_loop_init(&stage->loop) != 0) {
        asq_stage_fail(stage, "no memory or descriptor is left");
        return 1;
    }
    /* It cannot fail: the loop is new. */
    (void)asq_heartbeat_attach(&stage->beats, &stage->loop);
    name_file(stage);
    prepare_disk(stage);
    prepare_lanes(stage);
    return stage->failed ? asq_stage_close(stage, 1) : -1;
}

/* Prints or writes what the lesson has measured. Returns the exit status. */
static int report(struct asq_stage *stage)
{
    if (stage->claim_count > 0)
        return asq_claims_report(stage->claims, stage->claim_count,
                                 &stage->options);
    return asq_report_save(stage->rows, stage->row_count, &stage->trace,
                           &stage->options);
}

int asq_stage_close(struct asq_stage *stage, int status)
{
    asq_heartbeat_detach(&stage->beats, NULL);
    asq_stage_turn(stage); /* until the heartbeat is closed */
    if (uv_loop_close(&stage->loop) != 0)
        asq_stage_fail(stage, "something is left on the loop");
    remove_file(stage);
    if (stage->failed)
        status = 1;
    if (status == 0)
        status = report(stage);
    asq_latency_destroy(&stage->latency);
    asq_trace_destroy(&stage->trace);
    return asq_options_finish(&stage->options, status);
}

void asq_stage_turn(struct asq_stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT); /* nothing stops it early */
}

int64_t asq_stage_look(struct asq_stage *stage, const char *sql)
{
    char message[256];
    int64_t number = 0;

    if (asq_ask_elsewhere(stage->path, sql, &number, message, sizeof message))
        asq_stage_fail(stage, message);
    return number;
}

void asq_stage_copy_shop(struct asq_stage *stage)
{
    char message[ASQ_SHOP_MESSAGE_MAX];

    if (asq_shop_copy(&stage->shop, stage->path, message) != 0)
        asq_stage_fail(stage, message);
}

void asq_stage_make(struct asq_stage *stage, const char *sql)
{
    remove_file(stage);
    (void)asq_stage_look(stage, sql); /* there is nothing to read */
}

void asq_stage_begin(struct asq_stage *stage,
                     const char *way,
                     const char *disk,
                     int connections)
{
    assert(stage->row_count < ASQ_STAGE_ROWS);
    stage->row = &stage->rows[stage->row_count++];
    *stage->row = (struct asq_report_row){
        .way = way, .disk = disk, .connections = connections};
    asq_latency_reset(&stage->latency);
    stage->reads = asq_slow_disk_count(ASQ_DISK_READ);
    stage->begin_ns = stage->last_ns = asq_clock_now_ns();
    stage->first_ns = UINT64_MAX;
    asq_heartbeat_start(&stage->beats);
}

void asq_stage_answered(struct asq_stage *stage, uint64_t since_ns)
{
    stage->last_ns = asq_clock_now_ns();
    if (since_ns < stage->first_ns)
        stage->first_ns = since_ns;
    if (asq_latency_add(&stage->latency, stage->last_ns - since_ns) != 0)
        asq_stage_fail(stage, "out of memory");
}

/* Each way begins at 0 on the timeline. */
static void
add_span(struct asq_stage *stage, unsigned lane, struct asq_span span)
{
    span.begin_ns -= stage->begin_ns;
    span.end_ns -= stage->begin_ns;
    asq_trace_add(&stage->trace, lane, &span);
}

void asq_stage_waited(struct asq_stage *stage,
                      unsigned lane,
                      uint64_t begin_ns,
                      uint64_t end_ns,
                      const char *name)
{
    add_span(stage, lane,
             (struct asq_span){begin_ns, end_ns, ASQ_TRACE_WAIT, name});
}

void asq_stage_worked(struct asq_stage *stage,
                      unsigned lane,
                      uint64_t begin_ns,
                      uint64_t end_ns,
                      const char *name)
{
    add_span(stage, lane,
             (struct asq_span){begin_ns, end_ns, ASQ_TRACE_WORK, name});
}

void asq_stage_end(struct asq_stage *stage)
{
    struct asq_latency *latency = &stage->latency;
    struct asq_report_row *row = stage->row;

    row->stall_us = (double)asq_heartbeat_stop(&stage->beats) / 1e3;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - stage->reads;
    row->requests = latency->count;
    if (latency->count > 0)
        row->throughput_per_s = 1e9 * (double)latency->count /
                                (double)(stage->last_ns - stage->first_ns);
    row->p50_us = (double)asq_latency_percentile(latency, 50) / 1e3;
    row->p99_us = (double)asq_latency_percentile(latency, 99) / 1e3;
}

void asq_stage_print_timeline(struct asq_stage *stage, unsigned ms)
{
    asq_trace_print(&stage->trace, stdout, 0,
                    ms == 0 ? asq_trace_end(&stage->trace)
                            : ms * ASQ_NS_PER_MS);
}

void asq_stage_print_rows(struct asq_stage *stage)
{
    if (asq_report_print(stage->rows, stage->row_count, stdout) != 0)
        asq_stage_fail(stage, "out of memory");
}

struct asq_claim *asq_stage_claim(struct asq_stage *stage)
{
    assert(stage->claim_count < ASQ_STAGE_CLAIMS);
    return &stage->claims[stage->claim_count++];
}
