/* slow_disk_internal - what the three files of the slow disk share
 *
 * slow_disk.c has the settings, slow_disk_vfs.c is the VFS that SQLite calls,
 * and slow_disk_power.c knows what a power cut undoes. Each op of the VFS first
 * calls asq__disk_begin, then goes to the disk through asq__power_*. Any thread
 * may call these functions.
 */
#ifndef COMMON_SLOW_DISK_INTERNAL_H
#define COMMON_SLOW_DISK_INTERNAL_H

#include "common/slow_disk.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Begins an op: counts it, waits at the gate, sleeps. Returns 0, or the code of
 * the fault that was set for it. */
int asq__disk_begin(enum asq_disk_op op);

/* Registers the VFS. Returns 0 or an SQLITE_* code. */
int asq__disk_vfs_register(void);

/* Returns the VFS underneath, or NULL before asq__disk_vfs_register. */
sqlite3_vfs *asq__disk_vfs_real(void);

/* Prepares the lock. Call it once, before the others. Returns 0 or a UV_E*
 * code. */
int asq__power_init(void);

/* Forgets everything and switches the power on. */
void asq__power_reset(void);

/* Starts remembering. */
void asq__power_remember(void);

/* Switches the power off and undoes what was not synced, through vfs. Returns
 * as asq_slow_disk_power_cut. */
int asq__power_cut(sqlite3_vfs *vfs);

void asq__power_on(void);
bool asq__power_is_off(void);

/* The ops themselves, on the file underneath. Changes are remembered under
 * path, which is copied. They return what the file underneath returns;
 * SQLITE_IOERR if the power is off; or SQLITE_IOERR_NOMEM if there is no memory
 * to remember. */
int asq__power_read(sqlite3_file *real,
                    void *data,
                    int count,
                    sqlite3_int64 offset);
int asq__power_write(sqlite3_file *real,
                     const char *path,
                     const void *data,
                     int count,
                     sqlite3_int64 offset);
int asq__power_truncate(sqlite3_file *real,
                        const char *path,
                        sqlite3_int64 size);
int asq__power_sync(sqlite3_file *real, const char *path, int flags);
int asq__power_delete(sqlite3_vfs *vfs, const char *path, int sync_folder);

#endif
