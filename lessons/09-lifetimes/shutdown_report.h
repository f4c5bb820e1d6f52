/* shutdown_report - a line that says how the end of a connection was
 *
 * For the log: what a program forgot to end or release, and what its shutdown
 * cut short. Loop thread only. Depends on shutdown.
 */
#ifndef ASQ_SHUTDOWN_REPORT_H
#define ASQ_SHUTDOWN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_shutdown_part;

/* Writes one line ("reports: 1 hold not ended, 2 statements not released, 1
 * transaction rolled back, 3 requests cancelled, 12 frames left in the WAL"),
 * which is cut if it does not fit. Returns false, and an empty text, if nothing
 * was forgotten or cut short. Call it from on_down on, as long as the memory of
 * the connection is there. */
bool asq_shutdown_report(const struct asq_shutdown_part *part,
                         char *text,
                         size_t size);

#ifdef __cplusplus
}
#endif

#endif
