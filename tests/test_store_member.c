/* test_store_member - each failure at each position of a group (C3, C4)
 *
 * The group has eight members: statements, scripts and functions in turn. One
 * of them fails, in each of the ways there are. What the others see, and what
 * is in the table afterwards, must be as if they had run one by one.
 */
#include "01-blocking/script.h"
#include "store_world.h"

enum {
    OWN = 1000 /* rows from here on are written by the one that fails */
};

#define STANDING                                                               \
    "WITH RECURSIVE a(n) AS (SELECT stand() UNION ALL SELECT n + 1 FROM a) "

struct failure {
    const char *name;
    const char *sql;  /* a statement, */
    asq_call_cb call; /* or a function, */
    const char *script;
    int status;
    bool undoes;  /* the whole transaction: the others run again */
    bool keeps;   /* its row OWN stays */
    bool stops;   /* it stands: stopped there, by cancel or deadline */
    bool is_late; /* by deadline */
    const char *message;
};

static int run(struct asq_db *db, const char *sql)
{
    return asq_db_run(db, sql, NULL, NULL);
}

static int insert_own(struct asq_db *db)
{
    return run(db, "INSERT INTO t VALUES (1000, 0, NULL)");
}

/* Functions that fail */

static int fail_with_own_code(struct asq_db *db, struct asq_request *request)
{
    CHECK_INT(insert_own(db), 0);
    (void)snprintf(request->message, sizeof request->message, "no more");
    return -7;
}

static int fail_in_the_second(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    return insert_own(db);
}

/* The error of a statement, told although others ran after it. */
static int fail_with_an_old_error(struct asq_db *db,
                                  struct asq_request *request)
{
    int rc;

    (void)request;
    CHECK_INT(insert_own(db), 0);
    rc = insert_own(db);
    CHECK_INT(run(db, "SELECT 1"), 0);
    return rc;
}

static int ignore_an_error(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(insert_own(db), SQLITE_CONSTRAINT_PRIMARYKEY);
    return 0;
}

static int miss_a_parent(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    return run(db, "INSERT INTO child VALUES (999)");
}

static int leave_a_statement(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;

    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(asq_stmt_prepare(db, "SELECT id FROM t", ASQ_WHOLE_TEXT, &stmt),
              0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    return 0;
}

static int leave_a_statement_and_fail(struct asq_db *db,
                                      struct asq_request *request)
{
    CHECK_INT(leave_a_statement(db, request), 0);
    return SQLITE_EMPTY;
}

static int leave_a_raw_statement(struct asq_db *db, struct asq_request *request)
{
    sqlite3_stmt *stmt;

    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(sqlite3_prepare_v2(asq_db_handle(db),
                                 "INSERT INTO t VALUES (1001, 0, NULL), "
                                 "(1002, 0, NULL) RETURNING id",
                                 -1, &stmt, NULL),
              0);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    return 0;
}

static int leave_a_blob(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;
    struct fixture *f = ask->fixture;

    CHECK_INT(run(db, "INSERT INTO t VALUES (1000, 0, zeroblob(10))"), 0);
    CHECK_INT(sqlite3_blob_open(asq_db_handle(db), "main", "t", "b", 1000, 0,
                                &f->blob),
              0);
    return 0;
}

static int raw(struct asq_db *db, const char *sql)
{
    return sqlite3_exec(asq_db_handle(db), sql, NULL, NULL, NULL);
}

/* If it is in the cache, nobody is asked when it runs. */
static int commit_inside(struct asq_db *db, struct asq_request *request)
{
    int rc;

    (void)request;
    CHECK_INT(insert_own(db), 0);
    rc = run(db, "COMMIT");
    CHECK(rc != 0);
    return rc;
}

static int end_raw(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(raw(db, "END"), SQLITE_AUTH);
    CHECK_INT(raw(db, "BEGIN"), SQLITE_AUTH);
    return SQLITE_AUTH;
}

/* After its transaction nothing that it writes is kept. */
static int commit_and_go_on(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(run(db, "COMMIT"), SQLITE_CONSTRAINT_COMMITHOOK);
    CHECK_INT(insert_own(db), SQLITE_CONSTRAINT_COMMITHOOK);
    return 0;
}

static int roll_back_cached(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    return run(db, "ROLLBACK");
}

static int roll_back_raw(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(raw(db, "ROLLBACK"), 0);
    CHECK_INT(insert_own(db), SQLITE_CONSTRAINT_COMMITHOOK);
    return SQLITE_EMPTY;
}

/* The transaction that it begins is not that of the group. */
static int roll_back_and_begin(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(run(db, "ROLLBACK"), 0);
    CHECK_INT(run(db, "BEGIN IMMEDIATE"), 0); /* it is in the cache */
    return insert_own(db);
}

static int release_its_savepoint(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    return raw(db, "RELEASE asq_member");
}

/* It is released with the function's own, and what it did stays. */
static int leave_a_savepoint(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(run(db, "SAVEPOINT mine"), 0);
    return insert_own(db);
}

static int undo_its_savepoint(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(run(db, "SAVEPOINT mine"), 0);
    CHECK_INT(run(db, "INSERT INTO t VALUES (1001, 0, NULL)"), 0);
    CHECK_INT(run(db, "ROLLBACK TO mine"), 0);
    return run(db, "RELEASE mine");
}

static int run_a_script(struct asq_db *db, struct asq_request *request)
{
    unsigned number;

    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(asq_db_script(db,
                            "INSERT INTO t VALUES (1001, 0, NULL);"
                            "INSERT INTO t VALUES (1001, 0, NULL)",
                            &number),
              SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(number, 2);
    return 0;
}

static int ignore_the_stop(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(run(db, "INSERT INTO t " STANDING "SELECT 2000 + n, 0, NULL "
                      "FROM a"),
              SQLITE_INTERRUPT);
    return 0;
}

static int refuse_a_pragma(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(run(db, "PRAGMA data_version"), 0);
    CHECK_INT(run(db, "SAVEPOINT a"), 0);
    CHECK_INT(run(db, "RELEASE a"), 0);
    return run(db, "PRAGMA user_version = 7");
}

static const struct failure failures[] = {
    {.name = "check",
     .sql = "INSERT INTO t VALUES (1000, 0, NULL), (1001, -1, NULL)",
     .status = SQLITE_CONSTRAINT_CHECK},
    {.name = "or abort",
     .sql = "INSERT OR ABORT INTO t VALUES (1000, 0, NULL), (1000, 0, NULL)",
     .status = SQLITE_CONSTRAINT_PRIMARYKEY},
    {.name = "or ignore",
     .sql = "INSERT OR IGNORE INTO t VALUES (1000, 0, NULL), (1000, 0, NULL)",
     .status = 0,
     .keeps = true},
    {.name = "or fail", /* as SQLite does it: the first row stays */
     .sql = "INSERT OR FAIL INTO t VALUES (1000, 0, NULL), (1000, 0, NULL)",
     .status = SQLITE_CONSTRAINT_PRIMARYKEY,
     .keeps = true},
    {.name = "or rollback",
     .sql = "INSERT OR ROLLBACK INTO t VALUES (1000, 0, NULL), (1000, 0, NULL)",
     .status = SQLITE_CONSTRAINT_PRIMARYKEY,
     .undoes = true},
    {.name = "raise(rollback)",
     .sql = "INSERT INTO bad VALUES (1)",
     .status = SQLITE_CONSTRAINT_TRIGGER,
     .undoes = true,
     .message = "not here"},
    {.name = "not sql", .sql = "INSERT INTO nowhere", .status = SQLITE_ERROR},
    {.name = "too big a query",
     .sql = "SELECT zeroblob(2000000)",
     .status = SQLITE_TOOBIG},
    {.name = "too big a returning",
     .sql = "INSERT INTO t VALUES (1000, 0, NULL) RETURNING zeroblob(2000000)",
     .status = SQLITE_TOOBIG,
     .undoes = true},
    {.name = "a cancelled write",
     .sql = "INSERT INTO t " STANDING "SELECT 2000 + n, 0, NULL FROM a",
     .status = SQLITE_INTERRUPT,
     .undoes = true,
     .stops = true},
    {.name = "a late write",
     .sql = "INSERT INTO t " STANDING "SELECT 2000 + n, 0, NULL FROM a",
     .status = UV_ETIMEDOUT,
     .undoes = true,
     .stops = true,
     .is_late = true},
    {.name = "a cancelled query",
     .sql = STANDING "SELECT count(*) FROM a",
     .status = SQLITE_INTERRUPT,
     .stops = true},
    {.name = "a late query",
     .sql = STANDING "SELECT count(*) FROM a",
     .status = UV_ETIMEDOUT,
     .stops = true,
     .is_late = true},
    {.name = "a full database",
     .sql = "INSERT INTO t VALUES (1000, 0, zeroblob(20000000))",
     .status = SQLITE_FULL,
     .undoes = true},
    {.name = "a failed read",
     .sql = "SELECT sum(length(b)) FROM big WHERE fault()",
     .status = SQLITE_IOERR_READ,
     .undoes = true},
    {.name = "no parent",
     .sql = "INSERT INTO child VALUES (999)",
     .status = SQLITE_CONSTRAINT_FOREIGNKEY,
     .undoes = true,
     .message = "FOREIGN KEY constraint failed"},
    {.name = "begin", .sql = "BEGIN", .status = SQLITE_AUTH},
    {.name = "commit", .sql = "  COMMIT", .status = SQLITE_AUTH},
    {.name = "end", .sql = "/* */ end", .status = SQLITE_AUTH},
    {.name = "rollback", .sql = "ROLLBACK", .status = SQLITE_AUTH},
    {.name = "savepoint", .sql = "SAVEPOINT a", .status = SQLITE_AUTH},
    {.name = "release", .sql = "RELEASE asq_member", .status = SQLITE_AUTH},
    {.name = "attach", .sql = "ATTACH ':memory:' AS m", .status = SQLITE_AUTH},
    {.name = "detach", .sql = "DETACH m", .status = SQLITE_AUTH},
    {.name = "vacuum", .sql = "VACUUM", .status = SQLITE_AUTH},
    {.name = "pragma", .sql = "PRAGMA synchronous = 0", .status = SQLITE_AUTH},
    {.name = "query of a pragma",
     .sql = "PRAGMA synchronous",
     .status = SQLITE_AUTH},
    {.name = "harmless pragma", .sql = "PRAGMA data_version", .status = 0},
    {.name = "setting it",
     .sql = "PRAGMA page_size = 512",
     .status = SQLITE_AUTH},
    {.name = "script that fails",
     .script = "INSERT INTO t VALUES (1000, 0, NULL);"
               "INSERT INTO t VALUES (1000, 0, NULL)",
     .status = SQLITE_CONSTRAINT_PRIMARYKEY},
    {.name = "script that rolls back",
     .script = "INSERT INTO t VALUES (1000, 0, NULL);"
               "INSERT INTO bad VALUES (1)",
     .status = SQLITE_CONSTRAINT_TRIGGER,
     .undoes = true},
    {.name = "script with or fail",
     .script = "INSERT OR FAIL INTO t VALUES (1000, 0, NULL), (1000, 0, NULL)",
     .status = SQLITE_CONSTRAINT_PRIMARYKEY},
    {.name = "script without a parent",
     .script = "INSERT INTO child VALUES (999)",
     .status = SQLITE_CONSTRAINT_FOREIGNKEY},
    {.name = "script with begin", .script = "BEGIN", .status = SQLITE_MISUSE},
    {.name = "script with savepoint",
     .script = "SAVEPOINT a",
     .status = SQLITE_MISUSE},
    {.name = "script with pragma",
     .script = "PRAGMA user_version = 7",
     .status = SQLITE_AUTH},
    {.name = "own code",
     .call = fail_with_own_code,
     .status = -7,
     .message = "no more"},
    {.name = "second statement",
     .call = fail_in_the_second,
     .status = SQLITE_CONSTRAINT_PRIMARYKEY,
     .message = "UNIQUE constraint failed: t.id"},
    {.name = "old error",
     .call = fail_with_an_old_error,
     .status = SQLITE_CONSTRAINT_PRIMARYKEY},
    {.name = "ignored error", .call = ignore_an_error, .keeps = true},
    {.name = "no parent in a function", /* its savepoint is enough */
     .call = miss_a_parent,
     .status = SQLITE_CONSTRAINT_FOREIGNKEY,
     .message = "FOREIGN KEY constraint failed"},
    {.name = "open statement",
     .call = leave_a_statement,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "open statement and an error",
     .call = leave_a_statement_and_fail,
     .status = SQLITE_EMPTY,
     .undoes = true},
    {.name = "open raw statement",
     .call = leave_a_raw_statement,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "open blob",
     .call = leave_a_blob,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "commit in a function",
     .call = commit_inside,
     .status = SQLITE_CONSTRAINT_COMMITHOOK,
     .undoes = true},
    {.name = "commit in a function, which goes on",
     .call = commit_and_go_on,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "raw end in a function", .call = end_raw, .status = SQLITE_AUTH},
    {.name = "rollback in a function",
     .call = roll_back_cached,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "raw rollback in a function",
     .call = roll_back_raw,
     .status = SQLITE_EMPTY,
     .undoes = true},
    {.name = "rollback and begin",
     .call = roll_back_and_begin,
     .status = SQLITE_MISUSE,
     .undoes = true},
    {.name = "released savepoint",
     .call = release_its_savepoint,
     .status = SQLITE_ERROR,
     .undoes = true},
    {.name = "open savepoint", .call = leave_a_savepoint, .keeps = true},
    {.name = "undone savepoint", .call = undo_its_savepoint, .keeps = true},
    {.name = "script in a function", .call = run_a_script, .keeps = true},
    {.name = "pragma in a function",
     .call = refuse_a_pragma,
     .status = SQLITE_AUTH},
    {.name = "a stop that is ignored",
     .call = ignore_the_stop,
     .status = SQLITE_MISUSE,
     .undoes = true,
     .stops = true},
};

enum {
    FAILURES = sizeof failures / sizeof failures[0]
};

/* The others: a statement, a script, a function in turn. Each writes a row that
 * says how many there were. */
static int insert_by_function(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;
    struct asq_params params = {.values = ask->values, .count = 1};

    ask->values[0] = asq_int64(ask->id);
    return asq_db_run(db, INSERT, &params, &request->result);
}

static void submit_good(struct ask *ask)
{
    static const char *const scripts[GROUP] = {
#define SCRIPT(n)                                                              \
    "INSERT INTO t (id, seen) SELECT " #n ", count(*) FROM t;"                 \
    "UPDATE t SET b = 'x' WHERE id = " #n
        SCRIPT(0), SCRIPT(1), SCRIPT(2), SCRIPT(3),
        SCRIPT(4), SCRIPT(5), SCRIPT(6), SCRIPT(7)};

    if (ask->id % 3 == 0)
        ask_insert(ask);
    else if (ask->id % 3 == 1)
        ask_script(ask, scripts[ask->id]);
    else
        ask_call(ask, insert_by_function);
}

static void submit_bad(struct ask *ask, const struct failure *failure)
{
    if (failure->call != NULL)
        ask_call(ask, failure->call);
    else if (failure->script != NULL)
        ask_script(ask, failure->script);
    else
        ask_sql(ask, failure->sql);
}

static void stop(struct fixture *f, struct ask *ask, bool is_late)
{
    wait_at_gate(f);
    if (is_late)
        ask->request.deadline_ns = 1; /* the worker stands */
    else
        asq_request_cancel(&ask->request);
    let_go(f);
}

static void check_good(struct ask *ask, int seen)
{
    struct fixture *f = ask->fixture;
    char sql[80];

    expect(ask, 0);
    if (ask->id % 3 != 1) {
        CHECK_INT(ask->request.result.rows, 1);
        CHECK_INT(number_of(ask), seen);
    }
    (void)snprintf(sql, sizeof sql, "SELECT seen FROM t WHERE id = %d",
                   (int)ask->id);
    CHECK_INT(there(f, sql), seen);
}

static int close_blob(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    (void)db;
    (void)sqlite3_blob_close(ask->fixture->blob); /* it was aborted */
    ask->fixture->blob = NULL;
    return 0;
}

/* Runs a group in which the member at this place fails; alone: by itself. */
static void
fail_at(struct fixture *f, const struct failure *failure, int place, bool alone)
{
    struct ask holder, asks[GROUP];
    size_t rerun = stats(f).rerun;
    int count = alone ? 1 : GROUP, seen = 0;

    printf("%s at %d%s\n", failure->name, place, alone ? ", alone" : "");
    run_now(f, "DELETE FROM t");
    ask_init(f, &holder);
    if (!alone)
        hold_worker(&holder);
    ask_init_all(f, asks, GROUP);
    for (int i = 0; i < count; i++) {
        if (i == place)
            submit_bad(&asks[i], failure);
        else
            submit_good(&asks[i]);
    }
    if (!alone)
        let_go(f);
    if (failure->stops)
        stop(f, &asks[place], failure->is_late);
    for (int i = 0; i < count; i++) {
        CHECK_INT(asks[i].calls, asks[i].done);
        if (i == place) {
            expect(&asks[i], failure->status);
            CHECK_INT(asks[i].starts, 1);
            seen += failure->keeps;
            if (failure->message != NULL)
                CHECK_TEXT(asks[i].request.message, failure->message);
        } else {
            check_good(&asks[i], seen++);
            CHECK_INT(asks[i].starts, 1 + (failure->undoes && i < place));
        }
        CHECK_INT(asks[i].request.outcome_unknown, 0);
        if (i > 0)
            CHECK_INT(asks[i].order, asks[i - 1].order + 1);
    }
    CHECK_INT(there(f, "SELECT count(*) FROM t"), seen);
    CHECK_INT(there(f, "SELECT count(*) FROM t WHERE id >= 1000"),
              failure->keeps);
    CHECK_INT(there(f, "SELECT count(*) FROM child"), 0);
    CHECK_INT(stats(f).rerun - rerun, failure->undoes ? place : 0);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, GROUP);
    if (f->blob != NULL)
        call_now(f, close_blob);
}

/* A database that soon is full. */
static int limit_pages(struct asq_db *db, void *data)
{
    CHECK_INT(add_functions(db, data), 0);
    return asq_db_run(db, "PRAGMA max_page_count = 2000", NULL, NULL);
}

static void set_up(void *data)
{
    struct fixture *f = data;

    store_prepare(f);
    f->profile.synchronous = 1;
    f->profile.cache_kib = 40;
    f->profile.result_limit = 1 << 20;
    f->profile.on_open_db = limit_pages;
    raw_run(f->profile.path,
            "PRAGMA journal_mode = WAL;" TABLES "CREATE TABLE big (b);"
            "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a "
            "WHERE n < 50) INSERT INTO big SELECT zeroblob(3000) FROM a");
    open_store(f);
}

static void fail_everywhere(struct fixture *f)
{
    for (int i = 0; i < FAILURES; i++) {
        for (int place = 0; place < GROUP; place++)
            fail_at(f, &failures[i], place, false);
        fail_at(f, &failures[i], 0, true);
    }
}

/* So that COMMIT, ROLLBACK and BEGIN IMMEDIATE are in the cache. */
static void fill_cache(struct fixture *f)
{
    struct ask asks[3];

    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_insert(&asks[1]);
    ask_sql(&asks[2], "INSERT OR ROLLBACK INTO t VALUES (1000, -1, NULL)");
    let_go(f);
    expect(&asks[2], SQLITE_CONSTRAINT_CHECK);
    hold_worker(&asks[0]);
    ask_insert(&asks[1]);
    ask_sql(&asks[2], "INSERT INTO child VALUES (999)");
    let_go(f);
    expect(&asks[2], SQLITE_CONSTRAINT_FOREIGNKEY);
    ask_destroy_all(asks, 3);
}

static void each_failure_at_each_place(void *data)
{
    struct fixture *f = data;

    fill_cache(f);
    fail_everywhere(f);
}

/* Each as the first that the connection does. */
static void each_failure_as_the_first_group(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < FAILURES; i++) {
        const struct failure *failure = &failures[i];

        if (failure->call == roll_back_and_begin)
            continue; /* its BEGIN would not be in the cache */
        open_again(f);
        fail_at(f, failure, 3, false);
    }
}

/* Without a cache an authorizer sees each of them. */
static int see_refusals(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(insert_own(db), 0);
    CHECK_INT(run(db, "COMMIT"), SQLITE_AUTH);
    CHECK_INT(run(db, "BEGIN"), SQLITE_AUTH);
    CHECK_INT(run(db, "ATTACH ':memory:' AS m"), SQLITE_AUTH);
    CHECK_INT(run(db, "PRAGMA user_version = 3"), SQLITE_AUTH);
    CHECK(run(db, "VACUUM") != 0);
    return 0;
}

static void without_a_cache_all_is_seen(void *data)
{
    static const struct failure refused = {
        .name = "refusals", .call = see_refusals, .keeps = true};
    struct fixture *f = data;

    close_store(f);
    init_store(f);
    f->profile.statements = 0;
    open_store(f);
    for (int i = 0; i < FAILURES; i++) {
        const struct failure *failure = &failures[i];

        if (failure->call == roll_back_and_begin ||
            failure->call == commit_inside || failure->call == commit_and_go_on)
            continue;
        for (int place = 0; place < GROUP; place += 3)
            fail_at(f, failure, place, false);
    }
    fail_at(f, &refused, 4, false);
}

/* A connection may have a handle open that was told before. */
static int keep_a_blob(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_blob_open(asq_db_handle(db), "main", "big", "b", 1, 0,
                             &ask->fixture->blob);
}

static int use_handle(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_handle(db) != NULL ? 0 : SQLITE_MISUSE;
}

static void a_handle_that_stays_open_is_told_once(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    ask_init_all(f, asks, 3);
    for (int i = 0; i < 2; i++) {
        ask_call(&asks[0], keep_a_blob);
        expect(&asks[0], SQLITE_MISUSE);
        hold_worker(&asks[0]);
        ask_call(&asks[1], use_handle);
        ask_call(&asks[2], insert_by_function);
        let_go(f);
        for (int n = 0; n < 3; n++)
            expect(&asks[n], 0);
        call_now(f, close_blob);
        call_now(f, use_handle);
        run_now(f, "DELETE FROM t");
    }
    close_store(f);
    CHECK_INT(f->store.conn.left_open.handles, 2);
    CHECK_INT(f->store.conn.left_open.transactions, 0);
    ask_destroy_all(asks, 3);
}

/* Nothing can end a blob but its owner, and meanwhile SQLite cannot commit. */
static int keep_a_writing_blob(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_blob_open(asq_db_handle(db), "main", "big", "b", 1, 1,
                             &ask->fixture->blob);
}

static void while_a_blob_writes_nothing_is_acknowledged(void *data)
{
    struct fixture *f = data;
    struct ask asks[GROUP];

    ask_init_all(f, asks, GROUP);
    hold_worker(&asks[0]);
    ask_insert(&asks[1]);
    ask_call(&asks[2], keep_a_writing_blob);
    ask_insert(&asks[3]);
    ask_insert(&asks[4]);
    let_go(f);
    expect(&asks[1], SQLITE_BUSY);
    expect(&asks[2], SQLITE_MISUSE);
    expect(&asks[3], SQLITE_BUSY);
    expect(&asks[4], SQLITE_BUSY);
    ask_insert(&asks[5]); /* alone */
    expect(&asks[5], SQLITE_BUSY);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 0);
    CHECK_INT(sqlite3_blob_close(f->blob), 0); /* the worker sleeps */
    f->blob = NULL;
    ask_insert(&asks[5]);
    expect(&asks[5], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 1);
    ask_destroy_all(asks, GROUP);
}

static void what_was_left_open_is_counted(void *data)
{
    struct fixture *f = data;

    fail_at(f,
            &(struct failure){.name = "open",
                              .call = leave_a_statement,
                              .status = SQLITE_MISUSE,
                              .undoes = true},
            2, false);
    close_store(f);
    CHECK_INT(f->store.conn.left_open.statements, 1);
    CHECK_INT(f->store.conn.left_open.transactions, 0);
    CHECK_INT(f->store.conn.left_open.holds, 0);
}

/* Virtual tables ask PRAGMAs of their own. */
static void a_full_text_index_can_be_written(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];

    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "CREATE VIRTUAL TABLE words USING fts5 (text)");
    ask_sql(&asks[2], "INSERT INTO words VALUES ('one two')");
    ask_sql(&asks[3], "SELECT count(*) FROM words WHERE text MATCH 'two'");
    ask_sql(&asks[4], "CREATE VIRTUAL TABLE boxes USING rtree (id, x, y)");
    let_go(f);
    for (int i = 1; i < 5; i++)
        expect(&asks[i], 0);
    CHECK_INT(number_of(&asks[3]), 1);
    ask_destroy_all(asks, 5);
}

static const struct test_case cases[] = {
    {.name = "each_failure_at_each_place", .run = each_failure_at_each_place},
    {.name = "each_failure_as_the_first_group",
     .run = each_failure_as_the_first_group},
    {.name = "without_a_cache_all_is_seen", .run = without_a_cache_all_is_seen},
    {.name = "a_handle_that_stays_open_is_told_once",
     .run = a_handle_that_stays_open_is_told_once},
    {.name = "while_a_blob_writes_nothing_is_acknowledged",
     .run = while_a_blob_writes_nothing_is_acknowledged},
    {.name = "what_was_left_open_is_counted",
     .run = what_was_left_open_is_counted},
    {.name = "a_full_text_index_can_be_written",
     .run = a_full_text_index_can_be_written},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_member",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = store_tear_down};
