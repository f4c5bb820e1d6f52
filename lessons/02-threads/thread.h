/* thread - a thread for the inside of a module
 *
 * A module's thread must not run the program's signal handlers, and should
 * have a name in a debugger and in `top`. Depends on pthreads and libuv.
 */
#ifndef ASQ_THREAD_H
#define ASQ_THREAD_H

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_THREAD_NAME_SIZE = 16 /* Linux keeps no more, the final zero included */
};

/* Starts a thread that has all signals blocked. Any thread. Returns 0, or the
 * UV_E* code of uv_thread_create. */
int asq_thread_start(uv_thread_t *thread, uv_thread_cb run, void *data);

/* Names the calling thread; what is too long is cut. Does nothing where the
 * system cannot do it (only Linux is used here). name is copied. */
void asq_thread_set_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
