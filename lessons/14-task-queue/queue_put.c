/* queue_put - puts a job into a queue */
#include "14-task-queue/queue_put.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <stdio.h>

void asq_put_init(struct asq_put *put)
{
    *put = (struct asq_put){0};
    asq_tx_step_init(&put->step);
}

void asq_put_destroy(struct asq_put *put)
{
    if (put != NULL)
        asq_tx_step_destroy(&put->step);
}

static int check(const struct asq_queue *queue, const struct asq_put *put)
{
    int rc = asq__queue_check(queue);

    if (rc != 0)
        return rc;
    if (put->step.request.pending || (put->payload == NULL && put->size > 0))
        return UV_EINVAL;
    return put->size > ASQ_PAYLOAD_MAX ? UV_E2BIG : 0;
}

/* Returns the statement, and how many of the values it takes. */
static const char *choose(const struct asq_put *put, size_t *ret_count)
{
    if (put->queue->bound > 0) {
        *ret_count = 8;
        return asq__queue_put_bound;
    }
    *ret_count = put->returning ? 7 : 4;
    return put->returning ? asq__queue_put_key : asq__queue_put_plain;
}

static const char *fill_in(struct asq_queue *queue,
                           struct asq_put *put,
                           struct asq_params *ret_params)
{
    struct asq_value *values = put->values;
    bool delayed = put->delay_ms != 0;

    put->queue = queue;
    put->due_ms =
        delayed ? asq__queue_due(asq__queue_wall(queue), put->delay_ms) : 0;
    put->returning = put->key != NULL || delayed || queue->bound > 0;
    put->step.request.data = put;
    put->step.request.durable = queue->durable;
    values[0] = asq_text(queue->name);
    values[1] = asq_int64(put->priority);
    values[2] = asq_blob(put->payload, put->size);
    values[3] = asq_int64(put->max_attempts != 0 ? put->max_attempts
                                                 : queue->max_attempts);
    if (put->returning) {
        values[4] = asq_int64(delayed ? ASQ_QUEUE_DELAYED : ASQ_QUEUE_READY);
        values[5] = delayed ? asq_int64(put->due_ms) : asq_null();
        values[6] = asq_text(put->key);
        values[7] = asq_int64((int64_t)queue->bound);
    }
    ret_params->values = values;
    return choose(put, &ret_params->count);
}

/* Reads the answer; returns the status of the put. */
static int read_answer(struct asq_put *put, int status)
{
    struct asq_request *request = &put->step.request;
    const struct asq_result *result = &request->result;

    put->id = 0;
    put->already = false;
    if (status != 0)
        return status;
    if (!put->returning) {
        put->id = result->last_insert_id;
    } else if (result->rows == 0) {
        /* It fits. */
        (void)snprintf(request->message, sizeof request->message,
                       "the queue is full");
        return UV_ENOBUFS;
    } else {
        put->id = asq_result_int64(result, 0, "id");
        put->already = asq_result_int64(result, 0, "puts") > 1;
    }
    return 0;
}

/* In a transaction it is not committed yet, but nothing of the queue runs
 * before that: a claim waits behind the hold. */
static void tell_queue(struct asq_put *put, int status)
{
    struct asq_queue *queue = put->queue;

    if (status == 0 && put->due_ms != 0)
        asq__queue_know_due(queue, put->due_ms);
    else if (status == 0 && !put->already)
        queue->wanted = true;
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

static void take_put(struct asq_request *request, int status)
{
    struct asq_put *put = request->data;

    status = read_answer(put, status);
    tell_queue(put, status);
    put->on_put(put, status);
}

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct asq_put *put = step->request.data;

    (void)tx; /* its owner knows it */
    status = read_answer(put, status);
    tell_queue(put, status);
    return put->on_step != NULL ? put->on_step(put, status) : status;
}

int asq_queue_put(struct asq_queue *queue,
                  struct asq_put *put,
                  asq_put_cb on_put)
{
    struct asq_params params = {0};
    const char *sql;
    int rc = on_put == NULL ? UV_EINVAL : check(queue, put);

    if (rc != 0)
        return rc;
    sql = fill_in(queue, put, &params);
    put->on_put = on_put;
    put->step.request.hold = NULL; /* of a step before */
    rc = asq_conn_run(queue->conn, &put->step.request, sql, &params, take_put);
    if (rc == 0)
        queue->pending++;
    return rc;
}

int asq_queue_put_step(struct asq_queue *queue,
                       struct asq_tx *tx,
                       struct asq_put *put,
                       asq_put_step_cb on_step)
{
    struct asq_params params = {0};
    const char *sql;
    int rc = tx->conn != queue->conn ? UV_EINVAL : check(queue, put);

    if (rc != 0)
        return rc;
    sql = fill_in(queue, put, &params);
    put->on_step = on_step;
    rc = asq_tx_run(tx, &put->step, sql, &params, take_step);
    if (rc == 0)
        queue->pending++;
    return rc;
}
