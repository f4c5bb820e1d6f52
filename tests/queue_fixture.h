/* queue_fixture - queues of several workers on one file, and fake clocks
 *
 * A side is a worker: a connection, a queue and its lanes. All sides are on one
 * loop; each is to the others what another process would be. Time stands still
 * until a test moves it, and the timers of the queues never come by themselves:
 * a test calls look. Every job that a side is given is kept in `got`, and its
 * holder keeps it unless `serve` says what to do.
 */
#ifndef TESTS_QUEUE_FIXTURE_H
#define TESTS_QUEUE_FIXTURE_H

#include "07-transactions/tx.h"
#include "14-task-queue/queue.h"
#include "14-task-queue/queue_turn.h"
#include "common/slow_disk.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    SIDES = 4,
    LANES = 8,
    GOT = 2000,
    NEVER_MS = 1000000000,
    LEASE_MS = 30000
};

struct fixture;

struct side {
    struct fixture *f;
    struct asq_conn conn;
    struct asq_queue queue;
    struct asq_queue_job jobs[LANES];
    int opened, open_status, closed, conn_opened, conn_closed, drained;
    struct got {
        int64_t id, attempt;
        char payload[32];
        struct asq_queue_job *job;
    } got[GOT];
    size_t count;                                                /* of got */
    void (*serve)(struct side *side, struct asq_queue_job *job); /* or NULL */
    unsigned lost;                                               /* calls */
    int64_t lost_id;
    void (*on_lost)(struct side *side, struct asq_queue_job *job); /* or NULL */
    unsigned errors;
    int error;
    unsigned ended[2]; /* stored; lost */
    int end_status;
    enum asq_queue_state became;
};

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
    struct side sides[SIDES];
    bool calling; /* a function of the queue is being called */
    uv_sem_t reached, gate;
    char path[512];
};

/* Clocks */

static uint64_t now_ms = 1000000;
static int64_t wall_ms = INT64_C(1700000000000);

static inline uint64_t read_now(void)
{
    return now_ms;
}

static inline int64_t read_wall(void)
{
    return wall_ms;
}

static inline void move_clocks(unsigned ms)
{
    now_ms += ms;
    wall_ms += ms;
}

/* Callbacks */

static inline void take_job_end(struct asq_queue_job *job, int status)
{
    struct side *side = job->queue->data;

    CHECK(!side->f->calling);
    CHECK(!side->closed);
    CHECK(status == 0 || status == ASQ_LOST || status == UV_ECANCELED);
    if (status != UV_ECANCELED)
        side->ended[status != 0]++;
    side->end_status = status;
    side->became = job->became;
}

static inline void take_job(struct asq_queue_job *job)
{
    struct side *side = job->queue->data;
    struct got *got = &side->got[side->count++];

    CHECK(!side->f->calling);
    CHECK(!side->queue.closing);
    CHECK(side->count < GOT);
    got->id = job->id;
    got->attempt = job->attempt;
    got->job = job;
    CHECK_INT(((const char *)job->payload)[job->size], 0);
    (void)snprintf(got->payload, sizeof got->payload, "%s",
                   (const char *)job->payload);
    if (side->serve != NULL)
        side->serve(side, job);
}

static inline void take_lost(struct asq_queue_job *job)
{
    struct side *side = job->queue->data;

    CHECK(!side->f->calling);
    CHECK(job->lost);
    side->lost++;
    side->lost_id = job->id;
    if (side->on_lost != NULL)
        side->on_lost(side, job);
}

static inline void
take_error(struct asq_queue *queue, int status, const char *message)
{
    struct side *side = queue->data;

    CHECK(!side->f->calling);
    CHECK(message[0] != '\0');
    side->errors++;
    side->error = status;
}

static inline void take_opened(struct asq_queue *queue, int status)
{
    struct side *side = queue->data;

    CHECK(!side->f->calling);
    CHECK_INT(status != 0, queue->message[0] != '\0');
    side->opened++;
    side->open_status = status;
}

static inline void take_closed(struct asq_queue *queue)
{
    struct side *side = queue->data;

    CHECK(!side->f->calling);
    CHECK_INT(queue->pending, 0);
    side->closed++;
}

static inline void take_drained(struct asq_queue *queue)
{
    struct side *side = queue->data;

    CHECK(!side->f->calling);
    side->drained++;
}

static inline void take_conn_opened(struct asq_conn *conn, int status)
{
    struct side *side = conn->data;

    CHECK_INT(status, 0);
    side->conn_opened++;
}

static inline void take_conn_closed(struct asq_conn *conn)
{
    struct side *side = conn->data;

    side->conn_closed++;
}

/* Life */

static inline void queue_set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    CHECK_INT(asq_slow_disk_register(), 0);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    (void)snprintf(f->path, sizeof f->path, "%s", test_path("queue.db"));
    f->profile = asq_profile_default(f->path);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.busy_ms = 60000;
    for (size_t i = 0; i < SIDES; i++)
        f->sides[i].f = f;
}

static inline void init_queue(struct side *side)
{
    asq_queue_init(&side->queue);
    side->queue.data = side;
    side->queue.lease_ms = LEASE_MS;
    side->queue.poll_ms = NEVER_MS;
    side->queue.now_ms = read_now;
    side->queue.wall_ms = read_wall;
    side->queue.boot = "this";
    side->queue.on_lost = take_lost;
    side->queue.on_error = take_error;
}

static inline struct side *open_conn(struct fixture *f, size_t number)
{
    struct side *side = &f->sides[number];

    asq_conn_init(&side->conn);
    side->conn.data = side;
    CHECK_INT(
        asq_conn_open(&side->conn, &f->loop, &f->profile, take_conn_opened), 0);
    test_run_until(&f->loop, &side->conn_opened);
    init_queue(side);
    return side;
}

/* Opens the queue as its fields say. */
static inline void open_queue(struct side *side)
{
    struct fixture *f = side->f;

    side->opened = side->closed = 0;
    f->calling = true;
    CHECK_INT(asq_queue_open(&side->queue, &f->loop, &side->conn, "mail",
                             take_opened),
              0);
    f->calling = false;
    test_run_until(&f->loop, &side->opened);
    if (side->open_status != 0)
        FAIL("%d: %s", side->open_status, side->queue.message);
}

static inline struct side *open_side(struct fixture *f, size_t number)
{
    struct side *side = open_conn(f, number);

    open_queue(side);
    return side;
}

static inline void start_close(struct side *side)
{
    side->f->calling = true;
    asq_queue_close(&side->queue, take_closed);
    side->f->calling = false;
}

static inline void close_queue(struct side *side)
{
    start_close(side);
    test_run_until(&side->f->loop, &side->closed);
    CHECK_INT(side->closed, 1);
}

static inline void close_side(struct side *side)
{
    if (side->queue.must_close)
        close_queue(side);
    asq_conn_close(&side->conn, take_conn_closed);
    test_run_until(&side->f->loop, &side->conn_closed);
    side->conn_opened = side->conn_closed = 0;
}

static inline void queue_tear_down(void *data)
{
    struct fixture *f = data;

    for (size_t i = 0; i < SIDES; i++)
        if (f->sides[i].conn_opened)
            close_side(&f->sides[i]);
    test_close_loop(&f->loop);
    uv_sem_destroy(&f->reached);
    uv_sem_destroy(&f->gate);
    asq_slow_disk_reset();
}

/* Time */

static inline bool is_busy(const struct fixture *f)
{
    for (size_t i = 0; i < SIDES; i++)
        if (f->sides[i].conn_opened && f->sides[i].conn.pending > 0)
            return true;
    return false;
}

/* Runs the loop until nothing is in flight. */
static inline void settle(struct fixture *f)
{
    while (is_busy(f))
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    for (int i = 0; i < 3; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* The same for one side, while another stands at the gate. */
static inline void settle_side(struct side *side)
{
    while (side->conn.pending > 0)
        (void)uv_run(&side->f->loop, UV_RUN_ONCE);
}

/* The timer of this side comes. */
static inline void look(struct side *side)
{
    asq__queue_look(&side->queue);
    settle(side->f);
}

/* Work */

static inline void start_work(struct side *side, size_t lanes)
{
    CHECK(lanes <= LANES);
    side->f->calling = true;
    CHECK_INT(asq_queue_work(&side->queue, side->jobs, lanes, take_job), 0);
    side->f->calling = false;
}

static inline void work(struct side *side, size_t lanes)
{
    start_work(side, lanes);
    settle(side->f);
}

static inline void start_done(struct asq_queue_job *job)
{
    struct side *side = job->queue->data;

    side->f->calling = true;
    CHECK_INT(asq_job_done(job, take_job_end), 0);
    side->f->calling = false;
}

static inline void serve_done(struct side *side, struct asq_queue_job *job)
{
    (void)side; /* it is the job's */
    CHECK_INT(asq_job_done(job, take_job_end), 0);
}

static inline void done(struct asq_queue_job *job)
{
    struct fixture *f = ((struct side *)job->queue->data)->f;

    start_done(job);
    settle(f);
}

static inline void retry(struct asq_queue_job *job, uint64_t delay_ms)
{
    struct fixture *f = ((struct side *)job->queue->data)->f;

    f->calling = true;
    CHECK_INT(asq_job_retry(job, delay_ms, "not now", take_job_end), 0);
    f->calling = false;
    settle(f);
}

/* The job that was got last. */
static inline struct asq_queue_job *last_job(struct side *side)
{
    CHECK(side->count > 0);
    return side->got[side->count - 1].job;
}

/* Puts */

struct placed {
    struct asq_put put;
    struct fixture *f;
    int done, status;
};

static inline void placed_init(struct side *side, struct placed *p)
{
    *p = (struct placed){.f = side->f};
    asq_put_init(&p->put);
    p->put.data = p;
}

static inline void take_put(struct asq_put *put, int status)
{
    struct placed *p = put->data;

    CHECK(!p->f->calling);
    CHECK_INT(status != 0, put->step.request.message[0] != '\0');
    p->done++;
    p->status = status;
}

static inline void start_put(struct side *side, struct placed *p)
{
    side->f->calling = true;
    CHECK_INT(asq_queue_put(&side->queue, &p->put, take_put), 0);
    side->f->calling = false;
}

/* Puts it and waits only for that. */
static inline int64_t put_as(struct side *side, struct placed *p, int status)
{
    int64_t id;

    start_put(side, p);
    test_run_until(&side->f->loop, &p->done);
    if (p->status != status)
        FAIL("status %d instead of %d: %s", p->status, status,
             p->put.step.request.message);
    id = p->put.id;
    asq_put_destroy(&p->put);
    return id;
}

static inline int64_t put(struct side *side, const char *payload)
{
    struct placed p;

    placed_init(side, &p);
    p.put.payload = payload;
    p.put.size = strlen(payload);
    return put_as(side, &p, 0);
}

static inline int64_t put_priority(struct side *side, int priority)
{
    struct placed p;

    placed_init(side, &p);
    p.put.priority = priority;
    return put_as(side, &p, 0);
}

static inline int64_t put_delayed(struct side *side, uint64_t delay_ms)
{
    struct placed p;

    placed_init(side, &p);
    p.put.delay_ms = delay_ms;
    return put_as(side, &p, 0);
}

static inline int64_t put_attempts(struct side *side, unsigned max_attempts)
{
    struct placed p;

    placed_init(side, &p);
    p.put.max_attempts = max_attempts;
    return put_as(side, &p, 0);
}

/* Returns the id; *ret_already may be NULL. */
static inline int64_t
put_key(struct side *side, const char *key, bool *ret_already)
{
    struct placed p;
    int64_t id;

    placed_init(side, &p);
    p.put.key = key;
    id = put_as(side, &p, 0);
    if (ret_already != NULL)
        *ret_already = p.put.already;
    return id;
}

/* What is in the file */

static inline int64_t ask_file(const struct fixture *f, const char *sql)
{
    return raw_number(f->path, sql);
}

static inline void
check_state(const struct fixture *f, int64_t id, enum asq_queue_state state)
{
    char sql[96];

    (void)snprintf(sql, sizeof sql,
                   "SELECT state FROM asq_jobs WHERE id = %lld", (long long)id);
    CHECK_INT(ask_file(f, sql), state);
}

static inline int64_t
column_of(const struct fixture *f, int64_t id, const char *column)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "SELECT %s FROM asq_jobs WHERE id = %lld",
                   column, (long long)id);
    return ask_file(f, sql);
}

/* The gate: a request that stands on the worker until it is opened */

struct stand {
    struct asq_request request;
    struct fixture *f;
    int done;
};

static inline int stand_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct stand *stand = request->data;

    (void)db; /* only time is needed */
    uv_sem_post(&stand->f->reached);
    uv_sem_wait(&stand->f->gate);
    return 0;
}

static inline void take_stand(struct asq_request *request, int status)
{
    struct stand *stand = request->data;

    CHECK_INT(status, 0);
    stand->done = 1;
}

static inline void hold_worker(struct side *side, struct stand *stand)
{
    *stand = (struct stand){.f = side->f};
    asq_request_init(&stand->request);
    stand->request.data = stand;
    CHECK_INT(
        asq_conn_call(&side->conn, &stand->request, stand_at_gate, take_stand),
        0);
    uv_sem_wait(&side->f->reached);
}

static inline void let_go(struct stand *stand)
{
    uv_sem_post(&stand->f->gate);
    settle(stand->f);
    CHECK_INT(stand->done, 1);
    asq_request_destroy(&stand->request);
}

#endif
