/* process - other programs, each in a session of its own
 *
 * A session of its own has no terminal to ask for passwords and is one group
 * to kill. Whatever a process leaves behind comes to this one (on Linux) and
 * is killed by class_process_sweep. One thread enters.
 */
#ifndef CLASS_PROCESS_H
#define CLASS_PROCESS_H

#include "grader/runner.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct class_process {
    pid_t pid;  /* 0: none */
    int output; /* to read from; -1: at its end */
    int status; /* as from waitpid, when it has ended */
};

/* Makes this process ready to start others. Call once, first. */
void class_process_prepare(void);

/* Starts the program words[0]; words ends with a NULL. What it prints, and its
 * errors, can be read from output. Returns 0 or a negative UV_E*. */
int class_process_start(struct class_process *process,
                        const char *const words[]);

/* Runs in the child of class_process_call, whose standard output can be read
 * from output. Returns the exit status. */
typedef int (*class_process_main)(void *context);

/* Runs a function of this program in a process of its own. Returns 0 or a
 * negative UV_E*. */
int class_process_call(struct class_process *process,
                       class_process_main run,
                       void *context);

/* Waits until one of them prints or ends, a signal came, or ns are over. */
void class_process_wait(const struct class_process *const processes[],
                        size_t count,
                        uint64_t ns);

/* Reads what has come into text, of which it keeps most bytes at most.
 * Returns how many bytes came. */
size_t class_process_read(struct class_process *process,
                          struct class_text *text,
                          size_t most);

/* Says whether it has ended, and kills what is left of its group if so. */
bool class_process_ended(struct class_process *process);

/* Kills it with its group and waits for its end. */
void class_process_kill(struct class_process *process);

/* Kills every child of this process that is not one of these. */
void class_process_sweep(const struct class_process *const processes[],
                         size_t count);

#endif
