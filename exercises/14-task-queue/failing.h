/* failing - deliveries that fail, and steps of the relay that fail
 *
 * One thread.
 */
#ifndef FAILING_H
#define FAILING_H

#include "relaying.h"

#include "grader/traces.h"

enum {
    ANSWERS = 6
};

/* Codes that do not survive being cut, or being compared with 0. */
static const int answers[ANSWERS] = {1, -1, 256, -65536, INT_MIN, INT_MAX};

static inline void passes(struct fixture *f)
{
    f->relay.now_ms += 30;
}

static inline void tried_again(struct fixture *f, int answer)
{
    put_row(f, "Ann");
    f->answer = answer;
    f->meanwhile = passes;
    relay_once(f, "the delivery fails", 0, "1");
    expect_outbox(f, "it has failed at 1030",
                  "1 to Ann unsent (1) due at 1100");
    f->relay.now_ms = 1099;
    relay_once(f, "before the pause is over", UV_ENOENT, "");
    f->relay.now_ms = 1100;
    relay_once(f, "the pause is over", 0, "1 (attempt 2)");
    expect_outbox(f, "it has failed twice", "1 to Ann unsent (2) due at 1170");
    put_row(f, "Ann");
    f->relay.now_ms = 1200;
    relay_once(f, "the last attempt", 0, "1 (attempt 3)");
    test_cause("attempts_max is the number of all attempts; after the last one "
               "no pause follows");
    expect_outbox(f, "it has failed three times",
                  "1 to Ann dead (3), 2 to Ann unsent (0)");
    test_cause(NULL);
    f->answer = 0;
    relay_all(f, "the first message is dead", "2");
    empty(f);
    put_row(f, "Ann");
    f->relay.attempts_max = 1;
    f->answer = answer;
    relay_once(f, "the only attempt", 0, "1");
    expect_outbox(f, "the only attempt has failed", "1 to Ann dead (1)");
    f->relay.attempts_max = ATTEMPTS;
}

static inline void in_order(struct fixture *f)
{
    int64_t version;

    empty(f);
    do_sql(f->others,
           "INSERT INTO outbox (recipient, payload) VALUES ('Ann', x'00'),"
           " ('Ann', x'00'), ('ann', x'00'), ('Ben', x'00'), ('Ann ', x'00'),"
           " ('', x'00'), ('Ben', x'00')");
    f->answer = 1;
    relay_once(f, "the first message to Ann fails", 0, "1");
    f->answer = 0;
    test_cause("a message waits for those before it of the same recipient, "
               "and for no others");
    relay_all(f, "then the others go", "3, 4, 5, 6, 7");
    f->relay.now_ms += PAUSE;
    relay_all(f, "then it is due again", "1 (attempt 2), 2");
    empty(f);
    do_sql(f->others,
           "INSERT INTO outbox (recipient, payload, due_ms) VALUES"
           " ('Ann', x'00', 1000), ('Ben', x'00', 900), ('Cem', x'00', 1001)");
    relay_all(f, "of those that are due, the smallest id", "1, 2");
    test_cause(NULL);
    version = raw_ask(f->others, "PRAGMA data_version");
    relay_once(f, "none is due", UV_ENOENT, "");
    expect_number("commits when none is due",
                  raw_ask(f->others, "PRAGMA data_version") - version, 0);
    empty(f);
    do_sql(f->others,
           "INSERT INTO outbox (id, recipient, payload) VALUES"
           " (9007199254740993, 'b', x'00'),"
           " (9007199254740994, 'a', zeroblob(100000)),"
           " (9007199254740992, 'c', x''), (4294967296, 'd', x'2700')");
    f->relay.now_ms = INT64_C(9007199254740992);
    relay_once(f, "four messages are due", 0, "4294967296");
    relay_once(f, "three messages are due", 0, "9007199254740992");
    relay_all(f, "two messages are due", "9007199254740993, 9007199254740994");
    expect_outbox(f, "all were delivered",
                  "4294967296 to d sent (1), 9007199254740992 to c sent (1), "
                  "9007199254740993 to b sent (1), "
                  "9007199254740994 to a sent (1)");
}

/* Their last relay was killed. 4 has an attempt that is still under way. */
static inline void used_up(struct fixture *f)
{
    empty(f);
    do_sql(f->others,
           "INSERT INTO outbox (recipient, payload, attempts, due_ms) VALUES"
           " ('Ann', x'00', 3, 1000), ('Ann', x'00', 0, 0),"
           " ('Ben', x'00', 7, 900), ('Cem', x'00', 3, 1001),"
           " ('Cem', x'00', 0, 0), ('Dan', x'00', 2, 900)");
    test_cause("attempts are counted when a message is taken, so a message "
               "whose relay was killed may have used them up");
    relay_once(f, "messages 1 and 3 have had all attempts", 0, "2");
    expect_outbox(f, "and message 4 is being delivered for the last time",
                  "1 to Ann dead (3), 2 to Ann sent (1), 3 to Ben dead (7), "
                  "4 to Cem unsent (3) due at 1001, 5 to Cem unsent (0), "
                  "6 to Dan unsent (2) due at 900");
    test_cause("a last attempt that succeeds is one that succeeds");
    relay_all(f, "then", "6 (attempt 3)");
    f->relay.now_ms = 1001;
    relay_all(f, "message 4 is dead now", "5");
    expect_outbox(f, "the last attempt of message 6 has succeeded",
                  "1 to Ann dead (3), 2 to Ann sent (1), 3 to Ben dead (7), "
                  "4 to Cem dead (3), 5 to Cem sent (1), 6 to Dan sent (3)");
    test_cause(NULL);
    empty(f);
    do_sql(f->others, "INSERT INTO outbox (recipient, payload, attempts)"
                      " VALUES ('Ann', x'00', 3)");
    relay_once(f, "the only message has had all attempts", UV_ENOENT, "");
    expect_outbox(f, "it was put aside", "1 to Ann dead (3)");
    test_cause(NULL);
}

static inline void fails(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    for (int i = 0; i < ANSWERS; i++) {
        empty(f);
        tried_again(f, answers[i]);
    }
    in_order(f);
    used_up(f);
    empty(f);
    put_row(f, "Ann");
    f->relay.attempts_max = INT64_C(9007199254740993);
    do_sql(f->others, "UPDATE outbox SET attempts = 9007199254740991");
    f->answer = 1;
    relay_once(f, "attempt 2^53", 0, "1 (attempt 9007199254740992)");
    expect_outbox(f, "one is left",
                  "1 to Ann unsent (9007199254740992) due at 1070");
}

/* To be put aside, to be delivered, and others. */
static inline void fill(struct fixture *f)
{
    empty(f);
    do_sql(f->others,
           "INSERT INTO outbox (recipient, payload, attempts) VALUES"
           " ('Dan', x'00', 3), ('Ann', x'00', 0), ('Ben', x'00', 0)");
}

/* After an error everything comes, when it is due. */
static inline void expect_all_sent(struct fixture *f, const char *what)
{
    bool delivered = f->delivered > 0;
    char text[TEXT_SIZE];

    expect_closed(f->shop, what, false);
    read_text(f->others,
              "SELECT state || ' ' || attempts FROM outbox WHERE id = 2", text);
    test_cause("the attempt is counted before the delivery, and whether it is "
               "noted must be looked at");
    if (delivered && strcmp(text, "0 1") != 0)
        test_wrong("message 2 was delivered, but that could not be noted: "
                   "state 0, attempts 1",
                   "%s: %s", what, text);
    f->fault = NULL;
    f->answer = 0;
    for (int i = 0; i < 3; i++) {
        int rc;

        do
            rc = ex_relay_next(&f->relay);
        while (rc == 0 && f->delivered < DELIVERIES_MAX);
        expect_code("ex_relay_next", "later", rc, UV_ENOENT);
        expect_closed(f->shop, "no message is due", false);
        f->relay.now_ms += LEASE + PAUSE;
    }
    expect_number("messages 2 and 3 that are sent in the end",
                  raw_ask(f->others, "SELECT sum(state = 1) FROM outbox"
                                     " WHERE id > 1"),
                  2);
    f->delivered = 0;
}

/* Returns whether a step has failed. */
static inline bool
relay_fails_at(struct fixture *f, const struct fault *fault, int nth)
{
    bool failed;
    int rc;

    fill(f);
    f->answer = nth % 2; /* so that a failure is noted, too */
    f->fault = fault;
    f->countdown = nth / 2 + 1;
    rc = ex_relay_next(&f->relay);
    failed = has_failed(f);
    if (failed) {
        expect_fault(f, "ex_relay_next", rc);
        expect_all_sent(f, f->what);
    }
    f->fault = NULL;
    return failed || nth % 2 == 0;
}

static inline void relay_without_memory(struct fixture *f)
{
    bool failed = true;

    f->relay.deliver = note_delivery;
    for (uint64_t nth = 1; failed; nth++) {
        int rc;

        fill(f);
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        rc = ex_relay_next(&f->relay);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (rc == 0)
            continue;
        if (rc != SQLITE_IOERR_NOMEM)
            expect_code("ex_relay_next", "an allocation fails", rc,
                        SQLITE_NOMEM);
        expect_all_sent(f, "an allocation fails");
    }
}

static inline void each_step_fails(void *fixture)
{
    struct fixture *f = fixture;
    struct fault faults[FAULTS];
    struct test_traces before;
    sqlite3_stmt *own;

    test_traces_look(f->others, f->shop, &before);
    draw_faults(faults);
    for (int i = 0; i < FAULTS; i++)
        for (int nth = 0; relay_fails_at(f, &faults[i], nth); nth++)
            continue;
    relay_without_memory(f);
    fill(f);
    own = begin_own(f->shop);
    expect_code("ex_relay_next", "while the caller is reading",
                ex_relay_next(&f->relay), 0);
    end_own(f->shop, own);
    test_traces_settings(f->shop, &before, "when messages are relayed");
    fill(f);
    test_while("another connection is writing");
    raw_do(f->others, "BEGIN IMMEDIATE");
    expect_code("ex_relay_next", "another connection is writing",
                ex_relay_next(&f->relay), SQLITE_BUSY);
    raw_do(f->others, "ROLLBACK");
    expect_all_sent(f, "another connection is writing");
}

#endif
