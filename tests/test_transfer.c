/* test_transfer - a list of transfers: what is refused, and what stays */
#include "conn_trace.h"
#include "transfer_fixture.h"

#include "common/slow_disk.h"

static void list_moves_in_its_order(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 100}, {2, 3, 200}};
    struct transfer_fixture *t = data;

    make_list(t, list, COUNT_OF(list), 0);
    CHECK_INT(t->list.reason, ASQ_TRANSFER_FINE);
    expect_balances(t, 0, 0, 300);
}

static void list_is_one_transaction(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 1}, {2, 1, 1}};
    struct transfer_fixture *t = data;

    call_now(&t->f, start_trace);
    make_list(t, list, COUNT_OF(list), 0);
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace, "BEGIN UPDATE UPDATE UPDATE UPDATE COMMIT");
}

static void empty_list_is_made(void *data)
{
    make_list(data, NULL, 0, 0);
}

static void amounts_are_positive(void *data)
{
    static const struct asq_transfer zero[] = {{1, 2, 5}, {1, 2, 0}};
    static const struct asq_transfer negative[] = {{1, 2, INT64_MIN}};
    struct transfer_fixture *t = data;

    CHECK_INT(start_list(t, zero, COUNT_OF(zero)), UV_EINVAL);
    expect_refused(t, 1, ASQ_TRANSFER_AMOUNT, "transfer 1 (0 cents from 1");
    CHECK_INT(start_list(t, negative, COUNT_OF(negative)), UV_EINVAL);
    expect_refused(t, 0, ASQ_TRANSFER_AMOUNT, "not above 0");
    CHECK_INT(t->f.conn.pending, 0);
    expect_balances(t, 100, 100, 100);
    CHECK_INT(t->done, 0);
}

static void from_is_not_to(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}, {2, 2, 5}};
    struct transfer_fixture *t = data;

    CHECK_INT(start_list(t, list, COUNT_OF(list)), UV_EINVAL);
    expect_refused(t, 1, ASQ_TRANSFER_SAME, "the same account");
    expect_balances(t, 100, 100, 100);
    CHECK_INT(t->done, 0);
}

static void what_is_wrong_with_the_call(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;

    CHECK_INT(start_list(t, NULL, 1), UV_EINVAL);
    CHECK_INT(t->list.reason, ASQ_TRANSFER_FINE);
    CHECK_INT(asq_transfer_start(&t->list, &t->f.conn, NULL), UV_EINVAL);
    CHECK_INT(start_list(t, list, 1), 0);
    CHECK_INT(asq_transfer_start(&t->list, &t->f.conn, note_list), UV_EINVAL);
    expect_list(t, 0);
    expect_balances(t, 95, 105, 100);
}

static void accounts_exist(void *data)
{
    static const struct asq_transfer from[] = {{1, 2, 5}, {9, 2, 5}};
    static const struct asq_transfer to[] = {{1, 2, 5}, {2, 3, 5}, {1, 9, 5}};
    struct transfer_fixture *t = data;

    make_list(t, from, COUNT_OF(from), UV_EINVAL);
    expect_refused(t, 1, ASQ_TRANSFER_NO_FROM, "account to take from");
    make_list(t, to, COUNT_OF(to), UV_EINVAL);
    expect_refused(t, 2, ASQ_TRANSFER_NO_TO, "account to give to");
    expect_balances(t, 100, 100, 100);
}

static void balance_is_never_negative(void *data)
{
    static const struct asq_transfer enough[] = {{1, 2, 100}};
    static const struct asq_transfer more[] = {{2, 3, 200}, {3, 1, 301}};
    struct transfer_fixture *t = data;

    make_list(t, enough, 1, 0);
    make_list(t, more, COUNT_OF(more), UV_EINVAL);
    expect_refused(t, 1, ASQ_TRANSFER_BALANCE, "too low");
    expect_balances(t, 0, 200, 100);
}

static void balance_never_overflows(void *data)
{
    static const struct asq_transfer all[] = {{1, 2, INT64_MAX - 1}};
    static const struct asq_transfer one[] = {{3, 2, 1}};
    struct transfer_fixture *t = data;

    run_now(&t->f, "UPDATE accounts SET balance_cents = 9223372036854775806 "
                   "WHERE id = 1");
    run_now(&t->f, "UPDATE accounts SET balance_cents = 1 WHERE id = 2");
    make_list(t, all, 1, 0);
    expect_balances(t, 0, INT64_MAX, 100);
    make_list(t, one, 1, UV_EINVAL);
    expect_refused(t, 0, ASQ_TRANSFER_TOO_MUCH, "too large");
    expect_balances(t, 0, INT64_MAX, 100);
}

static void error_of_sqlite_comes_as_it_is(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;

    run_now(&t->f, "CREATE TRIGGER no BEFORE UPDATE ON accounts WHEN "
                   "new.id = 2 BEGIN SELECT RAISE(ABORT, 'frozen'); END");
    make_list(t, list, 1, SQLITE_CONSTRAINT_TRIGGER);
    CHECK_INT(t->list.reason, ASQ_TRANSFER_FINE);
    CHECK_TEXT(t->list.message, "frozen");
    expect_balances(t, 100, 100, 100);
}

static void list_is_used_again(void *data)
{
    static const struct asq_transfer bad[] = {{1, 2, 500}};
    static const struct asq_transfer good[] = {{1, 2, 50}};
    struct transfer_fixture *t = data;

    make_list(t, bad, 1, UV_EINVAL);
    make_list(t, good, 1, 0);
    CHECK_INT(t->list.reason, ASQ_TRANSFER_FINE);
    CHECK_TEXT(t->list.message, "");
    expect_balances(t, 50, 150, 100);
}

static void cancel_while_it_waits(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;
    struct ask held;

    ask_init(&t->f, &held);
    asq_transfer_cancel(&t->list); /* harmless */
    hold_worker(&held);
    CHECK_INT(start_list(t, list, 1), 0);
    asq_transfer_cancel(&t->list);
    let_go(&t->f);
    expect_list(t, UV_ECANCELED);
    expect_balances(t, 100, 100, 100);
    asq_request_destroy(&held.request);
}

static void deadline_while_it_waits(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;
    struct ask held;
    uint64_t late_ns;

    ask_init(&t->f, &held);
    hold_worker(&held);
    t->list.timeout_ms = 1;
    late_ns = uv_hrtime() + 2000000;
    CHECK_INT(start_list(t, list, 1), 0);
    while (uv_hrtime() < late_ns)
        ; /* until it has passed */
    let_go(&t->f);
    expect_list(t, UV_ETIMEDOUT);
    CHECK_INT(t->list.tx.timed_out_in, ASQ_PLACE_QUEUE);
    expect_balances(t, 100, 100, 100);
    asq_request_destroy(&held.request);
}

static void close_while_it_waits(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    static const struct asq_transfer nothing[] = {{1, 2, 0}};
    struct transfer_fixture *t = data;
    struct ask held;

    ask_init(&t->f, &held);
    hold_worker(&held);
    CHECK_INT(start_list(t, list, 1), 0);
    start_close(&t->f);
    let_go(&t->f);
    expect_list(t, UV_ECANCELED);
    CHECK_INT(start_list(t, nothing, 1), UV_EINVAL);
    CHECK_INT(start_list(t, list, 1), UV_ESHUTDOWN);
    CHECK_INT(t->list.reason, ASQ_TRANSFER_FINE);
    CHECK_INT(t->done, 0);
    CHECK_TEXT(t->list.message, "");
    asq_request_destroy(&held.request);
}

/* The caller's transaction writes something of its own. */
static void start_inside(struct transfer_fixture *t,
                         const struct asq_transfer *transfers)
{
    CHECK_INT(asq_tx_run(&t->tx, &t->step,
                         "UPDATE accounts SET balance_cents "
                         "= 7 WHERE id = 3",
                         NULL, NULL),
              0);
    t->list.transfers = transfers;
    t->list.count = 1;
    CHECK_INT(asq_transfer_start_inside(&t->list, &t->tx, note_list), 0);
    test_run_until(&t->f.loop, &t->ended);
    CHECK(t->done);
}

static void inside_it_is_a_savepoint(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;

    start_inside(t, list);
    CHECK_INT(t->status, 0);
    CHECK_INT(t->end_status, 0);
    expect_balances(t, 95, 105, 7);
}

static void refused_inside_the_rest_goes_on(void *data)
{
    static const struct asq_transfer list[] = {{1, 9, 5}};
    struct transfer_fixture *t = data;

    start_inside(t, list);
    CHECK_INT(t->status, UV_EINVAL);
    expect_refused(t, 0, ASQ_TRANSFER_NO_TO, "account to give to");
    CHECK_INT(t->end_status, 0);
    expect_balances(t, 100, 100, 7);
}

static void nothing_is_started_in_what_is_over(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;

    CHECK_INT(asq_tx_run(&t->tx, &t->step, "SELECT 1", NULL, NULL), 0);
    asq_tx_fail(&t->tx, UV_ECANCELED);
    t->list.transfers = list;
    t->list.count = 1;
    CHECK_INT(asq_transfer_start_inside(&t->list, &t->tx, note_list),
              UV_ECANCELED);
    test_run_until(&t->f.loop, &t->ended);
    CHECK_INT(t->done, 0);
    expect_balances(t, 100, 100, 100);
}

/* The one case in which nobody knows. */
static void unknown_outcome_is_told(void *data)
{
    static const struct asq_transfer list[] = {{1, 2, 5}};
    struct transfer_fixture *t = data;

    close_conn(&t->f);
    init_again(&t->f);
    CHECK_INT(asq_slow_disk_register(), 0);
    t->f.profile.vfs = ASQ_SLOW_DISK;
    t->f.profile.synchronous = 2;
    open_conn(&t->f);
    run_now(&t->f, "UPDATE accounts SET balance_cents = 100");
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    make_list(t, list, 1, SQLITE_IOERR_FSYNC);
    CHECK_INT(t->list.tx.outcome_unknown, 1);
    asq_slow_disk_reset();
    CHECK_INT(start_list(t, list, 1), UV_ESHUTDOWN);
    close_conn(&t->f);
    init_again(&t->f);
    t->f.profile.vfs = NULL;
    open_conn(&t->f);
    CHECK_INT(ask_number(&t->f, "SELECT sum(balance_cents) FROM accounts"),
              300);
}

static const struct test_case cases[] = {
    {.name = "list_moves_in_its_order", .run = list_moves_in_its_order},
    {.name = "list_is_one_transaction", .run = list_is_one_transaction},
    {.name = "empty_list_is_made", .run = empty_list_is_made},
    {.name = "amounts_are_positive", .run = amounts_are_positive},
    {.name = "from_is_not_to", .run = from_is_not_to},
    {.name = "what_is_wrong_with_the_call", .run = what_is_wrong_with_the_call},
    {.name = "accounts_exist", .run = accounts_exist},
    {.name = "balance_is_never_negative", .run = balance_is_never_negative},
    {.name = "balance_never_overflows", .run = balance_never_overflows},
    {.name = "error_of_sqlite_comes_as_it_is",
     .run = error_of_sqlite_comes_as_it_is},
    {.name = "list_is_used_again", .run = list_is_used_again},
    {.name = "cancel_while_it_waits", .run = cancel_while_it_waits},
    {.name = "deadline_while_it_waits", .run = deadline_while_it_waits},
    {.name = "close_while_it_waits", .run = close_while_it_waits},
    {.name = "inside_it_is_a_savepoint", .run = inside_it_is_a_savepoint},
    {.name = "refused_inside_the_rest_goes_on",
     .run = refused_inside_the_rest_goes_on},
    {.name = "nothing_is_started_in_what_is_over",
     .run = nothing_is_started_in_what_is_over},
    {.name = "unknown_outcome_is_told", .run = unknown_outcome_is_told},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "transfer",
                                      .cases = cases,
                                      .fixture_size =
                                          sizeof(struct transfer_fixture),
                                      .set_up = transfer_set_up,
                                      .tear_down = transfer_tear_down};
