/* contract - what an exercise's header declares, and the headers it includes
 *
 * Owns the texts, without comments. Any thread may enter.
 */
#ifndef GRADER_DRIVER_CONTRACT_H
#define GRADER_DRIVER_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CONTRACT_HEADERS = 64,  /* more are not read */
    CONTRACT_SIZE = 1 << 20 /* of all of them */
};

struct contract {
    char *own;     /* the header itself */
    char *modules; /* what it includes, and what that includes */
    size_t modules_size;
    char seen[CONTRACT_HEADERS][256]; /* the names of those */
    size_t seen_count;
};

/* Reads a header and those of the modules, which are in the folder lessons.
 * Returns 0 and what contract_free frees, or a negative UV_E*. */
int contract_new(const char *header,
                 const char *lessons,
                 struct contract **ret_contract);

/* Frees it; NULL is allowed. */
void contract_free(struct contract *contract);

/* Returns how many functions of exercises, ex_..., a text declares. */
int contract_count(const char *text);

/* Returns whether one of its texts declares a function of that name. */
bool contract_declares(const char *text, const char *name);

#endif
