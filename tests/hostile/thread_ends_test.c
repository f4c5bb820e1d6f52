/* thread_ends_test - ends the thread that runs the test, not the process
 *
 * Verdict: left early | hung
 */
#include "ex_hello.h"

#include <pthread.h>
#include <stddef.h>

const char *ex_hello(void)
{
    pthread_exit(NULL);
}
