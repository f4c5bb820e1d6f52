/* trace - what a submission has done that somebody has to look at, for ever
 *
 * OUT/traces is a line for each: the key of a submission, a tab, what it was.
 * Every later run takes it over and shows it; only a hand removes it. One
 * thread enters.
 */
#ifndef CLASS_TRACE_H
#define CLASS_TRACE_H

#include "class.h"

struct class_traces {
    struct class_text lines;
};

/* Reads the traces of earlier runs and notes them. */
void class_trace_read(struct class_traces *traces,
                      const struct class_settings *settings,
                      struct class_list *list);

/* Adds a trace and a note, if it is not there yet, and writes the file: a run
 * that is stopped keeps it. */
void class_trace_add(struct class_traces *traces,
                     const struct class_settings *settings,
                     struct class_submission *submission,
                     const char *what);

/* Writes the file. Returns 0 or a negative UV_E*. */
int class_trace_write(const struct class_traces *traces,
                      const struct class_settings *settings);

void class_trace_free(struct class_traces *traces);

#endif
