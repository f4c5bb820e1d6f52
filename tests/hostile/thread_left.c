/* thread_left - leaves a thread running
 *
 * Verdict: left something running
 */
#include "ex_hello.h"

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static void *stay(void *unused)
{
    (void)sleep(60);
    return unused;
}

const char *ex_hello(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, stay, NULL) == 0 ? "hello" : "";
}
