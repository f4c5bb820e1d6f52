/* ex_counters - many callers add to counters, and one flush writes for them
 *
 * The table, STRICT:
 *
 *     counters  name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL,
 *               least INTEGER NOT NULL, most INTEGER NOT NULL,
 *               CHECK (value BETWEEN least AND most)
 *
 * An add is a request of a caller to add an amount to a counter. It waits until
 * a flush takes it. A flush takes the adds that have waited longest, its group:
 *
 *   - Each add is decided by itself, in the order in which they were made. It
 *     is accepted if the counter's value plus the amount is from `least` to
 *     `most`; the counter then has this value, also for the adds behind it.
 *     Otherwise it is refused with UV_ERANGE, and the value stays as it was.
 *     If there is no such counter, it is refused with UV_ENOENT. The other adds
 *     of the group are decided as if a refused one had never been made.
 *   - Everything that a flush reads and writes is in one transaction,
 *     BEGIN IMMEDIATE. In it each counter is written once, however many adds
 *     there are for it, and not at all if its value ends as it began.
 *   - No callback begins before COMMIT has returned. Then each add of the group
 *     is told its own outcome, in the order in which they were made.
 *   - If SQLite fails at any step, even at COMMIT, nothing of the group is
 *     written, and each of its adds is told this code, even one that would have
 *     been refused. No other add is told anything, and no step is tried again.
 *   - However the flush ends, no transaction and no statement is open when the
 *     first callback begins.
 *   - An add that is made in a callback belongs to a later flush.
 *
 * Everything happens on one thread. Other connections use the same file: they
 * read at any time, and between two flushes they change counters and limits, or
 * make and remove counters. Two ex_counters share nothing.
 */
#ifndef EX_COUNTERS_H
#define EX_COUNTERS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for its codes */

struct ex_add;

/* Tells an add its outcome, once. If status is 0, add->value is valid. The add
 * is the caller's again: it may be freed, or be made once more. In a callback
 * every function except ex_counters_flush may be called. */
typedef void (*ex_added_cb)(struct ex_add *add, int status);

/* Embedded by the caller, all zero before it is first made. The memory must
 * stay until its callback begins. */
struct ex_add {
    /* public */
    void *data;
    int64_t value; /* the counter's, right after this add */
    /* private */
    const char *name;
    int64_t amount;
    struct ex_add *next; /* the one that was made after it */
    bool decided;        /* yours; false when the add is taken into a group */
    int status;          /* yours */
    /* used in given.h only */
    bool pending; /* until its callback begins */
    ex_added_cb on_added;
};

struct ex_counters {
    /* public */
    void *data;
    size_t group_max; /* most adds in a group, 1 or more; may change */
    /* private */
    sqlite3 *db;
    /* used in given.h only */
    struct ex_add
        *waiting; /* the first, in the order in which they were made */
};

/* A row of the table. */
struct ex_counter {
    const char *name;
    int64_t value; /* from least to most: a constraint of the table */
    int64_t least, most;
};

/* ---- Given, in given.h ----------------------------------------------------
 */

/* db is borrowed. It returns extended codes (sqlite3_extended_result_codes),
 * and has no transaction open when ex_counters_flush is called. Its settings
 * stay as they are. */
void ex_counters_init(struct ex_counters *counters,
                      sqlite3 *db,
                      size_t group_max);

/* Makes an add: it waits behind all others. name is borrowed until the
 * callback begins. It is any text, the empty one too, and is compared byte by
 * byte. amount is any number.
 *
 * Returns 0: on_added will run. Returns UV_EINVAL if the add is waiting or in a
 * group, or if name is NULL; then nothing has changed. */
int ex_counters_add(struct ex_counters *counters,
                    struct ex_add *add,
                    const char *name,
                    int64_t amount,
                    ex_added_cb on_added);

/* Takes the adds that have waited longest, at most group_max of them. Returns
 * the first one; the others follow by `next`. Returns NULL if none waits. */
struct ex_add *ex_counters_take(struct ex_counters *counters);

/* Reads a counter. Returns 0, UV_ENOENT (there is none of this name) or an
 * extended SQLITE_* code, which is above 0. */
int ex_counter_read(sqlite3 *db,
                    const char *name,
                    struct ex_counter *ret_counter);

/* Writes the value of a counter that was read. Returns 0 or an extended
 * SQLITE_* code. */
int ex_counter_write(sqlite3 *db, const struct ex_counter *counter);

/* Runs the callback of an add with this status. */
void ex_add_answer(struct ex_add *add, int status);

/* ---- Yours ----------------------------------------------------------------
 */

/* Takes one group, decides about its adds, commits, and answers each of them.
 * Does nothing if no add waits. Adds that are still waiting afterwards are left
 * for the next call, which a program makes in every turn of its loop.
 *
 * The code that a failed group is told is the one of the step that failed
 * first, unchanged; or UV_ENOMEM if it was your own allocation. */
void ex_counters_flush(struct ex_counters *counters);

#endif
