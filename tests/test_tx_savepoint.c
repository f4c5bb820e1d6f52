/* test_tx_savepoint - a transaction inside another one
 *
 * part 0 is the transaction, 1 a savepoint in it, 2 one in the savepoint.
 */
#include "tx_fixture.h"

static int64_t sum(struct tx_fixture *t)
{
    return raw_number(t->f.profile.path, "SELECT total(n) FROM t");
}

static void it_begins_what_is_around_it(void *data)
{
    struct tx_fixture *t = data;
    unsigned before = t->requests;

    call_now(&t->f, start_trace);
    run(&t->parts[2], &t->steps[0], "INSERT INTO t VALUES (1)");
    for (int i = 0; i < 3; i++)
        CHECK_INT(t->parts[i].tx.state, ASQ_TX_OPEN);
    for (int i = 2; i >= 0; i--)
        expect_end(&t->parts[i], 0);
    CHECK_INT(t->requests - before, 1 + 4); /* the trace, a step, three ends */
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace,
               "BEGIN SAVEPOINT SAVEPOINT INSERT RELEASE RELEASE COMMIT");
    CHECK(t->parts[2].order < t->parts[1].order);
    CHECK(t->parts[1].order < t->parts[0].order);
    CHECK_INT(sum(t), 1);
}

/* A step of the one around in front of it, and one in its end. */
static void go_on_outside(struct part *part)
{
    struct tx_fixture *t = part->fixture;

    part->then = NULL;
    CHECK_INT(t->parts[0].tx.state, ASQ_TX_OPEN);
    run(&t->parts[0], &t->steps[9], "INSERT INTO t VALUES (100)");
}

static void rolled_back_it_leaves_the_rest(void *data)
{
    struct tx_fixture *t = data;

    t->parts[1].then = go_on_outside;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->parts[1], &t->steps[2], "INSERT INTO t VALUES (4)");
    t->steps[2].verdict = 42;
    expect_end(&t->parts[1], 42);
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 101);
}

static void its_error_is_its_own(void *data)
{
    struct tx_fixture *t = data;

    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->parts[1], &t->steps[2], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[1], SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_CONTAINS(t->parts[1].tx.message, "UNIQUE");
    expect_end(&t->parts[0], 0);
    CHECK_TEXT(t->parts[0].tx.message, "");
    CHECK_INT(sum(t), 1);
}

static void each_of_three_may_fail(void *data)
{
    struct tx_fixture *t = data;

    for (int failing = 0; failing < 3; failing++) {
        run_now(&t->f, "DELETE FROM t");
        for (int i = 0; i < 3; i++) {
            t->steps[i].verdict = i == failing ? 42 : 0;
            CHECK_INT(asq_tx_run(&t->parts[i].tx, &t->steps[i].step,
                                 "INSERT INTO t VALUES (1 + (SELECT "
                                 "2 * total(n) FROM t))",
                                 NULL, on_step),
                      0);
        }
        for (int i = 2; i >= 0; i--)
            expect_end(&t->parts[i], i >= failing ? 42 : 0);
        CHECK_INT(sum(t), failing == 0 ? 0 : failing == 1 ? 1 : 1 + 3);
    }
}

static void go_on_in_second(struct part *part)
{
    part->then = NULL;
    run(part, &part->fixture->steps[2], "INSERT INTO t VALUES (4)");
}

static void it_may_be_used_again_at_its_end(void *data)
{
    struct tx_fixture *t = data;

    t->parts[1].then = go_on_in_second;
    t->steps[1].verdict = 42;
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (2)");
    expect_step(&t->steps[2], 0);
    CHECK_INT(t->parts[1].status, 42);
    CHECK_INT(t->parts[1].ended, 1);
    t->parts[1].ended = 0;
    expect_end(&t->parts[1], 0);
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 4);
}

static void only_the_innermost_takes_steps(void *data)
{
    struct tx_fixture *t = data;
    struct part beside = {.fixture = t};

    asq_tx_init_inside(&beside.tx, &t->parts[0].tx);
    mark(t, &t->parts[2].tx.end);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[2], &t->steps[1], "INSERT INTO t VALUES (2)");
    CHECK_INT(try_step(&t->parts[0], &t->steps[2], "SELECT 1"), UV_EBUSY);
    CHECK_INT(try_step(&t->parts[1], &t->steps[2], "SELECT 1"), UV_EBUSY);
    CHECK_INT(try_step(&beside, &t->steps[2], "SELECT 1"), UV_EBUSY);
    run(&t->parts[2], &t->steps[2], "INSERT INTO t VALUES (4)");
    run_until_committing(&t->parts[2]);
    CHECK_INT(try_step(&t->parts[2], &t->steps[3], "SELECT 1"), UV_EBUSY);
    CHECK_INT(try_step(&t->parts[1], &t->steps[3], "SELECT 1"), UV_EBUSY);
    wait_at_gate(t);
    let_go(&t->f);
    for (int i = 2; i >= 0; i--)
        expect_end(&t->parts[i], 0);
    CHECK_INT(sum(t), 7);
    asq_tx_destroy(&beside.tx);
}

/* Who gives up outside gives up what is inside, and interrupts it. */
static void what_is_around_it_fails(void *data)
{
    struct tx_fixture *t = data;

    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (2)");
    call(&t->parts[2], &t->steps[2], run_endless);
    run(&t->parts[2], &t->steps[3], "INSERT INTO t VALUES (8)");
    wait_at_gate(t);
    asq_tx_fail(&t->parts[0].tx, 42);
    for (int i = 2; i >= 0; i--)
        expect_end(&t->parts[i], 42);
    CHECK_INT(t->steps[2].status, SQLITE_INTERRUPT);
    CHECK_INT(t->steps[3].status, UV_ECANCELED);
    CHECK_INT(sum(t), 0);
}

/* In it what runs is left to finish: an interrupt would undo all. */
static void it_is_given_up_alone(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[1].step.request);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->parts[1], &t->steps[2], "INSERT INTO t VALUES (4)");
    wait_at_gate(t);
    asq_tx_fail(&t->parts[1].tx, UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[1], &t->steps[3], "SELECT 1"), UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[2], &t->steps[3], "SELECT 1"), UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[0], &t->steps[3], "SELECT 1"), UV_EBUSY);
    let_go(&t->f);
    expect_end(&t->parts[1], UV_ECANCELED);
    CHECK_INT(t->steps[2].status, UV_ECANCELED);
    CHECK_CONTAINS(t->steps[2].step.request.message, "given up");
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 1);
}

static void fail_inner(struct step *s)
{
    asq_tx_fail(&s->fixture->parts[1].tx, 42);
}

/* Before its first step has come to the worker there is nothing to undo. */
static void it_is_given_up_before_it_has_begun(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = fail_inner;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_step(&t->steps[0], 0);
    expect_end(&t->parts[0], 0);
    mark(t, &t->steps[0].step.request);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (2)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (4)");
    wait_at_gate(t);
    asq_tx_fail(&t->parts[1].tx, 43);
    let_go(&t->f);
    expect_end(&t->parts[1], 43);
    CHECK_INT(t->steps[1].status, UV_ECANCELED);
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 3);
}

/* Its RELEASE is not too late as long as it has not run. */
static void it_is_given_up_at_its_release(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->parts[1].tx.end);
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (1)");
    run_until_committing(&t->parts[1]);
    wait_at_gate(t);
    asq_tx_fail(&t->parts[1].tx, 42);
    mark(t, NULL);
    let_go(&t->f);
    expect_end(&t->parts[1], 42);
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 0);
}

/* SQLite leaves nothing of what is around it. */
static void an_interrupted_write_in_it_undoes_all(void *data)
{
    struct tx_fixture *t = data;

    call_now(&t->f, add_stand_inside);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t " ENDLESS_STAND);
    run(&t->parts[1], &t->steps[2], "INSERT INTO t VALUES (4)");
    wait_at_gate(t);
    asq_request_cancel(&t->steps[1].step.request);
    let_go(&t->f);
    expect_end(&t->parts[1], UV_ECANCELED);
    expect_end(&t->parts[0], UV_ECANCELED);
    CHECK_INT(t->steps[2].status, UV_ECANCELED);
    CHECK_INT(sum(t), 0);
}

/* It was stopped before it had begun, so it has undone nothing either. */
static void a_write_that_was_not_started_undoes_nothing(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[1].step.request);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "INSERT INTO t VALUES (4)");
    wait_at_gate(t);
    asq_request_cancel(&t->steps[1].step.request);
    let_go(&t->f);
    expect_end(&t->parts[1], UV_ECANCELED);
    expect_end(&t->parts[0], 0);
    CHECK_INT(sum(t), 1);
}

static void a_rollback_in_it_undoes_all(void *data)
{
    struct tx_fixture *t = data;

    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[2], &t->steps[1], "INSERT OR ROLLBACK INTO t VALUES (1)");
    run(&t->parts[2], &t->steps[2], "INSERT INTO t VALUES (4)");
    for (int i = 2; i >= 0; i--)
        expect_end(&t->parts[i], SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(sum(t), 0);
}

/* What it cannot undo, the one around undoes. */
static void a_step_must_not_release_it(void *data)
{
    struct tx_fixture *t = data;

    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[1], &t->steps[1], "RELEASE asq");
    expect_end(&t->parts[1], SQLITE_ERROR);
    CHECK_CONTAINS(t->parts[1].tx.message, "no such savepoint");
    expect_end(&t->parts[0], SQLITE_ERROR);
    CHECK_INT(sum(t), 0);
}

static void close_in_end(struct part *part)
{
    part->then = NULL;
    start_close(&part->fixture->f);
}

static void the_connection_is_closed_at_its_end(void *data)
{
    struct tx_fixture *t = data;

    t->parts[1].then = close_in_end;
    run(&t->parts[1], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[1], 0);
    expect_end(&t->parts[0], UV_ECANCELED);
    close_conn(&t->f);
    CHECK_INT(sum(t), 0);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(it_begins_what_is_around_it),
    CASE(rolled_back_it_leaves_the_rest),
    CASE(its_error_is_its_own),
    CASE(each_of_three_may_fail),
    CASE(it_may_be_used_again_at_its_end),
    CASE(only_the_innermost_takes_steps),
    CASE(what_is_around_it_fails),
    CASE(it_is_given_up_alone),
    CASE(it_is_given_up_before_it_has_begun),
    CASE(it_is_given_up_at_its_release),
    CASE(an_interrupted_write_in_it_undoes_all),
    CASE(a_write_that_was_not_started_undoes_nothing),
    CASE(a_rollback_in_it_undoes_all),
    CASE(a_step_must_not_release_it),
    CASE(the_connection_is_closed_at_its_end),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_savepoint",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
