/* test_store_random - many requests of every kind, checked one by one
 *
 * Some are urgent, some durable, some have a deadline, some are cancelled at
 * any moment, some undo the transaction of their group. In the end every answer
 * is compared with what the file holds: what succeeded is there once and whole,
 * what did not has left nothing.
 */
#include "store_world.h"

enum {
    MANY = 40000,
    SLOTS = 64
};

enum kind {
    ONE,
    ADD,
    READ,
    PAIR,     /* a function */
    SCRIPT,   /* of two */
    HALF,     /* a function that fails in the end */
    BAD,      /* a row too many */
    ROLLBACK, /* OR ROLLBACK */
    FUNCTION_ROLLBACK,
    ORPHAN, /* no parent */
    LEAVES, /* a statement open */
    LONG,   /* a write that may be stopped */
    KINDS
};

struct slot {
    struct ask ask;
    char sql[160];
    unsigned number;
    enum kind kind;
    bool has_deadline, was_cancelled;
};

static struct {
    struct slot slots[SLOTS];
    unsigned many, submitted;
    uint64_t random;
    unsigned ok[KINDS], canceled, interrupted, late;
    unsigned char kind[MANY];
    unsigned short expected[MANY], found[MANY]; /* rows */
} all;

static unsigned draw(unsigned below)
{
    all.random =
        all.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(all.random >> 33) % below;
}

/* Functions */

static int insert_row(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;
    struct asq_params params = {.values = ask->values, .count = 1};

    return asq_db_run(db, "INSERT INTO r VALUES (?1)", &params, NULL);
}

static int pair(struct asq_db *db, struct asq_request *request)
{
    int rc = insert_row(db, request);

    return rc != 0 ? rc : insert_row(db, request);
}

static int half(struct asq_db *db, struct asq_request *request)
{
    int rc = insert_row(db, request);

    return rc != 0 ? rc : SQLITE_EMPTY;
}

static int roll_back(struct asq_db *db, struct asq_request *request)
{
    int rc = insert_row(db, request);

    if (rc == 0)
        rc = asq_db_run(db, "ROLLBACK", NULL, NULL);
    return rc != 0 ? rc : insert_row(db, request) == 0 ? 0 : SQLITE_EMPTY;
}

static int leave(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc = insert_row(db, request);

    if (rc == 0)
        rc = asq_stmt_prepare(db, "SELECT * FROM r", ASQ_WHOLE_TEXT, &stmt);
    if (rc == 0 && asq_stmt_step(stmt) != SQLITE_ROW)
        rc = SQLITE_INTERRUPT;
    return rc;
}

static enum kind draw_kind(void)
{
    unsigned number = draw(1000);

    return number < 500   ? ONE
           : number < 600 ? ADD
           : number < 700 ? READ
           : number < 800 ? PAIR
           : number < 870 ? SCRIPT
           : number < 920 ? HALF
           : number < 960 ? BAD
           : number < 970 ? ROLLBACK
           : number < 977 ? FUNCTION_ROLLBACK
           : number < 984 ? ORPHAN
           : number < 990 ? LEAVES
                          : LONG;
}

static void submit(struct slot *slot)
{
    /* With the number of the request in between. */
    static const char *const parts[KINDS][2] = {
        [ONE] = {"INSERT INTO r VALUES (", ")"},
        [ADD] = {"UPDATE counters SET n = n + 1 WHERE id = 7 & ", ""},
        [READ] = {"SELECT ", " + n - n FROM counters LIMIT 1"},
        [SCRIPT] = {"INSERT INTO r VALUES (",
                    "); INSERT INTO r SELECT n FROM r ORDER BY rowid DESC "
                    "LIMIT 1"},
        [BAD] = {"INSERT INTO r VALUES (", "), (-1)"},
        [ROLLBACK] = {"INSERT OR ROLLBACK INTO r VALUES (", "), (-1)"},
        [ORPHAN] = {"INSERT INTO child VALUES (", ")"},
        [LONG] = {"WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                  "FROM a WHERE n < 3000) INSERT INTO r SELECT ",
                  " FROM a WHERE n <= 5"},
    };
    static const asq_call_cb calls[KINDS] = {[PAIR] = pair,
                                             [HALF] = half,
                                             [FUNCTION_ROLLBACK] = roll_back,
                                             [LEAVES] = leave};
    struct ask *ask = &slot->ask;

    if (calls[slot->kind] != NULL) {
        ask->values[0] = asq_int64(slot->number);
        ask_call(ask, calls[slot->kind]);
        return;
    }
    ask->values[0] = asq_null();
    (void)snprintf(slot->sql, sizeof slot->sql, "%s%u%s", parts[slot->kind][0],
                   slot->number, parts[slot->kind][1]);
    if (slot->kind == SCRIPT)
        ask_script(ask, slot->sql);
    else
        ask_sql(ask, slot->sql);
}

static void submit_next(struct slot *slot)
{
    struct asq_request *request = &slot->ask.request;
    struct slot *other = &all.slots[draw(SLOTS)];

    slot->number = all.submitted++;
    slot->kind = draw_kind();
    slot->has_deadline = draw(16) == 0;
    slot->was_cancelled = false;
    request->timeout_ms = slot->has_deadline ? 1 + draw(3) : 0;
    request->priority =
        draw(10) == 0 ? ASQ_PRIORITY_URGENT : ASQ_PRIORITY_NORMAL;
    request->durable = draw(50) == 0;
    all.kind[slot->number] = (unsigned char)slot->kind;
    submit(slot);
    if (draw(20) == 0) {
        other->was_cancelled = true;
        asq_request_cancel(&other->ask.request);
    }
}

/* The status of one that was not stopped. */
static void check_status(const struct slot *slot)
{
    static const int statuses[KINDS] = {
        [HALF] = SQLITE_EMPTY,
        [BAD] = SQLITE_CONSTRAINT_CHECK,
        [ROLLBACK] = SQLITE_CONSTRAINT_CHECK,
        [FUNCTION_ROLLBACK] = SQLITE_EMPTY,
        [ORPHAN] = SQLITE_CONSTRAINT_FOREIGNKEY,
        [LEAVES] = SQLITE_MISUSE,
    };
    static const unsigned short rows[KINDS] = {
        [ONE] = 1, [PAIR] = 2, [SCRIPT] = 2, [LONG] = 5};

    if (slot->ask.status != statuses[slot->kind])
        FAIL("request %u of kind %d: status %d: %s", slot->number, slot->kind,
             slot->ask.status, slot->ask.request.message);
    if (slot->kind == READ)
        CHECK_INT(number_of(&slot->ask), slot->number);
    all.ok[slot->kind]++;
    if (slot->ask.status == 0)
        all.expected[slot->number] = rows[slot->kind];
}

static void take(struct ask *ask)
{
    struct slot *slot = ASQ_CONTAINER_OF(ask, struct slot, ask);

    CHECK_INT(ask->request.outcome_unknown, 0);
    switch (ask->status) {
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
        all.late++;
        break;
    default:
        check_status(slot);
    }
    if (all.submitted < all.many)
        submit_next(slot);
}

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

    read_found(db, "SELECT n, count(*) FROM r GROUP BY n");
    for (unsigned i = 0; i < all.many; i++) {
        if (all.found[i] != all.expected[i])
            FAIL("request %u of kind %d left %d rows instead of %d", i,
                 all.kind[i], all.found[i], all.expected[i]);
    }
    CHECK_INT(raw_ask(db, "SELECT sum(n) FROM counters"), all.ok[ADD]);
    CHECK_INT(raw_ask(db, "SELECT count(*) FROM child"), 0);
    raw_close(db);
    check_integrity(f->profile.path);
}

static void every_answer_is_true(void *data)
{
    struct fixture *f = data;

    all.many = test_scaled(MANY);
    all.random = 17;
    f->profile.synchronous = 1;
    raw_run(f->profile.path,
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE r (n INTEGER CHECK (n >= 0));"
            "CREATE TABLE counters (id INTEGER PRIMARY KEY, n);"
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
            "CREATE TABLE child (p REFERENCES parent DEFERRABLE INITIALLY "
            "DEFERRED);"
            "INSERT INTO counters VALUES (0, 0), (1, 0), (2, 0), (3, 0), "
            "(4, 0), (5, 0), (6, 0), (7, 0);");
    f->store.wal_pages = 50;
    f->store.group_rows = 30;
    f->store.group_us = 5000;
    open_store(f);
    for (int i = 0; i < SLOTS; i++) {
        ask_init(f, &all.slots[i].ask);
        all.slots[i].ask.then = take;
    }
    for (int i = 0; i < SLOTS; i++)
        submit_next(&all.slots[i]);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(f->answers, all.many);
    CHECK_INT(f->told, 0);
    close_store(f);
    check_file(f);
    /* It has all happened. */
    for (int i = 0; i < KINDS; i++)
        CHECK(all.ok[i] > 0);
    CHECK(all.canceled > 0);
    CHECK(stats(f).rerun > 0);
    CHECK(stats(f).checkpoints > 0);
    CHECK(stats(f).largest > 8);
    printf("%u cancelled, %u interrupted, %u late, %d rerun, %d groups\n",
           all.canceled, all.interrupted, all.late, (int)stats(f).rerun,
           (int)stats(f).groups);
    for (int i = 0; i < SLOTS; i++)
        asq_request_destroy(&all.slots[i].ask.request);
}

static const struct test_case cases[] = {
    {.name = "every_answer_is_true",
     .run = every_answer_is_true,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_random",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_prepare,
                                      .tear_down = store_tear_down};
