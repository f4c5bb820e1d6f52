/* ex_in_order - answers come in any order and are delivered in that of asking
 *
 * The line is a list in the order of asking. When an answer comes, its question
 * is marked; then the questions at the front that are answered leave the line.
 */
#include "ex_in_order.h"

#include <stddef.h>

void ex_in_order_init(struct ex_in_order *line,
                      uv_loop_t *loop,
                      ex_answer_cb on_answer)
{
    *line = (struct ex_in_order){.on_answer = on_answer};
    (void)uv_idle_init(loop, &line->handle); /* it always succeeds */
    line->handle.data = line;
}

void ex_question_init(struct ex_question *question)
{
    *question = (struct ex_question){.line = NULL};
    asq_request_init(&question->request);
    question->request.data = question;
}

void ex_question_destroy(struct ex_question *question)
{
    if (question != NULL)
        asq_request_destroy(&question->request);
}

void ex_in_order_cancel(struct ex_question *question)
{
    asq_request_cancel(&question->request);
}

/* Runs on the loop when the handle is closed. */
static void finish_close(uv_handle_t *handle)
{
    struct ex_in_order *line = handle->data;

    line->on_closed(line);
}

/* Closes the handle if close was called and the line is empty. This function
 * may be called more than once; the handle must not be closed twice. */
static void maybe_close(struct ex_in_order *line)
{
    /* Your code. */
}

/* Runs on the loop when conn has answered a question, which need not be the
 * first in the line. */
static void take_answer(struct asq_request *request, int status)
{
    /* Your code. */
}

int ex_in_order_ask(struct ex_in_order *line,
                    struct ex_question *question,
                    struct asq_conn *conn,
                    const char *sql)
{
    /* Your code. */
    return UV_ENOSYS;
}

void ex_in_order_close(struct ex_in_order *line, ex_in_order_cb on_closed)
{
    line->on_closed = on_closed;
    maybe_close(line);
}
