/* receiving - messages that come to the warehouse, once or more often
 *
 * One thread; `outside` is another connection to the warehouse, through which
 * messages come too.
 */
#ifndef RECEIVING_H
#define RECEIVING_H

#include "shop.h"

#include "grader/traces.h"

enum {
    IDS = 12
};

static inline struct ex_message
text_message(int64_t id, const char *recipient, const char *payload)
{
    return (struct ex_message){.id = id,
                               .recipient = recipient,
                               .payload = payload,
                               .size = strlen(payload),
                               .attempt = 1};
}

static inline void receive(struct fixture *f,
                           sqlite3 *db,
                           const char *when,
                           const struct ex_message *message,
                           int64_t parcels)
{
    int rc = ex_receive(db, message);
    char text[TEXT_SIZE];

    take_away(db);
    expect_code("ex_receive", when, rc, 0);
    (void)snprintf(text, sizeof text, "%s: parcels", when);
    expect_number(text, raw_ask(f->outside, "SELECT count(*) FROM parcels"),
                  parcels);
}

/* Ids in any order, all of them twice, and always the same parcel. */
static inline void receive_ids(struct fixture *f)
{
    static const int64_t ids[IDS] = {5,
                                     3,
                                     0,
                                     -1,
                                     INT64_MAX,
                                     INT64_MIN,
                                     INT64_C(9007199254740993),
                                     INT64_C(9007199254740992),
                                     INT64_C(4294967301), /* 2^32 + 5 */
                                     INT64_C(-4294967291),
                                     4,
                                     1};
    struct test_random random;
    int order[2 * IDS], seen[IDS] = {0};
    int64_t parcels = 0;

    test_random_init(&random, 3);
    test_random_order(&random, order, 2 * IDS);
    for (int i = 0; i < 2 * IDS; i++) {
        int one = order[i] % IDS;
        struct ex_message message = text_message(ids[one], "Ann", "tea");
        char when[WHAT_SIZE];

        (void)snprintf(when, sizeof when, "message %lld comes for the %s time",
                       (long long)ids[one],
                       seen[one]++ == 0 ? "first" : "second");
        message.attempt = 3 - i % 3; /* those before did not get here */
        test_cause("a message is known by its id alone, and messages come in "
                   "any order");
        receive(f, i % 3 == 0 ? f->outside : f->warehouse, when, &message,
                parcels += seen[one] == 1);
    }
    expect_number("ids in received",
                  raw_ask(f->outside, "SELECT count(*) FROM received"), IDS);
    for (int i = 0; i < IDS; i++) {
        char sql[WHAT_SIZE];

        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM received WHERE id = CAST('%lld'"
                       " AS INTEGER)",
                       (long long)ids[i]);
        expect_number("ids in received that have come",
                      raw_ask(f->outside, sql), 1);
    }
    test_cause(NULL);
}

static inline void received_once(void *fixture)
{
    static char recipient[2000], payload[70000];
    struct fixture *f = fixture;
    struct ex_message message = text_message(1, "Ann", "tea");
    struct test_random random;

    test_leaks_do_not_count();
    receive(f, f->warehouse, "message 1 comes", &message, 1);
    expect_rows(f->outside, parcel_rows, "message 1 comes", "Ann tea");
    expect_rows(f->outside, received_rows, "message 1 comes", "received 1");
    message.attempt = 2;
    test_cause("a message that was received before is no error: its sender has "
               "to learn that it has arrived");
    receive(f, f->warehouse, "message 1 comes again", &message, 1);
    test_cause(NULL);
    empty(f);
    receive_ids(f);
    empty(f);
    test_random_init(&random, 4);
    message = (struct ex_message){.recipient = recipient, .payload = payload};
    for (int kind = 0; kind < TEST_NAMES; kind++) {
        message.id++;
        message.size = (size_t)kind * 13000;
        (void)test_random_name(&random, (enum test_name)kind, recipient,
                               sizeof recipient);
        receive(f, f->warehouse, "any recipient and payload", &message,
                message.id);
    }
    expect_number("bytes in all parcels",
                  raw_ask(f->outside, "SELECT sum(length(payload)) FROM"
                                      " parcels"),
                  15 * 13000);
}

/* Nothing has changed, and nothing is open; then it comes again. */
static inline void
expect_unreceived(struct fixture *f, const char *what, bool known)
{
    struct ex_message message = text_message(7, "Ann", "tea");

    expect_closed(f->warehouse, what, false);
    test_cause("the id and the parcel are written both or not at all");
    expect_rows(f->outside, received_rows, what,
                known ? "received 7" : "received nothing");
    expect_rows(f->outside, parcel_rows, what, known ? "Ann tea" : "no parcel");
    test_cause(NULL);
    f->fault = NULL;
    if (ex_receive(f->warehouse, &message) != 0)
        test_wrong("after an error the message can be received again",
                   "%s, then it cannot", what);
    expect_closed(f->warehouse,
                  known ? "it was received before" : "it is received", false);
    expect_rows(f->outside, parcel_rows, "it is received again", "Ann tea");
}

/* Returns whether a step has failed. */
static inline bool receive_fails_at(struct fixture *f,
                                    const struct fault *fault,
                                    int nth,
                                    bool known)
{
    struct ex_message message = text_message(7, "Ann", "tea");
    bool failed;
    int rc;

    empty(f);
    if (known)
        raw_do(f->outside, "INSERT INTO received VALUES (7);"
                           "INSERT INTO parcels VALUES (1, 'Ann', x'746561')");
    f->fault = fault;
    f->countdown = nth;
    rc = ex_receive(f->warehouse, &message);
    failed = has_failed(f);
    if (failed) {
        expect_fault(f, "ex_receive", rc);
        expect_unreceived(f, f->what, known);
    } else {
        expect_code("ex_receive", "nothing fails", rc, 0);
        expect_closed(f->warehouse,
                      known ? "it was received before" : "it is received",
                      false);
    }
    f->fault = NULL;
    return failed;
}

static inline int refuse_commit(void *data)
{
    (void)data;
    return 1;
}

static inline void commit_fails(struct fixture *f)
{
    struct ex_message orphan = text_message(8, "Orphan", "tea"),
                      message = text_message(7, "Ann", "tea");

    empty(f);
    test_while("COMMIT fails and leaves the transaction open");
    expect_code("ex_receive", "COMMIT fails", ex_receive(f->warehouse, &orphan),
                SQLITE_CONSTRAINT_FOREIGNKEY);
    expect_unreceived(f, "COMMIT fails", false);
    empty(f);
    test_while("COMMIT fails and rolls back");
    (void)sqlite3_commit_hook(f->warehouse, refuse_commit,
                              NULL); /* the first */
    expect_code("ex_receive", "COMMIT rolls back",
                ex_receive(f->warehouse, &message),
                SQLITE_CONSTRAINT_COMMITHOOK);
    (void)sqlite3_commit_hook(f->warehouse, NULL,
                              NULL); /* the one from above */
    expect_unreceived(f, "COMMIT rolls back", false);
    empty(f);
    test_while("another connection is writing");
    raw_do(f->outside, "BEGIN IMMEDIATE");
    expect_code("ex_receive", "another connection is writing",
                ex_receive(f->warehouse, &message), SQLITE_BUSY);
    raw_do(f->outside, "ROLLBACK");
    expect_unreceived(f, "another connection is writing", false);
}

/* At BEGIN the same message comes through another connection; after it, nothing
 * can. */
static inline void
receive_elsewhere(struct fixture *f, sqlite3 *db, const char *sql)
{
    static const char same[] =
        "BEGIN IMMEDIATE; INSERT INTO received VALUES (7);"
        "INSERT INTO parcels VALUES (1, 'Ann', x'746561'); COMMIT";

    if (db != f->warehouse)
        return;
    if (!sqlite3_get_autocommit(db)) {
        f->intrusions +=
            sqlite3_exec(f->outside, "INSERT INTO received VALUES (99)", NULL,
                         NULL, NULL) == SQLITE_OK;
    } else if (sqlite3_strnicmp(sql, "BEGIN", 5) == 0 ||
               sqlite3_strnicmp(sql, "SAVEPOINT", 9) == 0) {
        (void)sqlite3_exec(f->outside, same, NULL, NULL, NULL); /* once */
    }
}

static inline void receive_without_memory(struct fixture *f)
{
    struct ex_message message = text_message(7, "Ann", "tea");
    bool failed = true;

    for (uint64_t nth = 1; failed; nth++) {
        int rc;

        empty(f);
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        rc = ex_receive(f->warehouse, &message);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (rc == 0)
            continue;
        if (rc != SQLITE_IOERR_NOMEM)
            expect_code("ex_receive", "an allocation fails", rc, SQLITE_NOMEM);
        expect_unreceived(f, "an allocation fails", false);
    }
}

static inline void both_or_nothing(void *fixture)
{
    static const int refused[] = {
        SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE,
        SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT | 88 << 8};
    struct fixture *f = fixture;
    struct ex_message message = text_message(7, "Ann", "tea");
    struct fault faults[FAULTS], constraint;
    struct test_traces before;
    sqlite3_stmt *own;

    test_traces_look(f->outside, f->warehouse, &before);
    for (int i = 0; i < 4; i++) {
        constraint = (struct fault){.what = "a constraint refuses the parcel",
                                    .kind = ROW_FAILS,
                                    .code = refused[i],
                                    .only = "INSERT of parcels"};
        (void)receive_fails_at(f, &constraint, 1, false);
    }
    draw_faults(faults);
    faults[4].only = "INSERT of parcels";
    for (int i = 0; i < FAULTS; i++)
        for (int known = 0; known < 2; known++)
            for (int n = 1; receive_fails_at(f, &faults[i], n, known != 0); n++)
                continue;
    empty(f);
    own = begin_own(f->warehouse);
    expect_code("ex_receive", "while the caller is reading",
                ex_receive(f->warehouse, &message), 0);
    end_own(f->warehouse, own);
    test_traces_settings(f->warehouse, &before, "when messages are received");
    commit_fails(f);
    receive_without_memory(f);
    empty(f);
    test_while("the message comes through another connection before BEGIN");
    f->intrude = receive_elsewhere;
    receive(f, f->warehouse, "it has come elsewhere before BEGIN", &message, 1);
    f->intrude = NULL;
    expect_number("writes of others after BEGIN", f->intrusions, 0);
}

#endif
