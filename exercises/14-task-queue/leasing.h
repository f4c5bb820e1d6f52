/* leasing - what others do while a relay delivers a message
 *
 * One thread: they act inside the delivery, or when a statement is about to
 * begin.
 */
#ifndef LEASING_H
#define LEASING_H

#include "relaying.h"

/* What the others may do while a message is delivered. */
static inline void others_act(struct fixture *f)
{
    test_cause("the message is taken in a transaction of its own, which is "
               "over before deliver is called");
    if (!sqlite3_get_autocommit(f->shop))
        test_wrong("no transaction is open while a message is delivered",
                   "one is");
    if (sqlite3_exec(f->others, "INSERT INTO notes VALUES (1)", NULL, NULL,
                     NULL) != SQLITE_OK)
        test_wrong("others can write while a message is delivered", "%s",
                   sqlite3_errmsg(f->others));
    test_cause("taking a message counts the attempt and begins the lease, and "
               "does nothing else");
    expect_outbox(f, "while message 1 is delivered",
                  "1 to Ann unsent (1) due at 1500, 2 to Ben unsent (0), "
                  "3 to Ann unsent (0)");
    raw_do(f->shop, "BEGIN; DELETE FROM notes; COMMIT");
    test_cause("a message is reserved until its lease is over");
    f->relay.now_ms += LEASE - 1;
    expect_code("ex_relay_next", "another relay, at the same time",
                relay_elsewhere(f, 0), 0);
    expect_code("ex_relay_next", "another relay, once more",
                relay_elsewhere(f, 0), UV_ENOENT);
}

/* The lease is over: another relay takes the message, and answers so. */
static inline void taken_and_sent(struct fixture *f)
{
    f->relay.now_ms += LEASE;
    expect_code("ex_relay_next", "the lease is over, another relay",
                relay_elsewhere(f, 0), 0);
}

static inline void taken_and_failed(struct fixture *f)
{
    f->relay.now_ms += LEASE;
    expect_code("ex_relay_next", "the lease is over, another relay",
                relay_elsewhere(f, 1), 0);
    f->relay.now_ms += 1;
}

static inline void put_aside(struct fixture *f)
{
    f->relay.now_ms += LEASE;
    expect_code("ex_relay_next", "the last lease is over, another relay",
                relay_elsewhere(f, 0), UV_ENOENT);
}

static inline void late(struct fixture *f)
{
    f->relay.now_ms += 10 * LEASE;
}

/* Each relay of a message that was lost changes nothing. */
static inline void lost(struct fixture *f)
{
    static const struct {
        const char *when;
        meanwhile_fn *meanwhile;
        int attempts; /* before */
        int code;
        const char *delivered[2], *outbox[2]; /* answered 0, and 1 */
    } runs[] = {{"another relay has sent it",
                 taken_and_sent,
                 0,
                 EX_LOST,
                 {"1, 1 (attempt 2)", "1, 1 (attempt 2)"},
                 {"1 to Ann sent (2)", "1 to Ann sent (2)"}},
                {"another relay has failed with it",
                 taken_and_failed,
                 0,
                 EX_LOST,
                 {"1, 1 (attempt 2)", "1, 1 (attempt 2)"},
                 {"1 to Ann unsent (2) due at 1570",
                  "1 to Ann unsent (2) due at 1570"}},
                {"another relay has put it aside",
                 put_aside,
                 2,
                 EX_LOST,
                 {"1 (attempt 3)", "1 (attempt 3)"},
                 {"1 to Ann dead (3)", "1 to Ann dead (3)"}},
                {"the lease is over, and nobody has taken it",
                 late,
                 0,
                 0,
                 {"1", "1"},
                 {"1 to Ann sent (1)", "1 to Ann unsent (1) due at 6070"}}};

    for (size_t i = 0; i < 2 * sizeof runs / sizeof runs[0]; i++) {
        size_t run = i / 2, answer = i % 2;
        char when[WHAT_SIZE];

        empty(f);
        do_sql(f->others,
               "INSERT INTO outbox (recipient, payload, attempts)"
               " VALUES ('Ann', x'00', %d)",
               runs[run].attempts);
        (void)snprintf(when, sizeof when, "%s, and this delivery %s",
                       runs[run].when, answer == 0 ? "succeeds" : "fails");
        test_while("%s", when);
        test_cause("id and attempt together say who was the last to take it");
        f->answer = (int)answer;
        f->meanwhile = runs[run].meanwhile;
        relay_once(f, when, runs[run].code, runs[run].delivered[answer]);
        expect_outbox(f, when, runs[run].outbox[answer]);
    }
}

/* Whenever nothing is open, another relay comes first. */
static inline void relay_first(struct fixture *f, sqlite3 *db, const char *sql)
{
    (void)sql;
    if (db == f->shop && sqlite3_get_autocommit(db) && f->intrusions++ < 8)
        (void)relay_elsewhere(f, 0);
}

static inline void two_relays(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    put_row(f, "Ann");
    put_row(f, "Ben");
    put_row(f, "Ann");
    f->meanwhile = others_act;
    relay_once(f, "a message is delivered", 0, "1, 2");
    expect_outbox(f, "message 1 is sent",
                  "1 to Ann sent (1), 2 to Ben sent (1), 3 to Ann unsent (0)");
    lost(f);
    empty(f);
    test_while("two relays take messages at the same time");
    test_cause("a message is looked up in one statement and taken in another");
    for (int i = 0; i < 20; i++)
        do_sql(f->others,
               "INSERT INTO outbox (recipient, payload)"
               " VALUES ('%d', x'00')",
               i);
    f->intrude = relay_first;
    for (int i = 0; i < 20; i++)
        (void)ex_relay_next(&f->relay); /* the outbox tells */
    f->intrude = NULL;
    expect_number("deliveries of 20 messages by two relays", f->delivered, 20);
    expect_number("messages sent in one attempt",
                  raw_ask(f->others, "SELECT count(*) FROM outbox WHERE"
                                     " state = 1 AND attempts = 1"),
                  20);
}

#endif
