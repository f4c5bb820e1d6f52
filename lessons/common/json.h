/* json - the part of JSON that reports and traces need
 *
 * The file appears complete or not at all: it is written under another name
 * beside its place, and close renames it. Anything but a regular file
 * (/dev/stdout, a pipe) is written directly. Errors are kept and returned by
 * close, so the calls in between need no check. One thread at a time may use
 * it.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdio.h>

struct asq_json {
    /* private */
    FILE *out;
    const char *path;
    char *beside; /* its name while it is written; NULL: written directly */
    int error;    /* the first one, a negative errno */
};

/* Starts a file and makes its folders. path is borrowed until close. Returns 0,
 * or a negative errno, after which there is nothing to close. */
int asq_json_open(struct asq_json *json, const char *path);

/* Tells whether open would succeed, for a program that writes its file only
 * after long work. Makes missing folders and leaves nothing else behind.
 * Returns 0 or a negative errno. */
int asq_json_try(const char *path);

/* Writes punctuation, keys and integers, formatted as by printf. */
void asq_json_put(struct asq_json *json, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes a string with its quotes. text is UTF-8. */
void asq_json_text(struct asq_json *json, const char *text);

/* Writes a number with three decimals, the same in every locale; or null, if it
 * is not finite. */
void asq_json_number(struct asq_json *json, double value);

/* Puts the file in its place, or removes it if something failed. Returns 0 or a
 * negative errno. */
int asq_json_close(struct asq_json *json);

#endif
