/* shops - a database of orders that tells how far it was read
 *
 * Each shop has a file and a conn. Its query calls a function for each row,
 * which counts it, and on command stops at it or fails. That tells exactly
 * which rows the worker has read, and forces which input comes first: each
 * shop has a gate of its own, where the slow disk has one for all.
 *
 * The function runs on the worker, everything else on the loop thread; the lock
 * guards what both use.
 */
#ifndef SHOPS_H
#define SHOPS_H

#include "grader/raw_db.h"
#include "grader/test.h"

#include "03-event-loop/conn_wait.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

enum {
    VALUE_SIZE = 1200,
    EVERY_NULL = 7, /* every seventh value is NULL, */
    EVERY_EMPTY = 11,
    EVERY_LONG = 13
};

struct shop {
    struct asq_conn conn;
    sqlite3 *keeper; /* writes the orders */
    uv_mutex_t lock;
    uv_cond_t changed;
    /* guarded by lock */
    unsigned read;    /* rows since reset_read */
    unsigned gate_at; /* the worker stops before it reads this one; 0: never */
    unsigned fail_at; /* and fails here */
    int code;
    bool waits; /* it is at the gate */
    /* the worker wakes the loop when it comes to the gate */
    uv_async_t arrived;
};

static const char orders_sql[] = "SELECT take(key) AS key, value FROM orders"
                                 " ORDER BY orders.key, number";

/* Returns the value of the nth order of shop i, from 0; NULL is one. */
static inline const char *
value_of(int i, size_t n, char value[static VALUE_SIZE])
{
    int used = snprintf(value, VALUE_SIZE, "%zu of shop %d, %" PRIu64, n, i,
                        test_seed());

    if (n % EVERY_NULL == 5)
        return NULL;
    if (n % EVERY_EMPTY == 3)
        value[0] = '\0';
    else if (n % EVERY_LONG == 4)
        (void)snprintf(value + used, VALUE_SIZE - (size_t)used, "%01000d", i);
    return value;
}

/* The query has come to a row. Worker. */
static inline void
take(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    struct shop *shop = sqlite3_user_data(context);
    int code = 0;

    (void)count;
    uv_mutex_lock(&shop->lock);
    if (shop->read + 1 == shop->gate_at) {
        shop->waits = true;
        (void)uv_async_send(&shop->arrived); /* it always succeeds */
        while (shop->gate_at != 0)
            uv_cond_wait(&shop->changed, &shop->lock);
    }
    if (shop->read + 1 == shop->fail_at)
        code = shop->code;
    else
        shop->read++;
    uv_mutex_unlock(&shop->lock);
    if (code != 0)
        sqlite3_result_error_code(context, code);
    else
        sqlite3_result_value(context, arguments[0]);
}

/* For on_open_db. Worker. */
static inline int add_take(struct asq_db *db, void *data)
{
    return sqlite3_create_function(asq_db_handle(db), "take", 1, SQLITE_UTF8,
                                   data, take, NULL, NULL);
}

/* The worker stops before it reads the nth row, from 1. */
static inline void set_gate(struct shop *shop, unsigned nth)
{
    uv_mutex_lock(&shop->lock);
    shop->gate_at = nth;
    uv_mutex_unlock(&shop->lock);
}

static inline bool has_gate(struct shop *shop)
{
    bool has;

    uv_mutex_lock(&shop->lock);
    has = shop->gate_at != 0;
    uv_mutex_unlock(&shop->lock);
    return has;
}

static inline void open_gate(struct shop *shop)
{
    uv_mutex_lock(&shop->lock);
    shop->gate_at = 0;
    shop->waits = false;
    uv_cond_broadcast(&shop->changed);
    uv_mutex_unlock(&shop->lock);
}

/* It fails there with a code that is drawn by the caller. */
static inline void set_failure(struct shop *shop, unsigned nth, int code)
{
    uv_mutex_lock(&shop->lock);
    shop->fail_at = nth;
    shop->code = code;
    uv_mutex_unlock(&shop->lock);
}

static inline bool is_at_gate(struct shop *shop)
{
    bool waits;

    uv_mutex_lock(&shop->lock);
    waits = shop->waits;
    uv_mutex_unlock(&shop->lock);
    return waits;
}

static inline void reset_read(struct shop *shop)
{
    uv_mutex_lock(&shop->lock);
    shop->read = 0;
    uv_mutex_unlock(&shop->lock);
}

static inline unsigned rows_read(struct shop *shop)
{
    unsigned read;

    uv_mutex_lock(&shop->lock);
    read = shop->read;
    uv_mutex_unlock(&shop->lock);
    return read;
}

/* New orders, in ascending order of their keys. No statement is running. */
static inline void
fill_shop(struct shop *shop, int i, const int64_t *keys, size_t count)
{
    sqlite3_stmt *insert;

    raw_do(shop->keeper, "BEGIN; DELETE FROM orders");
    CHECK_INT(sqlite3_prepare_v2(shop->keeper,
                                 "INSERT INTO orders VALUES (?1, ?2, ?3)", -1,
                                 &insert, NULL),
              SQLITE_OK);
    for (size_t n = 0; n < count; n++) {
        char value[VALUE_SIZE];

        CHECK_INT(sqlite3_bind_int64(insert, 1, keys[n]), SQLITE_OK);
        CHECK_INT(sqlite3_bind_int64(insert, 2, (int64_t)n), SQLITE_OK);
        CHECK_INT(sqlite3_bind_text(insert, 3, value_of(i, n, value), -1,
                                    SQLITE_TRANSIENT),
                  SQLITE_OK);
        CHECK_INT(sqlite3_step(insert), SQLITE_DONE);
        CHECK_INT(sqlite3_reset(insert), SQLITE_OK);
    }
    CHECK_INT(sqlite3_finalize(insert), SQLITE_OK);
    raw_do(shop->keeper, "COMMIT");
    set_gate(shop, 0);
    set_failure(shop, 0, 0);
}

static inline void open_conn(struct shop *shop, uv_loop_t *loop)
{
    struct asq_profile profile =
        asq_profile_default(sqlite3_db_filename(shop->keeper, "main"));

    profile.on_open_db = add_take;
    profile.on_open_data = shop;
    asq_conn_init(&shop->conn);
    shop->conn.poll_us = 0; /* so that it has no idle handle */
    if (asq_conn_open_wait(&shop->conn, loop, &profile) != 0)
        FAIL("%s", shop->conn.message);
}

static inline void
open_shop(struct shop *shop, const char *name, uv_loop_t *loop)
{
    *shop = (struct shop){.read = 0};
    CHECK_INT(uv_mutex_init(&shop->lock), 0);
    CHECK_INT(uv_cond_init(&shop->changed), 0);
    CHECK_INT(uv_async_init(loop, &shop->arrived, NULL), 0);
    uv_unref((uv_handle_t *)&shop->arrived);
    shop->keeper = raw_open(test_path(name));
    raw_do(shop->keeper, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                         "CREATE TABLE orders (key INTEGER, number INTEGER,"
                         " value TEXT, PRIMARY KEY (key, number))"
                         " WITHOUT ROWID");
    open_conn(shop, loop);
}

static inline void close_shop(struct shop *shop)
{
    open_gate(shop);
    asq_conn_close_wait(&shop->conn);
    uv_close((uv_handle_t *)&shop->arrived, NULL);
    raw_close(shop->keeper);
    uv_cond_destroy(&shop->changed);
    uv_mutex_destroy(&shop->lock);
}

#endif
