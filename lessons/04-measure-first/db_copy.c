/* db_copy - a copy of a database that may be in use */
#include "04-measure-first/db_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE = 1 << 18,
    BUSY_MS = 2000
};

static const char *const parts[] = {"", "-wal", "-journal", "-shm"};

/* Makes a new file that nobody else may read, whatever the umask says. Returns
 * a descriptor or a negative errno. */
static int create_private(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);

    return file >= 0 ? file : -errno;
}

/* A full disk may be reported only by the close. */
static int close_written(int file, int rc)
{
    return close(file) != 0 && rc == 0 ? -errno : rc;
}

static int copy_bytes(FILE *in, int out)
{
    char *piece = malloc(PIECE);
    size_t count;
    int rc = piece == NULL ? -ENOMEM : 0;

    while (rc == 0 && (count = fread(piece, 1, PIECE, in)) > 0) {
        size_t done = 0;

        while (done < count && rc == 0) {
            ssize_t written = write(out, piece + done, count - done);

            if (written >= 0)
                done += (size_t)written;
            else if (errno != EINTR)
                rc = -errno;
        }
    }
    if (rc == 0 && ferror(in))
        rc = -EIO;
    free(piece);
    return rc;
}

/* Copies one file; it need not exist if it is optional. */
static int copy_file(const char *from, const char *to, bool optional)
{
    FILE *in = fopen(from, "rb");
    int out, rc;

    if (in == NULL)
        return optional && errno == ENOENT ? 0 : -errno;
    out = create_private(to);
    rc = out < 0 ? out : close_written(out, copy_bytes(in, out));
    (void)fclose(in); /* nothing was written to it */
    return rc;
}

/* Does the same with the parts of both that exist: copies those of from, or
 * removes those of to where from is NULL. */
static int each_part(const char *from, const char *to)
{
    int rc = 0;

    for (int i = 0; i < 4 && rc == 0; i++) {
        char *source = sqlite3_mprintf("%s%s", from, parts[i]);
        char *target = sqlite3_mprintf("%s%s", to, parts[i]);

        if (source == NULL || target == NULL)
            rc = -ENOMEM;
        else if (from == NULL)
            rc = remove(target) == 0 || errno == ENOENT ? 0 : -errno;
        else if (i < 3) /* SQLite makes the shared memory anew */
            rc = copy_file(source, target, i > 0);
        sqlite3_free(source);
        sqlite3_free(target);
    }
    return rc;
}

/* SQLite's own copy: what was committed when it begins, all of it. The file
 * is made first: SQLite would let everybody read it, and gives the files
 * beside it the permissions of this one. */
static int back_up(const char *from, const char *to, char *message, size_t size)
{
    sqlite3 *source = NULL, *target = NULL;
    sqlite3_backup *backup = NULL;
    sqlite3 *failed;
    int file = create_private(to);
    int rc = file < 0 ? file : close_written(file, 0);

    if (rc != 0) {
        (void)snprintf(message, size, "%s: %s", to, strerror(-rc));
        return rc;
    }
    rc = sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL);
    failed = source;
    if (rc == SQLITE_OK) {
        (void)sqlite3_busy_timeout(source, BUSY_MS); /* always SQLITE_OK */
        failed = target;
        rc = sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE, NULL);
        failed = target;
    }
    if (rc == SQLITE_OK) {
        backup = sqlite3_backup_init(target, "main", source, "main");
        (void)sqlite3_backup_step(backup, -1); /* finish repeats its error */
        rc = backup == NULL ? sqlite3_errcode(target)
                            : sqlite3_backup_finish(backup);
    }
    if (rc != SQLITE_OK)
        (void)snprintf(message, size, "%s: %s", failed == source ? from : to,
                       rc == sqlite3_errcode(failed) ? sqlite3_errmsg(failed)
                                                     : sqlite3_errstr(rc));
    (void)sqlite3_close(target); /* nothing is open on either */
    (void)sqlite3_close(source);
    return rc;
}

/* Returns whether a lock or a folder keeps SQLite from reading. */
static bool is_shut(int rc)
{
    switch (rc < 0 ? 0 : rc & 0xff) { /* a backup may return an extended one */
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return true;
    default:
        return false;
    }
}

int asq_db_remove(const char *path)
{
    return each_part(NULL, path);
}

int asq_db_copy(
    const char *from, const char *to, bool *ret_raw, char *message, size_t size)
{
    int rc = each_part(NULL, to);

    *ret_raw = false;
    if (rc == 0) {
        rc = back_up(from, to, message, size);
        if (!is_shut(rc))
            return rc;
        *ret_raw = true;
        rc = asq_db_remove(to);
    }
    if (rc == 0)
        rc = each_part(from, to);
    if (rc != 0)
        (void)snprintf(message, size, "%s: not copied to %s: %s", from, to,
                       strerror(-rc));
    return rc;
}
