/* bulk - unpacks one .zip of all submissions
 *
 * Owns nothing that lasts. One thread enters. Of an archive's paths only what
 * leads down is made, below a folder of ours, with files that are new: so
 * nothing is overwritten and no link followed. Only archives and C files are
 * taken out; of all else the name is enough to know its student.
 */
#include "archive.h"
#include "class.h"
#include "grader/driver/files.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

/* Bytes of all that is unpacked. */
#define ALL_MAX (UINT64_C(4) << 30)

/* Says whether a path leads down only: no "..", no "." and nothing empty. */
static int leads_down(const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        if (length == 0 || (length <= 2 && strncmp(path, "..", length) == 0))
            return 0;
        path += length;
        path += *path == '/';
    }
    return 1;
}

static int is_wanted(const char *name)
{
    const char *base = strrchr(name, '/');

    base = base != NULL ? base + 1 : name;
    return class_archive_ending(base) > 0 || fnmatch("*.c", base, 0) == 0;
}

/* Takes one member. Returns 0, or what class_archive_explain knows. */
static int take(struct class_archive *zip,
                const char *name,
                const char *folder,
                uint64_t *all)
{
    struct class_text data = {0};
    size_t top = strcspn(name, "/");
    char *path;
    int rc = 0;

    if (is_wanted(name)) {
        rc = *all < ALL_MAX
                 ? class_archive_take(zip, name, 1, CLASS_ARCHIVE_MAX, &data)
                 : UV_EFBIG;
        *all += data.size;
        path = class_format("%s/%s", folder, name);
    } else {
        /* In the folder of its student there must be something; a name that
         * begins with a dot is not looked at. */
        path = name[top] == '\0'
                   ? class_format("%s/%s", folder, name)
                   : class_format("%s/%.*s/.other", folder, (int)top, name);
    }
    if (rc == 0)
        rc = class_file_write(path, data.data, data.size);
    class_text_free(&data);
    free(path);
    return rc;
}

/* There is a folder even if nothing can be unpacked into it. */
static int make_folder(const char *folder)
{
    char *path = class_format("%s/.bulk", folder);
    int rc = class_file_write(path, "", 0);

    free(path);
    return rc;
}

/* Takes the members one after another; one that cannot be taken is told. */
static void take_all(struct class_archive *zip, char *names, const char *folder)
{
    uint64_t all = 0;

    for (char *name = strtok(names, "\n"); name != NULL;
         name = strtok(NULL, "\n")) {
        const char *why = NULL;
        char *shown;
        int rc;

        if (name[strlen(name) - 1] == '/')
            continue; /* folders are made for what is in them */
        if (!leads_down(name)) {
            why = "leads out of its folder";
        } else {
            rc = take(zip, name, folder, &all);
            why = rc != 0 ? class_archive_explain(rc) : NULL;
        }
        if (why == NULL)
            continue;
        shown = class_shown(name);
        (void)fprintf(stderr, "build/class: not unpacked: %s %s\n", shown, why);
        free(shown);
    }
}

int class_bulk_unpack(const char *path, const char *folder)
{
    struct class_archive zip;
    struct class_text names = {0};
    int rc = class_archive_open(&zip, path);

    if (rc != 0)
        goto out;
    rc = class_archive_list(&zip, &names);
    if (rc == 0)
        folder_remove(folder);
    if (rc == 0)
        rc = make_folder(folder);
    if (rc == 0 && names.size > 0)
        take_all(&zip, names.data, folder);
    class_archive_close(&zip);

out:
    if (rc != 0)
        (void)fprintf(stderr, "build/class: %s %s\n", path,
                      class_archive_explain(rc));
    class_text_free(&names);
    return rc != 0;
}
