/* queue_tool - a queue that a script can use
 *
 *     --put FILE [PAYLOAD]       puts a job and prints its id; without PAYLOAD
 *                                it is what comes from standard input
 *     --work FILE -- COMMAND ... runs the command for each job, with the
 *                                payload as its standard input. If it ends with
 *                                0 the job is done, else it is tried again
 *     --list FILE                prints the jobs that are not done
 *     --who FILE                 prints who holds which job since when
 *
 * A module for the main.c of its lesson: it parses its options, prints, and
 * returns the exit status. Main thread. Depends on queue_tool_put,
 * queue_tool_work, and on store of lesson 13.
 */
#ifndef ASQ_QUEUE_TOOL_H
#define ASQ_QUEUE_TOOL_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Says whether the first argument is one of these. */
bool asq_queue_tool_wants(int argc, char **argv);

/* Does it. Returns 0; 1 after a line on standard error; 2 for wrong use. */
int asq_queue_tool(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
