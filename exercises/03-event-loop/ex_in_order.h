/* ex_in_order - answers come in any order and are delivered in that of asking
 *
 * Questions are kept in one line and run on several connections. A question
 * whose answer comes early waits in the line until all questions before it have
 * been delivered.
 *
 * Every function is called, and every callback runs, on the loop thread.
 * Depends on conn of lesson 03.
 */
#ifndef EX_IN_ORDER_H
#define EX_IN_ORDER_H

#include "03-event-loop/conn.h"

#include <stdbool.h>
#include <uv.h>

struct ex_in_order;
struct ex_question;

/* Delivers an answer. status is as in asq_done_cb; the result and the message
 * are in question->request. The question is the caller's again from here on: it
 * may be asked once more, or freed. */
typedef void (*ex_answer_cb)(struct ex_question *question, int status);

/* The line is closed; its memory may be freed. */
typedef void (*ex_in_order_cb)(struct ex_in_order *line);

/* Embedded by the caller, whose memory must stay until it is delivered. */
struct ex_question {
    /* public */
    void *data;
    /* read-only: valid once it is delivered */
    struct asq_request request;
    /* private: loop thread only */
    struct ex_in_order *line;
    struct ex_question *next; /* the question that was asked after this one */
    bool answered;            /* has its answer, which is not delivered yet */
    int status;
};

struct ex_in_order {
    /* public */
    void *data;
    /* private: loop thread only */
    ex_answer_cb on_answer;
    ex_in_order_cb on_closed;  /* not NULL once close was called */
    struct ex_question *first; /* not delivered yet, in the order of asking, or
                                  NULL */
    struct ex_question *last;  /* valid while first is not NULL */
    uv_idle_t handle; /* never started; on_closed runs when it is closed */
};

/* Makes a line without questions. You must close it. */
void ex_in_order_init(struct ex_in_order *line,
                      uv_loop_t *loop,
                      ex_answer_cb on_answer);

/* Prepares a question for its first ask. */
void ex_question_init(struct ex_question *question);

/* Frees what a question holds. Must not be called while it is in the line. */
void ex_question_destroy(struct ex_question *question);

/* Submits the question on conn, at once, and puts it at the end of the line. It
 * must not be in a line already. sql is borrowed until it is delivered.
 *
 * Returns 0: on_answer will run for this question exactly once, with the status
 * that conn gave, after it has run for every question asked before in this
 * line, and never inside ask. Otherwise it never runs and the line is as it
 * was; the result is UV_ESHUTDOWN after close, or what asq_conn_run returned.
 * May be called in on_answer, for any question that is not in a line. */
int ex_in_order_ask(struct ex_in_order *line,
                    struct ex_question *question,
                    struct asq_conn *conn,
                    const char *sql);

/* Asks for a question in the line to be stopped. It keeps its place and is
 * delivered there, never inside cancel: with UV_ECANCELED or SQLITE_INTERRUPT,
 * or with its answer if that had come already. */
void ex_in_order_cancel(struct ex_question *question);

/* Refuses new questions from now on. When every question in the line has been
 * delivered and then the handle has been closed, on_closed runs, never inside
 * close. May be called once after init, in on_answer too. Does not close the
 * connections. */
void ex_in_order_close(struct ex_in_order *line, ex_in_order_cb on_closed);

#endif
