/* merging - two shops, a merge of their orders, and what the consumer gets
 *
 * Keys are written as "1 3 5". The rows of both shops are put in order here, so
 * that an expectation says only how many of them have come: each one is
 * compared when it comes. In messages a row is its key, with an "a" if it is of
 * input 0 and a "b" if it is of input 1. Everything on the loop thread.
 */
#ifndef MERGING_H
#define MERGING_H

#include "given.h"
#include "shops.h"

#include "grader/closed.h"
#include "grader/random.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 20000,   /* rows of one input */
    TURNS = 200000, /* a step takes fewer, unless the loop spins */
    QUIET = 4,      /* turns without anything to do: nothing comes any more */
    SHOWN = 12,     /* rows in a message */
    TEXT_SIZE = 600,
    NO_END = INT_MIN /* in place of a code */
};

struct row {
    int64_t key;
    int from;
    size_t number; /* in its input, from 0 */
};

struct pair {
    uv_loop_t *loop;
    struct shop shops[2];
    struct ex_merge *merge; /* on the heap; freed when it ends */
    struct row order[2 * MOST];
    size_t total;        /* rows of both inputs */
    size_t most;         /* can come, because an input fails behind them */
    size_t handed;       /* how many have come, */
    size_t handed_of[2]; /* and of each input */
    int ends, status;
    int inside; /* calls that must not call back */
    bool paused, stopped, more_called;
    unsigned turn; /* of the loop */
    bool values;   /* they are looked at, too */
    /* called in on_row, with the number of the row, from 1; or NULL */
    enum ex_next (*then)(struct pair *pair, size_t nth);
    void (*at_end)(struct pair *pair); /* called instead of giving the memory
                                          back; or NULL */
    struct pair *other;                /* of test 9 */
    size_t nth;           /* the row at which then does something */
    char what[TEXT_SIZE]; /* what is merged */
    struct model *model;  /* of test 9 */
};

/* Texts */

static inline void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static inline void add_row(char text[static TEXT_SIZE], int64_t key, int from)
{
    add(text, TEXT_SIZE, "%s%" PRId64 "%c", text[0] == '\0' ? "" : " ", key,
        "ab"[from]);
}

/* Writes the first n rows, or the last ones of them. */
static inline void
tell_rows(const struct pair *p, size_t n, char text[static TEXT_SIZE])
{
    text[0] = '\0';
    if (n > SHOWN)
        add(text, TEXT_SIZE, "...");
    for (size_t i = n > SHOWN ? n - SHOWN : 0; i < n; i++)
        add_row(text, p->order[i].key, p->order[i].from);
}

/* What has come, or should have. */
static inline void tell_state(const struct pair *p,
                              size_t rows,
                              int ends,
                              int status,
                              char text[static 2 * TEXT_SIZE])
{
    char last[TEXT_SIZE];

    tell_rows(p, rows, last);
    (void)snprintf(text, 2 * TEXT_SIZE, "%s%s%s, %s%s",
                   test_count(rows, "row", NULL), rows == 0 ? "" : ": ", last,
                   ends == 0 ? "no end yet" : "then the end with ",
                   ends == 0 ? "" : test_code(status));
}

/* The consumer */

static inline bool is_kept(const struct asq_stream *stream)
{
    return stream->sides[0].state == ASQ_SIDE_KEPT ||
           stream->sides[1].state == ASQ_SIDE_KEPT;
}

/* The last row that has come. */
static inline void
look_at_row(struct pair *p, int from, int64_t key, const char *value)
{
    size_t i = p->handed - 1;
    const struct row *row = &p->order[i];
    char expected[3 * TEXT_SIZE], got[TEXT_SIZE], right[VALUE_SIZE];
    const char *text;

    tell_rows(p, i, got);
    add_row(got, key, from);
    if (i >= p->total)
        test_wrong("no row is left to be handed over", "%s", got);
    tell_rows(p, i, right);
    add_row(right, row->key, row->from);
    (void)snprintf(expected, sizeof expected, "%s: %s",
                   test_count(p->handed, "row", NULL), right);
    if (row->key != key || row->from != from)
        test_wrong(expected, "%s: %s", test_count(p->handed, "row", NULL), got);
    if (!p->values)
        return;
    text = value_of(from, row->number, right);
    if ((text == NULL) == (value == NULL) &&
        (text == NULL || strcmp(text, value) == 0))
        return;
    (void)snprintf(expected, sizeof expected,
                   "%" PRId64 "%c has the value \"%.60s\"", key, "ab"[from],
                   text != NULL ? text : "NULL");
    test_wrong(expected, "\"%.60s\"", value != NULL ? value : "NULL");
}

static inline enum ex_next
on_row(struct ex_merge *merge, int from, int64_t key, const char *value)
{
    struct pair *p = merge->data;
    enum ex_next next = EX_GO_ON;

    if (p->inside > 0)
        test_wrong("callbacks run in a turn of the loop",
                   "on_row runs inside a call of the merge");
    if (p->stopped)
        test_wrong("no row comes after ex_merge_stop", "%" PRId64 "%c comes",
                   key, "ab"[from]);
    if (p->paused)
        test_wrong("no row comes between EX_PAUSE and ex_merge_more",
                   "%" PRId64 "%c comes", key, "ab"[from]);
    if (p->handed >= p->most)
        test_wrong("no row comes after an input has failed",
                   "%" PRId64 "%c comes", key, "ab"[from]);
    if (!is_kept(&merge->inputs[from].stream))
        test_wrong("a chunk is kept until on_row has returned for its last row",
                   "when %" PRId64 "%c comes, it was given back", key,
                   "ab"[from]);
    p->handed++;
    p->handed_of[from]++;
    p->more_called = false;
    if (p->then != NULL)
        next = p->then(p, p->handed);
    p->paused = next == EX_PAUSE && !p->more_called && !p->stopped;
    look_at_row(p, from, key, value); /* which is still there */
    return next;
}

static inline void on_end(struct ex_merge *merge, int status)
{
    struct pair *p = merge->data;

    if (p->inside > 0)
        test_wrong("callbacks run in a turn of the loop",
                   "on_end runs inside a call of the merge");
    if (p->paused)
        test_wrong("the end does not come between EX_PAUSE and ex_merge_more",
                   "it comes, with %s", test_code(status));
    if (merge->inputs[0].stream.started || merge->inputs[1].stream.started)
        test_wrong("on_end runs when both streams have ended",
                   "one of them has not");
    p->ends++;
    p->status = status;
    if (p->at_end != NULL) {
        p->at_end(p);
        return;
    }
    test_closed(p->loop, merge, sizeof *merge);
    free(merge);
    p->merge = NULL;
}

/* Calls */

static inline void more(struct pair *p)
{
    p->paused = false;
    p->more_called = true;
    p->inside++;
    ex_merge_more(p->merge);
    p->inside--;
}

static inline void stop(struct pair *p)
{
    p->paused = false;
    p->stopped = true;
    p->inside++;
    ex_merge_stop(p->merge);
    p->inside--;
}

/* Starts a new merge of what the shops have, or the one that was kept. */
static inline void start_now(struct pair *p, size_t chunk_rows)
{
    struct asq_conn *conns[] = {&p->shops[0].conn, &p->shops[1].conn};

    p->handed = p->handed_of[0] = p->handed_of[1] = 0;
    p->ends = 0;
    p->paused = p->stopped = false;
    if (p->merge == NULL) {
        p->merge = malloc(sizeof *p->merge);
        CHECK(p->merge != NULL);
        ex_merge_init(p->merge);
    }
    for (int i = 0; i < 2; i++)
        reset_read(&p->shops[i]);
    p->merge->data = p;
    p->merge->chunk_rows = chunk_rows;
    p->inside++;
    CHECK_INT(
        ex_merge_start(p->merge, p->loop, conns, orders_sql, on_row, on_end),
        0);
    p->inside--;
}

/* What is merged */

static inline int in_order(const void *a, const void *b)
{
    const struct row *first = a, *second = b;

    if (first->key != second->key)
        return first->key < second->key ? -1 : 1;
    if (first->from != second->from)
        return first->from - second->from;
    return first->number < second->number ? -1 : 1;
}

/* Adds orders to shop i. Their keys ascend. */
static inline void
fill(struct pair *p, int i, const int64_t *keys, size_t count)
{
    if (i == 0) {
        p->total = 0;
        p->most = SIZE_MAX;
    }
    CHECK(count <= MOST);
    fill_shop(&p->shops[i], i, keys, count);
    for (size_t n = 0; n < count; n++)
        p->order[p->total++] =
            (struct row){.key = keys[n], .from = i, .number = n};
    qsort(p->order, p->total, sizeof p->order[0], in_order);
}

static inline void fill_text(struct pair *p, int i, const char *keys)
{
    int64_t list[64] = {0};
    size_t count = 0;
    char *rest;

    for (; *keys != '\0' && count < 64; keys = rest + strspn(rest, " "))
        list[count++] = strtoll(keys, &rest, 10);
    fill(p, i, list, count);
}

/* The shops get these orders, and the test says so. Start is to come. */
static inline void
prepare(struct pair *p, const char *a, const char *b, size_t chunk_rows)
{
    fill_text(p, 0, a);
    fill_text(p, 1, b);
    (void)snprintf(p->what, sizeof p->what, "a has %s, b has %s, chunks of %zu",
                   a[0] != '\0' ? a : "no rows", b[0] != '\0' ? b : "no rows",
                   chunk_rows);
    test_while("%s", p->what);
}

/* The test says what else happens. */
static inline void doing(const struct pair *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void doing(const struct pair *p, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    test_while("%s: %s", p->what, text);
}

/* Expectations */

static inline bool is_busy(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        if (p->shops[i].conn.pending > 0 && !is_at_gate(&p->shops[i]))
            return true;
    return false;
}

/* Returns how many rows of input i are among the first n. */
static inline size_t rows_of(const struct pair *p, int i, size_t n)
{
    size_t rows = 0;

    for (size_t k = 0; k < n; k++)
        rows += p->order[k].from == i;
    return rows;
}

/* Returns how many rows may be handed over if input i has so many, and it is
 * not known what comes behind them. */
static inline size_t rows_until(const struct pair *p, int i, size_t rows)
{
    size_t n = 0;

    for (; rows > 0 && n < p->total; n++)
        rows -= p->order[n].from == i;
    return n;
}

/* Runs until each worker has nothing to do, or is at its gate. */
static inline void rest(struct pair *p)
{
    for (int n = 0, quiet = 0; quiet < QUIET; n++) {
        bool busy = is_busy(p);

        quiet =
            busy || test_handles_active(p->loop, UV_IDLE) > 0 ? 0 : quiet + 1;
        p->turn++;
        (void)uv_run(p->loop, busy ? UV_RUN_ONCE : UV_RUN_NOWAIT);
        if (n == TURNS) {
            test_cause("ex_merge_wake is called in each turn, even if nothing "
                       "has changed");
            test_wrong("the loop comes to rest",
                       "it never stops turning: the merge is woken without "
                       "end");
        }
    }
}

/* Starts a merge. If the test does not say which input comes first, it is
 * input 1, so that nothing is left to chance. */
static inline void start(struct pair *p, size_t chunk_rows)
{
    bool any = !has_gate(&p->shops[0]) && !has_gate(&p->shops[1]);

    if (any)
        set_gate(&p->shops[0], 1);
    start_now(p, chunk_rows);
    if (!any)
        return;
    rest(p);
    open_gate(&p->shops[0]);
}

/* Everything that can come has come: so many rows, and the end with this code,
 * or NO_END. */
static inline void
expect(struct pair *p, const char *step, size_t rows, int end)
{
    char state[2 * TEXT_SIZE], expected[3 * TEXT_SIZE], got[2 * TEXT_SIZE];

    rest(p);
    if (p->ends > 1)
        test_wrong("the end comes once", "it comes %s",
                   test_times((uint64_t)p->ends));
    if (p->handed == rows && (p->ends > 0) == (end != NO_END) &&
        (end == NO_END || p->status == end))
        return;
    tell_state(p, rows, end != NO_END, end, state);
    tell_state(p, p->handed, p->ends, p->status, got);
    (void)snprintf(expected, sizeof expected, "%s: %s", step, state);
    test_wrong(expected, "%s", got);
}

/* The worker of input i has read the chunk of the next row, and one more, but
 * at most so many rows. */
static inline void expect_read(struct pair *p, int i, size_t most)
{
    size_t handed = p->handed_of[i];
    size_t chunk = p->merge->chunk_rows;
    size_t right = (handed / chunk + 2) * chunk;
    unsigned read = rows_read(&p->shops[i]);
    char expected[TEXT_SIZE];

    if (right > most)
        right = most;
    if (right > rows_of(p, i, p->total))
        right = rows_of(p, i, p->total);
    if (read == right)
        return;
    (void)snprintf(expected, sizeof expected,
                   "%s of %c handed over: its worker has read %zu",
                   test_count(handed, "row", NULL), "ab"[i], right);
    test_wrong(expected, "it has read %u", read);
}

/* A merge from start to end. cause is a usual one, or NULL. */
static inline void run(struct pair *p,
                       const char *a,
                       const char *b,
                       size_t chunk_rows,
                       const char *cause)
{
    prepare(p, a, b, chunk_rows);
    start(p, chunk_rows);
    test_cause(cause);
    expect(p, "both inputs are read to the end", p->total, 0);
}

/* Life */

static inline void begin(struct pair *p, uv_loop_t *loop, const char *names[2])
{
    p->loop = loop;
    for (int i = 0; i < 2; i++)
        open_shop(&p->shops[i], names[i], loop);
}

static inline void end(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        close_shop(&p->shops[i]);
    free(p->merge);
}

#endif
