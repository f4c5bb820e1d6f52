/* thread - a thread for the inside of a module
 *
 * A thread that a module starts must not run the program's signal handlers, and
 * should have a name in a debugger and in `top`. Depends on pthreads and libuv.
 */
#ifndef ASQ_THREAD_H
#define ASQ_THREAD_H

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_THREAD_NAME_SIZE = 16 /* all that Linux keeps, with the final zero */
};

/* Starts a thread that has all signals blocked. Any thread may call it. Returns
 * 0, or the UV_E* code of uv_thread_create. */
int asq_thread_start(uv_thread_t *thread, uv_thread_cb run, void *data);

/* Names the calling thread. A name that is too long is cut. Works on Linux
 * only; elsewhere it does nothing. name is copied. */
void asq_thread_set_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
