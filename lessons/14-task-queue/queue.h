/* queue - jobs that must not be lost, in a table
 *
 * A job is a row. It is put in a transaction, perhaps together with the rows
 * that made it necessary. Later a worker claims it, does it, and says how it
 * ended. The table is in the same file as the data, so there is no moment in
 * which one has been written and the other has not.
 *
 *     put ----------> ready -- claim --> running -- done --> done
 *                     ^   ^                |'------ dead --> dead
 *      due, by a look |   '-- retry -------|
 *     put, later -> delayed <- retry later-'
 *
 * A worker that claims a job has it for a time, the *lease*, which the queue
 * extends as long as the job is held. If a process dies, its leases run out,
 * and other workers get its jobs, or they are dead if that was their last
 * attempt. So a job is done at least once, and its effect should be the same if
 * it is done twice. A worker whose lease has run out can do no harm here: each
 * claim has a token, the job's id and the number of the attempt, and an end
 * with an old token is refused with ASQ_LOST.
 *
 * Leases use the machine's monotonic clock and a name for the time since it was
 * started, so setting the clock neither ends nor prolongs one. Delays are wall
 * time. An attempt counts from its beginning, so a job that kills its process
 * is dead after max_attempts. A job that is given back may have one attempt
 * more.
 *
 * The queue submits to a conn, which it borrows; that of a store (lesson 13)
 * serves most jobs per second. A put through this queue is noticed at once.
 * Other jobs are found by a timer, which looks into the table every poll_ms and
 * does not keep the loop alive. While somebody has a hold on the conn, the
 * queue waits: a hold that lasts longer than a third of the lease may cost
 * leases.
 *
 * Call every function on the loop thread. Callbacks run there too, never inside
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

/* Makes the tables if they do not exist, and starts nothing else. The queues of
 * a file share them; each sees the jobs of its own name. loop is that of conn;
 * conn and name are borrowed until on_closed. You may put and work before
 * on_open. After 0 you must close the queue, even if on_open gets an error.
 * Otherwise it returns UV_EINVAL (it is open; on_open or name is NULL; poll_ms
 * or max_attempts is 0; lease_ms is below 6), or as asq_conn_script. */
int asq_queue_open(struct asq_queue *queue,
                   uv_loop_t *loop,
                   struct asq_conn *conn,
                   const char *name,
                   asq_queue_open_cb on_open);

/* Begins to claim jobs, at most `lanes` at a time, and calls on_job for each.
 * Then the job is yours until you end it with asq_job_done, _retry or _dead.
 * jobs is your array of `lanes` places, borrowed until on_closed; set only the
 * field data. Every 16th claim takes the oldest job, whatever its priority.
 * Returns 0; UV_EINVAL (not open, no lanes, on_job is NULL); UV_EALREADY; or
 * UV_ESHUTDOWN. */
int asq_queue_work(struct asq_queue *queue,
                   struct asq_queue_job *jobs,
                   size_t lanes,
                   asq_job_cb on_job);

/* Claims nothing more and waits until the jobs that are held have ended; their
 * leases are still extended. on_drained is called then, or after ms. Jobs that
 * have not ended by that time are given back: other workers can have them at
 * once, and the attempt does not count. on_lost is called for each just before.
 * A second call before on_drained replaces the time and the callback. The queue
 * still takes puts, and you must still close it. Drain it before you close the
 * conn or pass it to a shutdown, which refuses new requests. Returns 0,
 * UV_EINVAL (not open, on_drained is NULL) or UV_ESHUTDOWN (it is closing or
 * drained). */
int asq_queue_drain(struct asq_queue *queue,
                    unsigned ms,
                    asq_queue_cb on_drained);

/* Closes the queue. Requests that were submitted are answered first; jobs that
 * are held stay as they are until their leases run out. Then on_closed runs.
 * From then on, not before, the memory of the queue and of its lanes may be
 * freed and the conn closed. Call it at any time after open returned 0; a
 * second call does nothing. */
void asq_queue_close(struct asq_queue *queue, asq_queue_cb on_closed);

#ifdef __cplusplus
}
#endif

#endif
