/* harm - what a submission has done to others while it was graded
 *
 * Without a sandbox a submission can write whatever its grader's user can.
 * Then they are graded one at a time, and after each it is looked at what has
 * changed: so it is known which one did it, the one that has suffered is graded
 * again, and a trace is kept. One thread enters.
 */
#ifndef CLASS_HARM_H
#define CLASS_HARM_H

#include "guard.h"
#include "trace.h"

struct class_harm {
    /* private */
    const struct class_settings *settings;
    const struct class_course *course;
    struct class_list *list;
    struct class_guard guard;
    struct class_traces traces;
    size_t *again; /* how often each was graded again */
    /* Those that have to be graded again, the last of which comes first. */
    size_t *redo;
    size_t redos;
};

/* Starts to watch, and notes the traces of earlier runs. */
void class_harm_start(struct class_harm *harm,
                      const struct class_settings *settings,
                      const struct class_course *course,
                      struct class_list *list);

/* Looks at what has changed while submission n was graded. Puts those that have
 * suffered into redo; they have lost their results. Returns the file of the
 * course that was changed, or NULL. */
const char *class_harm_look(struct class_harm *harm, size_t n);

/* Watches the results of submission n, which are there now. */
void class_harm_watch(struct class_harm *harm, size_t n);

/* Writes the traces. Returns 0 or a negative UV_E*. */
int class_harm_end(struct class_harm *harm);

#endif
