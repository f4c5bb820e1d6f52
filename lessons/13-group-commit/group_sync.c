/* group_sync - how durable a group is */
#include "13-group-commit/group_sync.h"

#include "01-blocking/stmt.h"

/* SQLite takes this setting only between two transactions. If it cannot be
 * made, for lack of memory, it is tried again. */
static void set(struct asq__group *group, int level)
{
    const char *sql =
        level == 2 ? "PRAGMA synchronous = 2" : "PRAGMA synchronous = 1";

    if (group->synchronous_now != level &&
        asq_db_run(&group->runner->db, sql, NULL, NULL) == 0)
        group->synchronous_now = level;
}

/* Which of those that wait will be members is not known yet. */
void asq__group_choose_sync(struct asq__group *group,
                            const struct asq_request *first)
{
    const struct asq_guard *guard = &group->runner->guard;
    bool durable = first->durable;

    if (group->synchronous != 1)
        return; /* FULL syncs anyway, and OFF never */
    for (struct asq_work *work = guard->rest.first; !durable && work != NULL;
         work = work->next)
        durable = work != guard->tidy &&
                  ASQ_CONTAINER_OF(work, struct asq_request, work)->durable;
    set(group, durable ? 2 : 1);
}
