/* look - a file operation of libuv's own, while queries run */
#include "look.h"

#include "common/clock.h"

static void note_time(uv_fs_t *request)
{
    struct look *look = request->data;

    if (request->result != 0)
        (void)box_fail(look->box, "a file operation failed: %s",
                       uv_strerror((int)request->result));
    look->box->file_ns = asq_clock_now_ns() - look->begin_ns;
    uv_fs_req_cleanup(request);
}

void look_start(struct look *look, struct box *box, uv_loop_t *loop)
{
    const char *path = box->data->path[box->workload->source];
    int rc;

    if (!box->workload->looks)
        return;
    look->box = box;
    look->request.data = look;
    look->begin_ns = asq_clock_now_ns();
    rc = uv_fs_stat(loop, &look->request, path, note_time);
    if (rc != 0)
        (void)box_fail(box, "no file operation: %s", uv_strerror(rc));
}
