/* putting - orders and their messages, in the caller's transaction
 *
 * One thread.
 */
#ifndef PUTTING_H
#define PUTTING_H

#include "relaying.h"

#include "grader/traces.h"

/* An order and its message, in the open transaction. Returns the id. */
static inline int64_t order_and_put(struct fixture *f, const char *when)
{
    const struct ex_message message = {
        .recipient = "Ann", .payload = "tea", .size = 3};
    int64_t id = UNTOUCHED;

    raw_do(f->shop,
           "INSERT INTO orders (recipient, goods) VALUES ('Ann', x'746561')");
    expect_code("ex_outbox_put", when, ex_outbox_put(f->shop, &message, &id),
                0);
    test_cause("the transaction is the caller's: put neither begins nor ends "
               "one");
    if (sqlite3_get_autocommit(f->shop))
        test_wrong("the caller's transaction is still open", "%s: it is not",
                   when);
    expect_number("messages that others see before the caller's COMMIT",
                  raw_ask(f->others, "SELECT count(*) FROM outbox"), 0);
    return id;
}

static inline void both_or_neither(void *fixture)
{
    const struct ex_message message = {
        .recipient = "Ben", .payload = "cup", .size = 3};
    struct fixture *f = fixture;
    int64_t id;
    int rc;

    test_leaks_do_not_count();
    raw_do(f->shop, "BEGIN");
    (void)order_and_put(f, "an order that is rolled back");
    raw_do(f->shop, "ROLLBACK");
    expect_outbox(f, "after ROLLBACK", "no message");
    raw_do(f->shop, "SAVEPOINT caller");
    (void)order_and_put(f, "an order in a savepoint that is rolled back");
    raw_do(f->shop, "ROLLBACK TO caller");
    raw_do(f->shop, "RELEASE caller");
    expect_outbox(f, "after ROLLBACK TO", "no message");
    raw_do(f->shop, "BEGIN");
    id = order_and_put(f, "an order");
    raw_do(f->shop, "COMMIT");
    test_cause(NULL);
    expect_outbox(f, "after COMMIT", "1 to Ann unsent (0)");
    expect_number("*ret_id", id, 1);
    test_cause("without a transaction the order is committed without it");
    rc = ex_outbox_put(f->shop, &message, &id);
    expect_outbox(f, "put without a transaction", "1 to Ann unsent (0)");
    expect_code("ex_outbox_put", "put without a transaction", rc,
                SQLITE_MISUSE);
}

static inline void put_one(struct fixture *f,
                           struct test_random *random,
                           enum test_name kind,
                           int64_t size)
{
    static char recipient[3000];
    static unsigned char payload[200000];
    struct ex_message message = {.recipient = recipient,
                                 .payload = size == 0 ? NULL : payload,
                                 .size = (size_t)size};
    int64_t id = UNTOUCHED;

    (void)test_random_name(random, kind, recipient, sizeof recipient);
    for (int64_t i = 0; i < size; i++)
        payload[i] = (unsigned char)test_random_range(random, 0, 3);
    expect_code("ex_outbox_put", "a message",
                ex_outbox_put(f->shop, &message, &id), 0);
    expect_number("the id that put returns", id,
                  raw_ask(f->shop, "SELECT max(id) FROM outbox"));
    message.id = id;
    if (!is_whole(f->shop, &message))
        test_wrong("the outbox has the recipient and the payload, whole",
                   "it has not: '%.60s', %lld bytes", recipient,
                   (long long)size);
}

/* In one transaction, while a statement of the caller is being read. */
static inline void put_many(struct fixture *f)
{
    struct test_traces before;
    struct test_random random;
    sqlite3_stmt *own;

    test_random_init(&random, 2);
    do_sql(f->others, "INSERT INTO sqlite_sequence VALUES ('outbox', %lld)",
           (long long)(INT64_C(9007199254740992) +
                       test_random_range(&random, 0, 1000)));
    test_traces_look(f->others, f->shop, &before);
    raw_do(f->shop, "BEGIN");
    own = begin_own(f->shop);
    for (int kind = 0; kind < TEST_NAMES; kind++)
        put_one(f, &random, (enum test_name)kind,
                kind == 1 ? 100000 + test_random_range(&random, 0, 99999)
                          : test_random_range(&random, 0, 9) * (kind % 3));
    for (int i = 0; i < 30; i++)
        put_one(f, &random, TEST_NAME_PLAIN, 1);
    end_own(f->shop, own);
    raw_do(f->shop, "COMMIT");
    test_traces_settings(f->shop, &before, "when messages are put");
    expect_number("messages", raw_ask(f->others, "SELECT count(*) FROM outbox"),
                  TEST_NAMES + 30);
}

/* Returns whether a step has failed. */
static inline bool
put_fails_at(struct fixture *f, const struct fault *fault, int nth)
{
    const struct ex_message message = {
        .recipient = "Ann", .payload = "tea", .size = 3};
    int64_t id = UNTOUCHED;
    bool failed;
    int rc;

    empty(f);
    raw_do(f->shop, "BEGIN; INSERT INTO orders VALUES (1, 'Ann', x'')");
    f->fault = fault;
    f->countdown = nth;
    rc = ex_outbox_put(f->shop, &message, &id);
    failed = has_failed(f);
    if (failed) {
        expect_fault(f, "ex_outbox_put", rc);
        expect_number("*ret_id after an error", id, UNTOUCHED);
        expect_closed(f->shop, f->what, !fault->undone);
        f->fault = NULL;
        expect_rows(f->shop, outbox_rows, f->what, "no message");
        if (!fault->undone)
            expect_number("orders in the caller's transaction",
                          raw_ask(f->shop, "SELECT count(*) FROM orders"), 1);
    }
    f->fault = NULL;
    take_away(f->shop);
    return failed;
}

static inline void put_without_memory(struct fixture *f)
{
    const struct ex_message message = {
        .recipient = "Ann", .payload = "tea", .size = 3};
    bool failed = true;

    empty(f);
    for (uint64_t nth = 1; failed; nth++) {
        int64_t id = UNTOUCHED;
        int rc;

        raw_do(f->shop, "BEGIN; INSERT INTO orders VALUES (1, 'Ann', x'')");
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        rc = ex_outbox_put(f->shop, &message, &id);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (rc != 0 && rc != SQLITE_IOERR_NOMEM)
            expect_code("ex_outbox_put", "an allocation fails", rc,
                        SQLITE_NOMEM);
        expect_number("messages when an allocation fails",
                      raw_ask(f->shop, "SELECT count(*) FROM outbox"), rc == 0);
        if (!sqlite3_get_autocommit(f->shop))
            raw_do(f->shop, "ROLLBACK");
    }
}

static inline void put_whole_or_not(void *fixture)
{
    struct fixture *f = fixture;
    struct fault faults[FAULTS];

    put_many(f);
    draw_faults(faults);
    for (int i = 0; i < FAULTS; i++)
        for (int nth = 1; put_fails_at(f, &faults[i], nth); nth++)
            continue;
    put_without_memory(f);
}

#endif
