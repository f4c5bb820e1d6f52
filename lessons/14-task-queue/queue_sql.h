/* queue_sql - the tables of the queues, and every statement on them
 *
 * A statement that changes the state of a job checks in itself that the state
 * is still the one before. Parameters have numbers; the comments name them in
 * order. Owns constants. Only queue and its tests use it.
 */
#ifndef ASQ_QUEUE_SQL_H
#define ASQ_QUEUE_SQL_H

#include "14-task-queue/queue_state.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ__QUEUE_PIECE = 500 /* rows that one statement prunes, promotes or
                              rescues */
};

/* Scripts; the second is for a queue with a bound. */
extern const char asq__queue_tables[];
extern const char asq__queue_tables_bound[];

/* queue, priority, payload, max_attempts. The others also: state, due, key; and
 * the bound. They return id and puts, which is above 1 if the key was there. */
extern const char asq__queue_put_plain[];
extern const char asq__queue_put_key[];
extern const char asq__queue_put_bound[];

/* queue, how many, lease, boot, worker, now by the wall. The first takes those
 * of the highest priority; the second the oldest one, and needs no how many. */
extern const char asq__queue_claim[];
extern const char asq__queue_claim_oldest[];

/* queue, now by the wall. */
extern const char asq__queue_promote[];

/* queue, boot, now by the monotonic clock, now by the wall. */
extern const char asq__queue_rescue[];

/* queue, boot, worker: is a job ready, when is the next one due, when is the
 * next lease of somebody else over. */
extern const char asq__queue_next[];

/* queue, boot, worker, lease. Returns the tokens of those that it extends. */
extern const char asq__queue_beat[];

/* id, attempt, and: now by the wall; now by the wall, error, due or null; now
 * by the wall, error. The second returns the state. */
extern const char asq__queue_done[];
extern const char asq__queue_retry[];
extern const char asq__queue_dead[];

/* id, attempt; or queue, boot, worker. */
extern const char asq__queue_give_back[];
extern const char asq__queue_give_back_all[];

/* queue, ended before. */
extern const char asq__queue_prune[];

/* queue. The last returns one row: jobs by their state. */
extern const char asq__queue_pause[];
extern const char asq__queue_resume[];
extern const char asq__queue_count[];

#ifdef __cplusplus
}
#endif

#endif
