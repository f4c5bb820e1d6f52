/* queue_tool_work - runs a command for each job of a queue
 *
 * A lane for each command that runs at a time. The payload is the command's
 * standard input. If it ends with 0, the job is done; otherwise it is tried
 * again after 1 s, 2 s, 4 s ... up to an hour. A job whose lease is lost has
 * its command ended by SIGTERM.
 *
 * SIGINT and SIGTERM drain the queue: no new job, and commands have ten seconds
 * to end; what runs then is ended, and its job is given back. SIGPIPE is
 * ignored from then on.
 *
 * Main thread. Depends on queue. Only queue_tool uses it.
 */
#ifndef ASQ_QUEUE_TOOL_WORK_H
#define ASQ_QUEUE_TOOL_WORK_H

#include "03-event-loop/conn.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_QUEUE_TOOL_LANES = 16
};

struct asq_queue_work_order {
    const char *program; /* for messages */
    const char *queue;   /* its name */
    char **command;      /* with its arguments; ends with NULL */
    unsigned lanes;      /* 1 to ASQ_QUEUE_TOOL_LANES */
    bool until_empty;    /* end when no job is ready, delayed or running */
};

/* Works until it is drained. conn is open. Returns 0, or 1 after a line on
 * standard error. */
int asq__queue_tool_work(uv_loop_t *loop,
                         struct asq_conn *conn,
                         const struct asq_queue_work_order *order);

#ifdef __cplusplus
}
#endif

#endif
