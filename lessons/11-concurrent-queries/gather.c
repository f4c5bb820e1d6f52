/* gather - several statements at once, and one callback when all are answered
 *
 * Loop thread. Depends on later, on pool of lesson 10, and on conn of lesson
 * 03.
 */
#include "11-concurrent-queries/gather.h"

static void take_answer(struct asq_request *request, int status);

void asq_gather_init(struct asq_gather *gather)
{
    *gather = (struct asq_gather){0};
}

void asq_gather_part_init(struct asq_gather_part *part)
{
    *part = (struct asq_gather_part){0};
    asq_request_init(&part->request);
}

void asq_gather_part_destroy(struct asq_gather_part *part)
{
    if (part != NULL)
        asq_request_destroy(&part->request);
}

void asq_gather_add(struct asq_gather *gather,
                    struct asq_gather_part *part,
                    const char *sql,
                    const struct asq_params *params)
{
    part->gather = gather;
    part->next = NULL;
    part->status = UV_ECANCELED; /* until it is answered */
    part->sql = sql;
    part->params = params == NULL ? (struct asq_params){0} : *params;
    if (gather->first == NULL) {
        gather->first = part;
        gather->count = 0;
    } else {
        gather->last->next = part;
    }
    gather->last = part;
    gather->count++;
}

/* Leaves the gather as it was before its parts were added. */
static void finish(struct asq_gather *gather)
{
    gather->started = false;
    gather->first = gather->last = NULL;
    gather->on_done(gather, gather->status);
}

static void finish_later(struct asq_later *later)
{
    finish(ASQ_CONTAINER_OF(later, struct asq_gather, later));
}

static int submit(struct asq_gather_part *part)
{
    struct asq_gather *gather = part->gather;

    if (gather->conn != NULL)
        return asq_conn_run(gather->conn, &part->request, part->sql,
                            &part->params, take_answer);
    return asq_pool_run(gather->pool, &part->request, part->sql, &part->params,
                        take_answer);
}

/* Cancels the parts that are pending, and starts no others. */
static void stop(struct asq_gather *gather)
{
    gather->to_start = NULL;
    for (struct asq_gather_part *part = gather->first; part != NULL;
         part = part->next)
        asq_request_cancel(&part->request); /* harmless if it is not pending */
}

static void note(struct asq_gather_part *part, int status)
{
    struct asq_gather *gather = part->gather;

    part->status = status;
    if (status == 0 || gather->failed != NULL)
        return;
    gather->failed = part;
    gather->status = status;
    if (!gather->keep_going)
        stop(gather);
}

static void start_parts(struct asq_gather *gather)
{
    struct asq_gather_part *part;

    while ((part = gather->to_start) != NULL &&
           (gather->limit == 0 || gather->pending < gather->limit)) {
        int rc;

        gather->to_start = part->next;
        rc = submit(part);
        gather->pending += rc == 0;
        if (rc != 0)
            note(part, rc);
    }
}

static void take_answer(struct asq_request *request, int status)
{
    struct asq_gather_part *part =
        ASQ_CONTAINER_OF(request, struct asq_gather_part, request);
    struct asq_gather *gather = part->gather;

    gather->pending--;
    note(part, status);
    start_parts(gather);
    if (gather->pending == 0)
        finish(gather);
}

int asq_gather_start(struct asq_gather *gather,
                     uv_loop_t *loop,
                     struct asq_pool *pool,
                     asq_gather_cb on_done)
{
    if (on_done == NULL || gather->started ||
        (pool == NULL && gather->conn == NULL))
        return UV_EINVAL;
    if (gather->first == NULL)
        gather->count = 0; /* was that of the last time */
    gather->pool = pool;
    gather->on_done = on_done;
    gather->failed = NULL;
    gather->status = 0;
    gather->pending = 0;
    gather->started = true;
    gather->to_start = gather->first;
    start_parts(gather);
    if (gather->pending == 0)
        asq__later(&gather->later, loop, finish_later);
    return 0;
}

void asq_gather_cancel(struct asq_gather *gather)
{
    if (!gather->started)
        return;
    if (gather->to_start != NULL)
        note(gather->to_start, UV_ECANCELED); /* the first that never runs */
    stop(gather);
}
