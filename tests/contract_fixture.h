/* contract_fixture - places where a request can be held still
 *
 * In the queue (hold_worker), before its first step (marked), in the middle of
 * a statement (the SQL function `stand`, when it is called with 1000), and in
 * a COMMIT (the gate of the slow disk, at a sync).
 */
#ifndef TESTS_CONTRACT_FIXTURE_H
#define TESTS_CONTRACT_FIXTURE_H

#include "common/slow_disk.h"
#include "conn_fixture.h"

#define NUMBERS                                                                \
    "WITH RECURSIVE n(x) AS "                                                  \
    "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) "
#define WRITE_LONG NUMBERS "INSERT INTO t SELECT stand(x) FROM n"
#define READ_LONG NUMBERS "SELECT max(stand(x)) FROM n"
#define WRITE_ONE "INSERT INTO t VALUES (1)"

enum {
    LONG_ROWS = 5000,
    TIMEOUT_MS = 100
};

enum where {
    WAITS,  /* in the queue */
    LOCKED, /* about to wait for a lock of another connection */
    RUNS,   /* in the middle of a statement */
    COMMITS /* in the sync of a COMMIT */
};

static inline void
stand_at_1000(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count; /* it is always one */
    if (sqlite3_value_int(values[0]) == 1000) {
        uv_sem_post(&f->reached);
        uv_sem_wait(&f->gate);
    }
    sqlite3_result_value(context, values[0]);
}

static inline int add_stand(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_create_function(asq_db_handle(db), "stand", 1, SQLITE_UTF8,
                                   ask->fixture, stand_at_1000, NULL, NULL);
}

static inline void contract_set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2; /* so that every commit is synced */
}

/* A new file and a new connection. */
static inline void open_new(struct fixture *f)
{
    asq_slow_disk_reset();
    remove_files(f->profile.path);
    f->marked = NULL;
    f->conn.observe = stand_if_marked;
    open_conn(f);
    call_now(f, add_stand);
    run_now(f, "CREATE TABLE t (n)");
}

/* Closes the connection; returns what the file holds then. */
static inline int64_t rows_left(struct fixture *f)
{
    close_conn(f);
    init_again(f);
    asq_slow_disk_reset();
    check_integrity(f->profile.path);
    return raw_number(f->profile.path, "SELECT count(*) FROM t");
}

/* Waits until it stands where it should. False: it is done before, because on
 * a busy machine its deadline has passed on the way. */
static inline bool
it_stands(struct fixture *f, enum where where, const int *done)
{
    while (!*done) {
        if (where == COMMITS ? asq_slow_disk_wait_for_gate(1) == 0
                             : uv_sem_trywait(&f->reached) == 0)
            return true;
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* the worker goes on */
    }
    asq_slow_disk_gate(ASQ_DISK_SYNC, 0); /* nobody stops there later on */
    return false;
}

static inline void let_it_go(struct fixture *f, enum where where)
{
    if (where == COMMITS)
        asq_slow_disk_open_gate();
    else
        let_go(f);
}

/* A deadline of steps and chunks is rounded up to the next millisecond. */
static inline void wait_until(uint64_t deadline_ns)
{
    while (uv_hrtime() < deadline_ns + 2000000)
        continue;
}

#endif
