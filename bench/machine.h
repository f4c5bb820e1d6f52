/* machine - on what was it measured?
 *
 * Names and versions, what a sync of the disk costs, and whether two threads
 * that only compute are faster than one: without that nothing scales.
 *
 * Main thread. Depends on SQLite and libuv for their versions.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "common/json.h"

struct machine {
    char system[128]; /* name, release and processor type of the system */
    char cpu[96];
    int cores;
    double fsync_us;   /* of 4 KiB written and synced; the median */
    double scaling[2]; /* two threads to one, before and after: 2 at best */
};

/* Looks at the machine. Takes about a fifth of a second. Returns 0, or a
 * negative errno with which the probe's file under build/data failed. */
int machine_look(struct machine *machine);

/* Measures scaling[index]. */
void machine_control(struct machine *machine, int index);

/* Prints two lines for people. */
void machine_print(const struct machine *machine);

/* Writes the object that is the head of the results. */
void machine_write(const struct machine *machine, struct asq_json *json);

#endif
