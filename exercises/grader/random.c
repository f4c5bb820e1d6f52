/* random - values that a test draws from its seed
 *
 * Owns nothing. splitmix64: a counter, and a mixer that spreads its bits.
 */
#include "random.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

void test_random_init(struct test_random *random, uint64_t salt)
{
    random->state = test_seed() * UINT64_C(0x9e3779b97f4a7c15) ^ salt;
    (void)test_random_bits(random); /* so that small salts are far apart */
}

uint64_t test_random_bits(struct test_random *random)
{
    uint64_t bits = random->state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

/* As the two's complement that every machine of the course has. */
static int64_t as_signed(uint64_t bits)
{
    int64_t number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

int64_t
test_random_range(struct test_random *random, int64_t least, int64_t most)
{
    uint64_t count;

    CHECK(least <= most);
    count = (uint64_t)most - (uint64_t)least + 1; /* 0: all of them */
    if (count == 0)
        return as_signed(test_random_bits(random));
    return as_signed((uint64_t)least + test_random_bits(random) % count);
}

int64_t test_random_edge(struct test_random *random)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MIN, INT64_MAX};
    static const int powers[] = {31, 32, 53};
    int64_t choice = test_random_range(random, 0, 11);

    if (choice < 5)
        return edges[choice];
    if (choice < 11) {
        int64_t power = INT64_C(1) << powers[choice % 3];
        int64_t number = power + test_random_range(random, -2, 2);

        return choice % 2 == 0 ? number : -number;
    }
    return as_signed(test_random_bits(random));
}

void test_random_order(struct test_random *random, int *ret_order, int count)
{
    for (int i = 0; i < count; i++) {
        int other = (int)test_random_range(random, 0, i);

        ret_order[i] = ret_order[other];
        ret_order[other] = i;
    }
}

char *test_random_name(struct test_random *random,
                       enum test_name kind,
                       char *name,
                       size_t size)
{
    static const char *const starts[TEST_NAMES] = {
        [TEST_NAME_PLAIN] = "N",
        [TEST_NAME_QUOTED] = "O'N\"; --",
        [TEST_NAME_PATTERN] = "50%_*?",
        [TEST_NAME_LONG] = "Long",
        [TEST_NAME_UTF8] = "J\xc3\xb6rg \xe4\xba\xac",
        [TEST_NAME_EMPTY] = "",
    };
    size_t length = strlen(starts[kind]);
    size_t letters = 8;

    CHECK(size >= 32);
    memcpy(name, starts[kind], length + 1);
    if (kind == TEST_NAME_EMPTY)
        return name;
    if (kind == TEST_NAME_LONG)
        letters = size - 1 - length;
    for (size_t i = 0; i < letters; i++)
        name[length++] = (char)('a' + test_random_range(random, 0, 25));
    name[length] = '\0';
    return name;
}

char *test_other_case(const char *name, char *other, size_t size)
{
    size_t length = strlen(name);

    CHECK(length < size);
    for (size_t i = 0; i <= length; i++) {
        char letter = name[i];

        if (letter >= 'a' && letter <= 'z')
            letter = (char)(letter - 'a' + 'A');
        else if (letter >= 'A' && letter <= 'Z')
            letter = (char)(letter - 'A' + 'a');
        other[i] = letter;
    }
    return other;
}
