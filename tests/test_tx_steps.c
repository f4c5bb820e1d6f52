/* test_tx_steps - the steps of a transaction, their callbacks and its end */
#include "tx_fixture.h"

#include <stdlib.h>

static void parameters_and_rows_belong_to_the_step(void *data)
{
    struct tx_fixture *t = data;
    struct asq_value values[] = {asq_int64(7), asq_int64(8)};
    struct asq_params params[] = {{.values = &values[0], .count = 1},
                                  {.values = &values[1], .count = 1}};
    struct asq_value got;

    for (int i = 0; i < 2; i++)
        CHECK_INT(asq_tx_run(&t->parts[0].tx, &t->steps[i].step,
                             "INSERT INTO t VALUES (?1) RETURNING n * 2",
                             &params[i], on_step),
                  0);
    expect_end(&t->parts[0], 0);
    for (int i = 0; i < 2; i++) {
        got = asq_result_at(&t->steps[i].step.request.result, 0, 0);
        CHECK_INT(got.as.int64, values[i].as.int64 * 2);
        CHECK_INT(t->steps[i].order, i);
    }
}

static void insert_again(struct step *s)
{
    if (s->calls < 100)
        run(&s->fixture->parts[0], s, "INSERT INTO t VALUES (NULL)");
}

/* One step goes on by itself between others that stand in a row. */
static void a_step_is_used_again_in_its_callback(void *data)
{
    struct tx_fixture *t = data;

    for (int i = 0; i < 3; i++)
        run(&t->parts[0], &t->steps[i], "INSERT INTO t VALUES (NULL)");
    t->steps[1].then = insert_again;
    expect_end(&t->parts[0], 0);
    CHECK_INT(t->steps[1].calls, 100);
    CHECK_INT(count_rows(t), 102);
}

static void free_step(struct step *s)
{
    asq_tx_step_destroy(&s->step);
    free(s);
}

static void a_step_is_freed_in_its_callback(void *data)
{
    struct tx_fixture *t = data;

    for (int i = 0; i < 3; i++) {
        struct step *s = malloc(sizeof *s);

        CHECK(s != NULL);
        init_step(t, s);
        s->then = free_step;
        s->verdict = i == 2 ? 7 : 0;
        run(&t->parts[0], s, i == 1 ? "bad" : "INSERT INTO t VALUES (NULL)");
    }
    expect_end(&t->parts[0], 7);
    CHECK_INT(count_rows(t), 0);
}

static void begin_again(struct part *part)
{
    part->then = NULL;
    part->tx.mode = ASQ_TX_DEFERRED;
    run(part, &part->fixture->steps[1], "SELECT count(*) FROM t");
}

static void a_transaction_is_used_again_at_its_end(void *data)
{
    struct tx_fixture *t = data;
    struct step *second = &t->steps[1];

    t->parts[0].then = begin_again;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_step(second, 0);
    CHECK_INT(t->parts[0].ended, 1);
    t->parts[0].ended = 0;
    expect_end(&t->parts[0], 0);
    second->done = 0; /* and after a failure */
    t->parts[0].then = begin_again;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_step(second, 0);
    CHECK_INT(t->parts[0].status, SQLITE_CONSTRAINT_PRIMARYKEY);
    t->parts[0].ended = 0;
    expect_end(&t->parts[0], 0);
    CHECK_TEXT(t->parts[0].tx.message, "");
}

static void free_part(struct asq_tx *tx, int status)
{
    struct part *part = tx->data;

    part->fixture->other.ended = 1;
    CHECK_INT(status, 0);
    asq_tx_destroy(tx);
    free(part);
}

static void a_transaction_is_freed_at_its_end(void *data)
{
    struct tx_fixture *t = data;
    struct part *outer = malloc(sizeof *outer);
    struct part *inner = malloc(sizeof *inner);

    CHECK(outer != NULL && inner != NULL);
    asq_tx_init(&outer->tx, &t->f.conn);
    asq_tx_init_inside(&inner->tx, &outer->tx);
    init_part(t, outer);
    init_part(t, inner);
    outer->tx.on_end = free_part;
    inner->tx.on_end = free_part;
    run(inner, &t->steps[0], "INSERT INTO t VALUES (1)");
    CHECK_INT(uv_run(&t->f.loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(t->other.ended, 1);
    t->other.ended = 0;
    CHECK_INT(count_rows(t), 1);
}

static void a_callback_says_no(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].verdict = 42;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[0], 42);
    t->steps[0].verdict = SQLITE_FULL;
    run(&t->parts[0], &t->steps[0], "INSERT INTO missing VALUES (1)");
    expect_end(&t->parts[0], SQLITE_FULL);
    CHECK_TEXT(t->parts[0].tx.message, sqlite3_errstr(SQLITE_FULL));
    t->steps[0].verdict = AS_STATUS;
    run(&t->parts[0], &t->steps[0], "INSERT INTO missing VALUES (1)");
    expect_end(&t->parts[0], SQLITE_ERROR);
    CHECK_TEXT(t->parts[0].tx.message, "no such table: missing");
    CHECK_INT(count_rows(t), 0);
}

/* What stands behind the failed one runs, and is undone with the rest. */
static void an_error_undoes_all(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    ask_init(&t->f, &ask);
    hold_worker(&ask);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (1)");
    run(&t->parts[0], &t->steps[2], "INSERT INTO t VALUES (3)");
    let_go(&t->f);
    expect_end(&t->parts[0], SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_CONTAINS(t->parts[0].tx.message, "UNIQUE");
    CHECK_INT(t->steps[0].status, 0);
    CHECK_INT(count_rows(t), 0);
    asq_request_destroy(&ask.request);
}

static void an_error_may_be_tolerated(void *data)
{
    struct tx_fixture *t = data;

    t->steps[1].verdict = 0;
    for (int i = 0; i < 3; i++)
        run(&t->parts[0], &t->steps[i],
            i < 2 ? "INSERT INTO t VALUES (1)" : "INSERT INTO t VALUES (3)");
    expect_end(&t->parts[0], 0);
    CHECK_INT(t->steps[1].status, SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(count_rows(t), 2);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(parameters_and_rows_belong_to_the_step),
    CASE(a_step_is_used_again_in_its_callback),
    CASE(a_step_is_freed_in_its_callback),
    CASE(a_transaction_is_used_again_at_its_end),
    CASE(a_transaction_is_freed_at_its_end),
    CASE(a_callback_says_no),
    CASE(an_error_undoes_all),
    CASE(an_error_may_be_tolerated),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_steps",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
