/* stage - what every lesson program needs around it
 *
 * A lesson program does the same work in several ways and shows them beside
 * each other. The stage brings the options, a database file, the slow disk, a
 * loop with main's heartbeat, latencies, a timeline, and a row of the table for
 * each way. What runs, and when, is the lesson's own.
 *
 *     open            once, before everything else
 *       begin         a way begins: its row, its clock, its heartbeat
 *         answered            for each answer: its latency
 *         waited, worked      for each span of the timeline
 *       end           the way is over: its row is filled in
 *     close           writes --json and --trace, returns main's exit status
 *
 * The first failure is printed and kept, and the exit status is then 1. So a
 * program checks stage->failed where it matters, not after each call.
 *
 * Call it on the main thread. But a lane may have another thread as its one
 * writer, and other threads may call answered under a lock of the lesson's.
 * Depends on the rest of common.
 */
#ifndef COMMON_STAGE_H
#define COMMON_STAGE_H

#include "common/claims.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    ASQ_STAGE_ROWS = 16,
    ASQ_STAGE_CLAIMS = 16
};

struct asq_stage {
    /* public: set before open */
    struct asq_options options;  /* program, about, and the defaults */
    bool slow_reads, slow_syncs; /* which take --slow-disk milliseconds */
    const char *const *lanes;    /* names, the last one NULL; or no timeline */
    size_t spans;                /* of a lane, at most, for each request */
    /* read-only */
    bool failed;
    struct asq_shop shop;         /* the data set of all lessons */
    char path[ASQ_SHOP_PATH_MAX]; /* of the program's own file: copy_shop or
                                     make makes it, close removes it */
    uv_loop_t loop;
    struct asq_heartbeat beats; /* once a millisecond while the loop turns */
    uint64_t begin_ns;          /* when the latest way began */
    struct asq_latency latency; /* of the latest way */
    struct asq_trace trace;     /* each way begins at 0 */
    struct asq_report_row *row; /* of the latest way */
    struct asq_report_row rows[ASQ_STAGE_ROWS];
    size_t row_count;
    struct asq_claim claims[ASQ_STAGE_CLAIMS];
    size_t claim_count;
    /* private */
    uint64_t first_ns, last_ns; /* the earliest request, the latest answer */
    uint64_t reads;             /* of the slow disk, before the way */
};

/* Parses the command line and prepares everything. Returns -1 if the program
 * should go on, and it must then close; or main's exit status. */
int asq_stage_open(struct asq_stage *stage, int argc, char **argv);

/* Closes the loop, on which the lesson must have left nothing, removes the
 * file, and frees everything. Prints the claims if there are any; otherwise
 * writes the rows and the timeline if --json and --trace ask for them. Returns
 * main's exit status: 1 after a failure, otherwise status. */
int asq_stage_close(struct asq_stage *stage, int status);

/* Prints the message if it is the first failure, and sets failed. */
void asq_stage_fail(struct asq_stage *stage, const char *message);

/* Fails with the words for rc, a UV_E* code, unless it is 0. */
void asq_stage_must(struct asq_stage *stage, int rc);

/* Runs the loop until there is nothing left to wait for. A conn without
 * requests does not count, nor does the heartbeat. */
void asq_stage_turn(struct asq_stage *stage);

/* Makes the file again: as a copy of the data set, or by running SQL on an
 * empty database. The old one must not be open anywhere. */
void asq_stage_copy_shop(struct asq_stage *stage);
void asq_stage_make(struct asq_stage *stage, const char *sql);

/* Runs SQL on the file through a connection that shares nothing with others.
 * Returns the first cell of the last row, or 0 if there is none. */
int64_t asq_stage_look(struct asq_stage *stage, const char *sql);

/* Begins a way; all its requests are ready now. way and disk ("slow" or "fast")
 * are borrowed until close. */
void asq_stage_begin(struct asq_stage *stage,
                     const char *way,
                     const char *disk,
                     int connections);

/* Call it when a request that was ready at since_ns has its answer. */
void asq_stage_answered(struct asq_stage *stage, uint64_t since_ns);

/* Record what a lane did in the latest way, in times of uv_hrtime: it waited in
 * a query, or it did work of its own. --trace shows name, which is borrowed
 * until close. */
void asq_stage_waited(struct asq_stage *stage,
                      unsigned lane,
                      uint64_t begin_ns,
                      uint64_t end_ns,
                      const char *name);
void asq_stage_worked(struct asq_stage *stage,
                      unsigned lane,
                      uint64_t begin_ns,
                      uint64_t end_ns,
                      const char *name);

/* Ends the way and fills in its row. Its throughput counts from the moment when
 * the first request was ready to the last answer; a lesson that counts
 * something else corrects stage->row afterwards. */
void asq_stage_end(struct asq_stage *stage);

/* Prints the first ms milliseconds of the timeline, or all of it if ms is 0. */
void asq_stage_print_timeline(struct asq_stage *stage, unsigned ms);

/* Prints the table of all ways. */
void asq_stage_print_rows(struct asq_stage *stage);

/* Returns the next claim, for asq_claim_set to fill in. */
struct asq_claim *asq_stage_claim(struct asq_stage *stage);

#endif
