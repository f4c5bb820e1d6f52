/* orders - two lists of numbers compared, and told in one line
 *
 * Owns nothing.
 */
#include "orders.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum {
    SHOWN = 12, /* numbers of a list */
    BEFORE = 4, /* of these, before the first difference */
    TEXT_SIZE = 512
};

struct list {
    const int *narrow; /* or NULL */
    const int64_t *wide;
    size_t count;
};

static int64_t number_of(const struct list *list, size_t i)
{
    return list->narrow != NULL ? list->narrow[i] : list->wide[i];
}

/* "orders 3, 5, 9", "no orders", "orders ..., 8, 9, ... (50 of them)" */
static void tell(const char *what,
                 const struct list *list,
                 size_t difference,
                 char *text,
                 size_t size)
{
    size_t first = difference > BEFORE ? difference - BEFORE : 0;
    size_t end = first + SHOWN;
    size_t used;

    if (list->count <= SHOWN)
        first = 0;
    if (end > list->count)
        end = list->count;
    if (list->count == 0) {
        (void)snprintf(text, size, "no %s", what);
        return;
    }
    used = (size_t)snprintf(text, size, "%s%s", what, first > 0 ? " ..." : "");
    for (size_t i = first; i < end && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%lld",
                                 i == 0 ? " " : ", ",
                                 (long long)number_of(list, i));
    }
    if (used < size && end - first < list->count)
        (void)snprintf(text + used, size - used, "%s (%zu of them)",
                       end < list->count ? ", ..." : "", list->count);
}

static void
compare(const char *what, const struct list *got, const struct list *expected)
{
    char got_text[TEXT_SIZE], expected_text[TEXT_SIZE];
    size_t i = 0;

    while (i < got->count && i < expected->count &&
           number_of(got, i) == number_of(expected, i))
        i++;
    if (i == got->count && i == expected->count)
        return;
    tell(what, got, i, got_text, sizeof got_text);
    tell(what, expected, i, expected_text, sizeof expected_text);
    test_wrong(expected_text, "%s", got_text);
}

void test_orders(const char *what,
                 const int *got,
                 size_t got_count,
                 const int *expected,
                 size_t expected_count)
{
    compare(what, &(struct list){.narrow = got, .count = got_count},
            &(struct list){.narrow = expected, .count = expected_count});
}

void test_orders64(const char *what,
                   const int64_t *got,
                   size_t got_count,
                   const int64_t *expected,
                   size_t expected_count)
{
    compare(what, &(struct list){.wide = got, .count = got_count},
            &(struct list){.wide = expected, .count = expected_count});
}
