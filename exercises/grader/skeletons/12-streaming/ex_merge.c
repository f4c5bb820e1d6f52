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
    /* Your code. */
    return ASQ_CHUNK_DONE;
}

/* Of each input, is it known what its next key is, or that there is none? */
struct ex_input *ex_merge_next(struct ex_merge *merge)
{
    /* Your code. */
    return NULL;
}

/* One row after the other. What may on_row have called? */
void ex_merge_hand_over(struct ex_merge *merge)
{
    /* Your code. */
}

/* An end without a code is an end, too. Which code counts? */
void ex_input_ended(struct ex_input *input, int status)
{
    /* Your code. */
}

/* The pause ends, and nothing is handed over in here. */
void ex_merge_more(struct ex_merge *merge)
{
    /* Your code. */
}

/* Nothing more is handed over. What may the end still wait for? */
void ex_merge_stop(struct ex_merge *merge)
{
    /* Your code. */
}
