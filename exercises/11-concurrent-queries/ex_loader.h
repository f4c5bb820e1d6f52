/* ex_loader - users by id: what is asked for in one turn is one statement
 *
 * Each caller asks for one user and knows nothing of the others. The loader
 * collects the asks until its turn comes, and makes them one batch: one
 * statement asks the database for all of their keys, and each ask is answered
 * with the row of its key.
 *
 *   - A key that is asked for several times before the turn is in one
 *     statement, once, and each of the asks is answered.
 *   - A statement has at most `limit` keys. If more are asked for, the turn
 *     makes several batches, as few as possible; the keys that were asked for
 *     first are in the first one.
 *   - Rows are matched to asks by the key. They come in any order, and there
 *     is none for a user that does not exist. That is an answer, not an error.
 *   - If a statement fails, every ask of its batch is told so, and no other.
 *   - An ask never joins a statement that has been submitted, not even for the
 *     same key. So no answer is older than its ask.
 *
 * Every function is called, and every callback runs, on the loop thread.
 * Callbacks run only in the loader's turn, exactly one for each successful
 * ex_loader_load. In a callback every function may be called, for any ask. Two
 * loaders share nothing. Depends on conn of lesson 03.
 */
#ifndef EX_LOADER_H
#define EX_LOADER_H

#include "03-event-loop/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct ex_ask;
struct ex_batch;
struct ex_loader;

/* Answers an ask. status is 0 (see ask->found); UV_ECANCELED (it was cancelled,
 * or the loader was closed); or the code with which its statement failed. The
 * ask is the caller's again: it may be freed, or be used for another load. */
typedef void (*ex_answered_cb)(struct ex_ask *ask, int status);

/* The loader is closed; its memory may be freed. */
typedef void (*ex_loader_cb)(struct ex_loader *loader);

enum ex_ask_state {
    EX_IDLE,      /* it has not been loaded yet, or its callback has begun */
    EX_COLLECTED, /* it is in loader->collected and waits for the turn */
    EX_SENT,      /* it is in batch->asks and waits for the statement */
    EX_DUE        /* it is in loader->due: its callback will run */
};

/* Embedded by the caller, all zero before its first load. The memory must stay
 * until its callback begins. */
struct ex_ask {
    /* public */
    void *data;
    /* read-only: valid in the callback */
    int64_t id;       /* the key: of which user */
    bool found;       /* there is such a user; false if status is not 0 */
    const char *name; /* of the user, if found; NULL: it is NULL in the row. The
                         text is borrowed until the callback returns */
    /* private */
    enum ex_ask_state state;
    struct ex_loader *loader; /* NULL before its first load */
    struct ex_batch *batch;   /* NULL until it is sent */
    struct ex_ask *next;      /* the one behind it in its list */
    int status;               /* valid while it is due: what it will be told */
    ex_answered_cb on_answered;
};

/* The asks that share a statement. */
struct ex_batch {
    struct ex_loader *loader;
    struct ex_ask *asks;        /* the first that waits for the answer, or NULL;
                                   in the order in which they were added */
    struct asq_request request; /* the statement. Once it is answered, its
                                   result has the columns id and name, and no
                                   rows if it failed */
    size_t count;               /* of keys */
    int64_t *keys;
    struct ex_batch *next;
    /* used in given.h only */
    bool answered;
    size_t unread; /* asks whose callback has not returned */
    char *json;    /* the keys as a text */
    struct asq_value value;
};

struct ex_loader {
    /* public: may be changed at any time */
    void *data;
    size_t limit; /* how many keys a statement may have: 500; 0: no limit */
    /* private */
    struct asq_conn *conn;
    struct ex_ask *collected; /* the first that waits for the turn, or NULL; in
                                 the order of asking */
    struct ex_batch *batches; /* each until its statement is answered and its
                                 callbacks have run */
    struct ex_ask *due;       /* the first whose callback will run, or NULL */
    ex_loader_cb on_closed;   /* not NULL once close was called */
    uv_idle_t turn;           /* active while there is something to do in the
                                 next turn of the loop; closed last */
};

/* ---- Given, in given.h ----------------------------------------------------
 *
 * In its turn the loader first runs the callbacks that are due. Then, as long
 * as asks are collected, it makes a batch, calls ex_batch_fill and submits the
 * statement. So what is asked for in a callback is sent in the same turn. At
 * last it looks at whether it can close: close was called, and no ask waits, no
 * callback is due and no statement is pending.
 */

/* Makes a loader that runs its statements on conn. You must close it, before
 * conn. */
void ex_loader_init(struct ex_loader *loader,
                    uv_loop_t *loop,
                    struct asq_conn *conn);

/* Asks for a user: puts the ask at the end of loader->collected and wakes the
 * loader. Returns 0: on_answered will run, never inside this call. Returns
 * UV_EINVAL if the ask is collected, sent or due, and UV_ESHUTDOWN after close;
 * then on_answered never runs. */
int ex_loader_load(struct ex_loader *loader,
                   struct ex_ask *ask,
                   int64_t id,
                   ex_answered_cb on_answered);

/* Asks for a turn of the loader. To ask more than once is harmless. */
void ex_loader_wake(struct ex_loader *loader);

/* Returns whether the batch has this key. */
bool ex_batch_has_key(const struct ex_batch *batch, int64_t id);

/* Adds a key to the statement of the batch. */
void ex_batch_add_key(struct ex_batch *batch, int64_t id);

/* Takes an ask out of loader->collected and puts it at the end of batch->asks.
 * It does not look at the keys. */
void ex_batch_add_ask(struct ex_batch *batch, struct ex_ask *ask);

/* Makes an ask due that is collected or sent: takes it out of its list, puts it
 * at the end of loader->due, with this status, and wakes the loader. If it is
 * due already, it keeps its position there and gets the new status. */
void ex_ask_answer(struct ex_ask *ask, int status);

/* ---- Yours ----------------------------------------------------------------
 */

/* Called with a new batch, which has no asks and no keys yet. Adds its keys, at
 * most as many as loader->limit allows, and every collected ask for one of
 * them. What is left is collected still: the next batch of this turn is for
 * it. */
void ex_batch_fill(struct ex_batch *batch);

/* Called once for each batch, when its statement is answered, or with the code
 * with which it could not be submitted. Makes every ask due that still waits
 * for it, with this status, and with `found` and `name` of the row of its key
 * (they are false and NULL before). The name may point into the result, which
 * stays until the callback of the ask has returned. */
void ex_batch_answered(struct ex_batch *batch, int status);

/* Gives up an ask that is collected or sent: it is told UV_ECANCELED in the
 * next turn, however long the statement takes. Other asks are answered as if
 * nothing had been called, even those for the same key. If nobody waits for the
 * statement any more, it is cancelled (asq_request_cancel).
 *
 * Does nothing in any other state: an ask that is due is told what it was to be
 * told. */
void ex_loader_cancel(struct ex_ask *ask);

/* Refuses new asks from now on, and gives up every ask that is collected or
 * sent, as ex_loader_cancel does. on_closed, which is not NULL, runs last of
 * all, and never inside close. May be called once after init, at any time. */
void ex_loader_close(struct ex_loader *loader, ex_loader_cb on_closed);

#endif
