/* clients - several who meet a lock at once, and try again until they have it
 *
 * Each is a connection that writes a row of the shop. Another one holds the
 * lock for a while, so the first attempt of all is refused. Counted is what it
 * takes until the last one is served: no clock is needed to compare the ways.
 *
 * The calling thread turns a loop of its own until all is closed. Depends on
 * conn of lesson 03, and on errors and retry.
 */
#ifndef ASQ_CLIENTS_H
#define ASQ_CLIENTS_H

#include "01-blocking/db.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_CLIENTS = 8
};

enum asq_again {
    ASQ_AGAIN_AT_ONCE,
    ASQ_AGAIN_FIXED, /* 10 ms later */
    ASQ_AGAIN_RETRY  /* as the module retry does it, with one budget for all */
};

struct asq_clients_count {
    unsigned attempts; /* of all */
    unsigned most;     /* of one */
    unsigned served;
    char message[ASQ_MESSAGE_SIZE]; /* of the first failure */
};

/* Lets the clients change item 1 of the shop while another connection holds the
 * lock for hold_ms milliseconds. profile is borrowed; its busy timeout does not
 * matter. Returns 0, or a code with ret_count->message. */
int asq_clients_run(const struct asq_profile *profile,
                    enum asq_again again,
                    unsigned hold_ms,
                    struct asq_clients_count *ret_count);

#ifdef __cplusplus
}
#endif

#endif
