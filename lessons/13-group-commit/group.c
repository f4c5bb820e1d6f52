/* group - runs the requests of a batch in one transaction */
#include "13-group-commit/group.h"

#include "01-blocking/stmt.h"
#include "13-group-commit/group_member.h"
#include "13-group-commit/group_sync.h"

#include <string.h>

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

static struct asq_db *db_of(struct asq__group *group)
{
    return &group->runner->db;
}

/* What others hold, and a checkpoint, cannot be in its transaction. */
static bool can_be_member(const struct asq_request *request)
{
    return request->hold_number == 0 && request->task != ASQ_TASK_CHECKPOINT;
}

int asq__group_open(struct asq__group *group)
{
    group->synchronous_now = group->synchronous;
    return asq__member_watch(group);
}

/* The end of a group */

/* If not even that is possible, nobody may build on what is open. */
static void roll_back(struct asq__group *group)
{
    group->open = false;
    if (asq_db_in_transaction(db_of(group)))
        (void)asq_db_run(db_of(group), "ROLLBACK", NULL, NULL);
    if (asq_db_in_transaction(db_of(group)))
        asq__cleaner_close(&group->runner->cleaner);
}

static void count(struct asq__group *group, size_t members)
{
    atomic_fetch_add(&group->groups, 1);
    if (members > atomic_load(&group->largest))
        atomic_store(&group->largest, members);
}

static void answer(struct asq__group *group, struct asq_request *request)
{
    request->ended_ns = group->runner->guard.now_ns;
    if (request->status == 0 && can_be_member(request))
        atomic_fetch_add(&group->committed, 1);
    asq__runner_answer(group->runner, request);
}

static void run_by_itself(struct asq__group *group,
                          struct asq_request *request);

/* Nothing is left of the first time. */
static void run_again(struct asq__group *group, struct asq_request *request)
{
    asq_result_clear(&request->result);
    request->message[0] = '\0';
    request->failed_statement = 0;
    if (asq__guard_refuses(&group->runner->guard, request)) {
        answer(group, request);
        return;
    }
    atomic_fetch_add(&group->rerun, 1);
    run_by_itself(group, request);
}

/* The transaction has ended without its members, or must. last, unless it is
 * NULL, is the member because of which: it gets its status and does not run
 * again. */
static void undo(struct asq__group *group, struct asq_request *last)
{
    struct asq_work_list members = group->ran;
    struct asq_work *work;

    group->ran = (struct asq_work_list){0};
    roll_back(group);
    while ((work = asq_work_pop(&members)) != NULL)
        run_again(group, request_of(work));
    if (last != NULL) {
        asq__guard_look(&group->runner->guard);
        answer(group, last);
    }
}

/* Those that had failed already stay as they are. */
static void tell_all(struct asq__group *group, int rc, bool unknown)
{
    for (struct asq_work *work = group->ran.first; work != NULL;
         work = work->next) {
        struct asq_request *request = request_of(work);

        if (request->status != 0)
            continue;
        request->status = rc;
        request->outcome_unknown = unknown;
        memcpy(request->message, db_of(group)->message,
               sizeof request->message);
        asq_result_clear(&request->result);
    }
}

static void commit(struct asq__group *group)
{
    struct asq_db *db = db_of(group);
    struct asq_work *work;
    int rc;

    asq__guard_post(&group->runner->guard); /* it may wait for the disk */
    rc = asq_db_run(db, "COMMIT", NULL, NULL);
    asq__guard_look(&group->runner->guard);
    if (rc == 0) {
        group->open = false;
        count(group, group->count);
    } else if (db->outcome_unknown || (rc & 0xff) == SQLITE_BUSY ||
               group->alone) {
        tell_all(group, rc, db->outcome_unknown);
        if (db->outcome_unknown)
            asq__cleaner_close(&group->runner->cleaner);
        roll_back(group);
    } else {
        undo(group, NULL); /* and answer all */
    }
    while ((work = asq_work_pop(&group->ran)) != NULL)
        answer(group, request_of(work));
}

/* Runs a member, whose start was noted. Returns whether the group goes on. */
static bool add(struct asq__group *group, struct asq_request *request)
{
    int rc = asq__member_run(group, request);

    request->status = asq__runner_stop(group->runner, request, rc);
    if (group->spoilt) {
        undo(group, request);
        return false;
    }
    asq_work_push(&group->ran, &request->work);
    group->count++;
    return true;
}

static size_t bytes_of(const struct asq_request *request)
{
    size_t bytes = 0;

    for (size_t i = 0; i < request->params.count; i++)
        bytes += request->params.values[i].size;
    return bytes;
}

static bool is_full(struct asq__group *group)
{
    int64_t rows = sqlite3_total_changes64(db_of(group)->handle);

    return group->bytes >= group->bytes_max ||
           (size_t)(rows - group->rows_before) >= group->rows_max ||
           group->runner->guard.now_ns - group->begun_ns >= group->ns_max;
}

/* Takes the next member, or NULL. A large one does not join a group that has
 * begun, so that small ones do not wait for it. */
static struct asq_request *next_member(struct asq__group *group)
{
    struct asq_request *request =
        is_full(group) ? NULL : asq__runner_peek(group->runner);
    size_t bytes = request != NULL ? bytes_of(request) : 0;

    if (request == NULL ||
        (can_be_member(request) && bytes <= group->bytes_max / 8)) {
        group->bytes += bytes;
        return request;
    }
    asq__runner_put_back(group->runner, request);
    return NULL;
}

/* The wait for the lock was that of all who were there. */
static void tell_busy(struct asq__group *group, int rc)
{
    struct asq_request *request;
    char message[ASQ_MESSAGE_SIZE];

    memcpy(message, db_of(group)->message, sizeof message);
    while ((request = asq__runner_peek(group->runner)) != NULL) {
        if (!can_be_member(request)) {
            asq__runner_put_back(group->runner, request);
            return;
        }
        asq__runner_start(group->runner, request);
        memcpy(db_of(group)->message, message, sizeof message);
        db_of(group)->failed = rc;
        request->status = asq__runner_stop(group->runner, request, rc);
        answer(group, request);
    }
}

static bool begin(struct asq__group *group, struct asq_request *first)
{
    struct asq_db *db = db_of(group);
    bool gave_up;
    int rc;

    asq__runner_start(group->runner, first);
    rc = asq__group_choose_sync(group, first);
    if (rc == 0)
        rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);
    if (rc == 0) {
        group->open = true;
        group->spoilt = false;
        group->count = 0;
        group->bytes = bytes_of(first);
        group->begun_ns = group->runner->guard.now_ns;
        group->rollbacks = db->rollbacks;
        group->rows_before = sqlite3_total_changes64(db->handle);
        return true;
    }
    first->status = asq__runner_stop(group->runner, first, rc);
    gave_up = first->status == rc && (rc & 0xff) == SQLITE_BUSY;
    answer(group, first);
    if (gave_up && !group->alone)
        tell_busy(group, rc);
    return false;
}

static void run_group(struct asq__group *group, struct asq_request *first)
{
    struct asq_request *request = first;

    if (!begin(group, first))
        return;
    do {
        if (!add(group, request))
            return;
        request = group->alone ? NULL : next_member(group);
        if (request != NULL)
            asq__runner_start(group->runner, request);
    } while (request != NULL);
    commit(group);
}

/* Runs a statement, which commits by itself, or what is not a member. */
static void run_alone(struct asq__group *group, struct asq_request *request)
{
    struct asq_runner *runner = group->runner;
    bool is_member = can_be_member(request);
    int rc = 0;

    asq__runner_start(runner, request);
    if (!asq_db_in_transaction(&runner->db))
        rc = asq__group_choose_sync(group, request);
    if (rc == 0)
        rc = is_member ? asq__member_task(group, request)
                       : asq__runner_task(runner, request);
    request->status = asq__runner_stop(runner, request, rc);
    request->status =
        asq__cleaner_after(&runner->cleaner, request, request->status);
    if (request->status == 0 && is_member)
        count(group, 1);
    answer(group, request);
}

/* While a blob is open for writing, SQLite commits nothing by itself, and says
 * nothing; a COMMIT says so. */
static void run_by_itself(struct asq__group *group, struct asq_request *request)
{
    group->alone = true;
    if (request->task == ASQ_TASK_SQL && group->runner->cleaner.handles == 0)
        run_alone(group, request);
    else
        run_group(group, request);
    group->alone = false;
}

void asq__group_run(struct asq__group *group, struct asq_work_list *batch)
{
    struct asq_runner *runner = group->runner;
    struct asq_request *request;

    asq__runner_take(runner, batch);
    while ((request = asq__runner_next(runner)) != NULL) {
        if (!can_be_member(request))
            run_alone(group, request);
        else if (runner->guard.rest.first == NULL)
            run_by_itself(group, request);
        else
            run_group(group, request);
        asq__wal_keep(group->keeper);
    }
}
