/* ex_outbox - a message is written with the order, and takes effect once
 *
 * A shop takes orders. A warehouse, which has a database of its own, makes a
 * parcel of each. No transaction covers both databases, so an order travels as
 * a message:
 *
 *     put      the shop writes the order and a message in one transaction
 *     relay    delivers the next message, and notes in the outbox how it went
 *     receive  the warehouse makes the parcel, unless it has done so already
 *
 * A relay that is killed between delivering and noting delivers the message
 * once more later. So every message comes at least once, and the warehouse
 * makes sure that it takes effect once.
 *
 * The tables, STRICT. Times are in milliseconds. In the shop's database:
 *
 *     outbox    id INTEGER PRIMARY KEY AUTOINCREMENT,
 *               recipient TEXT NOT NULL, payload BLOB NOT NULL,
 *               state INTEGER NOT NULL DEFAULT 0,    one of enum ex_state
 *               attempts INTEGER NOT NULL DEFAULT 0, how often it was taken
 *               due_ms INTEGER NOT NULL DEFAULT 0    not taken before this time
 *
 * In the warehouse's:
 *
 *     received  id INTEGER PRIMARY KEY               of each message
 *     parcels   number INTEGER PRIMARY KEY,
 *               recipient TEXT NOT NULL, payload BLOB NOT NULL
 *
 * Everything happens on one thread, but other connections, in this process or
 * another, use the same files at the same time, and other relays the same
 * outbox. Every connection is borrowed and returns extended codes
 * (sqlite3_extended_result_codes). Its settings and the statements of others
 * are left alone. Whatever a function returns, it leaves no statement and no
 * transaction of its own open.
 */
#ifndef EX_OUTBOX_H
#define EX_OUTBOX_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for the code UV_ENOENT */

enum {
    EX_LOST = -100001 /* below all codes of libuv */
};

enum ex_state {
    EX_UNSENT, /* it waits, or a relay is delivering it */
    EX_SENT,   /* it was delivered */
    EX_DEAD    /* put aside: all its attempts have failed */
};

struct ex_message {
    int64_t id;            /* the same in every attempt; any number */
    const char *recipient; /* any text, compared byte by byte */
    const void *payload;   /* any bytes */
    size_t size;           /* of the payload; may be 0 */
    int64_t attempt;       /* which one this is; 1 is the first */
    /* used in given.h only */
    void *memory;
};

struct ex_relay;

/* Delivers a message, which is borrowed until it returns. Returns 0 (the
 * recipient has it) or any other number (it failed, or nobody knows). It may
 * take long. It may use relay->db and change relay->now_ms. */
typedef int (*ex_deliver_cb)(struct ex_relay *relay,
                             const struct ex_message *message);

/* All of it is public, and set by the caller. */
struct ex_relay {
    void *data;
    sqlite3 *db;          /* the shop's; no transaction is open */
    int64_t now_ms;       /* the time; it goes on while a message is delivered,
                             and never goes back */
    int64_t lease_ms;     /* how long a message is reserved for a delivery */
    int64_t pause_ms;     /* how long it waits after one that failed */
    int64_t attempts_max; /* 1 or more: after so many it is put aside */
    ex_deliver_cb deliver;
};

/* ---- Given, in given.h ----------------------------------------------------
 */

/* Runs one statement of SQL to its end and binds its parameters by name:
 *
 *     :id  :recipient  :payload  :attempt                of message
 *     :now_ms  :lease_ms  :pause_ms  :attempts_max       of relay
 *
 * Both may be NULL if no parameter is theirs. Rows that it returns are passed
 * over. Returns 0, or an extended SQLITE_* code; SQLITE_MISUSE if sql has a
 * second statement or another parameter. Afterwards sqlite3_changes(db) says
 * how many rows it has inserted, updated or deleted. */
int ex_run(sqlite3 *db,
           const char *sql,
           const struct ex_message *message,
           const struct ex_relay *relay);

/* Runs one statement to its end on relay->db, with the parameters of the relay,
 * and copies its first row, which has the columns id, recipient, payload and
 * attempts in this order. Returns 0: the copy is yours, until
 * ex_message_clear. Otherwise there is nothing to clear: UV_ENOENT (it has
 * returned no row), or as ex_run. */
int ex_take(struct ex_relay *relay,
            const char *sql,
            struct ex_message *ret_message);

/* Frees what ex_take has copied. */
void ex_message_clear(struct ex_message *message);

/* Makes the parcel of a message, in the transaction that is open in the
 * warehouse's db: the effect that must happen once. Returns 0 or an extended
 * SQLITE_* code, that of a constraint too. */
int ex_make_parcel(sqlite3 *db, const struct ex_message *message);

/* ---- Yours ----------------------------------------------------------------
 */

/* Writes a message to the outbox of the shop's db: its recipient and its
 * payload. It becomes part of the caller's transaction, begun by BEGIN or by
 * SAVEPOINT, which stays open: the caller decides about the order and the
 * message together.
 *
 * Returns 0 and writes the id that the message has got to *ret_id. Otherwise
 * *ret_id stays as it was, no message is written, and the caller's transaction
 * is still open, unless SQLite itself has rolled it back. The result is then
 * SQLITE_MISUSE (no transaction is open) or the code of what failed,
 * unchanged. */
int ex_outbox_put(sqlite3 *db,
                  const struct ex_message *message,
                  int64_t *ret_id);

/* Delivers the next message:
 *
 *   1. Puts aside (EX_DEAD) every unsent message that has had attempts_max
 *      attempts or more, and whose due_ms has come, that is, due_ms <= now_ms.
 *      The relay that took it last was killed, or is late.
 *   2. Takes the message with the smallest id of those that may be taken:
 *      unsent, its due_ms has come, and no unsent message of the same recipient
 *      has a smaller id. So each recipient gets its messages in order, and
 *      holds up no other one. Taking it counts the attempt, and sets due_ms to
 *      now_ms + lease_ms: the lease, for which no other relay takes it. Two
 *      relays never take one message at the same time.
 *   3. Delivers it: calls relay->deliver, once, with what is in the outbox. The
 *      steps before are committed by then. No transaction is open, and others
 *      can write.
 *   4. Notes how it went. If deliver has succeeded, the message is EX_SENT. If
 *      it has failed in the last attempt (number attempts_max or above), the
 *      message is EX_DEAD. If there are attempts left, it stays EX_UNSENT and
 *      is due at now_ms + pause_ms, with now_ms as it is after the delivery.
 *
 * When the lease is over, another relay may take the message, which raises
 * `attempts`, or put it aside. Then this relay has lost it: step 4 changes
 * nothing, and the result is EX_LOST. If the lease is over but no other relay
 * has done that, step 4 is as always. The due_ms of a message that is sent or
 * dead means nothing.
 *
 * If there is nothing to put aside and nothing to take, nothing is written.
 *
 * Returns 0 (a message was delivered, or its delivery has failed, and that is
 * noted); UV_ENOENT (none may be taken now); EX_LOST (see above); or the code
 * of the statement that failed, unchanged. If that is one of step 1 or 2,
 * nothing was delivered; if it is one of step 4, the message comes again when
 * its lease is over. */
int ex_relay_next(struct ex_relay *relay);

/* Receives a message in the warehouse: remembers its id in `received` and makes
 * the parcel (ex_make_parcel). If the id was received before, it changes
 * nothing. Messages come in any order of their ids, any number of times, and
 * through several connections at once.
 *
 * db is the warehouse's, and has no transaction open. Both changes are one
 * transaction, BEGIN IMMEDIATE: from its BEGIN on, nobody else can write.
 *
 * Returns 0: the parcel has been made, now or before. Otherwise the code of
 * what failed first, unchanged; then nothing has changed, and the message can
 * be received again. */
int ex_receive(sqlite3 *db, const struct ex_message *message);

#endif
