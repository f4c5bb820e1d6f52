/* queue_tool_put - puts one job and waits until it is committed */
#include "14-task-queue/queue_tool_put.h"

#include "14-task-queue/queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct putting {
    const char *program;
    struct asq_queue queue;
    struct asq_put put;
    char *input; /* what was read, or NULL */
    int status;
};

static int fail(struct putting *putting, int status, const char *why)
{
    (void)fprintf(stderr, "%s: the job was not put: %s\n", putting->program,
                  why);
    putting->status = status;
    return status;
}

static void note_closed(struct asq_queue *queue)
{
    (void)queue; /* the loop ends */
}

static void note_put(struct asq_put *put, int status)
{
    struct putting *putting = put->data;

    if (status == 0)
        printf("%lld\n", (long long)put->id);
    else
        (void)fail(putting, status, put->step.request.message);
    asq_queue_close(&putting->queue, note_closed);
}

static void note_open(struct asq_queue *queue, int status)
{
    struct putting *putting = queue->data;
    int rc = status == 0 ? asq_queue_put(queue, &putting->put, note_put) : 0;

    if (status != 0)
        (void)fail(putting, status, queue->message);
    if (rc != 0)
        (void)fail(putting, rc, uv_strerror(rc));
    if (putting->status != 0)
        asq_queue_close(queue, note_closed);
}

/* One byte more than a payload may have, so that a longer one is refused. */
static int read_input(struct putting *putting)
{
    size_t room = ASQ_PAYLOAD_MAX + 1;

    putting->input = malloc(room);
    if (putting->input == NULL)
        return fail(putting, UV_ENOMEM, "out of memory");
    errno = 0;
    putting->put.payload = putting->input;
    putting->put.size = fread(putting->input, 1, room, stdin);
    return ferror(stdin) ? fail(putting, 1, strerror(errno)) : 0;
}

static void run(struct putting *putting,
                uv_loop_t *loop,
                struct asq_conn *conn,
                const char *name)
{
    int rc = asq_queue_open(&putting->queue, loop, conn, name, note_open);

    if (rc != 0)
        (void)fail(putting, rc, uv_strerror(rc));
    else
        (void)uv_run(loop, UV_RUN_DEFAULT); /* until the queue is closed */
}

int asq__queue_tool_put(const char *program,
                        uv_loop_t *loop,
                        struct asq_conn *conn,
                        const char *name,
                        const char *payload)
{
    struct putting putting = {.program = program};

    asq_queue_init(&putting.queue);
    asq_put_init(&putting.put);
    putting.queue.data = &putting;
    putting.put.data = &putting;
    putting.put.payload = payload;
    putting.put.size = payload != NULL ? strlen(payload) : 0;
    if (payload != NULL || read_input(&putting) == 0)
        run(&putting, loop, conn, name);
    asq_put_destroy(&putting.put);
    free(putting.input);
    return putting.status == 0 ? 0 : 1;
}
