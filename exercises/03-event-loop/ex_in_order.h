/* ex_in_order - answers come as they like, and are delivered as asked
 *
 * Questions stand in one line and run on several connections. Who has its
 * answer early waits in the line until all before it have been delivered.
 *
 * Every function and callback belongs to the loop thread. Depends on conn of
 * lesson 03.
 */
#ifndef EX_IN_ORDER_H
#define EX_IN_ORDER_H

#include "03-event-loop/conn.h"

#include <stdbool.h>
#include <uv.h>

struct ex_in_order;
struct ex_question;

/* Delivers an answer: status as in asq_done_cb, result and message are in
 * question->request. From here on the question is the caller's again: it may
 * be asked once more or freed. */
typedef void (*ex_answer_cb)(struct ex_question *question, int status);

/* The line is closed; its memory may go. */
typedef void (*ex_in_order_cb)(struct ex_in_order *line);

/* Embedded by the caller, whose memory stays until it is delivered. */
struct ex_question {
    /* public */
    void *data;
    /* read-only: valid when it is delivered */
    struct asq_request request;
    /* private: loop thread only */
    struct ex_in_order *line;
    struct ex_question *next; /* who was asked after this one */
    bool answered;            /* its answer waits to be delivered */
    int status;
};

struct ex_in_order {
    /* public */
    void *data;
    /* private: loop thread only */
    ex_answer_cb on_answer;
    ex_in_order_cb on_closed;  /* not NULL once close was called */
    struct ex_question *first; /* asked and not yet delivered; or NULL */
    struct ex_question *last;  /* valid while first is not NULL */
    uv_idle_t handle; /* never starts; on_closed comes when it closes */
};

/* Makes a line without questions. Its close is owed. */
void ex_in_order_init(struct ex_in_order *line,
                      uv_loop_t *loop,
                      ex_answer_cb on_answer);

/* Makes a question ready for its first ask. */
void ex_question_init(struct ex_question *question);

/* Frees what a question holds. Not while it stands in the line. */
void ex_question_destroy(struct ex_question *question);

/* Asks on conn, at once, and puts the question at the end of the line. sql is
 * borrowed until the question is delivered; it must not stand in the line
 * already. Returns 0: on_answer will run for it, once, after it has run for
 * all that were asked before in this line, with the status that conn gave, and
 * never inside ask. Otherwise it never runs, and nobody waits for this
 * question: UV_ESHUTDOWN after close, or what asq_conn_run returned. May be
 * called in on_answer, for any question that is not in a line. */
int ex_in_order_ask(struct ex_in_order *line,
                    struct ex_question *question,
                    struct asq_conn *conn,
                    const char *sql);

/* Asks that a question in the line be stopped. It keeps its place and is
 * delivered there, never inside cancel: with UV_ECANCELED or SQLITE_INTERRUPT,
 * or with the answer if that had come already. */
void ex_in_order_cancel(struct ex_question *question);

/* Refuses new questions. When all that stand in the line are delivered and
 * its handle is closed, on_closed runs, never inside close. Legal once after
 * init, also in on_answer. The connections are left alone. */
void ex_in_order_close(struct ex_in_order *line, ex_in_order_cb on_closed);

#endif
