/* progress - a line while something takes long
 *
 * A thread of its own writes "blocking: 12 s" on standard error, over and over
 * in the same place, once something has taken two seconds. Where standard
 * error is no terminal it writes one line, if there is one for that.
 *
 * Main's thread enters it. Depends on libuv only.
 */
#ifndef ASQ_PROGRESS_H
#define ASQ_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_progress {
    /* private */
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t changed;
    bool running;
    /* private: guarded by lock */
    const char *doing; /* NULL: it ends */
    const char *line;  /* still to be written; or NULL */
    uint64_t since_ns;
};

/* Starts. What cannot be started is left out: nothing is told then. */
void asq_progress_start(struct asq_progress *progress, const char *doing);

/* Says what is being done from now on, and which line (or NULL) stands for it
 * where there is no terminal. The texts are borrowed. */
void asq_progress_tell(struct asq_progress *progress,
                       const char *doing,
                       const char *line);

/* Ends, and takes the line away. Accepts one that was not started. */
void asq_progress_stop(struct asq_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
