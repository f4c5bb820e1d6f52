/* test_conn_random - many requests, stopped at random, checked one by one
 *
 * Reads, writes and functions of every kind, some with a deadline, some
 * cancelled at any moment. In the end every answer is compared with what the
 * file holds: what succeeded is there once, what did not has left nothing.
 */
#include "conn_fixture.h"

enum {
    MANY = 100000,
    SLOTS = 64,
    BULK = 300 /* rows of one bulk insert */
};

enum kind {
    READ,
    INSERT,
    UPDATE,
    INSERT_BULK, /* one statement, many rows */
    INSERT_PAIR, /* a function: a transaction of two statements */
    READ_ENDLESS,
    KINDS
};

struct slot {
    struct ask ask;
    struct asq_value id;
    struct asq_params params;
    unsigned number; /* of the request, and what it writes */
    enum kind kind;
    bool has_deadline;
    bool was_cancelled;
};

static struct {
    struct slot slots[SLOTS];
    unsigned many, submitted;
    uint64_t random;
    unsigned ok[KINDS];
    unsigned canceled, interrupted, timed_out_in[ASQ_PLACE_RUNNING + 1];
    unsigned char kind[MANY];
    unsigned short expected[MANY], found[MANY]; /* rows */
} all;

static unsigned draw(unsigned below)
{
    all.random =
        all.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(all.random >> 33) % below;
}

static int insert_pair(struct asq_db *db, struct asq_request *request)
{
    static const char sql[] = "INSERT INTO pairs VALUES (?1)";
    struct ask *ask = request->data;
    struct slot *slot = ASQ_CONTAINER_OF(ask, struct slot, ask);
    int rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    for (int i = 0; i < 2 && rc == 0; i++)
        rc = asq_db_run(db, sql, &slot->params, NULL);
    if (rc == 0)
        rc = asq_db_run(db, "COMMIT", NULL, NULL);
    if (rc != 0 && asq_db_in_transaction(db))
        CHECK_INT(asq_db_run(db, "ROLLBACK", NULL, NULL), 0);
    return rc;
}

static enum kind draw_kind(void)
{
    unsigned number = draw(1000);

    return number < 400   ? READ
           : number < 600 ? INSERT
           : number < 750 ? UPDATE
           : number < 800 ? INSERT_BULK
           : number < 995 ? INSERT_PAIR
                          : READ_ENDLESS;
}

static void cancel_one(void)
{
    struct slot *slot = &all.slots[draw(SLOTS)];

    slot->was_cancelled = true;
    asq_request_cancel(&slot->ask.request);
}

static void submit_next(struct slot *slot)
{
    static const char *const sql[KINDS] = {
        [READ] = "SELECT v FROM base WHERE id = ?1 % 100",
        [INSERT] = "INSERT INTO singles VALUES (?1)",
        [UPDATE] = "UPDATE counts SET n = n + 1 WHERE id = ?1 % 8",
        [INSERT_BULK] = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
                        "SELECT x + 1 FROM n WHERE x < 300) "
                        "INSERT INTO bulks SELECT ?1 FROM n",
        [READ_ENDLESS] = "WITH RECURSIVE n(x) AS (SELECT ?1 UNION ALL "
                         "SELECT x + 1 FROM n) SELECT max(x) FROM n",
    };
    struct asq_conn *conn = &slot->ask.fixture->conn;
    struct asq_request *request = &slot->ask.request;

    slot->number = all.submitted++;
    slot->kind = draw_kind();
    slot->id = asq_int64(slot->number);
    slot->params = (struct asq_params){.values = &slot->id, .count = 1};
    slot->has_deadline = slot->kind == READ_ENDLESS || draw(16) == 0;
    slot->was_cancelled = false;
    request->timeout_ms = slot->has_deadline ? 1 + draw(3) : 0;
    request->priority =
        draw(10) == 0 ? ASQ_PRIORITY_URGENT : ASQ_PRIORITY_NORMAL;
    all.kind[slot->number] = (unsigned char)slot->kind;
    if (slot->kind == INSERT_PAIR)
        CHECK_INT(asq_conn_call(conn, request, insert_pair, on_answer), 0);
    else
        CHECK_INT(asq_conn_run(conn, request, sql[slot->kind], &slot->params,
                               on_answer),
                  0);
    if (draw(8) == 0)
        cancel_one();
}

static void count_success(struct slot *slot)
{
    static const unsigned short rows[KINDS] = {
        [INSERT] = 1, [INSERT_BULK] = BULK, [INSERT_PAIR] = 2};

    if (slot->kind == READ)
        CHECK_INT(number_of(&slot->ask), slot->number % 100 * 7);
    if (slot->kind == UPDATE)
        CHECK_INT(slot->ask.request.result.changes, 1);
    all.ok[slot->kind]++;
    all.expected[slot->number] = rows[slot->kind];
}

static void check_answer(struct ask *ask)
{
    struct slot *slot = ASQ_CONTAINER_OF(ask, struct slot, ask);

    switch (ask->status) {
    case 0:
        count_success(slot);
        break;
    case UV_ECANCELED:
        CHECK(slot->was_cancelled);
        all.canceled++;
        break;
    case SQLITE_INTERRUPT:
        CHECK(slot->was_cancelled);
        all.interrupted++;
        break;
    case UV_ETIMEDOUT:
        CHECK(slot->has_deadline);
        all.timed_out_in[ask->request.timed_out_in]++;
        break;
    default:
        FAIL("status %d: %s", ask->status, ask->request.message);
    }
    if (all.submitted < all.many)
        submit_next(slot);
}

/* Reads numbers of requests and how many rows each has left. */
static void read_found(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    int rc;

    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int number = sqlite3_column_int(stmt, 0);

        CHECK_RANGE(number, 0, all.many - 1);
        all.found[number] = (unsigned short)sqlite3_column_int(stmt, 1);
    }
    CHECK_INT(rc, SQLITE_DONE);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

static void check_file(struct fixture *f)
{
    sqlite3 *db = raw_open(f->profile.path);

    read_found(db, "SELECT n, count(*) FROM singles GROUP BY n");
    read_found(db, "SELECT n, count(*) FROM bulks GROUP BY n");
    read_found(db, "SELECT n, count(*) FROM pairs GROUP BY n");
    for (unsigned i = 0; i < all.many; i++) {
        if (all.found[i] != all.expected[i])
            FAIL("request %u of kind %d left %d rows instead of %d", i,
                 all.kind[i], all.found[i], all.expected[i]);
    }
    CHECK_INT(raw_ask(db, "SELECT sum(n) FROM counts"), all.ok[UPDATE]);
    raw_close(db);
    check_integrity(f->profile.path);
}

static void every_answer_is_true(void *data)
{
    struct fixture *f = data;
    struct ask over;

    all.many = MANY;
    all.random = 41;
    f->profile.synchronous = 0;
    f->conn.capacity = SLOTS;
    raw_run(f->profile.path,
            "CREATE TABLE base (id INTEGER PRIMARY KEY, v);"
            "CREATE TABLE counts (id INTEGER PRIMARY KEY, n);"
            "CREATE TABLE singles (n); CREATE TABLE bulks (n);"
            "CREATE TABLE pairs (n);"
            "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n "
            "WHERE x < 99) INSERT INTO base SELECT x, x * 7 FROM n;"
            "INSERT INTO counts SELECT id, 0 FROM base WHERE id < 8");
    open_conn(f);
    for (int i = 0; i < SLOTS; i++) {
        ask_init(f, &all.slots[i].ask);
        all.slots[i].ask.then = check_answer;
        submit_next(&all.slots[i]);
    }
    ask_init(f, &over);
    CHECK_INT(try_sql(&over, "SELECT 1"), UV_ENOBUFS);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(f->answers, all.many);
    CHECK_INT(f->conn.pending, 0);
    close_conn(f);
    check_file(f);
    /* It has all happened. */
    for (int i = 0; i < READ_ENDLESS; i++)
        CHECK(all.ok[i] > 0);
    CHECK_INT(all.ok[READ_ENDLESS], 0);
    CHECK(all.canceled > 0);
    CHECK(all.interrupted > 0);
    CHECK(all.timed_out_in[ASQ_PLACE_QUEUE] > 0);
    CHECK(all.timed_out_in[ASQ_PLACE_RUNNING] > 0);
    for (int i = 0; i < SLOTS; i++)
        asq_request_destroy(&all.slots[i].ask.request);
}

static const struct test_case cases[] = {
    {.name = "every_answer_is_true",
     .run = every_answer_is_true,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_random",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
