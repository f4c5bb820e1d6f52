/* buyers - two threads with a connection each, and the same carts
 *
 * The thread of the test fills the carts and later looks at the orders. In the
 * meantime each buyer belongs to its own thread.
 */
#ifndef BUYERS_H
#define BUYERS_H

#include "shop.h"

enum {
    THREADS = 2,
    CARTS = 200, /* each thread tries to check out all of them */
    ITEMS = 12,
    PIECES = 40 /* of each item */
};

static struct {
    uv_barrier_t start;
    struct buyer {
        uv_thread_t thread;
        sqlite3 *db;
        int codes[CARTS];
        int64_t orders[CARTS];
    } buyers[THREADS];
} crowd;

static inline void buy(void *data)
{
    struct buyer *buyer = data;

    (void)uv_barrier_wait(
        &crowd.start); /* it does not matter which comes last */
    for (int i = 0; i < CARTS; i++)
        buyer->codes[i] = ex_checkout(buyer->db, i, &buyer->orders[i]);
}

static inline void fill_carts(sqlite3 *db)
{
    uint64_t random = test_seed();

    raw_do(db, "BEGIN; DELETE FROM stock; DELETE FROM cart_lines");
    for (int i = 1; i <= ITEMS; i++)
        do_sql(db, "INSERT INTO stock VALUES (%d, 'item', %d, %d)", i, i * 37,
               PIECES);
    for (int i = 0; i < CARTS * 3; i++) { /* the same item twice is one line */
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        do_sql(db, "INSERT OR IGNORE INTO cart_lines VALUES (%d, %d, %d)",
               i / 3, (int)(random >> 33) % ITEMS + 1,
               (int)(random >> 50) % 4 + 1);
    }
    raw_do(db, "COMMIT");
}

/* Each cart was bought once, or by nobody. Returns how many were bought. */
static inline int64_t expect_answers(struct fixture *f)
{
    int64_t bought = 0;

    for (int i = 0; i < CARTS; i++) {
        char sql[WHAT_SIZE];
        int one = crowd.buyers[0].codes[i], two = crowd.buyers[1].codes[i];
        int64_t order = crowd.buyers[one != 0].orders[i];

        if ((one != EX_SOLD_OUT || two != EX_SOLD_OUT) &&
            (one != 0 || two != UV_ENOENT) && (one != UV_ENOENT || two != 0))
            test_wrong("a cart is bought once (0 and UV_ENOENT), or it is "
                       "EX_SOLD_OUT for both",
                       "cart %d: %s and %s", i, code_name(one), code_name(two));
        if (one == EX_SOLD_OUT)
            continue;
        bought++;
        (void)snprintf(sql, sizeof sql,
                       "SELECT cart FROM orders WHERE id = %lld",
                       (long long)order);
        ask(f, "the cart of the order that was returned", sql, i);
    }
    return bought;
}

#endif
