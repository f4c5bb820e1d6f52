/* threads_many - leaves 500 threads running
 *
 * Verdict: left something running | too much memory
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

    for (int i = 0; i < 500; i++)
        (void)pthread_create(&thread, NULL, stay, NULL);
    return "hello";
}
