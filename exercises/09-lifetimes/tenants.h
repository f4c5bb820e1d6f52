/* tenants - borrowers of a cache, their answers, and the conns that exist
 *
 * Tenants are letters; the file of tenant x is not a database. Every conn has a
 * handle of its own in the loop, from its open until its close callback, so the
 * conns can be counted after each turn of the loop. A step of a test ends when
 * the loop has nothing to wait for. What was answered is written down as a
 * text: "a, b cancelled". Used on the loop thread.
 */
#ifndef TENANTS_H
#define TENANTS_H

#include "given.h"

#include "common/slow_disk.h"
#include "grader/closed.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BORROWERS = 24,
    TENANTS = 'x' - 'a' + 1,
    TURNS = 20000, /* a step takes far fewer, unless the loop spins */
    CONNS = 64,
    TEXT_SIZE = 512,
    GATE_MS = 4000
};

enum state {
    IDLE, /* has not asked, or has its answer and returned the conn */
    ASKED,
    LENT
};

struct fixture;

struct borrower {
    struct ex_ask ask;
    struct fixture *f;
    enum state state;
    char tenant;
    void (*then)(struct borrower *borrower); /* called in on_answered */
};

struct fixture {
    uv_loop_t loop;
    struct ex_tenants *cache; /* on the heap, freed in on_closed */
    struct borrower borrowers[BORROWERS];
    struct asq_conn *conns[CONNS]; /* that exist, as of the last look */
    size_t count;
    size_t most;                  /* the highest count */
    bool strict;                  /* more than four conns fail the test */
    struct asq_conn *of[TENANTS]; /* the conn that was lent last */
    int inside;                   /* calls that must not call back */
    int closed;
    char text[TEXT_SIZE]; /* what was answered in this step */
};

static inline void note(char text[static TEXT_SIZE], const char *more)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, TEXT_SIZE - used, "%s%s", used > 0 ? ", " : "",
                   more);
}

/* Writes the name of a tenant. The name of a is the beginning of that of b, and
 * so on; that of x has all 31 letters. */
static inline char *name_of(char tenant, char name[static EX_TENANT_SIZE])
{
    static const char longest[EX_TENANT_SIZE] =
        "shop_0123456789-0123456789abcde";

    memcpy(name, longest, EX_TENANT_SIZE);
    name[8 + tenant - 'a'] = '\0';
    return name;
}

/* Looking at the conns */

static inline void take_note(uv_handle_t *handle, void *data)
{
    struct fixture *f = data;
    struct asq_conn *conn;

    if (uv_handle_get_type(handle) != UV_TIMER || f->count == CONNS)
        return;
    conn = ASQ_CONTAINER_OF((uv_timer_t *)handle, struct asq_conn, look);
    if (handle->data == conn)
        f->conns[f->count++] = conn;
}

static inline void count_conns(struct fixture *f)
{
    f->count = 0;
    uv_walk(&f->loop, take_note, f);
}

/* Returns whether this conn exists and is not closing. */
static inline bool is_open(const struct fixture *f, const struct asq_conn *conn)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->conns[i] == conn)
            return !conn->close_called;
    return false;
}

/* Checks what must hold at any moment. */
static inline void look(struct fixture *f)
{
    count_conns(f);
    if (f->count > f->most)
        f->most = f->count;
    if (f->strict && f->count > EX_SLOTS) {
        test_cause("a conn is opened before the close callback of the one "
                   "that makes way for it");
        test_wrong("at most 4 conns, including those that are closing",
                   "%zu conns", f->count);
    }
    for (int i = 0; i < BORROWERS; i++) {
        struct borrower *b = &f->borrowers[i];

        if (b->state == LENT && !is_open(f, b->ask.conn)) {
            test_cause("a conn that is still borrowed was closed");
            test_wrong("a conn stays open until all have returned it",
                       "that of %c is closed while it is borrowed", b->tenant);
        }
    }
}

static inline void turn(struct fixture *f)
{
    (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* whatever is left */
    look(f);
}

/* Runs until the loop has nothing to wait for. */
static inline void settle(struct fixture *f)
{
    int more = 1;

    for (int n = 0; more != 0; n++) {
        if (n == TURNS)
            test_wrong(
                "the loop comes to rest",
                "it never stops turning: the cache is woken without end");
        more = uv_run(&f->loop, UV_RUN_ONCE);
        look(f);
    }
}

/* Calls and callbacks */

static inline void on_answered(struct ex_ask *ask, int status)
{
    struct borrower *b = ask->data;
    struct fixture *f = b->f;
    struct asq_conn *conn = ask->conn;
    char text[TEXT_SIZE / 4];

    if (f->inside > 0)
        test_wrong("callbacks run on the loop",
                   "one runs inside a call of the cache");
    if (f->closed > 0)
        test_wrong("on_closed runs last of all",
                   "an ask for %c is answered after it", b->tenant);
    if (b->state != ASKED)
        test_wrong("each ask is answered once",
                   "an ask for %c is answered twice", b->tenant);
    b->state = status == 0 ? LENT : IDLE;
    if (status == 0)
        (void)snprintf(text, sizeof text, "%c", b->tenant);
    else if (status == UV_ECANCELED)
        (void)snprintf(text, sizeof text, "%c cancelled", b->tenant);
    else
        (void)snprintf(text, sizeof text, "%c: %s", b->tenant,
                       test_code(status));
    note(f->text, text);
    look(f);
    if (status == 0) {
        for (int t = 0; t < TENANTS; t++) {
            if (f->of[t] == conn && t != b->tenant - 'a')
                f->of[t] = NULL; /* closed, and its memory was used again */
        }
        if (is_open(f, f->of[b->tenant - 'a']) &&
            f->of[b->tenant - 'a'] != conn)
            test_wrong("one conn for all asks for a tenant", "%c has two",
                       b->tenant);
        f->of[b->tenant - 'a'] = conn;
    }
    if (b->then != NULL)
        b->then(b);
}

static inline void on_closed(struct ex_tenants *cache)
{
    struct fixture *f = cache->data;

    if (f->inside > 0)
        test_wrong("on_closed runs on the loop",
                   "it runs inside a call of the cache");
    count_conns(f);
    if (f->count > 0)
        test_wrong("all conns are closed before on_closed runs", "%zu %s not",
                   f->count, f->count == 1 ? "is" : "are");
    for (int i = 0; i < BORROWERS; i++) {
        if (f->borrowers[i].state == ASKED)
            test_wrong("all asks are answered before on_closed runs",
                       "an ask for %c is not", f->borrowers[i].tenant);
    }
    f->closed++;
    f->cache = NULL;
    test_closed(&f->loop, cache, sizeof *cache);
    free(cache);
}

static inline int ask_with(struct fixture *f,
                           int i,
                           char tenant,
                           void (*then)(struct borrower *borrower))
{
    struct borrower *b = &f->borrowers[i];
    char name[EX_TENANT_SIZE];
    int rc;

    if (b->state != IDLE)
        test_wrong("every ask is answered", "an ask for %c is not", b->tenant);
    *b = (struct borrower){.f = f, .tenant = tenant, .then = then};
    b->ask.data = b;
    b->state = ASKED;
    f->inside++;
    rc = ex_tenants_ask(f->cache, &b->ask, name_of(tenant, name), on_answered);
    f->inside--;
    memset(name, 'z', sizeof name); /* the cache has a copy */
    if (rc != 0)
        b->state = IDLE;
    look(f);
    return rc;
}

static inline void ask(struct fixture *f, int i, char tenant)
{
    CHECK_INT(ask_with(f, i, tenant, NULL), 0);
}

static inline void give_back(struct borrower *b)
{
    struct fixture *f = b->f;

    if (b->state != LENT)
        test_wrong("the ask is answered with a conn", "an ask for %c is not",
                   b->tenant);
    look(f);
    b->state = IDLE;
    f->inside++;
    ex_tenants_return(&b->ask);
    f->inside--;
    memset(&b->ask, 0xa5, sizeof b->ask); /* it is the caller's again */
}

static inline void close_cache(struct fixture *f)
{
    f->inside++;
    ex_tenants_close(f->cache, on_closed);
    f->inside--;
}

#endif
