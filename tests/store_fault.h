/* store_fault - an op of a store's disk fails
 *
 * Three groups are written. What was acknowledged is there afterwards; what has
 * failed is not, unless its outcome is unknown.
 */
#ifndef TESTS_STORE_FAULT_H
#define TESTS_STORE_FAULT_H

#include "04-measure-first/db_copy.h"
#include "store_fixture.h"

/* Returns whether the worker stands at the gate; its BEGIN may have failed. */
static inline bool try_to_hold(struct fixture *f, struct ask *ask)
{
    ask_call(ask, stand_at_gate);
    while (!ask->done) {
        if (uv_sem_trywait(&f->reached) == 0)
            return true;
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    return false;
}

/* The nth op fails; with keep also all later ones, until the store is closed.
 * Returns false if there were fewer. */
static inline bool
fail_at(struct fixture *f, enum asq_disk_op op, int code, uint64_t n, int keep)
{
    struct member members[MEMBERS];
    uint64_t ops;

    test_while("op %d, code %d, number %d", (int)op, code, (int)n);
    asq_slow_disk_reset();
    (void)asq_db_remove(f->profile.path);
    init_again(f);
    f->store.wal_pages = 4;
    open_store(f);
    members_init(f, members, MEMBERS);
    asq_slow_disk_reset(); /* counts from 0 */
    asq_slow_disk_fail(op, n, code, keep);
    for (int round = 0; round < 3; round++) {
        bool held = try_to_hold(f, &members[0].ask);

        for (int i = 1; i < MEMBERS && f->conn.usable; i++) {
            if (members[i].ask.status != 0)
                continue; /* it is looked for in the end */
            members[i].number = 100 * round + i;
            ask_insert(&members[i]);
        }
        if (held)
            let_go(f);
        for (int i = 0; i < MEMBERS; i++)
            test_run_until(&f->loop, &members[i].ask.done);
        if (!f->conn.usable)
            break;
        for (int i = 1; i < MEMBERS; i++)
            CHECK(members[i].runs <= 2 * (round + 1));
    }
    ops = asq_slow_disk_count(op);
    close_conn(f);
    asq_slow_disk_reset();
    for (int i = 1; i < MEMBERS; i++) {
        char sql[80];
        int64_t found;

        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE n = %d",
                       members[i].number);
        found = raw_number(f->profile.path, sql);
        if (members[i].ask.status == 0)
            CHECK_INT(found, 1);
        else if (!members[i].ask.request.outcome_unknown)
            CHECK_INT(found, 0);
    }
    members_destroy(members, MEMBERS);
    return n <= ops;
}

#endif
