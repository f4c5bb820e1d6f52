/* test_group - what becomes of each member of a group */
#include "store_fixture.h"

static void turn(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Members 1 to count - 1 wait behind the first, which stands at the gate. */
static void begin_group(struct fixture *f, struct member members[], int count)
{
    members_init(f, members, count);
    hold_worker(&members[0].ask);
    for (int i = 1; i < count; i++)
        ask_insert(&members[i]);
}

static void nothing_is_answered_before_its_commit(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];

    open_store(f);
    begin_group(f, members, MEMBERS);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    turn(f);
    CHECK_INT(members[0].ask.calls, 1);
    for (int i = 1; i < MEMBERS; i++)
        CHECK_INT(members[i].ask.calls, 0);
    CHECK_INT(rows_in(f), 0);
    asq_slow_disk_open_gate();
    for (int i = 1; i < MEMBERS; i++)
        expect(&members[i].ask, 0);
    CHECK_INT(rows_in(f), MEMBERS - 1);
    CHECK_INT(asq_store_statistics(&f->store).largest, MEMBERS - 1);
    members_destroy(members, MEMBERS);
}

static void one_commit_serves_all(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];
    uint64_t syncs;

    open_store(f);
    begin_group(f, members, MEMBERS);
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    let_go(f);
    expect(&members[MEMBERS - 1].ask, 0);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_SYNC) - syncs, 1);
    members_destroy(members, MEMBERS);
}

static void a_commit_that_fails_is_told_to_its_members(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];
    struct ask later;

    open_store(f);
    run_now(f, "INSERT INTO t VALUES (1000)");
    begin_group(f, members, MEMBERS);
    asq_request_destroy(&members[7].ask.request);
    ask_init(f, &later);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    let_go(f);
    for (int i = 1; i < MEMBERS; i++) {
        expect(&members[i].ask, SQLITE_IOERR_FSYNC);
        CHECK_INT(members[i].ask.request.outcome_unknown, 1);
    }
    CHECK_INT(members[0].ask.status, 0);
    CHECK_INT(try_sql(&later, "SELECT 1"), UV_ESHUTDOWN);
    close_conn(f);
    CHECK(rows_in(f) == 1 || rows_in(f) == MEMBERS);
    members_destroy(members, MEMBERS);
}

/* What fails before has changed nothing in any case; a query may have seen what
 * is not there. */
static void members_of_every_kind_hear_of_it(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    open_store(f);
    run_now(f, "INSERT INTO t VALUES (1)");
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[2], "INSERT INTO t VALUES (2)");
    ask_sql(&asks[3], "SELECT count(*) FROM t");
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    let_go(f);
    expect(&asks[1], SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(asks[1].request.outcome_unknown, 0);
    expect(&asks[2], SQLITE_IOERR_FSYNC);
    expect(&asks[3], SQLITE_IOERR_FSYNC);
    CHECK_INT(asks[3].request.outcome_unknown, 1);
    CHECK_INT(asks[3].request.result.rows, 0);
    ask_destroy_all(asks, 4);
}

/* One member fails, at each position */

static int fail_after(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "INSERT INTO t VALUES (1000)", NULL, NULL);
}

static int return_code(struct asq_db *db, struct asq_request *request)
{
    (void)db;
    (void)snprintf(request->message, sizeof request->message, "no");
    return SQLITE_AUTH_USER;
}

static int leave_statement(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc = asq_stmt_prepare(db, "SELECT n FROM t", ASQ_WHOLE_TEXT, &stmt);

    (void)request;
    return rc != 0 ? rc : asq_stmt_step(stmt) == SQLITE_ROW ? 0 : SQLITE_ERROR;
}

static int leave_raw_write(struct asq_db *db, struct asq_request *request)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        asq_db_handle(db), "INSERT INTO t VALUES (2000), (2001) RETURNING n",
        -1, &stmt, NULL);

    (void)request;
    return rc != 0 ? rc : sqlite3_step(stmt) == SQLITE_ROW ? 0 : SQLITE_ERROR;
}

static int roll_all_back(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "ROLLBACK", NULL, NULL);
}

static int roll_back_and_begin(struct asq_db *db, struct asq_request *request)
{
    sqlite3 *handle = asq_db_handle(db);

    (void)request;
    (void)sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_set_authorizer(handle, NULL, NULL);
    return sqlite3_exec(handle, "BEGIN; INSERT INTO t VALUES (3000)", NULL,
                        NULL, NULL);
}

/* From the cache of statements, where a hold has left it. */
static int commit_cached(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "COMMIT", NULL, NULL);
}

static const struct kind {
    const char *name;
    const char *sql;  /* or: */
    asq_call_cb then; /* after an INSERT of its own */
    int code;
    bool spoils; /* the whole group */
} kinds[] = {
    {"constraint", "INSERT INTO t VALUES (1000)", NULL,
     SQLITE_CONSTRAINT_PRIMARYKEY, false},
    {"not there", "INSERT INTO nowhere VALUES (1)", NULL, SQLITE_ERROR, false},
    {"too big", "INSERT INTO u VALUES (zeroblob(2000000000))", NULL,
     SQLITE_TOOBIG, false},
    {"abort", "INSERT INTO u VALUES ('abort')", NULL, SQLITE_CONSTRAINT_TRIGGER,
     false},
    {"or fail", "INSERT OR FAIL INTO t VALUES (1000)", NULL,
     SQLITE_CONSTRAINT_PRIMARYKEY, false},
    {"raise fail", "INSERT INTO u VALUES ('fail')", NULL,
     SQLITE_CONSTRAINT_TRIGGER, false},
    {"begin", "BEGIN", NULL, SQLITE_AUTH, false},
    {"commit", "COMMIT", NULL, SQLITE_AUTH, false},
    {"savepoint", "SAVEPOINT asq", NULL, SQLITE_AUTH, false},
    {"attach", "ATTACH ':memory:' AS m", NULL, SQLITE_AUTH, false},
    {"pragma", "PRAGMA cache_size = 10", NULL, SQLITE_AUTH, false},
    {"vacuum", "VACUUM", NULL, SQLITE_AUTH, false},
    {"function fails", NULL, fail_after, SQLITE_CONSTRAINT_PRIMARYKEY, false},
    {"function says no", NULL, return_code, SQLITE_AUTH_USER, false},
    {"or rollback", "INSERT OR ROLLBACK INTO t VALUES (1000)", NULL,
     SQLITE_CONSTRAINT_PRIMARYKEY, true},
    {"raise rollback", "INSERT INTO u VALUES ('rollback')", NULL,
     SQLITE_CONSTRAINT_TRIGGER, true},
    {"deferred key", "INSERT INTO child VALUES (77)", NULL,
     SQLITE_CONSTRAINT_FOREIGNKEY, true},
    {"leaves a statement", NULL, leave_statement, SQLITE_MISUSE, true},
    {"leaves a raw write", NULL, leave_raw_write, SQLITE_MISUSE, true},
    {"rolls back", NULL, roll_all_back, SQLITE_MISUSE, true},
    {"rolls back and begins", NULL, roll_back_and_begin, SQLITE_MISUSE, true},
};

static const char tables[] =
    "CREATE TABLE u (b);"
    "CREATE TRIGGER u_abort BEFORE INSERT ON u WHEN new.b = 'abort' BEGIN"
    " SELECT RAISE(ABORT, 'no'); END;"
    "CREATE TRIGGER u_fail BEFORE INSERT ON u WHEN new.b = 'fail' BEGIN"
    " SELECT RAISE(FAIL, 'no'); END;"
    "CREATE TRIGGER u_back BEFORE INSERT ON u WHEN new.b = 'rollback' BEGIN"
    " SELECT RAISE(ROLLBACK, 'no'); END;"
    "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
    "CREATE TABLE child (id REFERENCES parent (id)"
    " DEFERRABLE INITIALLY DEFERRED);"
    "INSERT INTO t VALUES (1000)";

static void make_tables(struct fixture *f)
{
    struct ask ask;

    ask_init(f, &ask);
    CHECK_INT(asq_conn_script(&f->conn, &ask.request, tables, on_answer), 0);
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
}

/* BEGIN, COMMIT and SAVEPOINT are in the cache of statements afterwards. */
static void use_a_hold(struct fixture *f)
{
    static const char *const sql[] = {"BEGIN", "SAVEPOINT asq", "RELEASE asq",
                                      "COMMIT"};
    struct asq_hold hold = {0};
    struct ask ask;

    ask_init(f, &ask);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    for (int i = 0; i < 4; i++) {
        ask.request.hold = &hold;
        ask_sql(&ask, sql[i]);
        expect(&ask, 0);
    }
    asq_hold_end(&hold);
    asq_request_destroy(&ask.request);
}

static void try_kind(struct fixture *f, const struct kind *kind, int place)
{
    struct member members[MEMBERS + 1];
    struct asq_store_stats before, after;

    test_while("%s, at %d", kind->name, place);
    run_now(f, "DELETE FROM t WHERE n <> 1000");
    use_a_hold(f);
    members_init(f, members, MEMBERS + 1);
    hold_worker(&members[0].ask);
    for (int i = 1; i <= MEMBERS; i++) {
        if (i != place) {
            ask_insert(&members[i]);
        } else if (kind->sql != NULL) {
            ask_sql(&members[i].ask, kind->sql);
        } else {
            members[i].then = kind->then;
            ask_insert(&members[i]);
        }
    }
    before = asq_store_statistics(&f->store);
    let_go(f);
    wait_for(&members[MEMBERS].ask);
    for (int i = 1; i <= MEMBERS; i++) {
        struct member *member = &members[i];

        expect(&member->ask, i == place ? kind->code : 0);
        CHECK_INT(member->ask.order, members[0].ask.order + (unsigned)i);
        if (i != place)
            CHECK_INT(member->runs, kind->spoils && i < place ? 2 : 1);
    }
    CHECK_INT(rows_in(f), MEMBERS); /* with the one that was there */
    after = asq_store_statistics(&f->store);
    CHECK_INT(after.rerun - before.rerun, kind->spoils ? (size_t)place - 1 : 0);
    CHECK(!f->conn.runner.guard.cancelled && f->conn.usable);
    members_destroy(members, MEMBERS + 1);
}

static void a_failing_member_touches_nobody(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 0;
    open_store(f);
    make_tables(f);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int place = 1; place <= MEMBERS; place++)
            try_kind(f, &kinds[i], place);
    }
    /* The last kind has taken the authorizer away. */
}

/* The commit hook sees what the authorizer was not asked about. */
static void a_commit_from_the_cache_commits_nothing(void *data)
{
    const struct kind kind = {.name = "commit in a function",
                              .then = commit_cached,
                              .code = SQLITE_CONSTRAINT_COMMITHOOK,
                              .spoils = true};
    struct fixture *f = data;

    open_store(f);
    make_tables(f);
    for (int place = 1; place <= MEMBERS; place++)
        try_kind(f, &kind, place);
}

/* Stopped while it runs */

static void stop_a_write(struct fixture *f, bool by_deadline)
{
    struct member members[4];

    open_store(f);
    call_now(f, add_stand_inside);
    members_init(f, members, 4);
    hold_worker(&members[0].ask);
    ask_insert(&members[1]);
    members[2].ask.request.timeout_ms = by_deadline ? 50 : 0;
    ask_sql(&members[2].ask,
            "INSERT INTO t SELECT 100 + x FROM (" ENDLESS_STAND ") AS e,"
            " (SELECT 1 AS x)");
    ask_insert(&members[3]);
    let_go(f);
    uv_sem_wait(&f->reached);
    if (!by_deadline)
        asq_request_cancel(&members[2].ask.request);
    let_go(f);
    expect(&members[2].ask, by_deadline ? UV_ETIMEDOUT : SQLITE_INTERRUPT);
    expect(&members[1].ask, 0);
    expect(&members[3].ask, 0);
    CHECK_INT(members[1].runs, 2);
    CHECK_INT(members[3].runs, 1);
    CHECK(members[1].ask.order < members[2].ask.order);
    CHECK_INT(rows_in(f), 2);
    members_destroy(members, 4);
}

static void a_write_that_is_cancelled_touches_nobody(void *data)
{
    stop_a_write(data, false);
}

static void a_write_that_is_late_touches_nobody(void *data)
{
    stop_a_write(data, true);
}

/* Its statement waits for nothing any more: it is committed, and says so. */
static void a_cancel_after_its_statement_is_too_late(void *data)
{
    struct fixture *f = data;
    struct member members[4];

    open_store(f);
    call_now(f, add_stand_inside);
    members_init(f, members, 4);
    hold_worker(&members[0].ask);
    ask_insert(&members[1]);
    ask_sql(&members[2].ask, "SELECT stand()");
    ask_insert(&members[3]);
    let_go(f);
    uv_sem_wait(&f->reached); /* in the second */
    asq_request_cancel(&members[1].ask.request);
    asq_request_cancel(&members[3].ask.request);
    let_go(f);
    expect(&members[1].ask, 0);
    expect(&members[2].ask, 0);
    expect(&members[3].ask, UV_ECANCELED);
    CHECK_INT(members[3].runs, 0);
    CHECK_INT(rows_in(f), 1);
    members_destroy(members, 4);
}

static void what_was_cancelled_does_not_run_again(void *data)
{
    struct fixture *f = data;
    struct member members[4];

    open_store(f);
    call_now(f, add_stand_inside);
    run_now(f, "INSERT INTO t VALUES (1000)");
    members_init(f, members, 4);
    hold_worker(&members[0].ask);
    ask_insert(&members[1]);
    ask_insert(&members[2]);
    ask_sql(&members[3].ask, "INSERT OR ROLLBACK INTO t SELECT 999 + stand()");
    let_go(f);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&members[2].ask.request);
    let_go(f);
    expect(&members[1].ask, 0);
    expect(&members[2].ask, UV_ECANCELED);
    expect(&members[3].ask, SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(members[2].runs, 1);
    CHECK_INT(rows_in(f), 2);
    members_destroy(members, 4);
}

/* The lock, the disk */

static void all_who_wait_for_the_lock_hear_that_it_is_busy(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];
    sqlite3 *other;

    f->profile.busy_ms = 20;
    open_store(f);
    begin_group(f, members, MEMBERS);
    /* The worker stands in a transaction of its own. */
    let_go(f);
    expect(&members[MEMBERS - 1].ask, 0);
    other = raw_open(f->profile.path);
    raw_do(other, "BEGIN IMMEDIATE");
    for (int i = 0; i < MEMBERS; i++) {
        members[i].number += 100;
        ask_insert(&members[i]);
    }
    for (int i = 0; i < MEMBERS; i++) {
        expect(&members[i].ask, SQLITE_BUSY);
        CHECK_CONTAINS(members[i].ask.request.message, "locked");
    }
    raw_do(other, "COMMIT");
    raw_close(other);
    ask_insert(&members[0]);
    expect(&members[0].ask, 0);
    members_destroy(members, MEMBERS);
}

static void one_who_gives_up_waiting_leaves_the_others(void *data)
{
    struct fixture *f = data;
    struct member members[4];
    sqlite3 *other;

    f->profile.busy_ms = 3600000;
    open_store(f);
    other = raw_open(f->profile.path);
    raw_do(other, "BEGIN IMMEDIATE");
    members_init(f, members, 4);
    for (int i = 0; i < 4; i++) {
        members[i].ask.request.timeout_ms = i == 0 || i == 2 ? 30 : 0;
        ask_insert(&members[i]);
    }
    expect(&members[0].ask, UV_ETIMEDOUT);
    expect(&members[2].ask, UV_ETIMEDOUT);
    CHECK_INT(members[1].ask.calls, 0);
    raw_do(other, "COMMIT");
    raw_close(other);
    expect(&members[1].ask, 0);
    expect(&members[3].ask, 0);
    CHECK_INT(rows_in(f), 2);
    members_destroy(members, 4);
}

/* Without WAL a reader keeps a commit from the file. */
static void a_commit_that_is_busy_leaves_nothing_open(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];
    sqlite3 *reader;

    f->profile.wal = false;
    f->profile.busy_ms = 20;
    open_store(f);
    reader = raw_open(f->profile.path);
    raw_do(reader, "BEGIN; SELECT * FROM t");
    (void)raw_ask(reader, "SELECT count(*) FROM t");
    begin_group(f, members, MEMBERS);
    let_go(f);
    for (int i = 1; i < MEMBERS; i++) {
        expect(&members[i].ask, SQLITE_BUSY);
        CHECK_INT(members[i].ask.request.outcome_unknown, 0);
        CHECK_INT(members[i].runs, 1);
    }
    raw_do(reader, "COMMIT");
    raw_close(reader);
    for (int i = 1; i < MEMBERS; i++)
        ask_insert(&members[i]);
    for (int i = 1; i < MEMBERS; i++)
        expect(&members[i].ask, 0);
    CHECK_INT(rows_in(f), MEMBERS - 1);
    members_destroy(members, MEMBERS);
}

/* The first write that does not fit is that of the COMMIT. */
static void a_full_disk_hits_those_that_do_not_fit(void *data)
{
    struct fixture *f = data;
    struct member members[MEMBERS];

    open_store(f);
    begin_group(f, members, MEMBERS);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    let_go(f);
    for (int i = 1; i < MEMBERS; i++) {
        expect(&members[i].ask, 0);
        CHECK_INT(members[i].runs, 2);
    }
    for (int i = 1; i < MEMBERS; i++) {
        members[i].number += 100;
        ask_insert(&members[i]);
    }
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    for (int i = 1; i < MEMBERS; i++)
        wait_for(&members[i].ask);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    for (int i = 1; i < MEMBERS; i++) {
        if (members[i].ask.status != 0)
            CHECK_INT(members[i].ask.status, SQLITE_FULL);
        CHECK_INT(members[i].ask.request.outcome_unknown, 0);
    }
    run_now(f, "DELETE FROM t");
    members_destroy(members, MEMBERS);
}

static void no_update_is_lost(void *data)
{
    struct fixture *f = data;
    struct ask asks[65];

    open_store(f);
    run_now(f, "INSERT INTO t VALUES (0)");
    ask_init_all(f, asks, 65);
    hold_worker(&asks[0]);
    for (int i = 1; i < 65; i++)
        ask_sql(&asks[i], "UPDATE t SET n = n + 1 RETURNING n");
    let_go(f);
    for (int i = 1; i < 65; i++) {
        expect(&asks[i], 0);
        CHECK_INT(number_of(&asks[i]), i);
    }
    CHECK_INT(raw_number(f->profile.path, "SELECT n FROM t"), 64);
    ask_destroy_all(asks, 65);
}

static void count_timers(uv_handle_t *handle, void *data)
{
    if (handle->type == UV_TIMER)
        *(int *)data += uv_is_active(handle) != 0;
}

static void alone_it_waits_for_no_timer(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    int timers = 0;
    size_t groups;

    open_store(f);
    groups = asq_store_statistics(&f->store).groups;
    ask_init(f, &ask);
    ask_sql(&ask, "INSERT INTO t VALUES (1)");
    uv_walk(&f->loop, count_timers, &timers);
    CHECK_INT(timers, 0);
    expect(&ask, 0);
    uv_walk(&f->loop, count_timers, &timers);
    CHECK_INT(timers, 0);
    CHECK_INT(asq_store_statistics(&f->store).groups - groups, 1);
    asq_request_destroy(&ask.request);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(nothing_is_answered_before_its_commit),
    CASE(one_commit_serves_all),
    CASE(a_commit_that_fails_is_told_to_its_members),
    CASE(members_of_every_kind_hear_of_it),
    CASE(a_failing_member_touches_nobody),
    CASE(a_commit_from_the_cache_commits_nothing),
    CASE(a_write_that_is_cancelled_touches_nobody),
    CASE(a_write_that_is_late_touches_nobody),
    CASE(a_cancel_after_its_statement_is_too_late),
    CASE(what_was_cancelled_does_not_run_again),
    CASE(all_who_wait_for_the_lock_hear_that_it_is_busy),
    CASE(one_who_gives_up_waiting_leaves_the_others),
    CASE(a_commit_that_is_busy_leaves_nothing_open),
    CASE(a_full_disk_hits_those_that_do_not_fit),
    CASE(no_update_is_lost),
    CASE(alone_it_waits_for_no_timer),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "group",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
