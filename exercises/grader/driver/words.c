/* words - fills in a finding */
#include "grader/driver/words.h"

#include "grader/driver/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void words_say(struct finding *finding,
               enum verdict verdict,
               const char *cause,
               const char *format,
               ...)
{
    char text[FINDING_TEXT];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    finding->verdict = verdict;
    text_set(finding->got, sizeof finding->got, text);
    if (cause != NULL && finding->cause[0] == '\0')
        words_cause(finding, cause);
}

void words_cause(struct finding *finding, const char *cause)
{
    text_set(finding->cause, sizeof finding->cause, cause);
}

void words_where(struct finding *finding, const char *shown, int line)
{
    char *to = finding->where[0] == '\0' ? finding->where : finding->where2;

    if (line == 0 || to[0] != '\0')
        return;
    (void)snprintf(to, FINDING_LINE, "%.180s:%d", shown, line);
    if (to == finding->where2 && strcmp(to, finding->where) == 0)
        to[0] = '\0'; /* one line is enough */
}
