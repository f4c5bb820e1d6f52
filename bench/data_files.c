/* data_files - the files that the workloads read and write */
#include "data_files.h"

#include "04-measure-first/db_copy.h"
#include "14-task-queue/queue_sql.h"
#include "common/paths.h"
#include "operations.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ITEMS = 100000,
    BATCH_ROWS = 100000,
    CHUNKS = 1000,
    SLOW_READS = 262
};

static const struct asq_shop shop = {.users = 100, .items = ITEMS, .seed = 1};
static const struct asq_shop copied = {
    .users = 100, .items = COPIED_ITEMS, .seed = 1};

static int
fail(char message[static BENCH_MESSAGE_MAX], const char *path, sqlite3 *db)
{
    /* Cut if the path is too long. */
    (void)snprintf(message, BENCH_MESSAGE_MAX, "%s: %s", path,
                   sqlite3_errmsg(db));
    return -1;
}

/* Runs SQL on a file that is made if it is missing. */
static int
make(const char *path, const char *sql, char message[static BENCH_MESSAGE_MAX])
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        (void)fail(message, path, db);
    (void)sqlite3_close(db); /* no statement is open */
    return rc == SQLITE_OK ? 0 : -1;
}

int data_make_numbers(const char *path,
                      long rows,
                      char message[static BENCH_MESSAGE_MAX])
{
    char sql[384];

    (void)asq_db_remove(path);      /* what cannot be removed stays */
    (void)snprintf(sql, sizeof sql, /* fits */
                   "PRAGMA journal_mode = WAL;"
                   "BEGIN;"
                   "CREATE TABLE numbers (id INTEGER PRIMARY KEY,"
                   " value INTEGER NOT NULL) STRICT;"
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < %ld)"
                   " INSERT INTO numbers SELECT i, i FROM n;"
                   "COMMIT;",
                   rows);
    return make(path, sql, message);
}

/* Runs a query of one number. */
static int ask(const char *path,
               const char *sql,
               int64_t *ret_number,
               char message[static BENCH_MESSAGE_MAX])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(stmt, 0);
    rc = rc == SQLITE_OK ? sqlite3_reset(stmt) : rc;
    if (rc != SQLITE_OK)
        (void)fail(message, path, db);
    (void)sqlite3_finalize(stmt); /* it was reset */
    (void)sqlite3_close(db);      /* no statement is open */
    return rc == SQLITE_OK ? 0 : -1;
}

/* Reads the value of every item through the raw API. */
static int read_values(struct data *data,
                       char message[static BENCH_MESSAGE_MAX])
{
    const char *path = data->path[SOURCE_SHOP];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT value FROM items ORDER BY id", -1,
                                &stmt, NULL);
    for (int id = 1; id <= data->items && rc == SQLITE_OK; id++) {
        if (sqlite3_step(stmt) == SQLITE_ROW)
            data->values[id] = sqlite3_column_int64(stmt, 0);
        else
            rc = sqlite3_errcode(db);
    }
    if (rc != SQLITE_OK)
        (void)fail(message, path, db);
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    (void)sqlite3_close(db);      /* no statement is open */
    return rc == SQLITE_OK ? 0 : -1;
}

static long least(long a, long b)
{
    return a < b ? a : b;
}

/* Makes the million rows where they are missing; a whole file has as many. */
static int make_numbers(struct data *data,
                        char message[static BENCH_MESSAGE_MAX])
{
    const char *path = data->path[SOURCE_NUMBERS];
    long rows = data->chunks * BENCH_CHUNK;
    int64_t found = 0;

    if (access(path, F_OK) == 0 &&
        ask(path, "SELECT count(*) FROM numbers", &found, message) == 0 &&
        found == rows)
        return 0;
    return data_make_numbers(path, rows, message);
}

int data_init(struct data *data,
              long requests,
              char message[static BENCH_MESSAGE_MAX])
{
    const char *dir = asq_build_dir();

    *data = (struct data){.items = ITEMS,
                          .batch_rows = least(requests, BATCH_ROWS),
                          .chunks = least(requests, CHUNKS),
                          .slow_reads = least(requests, SLOW_READS)};
    if (asq_shop_make(&shop, data->path[SOURCE_SHOP], message) != 0)
        return -1;
    /* Cut if the folder's path is too long; opening it then fails. */
    (void)snprintf(data->path[SOURCE_COPY], ASQ_SHOP_PATH_MAX,
                   "%s/data/bench-copy.db", dir);
    (void)snprintf(data->path[SOURCE_LOG], ASQ_SHOP_PATH_MAX,
                   "%s/data/bench-log.db", dir);
    (void)snprintf(data->path[SOURCE_QUEUE], ASQ_SHOP_PATH_MAX,
                   "%s/data/bench-queue.db", dir);
    (void)snprintf(data->path[SOURCE_GROWING], ASQ_SHOP_PATH_MAX,
                   "%s/data/bench-growing.db", dir);
    (void)snprintf(data->path[SOURCE_NUMBERS], ASQ_SHOP_PATH_MAX,
                   "%s/data/bench-numbers-%ld.db", dir, data->chunks);
    data->values = calloc((size_t)data->items + 1, sizeof *data->values);
    if (data->values == NULL) {
        (void)snprintf(message, BENCH_MESSAGE_MAX, "out of memory");
        return -1;
    }
    if (read_values(data, message) != 0 || make_numbers(data, message) != 0)
        return -1;
    return ask(data->path[SOURCE_SHOP],
               "SELECT sum(value) FROM items WHERE data LIKE '%glass%'",
               &data->scan_sum, message);
}

void data_destroy(struct data *data)
{
    static const enum source own[] = {SOURCE_COPY, SOURCE_LOG, SOURCE_GROWING,
                                      SOURCE_QUEUE};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (data->path[own[i]][0] != '\0')
            (void)asq_db_remove(data->path[own[i]]); /* or it stays */
    }
    free(data->values);
    *data = (struct data){0};
}

/* Jobs that are ready, in the tables of lesson 14. */
static int
make_queue(const char *path, int jobs, char message[static BENCH_MESSAGE_MAX])
{
    char sql[4096];
    int length = snprintf(
        sql, sizeof sql,
        "PRAGMA journal_mode = WAL; BEGIN; %s"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < %d) INSERT INTO asq_jobs (queue, state, priority, payload,"
        " max_attempts) SELECT 'bench', 0, 0, x'6a6f62', 5 FROM n WHERE %d > 0;"
        "COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
        asq__queue_tables, jobs, jobs);

    assert(length > 0 && (size_t)length < sizeof sql);
    (void)asq_db_remove(path); /* what cannot be removed stays */
    return make(path, sql, message);
}

int data_begin_run(const struct data *data,
                   const struct workload *workload,
                   char message[static BENCH_MESSAGE_MAX])
{
    const char *path = data->path[workload->source];

    if (workload->source == SOURCE_COPY)
        return asq_shop_copy(&copied, path, message) == 0 ? 0 : -1;
    if (workload->source == SOURCE_QUEUE)
        return make_queue(path, workload->works ? JOBS : 0, message);
    if (workload->source != SOURCE_LOG)
        return 0;
    (void)asq_db_remove(path); /* what cannot be removed stays */
    return make(path,
                "PRAGMA journal_mode = WAL;"
                "CREATE TABLE log (id INTEGER PRIMARY KEY,"
                " value INTEGER NOT NULL, name TEXT, status TEXT, data TEXT)"
                " STRICT;",
                message);
}

int data_check_run(const struct data *data,
                   const struct workload *workload,
                   long ops,
                   char message[static BENCH_MESSAGE_MAX])
{
    const char *path = data->path[workload->source];
    const char *sql = "SELECT sum(value) FROM log";
    int64_t found = 0;
    int64_t expected = ops * (workload->rows > 0 ? 1 : data->batch_rows);

    if (workload->source == SOURCE_COPY) {
        sql = "SELECT sum(value) FROM items";
        /* In mixed every tenth operation adds one. */
        expected = workload->sql[1] != NULL ? ops / 10 : 0;
        for (int id = 1; id <= copied.items; id++)
            expected += data->values[id];
    } else if (workload->source == SOURCE_QUEUE) {
        sql = workload->works ? "SELECT count(*) FROM asq_jobs WHERE state = 3"
                              : "SELECT count(*) FROM asq_jobs";
    } else if (workload->source != SOURCE_LOG) {
        return 0;
    }
    if (ask(path, sql, &found, message) != 0)
        return -1;
    if (found == expected)
        return 0;
    (void)snprintf(message, BENCH_MESSAGE_MAX,
                   "%s: the file holds %lld, expected %lld", path,
                   (long long)found, (long long)expected);
    return -1;
}
