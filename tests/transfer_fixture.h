/* transfer_fixture - accounts, lists of transfers, and what became of them
 *
 * Every answer is checked for what holds for all of them: it comes once, on
 * the loop thread, outside of start, and has a message of one line exactly
 * when it has a status.
 */
#ifndef TESTS_TRANSFER_FIXTURE_H
#define TESTS_TRANSFER_FIXTURE_H

#include "07-transactions/transfer.h"
#include "conn_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const char accounts_table[] =
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
    " balance_cents INTEGER NOT NULL) STRICT";

struct transfer_fixture {
    struct fixture f;
    struct asq_transfer_list list;
    struct asq_tx tx; /* for a list inside of it */
    struct asq_tx_step step;
    int done, status, ended, end_status;
};

static inline void note_list(struct asq_transfer_list *list, int status)
{
    struct transfer_fixture *t = list->data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &t->f.loop_thread));
    CHECK(!t->f.submitting);
    CHECK_INT(status != 0, list->message[0] != '\0');
    CHECK(strchr(list->message, '\n') == NULL);
    CHECK_INT(t->done, 0);
    t->done = 1;
    t->status = status;
}

static inline void note_end(struct asq_tx *tx, int status)
{
    struct transfer_fixture *t = tx->data;

    t->ended = 1;
    t->end_status = status;
}

/* Accounts 1 to 3 with 100 cents each. */
static inline void transfer_set_up(void *data)
{
    struct transfer_fixture *t = data;

    conn_set_up(&t->f);
    open_conn(&t->f);
    run_now(&t->f, accounts_table);
    run_now(&t->f, "INSERT INTO accounts VALUES (1, 100), (2, 100), (3, 100)");
    asq_transfer_init(&t->list);
    t->list.data = t;
    asq_tx_init(&t->tx, &t->f.conn);
    t->tx.data = t;
    t->tx.on_end = note_end;
    asq_tx_step_init(&t->step);
}

static inline void transfer_tear_down(void *data)
{
    struct transfer_fixture *t = data;

    conn_tear_down(&t->f);
    asq_tx_step_destroy(&t->step);
    asq_tx_destroy(&t->tx);
    asq_transfer_destroy(&t->list);
}

static inline int start_list(struct transfer_fixture *t,
                             const struct asq_transfer *transfers,
                             size_t count)
{
    int rc;

    t->list.transfers = transfers;
    t->list.count = count;
    t->done = 0;
    t->f.submitting = true;
    rc = asq_transfer_start(&t->list, &t->f.conn, note_list);
    t->f.submitting = false;
    return rc;
}

static inline void expect_list(struct transfer_fixture *t, int status)
{
    test_run_until(&t->f.loop, &t->done);
    if (t->status != status)
        FAIL("status %d instead of %d: %s", t->status, status, t->list.message);
}

static inline void make_list(struct transfer_fixture *t,
                             const struct asq_transfer *transfers,
                             size_t count,
                             int status)
{
    CHECK_INT(start_list(t, transfers, count), 0);
    expect_list(t, status);
}

/* Checks the balances of 1, 2 and 3. */
static inline void
expect_balances(struct transfer_fixture *t, int64_t a, int64_t b, int64_t c)
{
    static const char *const sql[] = {
        "SELECT balance_cents FROM accounts WHERE id = 1",
        "SELECT balance_cents FROM accounts WHERE id = 2",
        "SELECT balance_cents FROM accounts WHERE id = 3"};

    CHECK_INT(ask_number(&t->f, sql[0]), a);
    CHECK_INT(ask_number(&t->f, sql[1]), b);
    CHECK_INT(ask_number(&t->f, sql[2]), c);
}

/* The list was refused at run time: which one, why, and that nothing of it
 * has happened. */
static inline void expect_refused(struct transfer_fixture *t,
                                  size_t refused,
                                  enum asq_transfer_reason reason,
                                  const char *words)
{
    CHECK_INT(t->list.refused, refused);
    CHECK_INT(t->list.reason, reason);
    CHECK_CONTAINS(t->list.message, words);
}

#endif
