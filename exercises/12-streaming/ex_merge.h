/* ex_merge - the rows of two queries, merged into one ordered list
 *
 * Two shops have a database each, and a connection each. The same query, which
 * is ordered by its column `key`, runs in both; the consumer gets the rows of
 * both in order. Each input is a stream of lesson 12.
 *
 *   - Rows are handed over in ascending order of their keys. Of equal keys,
 *     those of input 0 come first. A key may occur several times in one input,
 *     whose rows stay in their order.
 *   - A row is handed over as soon as it is certain to be the next: the other
 *     input has a row, too, or has ended.
 *   - A chunk is kept until on_row has returned for its last row, and is given
 *     back then, even if the consumer pauses. So at most two chunks of each
 *     input are in memory.
 *   - A consumer that returns EX_PAUSE has that row, and gets nothing more, not
 *     even the end, until ex_merge_more.
 *   - If an input fails, the rows that it had before are handed over, as far as
 *     the order allows. After that no row comes, the other input is stopped at
 *     once, even if the consumer pauses, and the end has the code of the input
 *     that failed first.
 *   - The end comes once, last of all, when both streams have ended.
 *
 * Every function is called, and every callback runs, on the loop thread.
 * Callbacks never run inside ex_merge_start, ex_merge_more or ex_merge_stop. In
 * a callback every function may be called. Two merges share nothing.
 *
 * A statement that is open pins the WAL, for as long as the consumer pauses or
 * one input waits for the other: a chunk may be kept for any time. Depends on
 * conn of lesson 03 and on stream of lesson 12.
 */
#ifndef EX_MERGE_H
#define EX_MERGE_H

#include "03-event-loop/conn.h"
#include "12-streaming/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct ex_merge;

enum ex_next {
    EX_GO_ON, /* the consumer is ready for the next row */
    EX_PAUSE  /* nothing more, until ex_merge_more */
};

/* The next row: of input 0 or 1, with this key. value is borrowed until the
 * callback returns, even if it stops the merge; NULL: it is NULL in the row. */
typedef enum ex_next (*ex_row_cb)(struct ex_merge *merge,
                                  int from,
                                  int64_t key,
                                  const char *value);

/* Last of all. status is 0 (every row of both inputs was handed over);
 * UV_ECANCELED (it was stopped); or the code with which an input failed. The
 * memory may be freed, or be used for another merge. */
typedef void (*ex_end_cb)(struct ex_merge *merge, int status);

struct ex_input {
    /* private */
    struct ex_merge *merge;
    struct asq_stream stream;
    struct asq_result *rows; /* the chunk that it keeps; NULL: none */
    size_t row;              /* of this chunk, the next to be handed over */
    bool ended;              /* the stream has ended: no further chunk */
    /* used in given.h only */
    bool over;   /* as ended */
    int refused; /* the code with which the stream could not be started; or 0 */
};

struct ex_merge {
    /* public: set between init and start */
    void *data;
    size_t chunk_rows; /* most rows in a chunk: 1,000 */
    /* private */
    struct ex_input inputs[2];
    bool paused; /* nothing is handed over, and the end does not come */
    int status;  /* what the end will have; not 0: no further row comes */
    /* used in given.h only */
    bool started; /* until on_end begins */
    ex_row_cb on_row;
    ex_end_cb on_end;
    uv_idle_t turn; /* active while there is something to do in the next turn of
                       the loop; closed last */
};

/* ---- Given, in given.h ----------------------------------------------------
 *
 * When a chunk has come or an input has ended, the merge is woken. In its turn
 * it calls ex_merge_hand_over. Then it ends, if both inputs have ended and it
 * is not paused: on_end has merge->status.
 */

/* Sets the defaults of the public fields. */
void ex_merge_init(struct ex_merge *merge);

/* Starts it. The two conns are different ones; they, and sql, are borrowed
 * until on_end. The query has the columns `key`, an integer that is not NULL,
 * and `value`, a text, and is ordered by key, upwards. Returns 0: on_end will
 * run, even if an input cannot be started, which is a failure of this input.
 * Returns UV_EINVAL if the merge is started already, an argument is NULL or
 * chunk_rows is 0; then no callback runs. */
int ex_merge_start(struct ex_merge *merge,
                   uv_loop_t *loop,
                   struct asq_conn *conns[2],
                   const char *sql,
                   ex_row_cb on_row,
                   ex_end_cb on_end);

/* Asks for a turn of the merge. To ask more than once is harmless, and also if
 * it is not started. */
void ex_merge_wake(struct ex_merge *merge);

/* Returns the key of the next row of an input, which has a chunk. */
int64_t ex_input_key(const struct ex_input *input);

/* Calls on_row with the next row of an input, which has a chunk, and returns
 * what on_row returns. Changes nothing in the merge; but what on_row calls
 * may. */
enum ex_next ex_input_deliver(struct ex_input *input);

/* Takes the chunk of an input away, if it has one, and stops its stream, which
 * ends soon after. Harmless if it has ended. */
void ex_input_stop(struct ex_input *input);

/* ---- Yours ----------------------------------------------------------------
 */

/* Called with each chunk of an input, which has none at that moment. rows has
 * at least one row, and input->row is 0 already. Returns ASQ_CHUNK_KEPT, after
 * which no other chunk of this input comes until asq_stream_more. */
enum asq_chunk ex_input_chunk(struct ex_input *input, struct asq_result *rows);

/* Returns the input whose row comes next; NULL if that is not certain yet, or
 * if no row is left. Changes nothing. */
struct ex_input *ex_merge_next(struct ex_merge *merge);

/* Hands rows over, all of them in this call, as long as it is certain which one
 * is the next, and the merge is not paused. Gives back each chunk that is used
 * up (asq_stream_more). */
void ex_merge_hand_over(struct ex_merge *merge);

/* Called once for each input, when its stream has ended, and input->ended is
 * true already; all rows that it had were handed over, unless it was stopped.
 * status is 0 (there are no more), UV_ECANCELED (it was stopped, or its conn
 * was cancelled) or the code with which it failed. The code that comes first
 * counts. */
void ex_input_ended(struct ex_input *input, int status);

/* The consumer goes on after a pause. Inside on_row it takes back the pause for
 * which that row asks: the merge goes on, whatever on_row returns. At any
 * other time when the merge is not paused, nothing happens, and a later pause
 * still lasts until the next call. */
void ex_merge_more(struct ex_merge *merge);

/* Ends it early: both inputs are stopped, no further row comes, also if it is
 * called inside on_row, and on_end has UV_ECANCELED, unless an input has failed
 * before. Ends a pause, too: on_end does not wait for ex_merge_more, even if
 * on_row calls stop and returns EX_PAUSE. Harmless when the merge is not
 * started. */
void ex_merge_stop(struct ex_merge *merge);

#endif
