/* store_fixture - a group that is taken as a whole, and its members
 *
 * As conn_fixture, on the slow disk and with a table t (n INTEGER PRIMARY KEY).
 * hold_worker runs by itself, as a function that nobody waits behind; what is
 * submitted meanwhile is one group.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#define FIXTURE_STORE
#include "common/slow_disk.h"
#include "conn_fixture.h"

enum {
    MEMBERS = 8
};

struct member {
    struct ask ask; /* first */
    int runs;       /* of a function; worker thread until answered */
    int number;
    asq_call_cb then; /* what the function does after its INSERT, or NULL */
};

static inline struct member *member_of(struct asq_request *request)
{
    return (struct member *)request->data;
}

static inline void store_set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    asq_slow_disk_reset();
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2;
}

static inline void store_tear_down(void *data)
{
    asq_slow_disk_reset();
    conn_tear_down(data);
}

static inline void open_store(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)");
}

static inline void
members_init(struct fixture *f, struct member members[], int count)
{
    for (int i = 0; i < count; i++) {
        ask_init(f, &members[i].ask);
        members[i].runs = 0;
        members[i].number = i + 1;
        members[i].then = NULL;
    }
}

static inline void members_destroy(struct member members[], int count)
{
    for (int i = 0; i < count; i++)
        asq_request_destroy(&members[i].ask.request);
}

/* A function that inserts its number, and counts how often it runs. */
static inline int insert_number(struct asq_db *db, struct asq_request *request)
{
    struct member *member = member_of(request);
    struct asq_value value = asq_int64(member->number);
    struct asq_params params = {.values = &value, .count = 1};
    int rc =
        asq_db_run(db, "INSERT INTO t VALUES (?1)", &params, &request->result);

    member->runs++;
    return rc == 0 && member->then != NULL ? member->then(db, request) : rc;
}

static inline void ask_insert(struct member *member)
{
    ask_call(&member->ask, insert_number);
}

static inline int64_t rows_in(const struct fixture *f)
{
    return raw_number(f->profile.path, "SELECT count(*) FROM t");
}

#endif
