/* cleaner - undoes what a request has left open before the next one runs */
#include "03-event-loop/cleaner.h"

#include "01-blocking/db_tidy.h"
#include "01-blocking/stmt.h"

#include <stdio.h>

/* Adds up what was found. A raw handle stays open until its owner closes it;
 * every look finds it again, but it counts once. Returns whether anything is
 * new. */
static bool count(struct asq_cleaner *cleaner, const struct asq_leftovers *left)
{
    unsigned handles =
        left->handles > cleaner->handles ? left->handles - cleaner->handles : 0;

    cleaner->handles = left->handles;
    cleaner->left.transactions += left->transactions;
    cleaner->left.statements += left->statements;
    cleaner->left.handles += handles;
    return left->transactions + left->statements + handles > 0;
}

/* Undoes what is open. Returns whether there was anything new. */
static bool clean(struct asq_cleaner *cleaner)
{
    struct asq_leftovers left = {0};

    if (atomic_load(&cleaner->shared_tx) || !cleaner->guard->db_is_open)
        return false;
    if (asq__db_tidy(cleaner->db, &left) == 0)
        return count(cleaner, &left);
    /* No later request may become part of the transaction that is still open.
     * Closing counts it. */
    asq__cleaner_close(cleaner);
    left.transactions = 0;
    (void)count(cleaner, &left);
    return true;
}

/* The runner's own read transaction does not count. */
static bool is_anything_open(struct asq_cleaner *cleaner)
{
    if (cleaner->sharing)
        return cleaner->db->open_statements > 0;
    return cleaner->guard->db_is_open && asq__db_is_anything_open(cleaner->db);
}

/* Returns whether the request may have left something open. Any request can,
 * because SQL calls functions; but only a request that is itself a function can
 * have made raw statements. */
static bool may_leave(struct asq_cleaner *cleaner,
                      const struct asq_request *request)
{
    return request->task == ASQ_TASK_CALL || cleaner->db->open_statements > 0 ||
           (!cleaner->sharing && asq_db_in_transaction(cleaner->db));
}

int asq__cleaner_after(struct asq_cleaner *cleaner,
                       struct asq_request *request,
                       int rc)
{
    if (request->hold_number != 0 || atomic_load(&cleaner->shared_tx)) {
        request->left_open = is_anything_open(cleaner);
        return rc;
    }
    if (!may_leave(cleaner, request))
        return rc;
    if (cleaner->sharing)
        asq__cleaner_end_reads(cleaner); /* the request has not left it open */
    if (!clean(cleaner) || rc != 0)
        return rc;
    /* It fits. */
    (void)snprintf(request->message, sizeof request->message,
                   "it left a transaction, a statement or a handle open, which "
                   "was undone: take a hold, or set shared_tx");
    return SQLITE_MISUSE;
}

bool asq__cleaner_after_member(struct asq_cleaner *cleaner)
{
    struct asq_leftovers left = {0};
    unsigned running = asq__db_running(cleaner->db);

    if (cleaner->db->open_statements == 0 && running <= cleaner->handles) {
        cleaner->handles = running; /* some may have been closed */
        return false;
    }
    if (asq__db_tidy(cleaner->db, &left) != 0)
        asq__cleaner_close(cleaner);
    left.transactions = 0; /* it was not the request's */
    (void)count(cleaner, &left);
    return true;
}

void asq__cleaner_change_hold(struct asq_cleaner *cleaner, size_t hold)
{
    if (cleaner->hold != 0)
        (void)clean(cleaner);
    cleaner->hold = hold;
}

void asq__cleaner_end_hold(struct asq_cleaner *cleaner)
{
    if (cleaner->hold != 0 && cleaner->hold <= atomic_load(cleaner->holds_done))
        asq__cleaner_change_hold(cleaner, 0);
}

void asq__cleaner_end_reads(struct asq_cleaner *cleaner)
{
    /* The answers are complete: the loop takes them while this goes on. */
    asq__guard_post(cleaner->guard);
    if (asq_db_run(cleaner->db, "COMMIT", NULL, NULL) != 0 &&
        asq_db_in_transaction(cleaner->db))
        (void)asq_db_run(cleaner->db, "ROLLBACK", NULL, NULL); /* only reads */
    /* There was no memory for either. A write in it would never be committed.
     */
    if (asq_db_in_transaction(cleaner->db))
        asq__cleaner_close(cleaner);
}

void asq__cleaner_close(struct asq_cleaner *cleaner)
{
    struct asq_leftovers left = {0};

    if (!cleaner->guard->db_is_open)
        return; /* the loop may be reading why */
    /* After everything was cancelled, nobody wants to wait for SQLite's last
     * checkpoint. It cannot fail: every supported version has the option. */
    if (atomic_load(&cleaner->guard->cancelled))
        (void)sqlite3_db_config(asq_db_handle(cleaner->db),
                                SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    asq__db_close_anyway(cleaner->db, &left);
    (void)count(cleaner, &left);
    cleaner->guard->db_is_open = false;
}
