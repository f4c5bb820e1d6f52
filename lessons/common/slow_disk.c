/* slow_disk - the settings: delays, faults and the gate
 *
 * Owns one set of settings for the process, because there is one VFS of that
 * name. Any thread may call it. Depends on slow_disk_vfs and slow_disk_power.
 */
#include "common/slow_disk.h"

#include "common/slow_disk_internal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <uv.h>

struct fault {
    uint64_t left; /* ops until it happens; 0: no fault */
    int code;
    int keep;
};

struct gate {
    enum asq_disk_op op;
    uint64_t left;   /* ops until one waits here; 0: none will */
    uint64_t number; /* changes when the op that waits here may go on */
    bool held;       /* an op waits here */
};

static struct {
    /* set once by prepare */
    int status;
    /* any thread */
    atomic_uint_fast64_t begun[ASQ_DISK_OPS];
    /* guarded by lock */
    uv_mutex_t lock;
    uv_cond_t gate_moved;
    uint64_t delay_us[ASQ_DISK_OPS];
    struct fault faults[ASQ_DISK_OPS];
    int error; /* what faults leave in errno */
    struct gate gate;
} disk;

static uv_once_t disk_once = UV_ONCE_INIT;

static void prepare(void)
{
    disk.status = uv_mutex_init(&disk.lock);
    if (disk.status == 0)
        disk.status = uv_cond_init(&disk.gate_moved);
    if (disk.status == 0)
        disk.status = asq__power_init();
}

/* Prepares first if needed, so settings may come before register. */
static void lock_settings(void)
{
    uv_once(&disk_once, prepare);
    uv_mutex_lock(&disk.lock);
}

static void unlock_settings(void)
{
    uv_mutex_unlock(&disk.lock);
}

/* Call it under the lock. */
static int strike(struct fault *fault)
{
    if (fault->left == 0)
        return 0;
    if (fault->left > 1) {
        fault->left--;
        return 0;
    }
    if (!fault->keep)
        fault->left = 0;
    return fault->code;
}

/* Call it under the lock, which is released while it waits. */
static void pass_gate(struct gate *gate, enum asq_disk_op op)
{
    if (gate->op != op || gate->left == 0)
        return;
    gate->left--;
    if (gate->left > 0)
        return;
    uint64_t number = gate->number;
    gate->held = true;
    uv_cond_broadcast(&disk.gate_moved);
    while (gate->number == number)
        uv_cond_wait(&disk.gate_moved, &disk.lock);
}

/* Call it under the lock. */
static void set_gate(enum asq_disk_op op, uint64_t nth)
{
    disk.gate.op = op;
    disk.gate.left = nth;
    disk.gate.number++;
    disk.gate.held = false;
    uv_cond_broadcast(&disk.gate_moved);
}

static void sleep_us(uint64_t us)
{
    struct timespec rest = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000 * 1000),
    };
    /* If a signal ends the sleep, rest holds the time that is left. */
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
}

/* The fault is counted before the gate, so that for both "the nth" is the nth
 * op to begin, however long one of them waits at the gate. */
int asq__disk_begin(enum asq_disk_op op)
{
    atomic_fetch_add(&disk.begun[op], 1);
    lock_settings();
    uint64_t delay_us = disk.delay_us[op];
    int rc = strike(&disk.faults[op]);
    int error = rc == 0 ? 0 : disk.error;
    pass_gate(&disk.gate, op);
    unlock_settings();
    if (delay_us > 0)
        sleep_us(delay_us);
    if (error != 0)
        errno = error; /* SQLite asks the VFS below, which reads errno */
    return rc;
}

int asq_slow_disk_register(void)
{
    uv_once(&disk_once, prepare);
    /* UNTESTED: the mutex cannot be made. */
    if (disk.status != 0)
        return SQLITE_NOMEM;
    return asq__disk_vfs_register();
}

void asq_slow_disk_reset(void)
{
    lock_settings();
    memset(disk.delay_us, 0, sizeof(disk.delay_us));
    memset(disk.faults, 0, sizeof(disk.faults));
    disk.error = 0;
    set_gate(ASQ_DISK_READ, 0);
    unlock_settings();
    asq__power_reset();
    for (int op = 0; op < ASQ_DISK_OPS; op++)
        atomic_store(&disk.begun[op], 0);
}

void asq_slow_disk_delay(enum asq_disk_op op, uint64_t us)
{
    lock_settings();
    disk.delay_us[op] = us;
    unlock_settings();
}

void asq_slow_disk_fail(enum asq_disk_op op, uint64_t nth, int code, int keep)
{
    lock_settings();
    disk.faults[op] = (struct fault){.left = nth, .code = code, .keep = keep};
    unlock_settings();
}

void asq_slow_disk_errno(int error)
{
    lock_settings();
    disk.error = error;
    unlock_settings();
}

void asq_slow_disk_gate(enum asq_disk_op op, uint64_t nth)
{
    lock_settings();
    set_gate(op, nth);
    unlock_settings();
}

int asq_slow_disk_wait_for_gate(unsigned ms)
{
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
    int rc = 0;
    lock_settings();
    while (!disk.gate.held && rc == 0) {
        uint64_t now = uv_hrtime();
        rc = now < end
                 ? uv_cond_timedwait(&disk.gate_moved, &disk.lock, end - now)
                 : UV_ETIMEDOUT;
    }
    if (disk.gate.held)
        rc = 0;
    unlock_settings();
    return rc;
}

void asq_slow_disk_open_gate(void)
{
    asq_slow_disk_gate(ASQ_DISK_READ, 0);
}

void asq_slow_disk_remember(void)
{
    uv_once(&disk_once, prepare);
    asq__power_remember();
}

int asq_slow_disk_power_cut(void)
{
    uv_once(&disk_once, prepare);
    return asq__power_cut(asq__disk_vfs_real());
}

void asq_slow_disk_power_on(void)
{
    asq__power_on();
}

uint64_t asq_slow_disk_count(enum asq_disk_op op)
{
    return atomic_load(&disk.begun[op]);
}
