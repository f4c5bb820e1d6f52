/* test_heartbeat - tests of the meter of stalls
 *
 * A stall is made by work or by moving the last beat into the past. Only
 * lower bounds are checked: the machine may add to a stall, never take away.
 */
#include "common/clock.h"
#include "common/heartbeat.h"
#include "grader/test.h"

struct fixture {
    uv_loop_t loop;
    struct asq_heartbeat hb;
    uv_prepare_t prepare; /* keeps the loop alive, sees every turn */
    uint64_t wanted;      /* beats */
    int done;
    int closed;
};

static const uint64_t hour_ns = 3600 * ASQ_NS_PER_S;

static void start_counts_as_a_beat(void *fixture)
{
    struct fixture *f = fixture;

    asq_heartbeat_start(&f->hb);
    CHECK_INT(f->hb.beats, 1);
    CHECK_INT(f->hb.longest_ns, 0);
    asq_heartbeat_beat(&f->hb);
    CHECK_INT(f->hb.beats, 2);
    (void)asq_heartbeat_stop(&f->hb); /* only the count is looked at */
    CHECK_INT(f->hb.beats, 3);
}

static void work_between_two_beats_is_a_stall(void *fixture)
{
    struct fixture *f = fixture;

    asq_heartbeat_start(&f->hb);
    pretend_to_work(5);
    asq_heartbeat_beat(&f->hb);
    CHECK(f->hb.longest_ns >= 5 * ASQ_NS_PER_MS);
}

static void longest_gap_is_kept(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t longest;

    asq_heartbeat_start(&f->hb);
    f->hb.last_ns -= hour_ns;
    asq_heartbeat_beat(&f->hb);
    longest = f->hb.longest_ns;
    CHECK(longest >= hour_ns);
    asq_heartbeat_beat(&f->hb);
    CHECK_INT(f->hb.longest_ns, longest);
    f->hb.last_ns -= 2 * hour_ns;
    asq_heartbeat_beat(&f->hb);
    CHECK(f->hb.longest_ns >= 2 * hour_ns);
}

static void stall_to_the_end_is_seen_by_stop(void *fixture)
{
    struct fixture *f = fixture;

    asq_heartbeat_start(&f->hb);
    asq_heartbeat_beat(&f->hb);
    f->hb.last_ns -= hour_ns;
    CHECK(asq_heartbeat_stop(&f->hb) >= hour_ns);
}

static void start_forgets_what_was(void *fixture)
{
    struct fixture *f = fixture;

    asq_heartbeat_start(&f->hb);
    f->hb.last_ns -= hour_ns;
    asq_heartbeat_beat(&f->hb);
    asq_heartbeat_start(&f->hb);
    CHECK(asq_heartbeat_stop(&f->hb) < hour_ns);
    CHECK_INT(f->hb.beats, 2);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct fixture *f = prepare->data;

    if (f->hb.beats >= f->wanted) {
        f->done = 1;
    }
}

static void on_closed(struct asq_heartbeat *hb)
{
    struct fixture *f = hb->timer.loop->data;

    CHECK(hb == &f->hb);
    f->closed++;
}

static void open_loop(struct fixture *f)
{
    CHECK_INT(uv_loop_init(&f->loop), 0);
    f->loop.data = f;
    CHECK_INT(uv_prepare_init(&f->loop, &f->prepare), 0);
    f->prepare.data = f;
    CHECK_INT(uv_prepare_start(&f->prepare, on_prepare), 0);
    CHECK_INT(asq_heartbeat_attach(&f->hb, &f->loop), 0);
}

static void close_loop(struct fixture *f)
{
    uv_close((uv_handle_t *)&f->prepare, NULL);
    test_close_loop(&f->loop);
}

static void loop_beats_by_itself(void *fixture)
{
    struct fixture *f = fixture;

    open_loop(f);
    f->wanted = 5;
    test_run_until(&f->loop, &f->done);
    asq_heartbeat_detach(&f->hb, on_closed);
    CHECK_INT(f->closed, 0);
    close_loop(f);
    CHECK_INT(f->closed, 1);
}

static void stall_in_a_callback_is_seen_by_the_next_beat(void *fixture)
{
    struct fixture *f = fixture;

    open_loop(f);
    f->wanted = 2;
    test_run_until(&f->loop, &f->done);
    pretend_to_work(5);
    f->done = 0;
    f->wanted = f->hb.beats + 1;
    test_run_until(&f->loop, &f->done);
    CHECK(f->hb.longest_ns >= 5 * ASQ_NS_PER_MS);
    asq_heartbeat_detach(&f->hb, NULL);
    close_loop(f);
}

/* The loop's own time stands still during a callback: a beat by uv_now would
 * see no gap here. */
static void stall_to_the_end_is_seen_by_detach(void *fixture)
{
    struct fixture *f = fixture;

    open_loop(f);
    pretend_to_work(5);
    asq_heartbeat_detach(&f->hb, on_closed);
    CHECK(f->hb.longest_ns >= 5 * ASQ_NS_PER_MS);
    CHECK(f->hb.longest_ns < hour_ns);
    close_loop(f);
    CHECK_INT(f->closed, 1);
}

static void heartbeat_does_not_keep_the_loop_alive(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    f->loop.data = f;
    CHECK_INT(asq_heartbeat_attach(&f->hb, &f->loop), 0);
    CHECK_INT(uv_loop_alive(&f->loop), 0);
    /* Returns at once, or the test's time limit tells. */
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    asq_heartbeat_detach(&f->hb, on_closed);
    test_close_loop(&f->loop);
    CHECK_INT(f->closed, 1);
}

static const struct test_case cases[] = {
    {.name = "start_counts_as_a_beat", .run = start_counts_as_a_beat},
    {.name = "work_between_two_beats_is_a_stall",
     .run = work_between_two_beats_is_a_stall},
    {.name = "longest_gap_is_kept", .run = longest_gap_is_kept},
    {.name = "stall_to_the_end_is_seen_by_stop",
     .run = stall_to_the_end_is_seen_by_stop},
    {.name = "start_forgets_what_was", .run = start_forgets_what_was},
    {.name = "loop_beats_by_itself", .run = loop_beats_by_itself},
    {.name = "stall_in_a_callback_is_seen_by_the_next_beat",
     .run = stall_in_a_callback_is_seen_by_the_next_beat},
    {.name = "stall_to_the_end_is_seen_by_detach",
     .run = stall_to_the_end_is_seen_by_detach},
    {.name = "heartbeat_does_not_keep_the_loop_alive",
     .run = heartbeat_does_not_keep_the_loop_alive},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "heartbeat",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture)};
