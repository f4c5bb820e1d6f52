/* archive - names and single members of a tar or zip archive
 *
 * The archive programs only list names and write one member to their standard
 * output, with a limit on bytes and time: no path of an archive is made, no
 * link followed, nothing unpacked that was not asked for. One thread enters.
 */
#ifndef CLASS_ARCHIVE_H
#define CLASS_ARCHIVE_H

#include "text.h"

#include <stddef.h>

struct class_archive {
    /* private */
    int fd;
    int is_zip;
    int is_gzip;
};

/* Returns how long the ending of an archive's name is (".tar.gz", ".tgz",
 * ".tar", ".zip"), or 0 for another name. */
size_t class_archive_ending(const char *name);

/* Opens an archive; what it is, its first bytes tell. A link is not followed.
 * Returns 0 or a negative UV_E*; non-zero owes no close. */
int class_archive_open(struct class_archive *archive, const char *path);

/* Closes it. */
void class_archive_close(struct class_archive *archive);

/* Writes the names of its members, a line each. Returns 0 or as
 * class_archive_explain takes it. */
int class_archive_list(struct class_archive *archive, struct class_text *names);

/* Takes out the member of a name as list has told it; if a tar archive holds
 * the name several times, nth says which. */
int class_archive_take(struct class_archive *archive,
                       const char *name,
                       unsigned nth,
                       size_t most,
                       struct class_text *ret_data);

/* Says in words what a result of the functions above means: "is broken". */
const char *class_archive_explain(int rc);

#endif
