/* rival - a writer that commits all the time, beside those who read
 *
 * A thread with a connection of its own. What it writes changes no answer: it
 * puts the same text into the same row again. Main thread. Depends on
 * data_files.
 */
#ifndef BENCH_RIVAL_H
#define BENCH_RIVAL_H

#include "data_files.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

struct rival {
    uv_thread_t thread;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    uv_sem_t committed; /* posted when the first commit is over */
    atomic_bool enough;
    int rc; /* the thread's until it has ended: what ended it early */
};

/* Begins to commit to the file, and waits for the first commit. Returns 0, or
 * -1 with a message. */
int rival_start(struct rival *rival,
                const char *path,
                char message[static BENCH_MESSAGE_MAX]);

/* Ends it. Returns 0, or -1 with a message if it could not commit. */
int rival_stop(struct rival *rival, char message[static BENCH_MESSAGE_MAX]);

#endif
