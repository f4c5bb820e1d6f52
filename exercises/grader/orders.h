/* orders - two lists of numbers compared, and told in one line
 *
 * Test thread only.
 */
#ifndef GRADER_ORDERS_H
#define GRADER_ORDERS_H

#include <stddef.h>
#include <stdint.h>

/* Ends the test as a wrong answer unless both lists have the same numbers in
 * the same order: "expected orders 3, 5, 9", "got orders 3, 9, 5". what is the
 * plural of what they number: "orders". Of long lists the part around the
 * first difference is shown. */
void test_orders(const char *what,
                 const int *got,
                 size_t got_count,
                 const int *expected,
                 size_t expected_count);

/* The same for 64 bits: keys. */
void test_orders64(const char *what,
                   const int64_t *got,
                   size_t got_count,
                   const int64_t *expected,
                   size_t expected_count);

#endif
