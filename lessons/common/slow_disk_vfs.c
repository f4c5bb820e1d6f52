/* slow_disk_vfs - the VFS that SQLite calls
 *
 * Owns the registered VFS. An open file is a struct slow_file, directly
 * followed by the file of the default VFS, in memory that SQLite provides. Any
 * thread may call it. Depends on slow_disk, which says what should go wrong,
 * and on slow_disk_power for the ops themselves.
 */
#include "common/slow_disk_internal.h"

#include <uv.h>

struct slow_file {
    sqlite3_file base; /* first: SQLite knows the struct as this */
    sqlite3_file *real;
    const char *path; /* of SQLite, valid until xClose */
};

static struct slow_file *slow(sqlite3_file *file)
{
    return (struct slow_file *)file;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return slow(file)->real;
}

static int close_file(sqlite3_file *file)
{
    return below(file)->pMethods->xClose(below(file));
}

static int
read_file(sqlite3_file *file, void *data, int count, sqlite3_int64 offset)
{
    int rc = asq__disk_begin(ASQ_DISK_READ);
    if (rc != 0)
        return rc;
    return asq__power_read(below(file), data, count, offset);
}

static int write_file(sqlite3_file *file,
                      const void *data,
                      int count,
                      sqlite3_int64 offset)
{
    int rc = asq__disk_begin(ASQ_DISK_WRITE);
    if (rc != 0)
        return rc;
    return asq__power_write(below(file), slow(file)->path, data, count, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = asq__disk_begin(ASQ_DISK_WRITE);
    if (rc != 0)
        return rc;
    return asq__power_truncate(below(file), slow(file)->path, size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    int rc = asq__disk_begin(ASQ_DISK_SYNC);
    if (rc != 0)
        return rc;
    return asq__power_sync(below(file), slow(file)->path, flags);
}

static int measure_file(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    if (asq__power_is_off())
        return SQLITE_IOERR_FSTAT;
    return below(file)->pMethods->xFileSize(below(file), ret_size);
}

/* Without power no lock can be taken, so the last connection does not try a
 * checkpoint when it closes. Unlocking always works. */
static int lock_file(sqlite3_file *file, int level)
{
    if (asq__power_is_off())
        return SQLITE_IOERR_LOCK;
    return below(file)->pMethods->xLock(below(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int check_reserved_lock(sqlite3_file *file, int *ret_reserved)
{
    if (asq__power_is_off())
        return SQLITE_IOERR_CHECKRESERVEDLOCK;
    return below(file)->pMethods->xCheckReservedLock(below(file), ret_reserved);
}

static int control_file(sqlite3_file *file, int op, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), op, argument);
}

static int sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

/* Batches of atomic writes are refused: they would reach the disk without going
 * through write_file and sync_file. */
static int device_characteristics(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file)) &
           ~SQLITE_IOCAP_BATCH_ATOMIC;
}

static int map_shm(sqlite3_file *file,
                   int region,
                   int size,
                   int extend,
                   void volatile **ret_memory)
{
    if (asq__power_is_off())
        return SQLITE_IOERR_SHMMAP;
    return below(file)->pMethods->xShmMap(below(file), region, size, extend,
                                          ret_memory);
}

static int lock_shm(sqlite3_file *file, int offset, int count, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) != 0 && asq__power_is_off())
        return SQLITE_IOERR_SHMLOCK;
    return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}

static void order_shm(sqlite3_file *file)
{
    below(file)->pMethods->xShmBarrier(below(file));
}

static int unmap_shm(sqlite3_file *file, int remove)
{
    return below(file)->pMethods->xShmUnmap(below(file), remove);
}

/* Version 2 has shared memory but no xFetch, so SQLite never maps a file. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = measure_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_shm,
    .xShmLock = lock_shm,
    .xShmBarrier = order_shm,
    .xShmUnmap = unmap_shm,
};

static struct {
    /* set once by prepare */
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    sqlite3_io_methods without_shm;
} shim;

static uv_once_t shim_once = UV_ONCE_INIT;

/* SQLite closes a file whose pMethods is set, even if opening it failed. A
 * temporary file has no name; it is opened as a file of the default VFS. */
static int open_file(sqlite3_vfs *vfs,
                     const char *path,
                     sqlite3_file *file,
                     int flags,
                     int *ret_flags)
{
    (void)vfs; /* there is one */
    if (path == NULL)
        return shim.real->xOpen(shim.real, path, file, flags, ret_flags);
    file->pMethods = NULL;
    int rc = asq__disk_begin(ASQ_DISK_OPEN);
    if (rc == 0 && asq__power_is_off())
        rc = SQLITE_IOERR;
    if (rc != 0)
        return rc;
    sqlite3_file *real = (sqlite3_file *)(slow(file) + 1);
    real->pMethods = NULL;
    slow(file)->real = real;
    slow(file)->path = path;
    rc = shim.real->xOpen(shim.real, path, real, flags, ret_flags);
    if (real->pMethods != NULL)
        file->pMethods =
            real->pMethods->iVersion >= 2 ? &methods : &shim.without_shm;
    return rc;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs; /* there is one */
    return asq__power_delete(shim.real, path, sync_folder);
}

static int
look_up_file(sqlite3_vfs *vfs, const char *path, int flags, int *ret_answer)
{
    (void)vfs; /* there is one */
    if (asq__power_is_off())
        return SQLITE_IOERR_ACCESS;
    return shim.real->xAccess(shim.real, path, flags, ret_answer);
}

/* Functions that are not replaced (full path, randomness, time) are those of
 * the default VFS. They get this copy of it, which has another name and file
 * size. */
static void prepare(void)
{
    shim.real = sqlite3_vfs_find(NULL);
    if (shim.real == NULL)
        return;
    shim.without_shm = methods;
    shim.without_shm.iVersion = 1;
    shim.vfs = *shim.real;
    shim.vfs.pNext = NULL;
    shim.vfs.zName = ASQ_SLOW_DISK;
    shim.vfs.szOsFile += (int)sizeof(struct slow_file);
    shim.vfs.xOpen = open_file;
    shim.vfs.xDelete = delete_file;
    shim.vfs.xAccess = look_up_file;
}

int asq__disk_vfs_register(void)
{
    uv_once(&shim_once, prepare);
    /* UNTESTED: a build of SQLite without a VFS. */
    if (shim.real == NULL)
        return SQLITE_ERROR;
    return sqlite3_vfs_register(&shim.vfs, 0);
}

sqlite3_vfs *asq__disk_vfs_real(void)
{
    return shim.real;
}
