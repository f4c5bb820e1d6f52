/* unpack - reads an archive and writes what is wanted to standard output
 *
 * This is what runs in the process of archive.c: the only part that knows
 * libarchive. One thread enters.
 */
#ifndef CLASS_UNPACK_H
#define CLASS_UNPACK_H

#include "archive.h"

/* Comes before the name and the data of an entry. Both ends are this program,
 * so that it has no byte order of its own. */
struct class_frame {
    uint32_t kind;
    uint32_t name;
    uint64_t data;
    int64_t time;
};

enum {
    CLASS_NAME_MAX = 4096 /* bytes of a name; a longer one is cut */
};

struct class_unpack {
    const struct class_archive_request *request;
    int fd; /* of the archive */
};

/* Returns the exit status; context is the struct class_unpack. */
int class_unpack(void *context);

#endif
