/* slow_disk_power - what a disk loses when its power goes
 *
 * Owns the power switch and, for each file that was changed since its last
 * sync, the bytes and the size from before each change, the latest first. They
 * are kept under the path, so closing a file does not make its changes safe.
 *
 * Any thread may call it. While the disk remembers, ops run one at a time: so
 * changes are remembered in the order in which they reach the disk, a sync
 * covers exactly what came before it, and no read sees a file that is half
 * undone.
 */
#include "common/slow_disk_internal.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct change {
    struct change *older;
    sqlite3_int64 size;   /* of the file before the change */
    sqlite3_int64 offset; /* where the old bytes were */
    int count;
    unsigned char bytes[];
};

struct record {
    struct record *next;
    struct change *latest;
    char path[];
};

static struct {
    atomic_bool remembers;
    atomic_bool off;
    uv_mutex_t lock;
    /* guarded by lock */
    struct record *records;
} power;

/* Returns whether the lock was taken, for leave. */
static bool enter(void)
{
    bool remembers = atomic_load(&power.remembers);
    if (remembers)
        uv_mutex_lock(&power.lock);
    return remembers;
}

static void leave(bool entered)
{
    if (entered)
        uv_mutex_unlock(&power.lock);
}

static struct record *find_record(const char *path)
{
    struct record *record = power.records;
    while (record != NULL && strcmp(record->path, path) != 0)
        record = record->next;
    return record;
}

static struct record *make_record(const char *path)
{
    struct record *record = find_record(path);
    if (record != NULL)
        return record;
    /* With one NUL more: so SQLite ends a name without URI parameters. */
    size_t length = strlen(path);
    record = calloc(1, sizeof(*record) + length + 2);
    if (record == NULL)
        return NULL;
    memcpy(record->path, path, length);
    record->next = power.records;
    power.records = record;
    return record;
}

static void forget_changes(struct record *record)
{
    while (record != NULL && record->latest != NULL) {
        struct change *change = record->latest;
        record->latest = change->older;
        free(change);
    }
}

static void forget_all(void)
{
    while (power.records != NULL) {
        struct record *record = power.records;
        power.records = record->next;
        forget_changes(record);
        free(record);
    }
}

/* Keeps the content of the file from offset on, at most count bytes, and the
 * size of the file. */
static int keep_old(sqlite3_file *real,
                    const char *path,
                    sqlite3_int64 offset,
                    sqlite3_int64 count)
{
    if (!atomic_load(&power.remembers))
        return SQLITE_OK; /* reset was called while this waited for the lock */
    sqlite3_int64 size = 0;
    int rc = real->pMethods->xFileSize(real, &size);
    if (rc != SQLITE_OK)
        return rc;
    if (count > size - offset)
        count = size > offset ? size - offset : 0;
    struct record *record = make_record(path);
    struct change *change = record != NULL && count <= INT_MAX
                                ? malloc(sizeof(*change) + (size_t)count)
                                : NULL;
    if (change == NULL)
        return SQLITE_IOERR_NOMEM;
    change->size = size;
    change->offset = offset;
    change->count = (int)count;
    if (count > 0)
        rc = real->pMethods->xRead(real, change->bytes, (int)count, offset);
    if (rc != SQLITE_OK) {
        free(change);
        return rc;
    }
    change->older = record->latest;
    record->latest = change;
    return SQLITE_OK;
}

int asq__power_read(sqlite3_file *real,
                    void *data,
                    int count,
                    sqlite3_int64 offset)
{
    bool entered = enter();
    int rc = SQLITE_IOERR;
    if (!asq__power_is_off())
        rc = real->pMethods->xRead(real, data, count, offset);
    leave(entered);
    return rc;
}

int asq__power_write(sqlite3_file *real,
                     const char *path,
                     const void *data,
                     int count,
                     sqlite3_int64 offset)
{
    bool entered = enter();
    int rc = asq__power_is_off() ? SQLITE_IOERR : SQLITE_OK;
    if (rc == SQLITE_OK && entered)
        rc = keep_old(real, path, offset, count);
    if (rc == SQLITE_OK)
        rc = real->pMethods->xWrite(real, data, count, offset);
    leave(entered);
    return rc;
}

int asq__power_truncate(sqlite3_file *real,
                        const char *path,
                        sqlite3_int64 size)
{
    bool entered = enter();
    int rc = asq__power_is_off() ? SQLITE_IOERR : SQLITE_OK;
    if (rc == SQLITE_OK && entered)
        rc = keep_old(real, path, size, INT64_MAX);
    if (rc == SQLITE_OK)
        rc = real->pMethods->xTruncate(real, size);
    leave(entered);
    return rc;
}

int asq__power_sync(sqlite3_file *real, const char *path, int flags)
{
    bool entered = enter();
    int rc = SQLITE_IOERR;
    if (!asq__power_is_off())
        rc = real->pMethods->xSync(real, flags);
    if (rc == SQLITE_OK && entered)
        forget_changes(find_record(path));
    leave(entered);
    return rc;
}

/* A deleted file has nothing to restore; a new file under its name starts from
 * nothing. */
int asq__power_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    bool entered = enter();
    int rc = SQLITE_IOERR_DELETE;
    if (!asq__power_is_off())
        rc = vfs->xDelete(vfs, path, sync_folder);
    if (rc == SQLITE_OK && entered)
        forget_changes(find_record(path));
    leave(entered);
    return rc;
}

static int undo_changes(struct record *record, sqlite3_file *file)
{
    int rc = SQLITE_OK;
    struct change *change = record->latest;
    while (change != NULL && rc == SQLITE_OK) {
        if (change->count > 0)
            rc = file->pMethods->xWrite(file, change->bytes, change->count,
                                        change->offset);
        if (rc == SQLITE_OK)
            rc = file->pMethods->xTruncate(file, change->size);
        change = change->older;
    }
    return rc;
}

/* Uses the VFS and not open(): closing a descriptor of its own would drop the
 * locks that this process holds on the file. */
static int undo_file(struct record *record, sqlite3_vfs *vfs)
{
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    if (file == NULL)
        return SQLITE_NOMEM;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB;
    int rc = vfs->xOpen(vfs, record->path, file, flags, &flags);
    if (rc == SQLITE_OK)
        rc = undo_changes(record, file);
    if (file->pMethods != NULL)
        (void)file->pMethods->xClose(file); /* the bytes are restored */
    free(file);
    return rc;
}

int asq__power_cut(sqlite3_vfs *vfs)
{
    uv_mutex_lock(&power.lock);
    atomic_store(&power.off, true);
    int rc = atomic_load(&power.remembers) ? SQLITE_OK : SQLITE_MISUSE;
    for (struct record *record = power.records; record != NULL;
         record = record->next) {
        int undone = record->latest != NULL ? undo_file(record, vfs) : 0;
        if (rc == SQLITE_OK)
            rc = undone;
    }
    forget_all();
    uv_mutex_unlock(&power.lock);
    return rc;
}

void asq__power_on(void)
{
    atomic_store(&power.off, false);
}

bool asq__power_is_off(void)
{
    return atomic_load(&power.off);
}

void asq__power_remember(void)
{
    atomic_store(&power.remembers, true);
}

void asq__power_reset(void)
{
    uv_mutex_lock(&power.lock);
    forget_all();
    atomic_store(&power.remembers, false);
    atomic_store(&power.off, false);
    uv_mutex_unlock(&power.lock);
}

int asq__power_init(void)
{
    return uv_mutex_init(&power.lock);
}
