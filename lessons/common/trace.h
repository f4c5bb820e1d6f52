/* trace - who did what, when: spans on lanes
 *
 * A lane is one thread or one connection; its spans do not overlap. A trace is
 * written in Trace Event Format (opens in Perfetto), or drawn as a timeline of
 * at most 80 columns.
 *
 * Threads: each lane has one writer at a time, so lanes need no lock. Draw and
 * write only after the writers have ended.
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum asq_trace_kind {
    ASQ_TRACE_FREE, /* could do other work (the default between spans) */
    ASQ_TRACE_WORK, /* does its own work on the processor */
    ASQ_TRACE_WAIT  /* waits in a query: nothing else can happen here */
};

struct asq_span {
    uint64_t begin_ns;
    uint64_t end_ns;
    enum asq_trace_kind kind;
    const char *name; /* a string that outlives the trace */
};

struct asq_lane {
    char name[24];
    struct asq_span *spans;
    size_t count;
    size_t capacity;
    size_t dropped; /* spans for which there was no room */
};

struct asq_trace {
    /* public: what the legend calls them; may be set after init */
    const char *waits, *works;
    /* private */
    struct asq_lane *lanes;
    unsigned count;
};

/* Makes lanes, each with room for spans_per_lane spans; both are at least 1.
 * Returns 0 or UV_ENOMEM. */
int asq_trace_init(struct asq_trace *trace,
                   unsigned lanes,
                   size_t spans_per_lane);

/* Frees the lanes. Accepts NULL and a zeroed trace. */
void asq_trace_destroy(struct asq_trace *trace);

/* Names a lane. The name is copied and cut to 23 bytes, but never inside a
 * character. */
void asq_trace_name(struct asq_trace *trace, unsigned lane, const char *name);

/* Adds a span to a lane. It must not end before it begins. If there is no room
 * left, it is counted, not kept. */
void asq_trace_add(struct asq_trace *trace,
                   unsigned lane,
                   const struct asq_span *span);

/* Returns the time at which the last span ends, or 0 if there is none. */
uint64_t asq_trace_end(const struct asq_trace *trace);

/* Draws one row for each lane, from begin_ns to end_ns and at most 80 columns
 * wide, with a legend and a ruler in milliseconds from begin_ns. A column shows
 * the kind that fills most of it, so a span shorter than half a column may not
 * be visible. In UTF-8, or in ASCII if the terminal has no more. */
void asq_trace_print(const struct asq_trace *trace,
                     FILE *out,
                     uint64_t begin_ns,
                     uint64_t end_ns);

/* Writes Trace Event JSON. Times are microseconds since the first span began.
 * The file appears complete or not at all; its folders are made. Returns 0 or a
 * negative errno. */
int asq_trace_write(const struct asq_trace *trace, const char *path);

#endif
