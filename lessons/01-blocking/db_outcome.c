/* db_outcome - whether a commit that failed may have happened all the same */
#include "01-blocking/db_outcome.h"

#include <errno.h>
#include <string.h>

/* Returns how many pages SQLite has begun to write for commits. Pages that it
 * writes in the middle of a transaction, because the page cache is full, do not
 * belong to a commit. */
static uint64_t pages_written(sqlite3 *handle)
{
    int written = 0, spilled = 0, most;

    /* They fail only for a counter that does not exist. */
    (void)sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &written,
                            &most, 0);
    (void)sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_SPILL, &spilled,
                            &most, 0);
    return (uint64_t)written - (uint64_t)spilled;
}

void asq__db_begin_commit(struct asq_db *db)
{
    errno = 0; /* so that an old error is not taken for one of this run */
    db->pages_written = pages_written(db->handle);
}

static int note_attached(void *data, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    if (strcmp(values[0], "0") != 0 && strcmp(values[0], "1") != 0)
        *(bool *)data = true; /* 0 is main, 1 is temp */
    return 0;
}

static bool has_attached(sqlite3 *handle)
{
    bool attached = false;

    return sqlite3_exec(handle, "PRAGMA database_list", note_attached,
                        &attached, NULL) != 0 ||
           attached;
}

/* On a disk without this property SQLite fills the WAL up to the end of a
 * sector with copies of the frame that commits, so there may be a complete copy
 * when a write is refused. */
static bool overwrites_safely(sqlite3 *handle)
{
    sqlite3_file *file = NULL;

    return sqlite3_file_control(handle, NULL, SQLITE_FCNTL_FILE_POINTER,
                                &file) == 0 &&
           file != NULL && file->pMethods != NULL &&
           (file->pMethods->xDeviceCharacteristics(file) &
            SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

/* Returns whether the system refused to write, so that nothing was written.
 * sqlite3_system_errno knows that only if a statement fails before it commits,
 * so the VFS is asked. */
static bool is_refused(sqlite3 *handle, int code)
{
    sqlite3_vfs *vfs = NULL;
    int error;

    if (code == SQLITE_FULL)
        return true;
    if (code != SQLITE_IOERR_WRITE ||
        sqlite3_file_control(handle, NULL, SQLITE_FCNTL_VFS_POINTER, &vfs) !=
            0 ||
        vfs == NULL || vfs->xGetLastError == NULL)
        return false;
    error = vfs->xGetLastError(vfs, 0, NULL);
    return error == EFBIG || error == EDQUOT;
}

/* If something fails before the commit begins to write its pages (a read, a
 * lock, a look-up, an allocation, the sync of a rollback journal), nothing has
 * happened. After that:
 *
 * - A write that the system refuses (disk full, file too large, quota) leaves
 *   the WAL without a complete commit, or the rollback journal in force. But
 *   with attached files in WAL each commits by itself, and another may have.
 * - For any other write, and for a sync, an error does not say what has reached
 *   the disk. If the frame that commits is complete, the next recovery of the
 *   WAL finds it, although this connection does not count it.
 * - Memory and shared memory (NOMEM, IOERR_SHM*): the index of the WAL grows
 *   after its frames were written.
 * - Reads: a transaction larger than the page cache has frames in the WAL that
 *   it wrote a second time. At the end it reads them for their checksums; if
 *   they had not changed, they were already right.
 * - Ending the rollback journal is the commit (IOERR_DELETE, _TRUNCATE, _WRITE
 *   in its header), and errors after it come too late to undo it
 *   (IOERR_DIR_FSYNC, _FSYNC of a journal that was emptied, _FSTAT, _TRUNCATE
 *   of the file, _UNLOCK).
 *
 * So the code alone says little; whether writing has begun says most. After a
 * constraint only OR FAIL and RAISE(FAIL) write at all: the rows before the bad
 * one are committed, and SQLite would report an error of that commit. */
bool asq__db_is_unknown(struct asq_db *db, int code)
{
    if (pages_written(db->handle) == db->pages_written ||
        (code & 0xff) == SQLITE_CONSTRAINT)
        return false;
    return !is_refused(db->handle, code) || !overwrites_safely(db->handle) ||
           has_attached(db->handle);
}
