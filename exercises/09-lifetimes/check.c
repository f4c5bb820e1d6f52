/* check - tests of the exercise "tenant cache"
 *
 * Tenants are letters; the database of tenant x is a file that is none. Every
 * conn has a handle of its own in the loop, from its open until its close
 * callback, so the conns can be counted after each turn of the loop. A step of
 * a test ends when the loop has nothing to wait for. What was answered is
 * noted as a text: "a, b cancelled".
 */
#include "ex_tenants.h"

#include "common/slow_disk.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BORROWERS = 24,
    TENANTS = 'x' - 'a' + 1,
    TURNS = 20000, /* a step takes far fewer, unless the loop spins */
    CONNS = 64,
    TEXT_SIZE = 512,
    GATE_MS = 4000,
    STEPS = 300
};

enum state {
    IDLE, /* it has asked for nothing, or all is over */
    ASKED,
    LENT
};

struct fixture;

struct borrower {
    struct ex_ask ask;
    struct fixture *f;
    enum state state;
    char tenant;
    void (*then)(struct borrower *borrower); /* in its callback, or NULL */
};

/* What should be, by a model of its own. */
struct model {
    bool open[TENANTS];
    int borrowed[TENANTS];
    int returned[TENANTS]; /* when */
    int clock;
    int line[BORROWERS];
    int waiting;
    char text[TEXT_SIZE];
};

struct fixture {
    uv_loop_t loop;
    struct ex_tenants *cache; /* from the heap, freed in on_closed */
    struct borrower borrowers[BORROWERS];
    struct asq_conn *conns[CONNS]; /* in the loop, as of the last look */
    size_t count;
    size_t most;                  /* of count */
    struct asq_conn *of[TENANTS]; /* the last that was lent */
    int inside;                   /* calls that must not call back */
    int closed;
    char text[TEXT_SIZE]; /* what was answered in this step */
    struct model model;
};

static void note(char text[static TEXT_SIZE], const char *more)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, TEXT_SIZE - used, "%s%s", used > 0 ? ", " : "",
                   more);
}

/* Looking at the conns */

static void take_note(uv_handle_t *handle, void *data)
{
    struct fixture *f = data;
    struct asq_conn *conn;

    if (uv_handle_get_type(handle) != UV_TIMER || f->count == CONNS)
        return;
    conn = ASQ_CONTAINER_OF((uv_timer_t *)handle, struct asq_conn, look);
    if (handle->data == conn)
        f->conns[f->count++] = conn;
}

static void count_conns(struct fixture *f)
{
    f->count = 0;
    uv_walk(&f->loop, take_note, f);
}

/* Whether this conn is there, and not on its way to be closed. */
static bool is_open(const struct fixture *f, const struct asq_conn *conn)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->conns[i] == conn)
            return !conn->close_called;
    return false;
}

/* Looks at what has to hold at any moment. */
static void look(struct fixture *f)
{
    count_conns(f);
    if (f->count > f->most)
        f->most = f->count;
    if (f->count > EX_SLOTS) {
        test_cause("a conn is opened before the close callback of the one "
                   "that makes way for it");
        test_wrong("at most 4 conns, those that are closing among them", "%zu",
                   f->count);
    }
    for (int i = 0; i < BORROWERS; i++) {
        struct borrower *b = &f->borrowers[i];

        if (b->state == LENT && !is_open(f, b->ask.conn)) {
            test_cause("a conn was closed that somebody had borrowed");
            test_wrong("a conn stays open until all have returned it",
                       "that of %c is closed while it is borrowed", b->tenant);
        }
    }
}

static void turn(struct fixture *f)
{
    (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* whatever is left */
    look(f);
}

/* Runs until the loop has nothing to wait for. */
static void settle(struct fixture *f)
{
    int more = 1;

    for (int n = 0; more != 0; n++) {
        if (n == TURNS)
            test_wrong("the loop comes to rest", "it goes round and round");
        more = uv_run(&f->loop, UV_RUN_ONCE);
        look(f);
    }
}

/* Calls and callbacks */

static void on_answered(struct ex_ask *ask, int status)
{
    struct borrower *b = ask->data;
    struct fixture *f = b->f;
    struct asq_conn *conn = ask->conn;
    char text[TEXT_SIZE / 4];

    if (f->inside > 0)
        test_wrong("callbacks come from the loop",
                   "one comes inside of a call");
    if (b->state != ASKED)
        test_wrong("each ask is answered once", "one of %c is answered twice",
                   b->tenant);
    b->state = status == 0 ? LENT : IDLE;
    if (status == 0)
        (void)snprintf(text, sizeof text, "%c", b->tenant);
    else if (status == UV_ECANCELED)
        (void)snprintf(text, sizeof text, "%c cancelled", b->tenant);
    else
        (void)snprintf(text, sizeof text, "%c: %s", b->tenant,
                       status > 0 ? sqlite3_errstr(status & 0xff)
                                  : uv_err_name(status));
    note(f->text, text);
    look(f);
    if (status == 0) {
        for (int t = 0; t < TENANTS; t++) {
            if (f->of[t] == conn && t != b->tenant - 'a')
                f->of[t] = NULL; /* it was closed, and its memory used again */
        }
        if (is_open(f, f->of[b->tenant - 'a']) &&
            f->of[b->tenant - 'a'] != conn)
            test_wrong("one conn for all who ask for a tenant", "%c has two",
                       b->tenant);
        f->of[b->tenant - 'a'] = conn;
    }
    if (b->then != NULL)
        b->then(b);
}

static void on_closed(struct ex_tenants *cache)
{
    struct fixture *f = cache->data;

    if (f->inside > 0)
        test_wrong("on_closed comes from the loop",
                   "it comes inside of a call");
    count_conns(f);
    if (f->count > 0)
        test_wrong("all conns are closed before on_closed runs",
                   "%zu are not yet", f->count);
    for (int i = 0; i < BORROWERS; i++) {
        if (f->borrowers[i].state == ASKED)
            test_wrong("all asks are answered before on_closed runs",
                       "one of %c is not", f->borrowers[i].tenant);
    }
    f->closed++;
    f->cache = NULL;
    free(cache);
}

static int ask_with(struct fixture *f,
                    int i,
                    char tenant,
                    void (*then)(struct borrower *borrower))
{
    struct borrower *b = &f->borrowers[i];
    char name[2] = {tenant, '\0'};
    int rc;

    CHECK(b->state == IDLE);
    *b = (struct borrower){.f = f, .tenant = tenant, .then = then};
    b->ask.data = b;
    b->state = ASKED;
    f->inside++;
    rc = ex_tenants_ask(f->cache, &b->ask, name, on_answered);
    f->inside--;
    if (rc != 0)
        b->state = IDLE;
    look(f);
    return rc;
}

static void ask(struct fixture *f, int i, char tenant)
{
    CHECK_INT(ask_with(f, i, tenant, NULL), 0);
}

static void give_back(struct borrower *b)
{
    struct fixture *f = b->f;

    CHECK(b->state == LENT);
    look(f);
    b->state = IDLE;
    f->inside++;
    ex_tenants_return(&b->ask);
    f->inside--;
    memset(&b->ask, 0xa5, sizeof b->ask); /* it is the caller's again */
}

static void close_cache(struct fixture *f)
{
    f->inside++;
    ex_tenants_close(f->cache, on_closed);
    f->inside--;
}

/* What a step has come to */

static void
expect_now(struct fixture *f, const char *step, const char *answered)
{
    char text[TEXT_SIZE + TEXT_SIZE / 4];

    (void)snprintf(text, sizeof text, "%s: %s", step,
                   answered[0] != '\0' ? answered : "nobody is answered");
    if (strcmp(f->text, answered) != 0)
        test_wrong(text, "%s",
                   f->text[0] != '\0' ? f->text : "nobody is answered");
    f->text[0] = '\0';
}

static void expect_open(struct fixture *f, const char *step, const char *open)
{
    char got[TENANTS + 1] = "", text[TEXT_SIZE];
    size_t n = 0;

    for (int t = 0; t < TENANTS; t++) {
        if (f->of[t] != NULL && is_open(f, f->of[t]))
            got[n++] = (char)('a' + t);
    }
    got[n] = '\0';
    (void)snprintf(text, sizeof text, "%s: open are \"%s\"", step, open);
    if (strcmp(got, open) != 0)
        test_wrong(text, "open are \"%s\"", got);
    if (f->count != n)
        test_wrong(text, "there are %zu conns", f->count);
}

/* Lets a step come to its end, and then expects. */
static void expect(struct fixture *f, const char *step, const char *answered)
{
    settle(f);
    expect_now(f, step, answered);
}

static void expect_both(struct fixture *f,
                        const char *step,
                        const char *answered,
                        const char *open)
{
    expect(f, step, answered);
    expect_open(f, step, open);
}

/* One asks for each tenant, one after the other, borrower by borrower. */
static void borrow_all(struct fixture *f, const char *tenants)
{
    for (int i = 0; tenants[i] != '\0'; i++) {
        ask(f, i, tenants[i]);
        settle(f);
    }
}

static void return_all(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        give_back(&f->borrowers[i]);
    settle(f);
    f->text[0] = '\0'; /* of the steps up to here */
}

/* A cache for a situation, from its init to on_closed */

static void begin(struct fixture *f, const char *folder)
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

static void return_rest(struct fixture *f)
{
    for (int i = 0; i < BORROWERS; i++)
        if (f->borrowers[i].state == LENT)
            give_back(&f->borrowers[i]);
    settle(f);
}

static void free_conn(struct asq_conn *conn)
{
    free(conn);
}

/* Takes away what is left, without a close of the cache: that is judged by
 * the test of it only. */
static void discard(struct fixture *f)
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

/* Returns what is borrowed once close was called, and waits for on_closed. */
static void finish(struct fixture *f)
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
                   "%d times; there are %zu conns", f->closed, f->count);
    test_close_loop(&f->loop);
}

static void set_up(void *fixture)
{
    struct fixture *f = fixture;
    FILE *file = fopen(test_path("x.db"), "w");

    CHECK(file != NULL);
    for (int i = 0; i < 100; i++)
        CHECK(fputs("this is no database\n", file) >= 0);
    CHECK_INT(fclose(file), 0);
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    begin(f, test_path("."));
}

static void tear_down(void *fixture)
{
    discard(fixture);
}

/* Tests */

static void on_done(struct asq_request *request, int status)
{
    (void)request;
    CHECK_INT(status, 0);
}

static void write_to_file(struct fixture *f, struct borrower *b)
{
    struct asq_request request;

    asq_request_init(&request);
    CHECK_INT(asq_conn_run(b->ask.conn, &request, "PRAGMA user_version = 7",
                           NULL, on_done),
              0);
    settle(f);
    asq_request_destroy(&request);
}

/* Turns until this tenant is on its way to be closed. */
static void while_open(struct fixture *f, char tenant)
{
    for (int i = 0; is_open(f, f->of[tenant - 'a']) && i < TURNS; i++)
        turn(f);
}

static void two_ask_for_one(void *fixture)
{
    struct fixture *f = fixture;

    ask(f, 0, 'a');
    ask(f, 1, 'a');
    expect(f, "two ask for a", "a, a");
    ask(f, 2, 'a');
    expect(f, "a third asks for a", "a");
    test_cause("who asks while the conn is opening has it opened again");
    if (f->most != 1)
        test_wrong("a is opened once", "there were %zu conns", f->most);
    test_cause(NULL);
    CHECK(f->borrowers[0].ask.conn == f->borrowers[2].ask.conn);
    ask(f, 3, 'b');
    expect(f, "one asks for b", "b");
    write_to_file(f, &f->borrowers[3]);
    CHECK_INT(raw_number(test_path("b.db"), "PRAGMA user_version"), 7);
    return_all(f, 4);
    expect_open(f, "all have returned", "ab");
    ask(f, 0, 'a');
    expect(f, "one asks for a again", "a");
    if (f->most != 2)
        test_wrong("a and b are opened once", "there were %zu conns", f->most);
}

static void evicts_the_oldest(void *fixture)
{
    struct fixture *f = fixture;

    borrow_all(f, "acbda");
    return_all(f, 4); /* one of the two who have borrowed a is left */
    borrow_all(f, "c");
    return_all(f, 1);
    expect_open(f, "returned are b, d, c, in this order", "abcd");
    ask(f, 0, 'e');
    expect_both(f, "b was returned least recently, one asks for e", "e",
                "acde");
    ask(f, 1, 'f');
    expect_both(f, "d was returned least recently, one asks for f", "f",
                "acef");
    ask(f, 2, 'g');
    expect_both(f, "c was returned least recently, one asks for g", "g",
                "aefg");
}

/* What was written last moves from the log to the database when its conn is
 * closed. There the gate stops it. */
static void one_closes_first(void *fixture)
{
    struct fixture *f = fixture;

    borrow_all(f, "abcd");
    write_to_file(f, &f->borrowers[0]);
    return_all(f, 4);
    asq_slow_disk_gate(ASQ_DISK_WRITE, 1);
    ask(f, 0, 'e');
    while_open(f, 'a');
    if (asq_slow_disk_wait_for_gate(GATE_MS) != 0)
        test_wrong("a is closed when e needs its slot", "it is not closed");
    ask(f, 1, 'e');
    for (int i = 0; i < 10; i++)
        turn(f);
    for (char c = 'b'; c <= 'd'; c++)
        if (!is_open(f, f->of[c - 'a']))
            test_wrong("one is evicted for two who ask for e", "a and %c are",
                       c);
    expect_now(f, "a is still closing, two ask for e", "");
    asq_slow_disk_open_gate();
    expect_both(f, "a is closed", "e, e", "bcde");
    ask(f, 2, 'f');
    ask(f, 3, 'g');
    settle(f);
    expect_open(f, "b, c were returned least recently, f and g are asked for",
                "defg");
}

static void waits_in_line(void *fixture)
{
    struct fixture *f = fixture;

    borrow_all(f, "abcd");
    expect(f, "four ask", "a, b, c, d");
    ask(f, 4, 'e');
    ask(f, 5, 'e');
    ask(f, 6, 'f');
    expect_both(f, "all are borrowed, and three ask for e, e, f", "", "abcd");
    ask(f, 7, 'a');
    expect(f, "one asks for a, which is open", "a");
    give_back(&f->borrowers[0]);
    expect(f, "a is returned by one of two", "");
    give_back(&f->borrowers[1]);
    expect_both(f, "b is returned", "e, e", "acde");
    give_back(&f->borrowers[2]);
    expect(f, "c is returned", "f");
    CHECK_INT(ask_with(f, 0, 'g', give_back), 0);
    ask(f, 1, 'h');
    expect(f, "all are borrowed, and two ask for g, h", "");
    give_back(&f->borrowers[3]);
    expect_both(f, "d is returned, and so is g, inside its callback", "g, h",
                "aefh");
}

static void ask_again(struct borrower *b)
{
    int i = (int)(b - b->f->borrowers);

    CHECK_INT(ask_with(b->f, i + 8, b->tenant, NULL), 0);
}

static void opening_fails(void *fixture)
{
    static const char none[] = "x: file is not a database";
    struct fixture *f = fixture;
    char three[TEXT_SIZE] = "";

    for (int i = 0; i < 3; i++) {
        CHECK_INT(ask_with(f, i, 'x', ask_again), 0);
        note(three, none);
    }
    for (int i = 0; i < 3; i++)
        note(three, none);
    expect(f, "three ask for x, and in the callback again", three);
    test_cause("a conn that failed to open is not closed");
    expect_open(f, "x has failed", "");
    test_cause("a slot stays taken although opening has failed");
    borrow_all(f, "abcd");
    expect(f, "four ask", "a, b, c, d");
    ask(f, 4, 'x');
    ask(f, 5, 'e');
    expect(f, "all are borrowed, and two ask for x, e", "");
    give_back(&f->borrowers[2]);
    settle(f);
    (void)snprintf(three, sizeof three, "%s, e", none);
    expect(f, "c is returned, and x fails", three);
    expect_open(f, "x has failed", "abde");
    discard(f);
    begin(f, test_path("missing"));
    ask(f, 0, 'a');
    ask(f, 1, 'a');
    expect(f, "two ask for a, the folder is missing",
           "a: unable to open database file, a: unable to open database file");
}

/* The situations in which to close */

static void with_nothing(struct fixture *f)
{
    close_cache(f);
    settle(f);
    if (f->closed != 1)
        test_wrong("nobody has borrowed or asked: close ends with on_closed",
                   "it does not run; there are %zu conns", f->count);
}

static void with_two_idle(struct fixture *f)
{
    borrow_all(f, "ab");
    return_all(f, 2);
    with_nothing(f);
}

static void just_asked(struct fixture *f)
{
    ask(f, 0, 'a');
    close_cache(f);
    CHECK_INT(ask_with(f, 1, 'b', NULL), UV_ESHUTDOWN);
    expect(f, "asked, and closed at once", "a cancelled");
}

/* The gate of the slow disk stops a conn while it opens its file. */
static void while_opening(struct fixture *f, char tenant, const char *answered)
{
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    ask(f, 0, tenant);
    for (int i = 0; f->count == 0 && i < TURNS; i++)
        turn(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(GATE_MS), 0);
    close_cache(f);
    for (int i = 0; i < 10; i++)
        turn(f);
    if (f->closed > 0)
        test_wrong("on_closed waits for a conn that is opening",
                   "it does not wait");
    asq_slow_disk_open_gate();
    expect(f, "closed while opening", answered);
}

static void while_opening_a(struct fixture *f)
{
    while_opening(f, 'a', "a cancelled");
}

static void while_opening_fails(struct fixture *f)
{
    while_opening(f, 'x', "x cancelled");
}

/* A conn needs more than one turn to close. */
static void while_evicting(struct fixture *f)
{
    borrow_all(f, "abcd");
    give_back(&f->borrowers[2]);
    f->text[0] = '\0';
    ask(f, 4, 'e');
    while_open(f, 'c');
    close_cache(f);
    expect(f, "closed while c makes way for e", "e cancelled");
}

static void with_a_line(struct fixture *f)
{
    borrow_all(f, "abcd");
    f->text[0] = '\0';
    ask(f, 4, 'e');
    ask(f, 5, 'f');
    settle(f);
    close_cache(f);
    expect(f, "closed with e, f in the line", "e cancelled, f cancelled");
    if (f->closed > 0)
        test_wrong("on_closed waits for what is borrowed", "it does not wait");
    expect_open(f, "closed with all borrowed", "abcd");
    give_back(&f->borrowers[1]);
    settle(f);
    expect_open(f, "closed, b is returned", "acd");
}

static void close_it(struct borrower *b)
{
    CHECK_INT(ask_with(b->f, 8, 'b', NULL), 0);
    give_back(b);
    close_cache(b->f);
}

static void in_a_callback(struct fixture *f)
{
    CHECK_INT(ask_with(f, 0, 'a', close_it), 0);
    ask(f, 1, 'a');
    expect(f, "the first of two for a asks for b, returns, closes",
           "a, a cancelled, b cancelled");
}

static void close_later(struct borrower *b)
{
    CHECK_INT(ask_with(b->f, 8, 'b', NULL), 0);
    close_cache(b->f);
}

static void in_a_failure(struct fixture *f, char tenant, const char *answered)
{
    CHECK_INT(ask_with(f, 0, tenant, close_later), 0);
    expect(f, "opening fails, and the callback asks for b and closes",
           answered);
}

static void in_a_failure_of_x(struct fixture *f)
{
    in_a_failure(f, 'x', "x: file is not a database, b cancelled");
}

static void closes(void *fixture)
{
    static void (*const situations[])(struct fixture * f) = {
        with_nothing,    with_two_idle,       just_asked,
        while_opening_a, while_opening_fails, while_evicting,
        with_a_line,     in_a_callback,       in_a_failure_of_x};
    static char folder[EX_PATH_SIZE + 1];
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        situations[i](f);
        finish(f);
        begin(f, test_path("."));
    }
    discard(f);
    memset(folder, 'f', EX_PATH_SIZE); /* so asq_conn_open is not called */
    begin(f, folder);
    in_a_failure(f, 'a', "a: ENAMETOOLONG, b cancelled");
    finish(f);
    begin(f, test_path("."));
}

/* The model: one step at a time, so that there is one right answer. */

static int oldest_idle(const struct model *m)
{
    int oldest = -1;

    for (int t = 0; t < TENANTS; t++)
        if (m->open[t] && m->borrowed[t] == 0 &&
            (oldest < 0 || m->returned[t] < m->returned[oldest]))
            oldest = t;
    return oldest;
}

static void model_answer(struct model *m, int t)
{
    const char name[2] = {(char)('a' + t), '\0'};

    if (m->open[t])
        m->borrowed[t]++;
    note(m->text, m->open[t] ? name : "x: file is not a database");
}

/* Serves the front of the line as long as there is a slot for it. */
static void model_serve(struct model *m)
{
    while (m->waiting > 0) {
        int t = m->line[0], open = 0, left = 0;

        for (int i = 0; i < TENANTS; i++)
            open += m->open[i];
        if (open == EX_SLOTS && oldest_idle(m) < 0)
            return;
        if (open == EX_SLOTS)
            m->open[oldest_idle(m)] = false;
        m->open[t] = t != 'x' - 'a';
        for (int i = 0; i < m->waiting; i++) {
            if (m->line[i] == t)
                model_answer(m, t);
            else
                m->line[left++] = m->line[i];
        }
        m->waiting = left;
    }
}

static void model_return(struct model *m, int t)
{
    m->borrowed[t]--;
    m->returned[t] = ++m->clock;
    model_serve(m);
}

/* Asks, and now and then returns inside the callback. */
static void random_ask(struct fixture *f, int i, uint64_t n)
{
    struct model *m = &f->model;
    int t = n % 9 == 8 ? 'x' - 'a' : (int)(n % 9);
    bool at_once = m->waiting == 0 && n / 9 % 4 == 0 && t != 'x' - 'a' &&
                   (m->open[t] || oldest_idle(m) >= 0);

    CHECK_INT(ask_with(f, i, (char)('a' + t), at_once ? give_back : NULL), 0);
    if (m->open[t]) {
        model_answer(m, t);
    } else {
        m->line[m->waiting++] = t;
        model_serve(m);
    }
    if (at_once)
        model_return(m, t);
}

static void random_step(struct fixture *f, int step, uint64_t n)
{
    struct borrower *b = &f->borrowers[n % BORROWERS];
    char what[40], open[TENANTS + 1];
    size_t count = 0;

    (void)snprintf(what, sizeof what, "step %d, one %s", step,
                   b->state == IDLE ? "asks" : "returns");
    f->model.text[0] = '\0';
    if (b->state == LENT) {
        give_back(b);
        model_return(&f->model, b->tenant - 'a');
    } else if (b->state == IDLE && n / BORROWERS % 3 == 0) {
        random_ask(f, (int)(n % BORROWERS), n / BORROWERS / 3);
    }
    expect(f, what, f->model.text);
    for (int t = 0; t < TENANTS; t++) {
        if (f->model.open[t])
            open[count++] = (char)('a' + t);
    }
    open[count] = '\0';
    expect_open(f, what, open);
}

static void random_steps(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t n = test_seed();

    for (int step = 1; step <= (int)test_scaled(STEPS); step++) {
        n = n * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        random_step(f, step, n >> 33);
    }
}

static const struct test_case cases[] = {
    {.name = "two_ask_for_one",
     .run = two_ask_for_one,
     .title = "two ask for one tenant, it is opened once",
     .points = 1,
     .function = "ex_tenants_ask",
     .cause = "who waits for a conn is not looked at again when it is open"},
    {.name = "evicts_the_oldest",
     .run = evicts_the_oldest,
     .title = "who is idle is evicted, the least recently returned first",
     .points = 2,
     .needs = 1,
     .function = "ex_tenants_ask",
     .cause = "another one is evicted, more than one, or none"},
    {.name = "one_closes_first",
     .run = one_closes_first,
     .title = "evicted means closed, before the next is opened",
     .points = 1,
     .builds = TEST_ADDRESS, /* where memory that went too early is seen */
     .needs = 1,
     .function = "ex_tenants_ask",
     .cause = "a slot is taken to be free before its conn is closed"},
    {.name = "waits_in_line",
     .run = waits_in_line,
     .title = "all four are borrowed: served on return, in order",
     .points = 2,
     .needs = 1,
     .function = "ex_tenants_return",
     .cause = "a return does not wake the line, or not its front"},
    {.name = "opening_fails",
     .run = opening_fails,
     .title = "opening fails: all who wait hear it, the slot is free again",
     .points = 1,
     .needs = 1,
     .function = "ex_tenants_ask",
     .cause = "somebody who waits for the tenant is forgotten"},
    {.name = "closes",
     .run = closes,
     .title = "closed in ten situations, on_closed last and once",
     .points = 2,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_tenants_close",
     .cause = "maybe_closed lacks a reason to wait"},
    {.name = "random_steps",
     .run = random_steps,
     .title = "a random sequence of asks and returns",
     .points = 1,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_tenants_ask",
     .cause = "as the step says; the tests before show it more simply"},
    {0},
};

const struct test_suite test_suite = {
    .name = "09-lifetimes",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
