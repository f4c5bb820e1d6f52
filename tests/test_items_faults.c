/* test_items_faults - an update while memory or disk fail, at every moment
 *
 * Whatever goes wrong, what the answer says is what the file then holds.
 */
#include "common/slow_disk.h"
#include "disk_faults.h"
#include "items_fixture.h"

/* Asks for a new name, while a fault is set, and waits. */
static void rename_item(struct item_ask *ask)
{
    static const char *const names[] = {"name", "data"};
    const struct asq_value values[] = {asq_text("vase"), asq_text("{\"a\":1}")};
    const struct asq_params fields = {values, names, 2};

    CHECK_INT(update(ask, 1, &fields), 0);
    ask->f->submitting = false;
    test_run_until(&ask->f->loop, &ask->done);
    ask->done = 0;
    if (ask->status == 0)
        CHECK_TEXT(asq_result_text(&ask->items.request.result, 0, "name"),
                   "vase");
}

/* The row has its new name if and only if the answer says so, if it could. */
static void check_renamed(const struct item_ask *ask)
{
    int64_t renamed = raw_number(ask->f->profile.path,
                                 "SELECT count(*) FROM items"
                                 " WHERE name = 'vase' AND data = '{\"a\":1}'");

    CHECK_INT(ask->calls, 2);
    if (ask->items.request.outcome_unknown)
        CHECK_RANGE(renamed, 0, 1);
    else
        CHECK_INT(renamed, ask->status == 0);
    CHECK_INT(raw_number(ask->f->profile.path, "SELECT count(*) FROM items"),
              1);
}

/* Everything up to the update goes well. */
static void begin(struct fixture *f, struct item_ask *ask)
{
    remove_files(f->profile.path);
    asq_slow_disk_reset();
    start(f);
    item_init(f, ask);
    (void)make(ask, "lamp", "sold");
}

static void end(struct fixture *f, struct item_ask *ask)
{
    close_conn(f);
    init_again(f);
    check_renamed(ask);
    asq_items_destroy(&ask->items);
}

static void fail_each_allocation(struct fixture *f, int kinds, int keep)
{
    uint64_t nth = 0;
    int failed;
    struct item_ask ask;

    do {
        nth++;
        begin(f, &ask);
        test_alloc_fail_at(kinds, nth, keep);
        rename_item(&ask);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        end(f, &ask);
    } while (failed);
    CHECK(nth > 1);
    CHECK_INT(ask.status, 0);
}

static void every_allocation_may_fail(void *data)
{
    struct fixture *f = data;

    for (int keep = 0; keep < 2; keep++)
        fail_each_allocation(f, TEST_ALLOC_ALL, keep);
}

/* Those of the answer itself, which come after the change. */
static void every_allocation_of_the_answer_may_fail(void *data)
{
    struct fixture *f = data;

    f->profile.statements = 0;
    fail_each_allocation(f, TEST_ALLOC_MALLOC, 0);
}

static void
fail_each_op(struct fixture *f, enum asq_disk_op op, int code, int keep)
{
    uint64_t nth = 0, ops;
    struct item_ask ask;

    do {
        nth++;
        begin(f, &ask);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_fail(op, nth, code, keep);
        rename_item(&ask);
        ops = asq_slow_disk_count(op) - ops;
        asq_slow_disk_reset();
        end(f, &ask);
    } while (nth <= ops);
    CHECK_INT(ask.status, 0);
}

static void every_op_of_the_disk_may_fail(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2; /* so that every commit is synced */
    for (int wal = 0; wal < 2; wal++) {
        f->profile.wal = wal;
        for (size_t i = 0; i < DISK_FAULTS; i++) {
            for (int keep = 0; keep < 2; keep++)
                fail_each_op(f, disk_faults[i].op, disk_faults[i].code, keep);
        }
    }
}

static const struct test_case cases[] = {
    {.name = "every_allocation_may_fail", .run = every_allocation_may_fail},
    {.name = "every_allocation_of_the_answer_may_fail",
     .run = every_allocation_of_the_answer_may_fail},
    {.name = "every_op_of_the_disk_may_fail",
     .run = every_op_of_the_disk_may_fail},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "items_faults",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
