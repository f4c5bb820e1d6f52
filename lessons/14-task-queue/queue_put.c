/* queue_put - puts a job into a queue */
#include "14-task-queue/queue_put.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <limits.h>
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

static const char *fill_in(struct asq_queue *queue, struct asq_put *put)
{
    unsigned attempts =
        put->max_attempts != 0 ? put->max_attempts : queue->max_attempts;
    bool delayed = put->delay_ms != 0;
    const struct asq_value values[] = {
        asq_text(queue->name),
        asq_int64(delayed ? ASQ_QUEUE_DELAYED : ASQ_QUEUE_READY),
        asq_int64(put->priority),
        asq_null(),
        asq_text(put->key),
        asq_blob(put->payload, put->size),
        asq_int64(attempts),
        asq_int64(queue->bound < INT64_MAX ? (int64_t)queue->bound
                                           : INT64_MAX)};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        put->values[i] = values[i];
    put->due_ms = 0;
    if (delayed) {
        put->due_ms = asq__queue_due(asq__queue_wall(queue), put->delay_ms);
        put->values[3] = asq_int64(put->due_ms);
    }
    put->queue = queue;
    put->returning = put->key != NULL || queue->bound > 0;
    put->step.request.data = put;
    put->step.request.durable = queue->durable;
    if (queue->bound > 0)
        return asq__queue_put_bound;
    return put->key != NULL ? asq__queue_put_key : asq__queue_put_plain;
}

static struct asq_params params_of(const struct asq_put *put)
{
    return (struct asq_params){.values = put->values,
                               .count = put->queue->bound > 0 ? 8 : 7};
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
    struct asq_params params;
    const char *sql;
    int rc = on_put == NULL ? UV_EINVAL : check(queue, put);

    if (rc != 0)
        return rc;
    sql = fill_in(queue, put);
    params = params_of(put);
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
    struct asq_params params;
    const char *sql;
    int rc = tx->conn != queue->conn ? UV_EINVAL : check(queue, put);

    if (rc != 0)
        return rc;
    sql = fill_in(queue, put);
    params = params_of(put);
    put->on_step = on_step;
    rc = asq_tx_run(tx, &put->step, sql, &params, take_step);
    if (rc == 0)
        queue->pending++;
    return rc;
}
