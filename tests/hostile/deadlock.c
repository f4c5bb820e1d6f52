/* deadlock - waits for a mutex that it holds itself
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <pthread.h>

const char *ex_hello(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    (void)pthread_mutex_lock(&lock);
    (void)pthread_mutex_lock(&lock);
    return "hello";
}
