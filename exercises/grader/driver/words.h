/* words - fills in a finding
 *
 * Owns nothing; any thread may enter.
 */
#ifndef GRADER_DRIVER_WORDS_H
#define GRADER_DRIVER_WORDS_H

#include "grader/driver/finding.h"

/* Sets the verdict and got, as by printf; and the usual cause, unless it is
 * NULL or there is one already. */
void words_say(struct finding *finding,
               enum verdict verdict,
               const char *cause,
               const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* Sets the usual cause, even if there is one. */
void words_cause(struct finding *finding, const char *cause);

/* Adds the next line of the student's file: where, or where2 if where is
 * known and another line. shown is the file's path; line 0 means none. */
void words_where(struct finding *finding, const char *shown, int line);

#endif
