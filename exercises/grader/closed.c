/* closed - memory that was given back: no handle in it, no use after it
 *
 * Owns nothing.
 */
#include "closed.h"
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* No pointer, no small number and no character. */
#define FILL 0xa5

/* Of the address sanitizer; missing without it. */
void __asan_poison_memory_region(void const volatile *memory, size_t size)
    __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *memory, size_t size)
    __attribute__((weak));

struct looking {
    uintptr_t first, end;
    uv_handle_type type;
    unsigned count;
    const uv_handle_t *found; /* one of them */
};

static void look_at_place(uv_handle_t *handle, void *data)
{
    struct looking *looking = data;
    uintptr_t place = (uintptr_t)handle;

    if (place < looking->first || place >= looking->end)
        return;
    looking->count++;
    looking->found = handle;
}

static void look_for(uv_loop_t *loop,
                     const void *memory,
                     size_t size,
                     struct looking *ret_looking)
{
    *ret_looking = (struct looking){.first = (uintptr_t)memory,
                                    .end = (uintptr_t)memory + size};
    uv_walk(loop, look_at_place, ret_looking);
}

unsigned test_handles_in(uv_loop_t *loop, const void *memory, size_t size)
{
    struct looking looking;

    look_for(loop, memory, size, &looking);
    return looking.count;
}

static void look_at_type(uv_handle_t *handle, void *data)
{
    struct looking *looking = data;

    looking->count +=
        uv_is_active(handle) && uv_handle_get_type(handle) == looking->type;
}

unsigned test_handles_active(uv_loop_t *loop, uv_handle_type type)
{
    struct looking looking = {.type = type};

    uv_walk(loop, look_at_type, &looking);
    return looking.count;
}

void test_closed(uv_loop_t *loop, void *memory, size_t size)
{
    struct looking looking;

    look_for(loop, memory, size, &looking);
    if (looking.found != NULL)
        test_wrong("on_closed runs when every handle is closed",
                   "its uv_%s_t is %s",
                   uv_handle_type_name(uv_handle_get_type(looking.found)),
                   uv_is_closing(looking.found) ? "still closing"
                                                : "not even closing");
    memset(memory, FILL, size);
    if (__asan_poison_memory_region != NULL)
        __asan_poison_memory_region(memory, size);
}

void test_open(void *memory, size_t size)
{
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(memory, size);
}
