/* test_tx_stopped - a transaction is cancelled, too late, or its conn closed
 *
 * The order is made by the gate: a request that is marked stands there when
 * it starts.
 */
#include "tx_fixture.h"

/* Gives up at any stage */

/* The answers come in order: what runs is interrupted, the rest refused. */
static void expect_stopped(struct tx_fixture *t, int first, int status)
{
    for (int i = 0; i < 3; i++)
        expect_step(&t->steps[i], i == 0 ? first : UV_ECANCELED);
    expect_end(&t->parts[0], status);
    CHECK_INT(count_rows(t), 0);
}

static void submit_three(struct tx_fixture *t, const char *sql)
{
    for (int i = 0; i < 3; i++)
        run(&t->parts[0], &t->steps[i], sql);
}

static void given_up_in_the_queue(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    ask_init(&t->f, &ask);
    hold_worker(&ask);
    submit_three(t, "INSERT INTO t VALUES (NULL)");
    asq_tx_fail(&t->parts[0].tx, UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[0], &t->steps[3], "SELECT 1"), UV_ECANCELED);
    let_go(&t->f);
    expect_stopped(t, UV_ECANCELED, UV_ECANCELED);
    asq_request_destroy(&ask.request);
}

static void given_up_while_it_runs(void *data)
{
    struct tx_fixture *t = data;

    call(&t->parts[0], &t->steps[0], run_endless);
    for (int i = 1; i < 3; i++)
        run(&t->parts[0], &t->steps[i], "INSERT INTO t VALUES (NULL)");
    wait_at_gate(t);
    asq_tx_fail(&t->parts[0].tx, 42);
    asq_tx_fail(&t->parts[0].tx, 43); /* the first one counts */
    expect_stopped(t, SQLITE_INTERRUPT, 42);
}

/* A callback cannot take it back. */
static void fail_in_callback(struct step *s)
{
    asq_tx_fail(&s->fixture->parts[0].tx, 42);
}

static void given_up_between_two_steps(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = fail_in_callback;
    t->steps[0].verdict = 0;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (NULL)");
    expect_end(&t->parts[0], 42);
    CHECK_INT(count_rows(t), 0);
}

static void given_up_before_the_commit_runs(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->parts[0].tx.end);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (NULL)");
    run_until_committing(&t->parts[0]);
    wait_at_gate(t);
    asq_tx_fail(&t->parts[0].tx, 42);
    mark(t, NULL); /* not the ROLLBACK; the worker stands still */
    let_go(&t->f);
    expect_end(&t->parts[0], 42);
    CHECK_INT(count_rows(t), 0);
}

/* Who waits behind another one need not wait for it. */
static void given_up_while_it_stands_in_line(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[0].step.request);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    wait_at_gate(t);
    run(&t->other, &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->other, &t->steps[2], "INSERT INTO t VALUES (3)");
    asq_tx_fail(&t->other.tx, 42);
    t->steps[0].then = NULL;
    let_go(&t->f);
    expect_end(&t->parts[0], 0);
    expect_end(&t->other, 42);
    CHECK_INT(count_rows(t), 1);
}

static void go_on_for_ever(struct step *s)
{
    struct tx_fixture *t = s->fixture;

    if (!t->other.ended)
        run(&t->parts[0], s, "SELECT 1");
}

static void the_one_before_need_not_end_first(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = go_on_for_ever;
    run(&t->parts[0], &t->steps[0], "SELECT 1");
    run(&t->other, &t->steps[1], "INSERT INTO t VALUES (2)");
    asq_tx_fail(&t->other.tx, 42);
    expect_end(&t->other, 42);
    CHECK_INT(t->parts[0].ended, 0);
    /* It is out of the line: another one may stand there. */
    t->other.ended = 1;
    run(&t->other, &t->steps[1], "INSERT INTO t VALUES (2)");
    expect_end(&t->parts[0], 0);
    t->other.ended = 0;
    expect_end(&t->other, 0);
    CHECK_INT(count_rows(t), 1);
}

/* Deadlines */

static void expect_late(struct part *part, enum asq_place place)
{
    expect_end(part, UV_ETIMEDOUT);
    CHECK_INT(part->tx.timed_out_in, place);
    CHECK_CONTAINS(part->tx.message, "deadline");
    CHECK_INT(count_rows(part->fixture), 0);
}

/* Submits a row and then sql (or NULL) until the deadline passes where it
 * should: on a busy machine it may also pass in the queue. */
static void
time_out(struct tx_fixture *t, const char *sql, enum asq_place place)
{
    struct part *part = &t->parts[0];

    part->tx.timeout_ms = 30;
    for (int i = 0; i < 50; i++) {
        run(part, &t->steps[0], "INSERT INTO t VALUES (NULL)");
        if (sql != NULL)
            run(part, &t->steps[1], sql);
        test_run_until(&t->f.loop, &part->ended);
        if (part->tx.timed_out_in == place) {
            expect_late(part, place);
            return;
        }
        expect_late(part, ASQ_PLACE_QUEUE);
    }
    FAIL("the deadline never passed in place %d", (int)place);
}

static void too_late_in_line(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = go_on_for_ever;
    t->other.tx.timeout_ms = 1;
    run(&t->parts[0], &t->steps[0], "SELECT 1");
    run(&t->other, &t->steps[1], "INSERT INTO t VALUES (2)");
    expect_late(&t->other, ASQ_PLACE_QUEUE);
    CHECK_INT(t->parts[0].ended, 0);
    t->other.ended = 1;
    expect_end(&t->parts[0], 0);
    t->other.ended = 0;
}

static void too_late_for_the_lock(void *data)
{
    struct tx_fixture *t = data;
    sqlite3 *other = raw_open(t->f.profile.path);

    raw_do(other, "BEGIN IMMEDIATE");
    time_out(t, NULL, ASQ_PLACE_LOCK);
    raw_do(other, "COMMIT");
    raw_close(other);
}

static void too_late_while_it_runs(void *data)
{
    time_out(data, ENDLESS, ASQ_PLACE_RUNNING);
    time_out(data, "INSERT INTO t " ENDLESS, ASQ_PLACE_RUNNING);
}

/* A commit without WAL waits for readers. */
static void too_late_at_the_commit(void *data)
{
    struct tx_fixture *t = data;
    sqlite3 *reader = raw_open(t->f.profile.path);

    close_conn(&t->f);
    raw_do(reader, "PRAGMA journal_mode=DELETE");
    init_again(&t->f);
    t->f.profile.wal = false;
    open_conn(&t->f);
    raw_do(reader, "BEGIN; SELECT * FROM t");
    time_out(t, NULL, ASQ_PLACE_LOCK);
    CHECK_INT(t->steps[0].status, 0);
    raw_do(reader, "COMMIT");
    raw_close(reader);
}

static void wait_until_late(struct step *s)
{
    uint64_t end_ns = s->fixture->parts[0].tx.deadline_ns;

    while (uv_hrtime() < end_ns)
        ;
}

/* The loop was busy when the deadline passed. */
static void too_late_between_steps(void *data)
{
    struct tx_fixture *t = data;

    t->parts[0].tx.timeout_ms = 50;
    t->steps[0].then = wait_until_late;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_late(&t->parts[0], ASQ_PLACE_QUEUE);
}

static void a_savepoint_has_the_earlier_deadline(void *data)
{
    struct tx_fixture *t = data;

    t->parts[0].tx.timeout_ms = 30;
    t->parts[1].tx.timeout_ms = 100000;
    run(&t->parts[1], &t->steps[0], ENDLESS);
    expect_end(&t->parts[1], UV_ETIMEDOUT);
    expect_late(&t->parts[0], ASQ_PLACE_QUEUE);
    t->parts[0].tx.timeout_ms = 100000;
    t->parts[1].tx.timeout_ms = 30;
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[0], ENDLESS);
    expect_end(&t->parts[1], UV_ETIMEDOUT);
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 1);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(given_up_in_the_queue),
    CASE(given_up_while_it_runs),
    CASE(given_up_between_two_steps),
    CASE(given_up_before_the_commit_runs),
    CASE(given_up_while_it_stands_in_line),
    CASE(the_one_before_need_not_end_first),
    CASE(too_late_in_line),
    CASE(too_late_for_the_lock),
    CASE(too_late_while_it_runs),
    CASE(too_late_at_the_commit),
    CASE(too_late_between_steps),
    CASE(a_savepoint_has_the_earlier_deadline),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_stopped",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
