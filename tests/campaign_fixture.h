/* campaign_fixture - several connections on one file, and a model of it
 *
 * Work is done by slots: a slot is one request at a time, and what it has been
 * told. Each request has a number of its own, its unit, and every row that it
 * writes into the table rows is that number. The model says how many rows of
 * each unit the file must hold, and what each connection must count as left
 * open.
 *
 * Fields say whose they are: the loop's, or the worker's while the request is
 * pending. What both count is kept apart, and added at the end.
 */
#ifndef TESTS_CAMPAIGN_FIXTURE_H
#define TESTS_CAMPAIGN_FIXTURE_H

#include "01-blocking/script.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <string.h>

enum {
    CAMPAIGN_REQUESTS = 100000,
    ROUND = 2500, /* requests until the file is looked at */
    SIDES = 3,
    BASE = 100 /* rows of the table base: id, and seven times id */
};

/* One connection. */
struct side {
    struct asq_conn conn;
    unsigned number;
    bool shut;      /* the loop's: cancelled or closing */
    bool cancelled; /* asq_conn_cancel was called */
    bool has_blob;  /* the loop's: a blob may be open, and pin a snapshot */
    int64_t keys;   /* the loop's: whether foreign keys are enforced */
    struct asq_left_open left;          /* the loop's: under holds */
    struct asq_left_open left_by_calls; /* the worker's */
    sqlite3_blob *blob;                 /* the worker's, as are these */
    sqlite3_stmt *raw;
    atomic_uintptr_t running; /* the request that the worker runs */
    int opened;
};

static struct {
    uv_loop_t loop;
    uv_thread_t loop_thread;
    uv_timer_t tick;
    struct asq_profile profile;
    struct side sides[SIDES];
    sqlite3 *outside;
    bool outside_locks; /* it has begun to write */
    unsigned many;      /* requests altogether */
    unsigned until;     /* this round submits up to here */
    unsigned submitted; /* the number of the last unit */
    unsigned answered;
    unsigned first; /* unit of this round */
    uint64_t random;
    bool inside; /* a call that must not call back */
    bool ending; /* what is closed stays closed */
    unsigned closed, reopened, files;
    unsigned outside_rows, outside_busy;
    unsigned rows[ROUND * 2], found[ROUND * 2]; /* of this round */
} all;

static unsigned draw(unsigned below)
{
    all.random =
        all.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(all.random >> 33) % below;
}

/* The number of the next request. */
static unsigned next_unit(void)
{
    unsigned unit = ++all.submitted;

    CHECK(unit - all.first < ROUND * 2);
    return unit;
}

static void expect_rows(unsigned unit, unsigned rows)
{
    all.rows[unit - all.first] = rows;
}

static void check_on_loop(void)
{
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &all.loop_thread));
    CHECK(!all.inside);
}

/* The file */

static void read_found(void)
{
    sqlite3_stmt *stmt;
    int rc;

    memset(all.found, 0, sizeof all.found);
    CHECK_INT(sqlite3_prepare_v2(all.outside,
                                 "SELECT n, count(*) FROM rows GROUP BY n", -1,
                                 &stmt, NULL),
              SQLITE_OK);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        unsigned unit = (unsigned)sqlite3_column_int(stmt, 0);

        CHECK_RANGE(unit, all.first, all.submitted);
        all.found[unit - all.first] = (unsigned)sqlite3_column_int(stmt, 1);
    }
    CHECK_INT(rc, SQLITE_DONE);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* What the answers said, and nothing else, is in the file. name says what a
 * unit was. */
static void check_file(const char *(*name)(unsigned unit))
{
    read_found();
    for (unsigned unit = all.first; unit <= all.submitted; unit++) {
        unsigned found = all.found[unit - all.first];
        unsigned expected = all.rows[unit - all.first];

        if (found != expected)
            FAIL("unit %u (%s) left %u rows instead of %u", unit, name(unit),
                 found, expected);
    }
    CHECK_INT(raw_ask(all.outside, "SELECT count(*) FROM outside"),
              all.outside_rows);
    CHECK_INT(raw_ask(all.outside, "SELECT count(*) FROM base"), BASE);
    raw_do(all.outside, "DELETE FROM rows");
    all.files++;
}

/* Somebody else: writes, or keeps the lock for a while. */
static void write_outside(void)
{
    int rc;

    if (all.outside_locks) {
        raw_do(all.outside, "COMMIT");
        all.outside_locks = false;
        return;
    }
    rc = sqlite3_exec(all.outside,
                      draw(4) == 0
                          ? "BEGIN IMMEDIATE; INSERT INTO outside VALUES (1)"
                          : "INSERT INTO outside VALUES (1)",
                      NULL, NULL, NULL);
    all.outside_locks = !sqlite3_get_autocommit(all.outside);
    if (rc == SQLITE_OK)
        all.outside_rows++;
    else
        all.outside_busy++;
    CHECK(rc == SQLITE_OK || rc == SQLITE_BUSY);
}

/* Connections */

static void side_is_open(struct side *side); /* of the test */
static void side_shuts(struct side *side);   /* the same */
static void side_is_closed(struct side *side);

static void observe(struct asq_conn *conn,
                    const struct asq_request *request,
                    enum asq_event event)
{
    struct side *side = conn->data;

    if (event == ASQ_EVENT_START)
        atomic_store(&side->running, (uintptr_t)request);
}

static void take_opened(struct asq_conn *conn, int status)
{
    struct side *side = conn->data;

    check_on_loop();
    CHECK_INT(side->opened++, 0);
    /* A close or cancel ends the wait for a lock. */
    CHECK(status == 0 || side->shut);
}

static void open_side(struct side *side)
{
    side->opened = 0;
    side->shut = false;
    side->cancelled = false;
    side->has_blob = false;
    side->keys = 1;
    side->left = (struct asq_left_open){0};
    side->left_by_calls = (struct asq_left_open){0};
    all.inside = true;
    CHECK_INT(asq_conn_open(&side->conn, &all.loop, &all.profile, take_opened),
              0);
    all.inside = false;
    side_is_open(side);
}

/* A raw statement that is not finalized counts when the connection closes; a
 * blob has counted when it was left. */
static void check_left(struct side *side)
{
    const struct asq_left_open *got = &side->conn.left_open;
    struct asq_left_open *calls = &side->left_by_calls;

    calls->statements += side->raw != NULL;
    CHECK_INT(got->holds, side->left.holds);
    CHECK_INT(got->transactions, side->left.transactions + calls->transactions);
    CHECK_INT(got->statements, side->left.statements + calls->statements);
    CHECK_INT(got->handles, side->left.handles + calls->handles);
}

static void take_closed(struct asq_conn *conn)
{
    struct side *side = conn->data;

    check_on_loop();
    CHECK_INT(side->opened, 1);
    CHECK_INT(conn->pending, 0);
    side_is_closed(side);
    check_left(side);
    if (side->blob != NULL) /* its owner may still do it */
        CHECK_INT(sqlite3_blob_close(side->blob), SQLITE_OK);
    side->blob = NULL;
    side->raw = NULL; /* it was finalized */
    all.closed++;
    if (all.ending)
        return;
    all.reopened++;
    open_side(side);
}

/* Closes it, maybe with a cancel first. */
static void close_side(struct side *side, bool cancel)
{
    if (!side->shut)
        side_shuts(side);
    side->shut = true;
    side->cancelled = side->cancelled || cancel;
    all.inside = true;
    if (cancel)
        asq_conn_cancel(&side->conn);
    asq_conn_close(&side->conn, take_closed);
    all.inside = false;
}

static void init_campaign(void)
{
    all.loop_thread = uv_thread_self();
    all.profile = asq_profile_default(test_path("a.db"));
    all.profile.synchronous = 0;
    all.profile.busy_ms = 1000000; /* nobody is to give up by himself */
    raw_run(all.profile.path,
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE base (id INTEGER PRIMARY KEY, v);"
            "CREATE TABLE rows (n); CREATE TABLE outside (n);"
            "CREATE TABLE taken (n INTEGER PRIMARY KEY);"
            "INSERT INTO taken VALUES (1);"
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
            "WHERE x < 100) INSERT INTO base SELECT x, x * 7 FROM n");
    all.outside = raw_open(all.profile.path);
    CHECK_INT(sqlite3_busy_timeout(all.outside, 0), SQLITE_OK);
    CHECK_INT(uv_loop_init(&all.loop), 0);
    for (unsigned i = 0; i < SIDES; i++) {
        asq_conn_init(&all.sides[i].conn);
        all.sides[i].conn.data = &all.sides[i];
        all.sides[i].conn.observe = observe;
        all.sides[i].number = i;
    }
}

#endif
