/* closed - memory that was given back: no handle in it, no use after it
 *
 * For the callback of an asynchronous close, from which on the memory of the
 * object is the owner's again. The loop's thread enters.
 */
#ifndef GRADER_CLOSED_H
#define GRADER_CLOSED_H

#include <stddef.h>
#include <uv.h>

/* Returns how many handles of the loop, open or closing, lie in the memory. */
unsigned test_handles_in(uv_loop_t *loop, const void *memory, size_t size);

/* Returns how many active handles of this type the loop has: UV_IDLE or
 * UV_TIMER where a program should wait and polls instead. */
unsigned test_handles_active(uv_loop_t *loop, uv_handle_type type);

/* Called in on_closed: ends the test as a wrong answer where a handle of the
 * loop still lies in the memory ("on_closed runs after its handles are
 * closed"), then fills it, so that whatever uses it again goes wrong at once:
 * every pointer in it is invalid, and the address sanitizer reports the place.
 * Before the memory is used anew, test_open takes that back; free() may be
 * called as it is. */
void test_closed(uv_loop_t *loop, void *memory, size_t size);
void test_open(void *memory, size_t size);

#endif
