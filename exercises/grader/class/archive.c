/* archive - names and single members of a tar or zip archive
 *
 * Owns one descriptor an archive, which becomes the standard input of tar or
 * unzip: so its path is nothing that they could take for an option, a pattern
 * or another host. One thread enters. Depends on process.
 */
#include "archive.h"

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    NAMES_MAX = 1 << 22 /* bytes of all names of an archive */
};

size_t class_archive_ending(const char *name)
{
    static const char *const endings[] = {".tar.gz", ".tgz", ".tar", ".zip"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);

        if (length > ending &&
            strcasecmp(name + length - ending, endings[i]) == 0)
            return ending;
    }
    return 0;
}

int class_archive_open(struct class_archive *archive, const char *path)
{
    unsigned char begin[4] = {0};
    struct stat there;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return uv_translate_sys_error(errno);
    if (fstat(fd, &there) != 0 || !S_ISREG(there.st_mode) ||
        pread(fd, begin, sizeof begin, 0) < 0) {
        (void)close(fd); /* it was only read */
        return UV_EINVAL;
    }
    archive->fd = fd;
    archive->is_zip = begin[0] == 'P' && begin[1] == 'K';
    archive->is_gzip = begin[0] == 0x1f && begin[1] == 0x8b;
    return 0;
}

void class_archive_close(struct class_archive *archive)
{
    (void)close(archive->fd); /* it was only read */
}

static int run(struct class_archive *archive,
               const char *const words[],
               size_t most,
               struct class_text *output)
{
    int rc;

    /* The one before has moved the place that the descriptors share. */
    if (lseek(archive->fd, 0, SEEK_SET) != 0)
        return uv_translate_sys_error(errno);
    rc = class_process_run(words, archive->fd, most, output);
    if (rc == UV_ENOENT)
        return archive->is_zip ? UV_ENOTSUP : UV_ENOSYS;
    /* unzip says 1 for a warning; what it wrote is whole. */
    return rc == 1 && archive->is_zip ? 0 : rc;
}

int class_archive_list(struct class_archive *archive, struct class_text *names)
{
    const char *const zip[] = {"unzip", "-Z1", "/dev/stdin", NULL};
    const char *const tar[] = {"tar", archive->is_gzip ? "-tzf" : "-tf", "-",
                               NULL};

    return run(archive, archive->is_zip ? zip : tar, NAMES_MAX, names);
}

/* To unzip a name is a pattern. */
static char *escape(const char *name)
{
    struct class_text pattern = {0};

    for (; *name != '\0'; name++)
        class_text_put(&pattern, "%s%c",
                       strchr("*?[]\\", *name) != NULL ? "\\" : "", *name);
    class_text_add(&pattern, "", 0);
    return pattern.data;
}

int class_archive_take(struct class_archive *archive,
                       const char *name,
                       unsigned nth,
                       size_t most,
                       struct class_text *ret_data)
{
    char *pattern = escape(name);
    char *which = class_format("--occurrence=%u", nth);
    const char *const zip[] = {"unzip", "-p", "/dev/stdin", pattern, NULL};
    /* The escapes in the names that tar lists, it understands itself. P takes
     * names as they are; to standard output they lead nowhere. */
    const char *const tar[] = {
        "tar", archive->is_gzip ? "-xOPzf" : "-xOPf", "-", "--", name, NULL};
    /* Only asked for where it is needed: not every tar knows it. */
    const char *const nth_tar[] = {
        "tar", archive->is_gzip ? "-xOPzf" : "-xOPf", "-", which, "--", name,
        NULL};
    int rc;

    if (archive->is_zip)
        rc = nth > 1 ? UV_EEXIST : run(archive, zip, most, ret_data);
    else
        rc = run(archive, nth > 1 ? nth_tar : tar, most, ret_data);
    free(pattern);
    free(which);
    return rc;
}

const char *class_archive_explain(int rc)
{
    switch (rc) {
    case UV_ENOSYS:
        return "cannot be opened: tar is not installed";
    case UV_ENOTSUP:
        return "cannot be opened: unzip is not installed";
    case UV_EFBIG:
        return "holds more than may be taken out";
    case UV_ETIMEDOUT:
        return "takes too long to read";
    case UV_EEXIST:
        return "holds the file twice";
    case UV_ELOOP:
        return "is a link, which is not followed";
    case UV_EINVAL:
        return "is no regular file";
    case UV_ECANCELED:
        return "was not read to its end";
    default:
        return rc < 0 ? uv_strerror(rc) : "is broken or locked";
    }
}
