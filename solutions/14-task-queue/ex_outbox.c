/* ex_outbox - a message is written with the order, and takes effect once
 *
 * The contract, and what is given, is in ex_outbox.h.
 */
#include "ex_outbox.h"

/* The statements. */
/* begin solution */
static const char sql_put[] =
    "INSERT INTO outbox (recipient, payload) VALUES (:recipient, :payload)";
static const char sql_put_aside[] =
    "UPDATE outbox SET state = 2 WHERE state = 0"
    " AND attempts >= :attempts_max AND due_ms <= :now_ms";
static const char sql_take[] =
    "UPDATE outbox SET attempts = attempts + 1, due_ms = :now_ms + :lease_ms"
    " WHERE id = (SELECT min(id) FROM outbox WHERE due_ms <= :now_ms AND id IN"
    " (SELECT min(id) FROM outbox WHERE state = 0 GROUP BY recipient))"
    " RETURNING id, recipient, payload, attempts";
static const char sql_sent[] =
    "UPDATE outbox SET state = 1"
    " WHERE id = :id AND attempts = :attempt AND state = 0";
static const char sql_failed[] =
    "UPDATE outbox SET due_ms = :now_ms + :pause_ms,"
    " state = iif(attempts >= :attempts_max, 2, 0)"
    " WHERE id = :id AND attempts = :attempt AND state = 0";
static const char sql_remember[] =
    "INSERT INTO received (id) VALUES (:id) ON CONFLICT DO NOTHING";
/* end solution */

/* What if the caller has not begun a transaction? */
int ex_outbox_put(sqlite3 *db,
                  const struct ex_message *message,
                  int64_t *ret_id)
{
    /* begin solution */
    int rc;

    if (sqlite3_get_autocommit(db))
        return SQLITE_MISUSE;
    rc = ex_run(db, sql_put, message, NULL);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(db);
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

/* Four steps. What does the outbox say if the relay is killed after each? */
int ex_relay_next(struct ex_relay *relay)
{
    /* begin solution */
    struct ex_message message;
    int failed, rc = ex_run(relay->db, sql_put_aside, NULL, relay);

    if (rc == 0)
        rc = ex_take(relay, sql_take, &message);
    if (rc != 0)
        return rc;
    failed = relay->deliver(relay, &message);
    rc = ex_run(relay->db, failed ? sql_failed : sql_sent, &message, relay);
    if (rc == 0 && sqlite3_changes(relay->db) == 0)
        rc = EX_LOST;
    ex_message_clear(&message);
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

/* Was it received before? */
int ex_receive(sqlite3 *db, const struct ex_message *message)
{
    /* begin solution */
    int rc = ex_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    if (rc != 0)
        return rc;
    rc = ex_run(db, sql_remember, message, NULL);
    if (rc == 0 && sqlite3_changes(db) > 0)
        rc = ex_make_parcel(db, message);
    if (rc == 0)
        rc = ex_run(db, "COMMIT", NULL, NULL);
    if (rc != 0)
        (void)ex_run(db, "ROLLBACK", NULL, NULL); /* rc tells what failed */
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}
