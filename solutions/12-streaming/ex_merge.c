/* ex_merge - the rows of two queries, merged into one ordered list
 *
 * The decisions: which row comes next, when it may be handed over, when a chunk
 * is given back, and what the end says. The contract, and what is given, is in
 * ex_merge.h.
 */
#include "ex_merge.h"

/* Remembers the chunk. Is the stream to bring another one? */
enum asq_chunk ex_input_chunk(struct ex_input *input, struct asq_result *rows)
{
    /* begin solution */
    input->rows = rows;
    return ASQ_CHUNK_KEPT;
    /* instead:
    return ASQ_CHUNK_DONE;
    */
    /* end solution */
}

/* Of each input, is it known what its next key is, or that there is none? */
struct ex_input *ex_merge_next(struct ex_merge *merge)
{
    /* begin solution */
    struct ex_input *first = &merge->inputs[0], *second = &merge->inputs[1];

    if ((first->rows == NULL && !first->ended) ||
        (second->rows == NULL && !second->ended))
        return NULL;
    if (second->rows == NULL)
        return first->rows != NULL ? first : NULL;
    if (first->rows == NULL)
        return second;
    return ex_input_key(second) < ex_input_key(first) ? second : first;
    /* instead:
    return NULL;
    */
    /* end solution */
}

/* One row after the other. What may on_row have called? */
void ex_merge_hand_over(struct ex_merge *merge)
{
    /* begin solution */
    struct ex_input *input;

    while (!merge->paused && (input = ex_merge_next(merge)) != NULL) {
        merge->paused = true; /* unless on_row calls more, or stop */
        if (ex_input_deliver(input) == EX_GO_ON)
            merge->paused = false;
        input->row++;
        if (input->rows == NULL || input->row < input->rows->rows)
            continue;
        input->rows = NULL;
        asq_stream_more(&input->stream);
    }
    /* end solution */
}

/* An end without a code is an end, too. Which code counts? */
void ex_input_ended(struct ex_input *input, int status)
{
    /* begin solution */
    struct ex_merge *merge = input->merge;

    if (status == 0 || merge->status != 0)
        return;
    merge->status = status;
    ex_input_stop(&merge->inputs[input == &merge->inputs[0] ? 1 : 0]);
    /* end solution */
}

/* The pause ends, and nothing is handed over in here. */
void ex_merge_more(struct ex_merge *merge)
{
    /* begin solution */
    merge->paused = false;
    ex_merge_wake(merge);
    /* end solution */
}

/* Nothing more is handed over. What may the end still wait for? */
void ex_merge_stop(struct ex_merge *merge)
{
    /* begin solution */
    if (merge->status == 0)
        merge->status = UV_ECANCELED;
    for (int i = 0; i < 2; i++)
        ex_input_stop(&merge->inputs[i]);
    merge->paused = false;
    ex_merge_wake(merge);
    /* end solution */
}
