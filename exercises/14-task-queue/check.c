/* check - the tests of 14-task-queue, an outbox
 *
 * Every test has a shop and a warehouse in files of its own (shop.h). Tests 1
 * and 2 are about ex_outbox_put (putting.h), 3 and 4 about ex_receive
 * (receiving.h), 5 to 8 about ex_relay_next (failing.h, leasing.h), whose
 * deliveries end in the test (relaying.h). Only test 9 uses all three
 * (killed.h).
 */
#include "failing.h"
#include "killed.h"
#include "leasing.h"
#include "putting.h"
#include "receiving.h"

static void delivers(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    f->relay.deliver = note_delivery; /* what comes is judged elsewhere */
    put_row(f, "Ann");
    relay_once(f, "one message waits", 0, "1");
    f->relay.now_ms += 1000000;
    relay_once(f, "no message waits", UV_ENOENT, "");
    put_row(f, "Ben");
    relay_once(f, "another message waits", 0, "2");
}

/* What the process has left is delivered by another one, which may be killed
 * as well, and then here. */
static void recover(struct fixture *f, int nth)
{
    char what[WHAT_SIZE];

    (void)snprintf(what, sizeof what, "%s", f->what);
    f->relay.now_ms += 1000000;
    if (run_killed(f, nth, relay_in_time))
        (void)snprintf(what, sizeof what, "%s", f->what);
    f->relay.now_ms += 1000000;
    open_all(f);
    expect_code("in the end, ex_relay_next", what, relay_in_time(f), 0);
    expect_parcels(f, what);
    expect_closed(f->shop, what, false);
    expect_closed(f->warehouse, what, false);
}

static void killed(void *fixture)
{
    struct fixture *f = fixture;
    bool was_killed = true;

    test_leaks_do_not_count();
    f->relay.deliver = deliver_to_warehouse;
    expect_code("put or ex_relay_next", "nothing is killed", order_and_relay(f),
                0);
    expect_parcels(f, "nothing is killed");
    for (int nth = 1; was_killed; nth++) {
        empty(f);
        close_all(f);
        was_killed = run_killed(f, nth, order_and_relay);
        recover(f, nth % 17); /* 0: not again */
    }
    empty(f);
    close_all(f);
    test_cause("the attempt is counted before the delivery");
    f->relay.deliver = kill_at_ben;
    for (int i = 0; i <= ATTEMPTS; i++) {
        (void)run_killed(f, 0, i == 0 ? order_and_relay : relay_in_time);
        f->relay.now_ms += 1000000;
    }
    open_all(f);
    expect_outbox(f, "each delivery to Ben kills the relay",
                  "1 to Ann sent (1), 2 to Ben dead (3), 3 to Ann sent (1)");
}

#define CASE_IN(builds_, title_, run_, points_, needs_, function_, cause_)     \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .builds = builds_, .seconds = 10,                     \
        .function = function_, .cause = cause_                                 \
    }
#define CASE(...) CASE_IN(TEST_PLAIN | TEST_ADDRESS, __VA_ARGS__)

static const struct test_case cases[] = {
    CASE("put: the order and its message, both or neither",
         both_or_neither,
         1,
         0,
         "ex_outbox_put",
         "the message is not part of the caller's transaction"),
    CASE("put: any message, and each step fails",
         put_whole_or_not,
         1,
         1,
         "ex_outbox_put",
         "this step was not checked, or more than the message was undone"),
    CASE("receive: each message once, in any order",
         received_once,
         1,
         0,
         "ex_receive",
         "the id was not looked for, or not remembered"),
    CASE("receive: the id and the parcel, both or nothing",
         both_or_nothing,
         1,
         3,
         "ex_receive",
         "this step was not checked, or what came before was not undone"),
    CASE("relay: one message after the other is delivered",
         delivers,
         1,
         0,
         "ex_relay_next",
         "the message was not taken, not whole, or not noted as sent"),
    CASE("relay: a delivery fails, and only its recipient waits",
         fails,
         2,
         5,
         "ex_relay_next",
         "steps 1, 2 and 4 of the contract say what becomes of a message"),
    CASE("relay: others write and take messages during a delivery",
         two_relays,
         1,
         5,
         "ex_relay_next",
         "id and attempt together say who was the last to take a message"),
    CASE("relay: each step fails",
         each_step_fails,
         1,
         5,
         "ex_relay_next",
         "this step was not checked, or was done in the wrong order"),
    /* It starts so many processes that one build has to do. */
    CASE_IN(TEST_PLAIN,
            "the process is killed at each step: each order has one parcel",
            killed,
            1,
            5,
            "ex_relay_next",
            "between these two steps a message is lost, or takes effect twice"),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "14-task-queue",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
