/* guard - notices what a submission without a sandbox changes of others
 *
 * Owns the paths. One thread enters.
 */
#include "guard.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEPTH_MAX = 16,
    GUARDED_MAX = 200000
};

/* Returns the mark of a path; all zero if there is nothing. */
static struct class_mark mark_of(const char *path)
{
    struct class_mark mark;
    struct stat there;

    memset(&mark, 0, sizeof mark); /* the gaps, too: marks are compared whole */
    if (lstat(path, &there) != 0)
        return mark;
    mark.device = there.st_dev;
    mark.inode = there.st_ino;
    mark.size = there.st_size;
    mark.seconds = there.st_ctime;
#if defined(__linux__)
    mark.nanoseconds = there.st_ctim.tv_nsec;
#endif
    return mark;
}

void class_guard_watch(struct class_guard *guard,
                       const char *path,
                       size_t owner)
{
    if (guard->count >= GUARDED_MAX)
        return;
    guard->guarded =
        class_grow(guard->guarded, guard->count, sizeof *guard->guarded);
    guard->guarded[guard->count] =
        (struct class_guarded){.path = class_format("%s", path),
                               .owner = owner,
                               .mark = mark_of(path)};
    guard->count++;
}

static void watch_below(struct class_guard *guard,
                        const char *path,
                        size_t owner,
                        int depth)
{
    struct dirent **entry = NULL;
    int count = depth < DEPTH_MAX ? scandir(path, &entry, NULL, NULL) : 0;

    class_guard_watch(guard, path, owner);
    for (int i = 0; i < count; i++) {
        const char *name = entry[i]->d_name;
        char *inner = class_format("%s/%s", path, name);
        struct stat there;

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            lstat(inner, &there) == 0) {
            if (S_ISDIR(there.st_mode))
                watch_below(guard, inner, owner, depth + 1);
            else
                class_guard_watch(guard, inner, owner);
        }
        free(inner);
        free(entry[i]);
    }
    free(entry);
}

void class_guard_watch_tree(struct class_guard *guard,
                            const char *path,
                            size_t owner)
{
    watch_below(guard, path, owner, 0);
}

void class_guard_forget(struct class_guard *guard, size_t owner)
{
    for (size_t i = 0; i < guard->count; i++)
        if (guard->guarded[i].owner == owner) {
            free(guard->guarded[i].path);
            guard->guarded[i].path = NULL;
        }
}

const struct class_guarded *class_guard_next(struct class_guard *guard,
                                             size_t *at)
{
    while (*at < guard->count) {
        struct class_guarded *one = &guard->guarded[(*at)++];
        struct class_mark now;

        if (one->path == NULL)
            continue;
        now = mark_of(one->path);
        if (memcmp(&now, &one->mark, sizeof now) != 0) {
            one->mark = now;
            return one;
        }
    }
    return NULL;
}

void class_guard_free(struct class_guard *guard)
{
    for (size_t i = 0; i < guard->count; i++)
        free(guard->guarded[i].path);
    free(guard->guarded);
    memset(guard, 0, sizeof *guard);
}
