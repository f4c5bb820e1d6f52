/* operations - what the operations of the workloads are */
#include "operations.h"

#include "01-blocking/stmt.h"

enum {
    APART = 331 /* items, that no two share a page; stands in the SQL too */
};

/* The nth of `places` ids; spread out, so that neighbours share no page. */
static int64_t pick(long n, int places)
{
    return (int64_t)((uint64_t)n * UINT64_C(2654435761) % (uint64_t)places) + 1;
}

static void fill_one(struct op *op, int64_t value)
{
    op->which = 0;
    op->values[0] = asq_int64(value);
    op->count = 1;
}

void fill_read(const struct data *data, struct op *op)
{
    fill_one(op, pick(op->number, data->items));
}

int64_t expect_read(const struct data *data, long n)
{
    return data->values[pick(n, data->items)];
}

void fill_read_copied(const struct data *data, struct op *op)
{
    (void)data;
    fill_one(op, pick(op->number, COPIED_ITEMS));
}

int64_t expect_read_copied(const struct data *data, long n)
{
    return data->values[pick(n, COPIED_ITEMS)];
}

void fill_nothing(const struct data *data, struct op *op)
{
    (void)data;
    op->which = 0;
    op->count = 0;
}

int64_t expect_scan(const struct data *data, long n)
{
    (void)n;
    return data->scan_sum;
}

static bool is_write(long n)
{
    return n % 10 == 9;
}

static int64_t pick_mixed(long n)
{
    int64_t half = pick(n, COPIED_ITEMS / 2);

    return is_write(n) ? 2 * half : 2 * half - 1;
}

void fill_mixed(const struct data *data, struct op *op)
{
    (void)data;
    fill_one(op, pick_mixed(op->number));
    op->which = is_write(op->number);
}

int64_t expect_mixed(const struct data *data, long n)
{
    return is_write(n) ? 1 : data->values[pick_mixed(n)];
}

void fill_row(const struct data *data, struct op *op)
{
    (void)data;
    fill_one(op, 1);
}

int64_t expect_row(const struct data *data, long n)
{
    (void)data;
    (void)n;
    return 1; /* row changed */
}

void fill_stream(const struct data *data, struct op *op)
{
    int64_t first = op->number % data->chunks * BENCH_CHUNK;

    op->which = 0;
    op->values[0] = asq_int64(first);
    op->values[1] = asq_int64(first + BENCH_CHUNK);
    op->count = 2;
}

int64_t expect_stream(const struct data *data, long n)
{
    int64_t first = n % data->chunks * BENCH_CHUNK;

    /* Each row holds its number twice. */
    return 2 *
           (first * BENCH_CHUNK + (int64_t)BENCH_CHUNK * (BENCH_CHUNK + 1) / 2);
}

void fill_stall(const struct data *data, struct op *op)
{
    op->which = 0;
    op->values[0] = asq_int64(1 + op->number % APART);
    op->values[1] = asq_int64(data->slow_reads);
    op->count = 2;
}

int64_t expect_stall(const struct data *data, long n)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < data->slow_reads; i++)
        sum += data->values[1 + n % APART + i * APART];
    return sum;
}

int64_t expect_batch(const struct data *data, long n)
{
    (void)n;
    return data->batch_rows;
}

/* A row as an import has it; what SQLite does with one integer is so little
 * that binding it would be a tenth of the time. */
static const char row_sql[] =
    "INSERT INTO log (value, name, status, data) VALUES (1, ?1, ?2, ?3)";
static const char *const row_texts[] = {"a lamp of glass", "active",
                                        "{\"kind\":\"lamp\"}"};

enum {
    TEXTS = sizeof row_texts / sizeof row_texts[0]
};

static int bind_raw(sqlite3_stmt *stmt)
{
    int rc = SQLITE_OK;

    for (int i = 0; i < TEXTS && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_text(stmt, i + 1, row_texts[i], -1, SQLITE_STATIC);
    return rc;
}

static int insert_raw(sqlite3 *db, long rows, bool prepare_each)
{
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_OK;

    for (long row = 0; row < rows && rc == SQLITE_OK; row++) {
        if (stmt == NULL)
            rc = sqlite3_prepare_v2(db, row_sql, -1, &stmt, NULL);
        if (rc == SQLITE_OK)
            rc = bind_raw(stmt);
        if (rc == SQLITE_OK)
            (void)sqlite3_step(stmt); /* its error is reset's */
        if (rc == SQLITE_OK)
            rc = sqlite3_reset(stmt);
        if (prepare_each) {
            (void)sqlite3_finalize(stmt); /* it was reset */
            stmt = NULL;
        }
    }
    (void)sqlite3_finalize(stmt); /* it was reset */
    return rc;
}

int batch_raw(sqlite3 *db, const struct data *data, bool prepare_each)
{
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = insert_raw(db, data->batch_rows, prepare_each);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

static int insert_rows(struct asq_stmt *stmt, long rows)
{
    struct asq_value values[TEXTS];
    struct asq_params params = {.values = values, .count = TEXTS};
    int rc = 0;

    for (long row = 0; row < rows && rc == 0; row++) {
        for (int i = 0; i < TEXTS; i++)
            values[i] = asq_text(row_texts[i]);
        rc = asq_stmt_bind(stmt, &params);
        if (rc == 0)
            rc = asq_stmt_collect(stmt, NULL);
        asq_stmt_reset(stmt);
    }
    return rc;
}

/* As batch of lesson 06 does with a chunk. */
int batch_call(struct asq_db *db, const struct data *data)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, row_sql, ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);
    if (rc == 0)
        rc = insert_rows(stmt, data->batch_rows);
    if (rc == 0)
        rc = asq_db_run(db, "COMMIT", NULL, NULL);
    asq_stmt_release(stmt);
    return rc;
}
