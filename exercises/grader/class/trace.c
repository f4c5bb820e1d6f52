/* trace - what a submission has done that somebody has to look at, for ever
 *
 * Owns the lines. One thread enters. The file is not read again during a run:
 * whoever can change others' results could change it, too.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_MAX = 1 << 22 /* bytes */
};

static char *path_in(const char *folder)
{
    return class_format("%s/traces", folder);
}

int class_trace_write(const struct class_traces *traces,
                      const struct class_settings *settings)
{
    char *path = path_in(settings->run);
    int rc = traces->lines.size > 0 ? class_file_write(path, traces->lines.data,
                                                       traces->lines.size)
                                    : 0;

    free(path);
    return rc;
}

static void note_line(struct class_list *list, const char *line, size_t length)
{
    size_t key = strcspn(line, "\t\n");

    for (size_t i = 0; key < length && i < list->count; i++) {
        struct class_submission *submission = &list->submission[i];

        if (strlen(submission->key) == key &&
            strncmp(submission->key, line, key) == 0)
            class_note(submission, "%.*s", (int)(length - key - 1),
                       line + key + 1);
    }
}

void class_trace_read(struct class_traces *traces,
                      const struct class_settings *settings,
                      struct class_list *list)
{
    char *run = path_in(settings->run);
    char *out = path_in(settings->out);

    /* A run that was stopped has taken over those before it. */
    if (class_file_read(run, FILE_MAX, &traces->lines) != 0 &&
        class_file_read(out, FILE_MAX, &traces->lines) != 0)
        class_text_free(&traces->lines); /* usually there is none */
    for (const char *line = class_text_of(&traces->lines); *line != '\0';) {
        size_t length = strcspn(line, "\n");

        note_line(list, line, length);
        line += length + (line[length] == '\n');
    }
    free(run);
    free(out);
}

void class_trace_add(struct class_traces *traces,
                     const struct class_settings *settings,
                     struct class_submission *submission,
                     const char *what)
{
    char *line = class_format("%s\t%s\n", submission->key, what);

    if (strstr(class_text_of(&traces->lines), line) == NULL) {
        class_text_put(&traces->lines, "%s", line);
        class_note(submission, "%s", what);
        /* It is written again at the end. */
        (void)class_trace_write(traces, settings);
    }
    free(line);
}

void class_trace_free(struct class_traces *traces)
{
    class_text_free(&traces->lines);
}
