/* store - all writes of a program, through one connection and in groups
 *
 * SQLite has one lock for writing, and a COMMIT may wait for the disk. A store
 * is the one connection that writes. It puts all requests that wait into one
 * transaction, a *group*, so that one COMMIT, and one wait for the disk, serves
 * all of them. Each request has an outcome of its own, as if it had been alone:
 *
 *   - No request is answered before its COMMIT has returned.
 *   - One that fails changes nothing and does not touch its neighbours. Where
 *     SQLite undoes the whole transaction, the others run again, each by
 *     itself, at most once.
 *   - A request that nobody waits behind runs at once: there is no timer.
 *
 * A store is a conn: open, requests, holds, transactions of lesson 07, cancel,
 * deadlines, close and shutdown are those of &store->conn, and the contract in
 * conn.h holds, with these differences:
 *
 *   - asq_conn_open returns UV_EINVAL also if shared_tx is set, or if gap_ms or
 *     a bound of the group is 0.
 *   - The store copies the WAL into the database file itself, when the answers
 *     have gone out (see wal_keeper.h): the profile's wal_autocheckpoint is not
 *     used. If its journal_size_limit is not set, the WAL is cut to 8 KiB for
 *     each of wal_pages when it starts over.
 *   - A function (asq_conn_call) is all or nothing, and it may run twice. It
 *     must have no effect outside the database, except on its own request.
 *   - BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ATTACH, DETACH, VACUUM and PRAGMA in
 *     a request without a hold get SQLITE_AUTH; only PRAGMA data_version,
 *     page_size and database_list may be asked. A function may have savepoints
 *     and run asq_db_script. If it ends the transaction all the same, it has
 *     changed nothing, and its status is what it returns, or SQLITE_MISUSE in
 *     place of 0. A script refuses them with SQLITE_MISUSE, as anywhere, and
 *     any PRAGMA with SQLITE_AUTH.
 *   - A deferred foreign key must hold at the end of each request.
 *   - A COMMIT whose outcome is unknown, or that finds a reader in the way
 *     (without WAL), is told to every request of the group that had not failed
 *     before; after any other error, such as a full disk, they run again. A
 *     query of the group is told too: it may have seen rows that are not there
 *     any more.
 *   - If the lock for writing is not free within the profile's busy_ms, all
 *     requests that the worker had taken by then get SQLITE_BUSY.
 *   - If a request is cancelled before its group begins, it does not run. If
 *     its statement has run, it is committed, and its status says so; but if it
 *     must run again, it does not, and it has changed nothing.
 *   - observe may see a request start twice. It sees it end once, after COMMIT.
 *     It also sees the store's own checkpoint (ASQ_TASK_CHECKPOINT), as on_slow
 *     and on_idle may.
 *   - While a blob that a function has left open for writing is not closed,
 *     SQLite cannot commit, and requests get SQLITE_BUSY.
 *
 * It uses SQLite's authorizer, commit hook and WAL hook.
 *
 * Call every function on the loop thread. Depends on group, wal_keeper, conn of
 * lesson 03 and pool of lesson 10.
 */
#ifndef ASQ_STORE_H
#define ASQ_STORE_H

#include "03-event-loop/conn.h"
#include "10-pooling/pool.h"
#include "13-group-commit/group.h"
#include "13-group-commit/wal_keeper.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_store;

/* Something about the WAL. status is 0: it has more than wal_limit pages,
 * because somebody reads all the time, or for a long time; called again only
 * after it has started over. Or status is the code with which a checkpoint
 * failed. It is tried again after the next request; if that fails too, the
 * database is closed, and requests get UV_ESHUTDOWN. Called with the next
 * answer after it happened. */
typedef void (*asq_store_wal_cb)(struct asq_store *store,
                                 int status,
                                 size_t pages);

struct asq_store {
    struct asq_conn conn; /* for requests, holds, cancel and close; its public
                             fields may be set, except shared_tx; capacity is
                             4,096, and poll_us 150, which covers a group */
    /* public: set between init and open. A group ends after the request with
     * which it reaches one of the first three */
    size_t group_rows;  /* changed: 100,000 */
    size_t group_bytes; /* of texts and blobs in parameters: 1 MiB. A request
                           with more than an eighth of it does not join a group
                           that has begun */
    unsigned group_us;  /* 5,000 */
    unsigned wal_pages; /* a checkpoint each time the WAL has grown by so many
                           pages: 1,000; 0: never, you do it */
    unsigned wal_limit; /* in pages: 16,000 */
    unsigned gap_ms;    /* how long at most the readers wait for the store, and
                           the store for one that still reads: 100 */
    struct asq_pool *readers; /* pauses for a moment if the WAL does not get
                                 shorter; or NULL. Borrowed until on_closed of
                                 the conn */
    asq_store_wal_cb on_wal;  /* or NULL */
    /* private */
    struct asq__group group;
    struct asq__wal_keeper keeper;
    struct asq_request gap; /* loop thread only, with the next two */
    bool in_gap;
    size_t gaps;
};

/* What a store has done since it was opened. */
struct asq_store_stats {
    /* of requests without a hold */
    size_t groups;                 /* transactions that were committed */
    size_t committed;              /* requests that succeeded */
    size_t largest;                /* group, in requests */
    size_t rerun;                  /* requests that ran again */
    size_t wal_pages, wal_longest; /* now, and most */
    size_t checkpoints;
    uint64_t checkpoint_ns; /* how long they took */
    size_t gaps;            /* how often the readers paused */
};

/* Sets the defaults, also those of the conn. Then open the conn. */
void asq_store_init(struct asq_store *store);

/* Returns what was counted since open. */
struct asq_store_stats asq_store_statistics(const struct asq_store *store);

#ifdef __cplusplus
}
#endif

#endif
