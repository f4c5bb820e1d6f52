/* jobs - runs functions in processes of their own, several at once
 *
 * A job's function runs in a fork of this program, so that whatever happens
 * there cannot harm the one that counts; its result comes back as plain data.
 * One thread enters. When the program ends early, its jobs are killed.
 */
#ifndef GRADER_DRIVER_JOBS_H
#define GRADER_DRIVER_JOBS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct job {
    /* Set before jobs_add. */
    void (*run)(const void *input, void *result); /* in the process */
    const void *input;
    void *result; /* filled in when done has ok */
    size_t result_size;
    void (*done)(struct job *job, int ok); /* may add jobs; ok is 0 if the
                                              process died before its end */
    void *owner;                           /* for done */
    unsigned seconds;                      /* then it is killed; 0: never */

    /* private */
    struct job *next;
    pid_t pid;
    int fd;
    size_t got;
    uint64_t begin;     /* when it was started */
    uint64_t end;       /* when its time is over */
    uint64_t token;     /* begins what it sends, so that nobody else can */
    uint64_t got_token; /* what has come as such */
};

enum {
    JOBS_AT_ONCE_MAX = 64
};

struct jobs {
    struct job *waiting, **waiting_end;
    struct job *running;
    int at_once;
    int count;          /* of those running */
    void (*look)(void); /* called between, for progress; or NULL */
};

/* Hides this process's memory and descriptors from others of the same user
 * (Linux). What is executed later is not hidden. */
void jobs_hide(void);

void jobs_init(struct jobs *jobs, int at_once);

/* Adds a job, which is the caller's and stays until done was called. */
void jobs_add(struct jobs *jobs, struct job *job);

/* Runs all jobs, also those that are added meanwhile. Returns 0, a negative
 * UV_E* when a process could not be started, or the number of the signal
 * that wants this program to end; then no job is running any more. */
int jobs_run(struct jobs *jobs);

#endif
