/* text - reads the lines of other programs, and makes them fit to be shown
 *
 * Owns nothing; any thread may enter.
 */
#ifndef GRADER_DRIVER_TEXT_H
#define GRADER_DRIVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TEXT_LINE = 1024
};

/* Takes the next line, without its end, from a text that may hold zero bytes;
 * *at is where it begins, and then where the next does. What is longer than
 * the array is cut off. Returns whether there was one. */
bool text_next(const char *text, size_t size, size_t *at, char line[TEXT_LINE]);

/* Appends one line that may be shown: unprintable bytes become '?', paths
 * outside of the course their last part, and addresses go. */
void text_add(char *to, size_t size, const char *from);

/* The same, in place of what was there. */
void text_set(char *to, size_t size, const char *from);

/* Appends the last lines of a text that are not empty, apart by '\n'. */
void text_add_tail(
    char *to, size_t to_size, const char *text, size_t size, int lines);

/* Returns whether the last part of the path is the name. */
bool text_is_file(const char *path, const char *name);

/* Returns the last part of the path. */
const char *text_base(const char *path);

/* Looks for NAME:LINE or NAME:LINE:COLUMN in text, NAME being the last part
 * of a path that may have blanks. Returns the line, or 0; ret_rest, if not
 * NULL, is set to what follows it. */
int text_line_of(const char *text, const char *name, const char **ret_rest);

#endif
