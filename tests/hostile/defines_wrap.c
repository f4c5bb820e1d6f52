/* defines_wrap - replaces what the linker calls in the place of malloc
 *
 * Verdict: refused
 * Message: __wrap_malloc
 */
#include "ex_hello.h"

#include <stddef.h>

void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    (void)size;
    return NULL;
}

const char *ex_hello(void)
{
    return "goodbye";
}
