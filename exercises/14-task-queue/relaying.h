/* relaying - a relay whose deliveries end in the test, and a second one
 *
 * Each delivery is written down. Inside it a test can let time go on, or let
 * others act. One thread.
 */
#ifndef RELAYING_H
#define RELAYING_H

#include "shop.h"

/* Writes a delivery down. Allocates nothing. */
static inline int note_delivery(struct ex_relay *relay,
                                const struct ex_message *message)
{
    struct fixture *f = relay->data;

    if (f->delivered == DELIVERIES_MAX)
        test_wrong("a message is delivered again only when it is due",
                   "%d deliveries", DELIVERIES_MAX);
    f->deliveries[f->delivered++] =
        (struct delivery){.id = message->id, .attempt = message->attempt};
    return f->answer;
}

/* Whether a message has just this recipient and payload in the outbox. */
static inline bool is_whole(sqlite3 *db, const struct ex_message *message)
{
    sqlite3_stmt *stmt;
    bool whole;

    CHECK_INT(sqlite3_prepare_v2(db,
                                 "SELECT 1 FROM outbox WHERE id = ?"
                                 " AND recipient = ? AND payload = ?",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 1, message->id), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 2, message->recipient, -1, SQLITE_STATIC),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_blob64(stmt, 3,
                                  message->size > 0 ? message->payload : "",
                                  message->size, SQLITE_STATIC),
              SQLITE_OK);
    whole = sqlite3_step(stmt) == SQLITE_ROW;
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return whole;
}

static inline int deliver_to_test(struct ex_relay *relay,
                                  const struct ex_message *message)
{
    struct fixture *f = relay->data;
    meanwhile_fn *meanwhile = f->meanwhile;
    int answer = note_delivery(relay, message);

    if (!is_whole(f->others, message))
        test_wrong("deliver gets the recipient and the payload of the message",
                   "message %lld to '%.60s', %zu bytes", (long long)message->id,
                   message->recipient, message->size);
    f->meanwhile = NULL; /* once, and not for what it does itself */
    if (meanwhile != NULL)
        meanwhile(f);
    return answer;
}

/* What has been delivered since the last call: "1, 2 (attempt 2)". */
static inline void
expect_delivered(struct fixture *f, const char *when, const char *expected)
{
    char got[2 * TEXT_SIZE] = "", want[TEXT_SIZE];
    size_t used = 0;

    for (int i = 0; i < f->delivered && used < TEXT_SIZE; i++) {
        const struct delivery *one = &f->deliveries[i];

        used += (size_t)snprintf(got + used, sizeof got - used, "%s%lld",
                                 used > 0 ? ", " : "", (long long)one->id);
        if (one->attempt != 1)
            used +=
                (size_t)snprintf(got + used, sizeof got - used,
                                 " (attempt %lld)", (long long)one->attempt);
    }
    f->delivered = 0;
    (void)snprintf(want, sizeof want, "%s: %s", when,
                   expected[0] != '\0' ? expected : "nothing is delivered");
    if (strcmp(got, expected) != 0)
        test_wrong(want, got[0] != '\0' ? "delivered: %s" : "nothing is", got);
}

/* Calls ex_relay_next once. What it leaves open is judged elsewhere. */
static inline void
relay_once(struct fixture *f, const char *when, int code, const char *expected)
{
    int rc = ex_relay_next(&f->relay);

    take_away(f->shop);
    expect_delivered(f, when, expected);
    expect_code("ex_relay_next", when, rc, code);
}

/* Calls it until nothing is left to take now. */
static inline void
relay_all(struct fixture *f, const char *when, const char *expected)
{
    int rc = 0;

    for (int i = 0; i < DELIVERIES_MAX && rc == 0; i++)
        rc = ex_relay_next(&f->relay);
    take_away(f->shop);
    expect_delivered(f, when, expected);
    expect_code("in the end, ex_relay_next", when, rc, UV_ENOENT);
}

/* Another relay, at a connection of its own, at the same time. */
static inline int relay_elsewhere(struct fixture *f, int answer)
{
    struct ex_relay second = f->relay;
    int before = f->answer, rc;

    second.db = f->others;
    f->answer = answer;
    rc = ex_relay_next(&second);
    f->answer = before;
    take_away(f->others);
    return rc;
}

/* Writes a message as put would. */
static inline void put_row(struct fixture *f, const char *recipient)
{
    do_sql(f->others,
           "INSERT INTO outbox (recipient, payload) VALUES ('%s', x'00')",
           recipient);
}

#endif
