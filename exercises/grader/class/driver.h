/* driver - the driver for one submission: its files, its start, its end
 *
 * What belongs to a submission lies in OUT/graded/KEY while it is graded and in
 * OUT/reports/KEY.* afterwards. One thread enters.
 */
#ifndef CLASS_DRIVER_H
#define CLASS_DRIVER_H

#include "class.h"
#include "process.h"

/* Writes the files that were found and starts the driver for them. Returns 0
 * or a negative UV_E*. */
int class_driver_start(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission,
                       struct class_process *process);

/* Sets how the submission has ended, from the driver's status, what it has
 * printed, and the results that it left. */
void class_driver_judge(const struct class_settings *settings,
                        struct class_submission *submission,
                        int in_time,
                        int status,
                        const struct class_text *output);

/* Removes what is left of an earlier run, which must not be taken for the
 * results of this one. */
void class_driver_forget(const struct class_settings *settings,
                         const struct class_submission *submission);

#endif
