/* ex_tenants - each tenant has a database, and at most four are open
 *
 * A tenant's database is FOLDER/TENANT.db. Who wants to work asks for the
 * tenant, is lent its conn and returns it. The cache opens conns, keeps them
 * open for the next one who asks, and evicts one where a slot is needed.
 *
 * Every function and callback belongs to the loop thread. A callback runs
 * exactly once and never inside a function of the cache; inside a callback
 * every function may be called. Depends on conn of lesson 03.
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
    struct ex_ask *first;    /* who is not answered, in the order of asking */
    size_t waiting;          /* so many stand in the line */
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
 * - with its conn, newly opened, once there is a slot. Who needs a slot waits
 *   for it in a line: who asked first is served first. If no slot is free, the
 *   conn that was returned least recently is evicted, of those that nobody
 *   has borrowed; if there is none, the line waits for a return. A conn that
 *   is evicted is closed, callback included, before the next is opened;
 * - with the code if opening fails (UV_ENAMETOOLONG: of FOLDER/TENANT.db), for
 *   everybody who waits for this tenant. The conn that failed is closed, the
 *   slot is free again, and who asks from then on begins anew.
 * Who waits for a return, in the line or in close, does not keep the loop
 * alive. Returns 0, UV_ESHUTDOWN (after close) or UV_EINVAL (a name is 1 to 31
 * of a-z, 0-9, - and _): then nothing is owed. */
int ex_tenants_ask(struct ex_tenants *cache,
                   struct ex_ask *ask,
                   const char *tenant,
                   ex_answered_cb on_answered);

/* Gives back what was lent to this ask, whose requests have all been answered.
 * Owed once for each answer with status 0. ask is the caller's again. The conn
 * stays open until its slot is needed. */
void ex_tenants_return(struct ex_ask *ask);

/* Refuses new asks. Who has not been answered gets UV_ECANCELED, if opening
 * has not failed already. What is borrowed stays open until it is returned.
 * When all are answered and every conn is closed, on_closed runs, last of all.
 * Legal once after init, at any time. */
void ex_tenants_close(struct ex_tenants *cache, ex_tenants_cb on_closed);

#endif
