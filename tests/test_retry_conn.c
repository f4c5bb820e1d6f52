/* test_retry_conn - attempts are real: transactions that meet a lock, requests
 * that find the queue full */
#include "07-transactions/tx.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/retry.h"
#include "conn_fixture.h"

enum {
    CONNS = 8,
    TRIES = 1000 /* nobody needs so many */
};

struct writer {
    struct retry_fixture *t;
    struct asq_conn conn;
    struct asq_tx tx;
    struct asq_tx_step steps[2];
    struct asq_retry retry;
    bool has_met_the_lock;
};

struct retry_fixture {
    struct fixture f;
    struct writer writers[CONNS];
    uv_thread_t holder;
    int opened, done;
    unsigned waiting; /* how many have met the lock */
    unsigned succeeded;
    unsigned attempts;
};

/* Somebody holds the lock until all have met it. */

static void hold_lock(void *data)
{
    struct retry_fixture *t = data;
    sqlite3 *db = raw_open(t->f.profile.path);

    raw_do(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES (0)");
    uv_sem_post(&t->f.reached);
    uv_sem_wait(&t->f.gate);
    raw_do(db, "COMMIT");
    raw_close(db);
}

static void writer_opened(struct asq_conn *conn, int status)
{
    struct writer *writer = conn->data;

    CHECK_INT(status, 0);
    writer->t->opened = 1;
}

static void on_tx_end(struct asq_tx *tx, int status)
{
    struct writer *writer = tx->data;
    struct retry_fixture *t = writer->t;

    CHECK(status == 0 || (status & 0xff) == SQLITE_BUSY);
    if (status != 0 && !writer->has_met_the_lock) {
        writer->has_met_the_lock = true;
        t->waiting++;
        if (t->waiting == CONNS)
            let_go(&t->f);
    }
    asq_retry_settle(&writer->retry, status);
}

/* Both rows or none. */
static int try_to_write(struct asq_retry *retry)
{
    struct writer *writer = retry->data;
    int rc = asq_tx_run(&writer->tx, &writer->steps[0],
                        "INSERT INTO t VALUES (1)", NULL, NULL);

    if (rc != 0)
        return rc;
    CHECK_INT(asq_tx_run(&writer->tx, &writer->steps[1],
                         "INSERT INTO t VALUES (1)", NULL, NULL),
              0);
    return 0;
}

static void on_written(struct asq_retry *retry, int status)
{
    struct writer *writer = retry->data;
    struct retry_fixture *t = writer->t;

    CHECK_INT(status, 0);
    CHECK(writer->has_met_the_lock);
    t->attempts += retry->attempts;
    t->succeeded++;
    t->done = t->succeeded == CONNS;
}

static void init_retry(struct asq_retry *retry, struct fixture *f)
{
    asq_retry_init(retry, &f->loop);
    retry->attempts_max = TRIES;
    retry->base_ms = 1;
    retry->cap_ms = 20;
}

static void open_writer(struct retry_fixture *t, struct writer *writer)
{
    writer->t = t;
    asq_conn_init(&writer->conn);
    writer->conn.data = writer;
    t->opened = 0;
    CHECK_INT(
        asq_conn_open(&writer->conn, &t->f.loop, &t->f.profile, writer_opened),
        0);
    test_run_until(&t->f.loop, &t->opened);
    asq_tx_init(&writer->tx, &writer->conn);
    writer->tx.data = writer;
    writer->tx.on_end = on_tx_end;
    asq_tx_step_init(&writer->steps[0]);
    asq_tx_step_init(&writer->steps[1]);
    init_retry(&writer->retry, &t->f);
    writer->retry.data = writer;
}

static void writer_closed(struct asq_conn *conn)
{
    struct writer *writer = conn->data;

    asq_tx_destroy(&writer->tx);
    asq_tx_step_destroy(&writer->steps[0]);
    asq_tx_step_destroy(&writer->steps[1]);
}

static void eight_wait_for_a_lock(void *data)
{
    struct retry_fixture *t = data;

    t->f.profile.busy_ms = 0; /* nobody waits, they come again */
    open_conn(&t->f);
    run_now(&t->f, "CREATE TABLE t (n)");
    for (int i = 0; i < CONNS; i++)
        open_writer(t, &t->writers[i]);
    CHECK_INT(uv_thread_create(&t->holder, hold_lock, t), 0);
    uv_sem_wait(&t->f.reached);
    for (int i = 0; i < CONNS; i++)
        CHECK_INT(
            asq_retry_start(&t->writers[i].retry, try_to_write, on_written), 0);
    test_run_until(&t->f.loop, &t->done);
    CHECK_INT(uv_thread_join(&t->holder), 0);
    CHECK(t->attempts >= 2 * CONNS);
    CHECK_INT(ask_number(&t->f, "SELECT sum(n) FROM t"), 2 * CONNS);
    for (int i = 0; i < CONNS; i++) {
        asq_retry_close(&t->writers[i].retry, NULL);
        asq_conn_close(&t->writers[i].conn, writer_closed);
    }
}

/* A full queue is what submit itself returns. */

struct poll {
    struct ask ask;
    struct asq_retry retry;
    unsigned refused;
    int done;
};

static void on_polled(struct ask *ask)
{
    struct poll *poll = ASQ_CONTAINER_OF(ask, struct poll, ask);

    asq_retry_settle(&poll->retry, ask->status);
}

static int try_to_ask(struct asq_retry *retry)
{
    struct poll *poll = retry->data;
    int rc = try_sql(&poll->ask, "SELECT 1");

    if (rc != 0) {
        CHECK_INT(rc, UV_ENOBUFS);
        poll->refused++;
        if (poll->refused == 3)
            let_go(poll->ask.fixture); /* what fills the queue */
    }
    return rc;
}

static void poll_done(struct asq_retry *retry, int status)
{
    struct poll *poll = retry->data;

    CHECK_INT(status, 0);
    CHECK(retry->attempts > poll->refused);
    poll->done = 1;
}

static void a_full_queue_is_tried_again(void *data)
{
    struct fixture *f = &((struct retry_fixture *)data)->f;
    struct poll poll = {0};
    struct ask first;

    f->conn.capacity = 1;
    open_conn(f);
    ask_init(f, &first);
    ask_init(f, &poll.ask);
    poll.ask.then = on_polled;
    hold_worker(&first);
    init_retry(&poll.retry, f);
    poll.retry.data = &poll;
    CHECK_INT(asq_retry_start(&poll.retry, try_to_ask, poll_done), 0);
    test_run_until(&f->loop, &poll.done);
    CHECK(poll.refused >= 3);
    asq_retry_close(&poll.retry, NULL);
    expect(&first, 0);
    asq_request_destroy(&first.request);
    asq_request_destroy(&poll.ask.request);
    close_conn(f); /* and the timer, which lies in this frame */
}

/* What is left of the deadline is the attempt's: it covers all together. */

static void on_late(struct asq_retry *retry, int status)
{
    struct poll *poll = retry->data;

    CHECK_INT(status, UV_ETIMEDOUT);
    poll->done = 1;
}

static int wait_for_lock(struct asq_retry *retry)
{
    struct poll *poll = retry->data;

    poll->ask.request.timeout_ms = asq_time_left_ms(retry->deadline_ns);
    return try_sql(&poll->ask, "INSERT INTO t VALUES (1)");
}

static void a_deadline_covers_the_attempts(void *data)
{
    struct fixture *f = &((struct retry_fixture *)data)->f;
    struct poll poll = {0};
    sqlite3 *db;

    f->profile.busy_ms = 3600000;
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    db = raw_open(f->profile.path);
    raw_do(db, "BEGIN IMMEDIATE");
    ask_init(f, &poll.ask);
    poll.ask.then = on_polled;
    init_retry(&poll.retry, f);
    poll.retry.data = &poll;
    poll.retry.timeout_ms = 20;
    CHECK_INT(asq_retry_start(&poll.retry, wait_for_lock, on_late), 0);
    test_run_until(&f->loop, &poll.done);
    CHECK_INT(poll.retry.attempts, 1); /* a deadline is not tried again */
    asq_retry_close(&poll.retry, NULL);
    asq_request_destroy(&poll.ask.request);
    raw_close(db);
    close_conn(f); /* and the timer, which lies in this frame */
}

static const struct test_case cases[] = {
    {.name = "eight_wait_for_a_lock", .run = eight_wait_for_a_lock},
    {.name = "a_full_queue_is_tried_again", .run = a_full_queue_is_tried_again},
    {.name = "a_deadline_covers_the_attempts",
     .run = a_deadline_covers_the_attempts},
    {.name = NULL},
};

static void set_up(void *data)
{
    conn_set_up(&((struct retry_fixture *)data)->f);
}

static void tear_down(void *data)
{
    conn_tear_down(&((struct retry_fixture *)data)->f);
}

const struct test_suite test_suite = {.name = "retry_conn",
                                      .cases = cases,
                                      .fixture_size =
                                          sizeof(struct retry_fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
