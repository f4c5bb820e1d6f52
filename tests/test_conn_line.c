/* test_conn_line - holds that come and go at random never mix
 *
 * Every request carries the number of its hold, or 0. The worker writes down
 * in which order they run; the numbers of one hold must stand side by side.
 */
#include "conn_fixture.h"

enum {
    SLOTS = 32,
    HOLDS = 4,
    MANY = 20000
};

struct slot {
    struct ask ask;
    unsigned tag; /* the number of its hold, or 0 */
    int hold;     /* its place in holds, or -1 */
};

struct place {
    struct asq_hold hold;
    unsigned tag;
    bool begun;      /* and not ended */
    size_t requests; /* not yet answered: then the memory is in use */
};

static struct {
    struct slot slots[SLOTS];
    struct place holds[HOLDS];
    uint64_t random;
    unsigned tags, submitted;
    /* worker thread only, until it has ended */
    unsigned ran[MANY];
    unsigned ran_count;
} line;

static unsigned draw(unsigned below)
{
    line.random =
        line.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(line.random >> 33) % below;
}

static void note_tag(struct asq_conn *conn,
                     const struct asq_request *request,
                     enum asq_event event)
{
    struct ask *ask = request->data;

    (void)conn; /* there is one */
    if (event == ASQ_EVENT_START && line.ran_count < MANY)
        line.ran[line.ran_count++] =
            ASQ_CONTAINER_OF(ask, struct slot, ask)->tag;
}

/* Begins or ends a hold. A place is used again when nobody needs it. */
static void change_line(struct fixture *f)
{
    struct place *place = &line.holds[draw(HOLDS)];

    if (place->begun) {
        place->begun = false;
        asq_hold_end(&place->hold);
    } else if (place->requests == 0) {
        CHECK_INT(asq_hold_begin(&f->conn, &place->hold), 0);
        place->begun = true;
        place->tag = ++line.tags;
    }
}

static void submit_one(struct slot *slot)
{
    unsigned number = draw(HOLDS * 2);
    struct asq_request *request = &slot->ask.request;

    slot->hold = -1;
    slot->tag = 0;
    request->hold = NULL;
    if (number < HOLDS && line.holds[number].begun) {
        slot->hold = (int)number;
        slot->tag = line.holds[number].tag;
        request->hold = &line.holds[number].hold;
        line.holds[number].requests++;
    }
    request->priority =
        draw(4) == 0 ? ASQ_PRIORITY_URGENT : ASQ_PRIORITY_NORMAL;
    line.submitted++;
    ask_sql(&slot->ask, draw(8) == 0 ? LONG : "SELECT 1");
    if (draw(16) == 0)
        asq_request_cancel(request);
}

static void answered(struct ask *ask)
{
    struct slot *slot = ASQ_CONTAINER_OF(ask, struct slot, ask);

    if (slot->hold >= 0)
        line.holds[slot->hold].requests--;
    if (draw(3) == 0)
        change_line(ask->fixture);
    if (line.submitted < test_scaled(MANY))
        submit_one(slot);
}

/* When all wait for the end of a hold, nobody is left to end it. */
static void end_all(struct fixture *f)
{
    (void)f; /* holds know their connection */
    for (int i = 0; i < HOLDS; i++) {
        if (line.holds[i].begun)
            asq_hold_end(&line.holds[i].hold);
        line.holds[i].begun = false;
    }
}

static void check_side_by_side(void)
{
    static bool over[MANY]; /* this hold's turn has ended */
    unsigned turns = 0;

    for (unsigned i = 1; i < line.ran_count; i++) {
        if (line.ran[i] == line.ran[i - 1])
            continue;
        over[line.ran[i - 1]] = line.ran[i - 1] != 0;
        if (over[line.ran[i]])
            FAIL("hold %u runs again at %u", line.ran[i], i);
        turns++;
    }
    CHECK(turns > 100);
}

static void the_requests_of_a_hold_run_side_by_side(void *data)
{
    struct fixture *f = data;

    line.random = 41;
    f->conn.observe = note_tag;
    open_conn(f);
    for (int i = 0; i < SLOTS; i++) {
        ask_init(f, &line.slots[i].ask);
        line.slots[i].ask.then = answered;
        submit_one(&line.slots[i]);
    }
    while (f->conn.pending > 0) {
        if (uv_run(&f->loop, UV_RUN_NOWAIT) != 0 && draw(50) == 0)
            end_all(f);
    }
    CHECK_INT(f->answers, line.submitted);
    close_conn(f);
    check_side_by_side();
    for (int i = 0; i < SLOTS; i++)
        asq_request_destroy(&line.slots[i].ask.request);
}

static const struct test_case cases[] = {
    {.name = "the_requests_of_a_hold_run_side_by_side",
     .run = the_requests_of_a_hold_run_side_by_side},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_line",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
