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
    /* begin solution */
    uv_handle_t *handle = (uv_handle_t *)&line->handle;

    if (line->on_closed != NULL && line->first == NULL &&
        !uv_is_closing(handle))
        uv_close(handle, finish_close);
    /* end solution */
}

/* Runs on the loop when conn has answered a question, which need not be the
 * first in the line. */
static void take_answer(struct asq_request *request, int status)
{
    /* begin solution */
    struct ex_question *question = request->data;
    struct ex_in_order *line = question->line;

    question->answered = true;
    question->status = status;
    while (line->first != NULL && line->first->answered) {
        question = line->first;
        line->first = question->next; /* read before on_answer may free it */
        line->on_answer(question, question->status);
    }
    maybe_close(line);
    /* end solution */
}

int ex_in_order_ask(struct ex_in_order *line,
                    struct ex_question *question,
                    struct asq_conn *conn,
                    const char *sql)
{
    /* begin solution */
    int err;

    if (line->on_closed != NULL)
        return UV_ESHUTDOWN;
    err = asq_conn_run(conn, &question->request, sql, NULL, take_answer);
    if (err != 0)
        return err;
    question->line = line;
    question->next = NULL;
    question->answered = false;
    if (line->first == NULL)
        line->first = question;
    else
        line->last->next = question;
    line->last = question;
    return 0;
    /* instead:
    return UV_ENOSYS;
    */
    /* end solution */
}

void ex_in_order_close(struct ex_in_order *line, ex_in_order_cb on_closed)
{
    line->on_closed = on_closed;
    maybe_close(line);
}
