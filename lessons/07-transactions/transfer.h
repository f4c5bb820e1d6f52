/* transfer - a list of transfers in cents: all of them, or none
 *
 * A transfer takes from one account and gives to another. A list is one
 * function on the worker in one transaction, so it costs one hop, and another
 * for COMMIT. That the money is there is a condition of the UPDATE that takes
 * it, and the count of changed rows is the answer: nobody gets in between
 * looking and taking.
 *
 * The accounts are those of the shop: accounts (id INTEGER PRIMARY KEY,
 * balance_cents INTEGER). Money is a whole number of cents: 0.1 + 0.2 is not
 * 0.3 in a double.
 *
 * Call every function on the loop thread. The caller owns the list and
 * everything it points to. Depends on tx, and on conn of lesson 03.
 */
#ifndef ASQ_TRANSFER_H
#define ASQ_TRANSFER_H

#include "03-event-loop/conn.h"
#include "07-transactions/tx.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_transfer_list;

/* status is 0 if all transfers of the list are made (inside another
 * transaction: if that one commits); UV_EINVAL if one of them was refused, and
 * `refused` and `reason` say which and why; or any other of asq_tx_end_cb.
 * Unless it is 0, none is made, except if tx.outcome_unknown is set. */
typedef void (*asq_transfer_cb)(struct asq_transfer_list *list, int status);

struct asq_transfer {
    int64_t from, to; /* ids of accounts */
    int64_t cents;
};

enum asq_transfer_reason {
    ASQ_TRANSFER_FINE,
    ASQ_TRANSFER_AMOUNT,  /* cents is 0 or negative */
    ASQ_TRANSFER_SAME,    /* from is to */
    ASQ_TRANSFER_NO_FROM, /* there is no such account */
    ASQ_TRANSFER_NO_TO,
    ASQ_TRANSFER_BALANCE, /* from has less than that */
    ASQ_TRANSFER_TOO_MUCH /* to would have more than an int64 holds */
};

struct asq_transfer_list {
    /* public: set between init and start, borrowed until on_done begins */
    void *data;
    const struct asq_transfer *transfers; /* made in this order: each sees what
                                             those before it have moved */
    size_t count;
    unsigned timeout_ms; /* from start until done; 0: no deadline */
    /* read-only: loop thread, when start has returned UV_EINVAL, and in
     * on_done */
    enum asq_transfer_reason reason;
    size_t refused;                 /* the index of that transfer, if there is a
                                       reason */
    char message[ASQ_MESSAGE_SIZE]; /* one line, if there is a reason or when
                                       status is not 0 */
    struct asq_tx tx;               /* only its outcome_unknown and
                                       timed_out_in */
    /* private */
    struct asq_tx_step step;
    asq_transfer_cb on_done;
};

/* Zeroes the list. */
void asq_transfer_init(struct asq_transfer_list *list);

/* Do not call it while the list is in flight. Accepts NULL. */
void asq_transfer_destroy(struct asq_transfer_list *list);

/* Makes all transfers of the list in a transaction of its own. on_done runs
 * once, when it is over; it may start the list again or free it. Returns 0;
 * UV_EINVAL (no on_done, a count without transfers, or in flight already; or,
 * with a reason, a transfer that no balance can make right: its amount is not
 * above 0, or from is to); or UV_ESHUTDOWN as asq_tx_call. Unless it returns 0,
 * on_done does not run. */
int asq_transfer_start(struct asq_transfer_list *list,
                       struct asq_conn *conn,
                       asq_transfer_cb on_done);

/* The same inside a transaction, as a savepoint: a list that is refused leaves
 * no trace in it, and the caller decides whether the transaction goes on. Also
 * returns UV_EBUSY and UV_ECANCELED as asq_tx_call. */
int asq_transfer_start_inside(struct asq_transfer_list *list,
                              struct asq_tx *outer,
                              asq_transfer_cb on_done);

/* Asks for the list to be given up; on_done says what came of it: UV_ECANCELED,
 * or what it would have said anyway. Harmless when nothing is in flight. */
void asq_transfer_cancel(struct asq_transfer_list *list);

#ifdef __cplusplus
}
#endif

#endif
