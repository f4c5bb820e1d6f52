/* ex_tenants - each tenant has a database, and at most four are open
 *
 * The database of a tenant is FOLDER/TENANT.db. A caller asks for the tenant,
 * is lent its conn and returns it. The cache opens conns, keeps them open for
 * the next ask, and evicts one if its slot is needed.
 *
 * Every function is called, and every callback runs, on the loop thread. A
 * callback runs exactly once and never inside a function of the cache. In a
 * callback every function may be called. Two caches share nothing. Depends on
 * conn of lesson 03.
 */
#ifndef EX_TENANTS_H
#define EX_TENANTS_H

#include "03-event-loop/conn.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    EX_SLOTS = 4,        /* at most so many conns at a time */
    EX_TENANT_SIZE = 32, /* bytes for a tenant's name and its final 0 */
    EX_PATH_SIZE = 1024
};

struct ex_ask;
struct ex_slot;
struct ex_tenants;

/* Answers an ask. If status is 0, ask->conn is lent, and you must return it.
 * UV_ECANCELED: the cache was closed first. Any other status is the SQLITE_* or
 * UV_E* code with which opening failed. Unless it is 0, ask is the caller's
 * again. */
typedef void (*ex_answered_cb)(struct ex_ask *ask, int status);

/* The cache is closed; its memory may be freed. */
typedef void (*ex_tenants_cb)(struct ex_tenants *cache);

/* Embedded by the caller, whose memory must stay until the ask is answered with
 * an error, or the conn is returned. */
struct ex_ask {
    /* public */
    void *data;
    /* read-only: valid from the answer until the return. The conn belongs to
     * the cache: others may have borrowed it too, and only the cache closes
     * it */
    struct asq_conn *conn;
    /* private: loop thread only */
    struct ex_slot *slot; /* whose conn was lent */
    struct ex_ask *next;  /* the one behind it in the line */
    char tenant[EX_TENANT_SIZE];
    int status; /* not 0: it will be answered with this code */
    ex_answered_cb on_answered;
};

/* A slot goes through these states in order. */
enum ex_slot_state {
    EX_SLOT_FREE,    /* it has no conn */
    EX_SLOT_OPENING, /* asq_conn_open was called, its callback has not begun */
    EX_SLOT_OPEN,    /* its conn can be lent */
    EX_SLOT_CLOSING  /* asq_conn_close was called, its callback has not begun */
};

struct ex_slot {
    struct ex_tenants *cache;
    enum ex_slot_state state;
    struct asq_conn *conn; /* on the heap; valid unless the slot is free */
    char tenant[EX_TENANT_SIZE];
    char path[EX_PATH_SIZE];
    unsigned borrowed; /* how many have borrowed it now */
    uint64_t returned; /* the clock at the last return, or when it opened */
};

struct ex_tenants {
    /* public: set between init and the first ask */
    void *data;
    struct asq_profile profile; /* of every conn; its path is ignored */
    /* private: loop thread only */
    const char *folder;
    ex_tenants_cb on_closed; /* not NULL once close was called */
    struct ex_ask *first;    /* the line: not answered yet, in order */
    size_t waiting;          /* how many asks are in the line */
    uint64_t clock;          /* counts every open and every return */
    struct ex_slot slots[EX_SLOTS];
    uv_idle_t turn; /* active while the next turn of the loop has to look at the
                       line and the slots; closed last */
};

/* Makes a cache in which nothing is open. folder is borrowed until on_closed.
 * You must close the cache. */
void ex_tenants_init(struct ex_tenants *cache,
                     uv_loop_t *loop,
                     const char *folder);

/* Asks to borrow the conn of a tenant. The name is copied. on_answered will
 * run:
 * - with the tenant's conn if that is open. All callers that ask for a tenant
 *   are lent the same conn: a tenant is never open twice;
 * - with a newly opened conn once there is a slot. An ask that needs a slot
 *   waits for one in the line, which is served from its front. If no slot is
 *   free, one conn that nobody has borrowed is evicted: the one that was
 *   returned least recently. If all are borrowed, the line waits for a return.
 *   An evicted conn is closed, callback included, before the next is opened. It
 *   may be the conn of a tenant that is asked for further back in the line;
 *   then that ask waits for a slot too;
 * - with the code if opening fails (UV_ENAMETOOLONG: FOLDER/TENANT.db is too
 *   long), for every ask for this tenant that is waiting when opening fails.
 *   The conn that failed is closed, and then its slot is free again. An ask
 *   that comes after the failure starts again, even before the slot is free.
 *
 * While asks or close wait for a return, they do not keep the loop alive.
 * Returns 0, UV_ESHUTDOWN (after close) or UV_EINVAL (a name has 1 to 31 of the
 * characters a-z, 0-9, - and _). Unless it returns 0, on_answered never
 * runs. */
int ex_tenants_ask(struct ex_tenants *cache,
                   struct ex_ask *ask,
                   const char *tenant,
                   ex_answered_cb on_answered);

/* Refuses new asks from now on. An ask that has not been answered gets
 * UV_ECANCELED, unless opening has already failed for it. A borrowed conn stays
 * open until it is returned. When every ask is answered and every conn and the
 * turn are closed, on_closed runs, last of all. May be called once after init,
 * at any time. */
void ex_tenants_close(struct ex_tenants *cache, ex_tenants_cb on_closed);

/* ---- Given, in given.h ----------------------------------------------------
 *
 * Nothing is decided inside a call or in the callback of a conn: they write
 * down what has happened and wake the cache. In the next turn of the loop the
 * cache calls ex_cache_serve for each ask in the line, from its front, and then
 * ex_cache_maybe_closed. ex_tenants_init, ex_tenants_ask and ex_tenants_close
 * are given as well.
 */

/* Asks for a turn. To ask more than once is harmless. */
void ex_cache_wake(struct ex_tenants *cache);

/* Returns the first slot in this state, or NULL. */
struct ex_slot *ex_cache_find_state(struct ex_tenants *cache,
                                    enum ex_slot_state state);

/* Returns the slot of this tenant, whatever its state, or NULL. */
struct ex_slot *ex_cache_find_tenant(struct ex_tenants *cache,
                                     const char *tenant);

/* Takes an ask out of the line and answers it with the slot's conn, which then
 * has one borrower more. */
void ex_slot_lend(struct ex_slot *slot, struct ex_ask *ask);

/* Begins to open a tenant's conn in a free slot, which is OPENING from then on;
 * ex_slot_opened will be called. If this fails at once, the slot stays free and
 * the asks for the tenant fail. */
void ex_slot_open(struct ex_slot *slot, const char *tenant);

/* Sets the code of each ask in the line that is for this tenant (NULL: for any
 * tenant), and wakes the cache. They are answered in the next turn. */
void ex_cache_fail(struct ex_tenants *cache, const char *tenant, int code);

/* ---- Yours ----------------------------------------------------------------
 */

/* Called when the conn of a slot (conn->data) is open, or has failed to open.
 * If it has failed, the asks for its tenant fail with the code, and the conn,
 * which must be closed all the same, is closed. */
void ex_slot_opened(struct asq_conn *conn, int status);

/* Does what can be done now for an ask in the line: lends the conn, or begins
 * to open it, or makes room for it, or leaves the ask in the line. */
void ex_cache_serve(struct ex_tenants *cache, struct ex_ask *ask);

/* Returns the conn that was lent to this ask, whose requests must all have been
 * answered. You must call it once for each answer with status 0. ask is the
 * caller's again. The conn stays open until its slot is needed. */
void ex_tenants_return(struct ex_ask *ask);

/* Called at the end of each turn. Once close was called (cache->on_closed is
 * not NULL), it begins to close every conn that nobody has borrowed. When there
 * is no reason left to wait, it closes the turn, and then on_closed is called.
 */
void ex_cache_maybe_closed(struct ex_tenants *cache);

#endif
