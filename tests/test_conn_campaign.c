/* test_conn_campaign - a hundred thousand requests that get into each other's
 * way, and a file that holds what they were told
 *
 * Three connections and somebody else write to one file. Functions of many
 * short statements are stopped in the middle, scripts fail, functions leave
 * things open, holds fetch a few rows at a time or end with a transaction
 * open, checkpoints are cancelled, connections are closed and opened again in
 * the middle of it all. Each round ends with a look at the file.
 */
#include "campaign_work.h"

static unsigned char kinds[ROUND * 2]; /* of this round's units */
static unsigned outcomes[KINDS][5];
static unsigned forgotten, late[ASQ_PLACE_RUNNING + 1];

enum outcome {
    GOOD,
    FAILED,
    NEVER_RAN,
    STOPPED,
    LATE
};

static const char *name_of_unit(unsigned unit)
{
    const char *name = kind_names[kinds[unit - all.first]];

    return name == NULL ? "step of a hold" : name;
}

static enum kind draw_kind(void)
{
    static const struct {
        enum kind kind;
        unsigned share;
    } shares[] = {
        {READ, 360},       {READ_KEYS, 40},   {SET_KEYS, 20},
        {INSERT, 220},     {INSERT_BULK, 30}, {READ_ENDLESS, 6},
        {SCRIPT, 60},      {SCRIPT_BAD, 40},  {SCRIPT_ENDLESS, 5},
        {SHORT_ONES, 60},  {TRANSACTION, 60}, {LEAVE_TRANSACTION, 20},
        {LEAVE_BEGIN, 10}, {LEAVE_WRITE, 20}, {LEAVE_READ, 20},
        {LEAVE_RAW, 10},   {LEAVE_BLOB, 4},   {CHECKPOINT, 15},
    };
    unsigned number = draw(1000);
    size_t i = 0;

    while (number >= shares[i].share)
        number -= shares[i++].share;
    return shares[i].kind;
}

static unsigned new_unit(enum kind kind)
{
    unsigned unit = next_unit();

    kinds[unit - all.first] = (unsigned char)kind;
    return unit;
}

/* The first connection does most of the writing: SQLite hands the lock on by
 * naps of some milliseconds. */
static bool may_write(const struct side *side)
{
    return side->number == 0 || draw(8) == 0;
}

static void go_on(struct slot *slot)
{
    static const enum kind reads[] = {READ,      READ,     READ,      READ_KEYS,
                                      LEAVE_RAW, SET_KEYS, LEAVE_READ};
    enum kind kind = may_write(slot->side) ? draw_kind() : reads[draw(7)];

    if (all.submitted < all.until && !slot->request.pending &&
        !slot->side->shut)
        (void)submit(slot, kind, new_unit(kind));
}

/* Holds */

static enum kind draw_step(const struct holder *holder)
{
    static const enum kind steps[] = {STEP,        STEP,     STEP,   STEP_BULK,
                                      STEP_SCRIPT, ROLLBACK, COMMIT, BEGIN};

    if (holder->plan == BEGIN)
        return draw(5) == 0 ? READ : steps[draw(8)];
    if (holder->plan == HALF_WRITE && draw(6) == 0)
        return UNDO;
    if (draw(3) != 0)
        return draw(4) == 0 && holder->plan == FETCH && may_write(holder->side)
                   ? draw(3) == 0 ? INSERT_BULK : INSERT
                   : READ;
    return holder->plan;
}

static bool is_under_way(const struct slot *slot)
{
    return slot->request.pending;
}

static void submit_steps(struct holder *holder, unsigned count)
{
    for (int i = 0; i < HANDS && count > 0 && holder->steps > 0; i++) {
        struct slot *slot = &holder->hands[i];
        enum kind kind = draw_step(holder);
        bool own = calls[kind] == NULL; /* it has a unit of its own */

        if (is_under_way(slot) || holder->ended || holder->side->shut)
            continue;
        slot->request.hold = &holder->hold;
        count--;
        holder->steps--;
        holder->unanswered +=
            submit(slot, kind, own ? new_unit(kind) : holder->unit);
        all.submitted += !own; /* it is a request, too */
    }
}

static void begin_hold(struct holder *holder)
{
    static const enum kind plans[] = {FETCH, HALF_WRITE, BEGIN, BEGIN};

    if (holder->side->shut || all.submitted >= all.until)
        return;
    CHECK(!holder->active);
    CHECK_INT(asq_hold_begin(&holder->side->conn, &holder->hold), 0);
    holder->active = true;
    holder->ended = false;
    holder->plan = may_write(holder->side) ? plans[draw(4)] : FETCH;
    holder->unit = new_unit(holder->plan);
    holder->steps = 1 + draw(14);
    holder->forgotten = draw(100) == 0;
    holder->pending = holder->committed = 0;
    submit_steps(holder, 1 + draw(HANDS));
}

/* All that was asked under it is answered. */
static void finish_hold(struct holder *holder)
{
    struct asq_left_open *left = &holder->side->left;

    left->transactions += holder->in_transaction;
    left->statements += holder->stmt != NULL;
    expect_rows(holder->unit, holder->committed);
    forgotten += holder->forgotten;
    holder->in_transaction = false;
    holder->stmt = NULL;
    holder->active = false;
    holder->forgotten = false;
}

static void end_hold(struct holder *holder)
{
    all.inside = true;
    asq_hold_end(&holder->hold);
    all.inside = false;
    holder->ended = true;
}

static void maybe_end(struct holder *holder)
{
    if (!holder->ended && !holder->forgotten && holder->active &&
        (holder->steps == 0 || draw(20) == 0))
        end_hold(holder); /* maybe before all is answered */
    if (!holder->active || !holder->ended || holder->unanswered > 0)
        return;
    finish_hold(holder);
    begin_hold(holder);
}

/* Those that have not ended are ended by the connection. */
static void side_shuts(struct side *side)
{
    for (int i = 0; i < HOLDERS; i++) {
        struct holder *holder = &holders[side->number][i];

        side->left.holds += holder->active && !holder->ended;
        holder->ended = true;
    }
}

/* Those that have ended by that have nobody else who finishes them. */
static void side_is_closed(struct side *side)
{
    for (int i = 0; i < HOLDERS; i++) {
        struct holder *holder = &holders[side->number][i];

        CHECK_INT(holder->unanswered, 0);
        if (holder->active)
            finish_hold(holder);
    }
}

static void side_is_open(struct side *side)
{
    for (int i = 0; i < HOLDERS; i++) {
        struct holder *holder = &holders[side->number][i];

        CHECK_INT(holder->unanswered, 0);
        begin_hold(holder);
    }
    for (int i = 0; i < SLOTS; i++)
        go_on(&slots[side->number][i]);
}

/* Answers */

static struct slot *any_slot(const struct side *side)
{
    uintptr_t running = atomic_load(&side->running);

    if (draw(2) == 0 && running != 0) /* it may be over by now */
        return slot_of((struct asq_request *)running);
    return draw(3) == 0
               ? &holders[side->number][draw(HOLDERS)].hands[draw(HANDS)]
               : &slots[side->number][draw(SLOTS)];
}

static void cancel_any(void)
{
    struct slot *slot = any_slot(&all.sides[draw(SIDES)]);

    slot->cancelled = true;
    asq_request_cancel(&slot->request);
}

/* What the kind itself says, when nobody stops it. */
static bool is_own_status(const struct slot *slot, int status)
{
    switch (slot->kind) {
    case READ_ENDLESS:
    case SCRIPT_ENDLESS:
        return false;
    case SCRIPT_BAD:
        return status == SQLITE_CONSTRAINT_PRIMARYKEY &&
               slot->request.failed_statement == 3;
    case LEAVE_BEGIN:
        return status == SQLITE_MISUSE;
    case LEAVE_TRANSACTION:
    case LEAVE_WRITE:
    case LEAVE_READ:
    case LEAVE_RAW:
    case LEAVE_BLOB:
        return status == (slot->leaves ? SQLITE_MISUSE : 0);
    case HALF_WRITE:
        return status == 0 || status == SQLITE_ABORT_ROLLBACK;
    case UNDO:
        return status == SQLITE_CONSTRAINT_PRIMARYKEY;
    case BEGIN:
    case ROLLBACK:
    case COMMIT:
        return status == 0 || status == SQLITE_ERROR;
    default:
        return status == 0;
    }
}

static bool may_be(const struct slot *slot, int status)
{
    const struct side *side = slot->side;
    bool cancelled = slot->cancelled || side->cancelled;

    if (is_own_status(slot, status))
        return true;
    switch (status) {
    case UV_ECANCELED:
        return (cancelled || side->shut) && slot->request.started_ns == 0;
    case SQLITE_INTERRUPT:
        return cancelled;
    case UV_ETIMEDOUT:
        return slot->timed;
    case SQLITE_BUSY: /* whoever reads already is not made to wait */
    case SQLITE_BUSY_SNAPSHOT:
        return slot->holder != NULL || side->has_blob;
    case SQLITE_LOCKED:
        return side->has_blob;
    default:
        return false;
    }
}

static void count(const struct slot *slot, int status)
{
    enum outcome outcome = status == 0                  ? GOOD
                           : status == UV_ECANCELED     ? NEVER_RAN
                           : status == SQLITE_INTERRUPT ? STOPPED
                           : status == UV_ETIMEDOUT     ? LATE
                                                        : FAILED;

    outcomes[slot->kind][outcome]++;
    late[slot->request.timed_out_in]++;
    all.answered++;
}

/* What is in the file now, or was there. */
static void check_answer(struct slot *slot, int status)
{
    static const unsigned rows[KINDS] = {
        [INSERT] = 1, [INSERT_BULK] = BULK, [SCRIPT] = 3};
    int64_t number = 0;

    if (status == 0 && slot->request.result.rows > 0)
        number = asq_result_at(&slot->request.result, 0, 0).as.int64;
    if (status == 0 && slot->kind == READ)
        CHECK_INT(number, (1 + slot->unit % 100) * 7);
    if (status == 0 && slot->kind == READ_KEYS)
        CHECK_INT(number, slot->side->keys);
    if (status == 0 && slot->kind == SET_KEYS)
        slot->side->keys = slot->many % 2;
    slot->side->left.transactions +=
        slot->kind == LEAVE_BEGIN && status == SQLITE_MISUSE;
    if (slot->kind == SHORT_ONES || slot->kind == TRANSACTION)
        expect_rows(slot->unit, slot->rows);
    else if (status == 0 && rows[slot->kind] != 0)
        expect_rows(slot->unit, rows[slot->kind]);
}

static void take_answer(struct asq_request *request, int status)
{
    struct slot *slot = slot_of(request);
    struct holder *holder = slot->holder;

    check_on_loop();
    if (!may_be(slot, status))
        FAIL("%s, kind %d: status %d: %s", name_of_unit(slot->unit),
             (int)slot->kind, status, request->message);
    CHECK_INT(status != 0, request->message[0] != '\0');
    CHECK_INT(status == UV_ETIMEDOUT, request->timed_out_in != ASQ_PLACE_NONE);
    CHECK_INT(request->outcome_unknown, 0);
    CHECK(!request->pending);
    count(slot, status);
    check_answer(slot, status);
    if (draw(12) == 0)
        cancel_any();
    if (draw(4000) == 0)
        close_side(&all.sides[draw(SIDES)], draw(2) == 0);
    if (holder == NULL) {
        go_on(slot);
        return;
    }
    holder->unanswered--;
    submit_steps(holder, draw(3) + (holder->unanswered == 0));
    maybe_end(holder);
}

/* Every millisecond, whatever hangs. */
static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* it is all.tick */
    if (draw(8) == 0 || all.outside_locks)
        write_outside();
    if (draw(2) == 0)
        cancel_any();
    for (int i = 0; i < SIDES; i++) {
        for (int k = 0; k < HOLDERS; k++) {
            if (holders[i][k].forgotten && draw(10) == 0)
                close_side(&all.sides[i], draw(2) == 0);
        }
    }
}

/* Rounds */

static void init_slots(void)
{
    for (int i = 0; i < SIDES; i++) {
        for (int k = 0; k < SLOTS; k++) {
            slots[i][k] = (struct slot){.side = &all.sides[i]};
            asq_request_init(&slots[i][k].request);
        }
        for (int k = 0; k < HOLDERS; k++) {
            holders[i][k] = (struct holder){.side = &all.sides[i]};
            for (int h = 0; h < HANDS; h++) {
                struct slot *hand = &holders[i][k].hands[h];

                *hand = (struct slot){.side = &all.sides[i],
                                      .holder = &holders[i][k]};
                asq_request_init(&hand->request);
            }
        }
    }
}

static void destroy_slots(void)
{
    for (int i = 0; i < SIDES; i++) {
        for (int k = 0; k < SLOTS; k++)
            asq_request_destroy(&slots[i][k].request);
        for (int k = 0; k < HOLDERS; k++) {
            for (int h = 0; h < HANDS; h++)
                asq_request_destroy(&holders[i][k].hands[h].request);
        }
    }
}

static void run_round(void)
{
    all.first = all.submitted + 1;
    all.until = all.submitted + ROUND;
    all.ending = false;
    memset(all.rows, 0, sizeof all.rows);
    memset(kinds, 0, sizeof kinds);
    for (int i = 0; i < SIDES; i++)
        open_side(&all.sides[i]);
    CHECK_INT(uv_timer_start(&all.tick, on_tick, 1, 1), 0);
    uv_unref((uv_handle_t *)&all.tick);
    CHECK_INT(uv_run(&all.loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(uv_timer_stop(&all.tick), 0);
    if (all.outside_locks)
        write_outside(); /* lets go */
    all.ending = true;
    for (int i = 0; i < SIDES; i++)
        close_side(&all.sides[i], draw(4) == 0);
    CHECK_INT(uv_run(&all.loop, UV_RUN_DEFAULT), 0);
    check_file(name_of_unit);
}

static void tell(void)
{
    static const char *const names[] = {"good", "failed", "never ran",
                                        "stopped", "too late"};

    printf("%u answers, %u closes, %u reopened, %u forgotten holds, %u rows "
           "of somebody else\n",
           all.answered, all.closed, all.reopened, forgotten, all.outside_rows);
    for (int outcome = GOOD; outcome <= LATE; outcome++) {
        unsigned sum = 0;

        for (int kind = 0; kind < KINDS; kind++)
            sum += outcomes[kind][outcome];
        printf("%s: %u\n", names[outcome], sum);
    }
}

static void the_file_holds_what_was_told(void *data)
{
    (void)data;
    init_campaign();
    raw_do(all.outside, "CREATE TABLE texts (v);"
                        "INSERT INTO texts VALUES ('seven')");
    init_slots();
    CHECK_INT(uv_timer_init(&all.loop, &all.tick), 0);
    all.random = test_seed();
    all.many = CAMPAIGN_REQUESTS;
    while (all.answered < all.many)
        run_round();
    uv_close((uv_handle_t *)&all.tick, NULL);
    test_close_loop(&all.loop);
    raw_close(all.outside);
    check_integrity(all.profile.path);
    destroy_slots();
    tell();
    CHECK(all.reopened > 0 && forgotten > 0 && all.outside_rows > 0);
    CHECK(late[ASQ_PLACE_QUEUE] > 0 && late[ASQ_PLACE_LOCK] > 0 &&
          late[ASQ_PLACE_RUNNING] > 0);
    for (int kind = 0; kind < KINDS; kind++)
        CHECK(outcomes[kind][GOOD] + outcomes[kind][FAILED] > 0 ||
              kind == READ_ENDLESS || kind == SCRIPT_ENDLESS);
}

static const struct test_case cases[] = {
    {.name = "the_file_holds_what_was_told",
     .run = the_file_holds_what_was_told,
     .seconds = 120},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_campaign", .cases = cases};
