/* ways_raw - the SQLite C API on the main thread, blocking */
#include "ways_raw.h"

#include "common/clock.h"
#include "look.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GROUP_MAX = 64
};

struct raw {
    struct box *box;
    sqlite3 *db;
    sqlite3_stmt *stmts[2];
};

/* A client and the operation that it waits for. */
struct client {
    struct op op;
    int64_t answer;
    bool waits;
};

/* Runs one operation. Returns 0 or an SQLITE_* code. */
typedef int (*exec_fn)(struct raw *raw, const struct op *op, int64_t *answer);

/* Answers all clients until the box is over. Returns 0 or an SQLITE_* code. */
typedef int (*answer_fn)(struct raw *raw, struct client *clients, exec_fn exec);

/* Opens as the profile of the modules says, so that all ways have the same
 * cache and the same durability. */
static int open_raw(struct raw *raw)
{
    struct asq_profile profile =
        workload_profile(raw->box->workload, raw->box->data);
    int flags = profile.mode == ASQ_OPEN_READ ? SQLITE_OPEN_READONLY
                                              : SQLITE_OPEN_READWRITE;
    char sql[96];
    int rc = sqlite3_open_v2(profile.path, &raw->db,
                             flags | SQLITE_OPEN_NOMUTEX, profile.vfs);

    (void)snprintf(sql, sizeof sql, /* fits */
                   "PRAGMA cache_size = -%d; PRAGMA synchronous = %d",
                   profile.cache_kib, profile.synchronous);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(raw->db, (int)profile.busy_ms);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(raw->db, sql, NULL, NULL, NULL);
    return rc;
}

static int prepare(struct raw *raw, int which)
{
    return sqlite3_prepare_v2(raw->db, raw->box->workload->sql[which], -1,
                              &raw->stmts[which], NULL);
}

static void close_raw(struct raw *raw)
{
    for (int i = 0; i < 2; i++) {
        (void)sqlite3_finalize(raw->stmts[i]); /* its error is the step's */
        raw->stmts[i] = NULL;
    }
    (void)sqlite3_close(raw->db); /* no statement is open */
    raw->db = NULL;
}

static int open_prepared(struct raw *raw)
{
    const struct workload *workload = raw->box->workload;
    const char *warm = workload_warm_sql(workload);
    int rc = open_raw(raw);

    if (rc == SQLITE_OK && warm != NULL)
        rc = sqlite3_exec(raw->db, warm, NULL, NULL, NULL);
    for (int i = 0; i < 2 && rc == SQLITE_OK; i++) {
        if (workload->sql[i] != NULL)
            rc = prepare(raw, i);
    }
    return rc;
}

static int64_t add_row(sqlite3_stmt *stmt)
{
    int columns = sqlite3_column_count(stmt);
    int64_t sum = 0;

    for (int i = 0; i < columns; i++)
        sum += sqlite3_column_int64(stmt, i);
    return sum;
}

static int step_all(struct raw *raw, const struct op *op, int64_t *answer)
{
    sqlite3_stmt *stmt = raw->stmts[op->which];
    int rc = SQLITE_OK;

    for (size_t i = 0; i < op->count && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_int64(stmt, (int)i + 1, op->values[i].as.int64);
    if (rc != SQLITE_OK)
        return rc;
    *answer = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW)
        *answer += add_row(stmt);
    rc = sqlite3_reset(stmt); /* the error of the step */
    if (rc == SQLITE_OK && sqlite3_column_count(stmt) == 0)
        *answer = sqlite3_changes(raw->db);
    return rc;
}

static int call_raw(struct raw *raw, bool prepare_each, int64_t *answer)
{
    struct box *box = raw->box;
    int rc = box->workload->raw_call(raw->db, box->data, prepare_each);

    *answer = box->data->batch_rows;
    return rc;
}

/* A job: the first statement claims it and says which, the second ends it. */
static int work_on_job(struct raw *raw, int64_t *answer)
{
    sqlite3_stmt *claim = raw->stmts[0], *done = raw->stmts[1];
    int64_t id, attempt;
    int rc;

    if (sqlite3_step(claim) != SQLITE_ROW) {
        rc = sqlite3_reset(claim); /* the error of the step */
        return rc != SQLITE_OK ? rc : SQLITE_NOTFOUND;
    }
    id = sqlite3_column_int64(claim, 0);
    attempt = sqlite3_column_int64(claim, 1);
    (void)sqlite3_step(claim); /* its error is reset's */
    rc = sqlite3_reset(claim);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(done, 1, id);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(done, 2, attempt);
    if (rc == SQLITE_OK)
        (void)sqlite3_step(done); /* its error is reset's */
    if (rc == SQLITE_OK)
        rc = sqlite3_reset(done);
    *answer = sqlite3_changes(raw->db);
    return rc;
}

static int exec_prepared(struct raw *raw, const struct op *op, int64_t *answer)
{
    if (raw->box->workload->raw_call != NULL)
        return call_raw(raw, false, answer);
    if (raw->box->workload->works)
        return work_on_job(raw, answer);
    return step_all(raw, op, answer);
}

static int
exec_unprepared(struct raw *raw, const struct op *op, int64_t *answer)
{
    int rc;

    if (raw->box->workload->raw_call != NULL)
        return call_raw(raw, true, answer);
    (void)sqlite3_finalize(raw->stmts[op->which]); /* it was reset */
    raw->stmts[op->which] = NULL;
    rc = prepare(raw, op->which);
    return rc == SQLITE_OK ? step_all(raw, op, answer) : rc;
}

static int exec_opened(struct raw *raw, const struct op *op, int64_t *answer)
{
    int rc;

    close_raw(raw);
    rc = open_raw(raw);
    if (rc == SQLITE_OK)
        rc = prepare(raw, op->which);
    return rc == SQLITE_OK ? step_all(raw, op, answer) : rc;
}

/* Clients stand in line: who was answered asks again and stands last. */
static int answer_in_turn(struct raw *raw, struct client *clients, exec_fn exec)
{
    struct box *box = raw->box;
    int n = 0;
    int rc = SQLITE_OK;

    for (int i = 0; i < box->in_flight; i++)
        clients[i].waits = box_ask(box, &clients[i].op);
    while (clients[n].waits && rc == SQLITE_OK) {
        struct client *client = &clients[n];

        rc = exec(raw, &client->op, &client->answer);
        if (rc == SQLITE_OK) {
            box_answer(box, &client->op, client->answer);
            client->waits = box_ask(box, &client->op);
        }
        n = (n + 1) % box->in_flight;
        if (n == 0)
            asq_heartbeat_beat(&box->heartbeat);
    }
    return rc;
}

static int run_group(struct raw *raw, struct client *clients, int count)
{
    bool writes = raw->box->workload->synchronous > 0;
    int rc = sqlite3_exec(raw->db, writes ? "BEGIN IMMEDIATE" : "BEGIN", NULL,
                          NULL, NULL);

    for (int i = 0; i < count && rc == SQLITE_OK; i++)
        rc = step_all(raw, &clients[i].op, &clients[i].answer);
    return rc == SQLITE_OK ? sqlite3_exec(raw->db, "COMMIT", NULL, NULL, NULL)
                           : rc;
}

/* Clients stand in line; one transaction answers the first 64. */
static int answer_groups(struct raw *raw, struct client *clients, exec_fn exec)
{
    struct box *box = raw->box;
    int most = box->in_flight < GROUP_MAX ? box->in_flight : GROUP_MAX;
    int rc = SQLITE_OK;
    int first = 0;

    (void)exec;
    for (int i = 0; i < box->in_flight; i++)
        clients[i].waits = box_ask(box, &clients[i].op);
    while (clients[first].waits && rc == SQLITE_OK) {
        int count = 0;

        while (count < most && first + count < box->in_flight &&
               clients[first + count].waits)
            count++;
        rc = run_group(raw, &clients[first], count);
        box->now_ns = asq_clock_now_ns();
        for (int i = first; i < first + count && rc == SQLITE_OK; i++) {
            box_answer_now(box, &clients[i].op, clients[i].answer);
            clients[i].waits = box_ask(box, &clients[i].op);
        }
        first = (first + count) % box->in_flight;
        asq_heartbeat_beat(&box->heartbeat);
    }
    return rc;
}

static int run_opened(struct raw *raw, answer_fn answer, exec_fn exec)
{
    struct box *box = raw->box;
    struct client *clients = calloc((size_t)box->in_flight, sizeof *clients);
    int rc;

    if (clients == NULL)
        return SQLITE_NOMEM;
    box_begin(box);
    rc = answer(raw, clients, exec);
    box_end(box);
    free(clients);
    return rc;
}

/* The loop is turned only when all has been answered: it stands still as long
 * as somebody blocks its thread. */
static int run_raw(struct box *box, answer_fn answer, exec_fn exec)
{
    struct raw raw = {.box = box};
    struct look look;
    uv_loop_t loop;
    int rc = uv_loop_init(&loop);

    if (rc != 0)
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    rc = open_prepared(&raw);
    look_start(&look, box, &loop);
    if (rc == SQLITE_OK)
        rc = run_opened(&raw, answer, exec);
    if (rc != SQLITE_OK)
        (void)box_fail(box, "%s: %s", box->data->path[box->workload->source],
                       sqlite3_errmsg(raw.db));
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* until the look has its answer */
    (void)uv_loop_close(&loop);          /* nothing is left on it */
    close_raw(&raw);
    return rc == SQLITE_OK ? 0 : -1;
}

int way_raw(struct box *box)
{
    return run_raw(box, answer_in_turn, exec_prepared);
}

int way_raw_grouped(struct box *box)
{
    return run_raw(box, answer_groups, exec_prepared);
}

int way_prepare_each(struct box *box)
{
    return run_raw(box, answer_in_turn, exec_unprepared);
}

int way_open_per_call(struct box *box)
{
    return run_raw(box, answer_in_turn, exec_opened);
}
