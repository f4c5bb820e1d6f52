/* signals_handled - handles every signal, raises each, and jumps out of one
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;

static void do_nothing(int number)
{
    (void)number;
}

static void jump(int number)
{
    siglongjmp(back, number);
}

const char *ex_hello(void)
{
    for (int number = 1; number < 32; number++) {
        if (number == SIGKILL || number == SIGSTOP)
            continue;
        (void)signal(number, do_nothing);
        (void)raise(number);
    }
    (void)signal(SIGSEGV, jump);
    if (sigsetjmp(back, 1) == 0)
        (void)raise(SIGSEGV);
    return "hello";
}
