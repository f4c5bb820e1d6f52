/* ex_tenants - each tenant has a database, and at most four are open
 *
 * A tenant's database is FOLDER/TENANT.db. Whoever wants to work asks for the
 * tenant, is lent its conn and returns it. The cache opens conns, keeps them
 * open for the next ask, and evicts one where a slot is needed.
 *
 * Every function and callback belongs to the loop thread. A callback runs
 * exactly once and never inside a function of the cache; inside a callback
 * every function may be called. Two caches know nothing of each other. Depends
 * on conn of lesson 03.
 */
#ifndef EX_TENANTS_H
#define EX_TENANTS_H

#include "03-event-loop/conn.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    EX_SLOTS = 4,        /* so many conns are open at a time, at most */
    EX_TENANT_SIZE = 32, /* of a tenant's name, with its end */
    EX_PATH_SIZE = 1024
};

struct ex_ask;
struct ex_slot;
struct ex_tenants;

/* Answers an ask. status is 0: ask->conn is lent, and a return is owed.
 * UV_ECANCELED: the cache was closed before. Otherwise the SQLITE_* or UV_E*
 * code with which opening failed. Unless it is 0, ask is the caller's again. */
typedef void (*ex_answered_cb)(struct ex_ask *ask, int status);

/* The cache is closed; its memory may go. */
typedef void (*ex_tenants_cb)(struct ex_tenants *cache);

/* Embedded by the caller, whose memory stays until it is answered with an
 * error, or returned. */
struct ex_ask {
    /* public */
    void *data;
    /* read-only: valid from the answer until the return. It belongs to the
     * cache: others may have borrowed it too, nobody but the cache closes it */
    struct asq_conn *conn;
    /* private: loop thread only */
    struct ex_slot *slot; /* from which conn was lent */
    struct ex_ask *next;  /* in the line */
    char tenant[EX_TENANT_SIZE];
    int status; /* not 0: it has failed, and will be answered so */
    ex_answered_cb on_answered;
};

/* A slot goes through these in order. */
enum ex_slot_state {
    EX_SLOT_FREE,    /* there is no conn */
    EX_SLOT_OPENING, /* asq_conn_open was called, its callback has not begun */
    EX_SLOT_OPEN,    /* can be lent */
    EX_SLOT_CLOSING  /* asq_conn_close was called, its callback has not begun */
};

struct ex_slot {
    struct ex_tenants *cache;
    enum ex_slot_state state;
    struct asq_conn *conn; /* unless it is free; from the heap */
    char tenant[EX_TENANT_SIZE];
    char path[EX_PATH_SIZE];
    unsigned borrowed; /* so many have borrowed it now */
    uint64_t returned; /* the clock at the last return, or at the open */
};

struct ex_tenants {
    /* public: set between init and the first ask */
    void *data;
    struct asq_profile profile; /* of every conn; path is not looked at */
    /* private: loop thread only */
    const char *folder;
    ex_tenants_cb on_closed; /* not NULL once close was called */
    struct ex_ask *first;    /* not answered yet, in the order of asking */
    size_t waiting;          /* so many are in the line */
    uint64_t clock;          /* goes on with each open and each return */
    struct ex_slot slots[EX_SLOTS];
    uv_idle_t turn; /* active while the line and the slots are to be looked at,
                       in the next turn of the loop; closed last */
};

/* Makes a cache in which nothing is open. folder is borrowed until on_closed.
 * Its close is owed. */
void ex_tenants_init(struct ex_tenants *cache,
                     uv_loop_t *loop,
                     const char *folder);

/* Asks to borrow the conn of a tenant. The name is copied. on_answered will
 * run:
 * - with the tenant's conn if it is open. All who ask for a tenant are lent
 *   the same conn: a tenant is never open twice;
 * - with its conn, newly opened, once there is a slot. An ask that needs a slot
 *   waits for it in a line, which is served from its front. If no slot is free,
 *   the conn that was returned least recently is evicted, of those that nobody
 *   has borrowed; if there is none, the line waits for a return. A conn that
 *   is evicted is closed, callback included, before the next is opened. It may
 *   be the conn of a tenant that is asked for further back in the line; then
 *   that ask waits for a slot too;
 * - with the code if opening fails (UV_ENAMETOOLONG: of FOLDER/TENANT.db), for
 *   every ask for this tenant that waits when opening fails. The conn that
 *   failed is closed, and its slot is then free again. An ask that comes after
 *   the failure begins anew, also one that comes before the slot is free.
 * An ask that waits for a return, in the line or in close, does not keep the
 * loop alive. Returns 0, UV_ESHUTDOWN (after close) or UV_EINVAL (a name is 1
 * to 31 of a-z, 0-9, - and _): then nothing is owed. */
int ex_tenants_ask(struct ex_tenants *cache,
                   struct ex_ask *ask,
                   const char *tenant,
                   ex_answered_cb on_answered);

/* Refuses new asks. An ask that has not been answered gets UV_ECANCELED, if
 * opening has not failed already. What is borrowed stays open until it is
 * returned. When all are answered, every conn is closed and so is the turn,
 * on_closed runs, last of all. Legal once after init, at any time. */
void ex_tenants_close(struct ex_tenants *cache, ex_tenants_cb on_closed);

/* ---- Given, in given.h ----------------------------------------------------
 *
 * Nothing is decided inside of a call or of a conn's callback: they note what
 * has happened and wake the cache. In the next turn of the loop the cache calls
 * ex_cache_serve for each in the line, from its front, and then
 * ex_cache_maybe_closed. ex_tenants_init, ex_tenants_ask and ex_tenants_close
 * are given as well.
 */

/* Asks for a turn. More than once is harmless. */
void ex_cache_wake(struct ex_tenants *cache);

/* Returns the first slot in this state, or NULL. */
struct ex_slot *ex_cache_find_state(struct ex_tenants *cache,
                                    enum ex_slot_state state);

/* Returns the slot of this tenant, whatever its state, or NULL. */
struct ex_slot *ex_cache_find_tenant(struct ex_tenants *cache,
                                     const char *tenant);

/* Takes an ask out of the line and answers it with the slot's conn, which is
 * then borrowed once more. */
void ex_slot_lend(struct ex_slot *slot, struct ex_ask *ask);

/* Begins to open a tenant's conn in a slot that is free, which is OPENING from
 * then on; ex_slot_opened will be called. If that fails at once, the slot stays
 * free, and the asks for the tenant fail. */
void ex_slot_open(struct ex_slot *slot, const char *tenant);

/* Notes the code for each ask in the line that is for this tenant, or for any
 * (NULL), and wakes the cache. They are answered in the next turn. */
void ex_cache_fail(struct ex_tenants *cache, const char *tenant, int code);

/* ---- Yours ----------------------------------------------------------------
 */

/* Called when the conn of a slot (conn->data) is open, or has failed to open:
 * then the asks for its tenant fail with the code, and the conn, for which a
 * close is owed, is closed. */
void ex_slot_opened(struct asq_conn *conn, int status);

/* Does for an ask in the line what can be done now: lends the conn, or sees to
 * it that there will be one, or leaves the ask in the line. */
void ex_cache_serve(struct ex_tenants *cache, struct ex_ask *ask);

/* Gives back what was lent to this ask, whose requests have all been answered.
 * Owed once for each answer with status 0. ask is the caller's again. The conn
 * stays open until its slot is needed. */
void ex_tenants_return(struct ex_ask *ask);

/* Called at the end of each turn. Once close was called (cache->on_closed is
 * not NULL) it begins to close every conn that nobody has borrowed; when there
 * is no reason left to wait, it closes the turn, and then on_closed is called.
 */
void ex_cache_maybe_closed(struct ex_tenants *cache);

#endif
