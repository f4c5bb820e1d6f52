/* holder - a connection that holds the write lock for a while */
#include "08-errors-and-deadlines/holder.h"

static void note_opened(struct asq_conn *conn, int status)
{
    (void)conn;   /* a part of the holder */
    (void)status; /* the request submitted meanwhile gets an error as well */
}

static void note_closed(struct asq_conn *conn)
{
    struct asq_holder *holder = conn->data;

    asq_request_destroy(&holder->request);
}

/* The transaction is over. If COMMIT failed, the close ends it. */
static void finish(struct asq_request *request, int status)
{
    struct asq_holder *holder = request->data;

    (void)status;
    asq_hold_end(&holder->hold);
    uv_close((uv_handle_t *)&holder->timer, NULL);
    asq_conn_close(&holder->conn, note_closed);
}

static void let_go(uv_timer_t *timer)
{
    struct asq_holder *holder = timer->data;

    if (asq_conn_run(&holder->conn, &holder->request, "COMMIT", NULL, finish) !=
        0)
        finish(&holder->request, 0);
}

static void note_held(struct asq_request *request, int status)
{
    struct asq_holder *holder = request->data;

    holder->message = request->message;
    holder->on_held(holder, status);
    /* It cannot fail: it is not closing. */
    (void)uv_timer_start(&holder->timer, let_go,
                         status == 0 ? holder->hold_ms : 0, 0);
}

int asq_holder_start(struct asq_holder *holder,
                     uv_loop_t *loop,
                     const char *path,
                     unsigned hold_ms,
                     asq_held_cb on_held)
{
    struct asq_profile profile = asq_profile_default(path);
    int rc;

    holder->hold_ms = hold_ms;
    holder->on_held = on_held;
    asq_conn_init(&holder->conn);
    holder->conn.data = holder;
    asq_hold_init(&holder->hold);
    asq_request_init(&holder->request);
    holder->request.data = holder;
    holder->request.hold = &holder->hold;
    rc = asq_conn_open(&holder->conn, loop, &profile, note_opened);
    if (rc != 0)
        return rc;
    (void)uv_timer_init(loop, &holder->timer); /* it always succeeds */
    holder->timer.data = holder;
    rc = asq_hold_begin(&holder->conn, &holder->hold);
    if (rc == 0)
        rc = asq_conn_run(&holder->conn, &holder->request, "BEGIN IMMEDIATE",
                          NULL, note_held);
    if (rc != 0)
        finish(&holder->request, rc);
    return rc;
}
