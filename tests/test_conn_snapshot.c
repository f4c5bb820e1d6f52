/* test_conn_snapshot - what queries see of each other and of somebody else
 *
 * The 2 ms of a read transaction may be over early on a busy machine; where
 * a test needs two queries to share one, such a round is repeated.
 */
#include "common/slow_disk.h"
#include "conn_fixture.h"

enum {
    ROUNDS = 50
};

static void open_tables(struct fixture *f)
{
    raw_run(f->profile.path, "PRAGMA journal_mode=WAL; CREATE TABLE a (n);"
                             "CREATE TABLE b (n); INSERT INTO a VALUES (0);"
                             "INSERT INTO b VALUES (0)");
    open_conn(f);
}

/* Between the two queries somebody else commits. */
static void neighbours_share_a_snapshot(void *data)
{
    struct fixture *f = data;
    int64_t shared = 0;
    struct ask asks[3];
    sqlite3 *db;

    f->conn.observe = stand_if_marked;
    open_tables(f);
    db = raw_open(f->profile.path);
    ask_init_all(f, asks, 3);
    for (int64_t i = 0; i < ROUNDS && shared == 0; i++) {
        hold_worker(&asks[0]);
        ask_sql(&asks[1], "SELECT n FROM a");
        ask_sql(&asks[2], "SELECT n FROM b");
        f->marked = &asks[2].request;
        let_go(f);
        uv_sem_wait(&f->reached);
        raw_do(db, "BEGIN; UPDATE a SET n = n + 1; UPDATE b SET n = n + 1;"
                   "COMMIT");
        let_go(f);
        expect(&asks[1], 0);
        expect(&asks[2], 0);
        CHECK_INT(number_of(&asks[1]), i);
        shared = number_of(&asks[2]) == i;
        CHECK_INT(ask_number(f, "SELECT n FROM b"), i + 1);
    }
    CHECK(shared);
    raw_close(db);
    ask_destroy_all(asks, 3);
}

/* The same, but they do not want to. */
static void without_batches_each_has_its_own(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    f->conn.observe = stand_if_marked;
    f->conn.batch_reads = false;
    open_tables(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT n FROM a");
    ask_sql(&asks[2], "SELECT n FROM b");
    f->marked = &asks[2].request;
    let_go(f);
    uv_sem_wait(&f->reached);
    raw_run(f->profile.path, "UPDATE b SET n = 1");
    let_go(f);
    expect(&asks[2], 0);
    CHECK_INT(number_of(&asks[2]), 1);
    ask_destroy_all(asks, 3);
}

static void a_write_is_seen_by_what_comes_after_it(void *data)
{
    struct fixture *f = data;
    struct ask asks[100];

    open_tables(f);
    ask_init_all(f, asks, 100);
    for (int i = 0; i < 100; i++)
        ask_sql(&asks[i],
                i % 5 == 0 ? "UPDATE a SET n = n + 1" : "SELECT n FROM a");
    expect(&asks[99], 0);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(asks[i].status, 0);
        if (i % 5 != 0)
            CHECK_INT(number_of(&asks[i]), i / 5 + 1);
    }
    ask_destroy_all(asks, 100);
}

static void what_somebody_commits_before_submit_is_seen(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];
    sqlite3 *db;

    open_tables(f);
    db = raw_open(f->profile.path);
    ask_init_all(f, asks, 3);
    for (int i = 1; i <= (int)test_scaled(300); i++) {
        /* The first two may be running already when the third comes. */
        ask_sql(&asks[0], "SELECT n FROM a");
        ask_sql(&asks[1], "SELECT n FROM b");
        raw_do(db, "UPDATE a SET n = n + 1");
        ask_sql(&asks[2], "SELECT n FROM a");
        expect(&asks[2], 0);
        CHECK_RANGE(number_of(&asks[0]), i - 1, i);
        CHECK_INT(number_of(&asks[2]), i);
    }
    raw_close(db);
    ask_destroy_all(asks, 3);
}

struct late {
    struct ask asks[4]; /* held, query, endless, and what the query asks */
    sqlite3 *db;
};

/* The transaction in which this was answered is still open. */
static void write_and_ask(struct ask *ask)
{
    struct late *late = ASQ_CONTAINER_OF(ask, struct late, asks[1]);

    raw_do(late->db, "UPDATE a SET n = 7");
    ask_sql(&late->asks[3], "SELECT n FROM a");
    asq_request_cancel(&late->asks[2].request);
}

static void a_request_does_not_join_what_has_begun(void *data)
{
    struct fixture *f = data;
    struct late late;

    open_tables(f);
    late.db = raw_open(f->profile.path);
    ask_init_all(f, late.asks, 4);
    late.asks[1].then = write_and_ask;
    hold_worker(&late.asks[0]);
    ask_sql(&late.asks[1], "SELECT n FROM a");
    ask_sql(&late.asks[2], ENDLESS);
    late.asks[3].done = 0;
    let_go(f);
    expect(&late.asks[3], 0);
    CHECK_INT(late.asks[2].status, SQLITE_INTERRUPT);
    CHECK_INT(number_of(&late.asks[1]), 0);
    CHECK_INT(number_of(&late.asks[3]), 7);
    raw_close(late.db);
    ask_destroy_all(late.asks, 4);
}

/* Errors */

static void an_error_of_the_disk_hits_one_of_them(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    open_tables(f);
    run_now(f, "SELECT n FROM a"); /* so it is in memory, and b is not */
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT n FROM a");
    ask_sql(&asks[2], "SELECT n FROM b");
    ask_sql(&asks[3], "SELECT n + 5 FROM a");
    asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 0);
    let_go(f);
    expect(&asks[1], 0);
    expect(&asks[2], SQLITE_IOERR_READ);
    expect(&asks[3], 0);
    CHECK_INT(asks[2].request.outcome_unknown, 0);
    CHECK_INT(number_of(&asks[3]), 5);
    CHECK_INT(ask_number(f, "SELECT n FROM b"), 0);
    run_now(f, "INSERT INTO b VALUES (1)");
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM b"), 2);
    ask_destroy_all(asks, 4);
}

static void an_error_of_the_sql_hits_one_of_them(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];

    open_tables(f);
    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT n FROM a");
    ask_sql(&asks[2], "SELECT abs(-9223372036854775808)");
    ask_sql(&asks[3], "SELECT json('{')");
    ask_sql(&asks[4], "SELECT n FROM b");
    let_go(f);
    expect(&asks[1], 0);
    expect(&asks[2], SQLITE_ERROR);
    CHECK_TEXT(asks[2].request.message, "integer overflow");
    expect(&asks[3], SQLITE_ERROR);
    CHECK_TEXT(asks[3].request.message, "malformed JSON");
    expect(&asks[4], 0);
    ask_destroy_all(asks, 5);
}

static const struct test_case cases[] = {
    {.name = "neighbours_share_a_snapshot", .run = neighbours_share_a_snapshot},
    {.name = "without_batches_each_has_its_own",
     .run = without_batches_each_has_its_own},
    {.name = "a_write_is_seen_by_what_comes_after_it",
     .run = a_write_is_seen_by_what_comes_after_it},
    {.name = "what_somebody_commits_before_submit_is_seen",
     .run = what_somebody_commits_before_submit_is_seen},
    {.name = "a_request_does_not_join_what_has_begun",
     .run = a_request_does_not_join_what_has_begun},
    {.name = "an_error_of_the_disk_hits_one_of_them",
     .run = an_error_of_the_disk_hits_one_of_them},
    {.name = "an_error_of_the_sql_hits_one_of_them",
     .run = an_error_of_the_sql_hits_one_of_them},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_snapshot",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
