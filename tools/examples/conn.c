#include "asq.h"

#include <stdio.h>

static void on_open(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fprintf(stderr, "%s\n", conn->message);
}

static void on_closed(struct asq_conn *conn)
{
    (void)conn; /* its memory may go now */
}

static void on_answer(struct asq_request *request, int status)
{
    if (status == 0)
        (void)printf("6 * 7 = %d\n",
                     (int)asq_result_at(&request->result, 0, 0).as.int64);
    else
        (void)fprintf(stderr, "%s\n", request->message);
    asq_conn_close(request->data, on_closed);
}

int main(void)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_conn conn;
    struct asq_request request;
    uv_loop_t *loop = uv_default_loop();

    asq_conn_init(&conn);
    asq_request_init(&request);
    request.data = &conn;
    if (asq_conn_open(&conn, loop, &profile, on_open) != 0)
        return 1;
    if (asq_conn_run(&conn, &request, "SELECT 6 * 7", NULL, on_answer) != 0)
        asq_conn_close(&conn, on_closed);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until the connection is closed */
    asq_request_destroy(&request);
    return uv_loop_close(loop) != 0;
}
