/* progress - a line on the terminal while something takes long */
#include "04-measure-first/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const uint64_t NS_PER_S = 1000000000;
static const uint64_t PATIENCE_S = 2;

/* No result of printing is checked: if the terminal is gone, nobody reads it.
 */
static void run_progress(void *data)
{
    struct asq_progress *progress = data;
    bool terminal = isatty(STDERR_FILENO);
    int width = 0; /* of what is written there */

    uv_mutex_lock(&progress->lock);
    while (progress->doing != NULL) {
        uint64_t s = (uv_hrtime() - progress->since_ns) / NS_PER_S;
        int before = width;

        if (terminal && (s >= PATIENCE_S || width > 0))
            width = fprintf(stderr, "\r%s: %" PRIu64 " s", progress->doing, s);
        if (width < before)
            (void)fprintf(stderr, "%*s", before - width, "");
        if (!terminal && s >= PATIENCE_S && progress->line != NULL) {
            (void)fprintf(stderr, "%s\n", progress->line);
            progress->line = NULL;
        }
        (void)uv_cond_timedwait(&progress->changed, &progress->lock,
                                NS_PER_S / 2);
    }
    uv_mutex_unlock(&progress->lock);
    if (width > 0)
        (void)fprintf(stderr, "\r%*s\r", width, "");
}

void asq_progress_start(struct asq_progress *progress, const char *doing)
{
    *progress = (struct asq_progress){.doing = doing, .since_ns = uv_hrtime()};
    if (uv_mutex_init(&progress->lock) != 0)
        return;
    if (uv_cond_init(&progress->changed) == 0) {
        if (uv_thread_create(&progress->thread, run_progress, progress) == 0) {
            progress->running = true;
            return;
        }
        uv_cond_destroy(&progress->changed);
    }
    uv_mutex_destroy(&progress->lock);
}

void asq_progress_tell(struct asq_progress *progress,
                       const char *doing,
                       const char *line)
{
    if (!progress->running)
        return;
    uv_mutex_lock(&progress->lock);
    progress->doing = doing;
    progress->line = line;
    progress->since_ns = uv_hrtime();
    uv_cond_signal(&progress->changed);
    uv_mutex_unlock(&progress->lock);
}

void asq_progress_stop(struct asq_progress *progress)
{
    if (!progress->running)
        return;
    asq_progress_tell(progress, NULL, NULL);
    (void)uv_thread_join(&progress->thread); /* it ends now */
    uv_cond_destroy(&progress->changed);
    uv_mutex_destroy(&progress->lock);
    progress->running = false;
}
