/* progress - a line on the terminal while something takes long
 *
 * Once something has taken two seconds, a thread of its own writes "blocking:
 * 12 s" on standard error, again and again in the same place. If standard error
 * is not a terminal, it writes a line once, if it was given one.
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
    const char *line;  /* to be written once; or NULL */
    uint64_t since_ns;
};

/* Starts. If there is no thread left for it, nothing will be written. */
void asq_progress_start(struct asq_progress *progress, const char *doing);

/* Says what is being done from now on, and which line to write where there is
 * no terminal (or NULL). Both texts are borrowed. */
void asq_progress_tell(struct asq_progress *progress,
                       const char *doing,
                       const char *line);

/* Ends, and removes the line. Accepts one that was not started. */
void asq_progress_stop(struct asq_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
