/* test_queue_random - workers that come, go, sleep and fail, and a model
 *
 * Three workers put, claim and end jobs on one file; clocks jump, the disk is
 * full now and then, queues are paused, pruned, drained, closed and opened
 * again. After each callback: a token comes once and only grows, and nobody is
 * given a job that somebody has finished. In the end every job that was stored
 * is there, or was pruned, and is done or dead.
 */
#include "grader/random.h"
#include "queue_fixture.h"

enum {
    CREW = 3,
    PUTS = 12,
    STEPS = 6000,
    IDS = 20000
};

struct campaign {
    struct fixture *f;
    struct test_random random;
    struct placed puts[PUTS];
    struct side *side_of[PUTS];
    bool put_used[PUTS];
    struct asq_care care;
    bool caring;
    int64_t attempt[IDS]; /* the greatest that was given to a holder */
    bool finished[IDS];   /* a holder was told so */
    uint64_t stored, deleted;
    unsigned delivered, done, dead, again, lost, refused, full, restarts;
};

static struct campaign campaign;

static unsigned draw(unsigned below)
{
    return (unsigned)test_random_range(&campaign.random, 0, (int64_t)below - 1);
}

/* Callbacks */

static void note_job(struct side *side, struct asq_queue_job *job)
{
    struct campaign *c = &campaign;

    side->count = 0; /* the lanes say what is held */
    CHECK_RANGE(job->id, 1, IDS - 1);
    CHECK(job->attempt > c->attempt[job->id]);
    CHECK(!c->finished[job->id]);
    CHECK(job->attempt <= job->max_attempts);
    c->attempt[job->id] = job->attempt;
    c->delivered++;
}

static void note_end(struct asq_queue_job *job, int status)
{
    struct campaign *c = &campaign;

    CHECK(status == 0 || status == ASQ_LOST || status == UV_ECANCELED);
    c->lost += status == ASQ_LOST;
    if (status != 0)
        return;
    c->again += job->became < ASQ_QUEUE_RUNNING;
    if (job->became < ASQ_QUEUE_RUNNING)
        return;
    CHECK(!c->finished[job->id]);
    CHECK_INT(c->attempt[job->id], job->attempt);
    c->finished[job->id] = true;
    c->done += job->became == ASQ_QUEUE_DONE;
    c->dead += job->became == ASQ_QUEUE_DEAD;
}

static void note_put(struct asq_put *put_of, int status)
{
    struct campaign *c = &campaign;
    struct placed *p = put_of->data;

    p->done++;
    p->status = status;
    c->stored += status == 0 && !put_of->already;
    c->refused += status == UV_ENOBUFS;
    c->full += (status & 0xff) == SQLITE_FULL;
}

static void note_care(struct asq_care *care, int status)
{
    (void)status; /* the disk may be full, or the queue closed */
    campaign.deleted += care->deleted;
    care->deleted = 0;
    campaign.caring = false;
}

/* Steps */

static struct side *any_side(struct campaign *c)
{
    return &c->f->sides[draw(CREW)];
}

static void step_put(struct campaign *c)
{
    static const char *const keys[] = {"a", "b", "c"};
    unsigned i = draw(PUTS);
    struct placed *p = &c->puts[i];
    struct side *side = any_side(c);

    if (c->put_used[i] && p->done == 0)
        return;
    if (c->put_used[i])
        asq_put_destroy(&p->put);
    placed_init(side, p);
    p->put.key = draw(4) == 0 ? keys[draw(3)] : NULL;
    p->put.priority = (int)draw(3);
    p->put.delay_ms = draw(4) == 0 ? 1 + draw(LEASE_MS) : 0;
    p->put.max_attempts = 1 + draw(4);
    c->put_used[i] = asq_queue_put(&side->queue, &p->put, note_put) == 0;
}

static void step_end(struct campaign *c)
{
    struct side *side = any_side(c);
    struct asq_queue_job *job = &side->jobs[draw(4)];

    if (side->queue.jobs == NULL || job->place != ASQ_JOB_HELD)
        return;
    switch (draw(6)) {
    case 0:
        CHECK_INT(asq_job_retry(job, 0, "again", note_end), 0);
        break;
    case 1:
        CHECK_INT(asq_job_retry(job, draw(LEASE_MS), "later", note_end), 0);
        break;
    case 2:
        CHECK_INT(asq_job_dead(job, "never", note_end), 0);
        break;
    default:
        CHECK_INT(asq_job_done(job, note_end), 0);
    }
}

static void step_care(struct campaign *c)
{
    struct side *side = any_side(c);
    int rc;

    if (c->caring)
        return;
    c->care.deleted = 0;
    rc =
        draw(3) == 0
            ? asq_queue_prune(&side->queue, &c->care, draw(LEASE_MS), note_care)
            : asq_queue_pause(&side->queue, &c->care, draw(4) == 0, note_care);
    CHECK_INT(rc, 0);
    c->caring = true;
}

static void open_again(struct side *side)
{
    open_queue(side);
    start_work(side, 4);
}

static void step_restart(struct campaign *c)
{
    struct side *side = any_side(c);

    side->drained = 0;
    if (draw(2) == 0) {
        CHECK_INT(asq_queue_drain(&side->queue, 0, take_drained), 0);
        test_run_until(&c->f->loop, &side->drained);
    }
    close_queue(side);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0); /* or it would not open */
    open_again(side);
    c->restarts++;
}

static void step(struct campaign *c)
{
    switch (draw(40)) {
    case 0:
        move_clocks(draw(LEASE_MS));
        break;
    case 1:
        wall_ms += (int64_t)draw(2 * LEASE_MS) - LEASE_MS;
        break;
    case 2:
        asq_slow_disk_fail(ASQ_DISK_WRITE, 1 + draw(20), SQLITE_FULL,
                           draw(2) == 0);
        break;
    case 3:
    case 4:
        asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
        break;
    case 5:
        step_care(c);
        break;
    case 6:
        if (draw(5) == 0)
            step_restart(c);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        asq__queue_look(&any_side(c)->queue);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
    case 19:
    case 20:
    case 21:
        step_put(c);
        break;
    default:
        step_end(c);
    }
    /* Now and then it waits for what comes next. */
    (void)uv_run(&c->f->loop,
                 draw(3) == 0 && is_busy(c->f) ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

/* The end */

static void end_all(struct campaign *c)
{
    struct fixture *f = c->f;
    struct side *last = &f->sides[CREW];

    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    settle(f);
    CHECK(!c->caring);
    for (int i = 0; i < CREW; i++)
        close_side(&f->sides[i]);
    raw_run(f->path, "DELETE FROM asq_paused");
    wall_ms += 10 * LEASE_MS;
    now_ms += 10 * LEASE_MS;
    (void)open_side(f, CREW);
    last->serve = serve_done;
    start_work(last, LANES);
    do {
        last->count = 0;
        settle(f);
        look(last);
    } while (last->count > 0);
    CHECK_INT(ask_file(f, "SELECT count(*) FROM asq_jobs WHERE state < 3"), 0);
    CHECK_INT(ask_file(f, "SELECT jobs FROM asq_unfinished"), 0);
    CHECK_INT((uint64_t)ask_file(f, "SELECT count(*) FROM asq_jobs") +
                  c->deleted,
              c->stored);
    for (int i = 0; i < PUTS; i++) {
        CHECK(!c->put_used[i] || c->puts[i].done == 1);
        if (c->put_used[i])
            asq_put_destroy(&c->puts[i].put);
    }
    asq_care_destroy(&c->care);
    check_integrity(f->path);
}

static void every_job_comes_to_an_end(void *data)
{
    struct fixture *f = data;
    struct campaign *c = &campaign;
    unsigned steps = test_scaled(STEPS);

    c->f = f;
    test_random_init(&c->random, 0);
    asq_care_init(&c->care);
    f->profile.synchronous = 0;
    for (size_t i = 0; i < CREW; i++) {
        struct side *side = open_conn(f, i);

        side->serve = note_job;
        side->queue.bound = i == 0 ? 60 : 0;
        open_again(side);
    }
    for (unsigned i = 0; i < steps; i++)
        step(c);
    CHECK(c->delivered > 0 && c->done > 0 && c->dead > 0 && c->again > 0);
    CHECK(c->lost > 0 && c->restarts > 0 && c->full > 0);
    end_all(c);
}

static const struct test_case cases[] = {
    {.name = "every_job_comes_to_an_end",
     .run = every_job_comes_to_an_end,
     .seconds = 300},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_random",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
