/* queue_clock - the clocks of a queue, and which run of the machine this is
 *
 * Any thread. Owns nothing that changes after the first call. Depends on
 * queue_state. Only queue uses it.
 */
#ifndef ASQ_QUEUE_CLOCK_H
#define ASQ_QUEUE_CLOCK_H

#include "14-task-queue/queue_state.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns milliseconds since about the start of the machine. They never go back
 * and are the same for all processes. */
uint64_t asq__queue_now_ms(void);

/* Returns milliseconds since 1970. Somebody may set this clock. */
int64_t asq__queue_wall_ms(void);

/* Returns a text that differs after each start of the machine. Linux and macOS
 * have one; elsewhere it is empty. */
const char *asq__queue_boot(void);

#ifdef __cplusplus
}
#endif

#endif
