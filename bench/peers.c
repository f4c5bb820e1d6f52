/* peers - the same work through libraries of others, in the same rounds */
#include "peers.h"

#include "common/clock.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    COMMAND_MAX = 2 * ASQ_SHOP_PATH_MAX
};

struct peer peers[PEERS] = {
    {.name = "aiosqlite",
     .command = "python3 bench/peers/aiosqlite_peer.py",
     .install = "Debian: python3-aiosqlite; or pip install --target "
                "build/peers/python aiosqlite"},
    {.name = "better-sqlite3",
     .command = "node bench/peers/better_sqlite3_peer.js",
     .install = "npm install --prefix build/peers better-sqlite3"},
    {.name = "node-sqlite3",
     .command = "node bench/peers/node_sqlite3_peer.js",
     .install = "Debian: node-sqlite3; or npm install --prefix build/peers "
                "sqlite3"},
};

struct peer *peers_find(const char *name)
{
    for (int i = 0; i < PEERS; i++) {
        if (strcmp(peers[i].name, name) == 0)
            return &peers[i];
    }
    return NULL;
}

/* Runs a command and keeps the first line that it prints, empty if it fails. */
static void ask(const char *command, char *line, int size)
{
    FILE *out = popen(command, "r");

    if (out == NULL || fgets(line, size, out) == NULL)
        line[0] = '\0';
    if (out != NULL && pclose(out) != 0)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

static void look_in(const char *name, const char *folder)
{
    char path[ASQ_SHOP_PATH_MAX];

    /* Cut if the build folder's path is too long; nothing is found there. */
    (void)snprintf(path, sizeof path, "%s/peers/%s", asq_build_dir(), folder);
    (void)setenv(name, path, 0); /* no memory: it is not found */
}

void peers_look(void)
{
    look_in("NODE_PATH", "node_modules");
    look_in("PYTHONPATH", "python");
    for (int i = 0; i < PEERS; i++) {
        char command[COMMAND_MAX];

        (void)snprintf(command, sizeof command, "%s --version 2>/dev/null",
                       peers[i].command); /* fits */
        ask(command, peers[i].version, sizeof peers[i].version);
    }
}

int way_peer(struct box *box)
{
    const char *path = box->data->path[box->workload->source];
    char command[COMMAND_MAX], line[128];
    int64_t sum;
    uint64_t ns;
    long ops;

    if (strchr(path, '\'') != NULL)
        return box_fail(box, "%s: a peer cannot open a name with a quote",
                        path);
    (void)snprintf(command, sizeof command, "%s %s '%s' %d %llu %ld %d",
                   peers_find(box->way)->command, box->workload->name, path,
                   box->in_flight,
                   (unsigned long long)(box->length_ns / ASQ_NS_PER_MS),
                   box->limit, box->data->items); /* fits */
    ask(command, line, sizeof line);
    if (sscanf(line, "%ld %" SCNd64 " %" SCNu64, &ops, &sum, &ns) != 3 ||
        ops <= 0 || ns == 0)
        return box_fail(box, "no result came from: %s", command);
    box->asked = box->answered = ops;
    box->sum = sum;
    box->begin_ns = 0;
    box->end_ns = ns;
    return 0;
}
