/* test_shutdown - draining, hurrying, closing: who is answered, and how */
#include "shutdown_fixture.h"

#include "07-transactions/tx.h"

#include <stdlib.h>

static void make_table(struct fixture *f)
{
    add_conn(f, test_path("a.db"), true);
    run_now(f, 0, "CREATE TABLE t (a)");
}

static int64_t sum_of_a(void)
{
    return raw_number(test_path("a.db"), "SELECT coalesce(sum(a), 0) FROM t");
}

static void what_stands_in_line_is_answered(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    make_table(f);
    for (int i = 0; i < 4; i++)
        ask_init(f, &asks[i]);
    hold_worker(&asks[0], 0);
    for (int i = 1; i < 3; i++)
        ask_sql(&asks[i], 0, "INSERT INTO t VALUES (1)");
    start(f);
    CHECK_INT(f->shutdown.state, ASQ_DRAINING);
    CHECK_INT(try_sql(&asks[3], 0, "SELECT 1"), UV_ESHUTDOWN);
    uv_sem_post(&f->gate);
    for (int i = 0; i < 3; i++)
        expect(&asks[i], 0);
    wait_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].cancelled, 0);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
    CHECK_INT(wal_size(test_path("a.db")), 0);
    CHECK_INT(sum_of_a(), 2);
    check_report(&f->parts[0], "");
}

struct transfer {
    struct asq_tx tx;
    struct asq_tx_step step;
    int steps, ended, status;
    void (*first)(struct fixture *f); /* after the first step, or NULL */
};

static int go_on(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct transfer *transfer = tx->data;
    struct fixture *f = tx->conn->data;

    if (status != 0)
        return status;
    if (transfer->steps == 0 && transfer->first != NULL)
        transfer->first(f);
    if (++transfer->steps == 3)
        return 0;
    return asq_tx_run(tx, step, "INSERT INTO t VALUES (1)", NULL, go_on);
}

static void note_end(struct asq_tx *tx, int status)
{
    struct transfer *transfer = tx->data;

    transfer->ended++;
    transfer->status = status;
}

static void begin(struct fixture *f,
                  struct transfer *transfer,
                  void (*first)(struct fixture *))
{
    *transfer = (struct transfer){.first = first};
    asq_tx_init(&transfer->tx, &f->conns[0]);
    asq_tx_step_init(&transfer->step);
    transfer->tx.data = transfer;
    transfer->tx.on_end = note_end;
    CHECK_INT(asq_tx_run(&transfer->tx, &transfer->step,
                         "INSERT INTO t VALUES (1)", NULL, go_on),
              0);
}

static void finish(struct transfer *transfer)
{
    CHECK_INT(transfer->ended, 1);
    asq_tx_step_destroy(&transfer->step);
    asq_tx_destroy(&transfer->tx);
}

/* The second one has not begun when the shutdown starts: it stands in line. */
static void a_transaction_goes_on_to_its_commit(void *data)
{
    struct fixture *f = data;
    struct transfer transfers[2];

    make_table(f);
    begin(f, &transfers[0], start);
    begin(f, &transfers[1], NULL);
    wait_down(f);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(transfers[i].status, 0);
        finish(&transfers[i]);
    }
    CHECK(f->shutdown.in_time);
    CHECK_INT(sum_of_a(), 6);
    check_report(&f->parts[0], "");
}

static void start_and_hurry(struct fixture *f)
{
    start(f);
    asq_shutdown_hurry(&f->shutdown);
}

static void a_transaction_is_rolled_back_in_a_hurry(void *data)
{
    struct fixture *f = data;
    struct transfer transfer;

    make_table(f);
    begin(f, &transfer, start_and_hurry);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK(transfer.status != 0);
    finish(&transfer);
    CHECK_INT(sum_of_a(), 0);
    CHECK_INT(f->conns[0].left_open.transactions, 1);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ECANCELED);
}

static void hurry_stops_what_runs_and_what_waits(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    add_conn(f, test_path("a.db"), false);
    f->marked = &asks[0].request;
    for (int i = 0; i < 3; i++) {
        ask_init(f, &asks[i]);
        ask_sql(&asks[i], 0, ENDLESS);
    }
    uv_sem_wait(&f->reached);
    start_and_hurry(f);
    CHECK_INT(f->shutdown.state, ASQ_CLOSING);
    expect(&asks[0], SQLITE_INTERRUPT);
    expect(&asks[1], UV_ECANCELED);
    expect(&asks[2], UV_ECANCELED);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].cancelled, 3);
    check_report(&f->parts[0], "part: 3 requests cancelled");
}

/* Time is over for the one that is at work; the other one was ready. */
static void hurry_when_one_is_drained(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    make_table(f);
    add_conn(f, test_path("a.db"), false);
    ask_init(f, &ask);
    f->marked = &ask.request;
    ask_sql(&ask, 1, ENDLESS);
    uv_sem_wait(&f->reached);
    start(f);
    while (f->parts[0].stage != ASQ_PART_DRAINED)
        CHECK(uv_run(&f->loop, UV_RUN_ONCE) != 0);
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    expect(&ask, SQLITE_INTERRUPT);
    check_report(&f->parts[0], "part: no checkpoint");
    check_report(&f->parts[1], "part: 1 request cancelled");
}

static void time_ends_by_itself(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    add_conn(f, test_path("a.db"), false);
    f->marked = &ask.request;
    f->shutdown.drain_ms = 5;
    ask_init(f, &ask);
    ask_sql(&ask, 0, ENDLESS);
    uv_sem_wait(&f->reached);
    shut_down(f);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].cancelled, 1);
}

/* A loop that has not turned for long has an old clock. */
static void the_time_begins_at_start(void *data)
{
    struct fixture *f = data;
    uint64_t begin_ns, spent_ms;

    make_table(f);
    begin_ns = uv_hrtime();
    while (uv_hrtime() - begin_ns < 50000000)
        ; /* time passes, and the loop does not notice */
    begin_ns = uv_hrtime();
    start(f);
    uv_update_time(&f->loop);
    spent_ms = (uv_hrtime() - begin_ns) / 1000000 + 2; /* both are rounded */
    CHECK(uv_timer_get_due_in(&f->shutdown.timer) + spent_ms >=
          f->shutdown.drain_ms);
    wait_down(f);
}

static void no_time_at_all(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    make_table(f);
    f->shutdown.drain_ms = 0;
    ask_init(f, &ask);
    ask_sql(&ask, 0, ENDLESS);
    shut_down(f);
    CHECK(ask.status == SQLITE_INTERRUPT || ask.status == UV_ECANCELED);
    asq_request_destroy(&ask.request);
}

/* A call that does something else than SQLite is waited for all the same. */
static void a_call_is_left_to_finish(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    make_table(f);
    ask_init(f, &asks[0]);
    ask_init(f, &asks[1]);
    hold_worker(&asks[0], 0);
    ask_sql(&asks[1], 0, "INSERT INTO t VALUES (1)");
    start_and_hurry(f);
    uv_sem_post(&f->gate);
    wait_down(f);
    expect(&asks[0], 0);
    expect(&asks[1], UV_ECANCELED);
    CHECK_INT(f->parts[0].cancelled, 2);
    CHECK_INT(f->conns[0].left_open.holds, 0); /* the shutdown's own is none */
    check_report(&f->parts[0], "part: 2 requests cancelled, no checkpoint");
}

static void nothing_to_close(void *data)
{
    struct fixture *f = data;

    shut_down(f);
    CHECK(f->shutdown.in_time);
}

static void start_only_once(void *data)
{
    struct fixture *f = data;

    make_table(f);
    start(f);
    CHECK_INT(asq_shutdown_start(&f->shutdown, &f->loop, on_down), UV_EALREADY);
    wait_down(f);
    CHECK_INT(asq_shutdown_start(&f->shutdown, &f->loop, on_down), UV_EALREADY);
}

static void who_is_still_opening(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    add_conn(f, test_path("a.db"), true);
    ask_init(f, &ask);
    ask_sql(&ask, 0, "CREATE TABLE t (a)");
    shut_down(f);
    expect(&ask, 0);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
}

static void who_is_still_opening_in_a_hurry(void *data)
{
    struct fixture *f = data;

    add_conn(f, test_path("a.db"), true);
    start_and_hurry(f);
    wait_down(f);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ECANCELED);
}

/* The first one fails before the shutdown, the second one meanwhile. */
static void who_failed_to_open(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    add_conn(f, "missing-folder/a.db", true);
    ask_init(f, &ask);
    ask_sql(&ask, 0, "SELECT 1");
    expect(&ask, UV_ESHUTDOWN);
    add_conn(f, "missing-folder/a.db", false);
    add_conn(f, test_path("a.db"), true);
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ESHUTDOWN);
    CHECK_INT(f->parts[1].checkpoint_status, 0);
    CHECK_INT(f->parts[2].checkpoint_status, 0);
}

static void start_in_answer(struct ask *ask)
{
    struct ask another;

    start(ask->fixture);
    ask_init(ask->fixture, &another);
    CHECK_INT(try_sql(&another, 0, "SELECT 1"), UV_ESHUTDOWN);
}

static void begins_in_a_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    make_table(f);
    for (int i = 0; i < 2; i++) {
        ask_init(f, &asks[i]);
        ask_sql(&asks[i], 0, "INSERT INTO t VALUES (1)");
    }
    asks[0].then = start_in_answer;
    wait_down(f);
    expect(&asks[0], 0);
    expect(&asks[1], 0);
    CHECK_INT(sum_of_a(), 2);
}

static void start_when_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;

    CHECK_INT(status, 0);
    f->opened++;
    start(f);
}

static void begins_in_on_open(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    asq_conn_init(&f->conns[0]);
    f->conns[0].data = f;
    CHECK_INT(asq_conn_open(&f->conns[0], &f->loop, &profile, start_when_open),
              0);
    f->parts[0] = (struct asq_shutdown_part){
        .name = "part", .conn = &f->conns[0], .checkpoint = true};
    f->count = 1;
    asq_shutdown_add(&f->shutdown, &f->parts[0]);
    wait_down(f);
    CHECK(f->shutdown.in_time);
}

/* All that belongs to a shutdown, on the heap. */
struct whole {
    struct asq_shutdown shutdown;
    struct asq_shutdown_part part;
    struct asq_conn conn;
    int *down;
};

static void free_all(struct asq_shutdown *shutdown)
{
    struct whole *whole = shutdown->data;

    *whole->down = 1;
    free(whole);
}

static void ignore_open(struct asq_conn *conn, int status)
{
    (void)conn; /* the checkpoint's status would show it */
    (void)status;
}

static void free_after(struct fixture *f, bool hurry)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct whole *whole = malloc(sizeof *whole);
    int down = 0;

    CHECK(whole != NULL);
    whole->down = &down;
    asq_conn_init(&whole->conn);
    asq_shutdown_init(&whole->shutdown);
    whole->shutdown.data = whole;
    CHECK_INT(asq_conn_open(&whole->conn, &f->loop, &profile, ignore_open), 0);
    whole->part = (struct asq_shutdown_part){
        .name = "part", .conn = &whole->conn, .checkpoint = true};
    asq_shutdown_add(&whole->shutdown, &whole->part);
    CHECK_INT(asq_shutdown_start(&whole->shutdown, &f->loop, free_all), 0);
    if (hurry)
        asq_shutdown_hurry(&whole->shutdown);
    test_run_until(&f->loop, &down);
}

/* The address sanitizer would see who uses it afterwards. */
static void the_memory_may_go(void *data)
{
    struct fixture *f = data;

    free_after(f, false);
    free_after(f, true);
    shut_down(f);
}

/* Hurry, state by state */

static void hurry_before_start(void *data)
{
    struct fixture *f = data;

    make_table(f);
    asq_shutdown_hurry(&f->shutdown);
    CHECK_INT(f->shutdown.state, ASQ_UP);
    shut_down(f);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
}

static void hurry_in_answer(struct ask *ask)
{
    asq_shutdown_hurry(&ask->fixture->shutdown);
}

static void hurry_in_a_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    make_table(f);
    for (int i = 0; i < 2; i++)
        ask_init(f, &asks[i]);
    hold_worker(&asks[0], 0);
    ask_sql(&asks[1], 0, ENDLESS);
    asks[0].then = hurry_in_answer;
    start(f);
    uv_sem_post(&f->gate);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK(asks[1].status == SQLITE_INTERRUPT || asks[1].status == UV_ECANCELED);
    CHECK_INT(f->parts[0].cancelled, 1);
    asq_request_destroy(&asks[0].request);
    asq_request_destroy(&asks[1].request);
}

/* Called after the answer to the shutdown's own request, too. */
static void hurry_when_idle(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    if (f->shutdown.state == ASQ_CHECKPOINTING)
        asq_shutdown_hurry(&f->shutdown);
}

static void hurry_while_readers_close(void *data)
{
    struct fixture *f = data;

    make_table(f);
    add_conn(f, test_path("a.db"), false);
    f->conns[0].on_idle = hurry_when_idle;
    f->conns[1].on_idle = hurry_when_idle;
    shut_down(f);
    CHECK(!f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, UV_ECANCELED);
    CHECK_INT(f->parts[0].cancelled, 0);
    check_report(&f->parts[0], "part: no checkpoint");
    check_report(&f->parts[1], "");
}

static void hurry_while_closing_changes_nothing(void *data)
{
    struct fixture *f = data;

    make_table(f);
    start(f);
    wait_for_state(f, ASQ_CLOSING);
    asq_shutdown_hurry(&f->shutdown);
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    asq_shutdown_hurry(&f->shutdown);
    CHECK_INT(f->shutdown.state, ASQ_DOWN);
    CHECK(f->shutdown.in_time);
    CHECK_INT(f->parts[0].checkpoint_status, 0);
}

static void hurry_twice(void *data)
{
    struct fixture *f = data;

    make_table(f);
    start_and_hurry(f);
    asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    CHECK(!f->shutdown.in_time);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(what_stands_in_line_is_answered),
    CASE(a_transaction_goes_on_to_its_commit),
    CASE(a_transaction_is_rolled_back_in_a_hurry),
    CASE(hurry_stops_what_runs_and_what_waits),
    CASE(hurry_when_one_is_drained),
    CASE(time_ends_by_itself),
    CASE(the_time_begins_at_start),
    CASE(no_time_at_all),
    CASE(a_call_is_left_to_finish),
    CASE(nothing_to_close),
    CASE(start_only_once),
    CASE(who_is_still_opening),
    CASE(who_is_still_opening_in_a_hurry),
    CASE(who_failed_to_open),
    CASE(begins_in_a_callback),
    CASE(begins_in_on_open),
    CASE(the_memory_may_go),
    CASE(hurry_before_start),
    CASE(hurry_in_a_callback),
    CASE(hurry_while_readers_close),
    CASE(hurry_while_closing_changes_nothing),
    CASE(hurry_twice),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "shutdown",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
