/* archive - what is in an archive, one file after another
 *
 * Archives are read by libarchive: tar with any compression, zip, 7z and rar,
 * whatever their names say. Whoever has packed one may mean harm, so a process
 * of its own reads it, with limits on memory, time, bytes and count, and sends
 * what is wanted; no path of an archive is made and no link followed. Archives
 * in it are opened too if asked for. One thread enters.
 */
#ifndef CLASS_ARCHIVE_H
#define CLASS_ARCHIVE_H

#include "process.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum class_entry_kind {
    CLASS_ENTRY_FILE,   /* it is all there */
    CLASS_ENTRY_NAME,   /* it was not wanted */
    CLASS_ENTRY_LARGE,  /* larger than was wanted */
    CLASS_ENTRY_LINK,   /* a link, a device, a pipe */
    CLASS_ENTRY_LOCKED, /* only a password opens it */
    CLASS_ENTRY_BROKEN, /* data says why, in words */
    CLASS_ENTRY_END     /* of the archive; data says why, if too early */
};

struct class_entry {
    enum class_entry_kind kind;
    struct class_text name; /* UTF-8; of an archive in it: "inner.zip/name" */
    struct class_text data;
    int64_t time; /* of the file, in seconds since 1970; 0: not known */
};

/* Returns how many bytes of a file are wanted at most, 0: only its name. */
typedef size_t (*class_archive_wants)(const void *context, const char *name);

/* What is wanted of an archive. */
struct class_archive_request {
    const char *path;
    class_archive_wants wants;
    const void *context;
    uint64_t most; /* bytes of all files */
    unsigned seconds;
    int nested; /* open archives in it */
};

struct class_archive {
    /* private */
    struct class_process process;
    struct class_text come;
    size_t taken; /* bytes of it */
    uint64_t end;
};

/* Returns how long the ending of an archive's name is (".tar.gz"), or 0 for
 * another name. */
size_t class_archive_ending(const char *name);

/* Says whether archives can be opened: else libarchive was not there when this
 * program was made. */
bool class_archive_works(void);

/* Opens an archive. A link is not followed. Returns 0 or a negative UV_E*:
 * UV_ENOSYS without libarchive; non-zero owes no close. */
int class_archive_open(struct class_archive *archive,
                       const struct class_archive_request *request);

/* Takes the next file; the texts of entry are used again. Returns 1, or 0 at
 * the end: then data says why there is no more, or is empty. */
int class_archive_next(struct class_archive *archive,
                       struct class_entry *entry);

/* Closes it, read to its end or not. */
void class_archive_close(struct class_archive *archive);

void class_entry_free(struct class_entry *entry);

#endif
