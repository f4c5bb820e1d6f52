/* tempdb - databases that are removed afterwards: for tests and scratch work */
#include "09-lifetimes/tempdb.h"

#include "04-measure-first/db_copy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static const char FOLDER[] = "/asq-XXXXXX"; /* mkdtemp fills it in */

static int fail(struct asq_tempdb *tempdb, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct asq_tempdb *tempdb, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    /* A message that is too long is cut; that is not an error. */
    (void)vsnprintf(tempdb->message, sizeof tempdb->message, format, args);
    va_end(args);
    return code;
}

static int fail_system(struct asq_tempdb *tempdb, const char *path, int error)
{
    int code = uv_translate_sys_error(error);

    return fail(tempdb, code, "%.150s: %s", path, uv_strerror(code));
}

static int open_file(struct asq_tempdb *tempdb, const char *parent)
{
    char folder[ASQ_TEMPDB_FOLDER];

    if (parent == NULL)
        parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0')
        parent = "/tmp";
    if (strlen(parent) + sizeof FOLDER > sizeof folder)
        return fail(tempdb, UV_ENAMETOOLONG,
                    "the name of the folder for temporary files is too long: "
                    "%.100s...",
                    parent);
    /* All of it fits, as was just found. */
    (void)snprintf(folder, sizeof folder, "%s%s", parent, FOLDER);
    if (mkdtemp(folder) == NULL)
        return fail_system(tempdb, parent, errno);
    memcpy(tempdb->folder, folder, sizeof folder);
    (void)snprintf(tempdb->path, sizeof tempdb->path, "%s/temp.db", folder);
    return 0;
}

/* The names of memdb belong to the whole process, so all threads count up one
 * number. */
static int open_shared(struct asq_tempdb *tempdb)
{
    static atomic_uint count;
    struct asq_profile profile;
    int rc;

    /* It fits. Without the slash the database would be private. */
    (void)snprintf(tempdb->path, sizeof tempdb->path, "/asq-tempdb-%u",
                   atomic_fetch_add(&count, 1));
    profile = asq_tempdb_profile(tempdb);
    rc = asq_db_open(&tempdb->keeper, &profile);
    if (rc != 0)
        return fail(tempdb, rc, "%s", asq_db_message(&tempdb->keeper));
    return 0;
}

int asq_tempdb_open(struct asq_tempdb *tempdb,
                    enum asq_tempdb_kind kind,
                    const char *parent)
{
    *tempdb = (struct asq_tempdb){.kind = kind, .path = ":memory:"};
    switch (kind) {
    case ASQ_TEMPDB_FILE:
        return open_file(tempdb, parent);
    case ASQ_TEMPDB_SHARED:
        return open_shared(tempdb);
    case ASQ_TEMPDB_PRIVATE:
        break;
    }
    return 0;
}

struct asq_profile asq_tempdb_profile(const struct asq_tempdb *tempdb)
{
    struct asq_profile profile = asq_profile_default(tempdb->path);

    profile.wal = tempdb->kind == ASQ_TEMPDB_FILE;
    if (tempdb->kind == ASQ_TEMPDB_SHARED)
        profile.vfs = "memdb";
    return profile;
}

/* A database may never have been opened: files that do not exist are no error.
 */
static int remove_files(struct asq_tempdb *tempdb)
{
    int rc = asq_db_remove(tempdb->path);

    if (rc != 0)
        return fail_system(tempdb, tempdb->path, -rc);
    if (rmdir(tempdb->folder) == 0 || errno == ENOENT)
        return 0;
    /* Systems differ: either code says that it is not empty. */
    return fail_system(tempdb, tempdb->folder,
                       errno == EEXIST ? ENOTEMPTY : errno);
}

int asq_tempdb_close(struct asq_tempdb *tempdb)
{
    int rc;

    if (tempdb == NULL)
        return 0;
    rc = asq_db_close(&tempdb->keeper);
    if (rc != 0)
        return fail(tempdb, rc, "%s", asq_db_message(&tempdb->keeper));
    rc = tempdb->folder[0] == '\0' ? 0 : remove_files(tempdb);
    if (rc == 0)
        tempdb->folder[0] = '\0';
    return rc;
}
