/* queue - jobs that must not be lost, in a table
 *
 * A job is a row. It is put in a transaction, perhaps together with the rows
 * that made it necessary; later somebody claims it, works, and says how it
 * ended. The table is in the same file as the data, so there is no moment in
 * which one has been written and the other has not.
 *
 *     put -> ready --- claim ---> running -- done --> done
 *             ^  ^                 |  |  '-- dead, or too many attempts -->
 * dead due -- |  '-- retry, rescue-'  | delayed <----- retry with a delay
 *
 * Whoever claims a job has it for a time, the *lease*, and the queue extends
 * the lease while the job is held. If a process dies, its leases run out, and
 * others get its jobs: a job is done at least once, and its effect should be
 * the same if it is done twice. A holder whose lease has run out can do no
 * harm here: each claim has a token, the job's id and the number of the
 * attempt, and whatever it stores later is refused with ASQ_LOST.
 *
 * Leases use the machine's monotonic clock and a name for its run since it was
 * started, so setting the clock neither ends nor prolongs one. Delays are wall
 * time. An attempt counts when it begins, so a job that kills its process is
 * dead after max_attempts. One that is given back while draining has one more.
 *
 * The queue submits to a conn (or to &store->conn of lesson 13), which it
 * borrows. A put on this queue is noticed at once; others, by the timer, which
 * looks into the table every poll_ms and does not keep the loop alive. Nothing
 * of it enters a hold: one that lasts longer than a third of the lease keeps
 * leases from being extended.
 *
 * Call every function on the loop thread; callbacks run there, and none inside
 * the call that submitted. Depends on queue_state and its parts, on conn of
 * lesson 03, and on tx of lesson 07.
 */
#ifndef ASQ_QUEUE_H
#define ASQ_QUEUE_H

#include "14-task-queue/queue_care.h"
#include "14-task-queue/queue_job.h"
#include "14-task-queue/queue_put.h"
#include "14-task-queue/queue_state.h"

#include <stddef.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the defaults of the public fields. */
void asq_queue_init(struct asq_queue *queue);

/* Makes the tables if they do not exist, and starts nothing else. conn, which
 * is that of the loop, and name are borrowed until on_closed; several queues
 * share the tables by their names. Puts and asq_queue_work may come before
 * on_open. Returns 0, after which you must close the queue, also if on_open
 * gets an error; or UV_EINVAL (it is open, on_open is NULL, there is no name, a
 * public field is 0 that must not be), or as asq_conn_script. */
int asq_queue_open(struct asq_queue *queue,
                   uv_loop_t *loop,
                   struct asq_conn *conn,
                   const char *name,
                   asq_queue_open_cb on_open);

/* Claims jobs, at most `lanes` at a time, and calls on_job for each; then it is
 * yours until you end it by asq_job_done, _retry or _dead. jobs is an array of
 * the caller, borrowed until on_closed; only the field data must be set.
 * Returns 0; UV_EINVAL (not open, no lanes, on_job is NULL); UV_EALREADY; or
 * UV_ESHUTDOWN. */
int asq_queue_work(struct asq_queue *queue,
                   struct asq_queue_job *jobs,
                   size_t lanes,
                   asq_job_cb on_job);

/* Claims nothing more and waits for the jobs that are held, whose leases are
 * extended meanwhile. When all are ended, or after ms, on_drained is called.
 * Jobs that are not ended by then are given back: they are ready at once, for
 * other workers, and the attempt does not count; on_lost is called for each
 * just before. A second call before on_drained sets another time and callback.
 * The queue still takes puts, and you must still close it. Drain it before you
 * close the conn or give it to a shutdown, which refuses new requests. Returns
 * 0, UV_EINVAL (not open, on_drained is NULL) or UV_ESHUTDOWN (it is closing,
 * or drained). */
int asq_queue_drain(struct asq_queue *queue,
                    unsigned ms,
                    asq_queue_cb on_drained);

/* Ends it. What was submitted is answered first; jobs that are held are left as
 * they are, and run out with their leases. Then on_closed runs; from then on
 * the memory of the queue and of its lanes may be freed, and the conn be
 * closed. Call it at any time after open returned 0; a second call does
 * nothing. */
void asq_queue_close(struct asq_queue *queue, asq_queue_cb on_closed);

#ifdef __cplusplus
}
#endif

#endif
