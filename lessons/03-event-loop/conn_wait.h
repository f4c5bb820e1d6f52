/* conn_wait - opens and closes a conn, and waits for it on the loop
 *
 * For the beginning and the end of a program, when there is nothing else to do.
 * While it waits the loop turns, so everything else on the loop goes on. Never
 * call it from a callback: a loop cannot turn inside itself.
 *
 * Loop thread. Depends on conn.
 */
#ifndef ASQ_CONN_WAIT_H
#define ASQ_CONN_WAIT_H

#include "03-event-loop/conn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a conn that asq_conn_init has prepared, and waits until it is open.
 * profile is borrowed until then. Returns 0, or a UV_E* or SQLITE_* code with
 * the reason in conn->message; after an error there is nothing to close. */
int asq_conn_open_wait(struct asq_conn *conn,
                       uv_loop_t *loop,
                       const struct asq_profile *profile);

/* Closes a conn as asq_conn_close does, and waits until its memory may be
 * freed. Does nothing if the conn is not open. */
void asq_conn_close_wait(struct asq_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
