/* shop - the file of the data set: made once, checked, copied
 *
 * Owns the files in build/data. Two threads must not use the same spec at once.
 * Depends on shop_rows, which fills the file, and on paths.
 */
#include "common/shop.h"

#include "common/paths.h"
#include "common/shop_rows.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* Room for a path, the id of a process and one of the endings below. */
enum {
    NAME_MAX_LENGTH = ASQ_SHOP_PATH_MAX + 32
};

struct name {
    char text[NAME_MAX_LENGTH];
};

/* It fits: path is shorter than ASQ_SHOP_PATH_MAX, and two endings are shorter
 * than the rest. */
static struct name join(const char *path, const char *ending)
{
    struct name name;
    int length = snprintf(name.text, sizeof(name.text), "%s%s", path, ending);
    assert(length > 0 && (size_t)length < sizeof(name.text));
    (void)length; /* read by the assertion only */
    return name;
}

/* Returns a name beside path that no other process uses. */
static struct name beside(const char *path)
{
    char ending[32];
    (void)snprintf(ending, sizeof(ending), ".%ld", (long)getpid());
    return join(path, ending);
}

/* Writes the one line of an error, in which a path that is too long is cut. */
static int complain(char *message, int rc, const char *path, const char *reason)
{
    (void)snprintf(message, ASQ_SHOP_MESSAGE_MAX, "cannot make %.150s: %.80s",
                   path, reason);
    return rc;
}

/* rc is a negative errno. */
static int complain_errno(char *message, int rc, const char *path)
{
    char reason[80];
    return complain(message, rc, path,
                    uv_strerror_r(rc, reason, sizeof(reason)));
}

/* Adds the system's message if a write failed. */
static int complain_sqlite(char *message, int rc, const char *path, sqlite3 *db)
{
    char system[48] = "";
    char reason[80];
    int error = 0;
    if (rc == SQLITE_PROTOCOL)
        return complain(message, rc, path,
                        "WAL does not work on this file system; build on "
                        "another one (BUILD=dir)");
    if ((rc & 0xff) == SQLITE_IOERR)
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO,
                                   &error); /* if it fails, error stays 0 */
    if (error != 0)
        (void)uv_strerror_r(uv_translate_sys_error(error), system,
                            sizeof(system));
    (void)snprintf(reason, sizeof(reason), "%s%s%s", sqlite3_errstr(rc),
                   error != 0 ? ", " : "", system);
    return complain(message, rc, path, reason);
}

/* Deletes the files that SQLite keeps beside the database at path. They belong
 * to a file that is about to be replaced, and SQLite would take them for
 * changes to the new one. */
static void delete_companions(const char *path)
{
    static const char *const endings[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        (void)unlink(join(path, endings[i]).text); /* most are not there */
}

/* What the checksum file beside the database holds. */
struct sum {
    uint64_t bytes;
    uint64_t fnv; /* FNV-1a over all bytes */
};

static int sum_file(const char *path, struct sum *ret_sum)
{
    struct sum sum = {.fnv = UINT64_C(0xcbf29ce484222325)};
    unsigned char block[16384];
    size_t count = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -errno;
    while ((count = fread(block, 1, sizeof(block), file)) > 0) {
        for (size_t i = 0; i < count; i++)
            sum.fnv = (sum.fnv ^ block[i]) * UINT64_C(0x100000001b3);
        sum.bytes += count;
    }
    int rc = ferror(file) ? -EIO : 0;
    (void)fclose(file); /* it was only read */
    if (rc == 0)
        *ret_sum = sum;
    return rc;
}

static int write_sum(const char *path, const struct sum *sum)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -errno;
    int rc = 0;
    if (fprintf(file, "%016" PRIx64 " %" PRIu64 "\n", sum->fnv, sum->bytes) < 0)
        rc = -errno;
    if (fclose(file) != 0 && rc == 0)
        rc = -errno;
    return rc;
}

/* Returns false whatever the reason: the file is then made again, and if the
 * disk has a problem, that reports it. */
static bool is_whole(const char *path)
{
    struct sum is = {0};
    struct sum expected = {0};
    struct stat wal;
    /* A reader may leave an empty WAL file for a while; a writer, a full one.
     */
    if (stat(join(path, "-wal").text, &wal) == 0 && wal.st_size > 0)
        return false;
    FILE *file = fopen(join(path, ".sum").text, "r");
    if (file == NULL)
        return false;
    int fields =
        fscanf(file, "%16" SCNx64 " %" SCNu64, &expected.fnv, &expected.bytes);
    (void)fclose(file); /* it was only read */
    return fields == 2 && sum_file(path, &is) == 0 && is.fnv == expected.fnv &&
           is.bytes == expected.bytes;
}

static int
write_database(const struct asq_shop *shop, const char *made, sqlite3 **ret_db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(made, ret_db, flags, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(*ret_db, 1);
    return rc == SQLITE_OK ? asq__shop_fill(*ret_db, shop) : rc;
}

/* Between the two renames the checksum belongs to another file. A process that
 * looks just then makes the same file again. */
static int install(const char *made, const char *path, char *message)
{
    struct sum sum;
    struct name made_sum = join(made, ".sum");
    int rc = sum_file(made, &sum);
    if (rc == 0)
        rc = write_sum(made_sum.text, &sum);
    if (rc == 0)
        delete_companions(path);
    if (rc == 0 && rename(made, path) != 0)
        rc = -errno;
    if (rc == 0 && rename(made_sum.text, join(path, ".sum").text) != 0)
        rc = -errno;
    if (rc != 0)
        (void)unlink(made_sum.text); /* it may not be there */
    return rc == 0 ? 0 : complain_errno(message, rc, path);
}

/* SQLite hides why it cannot make a file: it then tries to open it for reading,
 * and reports the error of that. */
static int make_empty(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return -errno;
    (void)fclose(file); /* nothing was written */
    return 0;
}

static int
make_again(const struct asq_shop *shop, const char *path, char *message)
{
    struct name made = beside(path);
    sqlite3 *db = NULL;
    int rc = asq_make_parents(path);
    if (rc == 0)
        rc = make_empty(made.text);
    if (rc != 0)
        return complain_errno(message, rc, path);
    /* A killed process with the same id may have left some. */
    delete_companions(made.text);
    rc = write_database(shop, made.text, &db);
    if (rc != SQLITE_OK)
        rc = complain_sqlite(message, rc, path, db);
    (void)sqlite3_close(db); /* it can fail only if a statement is open */
    /* If another process was faster, its readers keep their file. */
    if (rc == 0 && !is_whole(path))
        rc = install(made.text, path, message);
    (void)unlink(made.text); /* gone if it was installed */
    delete_companions(made.text);
    return rc;
}

int asq_shop_make(const struct asq_shop *shop,
                  char ret_path[static ASQ_SHOP_PATH_MAX],
                  char message[static ASQ_SHOP_MESSAGE_MAX])
{
    char path[ASQ_SHOP_PATH_MAX];
    message[0] = '\0';
    int length = snprintf(
        path, sizeof(path), "%s/data/shop-%d-%d-%d-%" PRIu64 ".db",
        asq_build_dir(), shop->users, shop->items, shop->orders, shop->seed);
    if (length < 0 || (size_t)length >= sizeof(path))
        return complain(message, UV_ENAMETOOLONG, path, "the path is too long");
    if (shop->users < 1 || shop->items < 1 || shop->orders < 0)
        return complain(message, UV_EINVAL, path,
                        "it needs at least 1 user, 1 item and 0 orders");
    int rc = is_whole(path) ? 0 : make_again(shop, path, message);
    if (rc == 0)
        memcpy(ret_path, path, sizeof(path));
    return rc;
}

static int copy_bytes(const char *from, const char *to)
{
    unsigned char block[16384];
    size_t count = 0;
    FILE *in = fopen(from, "rb");
    if (in == NULL)
        return -errno;
    FILE *out = fopen(to, "wb");
    int rc = out == NULL ? -errno : 0;
    while (rc == 0 && (count = fread(block, 1, sizeof(block), in)) > 0)
        if (fwrite(block, 1, count, out) != count)
            rc = -errno;
    if (rc == 0 && ferror(in))
        rc = -EIO;
    (void)fclose(in); /* it was only read */
    if (out != NULL && fclose(out) != 0 && rc == 0)
        rc = -errno;
    return rc;
}

int asq_shop_copy(const struct asq_shop *shop,
                  const char *path,
                  char message[static ASQ_SHOP_MESSAGE_MAX])
{
    char from[ASQ_SHOP_PATH_MAX];
    int rc = asq_shop_make(shop, from, message);
    if (rc != 0)
        return rc;
    if (strlen(path) >= ASQ_SHOP_PATH_MAX)
        return complain(message, UV_ENAMETOOLONG, path, "the path is too long");
    struct name made = beside(path);
    rc = asq_make_parents(path);
    if (rc == 0)
        rc = copy_bytes(from, made.text);
    if (rc == 0)
        delete_companions(path);
    if (rc == 0 && rename(made.text, path) != 0)
        rc = -errno;
    if (rc != 0)
        (void)unlink(made.text); /* it may not be there */
    return rc == 0 ? 0 : complain_errno(message, rc, path);
}
