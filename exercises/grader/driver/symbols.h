/* symbols - asks nm and addr2line where in the source a program is
 *
 * Owns nothing that lasts. One thread enters. Where the tools are missing,
 * nothing is known.
 */
#ifndef GRADER_DRIVER_SYMBOLS_H
#define GRADER_DRIVER_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SYMBOLS_NAME = 64,
    SYMBOLS_AT_ONCE = 256 /* more offsets are not looked at */
};

/* A place in a program. */
struct symbols_place {
    uint64_t offset;         /* set by the caller */
    bool own;                /* whether it is in the student's file */
    int line;                /* 0: not known */
    char file[SYMBOLS_NAME]; /* last part of its path */
    char function[SYMBOLS_NAME];
};

/* Fills in the places. Where functions are expanded inside of others, it is
 * the innermost of the student's file, else the innermost of all. */
void symbols_find(const char *program,
                  const char *file,
                  struct symbols_place *places,
                  size_t count);

/* Returns the line of the student's file where the function is defined, or 0.
 */
int symbols_line_of(const char *program,
                    const char *file,
                    const char *function);

#endif
