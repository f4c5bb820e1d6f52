/* bulk - unpacks one archive of all submissions
 *
 * Owns nothing that lasts. One thread enters. Of an archive's paths only what
 * leads down is made, below a folder of ours, with files that are new: so
 * nothing is overwritten and no link followed. Only archives and C files are
 * taken out; of all else the name is enough to know its student.
 */
#include "archive.h"
#include "choose.h"
#include "class.h"
#include "grader/driver/files.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

/* Bytes of all that is unpacked. */
#define ALL_MAX (UINT64_C(4) << 30)

enum {
    SECONDS_MAX = 600
};

/* Says whether a path leads down only: no "..", no "." and nothing empty. */
static bool leads_down(const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        if (length == 0 || (length <= 2 && strncmp(path, "..", length) == 0))
            return false;
        path += length;
        path += *path == '/';
    }
    return true;
}

static size_t wants(const void *context, const char *name)
{
    if (class_archive_ending(name) > 0)
        return CLASS_ARCHIVE_MAX;
    return class_choose_knows(context, name) ? CLASS_FILE_MAX : 0;
}

/* Sets the time of a file to that which the archive has. */
static void set_time(const char *path, int64_t time)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)time},
                                      {.tv_sec = (time_t)time}};

    /* Without it the file is only as young as now. */
    if (time > 0)
        (void)utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

/* Makes a file, empty if it could not be taken out: its name tells that
 * somebody has handed something in. Returns NULL, or why it is not whole. */
static const char *take(const struct class_entry *entry, const char *folder)
{
    static const char *const reasons[] = {[CLASS_ENTRY_LARGE] = "is too large",
                                          [CLASS_ENTRY_LINK] = "is a link",
                                          [CLASS_ENTRY_LOCKED] =
                                              "is locked with a password",
                                          [CLASS_ENTRY_BROKEN] = "is damaged",
                                          [CLASS_ENTRY_END] = NULL};
    bool is_whole = entry->kind == CLASS_ENTRY_FILE;
    const char *name = class_text_of(&entry->name);
    char *path = class_format("%s/%s", folder, name);
    int rc = 0;

    if (!leads_down(name)) {
        free(path);
        return "leads out of its folder";
    }
    rc = class_file_write(path, class_text_of(&entry->data),
                          is_whole ? entry->data.size : 0);
    set_time(path, entry->time);
    free(path);
    return rc != 0 ? uv_strerror(rc) : reasons[entry->kind];
}

/* There is a folder even if nothing can be unpacked into it. */
static int make_folder(const char *folder)
{
    char *path = class_format("%s/.bulk", folder);
    int rc;

    folder_remove(folder);
    rc = class_file_write(path, "", 0);
    free(path);
    return rc;
}

/* Takes the files one after another; one that cannot be taken is told. Returns
 * NULL, or why there may be more. */
static char *take_all(struct class_archive *archive, const char *folder)
{
    struct class_entry entry = {.kind = CLASS_ENTRY_END};
    char *why;

    while (class_archive_next(archive, &entry)) {
        const char *wrong = take(&entry, folder);

        if (wrong != NULL) {
            char *shown = class_shown(class_text_of(&entry.name));

            (void)fprintf(stderr, "build/class: not unpacked: %s %s\n", shown,
                          wrong);
            free(shown);
        }
    }
    why = entry.data.size > 0 ? class_shown(entry.data.data) : NULL;
    class_entry_free(&entry);
    return why;
}

int class_bulk_unpack(const struct class_course *course,
                      const char *path,
                      const char *folder)
{
    const struct class_archive_request request = {.path = path,
                                                  .wants = wants,
                                                  .context = course,
                                                  .most = ALL_MAX,
                                                  .seconds = SECONDS_MAX};
    struct class_archive archive;
    char *why = NULL;
    int rc = make_folder(folder);

    if (rc == 0)
        rc = class_archive_open(&archive, &request);
    if (rc == UV_ENOSYS) {
        why = class_format("cannot be opened: %s", CLASS_NO_LIBARCHIVE);
    } else if (rc != 0) {
        why = class_format("%s", uv_strerror(rc));
    } else {
        why = take_all(&archive, folder);
        class_archive_close(&archive);
    }
    if (why != NULL)
        (void)fprintf(stderr, "build/class: %s: %s\n", path, why);
    rc = why != NULL;
    free(why);
    return rc;
}
