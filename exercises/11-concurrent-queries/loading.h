/* loading - a loader, the asks in front of it, and what they are told
 *
 * Keys are written as "3 1 3 9". What the callbacks say is written down in the
 * order of asking, whatever their own: "3, 1, 3, 9 absent". The statements are
 * seen on the worker, as it runs them: "[1 3 9]". The memory of an ask is freed
 * in its callback, unless the test keeps it. Everything else on the loop
 * thread.
 */
#ifndef LOADING_H
#define LOADING_H

#include "given.h"
#include "users.h"

#include "03-event-loop/conn_wait.h"
#include "common/slow_disk.h"
#include "grader/closed.h"
#include "grader/random.h"

#include <stdarg.h>

enum {
    CALLERS = 640,
    TURNS = 20000, /* a step takes far fewer, unless the loop spins */
    GATE_MS = 4000,
    TEXT_SIZE = 4096
};

struct fixture;

struct caller {
    struct ex_ask *ask; /* NULL while it has none */
    struct fixture *f;
    int64_t id;
    bool waits;                          /* its callback must come */
    bool keep;                           /* the memory, in the callback too */
    char told[240];                      /* since the last expectation */
    void (*then)(struct caller *caller); /* called in the callback; or NULL */
};

struct fixture {
    uv_loop_t loop;
    struct asq_conn conn;
    struct asq_hold hold;     /* while it lasts, statements are queued */
    struct ex_loader *loader; /* on the heap, freed in on_closed */
    struct caller callers[CALLERS];
    int count;  /* of callers */
    int inside; /* calls that must not call back */
    int closed;
    bool names;          /* what the users are called is looked at */
    uv_mutex_t lock;     /* of what the worker writes: */
    char ran[TEXT_SIZE]; /* the statements since the last expectation */
};

static inline void add(char text[static TEXT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void add(char text[static TEXT_SIZE], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    if (used > 0)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, ", ");
    if (used >= TEXT_SIZE)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text + used, TEXT_SIZE - used, format, arguments);
    va_end(arguments);
}

/* Writes keys in ascending order, with blanks between them. They are separated
 * by commas or blanks. */
static inline void sort_keys(const char *keys, char text[static TEXT_SIZE / 2])
{
    int64_t ids[CALLERS];
    size_t count = 0, used = 0;
    char *rest;

    for (; *keys != '\0' && count < CALLERS; keys = rest) {
        size_t place = count;
        int64_t id;

        keys += strspn(keys, "[, ]");
        if (*keys == '\0')
            break;
        id = strtoll(keys, &rest, 10);
        if (rest == keys)
            break;
        for (; place > 0 && ids[place - 1] > id; place--)
            ids[place] = ids[place - 1];
        ids[place] = id;
        count++;
    }
    text[0] = '\0';
    for (size_t i = 0; i < count && used < TEXT_SIZE / 2; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE / 2 - used,
                                 "%s%" PRId64, i == 0 ? "" : " ", ids[i]);
}

/* Runs on the worker. */
static inline void observe(struct asq_conn *conn,
                           const struct asq_request *request,
                           enum asq_event event)
{
    struct fixture *f = conn->data;
    char keys[TEXT_SIZE / 2] = "another statement";

    if (event != ASQ_EVENT_START)
        return;
    if (request->params.count == 1 &&
        request->params.values[0].type == ASQ_TEXT)
        sort_keys(request->params.values[0].as.text, keys);
    uv_mutex_lock(&f->lock);
    add(f->ran, "[%s]", keys);
    uv_mutex_unlock(&f->lock);
}

/* Adds to a text what a callback says. */
static inline void describe(
    const struct ex_ask *ask, int64_t id, int status, char *text, size_t size)
{
    size_t used = strlen(text);
    char expected[NAME_SIZE];
    const char *right = name_of(id, expected);
    char what[72] = "";

    if (status == UV_ECANCELED)
        (void)snprintf(what, sizeof what, " cancelled");
    else if (status != 0)
        (void)snprintf(what, sizeof what, ": %s", test_code(status));
    else if (!ask->found)
        (void)snprintf(what, sizeof what, " absent");
    else if (ask->name == NULL && right != NULL)
        (void)snprintf(what, sizeof what, " without a name");
    else if (ask->name != NULL && right == NULL)
        (void)snprintf(what, sizeof what, " named \"%.30s\", not NULL",
                       ask->name);
    else if (right != NULL && strcmp(ask->name, right) != 0)
        (void)snprintf(what, sizeof what, " named \"%.30s\"", ask->name);
    if (status != 0 && ask->found)
        (void)snprintf(what, sizeof what, ": %s, and found", test_code(status));
    (void)snprintf(text + used, size - used, "%s%" PRId64 "%s",
                   used > 0 ? ", " : "", id, what);
}

static inline void on_answered(struct ex_ask *ask, int status)
{
    struct caller *caller = ask->data;
    struct fixture *f = caller->f;
    struct ex_ask shown = *ask;
    char right[NAME_SIZE];

    if (f->inside > 0)
        test_wrong("callbacks run in the loader's turn",
                   "one runs inside a call of the loader");
    if (!caller->waits)
        test_wrong("each ask is answered once",
                   "one for %" PRId64 " is answered twice", caller->id);
    if (f->closed > 0)
        test_wrong("on_closed runs last of all",
                   "an ask for %" PRId64 " is answered after it", caller->id);
    caller->waits = false;
    if (!f->names)
        shown.name = name_of(caller->id, right);
    describe(&shown, caller->id, status, caller->told, sizeof caller->told);
    if (caller->then != NULL)
        caller->then(caller);
    if (!caller->keep && !caller->waits) {
        free(ask);
        caller->ask = NULL;
    }
}

static inline void on_closed(struct ex_loader *loader)
{
    struct fixture *f = loader->data;

    if (f->inside > 0)
        test_wrong("on_closed runs on the loop",
                   "it runs inside a call of the loader");
    for (int i = 0; i < f->count; i++)
        if (f->callers[i].waits)
            test_wrong("every ask is answered before on_closed runs",
                       "one for %" PRId64 " is not", f->callers[i].id);
    f->closed++;
    f->loader = NULL;
    test_closed(&f->loop, loader, sizeof *loader);
    free(loader);
}

/* Calls */

static inline int load_with(struct caller *caller, int64_t id)
{
    struct fixture *f = caller->f;
    int rc;

    if (caller->ask == NULL)
        caller->ask = calloc(1, sizeof *caller->ask);
    CHECK(caller->ask != NULL);
    caller->ask->data = caller;
    f->inside++;
    rc = ex_loader_load(f->loader, caller->ask, id, on_answered);
    f->inside--;
    if (rc == 0) {
        caller->id = id;
        caller->waits = true;
    }
    return rc;
}

/* A new caller asks. */
static inline struct caller *load(struct fixture *f, int64_t id)
{
    struct caller *caller = &f->callers[f->count];

    CHECK(f->count < CALLERS);
    f->count++;
    CHECK_INT(load_with(caller, id), 0);
    return caller;
}

/* New callers ask for these keys. Returns the first one. */
static inline struct caller *load_all(struct fixture *f, const char *keys)
{
    struct caller *first = &f->callers[f->count];
    char *rest;

    for (; *keys != '\0'; keys = rest + strspn(rest, " "))
        (void)load(f, strtoll(keys, &rest, 10));
    return first;
}

static inline void cancel(struct caller *caller)
{
    caller->f->inside++;
    ex_loader_cancel(caller->ask);
    caller->f->inside--;
}

static inline void close_loader(struct fixture *f)
{
    f->inside++;
    ex_loader_close(f->loader, on_closed);
    f->inside--;
}

/* Turns of the loop */

/* A few turns. They do not wait for the worker. */
static inline void turns(struct fixture *f)
{
    for (int i = 0; i < 5; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* whatever is left */
}

/* Runs until the loop has nothing to wait for. */
static inline void settle(struct fixture *f)
{
    for (int n = 0; uv_run(&f->loop, UV_RUN_ONCE) != 0; n++)
        if (n == TURNS)
            test_wrong("the loop comes to rest",
                       "it never stops turning: the loader is woken without "
                       "end");
}

/* The next statement stops in a read. It must be for a user that was not asked
 * for before. */
static inline void stand(struct fixture *f, const char *keys)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    (void)load_all(f, keys);
    turns(f);
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("the turn submits a statement", "%s asked for, and none is",
                   keys);
}

/* Expectations */

/* Compares what was told since the last one, and forgets it. */
static inline void
expect_now(struct fixture *f, const char *step, const char *answers)
{
    char expected[4 * TEXT_SIZE];
    char got[TEXT_SIZE] = "", waiting[TEXT_SIZE] = "";

    for (int i = 0; i < f->count; i++) {
        struct caller *caller = &f->callers[i];

        if (caller->told[0] != '\0')
            add(got, "%s", caller->told);
        if (caller->waits)
            add(waiting, "%" PRId64, caller->id);
        caller->told[0] = '\0';
    }
    if (strcmp(got, answers) == 0)
        return;
    (void)snprintf(expected, sizeof expected, "%s: answered %s", step,
                   answers[0] != '\0' ? answers : "nothing");
    test_wrong(expected, "answered %s%s%s", got[0] != '\0' ? got : "nothing",
               waiting[0] != '\0' ? "; still waiting: " : "", waiting);
}

/* The same for the statements that ran. */
static inline void
expect_ran(struct fixture *f, const char *step, const char *statements)
{
    char expected[4 * TEXT_SIZE], got[TEXT_SIZE];

    uv_mutex_lock(&f->lock);
    memcpy(got, f->ran, sizeof got);
    f->ran[0] = '\0';
    uv_mutex_unlock(&f->lock);
    if (strcmp(got, statements) == 0)
        return;
    (void)snprintf(expected, sizeof expected, "%s: statements for the keys %s",
                   step, statements[0] != '\0' ? statements : "of nobody");
    test_wrong(expected, "statements for the keys %s",
               got[0] != '\0' ? got : "of nobody");
}

/* Everything is done after this step. */
static inline void
expect(struct fixture *f, const char *step, const char *answers)
{
    settle(f);
    expect_now(f, step, answers);
}

static inline void expect_both(struct fixture *f,
                               const char *step,
                               const char *answers,
                               const char *statements)
{
    expect(f, step, answers);
    expect_ran(f, step, statements);
}

/* Life */

static inline void begin_loader(struct fixture *f)
{
    f->loader = malloc(sizeof *f->loader);
    CHECK(f->loader != NULL);
    ex_loader_init(f->loader, &f->loop, &f->conn);
    f->loader->data = f;
    f->closed = 0;
    for (int i = 0; i < CALLERS; i++) {
        free(f->callers[i].ask);
        f->callers[i] = (struct caller){.f = f};
    }
    f->count = 0;
}

/* SQLite may return rows in any order that the statement does not name. */
static inline int reverse_rows(struct asq_db *db, void *data)
{
    (void)data;
    return sqlite3_exec(asq_db_handle(db),
                        "PRAGMA reverse_unordered_selects = 1", NULL, NULL,
                        NULL);
}

static inline void on_warm(struct asq_request *request, int status)
{
    CHECK_INT(status, 0);
    asq_request_destroy(request);
}

/* From now on a statement reads only the pages of the users. */
static inline void warm_up(struct fixture *f)
{
    struct asq_request request;

    asq_request_init(&request);
    CHECK_INT(asq_conn_run(&f->conn, &request,
                           "SELECT name FROM users WHERE id = 200", NULL,
                           on_warm),
              0);
    settle(f);
    f->ran[0] = '\0';
}

static inline void begin(struct fixture *f, bool reversed)
{
    struct asq_profile profile = asq_profile_default(users_path());

    *f = (struct fixture){.count = 0};
    make_users(profile.path);
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    CHECK_INT(uv_mutex_init(&f->lock), 0);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    profile.vfs = ASQ_SLOW_DISK;
    profile.on_open_db = reversed ? reverse_rows : NULL;
    asq_conn_init(&f->conn);
    f->conn.data = f;
    f->conn.observe = observe;
    f->conn.batch_reads = false;
    f->conn.poll_us = 0; /* so that it has no idle handle */
    if (asq_conn_open_wait(&f->conn, &f->loop, &profile) != 0)
        FAIL("%s", f->conn.message);
    warm_up(f);
    begin_loader(f);
}

/* Frees a loader that was not closed, or need not be. */
static inline void drop_loader(struct fixture *f)
{
    uv_handle_t *turn = (uv_handle_t *)&f->loader->turn;

    if (!uv_is_closing(turn)) {
        uv_close(turn, NULL);
        (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* 0: nobody calls uv_stop */
    }
    while (f->loader->batches != NULL)
        free_batch(f->loader->batches);
    free(f->loader);
    f->loader = NULL;
}

static inline void end(struct fixture *f)
{
    asq_slow_disk_reset();
    asq_conn_close_wait(&f->conn);
    if (f->loader != NULL)
        drop_loader(f);
    for (int i = 0; i < CALLERS; i++)
        free(f->callers[i].ask);
    test_close_loop(&f->loop);
    uv_mutex_destroy(&f->lock);
}

static inline void begin_again(struct fixture *f, bool reversed)
{
    end(f);
    begin(f, reversed);
}

#endif
