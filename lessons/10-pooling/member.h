/* member - one connection of a pool, and whether it is as it was when opened
 *
 *     opening -> shared <-> lent -> returning -> shared, or closing
 *
 * An authorizer notices statements that change the session of a connection:
 * temporary tables, ATTACH, a PRAGMA with a value. While the connection is lent
 * this is remembered; at any other time such a statement is refused.
 *
 * Everything here belongs to the loop thread, except for the authorizer, which
 * SQLite calls on the worker. Depends on conn of lesson 03. Only pool uses it.
 */
#ifndef ASQ_MEMBER_H
#define ASQ_MEMBER_H

#include "01-blocking/atomics.h"
#include "03-event-loop/conn.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_loan;
struct asq_pool;
struct asq__member;

enum asq_member_state {
    ASQ_MEMBER_OPENING,
    ASQ_MEMBER_SHARED,
    ASQ_MEMBER_LENT,
    ASQ_MEMBER_RETURNING, /* until it is as it was */
    ASQ_MEMBER_CLOSING
};

/* Called when a member has reached a new state. */
struct asq__member_ops {
    /* It is open, or could not be opened: status and conn.message. */
    void (*on_open)(struct asq__member *member, int status);
    /* Nothing is pending any more, whatever its state. */
    void (*on_idle)(struct asq__member *member);
    /* It has come back and is as it was when opened; undone says whether
     * something had been left open. */
    void (*on_clean)(struct asq__member *member, bool undone);
    /* It has come back, and nobody may use it any more. */
    void (*on_unfit)(struct asq__member *member, bool undone);
    /* The memory may be freed. */
    void (*on_closed)(struct asq__member *member);
};

struct asq__member {
    struct asq_conn conn;
    struct asq_pool *pool;
    const struct asq__member_ops *ops;
    struct asq__member *next;
    enum asq_member_state state;
    struct asq_loan *loan; /* that has it, or had it until it was cancelled */
    bool reserved;         /* a loan waits until nothing is pending */
    bool leaving;          /* is closed as soon as nobody has it */
    bool undone;           /* something had been left open */
    uint64_t born_ns, used_ns, life_ns;
    struct asq_open_hook {
        asq_open_db_cb on_open_db; /* the program's */
        void *data;
    } hook;
    struct asq_request tidy;
    /* shared with the authorizer */
    atomic_bool watched; /* it is open */
    atomic_bool lent;
    atomic_bool changed; /* the session is not as it was opened */
};

/* Starts to open it. Returns 0, and on_open follows; or a UV_E* code. */
int asq__member_open(struct asq__member *member,
                     uv_loop_t *loop,
                     const struct asq_profile *profile);

/* Says whether the next caller may have it: the database is open, and the
 * session is unchanged. */
bool asq__member_is_as_opened(const struct asq__member *member);

/* Gives it to one caller: what that caller's requests leave open stays open.
 * Nothing is pending. */
void asq__member_lend(struct asq__member *member);

/* Takes it back; on_clean or on_unfit follows, at the earliest when nothing is
 * pending, and at once if there is nothing to do. */
void asq__member_take_back(struct asq__member *member);

/* Closes it; on_closed follows. */
void asq__member_close(struct asq__member *member);

#ifdef __cplusplus
}
#endif

#endif
