/* advise_query - does the query itself do too much? */
#include "04-measure-first/advise_query.h"

#include <inttypes.h>
#include <stdio.h>

static double per_row(uint64_t count, const struct asq_advise_plan *plan)
{
    return (double)count / (double)(plan->rows > 0 ? plan->rows : 1);
}

/* Returns whether it takes more steps than rows of this width are worth. */
static bool takes_many(const struct asq_advise_plan *plan,
                       const struct asq_advise_limits *limits)
{
    uint64_t least = plan->sums ? limits->sum_steps : limits->steps;
    double worth =
        limits->steps_per_row + plan->columns * limits->steps_per_cell;

    return plan->vm_steps >= least && per_row(plan->vm_steps, plan) > worth;
}

/* An aggregate returns one row; that alone does not make it a scan too many. */
static bool scans(const struct asq_advise_plan *plan,
                  const struct asq_advise_limits *limits)
{
    if (plan->sums && plan->vm_steps < limits->sum_steps)
        return false;
    return plan->scan_steps >= limits->scan_steps &&
           per_row(plan->scan_steps, plan) > limits->scan_per_row;
}

static enum asq_reason find_reason(const struct asq_advise_plan *plan,
                                   const struct asq_advise_limits *limits)
{
    if (plan->auto_index >= limits->scan_steps)
        return ASQ_BUILDS_INDEX;
    if (scans(plan, limits))
        return ASQ_SCANS;
    if (!takes_many(plan, limits))
        return ASQ_NOT_MEASURED;
    return plan->sorts > 0 ? ASQ_SORTS : ASQ_MANY_STEPS;
}

bool asq__advise_query(const struct asq_advise_plan *plan,
                       const struct asq_advise_limits *limits,
                       struct asq_advice *advice)
{
    enum asq_reason reason = find_reason(plan, limits);

    if (limits->as_it_is || reason == ASQ_NOT_MEASURED)
        return false;
    advice->verdict = ASQ_FIX_QUERY;
    advice->reason = reason;
    /* The sentences fit. */
    if (reason == ASQ_BUILDS_INDEX)
        (void)snprintf(advice->why, sizeof advice->why,
                       "Each run puts %" PRIu64 " rows into an index that is "
                       "thrown away after it.",
                       plan->auto_index);
    else if (reason == ASQ_SCANS)
        (void)snprintf(advice->why, sizeof advice->why,
                       "It steps over %" PRIu64 " rows of a table or index to "
                       "return %" PRIu64 ".",
                       plan->scan_steps, plan->rows);
    else
        (void)snprintf(advice->why, sizeof advice->why,
                       "%s %" PRIu64 " steps of SQLite's machine to return "
                       "%" PRIu64 " %s.",
                       reason == ASQ_SORTS ? "It sorts, and takes" : "It takes",
                       plan->vm_steps, plan->rows,
                       plan->rows == 1 ? "row" : "rows");
    (void)snprintf(advice->sure, sizeof advice->sure,
                   "sure: SQLite has counted it, no clock was used");
    return true;
}
