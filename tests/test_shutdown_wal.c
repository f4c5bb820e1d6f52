/* test_shutdown_wal - the checkpoint at the end, and what is in its way
 *
 * Somebody else keeps the file open in most tests: the last connection that
 * closes a file removes its WAL, whatever a checkpoint did before.
 */
#include "shutdown_fixture.h"

#include "disk_faults.h"

static const char *path_a(void)
{
    return test_path("a.db");
}

static void make_table(struct fixture *f)
{
    add_conn(f, path_a(), true);
    run_now(f, 0, "CREATE TABLE t (a)");
    run_now(f, 0, "INSERT INTO t VALUES (1)");
}

static sqlite3 *open_other(const char *path)
{
    sqlite3 *db = raw_open(path);

    CHECK_INT(raw_ask(db, "SELECT count(*) FROM sqlite_schema"), 1);
    return db;
}

static sqlite3 *begin_reading(void)
{
    sqlite3 *db = raw_open(path_a());

    raw_do(db, "BEGIN");
    CHECK_INT(raw_ask(db, "SELECT count(*) FROM t"), 1);
    return db;
}

static void the_wal_is_emptied(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    make_table(f);
    other = open_other(path_a());
    CHECK(wal_size(path_a()) > 0);
    shut_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
    CHECK_INT(f->parts[0].wal_left, 0);
    CHECK_INT(wal_size(path_a()), 0);
    raw_close(other);
}

/* Its deadline ends it: busy_ms would be a quarter of an hour. */
static void a_reader_pins_what_came_later(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    make_table(f);
    other = begin_reading();
    run_now(f, 0, "INSERT INTO t VALUES (2)");
    f->shutdown.drain_ms = 2000;
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_BUSY);
    CHECK_INT(f->parts[0].wal_left, 1);
    check_report(&f->parts[0], "part: 1 frame left in the WAL");
    CHECK_INT(raw_ask(other, "SELECT count(*) FROM t"), 1);
    raw_close(other);
    CHECK_INT(raw_number(path_a(), "SELECT count(*) FROM t"), 2);
}

/* What it has to wait for is a reader of the whole WAL: nothing is missing in
 * the file. */
static void hurry_ends_the_wait_for_a_reader(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    make_table(f);
    f->marked = &f->parts[0].request;
    other = raw_open(path_a());
    raw_do(other, "BEGIN");
    CHECK_INT(raw_ask(other, "SELECT count(*) FROM t"), 1);
    start(f);
    wait_for_state(f, ASQ_CHECKPOINTING);
    uv_sem_wait(&f->reached); /* the end of the line */
    uv_sem_wait(&f->reached); /* the checkpoint that waits for nobody */
    while (!f->parts[0].emptying)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    uv_sem_wait(&f->reached); /* the one that empties the WAL */
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].cancelled, 0);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_BUSY);
    CHECK_INT(f->parts[0].wal_left, 0);
    check_report(&f->parts[0], "part: the WAL not emptied");
    raw_close(other);
}

/* Neither the checkpoint goes on nor does the close take it up again. */
static void hurry_ends_a_checkpoint(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_slow_disk_register(), 0);
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 0, "CREATE TABLE t (a)");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    start(f);
    wait_for_state(f, ASQ_CHECKPOINTING);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    asq_shutdown_hurry(&f->shutdown);
    asq_slow_disk_open_gate();
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_INTERRUPT);
    check_report(&f->parts[0], "part: the checkpoint cut short");
    CHECK(wal_size(path_a()) > 0);
}

/* Its time is half a second, and is over before a page is written. */
static void a_deadline_ends_a_checkpoint(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_slow_disk_register(), 0);
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 0, "CREATE TABLE t (a)");
    f->shutdown.drain_ms = 100;
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    start(f);
    wait_for_state(f, ASQ_CHECKPOINTING);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    while (!f->conns[0].runner.checkpoint.interrupted)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_slow_disk_open_gate();
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ETIMEDOUT);
    check_report(&f->parts[0], "part: the checkpoint cut short");
    CHECK(wal_size(path_a()) > 0);
}

static int read_half(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, "SELECT a FROM t", ASQ_WHOLE_TEXT, &stmt);

    (void)request; /* its answer is its status */
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    return rc == SQLITE_ROW ? 0 : rc; /* the statement is forgotten */
}

/* Although one of the readers has forgotten a statement: it is closed first. */
static void several_on_one_file(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    f->shared_tx = true;
    make_table(f);
    add_conn(f, path_a(), false);
    add_conn(f, path_a(), false);
    call_now(f, 2, read_half);
    run_now(f, 0, "INSERT INTO t VALUES (2)");
    other = open_other(path_a());
    shut_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
    CHECK_INT(wal_size(path_a()), 0);
    check_report(&f->parts[0], "");
    check_report(&f->parts[1], "");
    check_report(&f->parts[2], "part: 1 statement not released");
    raw_close(other);
}

static void
never_called(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)context; /* only its end is of interest */
    (void)count;
    (void)values;
}

static void stand_at_end(void *data)
{
    struct fixture *f = data;

    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
}

/* Closing the connection then stands at the gate. */
static int end_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_create_function_v2(asq_db_handle(db), "f", 0, SQLITE_UTF8,
                                      ask->fixture, never_called, NULL, NULL,
                                      stand_at_end);
}

static void the_checkpoint_waits_for_the_readers(void *data)
{
    struct fixture *f = data;

    make_table(f);
    add_conn(f, path_a(), false);
    call_now(f, 1, end_at_gate);
    start(f);
    wait_for_state(f, ASQ_CHECKPOINTING);
    uv_sem_wait(&f->reached);
    for (int i = 0; i < 100; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* only turns are needed */
    CHECK_INT(f->parts[0].stage, ASQ_PART_DRAINED);
    CHECK_INT(f->shutdown.state, ASQ_CHECKPOINTING);
    uv_sem_post(&f->gate);
    wait_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
}

static void several_files(void *data)
{
    static const char *const names[] = {"a.db", "b.db", "c.db"};
    struct fixture *f = data;
    sqlite3 *others[3];

    for (int i = 0; i < 3; i++) {
        add_conn(f, test_path(names[i]), true);
        run_now(f, i, "CREATE TABLE t (a)");
        others[i] = open_other(test_path(names[i]));
    }
    shut_down(f);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(f->parts[i].checkpoint_status, 0);
        CHECK_INT(wal_size(test_path(names[i])), 0);
        raw_close(others[i]);
    }
}

/* Against the contract, and harmless: one of them runs into the other. */
static void two_checkpoints_of_one_file(void *data)
{
    struct fixture *f = data;
    int first;

    CHECK_INT(asq_slow_disk_register(), 0);
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 0, "CREATE TABLE t (a)");
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 1, "SELECT * FROM t");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    start(f);
    while (f->parts[0].stage < ASQ_PART_CLOSING &&
           f->parts[1].stage < ASQ_PART_CLOSING)
        CHECK(uv_run(&f->loop, UV_RUN_ONCE) != 0);
    first = f->parts[0].stage < ASQ_PART_CLOSING ? 0 : 1;
    CHECK_INT(f->parts[!first].checkpoint_status, SQLITE_BUSY);
    CHECK_INT(f->parts[!first].wal_left, -1);
    asq_slow_disk_open_gate();
    wait_down(f);
    CHECK_INT(f->parts[first].checkpoint_status, 0);
    check_report(&f->parts[!first], "part: the WAL not emptied");
}

static void without_a_wal(void *data)
{
    struct fixture *f = data;

    add_conn(f, ":memory:", true);
    run_now(f, 0, "CREATE TABLE t (a)");
    shut_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
    CHECK_INT(f->parts[0].wal_left, 0);
    check_report(&f->parts[0], "");
}

static void read_only(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(path_a());
    sqlite3 *other;

    raw_run(path_a(), "PRAGMA journal_mode = WAL; CREATE TABLE t (a)");
    other = open_other(path_a());
    raw_do(other, "INSERT INTO t VALUES (1)");
    profile.mode = ASQ_OPEN_READ;
    add_profile(f, &profile, true);
    run_now(f, 0, "SELECT * FROM t");
    shut_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, SQLITE_READONLY);
    CHECK(wal_size(path_a()) > 0);
    raw_close(other);
}

/* The disk */

static void fail_disk(const struct disk_fault *fault, int keep)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    fixture = (struct fixture){0};
    set_up(f);
    remove_files(path_a());
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 0, "CREATE TABLE t (a)");
    run_now(f, 0, "INSERT INTO t VALUES (1)");
    asq_slow_disk_fail(fault->op, 1, fault->code, keep);
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, fault->code);
    check_report(&f->parts[0], "part: the WAL not emptied");
    asq_slow_disk_reset();
    CHECK_INT(raw_number(path_a(), "SELECT sum(a) FROM t"), 1);
    check_integrity(path_a());
    tear_down(f);
}

static void the_disk_fails(void *data)
{
    CHECK_INT(asq_slow_disk_register(), 0);
    for (int i = 0; i < DISK_FAULTS; i++) {
        fail_disk(&disk_faults[i], 0);
        fail_disk(&disk_faults[i], 1);
    }
    shut_down(data);
}

static void a_database_whose_outcome_is_unknown(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    CHECK_INT(asq_slow_disk_register(), 0);
    add_with_vfs(f, path_a(), ASQ_SLOW_DISK, true);
    run_now(f, 0, "CREATE TABLE t (a)");
    ask_init(f, &asks[0]);
    ask_init(f, &asks[1]);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_IOERR_WRITE, 0);
    ask_sql(&asks[0], 0, "INSERT INTO t VALUES (1)");
    ask_sql(&asks[1], 0, "INSERT INTO t VALUES (1)");
    shut_down(f);
    CHECK_INT(asks[0].status, SQLITE_IOERR_WRITE);
    CHECK_INT(asks[0].request.outcome_unknown, 1);
    CHECK_INT(asks[1].status, UV_ESHUTDOWN);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ESHUTDOWN);
    check_report(&f->parts[0], "part: no checkpoint");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(the_wal_is_emptied),
    CASE(a_reader_pins_what_came_later),
    CASE(hurry_ends_the_wait_for_a_reader),
    CASE(hurry_ends_a_checkpoint),
    CASE(a_deadline_ends_a_checkpoint),
    CASE(several_on_one_file),
    CASE(the_checkpoint_waits_for_the_readers),
    CASE(several_files),
    CASE(two_checkpoints_of_one_file),
    CASE(without_a_wal),
    CASE(read_only),
    CASE(the_disk_fails),
    CASE(a_database_whose_outcome_is_unknown),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "shutdown_wal",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
