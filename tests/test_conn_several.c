/* test_conn_several - several connections to one file, on one loop
 *
 * Few rows are written, so that no WAL file is started anew while several
 * connections write: SQLite below 3.51.3 has a rare race there.
 */
#include "conn_fixture.h"

#include <stdio.h>

enum {
    CONNS = 8,
    WRITES = 40, /* of each connection */
    IN_FLIGHT = 8
};

struct one {
    struct asq_conn conn;
    struct group *group;
    int64_t seen; /* the largest count so far */
    unsigned reads, writes;
};

struct group {
    struct one ones[CONNS];
    struct asq_profile profile;
    int opened, all_open;
    int closed, all_closed;
    unsigned reads; /* of each connection */
};

static struct group group;

static void on_one_open(struct asq_conn *conn, int status)
{
    struct one *one = ASQ_CONTAINER_OF(conn, struct one, conn);

    if (status != 0)
        FAIL("%d: %s", status, conn->message);
    CHECK_TEXT(conn->journal_mode, "wal");
    one->group->all_open = ++one->group->opened == CONNS;
}

static void on_one_closed(struct asq_conn *conn)
{
    struct one *one = ASQ_CONTAINER_OF(conn, struct one, conn);

    one->group->all_closed = ++one->group->closed == CONNS;
}

static void open_all(struct fixture *f)
{
    group.opened = 0;
    group.all_open = 0;
    for (int i = 0; i < CONNS; i++) {
        struct one *one = &group.ones[i];

        one->group = &group;
        asq_conn_init(&one->conn);
        CHECK_INT(
            asq_conn_open(&one->conn, &f->loop, &group.profile, on_one_open),
            0);
    }
    test_run_until(&f->loop, &group.all_open);
}

static void close_all(struct fixture *f)
{
    group.closed = 0;
    group.all_closed = 0;
    for (int i = 0; i < CONNS; i++)
        asq_conn_close(&group.ones[i].conn, on_one_closed);
    test_run_until(&f->loop, &group.all_closed);
}

/* Switching to WAL needs the file alone for a moment: all must get it. */
static void eight_open_a_new_file_at_once(void *data)
{
    struct fixture *f = data;
    unsigned rounds = test_scaled(300);
    char path[1100];

    for (unsigned i = 0; i < rounds; i++) {
        (void)snprintf(path, sizeof path, "%s-%u", f->profile.path, i);
        group.profile = asq_profile_default(path);
        open_all(f);
        close_all(f);
        remove_files(path);
    }
}

/* What one of them asks, again and again. */
struct question {
    struct ask ask;
    struct one *one;
};

static void ask_next(struct question *question)
{
    struct one *one = question->one;
    bool write = (one->reads + one->writes) % 5 == 0 && one->writes < WRITES;

    if (!write && one->reads == group.reads)
        return;
    if (write)
        one->writes++;
    else
        one->reads++;
    CHECK_INT(asq_conn_run(&one->conn, &question->ask.request,
                           write ? "INSERT INTO t VALUES (1)"
                                 : "SELECT count(*) FROM t",
                           NULL, on_answer),
              0);
}

/* Time does not run backwards: a later query sees no fewer rows. */
static void check_and_go_on(struct ask *ask)
{
    struct question *question = ASQ_CONTAINER_OF(ask, struct question, ask);
    struct one *one = question->one;

    if (ask->status != 0)
        FAIL("%d: %s", ask->status, ask->request.message);
    if (ask->request.result.columns > 0) {
        CHECK_RANGE(number_of(ask), one->seen, CONNS * WRITES);
        one->seen = number_of(ask);
    }
    ask_next(question);
}

static void all_work_on_one_file(void *data)
{
    static struct question questions[CONNS][IN_FLIGHT];
    struct fixture *f = data;

    raw_run(f->profile.path, "CREATE TABLE t (n)");
    group.reads = test_scaled(2000);
    group.profile = f->profile;
    group.profile.synchronous = 0;
    group.profile.busy_ms = 60000;
    open_all(f);
    for (int i = 0; i < CONNS; i++) {
        for (int k = 0; k < IN_FLIGHT; k++) {
            struct question *question = &questions[i][k];

            ask_init(f, &question->ask);
            question->ask.then = check_and_go_on;
            question->one = &group.ones[i];
            ask_next(question);
        }
    }
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    close_all(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(n) FROM t"),
              CONNS * WRITES);
    check_integrity(f->profile.path);
    for (int i = 0; i < CONNS; i++) {
        for (int k = 0; k < IN_FLIGHT; k++)
            asq_request_destroy(&questions[i][k].ask.request);
    }
}

static const struct test_case cases[] = {
    {.name = "eight_open_a_new_file_at_once",
     .run = eight_open_a_new_file_at_once,
     .seconds = 60},
    {.name = "all_work_on_one_file", .run = all_work_on_one_file},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_several",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
