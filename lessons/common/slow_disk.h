/* slow_disk - a disk that is slow, fails or stops on command
 *
 * A VFS of SQLite over the default one. It can delay every read, write, sync
 * and open; fail the Nth of them; hold the Nth of them at a gate until the
 * test lets it go; and lose its power, which takes away all that was not
 * synced. It acts on databases, journals and WAL files; temporary files
 * belong to the default VFS alone. Shared memory of WAL passes through;
 * xFetch is refused, so that no read goes around it by mmap.
 *
 * Threads: any thread may call any function. Settings are guarded by a lock
 * inside, counters are atomic. No lock is held while an op sleeps, stands at
 * the gate or uses the disk; only a disk that remembers does one op at a time.
 */
#ifndef COMMON_SLOW_DISK_H
#define COMMON_SLOW_DISK_H

#include <stdint.h>

enum asq_disk_op {
    ASQ_DISK_READ,
    ASQ_DISK_WRITE, /* truncation counts as a write */
    ASQ_DISK_SYNC,
    ASQ_DISK_OPEN,
    ASQ_DISK_OPS /* how many there are */
};

/* The name to give to asq_profile.vfs or sqlite3_open_v2. */
#define ASQ_SLOW_DISK "slow-disk"

/* Registers the VFS under its name. Calling again is harmless. Returns 0 or
 * an SQLITE_* code. */
int asq_slow_disk_register(void);

/* Sets all back: no delay, no fault, no gate, power on, nothing remembered,
 * counters zero. Whoever stands at the gate is let go. */
void asq_slow_disk_reset(void);

/* Every op from now on takes at least us microseconds more (asleep). */
void asq_slow_disk_delay(enum asq_disk_op op, uint64_t us);

/* The nth op from now on (1: the next) fails with code, an SQLITE_IOERR_*,
 * SQLITE_FULL or SQLITE_CANTOPEN, without touching the disk. With keep the
 * following ones fail as well until the next call. nth 0 takes it back. */
void asq_slow_disk_fail(enum asq_disk_op op, uint64_t nth, int code, int keep);

/* What the faults from now on leave in errno, for sqlite3_system_errno to
 * tell: EFBIG, EDQUOT, EIO. 0: they leave it alone. */
void asq_slow_disk_errno(int error);

/* The nth op from now on (1: the next) stops at the gate before it touches
 * the disk. There is one gate: a call replaces what was set, and lets go
 * whoever stands there. nth 0 takes the gate away. */
void asq_slow_disk_gate(enum asq_disk_op op, uint64_t nth);

/* Waits until a thread stands at the gate. Returns 0, or UV_ETIMEDOUT after
 * ms milliseconds. */
int asq_slow_disk_wait_for_gate(unsigned ms);

/* Lets go whoever stands at the gate, and takes the gate away. */
void asq_slow_disk_open_gate(void);

/* Starts remembering what is not synced, which power_cut needs. Call it
 * before the files are opened. Lasts until reset. */
void asq_slow_disk_remember(void);

/* Cuts the power: every write since the last sync of its file is undone, and
 * every op fails with SQLITE_IOERR until asq_slow_disk_power_on; locks and
 * look-ups of files fail as well. Whoever stands at the gate stays there and
 * fails when let go. Close all connections before the power comes back, as a
 * machine that restarts would have: closing works, and the shared memory of
 * WAL is made anew by the next one that opens the file.
 * It is the harshest disk that keeps its word: nothing survives but what was
 * synced. Making or deleting a file survives at once, so the deleted journal
 * of a commit does not come back (synchronous=EXTRA exists for disks where it
 * does).
 * Returns 0; SQLITE_MISUSE if the disk did not remember, so nothing could be
 * undone; or the SQLITE_* code of a file that could not be set back. The power
 * is off in any case. */
int asq_slow_disk_power_cut(void);
void asq_slow_disk_power_on(void);

/* Returns how many ops were begun since reset, failed ones included. */
uint64_t asq_slow_disk_count(enum asq_disk_op op);

#endif
