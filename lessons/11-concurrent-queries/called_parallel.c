/* called_parallel - a gather on one connection runs one query after another
 *
 * idea.c with all parts on the first connection. The program looks the same,
 * and so do its answers. But a connection has one thread, which runs the parts
 * one after another: three queries take three times as long as one.
 *
 * Copy of: idea.c
 * Proof: prints 3 parts, at once: 1
 */
#include "03-event-loop/conn_wait.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PARTS = 3,
    CONNS = 3
};

static const char sum_sql[] = /* takes SQLite tens of milliseconds */
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 200000) SELECT sum(i) * ?1 AS sum FROM n";

struct gather {
    struct asq_request parts[PARTS];
    struct asq_value factors[PARTS];
    int pending;                /* parts that are not answered */
    struct asq_request *failed; /* the first one, or NULL */
    void (*on_done)(struct gather *gather);
};

static void note_failure(struct gather *gather, struct asq_request *part)
{
    if (gather->failed != NULL)
        return;
    gather->failed = part; /* (3) */
    for (int i = 0; i < PARTS; i++)
        asq_request_cancel(&gather->parts[i]); /* (4) */
}

static void take_answer(struct asq_request *part, int status)
{
    struct gather *gather = part->data;

    gather->pending--; /* (2) */
    if (status != 0)
        note_failure(gather, part);
    if (gather->pending == 0)
        gather->on_done(gather); /* (5) */
}

/* Starts one part on each connection. The second one runs another query. */
static void
start(struct gather *gather, struct asq_conn *conns, const char *second_sql)
{
    gather->failed = NULL;
    for (int i = 0; i < PARTS; i++) {
        struct asq_params params = {.values = &gather->factors[i], .count = 1};
        int rc;

        gather->parts[i].data = gather;
        gather->factors[i] = asq_int64(i + 1);
        rc = asq_conn_run(&conns[0], &gather->parts[i],
                          i == 1 ? second_sql : sum_sql, &params,
                          take_answer); /* (1) */
        gather->pending += rc == 0;
        if (rc != 0)
            note_failure(gather, &gather->parts[i]);
    }
}

/* Prints the sums, and how many parts had begun before the first one ended. */
static void print_sums(struct gather *gather)
{
    uint64_t end_ns = UINT64_MAX;
    int at_once = 0;

    for (int i = 0; i < PARTS; i++) {
        if (gather->parts[i].ended_ns < end_ns)
            end_ns = gather->parts[i].ended_ns;
        (void)printf("part %d: %" PRId64 "\n", i + 1,
                     asq_result_int64(&gather->parts[i].result, 0, "sum"));
    }
    for (int i = 0; i < PARTS; i++)
        at_once += gather->parts[i].started_ns < end_ns;
    (void)printf("%d parts, at once: %d\n", PARTS, at_once);
}

static void print_failure(struct gather *gather)
{
    for (int i = 0; i < PARTS; i++)
        (void)printf("part %d: %s\n", i + 1,
                     &gather->parts[i] == gather->failed
                         ? gather->parts[i].message
                     : gather->parts[i].status == 0 ? "answered"
                                                    : "given up");
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct gather gather = {.on_done = print_sums};
    struct asq_conn conns[CONNS];
    int rc = 0;

    for (int i = 0; i < CONNS; i++)
        asq_conn_init(&conns[i]);
    for (int i = 0; i < CONNS && rc == 0; i++)
        rc = asq_conn_open_wait(&conns[i], uv_default_loop(), &profile);
    if (rc == 0) {
        start(&gather, conns, sum_sql);
        (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        gather.on_done = print_failure;
        start(&gather, conns, "SELECT nonsense * ?1");
        (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    }
    for (int i = 0; i < CONNS; i++)
        asq_conn_close_wait(&conns[i]);
    for (int i = 0; i < PARTS; i++)
        asq_request_destroy(&gather.parts[i]);
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    return rc == 0 ? 0 : 1;
}
