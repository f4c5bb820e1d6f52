/* counts - numbers in words: "1 load", "twice"
 *
 * Owns a little room for each thread, so that nothing has to be allocated.
 */
#include "runner.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    TEXTS = 4
};

char *test__next_text(void)
{
    static _Thread_local char texts[TEXTS][TEST__TEXT_SIZE];
    static _Thread_local unsigned next;

    return texts[next++ % TEXTS];
}

const char *test_count(uint64_t count, const char *one, const char *many)
{
    char *text = test__next_text();

    if (count == 1)
        (void)snprintf(text, TEST__TEXT_SIZE, "1 %s", one);
    else if (count == 0)
        (void)snprintf(text, TEST__TEXT_SIZE, "no %s%s",
                       many != NULL ? many : one, many != NULL ? "" : "s");
    else
        (void)snprintf(text, TEST__TEXT_SIZE, "%" PRIu64 " %s%s", count,
                       many != NULL ? many : one, many != NULL ? "" : "s");
    return text;
}

const char *test_times(uint64_t times)
{
    static const char *const words[] = {"never", "once", "twice"};
    char *text = test__next_text();

    if (times < sizeof words / sizeof words[0])
        return words[times];
    (void)snprintf(text, TEST__TEXT_SIZE, "%" PRIu64 " times", times);
    return text;
}
