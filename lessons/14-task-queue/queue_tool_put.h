/* queue_tool_put - puts one job and waits until it is committed
 *
 * Main thread. Depends on queue. Only queue_tool uses it.
 */
#ifndef ASQ_QUEUE_TOOL_PUT_H
#define ASQ_QUEUE_TOOL_PUT_H

#include "03-event-loop/conn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Puts the payload, or what comes from standard input if it is NULL, and prints
 * the job's id. conn is open. Returns 0, or 1 after a line on standard error.
 */
int asq__queue_tool_put(const char *program,
                        uv_loop_t *loop,
                        struct asq_conn *conn,
                        const char *name,
                        const char *payload);

#ifdef __cplusplus
}
#endif

#endif
