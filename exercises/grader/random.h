/* random - values that a test draws from its seed
 *
 * A struct test_random belongs to one thread. The same seed gives the same
 * values on every machine. Two generators of one test differ by their salt.
 */
#ifndef GRADER_RANDOM_H
#define GRADER_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct test_random {
    uint64_t state; /* private */
};

/* Begins anew from test_seed() and any number, which keeps generators
 * apart. */
void test_random_init(struct test_random *random, uint64_t salt);

/* Returns any 64 bits. */
uint64_t test_random_bits(struct test_random *random);

/* Returns a number from least to most, both included. */
int64_t
test_random_range(struct test_random *random, int64_t least, int64_t most);

/* Returns a number at which programs break: 0, 1, -1, INT64_MIN, INT64_MAX,
 * a little below or above a power of two from 2^31 to 2^53 of either sign, or
 * any 64 bits. */
int64_t test_random_edge(struct test_random *random);

/* Puts the numbers from 0 to count - 1 in any order. */
void test_random_order(struct test_random *random, int *ret_order, int count);

/* The kinds of a name at which programs break. */
enum test_name {
    TEST_NAME_PLAIN,   /* letters, the first one large */
    TEST_NAME_QUOTED,  /* with ' and " and ; and -- in it */
    TEST_NAME_PATTERN, /* with % and _ and * and ? in it */
    TEST_NAME_LONG,    /* fills the buffer */
    TEST_NAME_UTF8,    /* letters of more than one byte */
    TEST_NAME_EMPTY,
    TEST_NAMES
};

/* Writes a name of this kind, a text in UTF-8 that ends with a zero byte, into
 * a buffer of at least 32 bytes. All but the empty one end with drawn letters,
 * so two are hardly ever equal. Returns name. */
char *test_random_name(struct test_random *random,
                       enum test_name kind,
                       char *name,
                       size_t size);

/* Writes the same name with each letter from A to Z of the other case.
 * The buffers have the same size and may be the same. Returns other. */
char *test_other_case(const char *name, char *other, size_t size);

#endif
