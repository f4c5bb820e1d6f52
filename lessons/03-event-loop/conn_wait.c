/* conn_wait - opens and closes a conn, and waits for it on the loop
 *
 * Owns nothing. Loop thread. Depends on conn.
 */
#include "03-event-loop/conn_wait.h"

#include <stdio.h>

static void note_opened(struct asq_conn *conn, int status)
{
    (void)conn;   /* opening is false from now on */
    (void)status; /* and open_status holds it */
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* must_close is false from now on */
}

int asq_conn_open_wait(struct asq_conn *conn,
                       uv_loop_t *loop,
                       const struct asq_profile *profile)
{
    int rc = asq_conn_open(conn, loop, profile, note_opened);

    if (rc != 0) {
        (void)snprintf(conn->message, sizeof conn->message, "%s",
                       uv_strerror(rc)); /* cut if too long */
        return rc;
    }
    while (conn->opening)
        (void)uv_run(loop, UV_RUN_ONCE); /* it returns no error */
    rc = conn->open_status;
    if (rc != 0)
        asq_conn_close_wait(conn);
    return rc;
}

void asq_conn_close_wait(struct asq_conn *conn)
{
    uv_loop_t *loop = conn->look.loop;

    if (!conn->must_close)
        return;
    asq_conn_close(conn, note_closed);
    /* In the child of a fork close does nothing: there is no callback to wait
     * for. */
    while (conn->must_close && conn->close_called)
        (void)uv_run(loop, UV_RUN_ONCE); /* it returns no error */
}
