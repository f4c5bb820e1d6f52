/* frames - where the threads of a test were when it ended
 *
 * Owns nothing. One thread enters. Depends on the records TEST__STACK.
 */
#ifndef GRADER_DRIVER_FRAMES_H
#define GRADER_DRIVER_FRAMES_H

#include "grader/driver/explain.h"
#include "grader/driver/symbols.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FRAMES_THREADS = 32, /* the first are looked at */
    FRAMES_A_THREAD = 8  /* the innermost of each */
};

struct frames_thread {
    unsigned long number;
    bool busy;    /* it has used much of the processor */
    size_t first; /* of its places */
    size_t count;
};

struct frames {
    struct frames_thread threads[FRAMES_THREADS];
    size_t thread_count;
    struct symbols_place places[SYMBOLS_AT_ONCE];
    size_t place_count;
};

/* Reads all records, and asks for the lines of all places at once. */
void frames_read(const struct test__run *run,
                 const struct explain_test *test,
                 struct frames *ret_frames);

/* Returns the line of the student's file where the first thread was, or 0. */
int frames_first_line(const struct frames *frames);

/* Returns whether one of the threads was busy. */
bool frames_any_busy(const struct frames *frames);

/* Adds to more a line for each place of the student's file where threads were;
 * if none was and any is not 0, for each place that is known. Sets where. */
void frames_say(const struct frames *frames,
                const struct explain_test *test,
                int any,
                struct finding *finding);

#endif
