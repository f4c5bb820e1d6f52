/* given - the part of the loader that is given
 *
 * Only the check includes this file, so each function exists once. An ask is in
 * one list at a time: collected, those of its batch, and `due` from the moment
 * at which it is known what its callback will say. A batch stays until its
 * statement is answered and the last callback that may read its result has
 * returned.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KEY_SIZE = 22 /* of the longest key and the sign behind it */
};

static const char users_sql[] = "SELECT id, name FROM users WHERE id IN"
                                " (SELECT value FROM json_each(?1))";

static void take_turn(uv_idle_t *turn);

static void push(struct ex_ask **list, struct ex_ask *ask)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = ask;
    ask->next = NULL;
}

static void take_out(struct ex_ask **list, struct ex_ask *ask)
{
    while (*list != NULL && *list != ask)
        list = &(*list)->next;
    if (*list != NULL)
        *list = ask->next;
}

void ex_loader_init(struct ex_loader *loader,
                    uv_loop_t *loop,
                    struct asq_conn *conn)
{
    *loader = (struct ex_loader){.limit = 500, .conn = conn};
    (void)uv_idle_init(loop, &loader->turn); /* it always succeeds */
    loader->turn.data = loader;
}

void ex_loader_wake(struct ex_loader *loader)
{
    if (!uv_is_closing((uv_handle_t *)&loader->turn))
        (void)uv_idle_start(&loader->turn, take_turn); /* fails for NULL only */
}

int ex_loader_load(struct ex_loader *loader,
                   struct ex_ask *ask,
                   int64_t id,
                   ex_answered_cb on_answered)
{
    if (ask->state != EX_IDLE)
        return UV_EINVAL;
    if (loader->on_closed != NULL)
        return UV_ESHUTDOWN;
    *ask = (struct ex_ask){.data = ask->data,
                           .id = id,
                           .state = EX_COLLECTED,
                           .loader = loader,
                           .on_answered = on_answered};
    push(&loader->collected, ask);
    ex_loader_wake(loader);
    return 0;
}

/* Batches */

static struct ex_batch *new_batch(struct ex_loader *loader)
{
    struct ex_batch *batch = calloc(1, sizeof *batch);
    size_t most = 0;

    for (struct ex_ask *ask = loader->collected; ask != NULL; ask = ask->next)
        most++;
    if (batch == NULL)
        return NULL;
    batch->keys = calloc(most, sizeof *batch->keys);
    batch->json = malloc(most * KEY_SIZE + 2);
    if (batch->keys == NULL || batch->json == NULL) {
        free(batch->keys);
        free(batch->json);
        free(batch);
        return NULL;
    }
    asq_request_init(&batch->request);
    batch->request.data = batch;
    batch->loader = loader;
    batch->next = loader->batches;
    loader->batches = batch;
    return batch;
}

static void free_batch(struct ex_batch *batch)
{
    struct ex_batch **place = &batch->loader->batches;

    while (*place != batch)
        place = &(*place)->next;
    *place = batch->next;
    asq_request_destroy(&batch->request);
    free(batch->keys);
    free(batch->json);
    free(batch);
}

static void free_if_unused(struct ex_batch *batch)
{
    if (batch->answered && batch->unread == 0)
        free_batch(batch);
}

bool ex_batch_has_key(const struct ex_batch *batch, int64_t id)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->keys[i] == id)
            return true;
    return false;
}

void ex_batch_add_key(struct ex_batch *batch, int64_t id)
{
    batch->keys[batch->count++] = id; /* there is room for one of each ask */
}

void ex_batch_add_ask(struct ex_batch *batch, struct ex_ask *ask)
{
    take_out(&batch->loader->collected, ask);
    push(&batch->asks, ask);
    ask->state = EX_SENT;
    ask->batch = batch;
    batch->unread++;
}

void ex_ask_answer(struct ex_ask *ask, int status)
{
    if (ask->state == EX_COLLECTED || ask->state == EX_SENT) {
        take_out(ask->state == EX_SENT ? &ask->batch->asks
                                       : &ask->loader->collected,
                 ask);
        push(&ask->loader->due, ask);
        ask->state = EX_DUE;
        ex_loader_wake(ask->loader);
    }
    ask->status = status;
}

/* The statement of a batch */

static void finish(struct ex_batch *batch, int status)
{
    ex_batch_answered(batch, status);
    batch->answered = true;
    ex_loader_wake(batch->loader); /* it may be the last one before closing */
    free_if_unused(batch);
}

static void take_answer(struct asq_request *request, int status)
{
    finish(request->data, status);
}

static void submit(struct ex_batch *batch)
{
    struct asq_params params = {.values = &batch->value, .count = 1};
    size_t at = 0;
    int rc;

    for (size_t i = 0; i < batch->count; i++)
        at += (size_t)snprintf(batch->json + at, KEY_SIZE, "%c%" PRId64,
                               i == 0 ? '[' : ',', batch->keys[i]);
    (void)snprintf(batch->json + at, KEY_SIZE, at == 0 ? "[]" : "]");
    batch->value = asq_text(batch->json);
    rc = asq_conn_run(batch->loader->conn, &batch->request, users_sql, &params,
                      take_answer);
    if (rc != 0)
        finish(batch, rc);
}

/* A turn */

static void deliver(struct ex_loader *loader)
{
    size_t count = 0;

    for (struct ex_ask *due = loader->due; due != NULL; due = due->next)
        count++;
    for (; count > 0; count--) {
        struct ex_ask *ask = loader->due;
        struct ex_batch *batch = ask->batch; /* before ask may be freed */

        loader->due = ask->next;
        ask->state = EX_IDLE;
        ask->on_answered(ask, ask->status);
        if (batch != NULL) {
            batch->unread--;
            free_if_unused(batch);
        }
    }
}

static void send_collected(struct ex_loader *loader)
{
    while (loader->collected != NULL) {
        struct ex_batch *batch = new_batch(loader);

        if (batch == NULL) {
            while (loader->collected != NULL)
                ex_ask_answer(loader->collected, UV_ENOMEM);
            return;
        }
        ex_batch_fill(batch);
        if (batch->unread == 0) { /* it took no ask, nor would the next */
            free_batch(batch);
            return;
        }
        submit(batch);
    }
}

static void finish_close(uv_handle_t *handle)
{
    struct ex_loader *loader = handle->data;

    loader->on_closed(loader);
}

static void take_turn(uv_idle_t *turn)
{
    struct ex_loader *loader = turn->data;

    (void)uv_idle_stop(turn); /* it always succeeds */
    deliver(loader);
    send_collected(loader);
    if (loader->on_closed != NULL && loader->collected == NULL &&
        loader->batches == NULL && loader->due == NULL)
        uv_close((uv_handle_t *)turn, finish_close);
}

#endif
