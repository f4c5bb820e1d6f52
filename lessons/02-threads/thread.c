/* thread - a thread for the inside of a module */
#include "02-threads/thread.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

int asq_thread_start(uv_thread_t *thread, uv_thread_cb run, void *data)
{
    sigset_t all, before;
    int err, rc;

    /* A new thread inherits the signal mask of the one that starts it. */
    (void)sigfillset(&all); /* it cannot fail */
    err = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(err == 0); /* the arguments are right */
    rc = uv_thread_create(thread, run, data);
    err = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(err == 0);
    (void)err; /* read by the assertions only */
    return rc;
}

void asq_thread_set_name(const char *name)
{
#if defined(__linux__)
    (void)prctl(PR_SET_NAME, name, 0, 0, 0); /* without a name it works, too */
#else
    (void)name;
#endif
}
