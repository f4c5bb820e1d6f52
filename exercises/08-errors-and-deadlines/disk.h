/* disk - a real connection, whose disk breaks and works again
 *
 * Used on the loop thread.
 */
#ifndef DISK_H
#define DISK_H

#include "told.h"

#include "03-event-loop/conn.h"
#include "common/slow_disk.h"
#include "grader/raw_db.h"

enum {
    GATE_MS = 4000
};

struct disk {
    struct fixture *f;
    uv_loop_t loop;
    struct asq_conn conn;
    struct asq_request request, other;
    struct ex_ticket ticket; /* of the request */
    char sql[WHAT_SIZE];
    int row; /* the last one that was read */
    int done, status, opened, closed;
};

/* Each row has a page of its own, so that each read goes to the disk. */
static const char make[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, photo BLOB);"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 40) INSERT INTO users SELECT i, zeroblob(3000) FROM n";

static const char refused[] = "INSERT INTO users (id) VALUES (1)";

static inline void on_open(struct asq_conn *conn, int status)
{
    struct disk *d = conn->data;

    CHECK_INT(status, 0);
    d->opened = 1;
}

static inline void on_closed(struct asq_conn *conn)
{
    struct disk *d = conn->data;

    d->closed = 1;
}

static inline void on_done(struct asq_request *request, int status)
{
    struct disk *d = request->data;

    d->f->now_ms += 3;
    tell(d->f, &d->ticket, status);
    d->status = status;
    d->done = 1;
}

/* This request does not go through the breaker. */
static inline void on_other_done(struct asq_request *request, int status)
{
    (void)request, (void)status;
}

static inline void submit(struct disk *d, const char *sql)
{
    d->ticket = go(d->f);
    d->done = 0;
    CHECK_INT(asq_conn_run(&d->conn, &d->request, sql, NULL, on_done), 0);
}

/* Asks through the breaker, and expects this code of SQLite. */
static inline void ask_disk(struct disk *d, const char *sql, int code)
{
    submit(d, sql);
    test_run_until(&d->loop, &d->done);
    CHECK_INT(d->status, code);
}

/* Returns a statement that reads a row which is not in the cache. */
static inline const char *next_row(struct disk *d)
{
    (void)snprintf(d->sql, sizeof d->sql, "SELECT id FROM users WHERE id = %d",
                   ++d->row);
    return d->sql;
}

/* A probe is cancelled while it waits behind a request that stops in a read. */
static inline void cancel_probe(struct disk *d)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    CHECK_INT(
        asq_conn_run(&d->conn, &d->other, next_row(d), NULL, on_other_done), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(GATE_MS), 0);
    submit(d, refused);
    asq_request_cancel(&d->request);
    asq_slow_disk_open_gate();
    test_run_until(&d->loop, &d->done);
    CHECK_INT(d->status, UV_ECANCELED);
}

static inline void open_disk(struct disk *d)
{
    struct asq_profile profile = asq_profile_default(test_path("users.db"));

    raw_run(profile.path, make);
    CHECK_INT(asq_slow_disk_register(), 0);
    profile.vfs = ASQ_SLOW_DISK;
    CHECK_INT(uv_loop_init(&d->loop), 0);
    asq_conn_init(&d->conn);
    d->conn.data = d;
    CHECK_INT(asq_conn_open(&d->conn, &d->loop, &profile, on_open), 0);
    test_run_until(&d->loop, &d->opened);
    asq_request_init(&d->request);
    asq_request_init(&d->other);
    d->request.data = d;
}

static inline void close_disk(struct disk *d)
{
    asq_slow_disk_reset();
    asq_conn_close(&d->conn, on_closed);
    test_run_until(&d->loop, &d->closed);
    test_close_loop(&d->loop);
    asq_request_destroy(&d->request);
    asq_request_destroy(&d->other);
}

#endif
