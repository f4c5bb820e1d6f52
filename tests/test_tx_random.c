/* test_tx_random - many transactions, stopped at random, checked one by one
 *
 * Transactions stand in line on one connection, with savepoints, steps that
 * fail, functions that are stopped half way or forget a statement, deadlines
 * and cancels at any moment; plain requests stand between them, and a second
 * connection writes to the same file. In the end the file must hold what each
 * of them was told (tx_units).
 */
#include "01-blocking/script.h"
#include "tx_fixture.h"
#include "tx_units.h"

#include <stdio.h>

enum {
    GIVES_UP = 5,  /* rows, of a function that fails after half of them */
    MANY = 100000, /* steps */
    LINES = 6,     /* transactions at a time */
    HANDS = 6,     /* steps of one of them */
    PLAINS = 6
};

enum kind {
    INSERT,
    INSERT_MANY, /* a function: short statements */
    RUN_SCRIPT,  /* a function: both statements or none */
    FORGET_READ, /* a function that leaves a statement open */
    COUNT,       /* its own rows */
    REFUSE,      /* a constraint */
    REFUSE_ALL,  /* one that rolls back */
    ENDLESS_WRITE,
    KINDS
};

struct line;

/* A transaction or a savepoint. */
struct block {
    struct asq_tx tx;
    struct line *line;
    unsigned unit;
    unsigned left; /* steps that are still to be submitted */
    bool failed;   /* a callback has said so */
};

struct hand {
    struct asq_tx_step step;
    struct block *block;
    struct asq_value number;
    struct asq_params params;
    enum kind kind;
    bool tolerant;
    unsigned many;
    unsigned rows; /* the worker's: that it has written */
};

/* A transaction with its savepoint and its steps. */
struct line {
    struct block outer, inner;
    struct hand hands[HANDS];
    bool elsewhere; /* on the other connection */
    bool stopped;   /* somebody has tried */
    bool timed;     /* one of the two has a deadline */
};

struct plain {
    struct ask ask;
    struct asq_value number;
    struct asq_params params;
    unsigned unit;
};

static struct {
    struct asq_conn other;
    int other_opened, other_closed;
    struct line lines[LINES + 1]; /* the last one on the other connection */
    struct plain plains[PLAINS];
    struct units units;
    unsigned many, submitted;
    /* What has happened. */
    unsigned ok, too_late[ASQ_PLACE_RUNNING + 1], canceled, failed;
    unsigned inner_ok, inner_failed, tolerated, elsewhere_ok, half_done;
    unsigned read_left; /* statements; the worker's of the first connection */
    unsigned read_left_elsewhere;
} all;

/* Steps */

static unsigned draw(unsigned below)
{
    return units_draw(&all.units, below);
}

static const char insert_sql[] = "INSERT INTO rows VALUES (?1)";

static struct hand *hand_of(struct asq_request *request)
{
    return ASQ_CONTAINER_OF(request, struct hand, step.request);
}

static int insert_many(struct asq_db *db, struct asq_request *request)
{
    struct hand *hand = hand_of(request);
    int rc = 0;

    while (hand->rows < hand->many && rc == 0) {
        rc = asq_db_run(db, insert_sql, &hand->params, NULL);
        hand->rows += rc == 0;
        if (hand->many == GIVES_UP && hand->rows == GIVES_UP / 2)
            rc = 42; /* it fails by itself, half way */
    }
    if (rc == 42)
        (void)snprintf(request->message, sizeof request->message, "half way");
    return rc;
}

static int run_script(struct asq_db *db, struct asq_request *request)
{
    struct hand *hand = hand_of(request);
    int number = (int)hand->number.as.int64;
    char sql[160];
    int rc;

    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO rows VALUES (%d);"
                   "INSERT INTO %s SELECT %d",
                   number, hand->many % 4 == 0 ? "taken" : "rows",
                   hand->many % 4 == 0 ? 1 : number);
    rc = asq_db_script(db, sql, NULL);
    hand->rows = rc == 0 ? 2 : 0;
    return rc;
}

/* It is released, and counted, when the hold ends. */
static int forget_read(struct asq_db *db, struct asq_request *request)
{
    struct hand *hand = hand_of(request);
    struct asq_stmt *stmt;
    int rc = asq_stmt_prepare(db, "SELECT n FROM rows", ASQ_WHOLE_TEXT, &stmt);

    if (rc != 0)
        return rc;
    if (hand->block->line->elsewhere)
        all.read_left_elsewhere++;
    else
        all.read_left++;
    rc = hand->many % 2 == 0 ? SQLITE_ROW : asq_stmt_step(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static enum kind draw_kind(const struct block *block)
{
    unsigned number = draw(1000);

    if (number < 5 && block->tx.timeout_ms != 0)
        return ENDLESS_WRITE;
    return number < 550   ? INSERT
           : number < 700 ? INSERT_MANY
           : number < 790 ? RUN_SCRIPT
           : number < 800 ? FORGET_READ
           : number < 900 ? COUNT
           : number < 995 ? REFUSE
                          : REFUSE_ALL;
}

static int take(struct asq_tx *tx, struct asq_tx_step *step, int status);

static int submit(struct block *block, struct hand *hand)
{
    static const asq_call_cb calls[KINDS] = {[INSERT_MANY] = insert_many,
                                             [RUN_SCRIPT] = run_script,
                                             [FORGET_READ] = forget_read};
    static const char *const sql[KINDS] = {
        [INSERT] = insert_sql,
        [COUNT] = "SELECT count(*) FROM rows WHERE n = ?1",
        [REFUSE] = "INSERT INTO taken SELECT 1 WHERE ?1",
        [REFUSE_ALL] = "INSERT OR ROLLBACK INTO taken SELECT 1 WHERE ?1",
        [ENDLESS_WRITE] = "WITH RECURSIVE n(x) AS (SELECT ?1 UNION ALL "
                          "SELECT x FROM n) INSERT INTO taken SELECT x FROM n "
                          "WHERE x = 0",
    };

    hand->block = block;
    hand->number = asq_int64(block->unit);
    hand->params = (struct asq_params){.values = &hand->number, .count = 1};
    hand->kind = draw_kind(block);
    hand->tolerant = draw(8) != 0;
    hand->many = draw(30) == 0 ? draw(400) : draw(8);
    hand->rows = 0;
    if (calls[hand->kind] != NULL)
        return asq_tx_call(&block->tx, &hand->step, calls[hand->kind], take);
    return asq_tx_run(&block->tx, &hand->step, sql[hand->kind], &hand->params,
                      take);
}

static struct hand *free_hand(struct line *line)
{
    for (int i = 0; i < HANDS; i++) {
        if (!line->hands[i].step.request.pending)
            return &line->hands[i];
    }
    return NULL;
}

static void begin_block(struct block *block, unsigned around, unsigned steps)
{
    block->unit = draw_unit(&all.units, around);
    block->left = steps;
    block->failed = false;
    block->tx.timeout_ms = draw(6) == 0 ? 1 + draw(5) : 0;
    block->line->timed = block->line->timed || block->tx.timeout_ms != 0;
}

/* Gives up or cancels anything, wherever it is. */
static void stop_one(void)
{
    struct line *line = &all.lines[draw(LINES + 1)];
    struct block *block = draw(3) == 0 ? &line->inner : &line->outer;
    struct plain *plain = &all.plains[draw(PLAINS)];

    line->stopped = true;
    switch (draw(4)) {
    case 0:
        asq_request_cancel(&line->hands[draw(HANDS)].step.request);
        break;
    case 1:
        asq_request_cancel(&plain->ask.request);
        break;
    default:
        asq_tx_fail(&block->tx, UV_ECANCELED);
    }
}

/* Submits up to count steps: to the savepoint while it is open. */
static void submit_some(struct line *line, unsigned count)
{
    struct hand *hand;

    while (count-- > 0 && (hand = free_hand(line)) != NULL) {
        struct block *block = &line->outer;
        int rc;

        if (line->inner.tx.state != ASQ_TX_CLOSED) {
            block = &line->inner;
        } else if (draw(8) == 0 && block->left > 0) {
            block = &line->inner;
            begin_block(block, line->outer.unit, 1 + draw(4));
            if (block->tx.timeout_ms == 0)
                block->tx.timeout_ms = line->outer.tx.timeout_ms;
        }
        if (block->left == 0)
            return;
        rc = submit(block, hand);
        if (rc == UV_ECANCELED || rc == UV_EBUSY)
            return; /* given up, or about to end */
        CHECK_INT(rc, 0);
        block->left--;
        all.submitted++;
        if (draw(40) == 0)
            stop_one();
    }
}

static int take(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct hand *hand = ASQ_CONTAINER_OF(step, struct hand, step);
    struct block *block = hand->block;
    unsigned unit = block->unit;
    bool tolerant = hand->tolerant;

    CHECK(tx == &block->tx);
    CHECK_INT(tx->state, ASQ_TX_OPEN);
    if (status == 0) {
        CHECK(hand->kind != REFUSE && hand->kind != REFUSE_ALL &&
              hand->kind != ENDLESS_WRITE);
        if (hand->kind == COUNT)
            CHECK_INT(asq_result_at(&step->request.result, 0, 0).as.int64,
                      all.units.rows[unit]);
        all.units.rows[unit] += hand->kind == INSERT;
    }
    /* Of a function that was stopped half way, what it did before stays. */
    all.units.rows[unit] += hand->rows;
    all.half_done += status != 0 && hand->rows > 0;
    submit_some(block->line, draw(3));
    if (status == 0 && draw(200) != 0)
        return 0;
    if (status != 0 && tolerant) {
        all.tolerated++;
        return 0;
    }
    block->failed = true;
    return status == 0 ? 42 : status;
}

/* Transactions */

static void start_line(struct line *line)
{
    line->stopped = false;
    line->timed = line->elsewhere;
    begin_block(&line->outer, 0, 1 + draw(line->elsewhere ? 3 : 16));
    if (line->elsewhere)
        line->outer.tx.timeout_ms = 1 + draw(20);
    submit_some(line, 1 + draw(HANDS));
}

/* Says whether a transaction of this line may get this status. */
static bool may_be(const struct block *block, int status)
{
    const struct line *line = block->line;

    switch (status) {
    case 0:
        return !block->failed;
    case 42:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return true;
    case UV_ECANCELED:
        return line->stopped;
    case UV_ETIMEDOUT:
        return line->timed;
    default:
        return status == SQLITE_BUSY && line->elsewhere;
    }
}

static void note_end(struct block *block, int status)
{
    CHECK_INT(block->tx.state, ASQ_TX_CLOSED);
    CHECK_INT(all.units.status[block->unit], UV_EOF);
    if (!may_be(block, status))
        FAIL("status %d: %s", status, block->tx.message);
    CHECK_INT(block->tx.outcome_unknown, 0);
    CHECK_INT(status != 0, block->tx.message[0] != '\0');
    CHECK_INT(status == UV_ETIMEDOUT, block->tx.timed_out_in != ASQ_PLACE_NONE);
    all.units.status[block->unit] = status;
    all.too_late[block->tx.timed_out_in]++;
    all.canceled += status == UV_ECANCELED;
}

static void end_inner(struct asq_tx *tx, int status)
{
    struct line *line = tx->data;

    note_end(&line->inner, status);
    all.inner_ok += status == 0;
    all.inner_failed += status != 0;
    submit_some(line, draw(3));
}

static void end_outer(struct asq_tx *tx, int status)
{
    struct line *line = tx->data;
    struct line *elsewhere = &all.lines[LINES];

    note_end(&line->outer, status);
    CHECK_INT(line->inner.tx.state, ASQ_TX_CLOSED);
    all.ok += status == 0;
    all.elsewhere_ok += status == 0 && line->elsewhere;
    all.failed += status > 0;
    if (all.submitted >= all.many)
        return;
    if (!line->elsewhere)
        start_line(line);
    if (elsewhere->outer.tx.state == ASQ_TX_CLOSED && draw(20) == 0)
        start_line(elsewhere);
}

static void init_block(struct block *block, struct line *line)
{
    block->line = line;
    block->tx.data = line;
    block->tx.on_end = block == &line->outer ? end_outer : end_inner;
}

static void init_line(struct line *line, struct asq_conn *conn)
{
    asq_tx_init(&line->outer.tx, conn);
    asq_tx_init_inside(&line->inner.tx, &line->outer.tx);
    init_block(&line->outer, line);
    init_block(&line->inner, line);
    for (int i = 0; i < HANDS; i++)
        asq_tx_step_init(&line->hands[i].step);
}

static void destroy_line(struct line *line)
{
    for (int i = 0; i < HANDS; i++)
        asq_tx_step_destroy(&line->hands[i].step);
    asq_tx_destroy(&line->inner.tx);
    asq_tx_destroy(&line->outer.tx);
}

/* Those in between */

static void submit_plain(struct plain *plain)
{
    struct asq_request *request = &plain->ask.request;

    plain->unit = draw_unit(&all.units, 0);
    plain->number = asq_int64(plain->unit);
    plain->params = (struct asq_params){.values = &plain->number, .count = 1};
    request->timeout_ms = draw(8) == 0 ? 1 + draw(5) : 0;
    request->priority =
        draw(4) == 0 ? ASQ_PRIORITY_URGENT : ASQ_PRIORITY_NORMAL;
    CHECK_INT(asq_conn_run(&plain->ask.fixture->conn, request, insert_sql,
                           &plain->params, on_answer),
              0);
}

static void take_plain(struct ask *ask)
{
    struct plain *plain = ASQ_CONTAINER_OF(ask, struct plain, ask);

    all.units.status[plain->unit] = ask->status;
    all.units.rows[plain->unit] = 1;
    if (all.submitted < all.many)
        submit_plain(plain);
}

static void open_other(struct asq_conn *conn, int status)
{
    (void)conn; /* it is all.other */
    CHECK_INT(status, 0);
    all.other_opened = 1;
}

static void close_other(struct asq_conn *conn)
{
    (void)conn;
    all.other_closed = 1;
}

static void start_all(struct tx_fixture *t)
{
    raw_run(t->f.profile.path, "CREATE TABLE rows (n INTEGER);"
                               "CREATE INDEX rows_n ON rows (n);"
                               "CREATE TABLE taken (n INTEGER PRIMARY KEY);"
                               "INSERT INTO taken VALUES (1)");
    open_conn(&t->f);
    asq_conn_init(&all.other);
    CHECK_INT(asq_conn_open(&all.other, &t->f.loop, &t->f.profile, open_other),
              0);
    test_run_until(&t->f.loop, &all.other_opened);
    all.lines[LINES].elsewhere = true;
    for (int i = 0; i <= LINES; i++) {
        init_line(&all.lines[i],
                  all.lines[i].elsewhere ? &all.other : &t->f.conn);
        start_line(&all.lines[i]);
    }
    for (int i = 0; i < PLAINS; i++) {
        ask_init(&t->f, &all.plains[i].ask);
        all.plains[i].ask.then = take_plain;
        submit_plain(&all.plains[i]);
    }
}

static void every_end_is_true(void *data)
{
    struct tx_fixture *t = data;

    all.many = MANY;
    all.units.random = test_seed();
    t->f.profile.synchronous = 0;
    start_all(t);
    CHECK_INT(uv_run(&t->f.loop, UV_RUN_DEFAULT), 0);
    CHECK(all.submitted >= all.many);
    CHECK_INT(t->f.conn.pending, 0);
    check_nothing_is_open(t);
    asq_conn_close(&all.other, close_other);
    test_run_until(&t->f.loop, &all.other_closed);
    CHECK_INT(all.other.left_open.transactions, 0);
    CHECK_INT(all.other.left_open.statements, all.read_left_elsewhere);
    close_conn(&t->f);
    CHECK_INT(t->f.conn.left_open.transactions, 0);
    CHECK_INT(t->f.conn.left_open.statements, all.read_left);
    check_file(&all.units, t->f.profile.path);
    /* It has all happened. */
    CHECK(all.ok > 0 && all.elsewhere_ok > 0 && all.failed > 0);
    CHECK(all.canceled > 0 && all.tolerated > 0 && all.half_done > 0);
    CHECK(all.inner_ok > 0 && all.inner_failed > 0);
    for (int i = ASQ_PLACE_QUEUE; i <= ASQ_PLACE_RUNNING; i++)
        CHECK(all.too_late[i] > 0);
    for (int i = 0; i < PLAINS; i++)
        asq_request_destroy(&all.plains[i].ask.request);
    for (int i = 0; i <= LINES; i++)
        destroy_line(&all.lines[i]);
}

static const struct test_case cases[] = {
    {.name = "every_end_is_true", .run = every_end_is_true, .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_random",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_prepare,
                                      .tear_down = tx_tear_down};
