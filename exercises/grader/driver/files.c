/* files - small things with files and folders
 *
 * Owns nothing that lasts. One thread enters.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "grader/driver/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    FOLDERS_DEEP = 64, /* that a test may have left without rights */
    DESCRIPTORS = 16
};

struct file_mark file_mark(const char *path)
{
    struct stat status;
    struct file_mark mark;

    memset(&mark, 0, sizeof mark); /* also what lies between the fields */
    if (lstat(path, &status) != 0)
        return mark;
    mark.inode = (unsigned long long)status.st_ino;
    mark.size = (long long)status.st_size;
    mark.seconds = (long long)status.st_ctim.tv_sec;
    mark.nanoseconds = status.st_ctim.tv_nsec;
    return mark;
}

/* Opens a plain file; anything else is not waited for. */
static FILE *open_plain(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    FILE *in = NULL;

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        in = fdopen(fd, "r");
    if (in == NULL && fd >= 0)
        (void)close(fd); /* nothing was written */
    return in;
}

bool file_is_plain(const char *path, long long most)
{
    FILE *in = open_plain(path);
    struct stat status;
    bool plain = false;

    if (in == NULL)
        return false;
    plain = fstat(fileno(in), &status) == 0 && status.st_size <= most;
    (void)fclose(in); /* it was only read */
    return plain;
}

bool file_is_same(const char *path, const char *other)
{
    FILE *one = open_plain(path);
    FILE *two = open_plain(other);
    bool same = one != NULL && two != NULL;

    while (same) {
        int c = getc(one);

        same = c == getc(two);
        if (c == EOF)
            break;
    }
    if (one != NULL)
        (void)fclose(one); /* they were only read */
    if (two != NULL)
        (void)fclose(two);
    return same;
}

size_t file_read(const char *path, char *text, size_t size)
{
    FILE *in = open_plain(path);
    size_t used = 0;

    if (in != NULL) {
        used = fread(text, 1, size - 1, in);
        (void)fclose(in); /* it was only read */
    }
    text[used] = '\0';
    return used;
}

int file_write(const char *path, const char *text)
{
    FILE *out;
    bool failed;

    (void)remove(path); /* so that no link is followed; it may not exist */
    out = fopen(path, "wx");
    if (out == NULL)
        return uv_translate_sys_error(errno);
    failed = fputs(text, out) < 0;
    failed |= fclose(out) != 0;
    return failed ? UV_EIO : 0;
}

static int open_entry(const char *path,
                      const struct stat *status,
                      int type,
                      struct FTW *place)
{
    (void)place;
    (void)status;
    if (type == FTW_D || type == FTW_DNR)
        (void)chmod(path, 0700); /* or it is seen that the folder stays */
    return 0;
}

static int remove_entry(const char *path,
                        const struct stat *status,
                        int type,
                        struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    (void)remove(path); /* as above */
    return 0;
}

void folder_remove(const char *path)
{
    struct stat status;

    /* A folder without rights is walked into only the next time. */
    for (int i = 0; i < FOLDERS_DEEP && lstat(path, &status) == 0; i++) {
        (void)nftw(path, open_entry, DESCRIPTORS, FTW_PHYS);
        (void)nftw(path, remove_entry, DESCRIPTORS, FTW_PHYS | FTW_DEPTH);
    }
}
