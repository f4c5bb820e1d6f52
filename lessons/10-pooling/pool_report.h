/* pool_report - what a pool is doing, in figures and in one line
 *
 * Loop thread. Depends on pool_state.
 */
#ifndef ASQ_POOL_REPORT_H
#define ASQ_POOL_REPORT_H

#include "10-pooling/pool_state.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_pool_stats asq_pool_statistics(const struct asq_pool *pool);

/* Writes one line: "2 of 2 open, 2 lent (import for 1.2 s, export for 0.8 s), 3
 * waiting, the longest for 0.8 s"; cut if it does not fit. If every holder, by
 * its `who`, also waits for one more connection, perhaps none will be given
 * back before a time is over, and the line says so. Returns whether somebody
 * waits. */
bool asq_pool_report(const struct asq_pool *pool, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
