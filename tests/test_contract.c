/* test_contract - a status, and what is in the database: requests
 *
 *     what happens          while the request  its status              kept?
 *     -------------------   -----------------  ----------------------  -----
 *     it is cancelled       waits              UV_ECANCELED            no
 *                           waits for a lock   SQLITE_INTERRUPT        no
 *                           runs               SQLITE_INTERRUPT        no
 *                           commits            0                       yes
 *     its deadline passes   waits              UV_ETIMEDOUT, queue     no
 *                           waits for a lock   UV_ETIMEDOUT, lock      no
 *                           runs               UV_ETIMEDOUT, running   no
 *                           commits            0                       yes
 *     asq_conn_close        waits              UV_ECANCELED            no
 *                           any other          what becomes of it      if 0
 *     asq_conn_cancel       as if each that is pending were cancelled
 *     the disk fails        commits            SQLITE_IOERR_*, and     look
 *                                              outcome_unknown is 1
 *
 * For transactions and batches see test_contract_tx, for the last line
 * test_contract_unknown.
 */
#include "contract_fixture.h"

struct situation {
    enum where where;
    const char *sql;
    unsigned timeout_ms;
    int status;
    enum asq_place place;
    int64_t rows;
};

typedef void (*act_cb)(struct ask *ask);

static void cancel_it(struct ask *ask)
{
    asq_request_cancel(&ask->request);
}

static void cancel_all(struct ask *ask)
{
    asq_conn_cancel(&ask->fixture->conn);
}

static void close_all(struct ask *ask)
{
    start_close(ask->fixture);
}

static void be_late(struct ask *ask)
{
    wait_until(ask->request.deadline_ns);
}

/* A request that is late because it waits for a lock is left to itself: held
 * before that, it would be late before it begins. */
static bool is_held(const struct situation *s, act_cb act)
{
    return s->where != LOCKED || act != be_late;
}

/* Says whether the request began in time, and so waited for its lock. */
static bool has_waited(struct ask *ask)
{
    wait_for(ask);
    return ask->request.started_ns != 0 &&
           ask->request.started_ns + TIMEOUT_MS * UINT64_C(500000) <
               ask->request.deadline_ns;
}

/* Returns whether it came to the situation. */
static bool play(struct fixture *f, const struct situation *s, act_cb act)
{
    struct ask asks[2];
    sqlite3 *other = NULL;
    bool came;

    open_new(f);
    ask_init_all(f, asks, 2);
    asks[1].request.timeout_ms = s->timeout_ms;
    if (s->where == WAITS)
        ask_call(&asks[0], stand_at_gate);
    if (s->where == LOCKED) {
        f->marked = is_held(s, act) ? &asks[1].request : NULL;
        other = raw_open(f->profile.path);
        raw_do(other, "BEGIN IMMEDIATE");
    }
    if (s->where == COMMITS)
        asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    ask_sql(&asks[1], s->sql);
    came = is_held(s, act) ? it_stands(f, s->where, &asks[1].done)
                           : has_waited(&asks[1]);
    if (came && is_held(s, act)) {
        act(&asks[1]);
        let_it_go(f, s->where);
    }
    if (act == close_all && other != NULL)
        raw_do(other, "COMMIT");
    wait_for(&asks[1]);
    if (came) {
        CHECK_INT(asks[1].status, s->status);
        CHECK_INT(asks[1].request.timed_out_in, s->place);
        CHECK_INT(asks[1].request.outcome_unknown, 0);
    }
    if (other != NULL)
        raw_close(other);
    CHECK_INT(rows_left(f), came ? s->rows : 0);
    ask_destroy_all(asks, 2);
    return came;
}

static void play_all(struct fixture *f,
                     const struct situation *situations,
                     size_t count,
                     act_cb act)
{
    for (size_t i = 0; i < count; i++) {
        int tries = 1;

        while (!play(f, &situations[i], act)) {
            if (tries++ == 50)
                FAIL("situation %zu never came", i);
        }
    }
}

static const struct situation cancelled[] = {
    {WAITS, WRITE_ONE, 0, UV_ECANCELED, ASQ_PLACE_NONE, 0},
    {WAITS, READ_LONG, 0, UV_ECANCELED, ASQ_PLACE_NONE, 0},
    {LOCKED, WRITE_ONE, 0, SQLITE_INTERRUPT, ASQ_PLACE_NONE, 0},
    {RUNS, WRITE_LONG, 0, SQLITE_INTERRUPT, ASQ_PLACE_NONE, 0},
    {RUNS, READ_LONG, 0, SQLITE_INTERRUPT, ASQ_PLACE_NONE, 0},
    {COMMITS, WRITE_ONE, 0, 0, ASQ_PLACE_NONE, 1},
};

static void cancelled_by_itself(void *data)
{
    play_all(data, cancelled, sizeof cancelled / sizeof cancelled[0],
             cancel_it);
}

static void cancelled_with_all_others(void *data)
{
    play_all(data, cancelled, sizeof cancelled / sizeof cancelled[0],
             cancel_all);
}

static void too_late(void *data)
{
    static const struct situation late[] = {
        {WAITS, WRITE_ONE, TIMEOUT_MS, UV_ETIMEDOUT, ASQ_PLACE_QUEUE, 0},
        {LOCKED, WRITE_ONE, TIMEOUT_MS, UV_ETIMEDOUT, ASQ_PLACE_LOCK, 0},
        {RUNS, WRITE_LONG, TIMEOUT_MS, UV_ETIMEDOUT, ASQ_PLACE_RUNNING, 0},
        {RUNS, READ_LONG, TIMEOUT_MS, UV_ETIMEDOUT, ASQ_PLACE_RUNNING, 0},
        {COMMITS, WRITE_ONE, TIMEOUT_MS, 0, ASQ_PLACE_NONE, 1},
    };

    play_all(data, late, sizeof late / sizeof late[0], be_late);
}

static void the_connection_is_closed(void *data)
{
    static const struct situation closed[] = {
        {WAITS, WRITE_ONE, 0, UV_ECANCELED, ASQ_PLACE_NONE, 0},
        {LOCKED, WRITE_ONE, 0, 0, ASQ_PLACE_NONE, 1},
        {RUNS, WRITE_LONG, 0, 0, ASQ_PLACE_NONE, LONG_ROWS},
        {RUNS, READ_LONG, 0, 0, ASQ_PLACE_NONE, 0},
        {COMMITS, WRITE_ONE, 0, 0, ASQ_PLACE_NONE, 1},
    };

    play_all(data, closed, sizeof closed / sizeof closed[0], close_all);
}

/* A request that fails takes nobody with it: its callback submits the next,
 * which fails as well, and so on; then one that does not. */

struct link {
    const char *sql;
    int status;
    struct ask ask, beside;
};

static void submit_next(struct ask *ask);

static void submit_link(struct fixture *f, struct link *link)
{
    ask_init(f, &link->ask);
    ask_init(f, &link->beside);
    link->ask.then = submit_next;
    ask_sql(&link->ask, link->sql);
    ask_sql(&link->beside, "SELECT 1");
}

static void submit_next(struct ask *ask)
{
    struct link *link = ASQ_CONTAINER_OF(ask, struct link, ask);

    if (link[1].sql != NULL)
        submit_link(ask->fixture, &link[1]);
}

static void an_error_takes_nobody_with_it(void *data)
{
    struct fixture *f = data;
    struct link links[] = {
        {.sql = "SELEC 1", .status = SQLITE_ERROR},
        {.sql = "INSERT INTO t VALUES (1, 2)", .status = SQLITE_ERROR},
        {.sql = "INSERT INTO t VALUES (abs(-9223372036854775807 - 1))",
         .status = SQLITE_ERROR},
        {.sql = "INSERT INTO u VALUES (NULL)",
         .status = SQLITE_CONSTRAINT_NOTNULL},
        {.sql = WRITE_ONE, .status = 0},
        {.sql = NULL},
    };

    open_new(f);
    run_now(f, "CREATE TABLE u (n NOT NULL)");
    submit_link(f, &links[0]);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* until nothing is pending */
    CHECK_INT(f->conn.pending, 0);
    for (struct link *link = links; link->sql != NULL; link++) {
        CHECK_INT(link->ask.calls, 1);
        CHECK_INT(link->ask.status, link->status);
        CHECK_INT(link->beside.calls, 1);
        CHECK_INT(link->beside.status, 0);
        asq_request_destroy(&link->ask.request);
        asq_request_destroy(&link->beside.request);
    }
    CHECK_INT(rows_left(f), 1);
}

static const struct test_case cases[] = {
    {.name = "cancelled_by_itself", .run = cancelled_by_itself},
    {.name = "cancelled_with_all_others", .run = cancelled_with_all_others},
    {.name = "too_late", .run = too_late},
    {.name = "the_connection_is_closed", .run = the_connection_is_closed},
    {.name = "an_error_takes_nobody_with_it",
     .run = an_error_takes_nobody_with_it},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "contract",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = contract_set_up,
                                      .tear_down = conn_tear_down};
