/* text - growing text, whole files, and hashes for build/class
 *
 * One thread enters. Nothing here returns without memory: without it the
 * program ends.
 */
#ifndef CLASS_TEXT_H
#define CLASS_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is empty. A zero byte follows the last one. */
struct class_text {
    char *data; /* NULL while empty; see class_text_of */
    size_t size;
    size_t capacity;
};

/* What class_hash begins with. */
#define CLASS_HASH_START UINT64_C(14695981039346656037)

/* As realloc, but ends the program where there is no memory. */
void *class_allocate(void *old, size_t size);

/* Makes room for one more element of this size; count is how many there are.
 * Grows by doubling. Returns the new place of all. */
void *class_grow(void *elements, size_t count, size_t size);

void class_text_add(struct class_text *text, const void *data, size_t size);
void class_text_put(struct class_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *class_text_of(const struct class_text *text);
void class_text_free(struct class_text *text);

/* Returns a new text as printf would print it; freed with free. */
char *class_format(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Returns a copy in which control characters and what is no UTF-8 are '?';
 * freed with free. */
char *class_shown(const char *text);

/* Adds a field of a CSV file and what ends it, a comma or a line's end. What
 * a spreadsheet would take for a formula gets an apostrophe before it. */
void class_text_put_field(struct class_text *text,
                          const char *field,
                          const char *end);

/* Adds a text as it is written in HTML and XML. */
void class_text_put_markup(struct class_text *text, const char *plain);

/* FNV-1a of 64 bits. It finds accidents, not attacks. */
uint64_t class_hash(uint64_t hash, const void *data, size_t size);

/* Reads a regular file of at most most bytes; a link is not followed.
 * Returns 0 or a negative UV_E*: UV_EFBIG, UV_EINVAL for what is not a regular
 * file, UV_ELOOP for a link. */
int class_file_read(const char *path, size_t most, struct class_text *text);

/* Writes a file whole or not at all; missing folders are made. Returns 0 or a
 * negative UV_E*. */
int class_file_write(const char *path, const void *data, size_t size);

#endif
