/* slow_disk - a disk that is slow, fails or stops on command
 *
 * It is a VFS, a layer through which SQLite uses files, on top of the default
 * one. Its operations (ops) are reads, writes, syncs and opens. It can delay
 * every op; let the nth op fail; hold the nth op at a gate until the test opens
 * it; and lose its power, which undoes everything that was not synced. It acts
 * on databases, journals and WAL files. Temporary files go to the default VFS
 * directly, and so does the shared memory of WAL. xFetch is refused, so that no
 * read bypasses it by mmap.
 *
 * Threads: any thread may call any function. A lock inside guards the settings,
 * counters are atomic. No lock is held while an op sleeps, waits at the gate or
 * uses the disk; only a disk that remembers runs one op at a time.
 */
#ifndef COMMON_SLOW_DISK_H
#define COMMON_SLOW_DISK_H

#include <stdint.h>

enum asq_disk_op {
    ASQ_DISK_READ,
    ASQ_DISK_WRITE, /* truncation counts as a write */
    ASQ_DISK_SYNC,
    ASQ_DISK_OPEN,
    ASQ_DISK_OPS /* how many kinds there are */
};

/* The name to give to asq_profile.vfs or sqlite3_open_v2. */
#define ASQ_SLOW_DISK "slow-disk"

/* Registers the VFS under its name. Calling it again does no harm. Returns 0 or
 * an SQLITE_* code. */
int asq_slow_disk_register(void);

/* Resets everything: no delay, no fault, no gate, power on, nothing remembered,
 * counters 0. A thread that waits at the gate goes on. */
void asq_slow_disk_reset(void);

/* From now on every op of this kind first sleeps for us microseconds. */
void asq_slow_disk_delay(enum asq_disk_op op, uint64_t us);

/* The nth op from now on (1: the next) fails with code, an SQLITE_IOERR_*,
 * SQLITE_FULL or SQLITE_CANTOPEN, without touching the disk. With keep, all
 * later ones fail too, until the next call. nth 0 takes it back. */
void asq_slow_disk_fail(enum asq_disk_op op, uint64_t nth, int code, int keep);

/* Sets what faults leave in errno from now on, for sqlite3_system_errno: EFBIG,
 * EDQUOT, EIO. 0: they leave it alone. */
void asq_slow_disk_errno(int error);

/* The nth op from now on (1: the next) waits at the gate before it touches the
 * disk. There is one gate: a call replaces what was set, and a thread that
 * waits there goes on. nth 0 removes the gate. */
void asq_slow_disk_gate(enum asq_disk_op op, uint64_t nth);

/* Waits until a thread waits at the gate. Returns 0, or UV_ETIMEDOUT after ms
 * milliseconds. */
int asq_slow_disk_wait_for_gate(unsigned ms);

/* Lets a thread that waits at the gate go on, and removes the gate. */
void asq_slow_disk_open_gate(void);

/* Starts remembering changes that are not synced, for power_cut. Call it before
 * the files are opened. It lasts until reset. */
void asq_slow_disk_remember(void);

/* Cuts the power: every write since the last sync of its file is undone, and
 * every op fails with SQLITE_IOERR until asq_slow_disk_power_on. Locks and
 * look-ups of files fail, too. An op that waits at the gate stays there, and
 * fails when it goes on. Close all connections before the power comes back,
 * because a machine that restarts has none; closing works, and the next
 * connection to open the file makes the shared memory of WAL again.
 *
 * It is the harshest disk that keeps its promises: only what was synced
 * survives. But making or deleting a file survives at once, so the deleted
 * journal of a commit does not come back (synchronous=EXTRA is for disks where
 * it does).
 *
 * Returns 0; SQLITE_MISUSE if the disk did not remember, so nothing could be
 * undone; or the SQLITE_* code of a file that could not be restored. The power
 * is off in any case. */
int asq_slow_disk_power_cut(void);
void asq_slow_disk_power_on(void);

/* Returns how many ops of this kind have begun since reset, with failed ones.
 */
uint64_t asq_slow_disk_count(enum asq_disk_op op);

#endif
