/* files - small things with files and folders
 *
 * Nothing here is stopped by what a test or a student has left: links are not
 * followed, pipes not opened, rights taken back. One thread enters.
 */
#ifndef GRADER_DRIVER_FILES_H
#define GRADER_DRIVER_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* What tells a file from one that was changed or replaced. */
struct file_mark {
    unsigned long long inode;
    long long size, seconds;
    long nanoseconds; /* of the last change, which nobody can set back */
};

/* Returns the mark; all zero when there is no such file. */
struct file_mark file_mark(const char *path);

/* Returns whether it is a regular file of at most so many bytes. */
bool file_is_plain(const char *path, long long most);

/* Returns whether two plain files have the same bytes. */
bool file_is_same(const char *path, const char *other);

/* Reads the beginning of a plain file as a text. Returns its size; 0 when
 * there is none. */
size_t file_read(const char *path, char *text, size_t size);

/* Returns 0 or a negative UV_E*. */
int file_write(const char *path, const char *text);

/* Removes a folder with all that is in it. */
void folder_remove(const char *path);

#endif
