/* harm - what a submission has done to others while it was graded
 *
 * Owns the watched files and the traces. One thread enters.
 */
#include "harm.h"

#include "driver.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MAX = 3
};

static bool is_watching(const struct class_harm *harm)
{
    return !harm->settings->isolated;
}

static void watch_files(struct class_harm *harm, size_t n)
{
    char *files = class_format("%s/files/%s", harm->settings->run,
                               harm->list->submission[n].key);

    class_guard_watch_tree(&harm->guard, files, n);
    free(files);
}

void class_harm_start(struct class_harm *harm,
                      const struct class_settings *settings,
                      const struct class_course *course,
                      struct class_list *list)
{
    size_t size = list->count * sizeof(size_t);

    *harm = (struct class_harm){.settings = settings,
                                .course = course,
                                .list = list,
                                .again = class_allocate(NULL, size),
                                .redo = class_allocate(NULL, size)};
    memset(harm->again, 0, size);
    class_trace_read(&harm->traces, settings, list);
    if (!is_watching(harm))
        return;
    class_guard_watch_tree(&harm->guard, settings->submissions, SIZE_MAX);
    class_guard_watch_tree(&harm->guard, settings->out, SIZE_MAX);
    for (size_t i = 0; i < list->count; i++)
        watch_files(harm, i);
}

void class_harm_watch(struct class_harm *harm, size_t n)
{
    static const char *const endings[] = {"json", "stamp"};

    for (size_t i = 0; is_watching(harm) && i < 2; i++) {
        char *path = class_format("%s/reports/%s.%s", harm->settings->run,
                                  harm->list->submission[n].key, endings[i]);

        class_guard_watch(&harm->guard, path, n);
        free(path);
    }
}

static void add_trace(struct class_harm *harm, size_t n, const char *what)
{
    class_trace_add(&harm->traces, harm->settings, &harm->list->submission[n],
                    what);
}

/* Takes the files of a victim anew, and its results away. */
static void repair(struct class_harm *harm, size_t victim, const char *culprit)
{
    struct class_submission *submission = &harm->list->submission[victim];
    bool was_graded = submission->end != CLASS_NOT_YET;

    class_note(submission,
               "its files or results changed while %s was graded: %s", culprit,
               was_graded ? "graded again" : "mended before it was graded");
    if (class_kept_mend(harm->settings, harm->course, submission) != 0) {
        class_note(submission,
                   "what was handed in is changed, too: not graded");
        submission->end = CLASS_FAILED;
        return;
    }
    if (!was_graded || submission->end == CLASS_NOTHING)
        return;
    class_driver_forget(harm->settings, submission);
    if (harm->again[victim]++ < AGAIN_MAX) {
        submission->end = CLASS_NOT_YET;
        submission->reused = false;
        harm->redo[harm->redos++] = victim;
    } else {
        submission->end = CLASS_FAILED;
        class_note(submission, "it was changed too often");
    }
}

static void blame(struct class_harm *harm,
                  size_t n,
                  const struct class_guarded *changed,
                  char *is_victim)
{
    const struct class_submission *list = harm->list->submission;
    char *what;

    if (changed->owner == SIZE_MAX)
        what = class_format("%s changed while it was graded", changed->path);
    else if (changed->owner == n)
        what = class_format("its own files changed while it was graded");
    else
        what = class_format("the files or results of %s changed while it "
                            "was graded",
                            list[changed->owner].label);
    if (changed->owner != SIZE_MAX)
        is_victim[changed->owner] = 1;
    add_trace(harm, n, what);
    free(what);
}

const char *class_harm_look(struct class_harm *harm, size_t n)
{
    const struct class_guarded *changed;
    const char *course;
    char *is_victim;
    size_t at = 0;

    if (!is_watching(harm))
        return NULL;
    is_victim = class_allocate(NULL, harm->list->count);
    memset(is_victim, 0, harm->list->count);
    while ((changed = class_guard_next(&harm->guard, &at)) != NULL)
        blame(harm, n, changed, is_victim);
    for (size_t i = 0; i < harm->list->count; i++) {
        if (!is_victim[i])
            continue;
        class_guard_forget(&harm->guard, i);
        if (i != n)
            repair(harm, i, harm->list->submission[n].label);
        watch_files(harm, i);
    }
    free(is_victim);
    course = class_course_changed(harm->course);
    if (course != NULL) {
        char *what = class_format("%s changed while it was graded", course);

        add_trace(harm, n, what);
        free(what);
    }
    return course;
}

int class_harm_end(struct class_harm *harm)
{
    int rc = class_trace_write(&harm->traces, harm->settings);

    class_guard_free(&harm->guard);
    class_trace_free(&harm->traces);
    free(harm->again);
    free(harm->redo);
    return rc;
}
