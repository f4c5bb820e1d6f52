/* group_sync - how durable a group is */
#include "13-group-commit/group_sync.h"

#include "01-blocking/stmt.h"

/* SQLite takes this setting only between two transactions. If it cannot be made
 * less careful, for lack of memory, that is tried again. */
static int set(struct asq__group *group, int level)
{
    const char *sql =
        level == 2 ? "PRAGMA synchronous = 2" : "PRAGMA synchronous = 1";
    int rc = 0;

    if (group->synchronous_now != level)
        rc = asq_db_run(&group->runner->db, sql, NULL, NULL);
    if (rc == 0)
        group->synchronous_now = level;
    return level == 2 ? rc : 0;
}

/* Which of those that wait will be members is not known yet. */
int asq__group_choose_sync(struct asq__group *group,
                           const struct asq_request *first)
{
    const struct asq_guard *guard = &group->runner->guard;
    bool durable = first->durable;

    if (group->synchronous != 1)
        return 0; /* FULL syncs anyway, and OFF never */
    for (struct asq_work *work = guard->rest.first; !durable && work != NULL;
         work = work->next)
        durable = work != guard->tidy &&
                  ASQ_CONTAINER_OF(work, struct asq_request, work)->durable;
    return set(group, durable ? 2 : 1);
}
