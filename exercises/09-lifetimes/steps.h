/* steps - what a step of a test has led to, and the life of a cache around it
 *
 * Used on the loop thread.
 */
#ifndef STEPS_H
#define STEPS_H

#include "tenants.h"

/* Callbacks that ask again */

/* A callback that returns the conn and asks for the next tenant. */
static inline void ask_next(struct borrower *b)
{
    struct fixture *f = b->f;
    int i = (int)(b - f->borrowers);
    char next = (char)(b->tenant + 1);

    give_back(b);
    CHECK_INT(ask_with(f, i, next, next < 'm' ? ask_next : NULL), 0);
}

/* A callback that asks for the same tenant. */
static inline void ask_again(struct borrower *b)
{
    int i = (int)(b - b->f->borrowers);

    CHECK_INT(ask_with(b->f, i + 8, b->tenant, NULL), 0);
}

/* What a step has led to */

static inline void
expect_now(struct fixture *f, const char *step, const char *answered)
{
    char text[TEXT_SIZE + TEXT_SIZE / 4];

    (void)snprintf(text, sizeof text, "%s: answered: %s", step,
                   answered[0] != '\0' ? answered : "none");
    if (strcmp(f->text, answered) != 0)
        test_wrong(text, "answered: %s", f->text[0] != '\0' ? f->text : "none");
    f->text[0] = '\0';
}

static inline void
expect_open(struct fixture *f, const char *step, const char *open)
{
    char got[TENANTS + 1] = "", text[TEXT_SIZE];
    size_t n = 0;

    for (int t = 0; t < TENANTS; t++) {
        if (f->of[t] != NULL && is_open(f, f->of[t]))
            got[n++] = (char)('a' + t);
    }
    got[n] = '\0';
    (void)snprintf(text, sizeof text, "%s: open: %s", step,
                   open[0] != '\0' ? open : "none");
    if (strcmp(got, open) != 0)
        test_wrong(text, "open: %s", got[0] != '\0' ? got : "none");
    if (f->count != n)
        test_wrong(text, "%s in all", test_count(f->count, "conn", NULL));
}

/* Waits for the end of a step, and then checks what was answered. */
static inline void
expect(struct fixture *f, const char *step, const char *answered)
{
    settle(f);
    expect_now(f, step, answered);
}

static inline void expect_both(struct fixture *f,
                               const char *step,
                               const char *answered,
                               const char *open)
{
    expect(f, step, answered);
    expect_open(f, step, open);
}

/* The same, with the open tenants given in any order. */
static inline void expect_set(struct fixture *f,
                              const char *step,
                              const char *answered,
                              const char *open)
{
    char sorted[TENANTS + 1] = "";
    size_t n = 0;

    for (char c = 'a'; c < 'a' + TENANTS; c++)
        if (strchr(open, c) != NULL)
            sorted[n++] = c;
    sorted[n] = '\0';
    expect_both(f, step, answered, sorted);
}

/* Asks for each tenant in turn, each with the next borrower. */
static inline void borrow_all(struct fixture *f, const char *tenants)
{
    for (int i = 0; tenants[i] != '\0'; i++) {
        ask(f, i, tenants[i]);
        settle(f);
    }
}

static inline void return_all(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        give_back(&f->borrowers[i]);
    settle(f);
    f->text[0] = '\0'; /* the steps up to here are not judged */
}

/* Files */

static inline void on_done(struct asq_request *request, int status)
{
    (void)request;
    CHECK_INT(status, 0);
}

static inline void write_to_file(struct fixture *f, struct borrower *b)
{
    struct asq_request request;

    asq_request_init(&request);
    CHECK_INT(asq_conn_run(b->ask.conn, &request, "PRAGMA user_version = 7",
                           NULL, on_done),
              0);
    settle(f);
    asq_request_destroy(&request);
}

/* Turns the loop until this tenant is closing. */
static inline void while_open(struct fixture *f, char tenant)
{
    for (int i = 0; is_open(f, f->of[tenant - 'a']) && i < TURNS; i++)
        turn(f);
}

/* A cache for a situation, from its init to on_closed */

static inline void begin(struct fixture *f, const char *folder)
{
    CHECK_INT(uv_loop_init(&f->loop), 0);
    f->cache = malloc(sizeof *f->cache);
    CHECK(f->cache != NULL);
    ex_tenants_init(f->cache, &f->loop, folder);
    f->cache->data = f;
    f->cache->profile.vfs = ASQ_SLOW_DISK;
    f->cache->profile.synchronous = 0;
    f->closed = 0;
    f->most = 0;
    f->text[0] = '\0';
    memset(f->of, 0, sizeof f->of);
}

static inline void return_rest(struct fixture *f)
{
    for (int i = 0; i < BORROWERS; i++)
        if (f->borrowers[i].state == LENT)
            give_back(&f->borrowers[i]);
    settle(f);
}

static inline void free_conn(struct asq_conn *conn)
{
    free(conn);
}

/* Removes what is left without closing the cache: only one test judges that. */
static inline void discard(struct fixture *f)
{
    settle(f);
    return_rest(f);
    for (size_t i = 0; i < f->count; i++)
        if (!f->conns[i]->close_called)
            asq_conn_close(f->conns[i], free_conn);
    uv_close((uv_handle_t *)&f->cache->turn, NULL);
    test_close_loop(&f->loop);
    free(f->cache);
}

/* After close: returns what is borrowed, and waits for on_closed. */
static inline void finish(struct fixture *f)
{
    settle(f);
    for (int i = 0; i < BORROWERS; i++) {
        if (f->borrowers[i].state == LENT && f->closed > 0)
            test_wrong("on_closed waits for what is borrowed",
                       "it runs before %c is returned", f->borrowers[i].tenant);
    }
    return_rest(f);
    if (f->closed != 1)
        test_wrong("on_closed runs once, when all is returned and closed",
                   "%s, with %s left", test_times((uint64_t)f->closed),
                   test_count(f->count, "conn", NULL));
    test_close_loop(&f->loop);
}

/* A cache over a folder in which the file of x is not a database. */
static inline void begin_in(struct fixture *f, const char *folder)
{
    char path[EX_PATH_SIZE], name[EX_TENANT_SIZE];
    FILE *file;

    (void)mkdir(folder, 0700); /* it may be there */
    (void)snprintf(path, sizeof path, "%s/%s.db", folder, name_of('x', name));
    file = fopen(path, "w");
    CHECK(file != NULL);
    for (int i = 0; i < 100; i++)
        CHECK(fputs("this is not a database\n", file) >= 0);
    CHECK_INT(fclose(file), 0);
    begin(f, folder);
}

static inline void set_up(void *fixture)
{
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    begin_in(fixture, test_path("."));
}

static inline void tear_down(void *fixture)
{
    discard(fixture);
}

/* The conn of a is closing, and another slot is free. */
static inline void not_open_twice(struct fixture *f)
{
    struct ex_slot *closing = &f->cache->slots[1];

    ask(f, 0, 'a');
    closing->state = EX_SLOT_CLOSING;
    (void)name_of('a', closing->tenant);
    ex_cache_serve(f->cache, &f->borrowers[0].ask);
    test_cause("a closing slot belongs to its tenant until it is closed");
    if (f->cache->slots[0].state != EX_SLOT_FREE)
        test_wrong("a is not opened while its old conn is closing", "it is");
    test_cause(NULL);
    closing->state = EX_SLOT_FREE;
    expect(f, "the old conn is closed", "a");
    return_all(f, 1);
    discard(f);
    begin(f, test_path("."));
}

/* Of twenty borrowers of a, four return it; then others need slots. look()
 * finds a conn that is closed too early. */
static inline void sixteen_borrow(struct fixture *f)
{
    borrow_all(f, "aaaaaaaaaaaaaaaaaaaa");
    return_all(f, 4);
    for (char other = 'b'; other <= 'f'; other++) {
        ask(f, 0, other);
        settle(f);
        return_all(f, f->borrowers[0].state == LENT);
    }
    discard(f);
    begin(f, test_path("."));
}

#endif
