/* power_cut - the power of a store's disk is cut at a sync
 *
 * Rows 1, 2, 3 ... are written in groups of three. Afterwards the file holds
 * whole groups from the first on, without a hole, and with FULL every row that
 * was acknowledged.
 */
#ifndef TESTS_POWER_CUT_H
#define TESTS_POWER_CUT_H

#include "04-measure-first/db_copy.h"
#include "store_fixture.h"

struct cut {
    int acknowledged; /* the highest number that was */
    bool cut;
};

/* Turns the loop, and cuts the power when a thread stands at the gate. */
static inline void look(struct fixture *f, struct cut *cut)
{
    if (!cut->cut && asq_slow_disk_wait_for_gate(0) == 0) {
        CHECK_INT(asq_slow_disk_power_cut(), 0);
        cut->cut = true;
        asq_slow_disk_open_gate();
    }
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* The worker may stand at the gate in a checkpoint, where it cannot be held. */
static inline bool
hold_or_cut(struct fixture *f, struct ask *ask, struct cut *cut)
{
    ask_call(ask, stand_at_gate);
    while (!ask->done) {
        if (uv_sem_trywait(&f->reached) == 0)
            return true;
        look(f, cut);
    }
    return false;
}

static inline void write_group(struct fixture *f, struct cut *cut, int first)
{
    struct member members[4];
    bool held;

    members_init(f, members, 4);
    held = hold_or_cut(f, &members[0].ask, cut);
    for (int i = 1; i < 4; i++) {
        members[i].number = first + i;
        if (f->conn.usable)
            ask_insert(&members[i]);
        else
            members[i].ask.done = members[i].ask.status = UV_ESHUTDOWN;
    }
    if (held)
        let_go(f);
    for (int i = 0; i < 4; i++) {
        while (!members[i].ask.done)
            look(f, cut);
        if (i > 0 && members[i].ask.status == 0)
            cut->acknowledged = members[i].number;
    }
    members_destroy(members, 4);
}

static inline void write_groups(struct fixture *f, struct cut *cut, int groups)
{
    for (int group = 0; group < groups && !cut->cut; group++)
        write_group(f, cut, 3 * group);
}

/* Returns false if the run had fewer syncs. */
static inline bool cut_at(struct fixture *f, uint64_t nth, int groups)
{
    struct cut cut = {0};
    int64_t rows, last;

    test_while("the power is cut at sync %d", (int)nth);
    asq_slow_disk_reset();
    asq_slow_disk_remember();
    (void)asq_db_remove(f->profile.path);
    raw_run(f->profile.path, "PRAGMA journal_mode = WAL;"
                             "CREATE TABLE t (n INTEGER PRIMARY KEY)");
    init_again(f);
    f->store.wal_pages = 20;
    open_conn(f);
    asq_slow_disk_gate(ASQ_DISK_SYNC, nth);
    write_groups(f, &cut, groups);
    if (!cut.cut)
        asq_slow_disk_gate(ASQ_DISK_SYNC, 0);
    close_conn(f);
    asq_slow_disk_power_on();
    asq_slow_disk_reset();
    rows = rows_in(f);
    last = raw_number(f->profile.path, "SELECT coalesce(max(n), 0) FROM t");
    CHECK_INT(rows, last);  /* no hole */
    CHECK_INT(rows % 3, 0); /* whole groups */
    if (f->profile.synchronous == 2)
        CHECK(rows >= cut.acknowledged);
    return cut.cut;
}

#endif
