/* trace - who did what, when: spans on lanes
 *
 * Owns the lanes and their spans; the names of spans are borrowed. Each lane
 * has one writer at a time; drawing and writing come after them. Depends on
 * table (does the terminal show UTF-8?) and json.
 */
#include "common/trace.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    KINDS = 3,
    COLUMNS = 80,
    TICK_COLUMNS = 10 /* the marks of the ruler are at least that far apart */
};

struct picture {
    FILE *out;
    const char *const *glyphs; /* one for each kind */
    uint64_t begin_ns;
    uint64_t duration_ns; /* at least 1 */
    size_t gutter;        /* columns for the names of the lanes */
    size_t columns;       /* columns for the spans */
};

static const char *const kind_names[KINDS] = {"free", "work", "wait"};

int asq_trace_init(struct asq_trace *trace,
                   unsigned lanes,
                   size_t spans_per_lane)
{
    assert(lanes > 0 && spans_per_lane > 0);
    *trace = (struct asq_trace){.waits = "waits in a query", .works = "works"};
    trace->lanes = calloc(lanes, sizeof *trace->lanes);
    if (trace->lanes == NULL)
        return UV_ENOMEM;
    trace->count = lanes;
    for (unsigned i = 0; i < lanes; i++) {
        struct asq_lane *lane = &trace->lanes[i];

        lane->spans = calloc(spans_per_lane, sizeof *lane->spans);
        if (lane->spans == NULL) {
            asq_trace_destroy(trace);
            return UV_ENOMEM;
        }
        lane->capacity = spans_per_lane;
    }
    return 0;
}

void asq_trace_destroy(struct asq_trace *trace)
{
    if (trace == NULL)
        return;
    for (unsigned i = 0; i < trace->count; i++)
        free(trace->lanes[i].spans);
    free(trace->lanes);
    memset(trace, 0, sizeof *trace);
}

void asq_trace_name(struct asq_trace *trace, unsigned lane, const char *name)
{
    char *copy = trace->lanes[lane].name;
    size_t length = strlen(name);

    assert(lane < trace->count);
    if (length >= sizeof trace->lanes[lane].name) {
        length = sizeof trace->lanes[lane].name - 1;
        /* Not inside a character: bytes of the form 10xxxxxx continue one. */
        while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
}

void asq_trace_add(struct asq_trace *trace,
                   unsigned lane,
                   const struct asq_span *span)
{
    struct asq_lane *to = &trace->lanes[lane];

    assert(lane < trace->count);
    assert(span->begin_ns <= span->end_ns);
    if (to->count == to->capacity) {
        to->dropped++;
        return;
    }
    to->spans[to->count] = *span;
    to->count++;
}

uint64_t asq_trace_end(const struct asq_trace *trace)
{
    uint64_t end_ns = 0;

    for (unsigned i = 0; i < trace->count; i++)
        for (size_t k = 0; k < trace->lanes[i].count; k++)
            if (trace->lanes[i].spans[k].end_ns > end_ns)
                end_ns = trace->lanes[i].spans[k].end_ns;
    return end_ns;
}

/* Returns the time at which a column begins, counted from begin_ns. */
static uint64_t edge(const struct picture *pic, size_t column)
{
    return pic->duration_ns * column / pic->columns;
}

/* Adds to the sums of each column the part of the span that is in it. */
static void add_up(const struct picture *pic,
                   const struct asq_span *span,
                   uint64_t sums[][KINDS])
{
    uint64_t begin = pic->begin_ns;
    uint64_t from = span->begin_ns > begin ? span->begin_ns - begin : 0;
    uint64_t to = span->end_ns > begin ? span->end_ns - begin : 0;
    size_t column = (size_t)(from * pic->columns / pic->duration_ns);

    for (; column < pic->columns && edge(pic, column) < to; column++) {
        uint64_t left = edge(pic, column);
        uint64_t right = edge(pic, column + 1);

        left = from > left ? from : left;
        right = to < right ? to : right;
        if (left < right)
            sums[column][span->kind] += right - left;
    }
}

/* Returns the kind that fills most of a column; what no span covers is free. If
 * two are equal, waiting wins over working, and both win over free. */
static enum asq_trace_kind judge(const uint64_t sums[KINDS], uint64_t width)
{
    uint64_t wait = sums[ASQ_TRACE_WAIT];
    uint64_t work = sums[ASQ_TRACE_WORK];
    uint64_t unfree = wait + work;
    uint64_t free_ns = unfree < width ? width - unfree : 0;

    if (wait > 0 && wait >= work && wait >= free_ns)
        return ASQ_TRACE_WAIT;
    if (work > 0 && work >= free_ns)
        return ASQ_TRACE_WORK;
    return ASQ_TRACE_FREE;
}

static void draw_lane(const struct picture *pic, const struct asq_lane *lane)
{
    uint64_t sums[COLUMNS][KINDS] = {{0}};
    size_t blanks = pic->gutter - asq_text_width(lane->name);

    for (size_t i = 0; i < lane->count; i++)
        add_up(pic, &lane->spans[i], sums);
    (void)fprintf(pic->out, "%s%*s  ", lane->name, (int)blanks, "");
    for (size_t i = 0; i < pic->columns; i++) {
        uint64_t width = edge(pic, i + 1) - edge(pic, i);

        (void)fputs(pic->glyphs[judge(sums[i], width)], pic->out);
    }
    (void)fputc('\n', pic->out);
}

/* Returns the distance between the marks of the ruler: 1, 2 or 5 times a power
 * of ten nanoseconds, and wide enough for a number. */
static uint64_t choose_tick(const struct picture *pic)
{
    static const unsigned steps[] = {1, 2, 5};
    uint64_t least =
        (pic->duration_ns * TICK_COLUMNS + pic->columns - 1) / pic->columns;

    for (uint64_t power = 1;; power *= 10) {
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
            if (steps[i] * power >= least)
                return steps[i] * power;
    }
}

static void draw_ruler(const struct picture *pic)
{
    uint64_t tick = choose_tick(pic);
    char line[COLUMNS + 1];
    size_t used = 0;

    for (uint64_t at = 0; at < pic->duration_ns; at += tick) {
        /* Rounded up: the mark is in the column that begins there. */
        size_t column = (size_t)((at * pic->columns + pic->duration_ns - 1) /
                                 pic->duration_ns);
        char label[32];
        int length = snprintf(label, sizeof label, "|%.9g",
                              (double)at / (double)ASQ_NS_PER_MS);

        if (column < used || column + (size_t)length > pic->columns)
            break;
        memset(line + used, ' ', column - used);
        memcpy(line + column, label, (size_t)length);
        used = column + (size_t)length;
    }
    line[used] = '\0';
    (void)fprintf(pic->out, "%-*s  %s\n", (int)pic->gutter, "ms", line);
}

static void draw_legend(const struct picture *pic,
                        const struct asq_trace *trace)
{
    size_t dropped = 0;

    for (unsigned i = 0; i < trace->count; i++)
        dropped += trace->lanes[i].dropped;
    (void)fprintf(pic->out, "%*s  %s %s   %s %s   %s free\n", (int)pic->gutter,
                  "", pic->glyphs[ASQ_TRACE_WAIT], trace->waits,
                  pic->glyphs[ASQ_TRACE_WORK], trace->works,
                  pic->glyphs[ASQ_TRACE_FREE]);
    if (dropped > 0) {
        (void)fprintf(pic->out, "%*s  %zu spans found no room in the trace\n",
                      (int)pic->gutter, "", dropped);
    }
}

void asq_trace_print(const struct asq_trace *trace,
                     FILE *out,
                     uint64_t begin_ns,
                     uint64_t end_ns)
{
    static const char *const ascii[KINDS] = {".", "+", "#"};
    static const char *const utf8[KINDS] = {"·", "▒", "█"};
    struct picture pic = {
        .out = out,
        .glyphs = asq_terminal_is_utf8() ? utf8 : ascii,
        .begin_ns = begin_ns,
        .duration_ns = end_ns > begin_ns ? end_ns - begin_ns : 1,
        .gutter = strlen("ms"),
    };

    for (unsigned i = 0; i < trace->count; i++) {
        size_t width = asq_text_width(trace->lanes[i].name);

        pic.gutter = width > pic.gutter ? width : pic.gutter;
    }
    pic.columns = COLUMNS - 2 - pic.gutter;
    /* Printing is not checked: out keeps its error for ferror. */
    for (unsigned i = 0; i < trace->count; i++)
        draw_lane(&pic, &trace->lanes[i]);
    draw_ruler(&pic);
    draw_legend(&pic, trace);
}

static uint64_t find_origin(const struct asq_trace *trace)
{
    uint64_t origin = UINT64_MAX;

    for (unsigned i = 0; i < trace->count; i++) {
        const struct asq_lane *lane = &trace->lanes[i];

        for (size_t k = 0; k < lane->count; k++)
            if (lane->spans[k].begin_ns < origin)
                origin = lane->spans[k].begin_ns;
    }
    return origin;
}

static void write_span(struct asq_json *json,
                       unsigned lane,
                       const struct asq_span *span,
                       uint64_t origin)
{
    uint64_t ts = span->begin_ns - origin;
    uint64_t dur = span->end_ns - span->begin_ns;

    asq_json_put(json,
                 ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"name\":", lane + 1);
    asq_json_text(json, span->name);
    asq_json_put(json, ",\"cat\":\"%s\"", kind_names[span->kind]);
    asq_json_put(json, ",\"ts\":%" PRIu64 ".%03" PRIu64, ts / 1000, ts % 1000);
    asq_json_put(json, ",\"dur\":%" PRIu64 ".%03" PRIu64 "}", dur / 1000,
                 dur % 1000);
}

int asq_trace_write(const struct asq_trace *trace, const char *path)
{
    struct asq_json json;
    uint64_t origin = find_origin(trace);
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    /* The tid is the lane's number plus 1: to viewers, 0 is the idle task. */
    asq_json_put(&json, "{\"traceEvents\":[");
    for (unsigned i = 0; i < trace->count; i++) {
        const struct asq_lane *lane = &trace->lanes[i];

        asq_json_put(&json, "%s\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,",
                     i == 0 ? "" : ",", i + 1);
        asq_json_put(&json, "\"name\":\"thread_name\",\"args\":{\"name\":");
        asq_json_text(&json, lane->name);
        asq_json_put(&json, "}}");
        for (size_t k = 0; k < lane->count; k++)
            write_span(&json, i, &lane->spans[k], origin);
    }
    asq_json_put(&json, "\n]}\n");
    return asq_json_close(&json);
}
