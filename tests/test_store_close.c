/* test_store_close - a store that is closed, cancelled, shut down or forked */
#include "09-lifetimes/shutdown.h"
#include "store_world.h"

#include <sys/wait.h>

enum end {
    CLOSE,
    CANCEL
};

static void end_it(struct fixture *f, enum end end)
{
    if (end == CANCEL)
        asq_conn_cancel(&f->store.conn);
    start_close(f);
}

static void hold_with_group(struct fixture *f,
                            struct ask *holder,
                            struct ask *asks,
                            int stands)
{
    ask_init(f, holder);
    ask_sql(holder, "SELECT stand()");
    wait_at_gate(f);
    ask_init_all(f, asks, GROUP);
    for (int i = 0; i < GROUP; i++) {
        if (i != stands) {
            ask_insert(&asks[i]);
            continue;
        }
        ask_sql(&asks[i],
                "WITH RECURSIVE a(n) AS (SELECT stand() UNION ALL "
                "SELECT n + 1 FROM a WHERE n < 1000) "
                "INSERT INTO t SELECT 100 + n, 0, NULL FROM a WHERE n = 1");
    }
}

static void end_group(struct ask *holder, struct ask *asks)
{
    asq_request_destroy(&holder->request);
    ask_destroy_all(asks, GROUP);
}

static void before_the_group_nothing_runs(void *data)
{
    struct fixture *f = data;
    struct ask holder, late, asks[GROUP];

    for (enum end end = CLOSE; end <= CANCEL; end++) {
        hold_with_group(f, &holder, asks, -1);
        end_it(f, end);
        ask_init(f, &late);
        CHECK_INT(try_sql(&late, "SELECT 1"), UV_ESHUTDOWN);
        let_go(f);
        for (int i = 0; i < GROUP; i++) {
            expect(&asks[i], UV_ECANCELED);
            CHECK_INT(asks[i].starts, 0);
        }
        wait_for(&holder);
        CHECK_INT(holder.status, 0); /* it had done all its work */
        close_store(f);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), 0);
        CHECK_INT(try_sql(&late, "SELECT 1"), UV_ESHUTDOWN);
        end_group(&holder, asks);
        open_again(f);
    }
}

/* At each place: what has run is committed, what waits is not. */
static void closed_within_a_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    for (int place = 0; place < GROUP; place++) {
        run_now(f, "DELETE FROM t");
        hold_with_group(f, &holder, asks, place);
        let_go(f);
        wait_at_gate(f);
        end_it(f, CLOSE);
        let_go(f);
        for (int i = 0; i < GROUP; i++)
            expect(&asks[i], i <= place ? 0 : UV_ECANCELED);
        close_store(f);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), place + 1);
        end_group(&holder, asks);
        open_again(f);
    }
}

/* The running one is interrupted, which undoes those before it: they do not run
 * again. */
static void cancelled_within_a_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    for (int place = 0; place < GROUP; place++) {
        hold_with_group(f, &holder, asks, place);
        let_go(f);
        wait_at_gate(f);
        end_it(f, CANCEL);
        let_go(f);
        for (int i = 0; i < GROUP; i++)
            expect(&asks[i], i == place ? SQLITE_INTERRUPT : UV_ECANCELED);
        close_store(f);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), 0);
        end_group(&holder, asks);
        open_again(f);
    }
}

static void while_it_commits_all_are_committed(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP], late;

    for (enum end end = CLOSE; end <= CANCEL; end++) {
        run_now(f, "DELETE FROM t");
        hold_with_group(f, &holder, asks, -1);
        asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
        let_go(f);
        CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
        ask_init(f, &late);
        ask_sql(&late, "DELETE FROM t");
        end_it(f, end);
        asq_slow_disk_open_gate();
        for (int i = 0; i < GROUP; i++)
            expect(&asks[i], 0);
        expect(&late, UV_ECANCELED);
        close_store(f);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP);
        asq_request_destroy(&late.request);
        end_group(&holder, asks);
        open_again(f);
    }
}

static void close_in_callback(struct ask *ask)
{
    end_it(ask->fixture, CLOSE);
}

static void cancel_in_callback(struct ask *ask)
{
    end_it(ask->fixture, CANCEL);
}

static void in_a_callback(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    for (enum end end = CLOSE; end <= CANCEL; end++) {
        run_now(f, "DELETE FROM t");
        hold_with_group(f, &holder, asks, -1);
        asks[3].then = end == CLOSE ? close_in_callback : cancel_in_callback;
        let_go(f);
        for (int i = 0; i < GROUP; i++)
            expect(&asks[i], 0);
        close_store(f);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP);
        end_group(&holder, asks);
        open_again(f);
    }
}

static void while_it_opens_or_waits_for_a_lock(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];
    sqlite3 *other;

    close_store(f);
    other = raw_open(f->profile.path);
    f->profile.busy_ms = 1000000;
    for (enum end end = CLOSE; end <= CANCEL; end++) {
        init_store(f);
        f->submitting = true;
        CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open),
                  0);
        f->submitting = false;
        ask_init_all(f, asks, 2);
        ask_insert(&asks[0]);
        end_it(f, end);
        close_store(f);
        CHECK(asks[0].status == UV_ECANCELED || asks[0].status == UV_ESHUTDOWN);
        ask_destroy_all(asks, 2);
    }
    raw_do(other, "BEGIN IMMEDIATE");
    init_store(f);
    open_store(f);
    ask_init_all(f, asks, 2);
    f->marked = &asks[0].request;
    ask_insert(&asks[0]);
    wait_at_gate(f);
    ask_insert(&asks[1]);
    end_it(f, CANCEL);
    expect(&asks[0], SQLITE_INTERRUPT);
    expect(&asks[1], UV_ECANCELED);
    close_store(f);
    raw_do(other, "COMMIT");
    raw_close(other);
    ask_destroy_all(asks, 2);
}

/* It fails to open, and answers what waits. */
static void a_store_that_cannot_be_opened_says_so(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    close_store(f);
    init_store(f);
    f->profile.mode = ASQ_OPEN_WRITE;
    f->profile.path = test_path("missing.db");
    CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open), 0);
    ask_init(f, &ask);
    ask_insert(&ask);
    expect(&ask, UV_ESHUTDOWN);
    CHECK_INT(f->open_status, SQLITE_CANTOPEN);
    CHECK_CONTAINS(f->store.conn.message, "missing.db");
    close_store(f);
    asq_request_destroy(&ask.request);
}

/* While the fifth runs: those before it are committed all the same. */
static void one_cancelled_within_a_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    for (int place = 0; place < GROUP; place++) {
        if (place == 4)
            continue;
        run_now(f, "DELETE FROM t");
        ask_init(f, &holder);
        ask_sql(&holder, "SELECT stand()");
        wait_at_gate(f);
        ask_init_all(f, asks, GROUP);
        for (int i = 0; i < GROUP; i++) {
            if (i == 4)
                ask_call(&asks[i], stand_at_gate);
            else
                ask_insert(&asks[i]);
        }
        let_go(f);
        wait_at_gate(f);
        asq_request_cancel(&asks[place].request);
        let_go(f);
        for (int i = 0; i < GROUP; i++)
            expect(&asks[i], i == place && place > 4 ? UV_ECANCELED : 0);
        CHECK_INT(there(f, "SELECT count(*) FROM t"),
                  place > 4 ? GROUP - 2 : GROUP - 1);
        end_group(&holder, asks);
    }
}

/* A fork */
static void the_child_of_a_fork_refuses(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    int status;
    pid_t pid;

    run_now(f, "INSERT INTO t VALUES (1, 0, NULL)");
    ask_init(f, &ask);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int rc = asq_conn_run(&f->store.conn, &ask.request, "SELECT 1", NULL,
                              on_answer);

        asq_conn_cancel(&f->store.conn);
        asq_conn_close(&f->store.conn, on_closed);
        _exit(rc == UV_EINVAL && stats(f).groups == 1 ? 0 : 1);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    run_now(f, "INSERT INTO t VALUES (2, 0, NULL)");
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 2);
    asq_request_destroy(&ask.request);
}

/* The shutdown of lesson 09 */
static int down;

static void on_down(struct asq_shutdown *shutdown)
{
    (void)shutdown;
    down = 1;
}

static void a_shutdown_drains_and_empties_the_wal(void *data)
{
    struct fixture *f = data;
    struct asq_shutdown shutdown;
    struct asq_shutdown_part part = {
        .name = "store", .conn = &f->store.conn, .checkpoint = true};
    struct ask asks[64];
    char name[1100];

    close_store(f);
    init_store(f);
    f->store.conn.observe = NULL; /* it would see the shutdown's requests */
    f->store.wal_pages = 4;
    open_store(f);
    ask_init_all(f, asks, 64);
    for (int i = 0; i < 64; i++)
        ask_insert(&asks[i]);
    asq_shutdown_init(&shutdown);
    asq_shutdown_add(&shutdown, &part);
    CHECK_INT(asq_shutdown_start(&shutdown, &f->loop, on_down), 0);
    test_run_until(&f->loop, &down);
    f->closed = 1;
    f->close_called = true;
    for (int i = 0; i < 64; i++)
        expect(&asks[i], 0);
    CHECK_INT(part.checkpoint_status, 0);
    CHECK(shutdown.in_time);
    (void)snprintf(name, sizeof name, "%s-wal", f->profile.path);
    CHECK(access(name, F_OK) != 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 64);
    ask_destroy_all(asks, 64);
}

static const struct test_case cases[] = {
    {.name = "before_the_group_nothing_runs",
     .run = before_the_group_nothing_runs},
    {.name = "closed_within_a_group", .run = closed_within_a_group},
    {.name = "cancelled_within_a_group", .run = cancelled_within_a_group},
    {.name = "while_it_commits_all_are_committed",
     .run = while_it_commits_all_are_committed},
    {.name = "in_a_callback", .run = in_a_callback},
    {.name = "while_it_opens_or_waits_for_a_lock",
     .run = while_it_opens_or_waits_for_a_lock},
    {.name = "a_store_that_cannot_be_opened_says_so",
     .run = a_store_that_cannot_be_opened_says_so},
    {.name = "one_cancelled_within_a_group",
     .run = one_cancelled_within_a_group},
    {.name = "the_child_of_a_fork_refuses", .run = the_child_of_a_fork_refuses},
    {.name = "a_shutdown_drains_and_empties_the_wal",
     .run = a_shutdown_drains_and_empties_the_wal},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_close",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
