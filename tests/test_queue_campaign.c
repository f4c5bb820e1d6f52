/* test_queue_campaign - Q5 and Q19: workers that are killed, power that is cut
 *
 * Every job is done, waiting or dead in the end, whatever happens on the way;
 * no claim has a token that another one had; and what a holder was told has
 * been stored, is. `make campaign` runs it again and again, with another seed
 * each time.
 */
#include "13-group-commit/store.h"
#include "14-task-queue/queue_sql.h"
#include "campaign_counts.h"
#include "queue_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum {
    WORKERS = 3,
    KILLS = 10,
    ATTEMPTS = 3,
    IN_FLIGHT = 4,
    IDS = 100000 /* more than there will be */
};

/* The parent moves it, the workers read it. */
static atomic_uint_fast64_t *shared_ms;
static uint64_t state;

static unsigned draw(unsigned below)
{
    return campaign_draw(&state, below);
}

static uint64_t read_shared(void)
{
    return atomic_load(shared_ms);
}

static void make_clock(void)
{
    int fd = open(test_path("clock"), O_RDWR | O_CREAT, 0600);
    void *page;

    CHECK(fd >= 0);
    CHECK_INT(ftruncate(fd, sizeof *shared_ms), 0);
    page = mmap(NULL, sizeof *shared_ms, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                0);
    CHECK(page != MAP_FAILED);
    CHECK_INT(close(fd), 0);
    shared_ms = page;
    atomic_store(shared_ms, 1000000);
}

/* Nothing is open, and no thread runs, when a child is forked. */
static void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_slow_disk_register(), 0);
    (void)snprintf(f->path, sizeof f->path, "%s", test_path("queue.db"));
    f->profile = asq_profile_default(f->path);
    f->profile.busy_ms = 60000;
    for (size_t i = 0; i < SIDES; i++)
        f->sides[i].f = f;
    state = test_seed();
    make_clock();
}

static void make_file(const struct fixture *f)
{
    raw_run(f->path, "PRAGMA journal_mode = WAL");
    raw_run(f->path, asq__queue_tables);
    raw_run(f->path, "CREATE TABLE effects (id, attempt, "
                     "PRIMARY KEY (id, attempt)) WITHOUT ROWID");
}

static struct side *open_worker(struct fixture *f)
{
    struct side *side;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    side = open_conn(f, 0);
    side->queue.now_ms = read_shared;
    open_queue(side);
    return side;
}

static void close_worker(struct fixture *f)
{
    close_side(&f->sides[0]);
    test_close_loop(&f->loop);
}

/* Q5 */

static void serve_by_dying(struct side *side, struct asq_queue_job *job)
{
    (void)side;
    (void)job;
    (void)kill(getpid(), SIGKILL);
}

_Noreturn static void claim_and_die(struct fixture *f)
{
    struct side *side = open_worker(f);

    side->serve = serve_by_dying;
    work(side, 1);
    _exit(0); /* it was given nothing */
}

static void q05_a_job_that_kills_its_worker_is_dead_in_the_end(void *data)
{
    struct fixture *f = data;
    struct side *side;

    make_file(f);
    raw_run(f->path, "INSERT INTO asq_jobs (queue, state, priority, "
                     "max_attempts) VALUES ('mail', 0, 0, 3)");
    for (int i = 1; i <= ATTEMPTS; i++) {
        pid_t pid = fork();
        int status = 0;

        CHECK(pid >= 0);
        if (pid == 0)
            claim_and_die(f);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_state(f, 1, ASQ_QUEUE_RUNNING);
        CHECK_INT(column_of(f, 1, "attempt"), i);
        atomic_fetch_add(shared_ms, LEASE_MS);
    }
    side = open_worker(f);
    work(side, 1);
    CHECK_INT(side->count, 0);
    check_state(f, 1, ASQ_QUEUE_DEAD);
    CHECK_INT(column_of(f, 1, "attempt"), ATTEMPTS);
    CHECK_INT(column_of(f, 1, "error = 'its lease was over'"), 1);
    close_worker(f);
}

/* Q19: in a worker */

struct message {
    int64_t kind; /* 'p' it was put, 'd' done, 'x' dead, 'l' lost */
    int64_t id, attempt;
};

struct effect {
    struct asq_request request;
    struct asq_value values[2];
    struct asq_params params;
    struct asq_queue_job *job;
};

static struct {
    int pipe;
    struct asq_put puts[IN_FLIGHT];
    struct effect effects[LANES];
} child;

static void tell(int64_t kind, int64_t id, int64_t attempt)
{
    struct message message = {kind, id, attempt};

    if (write(child.pipe, &message, sizeof message) != (ssize_t)sizeof message)
        _exit(3);
}

static void note_end(struct asq_queue_job *job, int status)
{
    if (status == ASQ_LOST)
        tell('l', job->id, job->attempt);
    else if (job->became == ASQ_QUEUE_DONE)
        tell('d', job->id, job->attempt);
    else if (job->became == ASQ_QUEUE_DEAD)
        tell('x', job->id, job->attempt);
}

static void end_somehow(struct asq_queue_job *job)
{
    int rc;

    switch (draw(8)) {
    case 0:
        rc = asq_job_retry(job, 0, "again", note_end);
        break;
    case 1:
        rc = asq_job_retry(job, 1 + draw(20), "later", note_end);
        break;
    case 2:
        rc = asq_job_dead(job, "never", note_end);
        break;
    default:
        rc = asq_job_done(job, note_end);
    }
    if (rc != 0)
        _exit(4);
}

/* A second holder of the same token would fail here. */
static void note_effect(struct asq_request *request, int status)
{
    struct effect *effect = request->data;

    if (status != 0)
        _exit(5);
    end_somehow(effect->job);
}

static void serve_child(struct side *side, struct asq_queue_job *job)
{
    struct effect *effect = &child.effects[job - side->jobs];

    effect->job = job;
    effect->values[0] = asq_int64(job->id);
    effect->values[1] = asq_int64(job->attempt);
    effect->params = (struct asq_params){.values = effect->values, .count = 2};
    side->count = 0; /* got is not looked at */
    if (asq_conn_run(&side->conn, &effect->request,
                     "INSERT INTO effects VALUES (?1, ?2)", &effect->params,
                     note_effect) != 0)
        _exit(6);
}

static void note_put(struct asq_put *put_of, int status)
{
    struct side *side = put_of->data;

    if (status != 0)
        _exit(7);
    tell('p', put_of->id, 0);
    put_of->priority = (int)draw(3);
    put_of->delay_ms = draw(4) == 0 ? 1 + draw(20) : 0;
    if (asq_queue_put(&side->queue, put_of, note_put) != 0)
        _exit(8);
}

static void note_opened(struct asq_queue *queue, int status)
{
    struct side *side = queue->data;

    if (status != 0)
        _exit(9);
    (void)asq_queue_work(queue, side->jobs, LANES, take_job); /* it is new */
    for (int i = 0; i < IN_FLIGHT; i++) {
        asq_put_init(&child.puts[i]);
        child.puts[i].data = side;
        child.puts[i].max_attempts = 1000000;
        note_put(&child.puts[i], 0);
    }
}

/* The first message of each put is about none. */
_Noreturn static void work_until_killed(struct fixture *f, int fd)
{
    struct side *side = &f->sides[0];

    child.pipe = fd;
    for (int i = 0; i < LANES; i++) {
        asq_request_init(&child.effects[i].request);
        child.effects[i].request.data = &child.effects[i];
    }
    if (uv_loop_init(&f->loop) != 0)
        _exit(10);
    (void)open_conn(f, 0);
    side->serve = serve_child;
    side->queue.now_ms = read_shared;
    side->queue.wall_ms = NULL;
    side->queue.poll_ms = 5;
    if (asq_queue_open(&side->queue, &f->loop, &side->conn, "mail",
                       note_opened) != 0)
        _exit(11);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    _exit(12);
}

/* Q19: in the parent */

struct worker {
    pid_t pid;
    int fd;
};

static struct {
    bool put[IDS];
    int64_t end[IDS];     /* 0, or the kind of message that ended it */
    int64_t attempt[IDS]; /* of that */
    uint64_t puts, ends, lost;
} told;

static void start(struct fixture *f, struct worker *worker)
{
    int fds[2];

    CHECK_INT(pipe(fds), 0);
    worker->fd = fds[0];
    state += 7; /* each draws for itself */
    worker->pid = fork();
    CHECK(worker->pid >= 0);
    if (worker->pid == 0) {
        (void)close(fds[0]);
        work_until_killed(f, fds[1]);
    }
    CHECK_INT(close(fds[1]), 0);
}

static bool take_message(const struct worker *worker)
{
    struct message m;
    ssize_t got = read(worker->fd, &m, sizeof m);

    if (got != (ssize_t)sizeof m)
        return false;
    CHECK_RANGE(m.id, 0, IDS - 1);
    told.puts += m.kind == 'p' && m.id > 0;
    told.lost += m.kind == 'l';
    if (m.kind == 'p') {
        told.put[m.id] = true;
    } else if (m.kind != 'l') {
        CHECK_INT(told.end[m.id], 0); /* nobody has ended it before */
        told.end[m.id] = m.kind;
        told.attempt[m.id] = m.attempt;
        told.ends++;
    }
    return true;
}

static void kill_worker(struct worker *worker)
{
    int status = 0;

    CHECK_INT(kill(worker->pid, SIGKILL), 0);
    CHECK_INT(waitpid(worker->pid, &status, 0), worker->pid);
    if (!WIFSIGNALED(status))
        FAIL("a worker has ended by itself, with status %d",
             WEXITSTATUS(status));
    while (take_message(worker))
        continue;
    CHECK_INT(close(worker->fd), 0);
}

static void take_messages(struct worker *workers, unsigned count)
{
    struct pollfd polls[WORKERS];

    while (count > 0) {
        for (int i = 0; i < WORKERS; i++)
            polls[i] = (struct pollfd){workers[i].fd, POLLIN, 0};
        CHECK(poll(polls, WORKERS, -1) > 0);
        for (int i = 0; i < WORKERS && count > 0; i++) {
            if (polls[i].revents == 0)
                continue;
            if (!take_message(&workers[i]))
                kill_worker(&workers[i]); /* and say with what status */
            count--;
        }
    }
}

static void check_told(const struct fixture *f)
{
    sqlite3 *db = raw_open(f->path);

    for (int64_t id = 1; id < IDS; id++) {
        char sql[128];

        if (!told.put[id] && told.end[id] == 0)
            continue;
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM asq_jobs WHERE id = %lld",
                       (long long)id);
        CHECK_INT(raw_ask(db, sql), 1);
        if (told.end[id] == 0)
            continue;
        (void)snprintf(sql, sizeof sql,
                       "SELECT state * 1000000 + attempt FROM asq_jobs "
                       "WHERE id = %lld",
                       (long long)id);
        CHECK_INT(raw_ask(db, sql),
                  (told.end[id] == 'd' ? ASQ_QUEUE_DONE : ASQ_QUEUE_DEAD) *
                          1000000 +
                      told.attempt[id]);
    }
    raw_close(db);
}

/* Does what is left, as the next worker would. */
static void finish_all(struct fixture *f)
{
    struct side *side;

    atomic_fetch_add(shared_ms, LEASE_MS);
    wall_ms = INT64_C(4000000000000); /* all is due */
    side = open_worker(f);
    side->serve = serve_done;
    start_work(side, LANES);
    do {
        side->count = 0;
        settle(f);
        look(side);
    } while (side->count > 0);
    close_worker(f);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs WHERE state < 3"), 0);
    check_integrity(f->path);
}

static void q19_workers_that_are_killed_lose_no_job(void *data)
{
    struct fixture *f = data;
    struct worker workers[WORKERS];

    make_file(f);
    for (int i = 0; i < WORKERS; i++)
        start(f, &workers[i]);
    for (int i = 0; i < KILLS; i++) {
        unsigned victim = draw(WORKERS);

        take_messages(workers, 1 + draw(150));
        kill_worker(&workers[victim]);
        /* Those that live are late now as well: others get their jobs. */
        atomic_fetch_add(shared_ms, draw(2) == 0 ? LEASE_MS : LEASE_MS / 3);
        start(f, &workers[victim]);
    }
    take_messages(workers, 100);
    for (int i = 0; i < WORKERS; i++)
        kill_worker(&workers[i]);
    check_told(f);
    CHECK(told.puts > 0 && told.ends > 0);
    finish_all(f);
    check_told(f);
    campaign_count("kills of a worker", KILLS + WORKERS);
    campaign_count("jobs put by workers", told.puts);
    campaign_count("ends refused as lost", told.lost);
}

/* Q19: the power */

struct plant {
    struct fixture *f;
    struct side *side;
    struct asq_store store;
    struct asq_conn *conn; /* the side's, or that of the store */
    bool cut;
    int64_t acknowledged; /* ids up to this one were put */
    unsigned ended;
    int64_t ids[64]; /* that were told as done */
};

static struct plant plant;

static void note_planted(struct asq_put *put_of, int status)
{
    struct placed *p = put_of->data;

    if (status == 0 && put_of->id > plant.acknowledged)
        plant.acknowledged = put_of->id;
    p->done++;
}

static void note_done(struct asq_queue_job *job, int status)
{
    if (status == 0)
        plant.ids[plant.ended++] = job->id;
}

static void serve_planted(struct side *side, struct asq_queue_job *job)
{
    (void)side; /* it is the job's */
    CHECK_INT(asq_job_done(job, note_done), 0);
}

static void turn_or_cut(void)
{
    if (!plant.cut && asq_slow_disk_wait_for_gate(0) == 0) {
        CHECK_INT(asq_slow_disk_power_cut(), 0);
        plant.cut = true;
        asq_slow_disk_open_gate();
    }
    (void)uv_run(&plant.f->loop, UV_RUN_NOWAIT);
}

static void open_plant(struct fixture *f, bool on_store)
{
    struct side *side = &f->sides[0];

    plant = (struct plant){.f = f, .side = side};
    side->conn_opened = side->conn_closed = side->opened = side->closed = 0;
    side->count = 0;
    asq_store_init(&plant.store);
    asq_conn_init(&side->conn);
    plant.conn = on_store ? &plant.store.conn : &side->conn;
    plant.conn->data = side;
    CHECK_INT(
        asq_conn_open(plant.conn, &f->loop, &f->profile, take_conn_opened), 0);
    test_run_until(&f->loop, &side->conn_opened);
    side->conn_opened = 0; /* it is closed here */
    init_queue(side);
    side->serve = serve_planted;
    CHECK_INT(
        asq_queue_open(&side->queue, &f->loop, plant.conn, "mail", take_opened),
        0);
    test_run_until(&f->loop, &side->opened);
    start_work(side, 2);
}

static void put_some(int waves)
{
    static struct placed puts[3];

    for (int wave = 0; wave < waves && !plant.cut; wave++) {
        for (int i = 0; i < 3; i++) {
            placed_init(plant.side, &puts[i]);
            if (asq_queue_put(&plant.side->queue, &puts[i].put, note_planted) !=
                0)
                puts[i].done = 1; /* the power is off */
        }
        for (int i = 0; i < 3; i++)
            while (puts[i].done == 0)
                turn_or_cut();
        while (plant.conn->pending > 0)
            turn_or_cut();
        for (int i = 0; i < 3; i++)
            asq_put_destroy(&puts[i].put);
    }
}

static void close_plant(void)
{
    struct side *side = plant.side;

    start_close(side);
    while (!side->closed)
        turn_or_cut();
    asq_conn_close(plant.conn, take_conn_closed);
    while (!side->conn_closed)
        turn_or_cut();
}

/* The machine starts again: another boot, and a clock that begins anew. */
static void start_again(struct fixture *f)
{
    struct side *side = &f->sides[0];
    uint64_t before_ms = now_ms;

    now_ms = 1;
    side->conn_closed = 0;
    (void)open_conn(f, 0);
    side->queue.boot = "the next";
    open_queue(side);
    side->count = 0;
    side->serve = serve_done;
    start_work(side, LANES);
    settle(f);
    close_side(side);
    now_ms = before_ms;
}

static bool cut_at(struct fixture *f, uint64_t nth, int waves, bool on_store)
{
    bool cut;

    test_while("the power is cut at sync %d", (int)nth);
    asq_slow_disk_reset();
    asq_slow_disk_remember();
    remove_files(f->path);
    make_file(f);
    f->profile.vfs = ASQ_SLOW_DISK;
    open_plant(f, on_store);
    asq_slow_disk_gate(ASQ_DISK_SYNC, nth);
    put_some(waves);
    cut = plant.cut;
    if (!cut)
        asq_slow_disk_gate(ASQ_DISK_SYNC, 0);
    close_plant();
    asq_slow_disk_power_on();
    asq_slow_disk_reset();
    f->profile.vfs = NULL;
    CHECK(ask_file(f, "SELECT coalesce(max(id), 0) FROM asq_jobs") >=
          plant.acknowledged);
    for (unsigned i = 0; i < plant.ended; i++)
        check_state(f, plant.ids[i], ASQ_QUEUE_DONE);
    start_again(f);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs WHERE state <> 3"), 0);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs"),
              ask_file(f, "SELECT coalesce(max(id), 0) FROM asq_jobs"));
    check_integrity(f->path);
    return cut;
}

static void cut_at_every_sync(struct fixture *f, bool on_store)
{
    uint64_t nth = 1;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    while (cut_at(f, nth, 3, on_store))
        nth++;
    CHECK(nth > 6);
    test_close_loop(&f->loop);
}

static void q19_a_power_cut_at_any_sync_loses_no_job(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 2;
    cut_at_every_sync(f, false);
}

/* Puts and ends are durable although the profile says NORMAL. */
static void q19_a_power_cut_on_a_store_loses_no_job(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 1;
    cut_at_every_sync(f, true);
}

static void q19_the_power_is_cut_where_the_seed_says(void *data)
{
    struct fixture *f = data;
    uint64_t cuts = 0;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    for (int i = 0; i < 4; i++) {
        f->profile.synchronous = 1 + (i % 2 == 0);
        cuts += cut_at(f, 1 + draw(100), 20, i % 2 != 0);
    }
    test_close_loop(&f->loop);
    campaign_count("power cuts of a queue", cuts);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function, .seconds = 120                     \
    }
static const struct test_case cases[] = {
    CASE(q05_a_job_that_kills_its_worker_is_dead_in_the_end),
    CASE(q19_workers_that_are_killed_lose_no_job),
    CASE(q19_a_power_cut_at_any_sync_loses_no_job),
    CASE(q19_a_power_cut_on_a_store_loses_no_job),
    CASE(q19_the_power_is_cut_where_the_seed_says),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_campaign",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up};
