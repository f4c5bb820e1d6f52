/* queue_clock - the clocks of a queue, and which run of the machine this is
 *
 * Any thread. Owns nothing that changes after the first call. Depends on libuv.
 * Only queue uses it.
 */
#ifndef ASQ_QUEUE_CLOCK_H
#define ASQ_QUEUE_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns milliseconds that never go back and are the same for all processes;
 * they begin anew when the machine starts. */
uint64_t asq__queue_now_ms(void);

/* Returns milliseconds since 1970, which somebody may set. */
int64_t asq__queue_wall_ms(void);

/* Returns a text that is another one after each start of the machine; empty
 * where the system has none. Linux and macOS have one. */
const char *asq__queue_boot(void);

#ifdef __cplusplus
}
#endif

#endif
