/* peers - the same work through libraries of others, in the same rounds
 *
 * Each is a program of its own, under bench/peers. It is measured where its
 * library is installed: the program runs the workload on the same file and
 * prints what came of it, and its answers are checked like all others.
 *
 * Main thread. Depends on box.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "box.h"

#include <stdbool.h>

enum {
    PEERS = 3,
    PEER_VERSION_MAX = 128
};

struct peer {
    const char *name;
    const char *command;            /* from the root of the course */
    const char *install;            /* what makes it run */
    char version[PEER_VERSION_MAX]; /* of library, language and SQLite; empty:
                                       it is not there */
};

extern struct peer peers[PEERS];

/* Asks each peer for its version. They also look for their libraries in
 * build/peers. */
void peers_look(void);

/* Returns the peer of that name, or NULL. */
struct peer *peers_find(const char *name);

/* Runs the workload as the peer box->way does. Only times of all operations
 * together exist. Returns 0, or -1 with box->message. */
int way_peer(struct box *box);

#endif
