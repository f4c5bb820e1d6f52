/* given - the part of the merge that is given
 *
 * Only the check includes this file, so each function exists once. It starts
 * the two streams, tells the merge what they say, and ends when both have
 * ended. What changes the merge wakes it; rows are handed over in its own turn.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_merge.h"

static void take_turn(uv_idle_t *turn);

void ex_merge_init(struct ex_merge *merge)
{
    *merge = (struct ex_merge){.chunk_rows = 1000};
}

void ex_merge_wake(struct ex_merge *merge)
{
    if (merge->started && !uv_is_closing((uv_handle_t *)&merge->turn))
        (void)uv_idle_start(&merge->turn, take_turn); /* fails for NULL only */
}

/* Inputs */

int64_t ex_input_key(const struct ex_input *input)
{
    return asq_result_int64(input->rows, input->row, "key");
}

enum ex_next ex_input_deliver(struct ex_input *input)
{
    struct ex_merge *merge = input->merge;

    return merge->on_row(merge, (int)(input - merge->inputs),
                         ex_input_key(input),
                         asq_result_text(input->rows, input->row, "value"));
}

void ex_input_stop(struct ex_input *input)
{
    input->rows = NULL;
    asq_stream_stop(&input->stream);
}

static enum asq_chunk on_chunk(struct asq_stream *stream,
                               struct asq_result *rows)
{
    struct ex_input *input = stream->data;

    input->row = 0;
    ex_merge_wake(input->merge);
    return ex_input_chunk(input, rows);
}

static void take_end(struct ex_input *input, int status)
{
    input->ended = input->over = true;
    ex_merge_wake(input->merge);
    ex_input_ended(input, status);
}

static void on_stream_end(struct asq_stream *stream, int status)
{
    take_end(stream->data, status);
}

static void start_input(struct ex_merge *merge,
                        int i,
                        uv_loop_t *loop,
                        struct asq_conn *conn,
                        const char *sql)
{
    struct ex_input *input = &merge->inputs[i];

    *input = (struct ex_input){.merge = merge};
    asq_stream_init(&input->stream);
    input->stream.data = input;
    input->stream.chunk_rows = merge->chunk_rows;
    input->stream.pin_ms = 0; /* one input may have to wait for the other */
    input->refused = asq_stream_start(&input->stream, loop, conn, sql, NULL,
                                      on_chunk, on_stream_end);
    if (input->refused != 0)
        ex_merge_wake(merge);
}

/* The merge */

int ex_merge_start(struct ex_merge *merge,
                   uv_loop_t *loop,
                   struct asq_conn *conns[2],
                   const char *sql,
                   ex_row_cb on_row,
                   ex_end_cb on_end)
{
    if (merge->started || loop == NULL || conns == NULL || conns[0] == NULL ||
        conns[1] == NULL || sql == NULL || on_row == NULL || on_end == NULL ||
        merge->chunk_rows == 0)
        return UV_EINVAL;
    (void)uv_idle_init(loop, &merge->turn); /* it always succeeds */
    merge->turn.data = merge;
    merge->on_row = on_row;
    merge->on_end = on_end;
    merge->paused = false;
    merge->status = 0;
    merge->started = true;
    for (int i = 0; i < 2; i++)
        start_input(merge, i, loop, conns[i], sql);
    return 0;
}

static void finish(uv_handle_t *turn)
{
    struct ex_merge *merge = turn->data;

    for (int i = 0; i < 2; i++)
        asq_stream_destroy(&merge->inputs[i].stream);
    merge->started = false;
    merge->on_end(merge, merge->status);
}

static void take_turn(uv_idle_t *turn)
{
    struct ex_merge *merge = turn->data;

    (void)uv_idle_stop(turn); /* it always succeeds */
    for (int i = 0; i < 2; i++)
        if (merge->inputs[i].refused != 0 && !merge->inputs[i].over)
            take_end(&merge->inputs[i], merge->inputs[i].refused);
    ex_merge_hand_over(merge);
    if (merge->inputs[0].over && merge->inputs[1].over && !merge->paused)
        uv_close((uv_handle_t *)turn, finish);
}

#endif
