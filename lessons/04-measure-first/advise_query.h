/* advise_query - does the query itself do too much?
 *
 * Internal to advise. Depends on it only.
 */
#ifndef ASQ_ADVISE_QUERY_H
#define ASQ_ADVISE_QUERY_H

#include "04-measure-first/advise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Looks for work that no way of waiting makes better. If it finds some, it
 * fills in verdict, reason, why and sure, and returns true. */
bool asq__advise_query(const struct asq_advise_plan *plan,
                       const struct asq_advise_limits *limits,
                       struct asq_advice *advice);

#ifdef __cplusplus
}
#endif

#endif
