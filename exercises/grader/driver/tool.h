/* tool - runs a compiler or another tool, within limits
 *
 * Owns nothing that lasts. One thread enters.
 */
#ifndef GRADER_DRIVER_TOOL_H
#define GRADER_DRIVER_TOOL_H

#include <stddef.h>

/* Runs the words up to a NULL and waits for the end. text gets what the tool
 * prints, both streams, cut off at size - 1 bytes. Returns the tool's exit
 * status, 127 if it cannot be started, 128 and the signal's number if one
 * has ended it, or 124 if it was still running after the seconds or
 * printed without end. */
int tool_run(const char *const *words,
             unsigned seconds,
             char *text,
             size_t size);

#endif
