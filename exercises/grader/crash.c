/* crash - what a test does when a signal ends it: it says where it is
 *
 * Owns the signals of a crash. Each thread enters for itself. Nothing here
 * allocates or locks once the test has begun. Linux only; elsewhere nothing is
 * said.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* pthread_getattr_np, registers */
#endif
#include "runner.h"

#if defined(__linux__)

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* Below this much that is left, a stack counts as full: the functions of a
 * library may be what found no room. */
#define LEFT 65536

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* The lowest address of this thread's stack; 0: not known. */
static _Thread_local uintptr_t stack_end;

/* The stack of the main thread grows; its attributes know how far. */
static void find_end(void)
{
    pthread_attr_t attributes;
    void *end = NULL;
    size_t size = 0;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &end, &size) == 0)
        stack_end = (uintptr_t)end;
    (void)pthread_attr_destroy(&attributes); /* it cannot fail here */
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.sp;
#else
    (void)context;
    return UINTPTR_MAX;
#endif
}

/* A large array has moved the pointer far below the end. What was used is near
 * the pointer or above it, not at NULL. */
static bool is_full(const siginfo_t *info, const ucontext_t *context)
{
    uintptr_t pointer = stack_pointer(context);

    return stack_end != 0 && pointer < stack_end + LEFT &&
           (uintptr_t)info->si_addr >= pointer - LEFT &&
           (uintptr_t)info->si_addr < stack_end + LEFT;
}

/* A call of a function that is nowhere leaves no place to go on from but the
 * one it returns to. */
static void leave_nowhere(const siginfo_t *info, ucontext_t *context)
{
#if defined(__x86_64__)
    greg_t *registers = context->uc_mcontext.gregs;

    if (registers[REG_RIP] != (greg_t)(uintptr_t)info->si_addr)
        return;
    memcpy(&registers[REG_RIP], (const void *)registers[REG_RSP],
           sizeof registers[REG_RIP]);
    registers[REG_RIP]--;
    registers[REG_RSP] += (greg_t)sizeof registers[REG_RSP];
#elif defined(__aarch64__)
    if (context->uc_mcontext.pc == (uintptr_t)info->si_addr)
        context->uc_mcontext.pc = context->uc_mcontext.regs[30] - 4;
#else
    (void)info;
    (void)context;
#endif
}

/* All signals of a crash are blocked in here, so that another one in this
 * thread ends the process at once. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    if (number == SIGSEGV && info->si_code > 0) {
        if (is_full(info, context))
            test__tell(TEST__FULL, "the stack is full");
        leave_nowhere(info, context);
    }
    test__stacks();
    (void)signal(number, SIG_DFL);
    (void)raise(number); /* comes when this handler returns */
}

void test__crash_thread(void *memory)
{
    stack_t stack;

    memset(&stack, 0, sizeof stack);
    stack.ss_sp = memory;
    stack.ss_size = TEST__STACK_SIZE;
    stack.ss_flags = memory != NULL ? 0 : SS_DISABLE;
    (void)sigaltstack(&stack, NULL); /* else a full stack is not told */
    if (memory != NULL)
        find_end();
}

/* The results are not looked at: the arguments are constants. */
void test__crash_prepare(void)
{
    static char memory[TEST__STACK_SIZE];
    struct sigaction action;

    test__crash_thread(memory);
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaddset(&action.sa_mask, SIGALRM);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaddset(&action.sa_mask, crashes[i]);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    action.sa_sigaction = on_crash;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaction(crashes[i], &action, NULL);
}

#else

void test__crash_thread(void *memory)
{
    (void)memory;
}

void test__crash_prepare(void)
{
}

#endif
