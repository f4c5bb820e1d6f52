/* guard - notices what a submission without a sandbox changes of others
 *
 * Files and folders are watched by their marks (inode, size, time of the last
 * change, which nobody can set back). Without a sandbox only: with one, nothing
 * but its own folder can be written by a submission. One thread enters.
 */
#ifndef CLASS_GUARD_H
#define CLASS_GUARD_H

#include "class.h"

struct class_guarded {
    char *path;   /* NULL: no longer watched */
    size_t owner; /* the submission that it belongs to, or SIZE_MAX */
    struct class_mark {
        unsigned long long device, inode;
        long long size, seconds;
        long nanoseconds;
    } mark;
};

/* Zeroed, it watches nothing. */
struct class_guard {
    struct class_guarded *guarded;
    size_t count;
};

void class_guard_watch(struct class_guard *guard,
                       const char *path,
                       size_t owner);

/* Watches a folder and all that is in it; owner as above. */
void class_guard_watch_tree(struct class_guard *guard,
                            const char *path,
                            size_t owner);

/* Stops watching what belongs to a submission. */
void class_guard_forget(struct class_guard *guard, size_t owner);

/* Returns the next one that has changed since it was watched or found here, or
 * NULL. *at is 0 at first. */
const struct class_guarded *class_guard_next(struct class_guard *guard,
                                             size_t *at);

void class_guard_free(struct class_guard *guard);

#endif
