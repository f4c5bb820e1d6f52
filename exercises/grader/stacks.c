/* stacks - says where every thread of a test is when it hangs or crashes
 *
 * Owns a signal to ask threads with, and what they answer.
 * One thread asks, in a signal handler as a rule; each of the others answers
 * in a handler of its own and stops there. Nothing here allocates or locks.
 * Linux only; elsewhere nothing is said.
 *
 * A thread that blocks the signal does not answer, as threads of a sanitizer
 * do. The thread sanitizer lets a handler run only when its thread makes a
 * call that it knows, so a busy one may not answer either. Nobody waits long.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* dl_iterate_phdr, getdents64, tgkill */
#endif
#include "runner.h"

#if defined(__linux__)

#include <dirent.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

/* How long all threads together may take to answer: less than the runner
 * waits for a test that ends itself. */
#define ANSWER_NS UINT64_C(500000000)

enum {
    THREADS = 48,  /* together they fit into the report */
    PLACES = 20,   /* of a thread that are told */
    FRAMES = 400,  /* that are looked at */
    BUSY_MS = 1000 /* of the processor: it has not waited all the time */
};

/* Where a thread is. */
struct stack {
    pid_t thread;
    atomic_int is_known; /* what follows is; released by its thread */
    int frames;
    int count;
    uintptr_t places[PLACES];
};

/* Set before the test begins. */
static int prepared;
static uint64_t answer_ns; /* more than ANSWER_NS on a busy machine */
static int ask_signal;
static uintptr_t base;  /* added to the addresses in the program's file */
static uintptr_t first; /* of its addresses */
static uintptr_t last;

static atomic_int asking;      /* the thread that asks, or 0 */
static atomic_int stack_count; /* those of which the thread is set */
static struct stack stacks[THREADS];

static pid_t self(void)
{
    return (pid_t)syscall(SYS_gettid);
}

/* The first object in the list is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    base = info->dlpi_addr;
    first = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = base + part->p_vaddr;

        if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
            continue;
        first = start < first ? start : first;
        last = start + part->p_memsz > last ? start + part->p_memsz : last;
    }
    return 1; /* no more */
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context,
                                     void *data)
{
    struct stack *stack = data;
    int is_exact = 0;
    uintptr_t place = _Unwind_GetIPInfo(context, &is_exact);

    /* Here a signal has come in: what was called since is the handler. Any
     * other place is where a call returns to, just behind it. */
    if (is_exact)
        stack->count = 0;
    else
        place--;
    if (place >= first && place < last && stack->count < PLACES)
        stack->places[stack->count++] = place - base;
    return ++stack->frames < FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Writes down where the calling thread is. */
static void find_places(struct stack *stack)
{
    stack->count = 0;
    stack->frames = 0;
    (void)_Unwind_Backtrace(add_frame, stack); /* as far as it gets */
    atomic_store_explicit(&stack->is_known, 1, memory_order_release);
}

/* Never returns: a call that the signal has interrupted could go on as if
 * what it waited for had come. */
static void on_ask(int number)
{
    int count = atomic_load_explicit(&stack_count, memory_order_acquire);
    pid_t thread = self();

    (void)number;
    for (int i = 0; i < count; i++)
        if (stacks[i].thread == thread)
            find_places(&stacks[i]);
    for (;;)
        (void)pause(); /* a signal must not make it go on */
}

/* Lists the threads, which the kernel does in the order of their start. */
static int list_threads(void)
{
    char bytes[4096];
    int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = 0;
    long size;

    while (folder >= 0 &&
           (size = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0) {
        unsigned short length;

        for (long at = 0; at < size; at += length) {
            long id = strtol(bytes + at + offsetof(struct dirent64, d_name),
                             NULL, 10);

            memcpy(&length, bytes + at + offsetof(struct dirent64, d_reclen),
                   sizeof length);
            if (id > 0 && count < THREADS)
                stacks[count++].thread = (pid_t)id;
        }
    }
    if (folder >= 0)
        (void)close(folder); /* it was only read */
    if (count == 0)
        stacks[count++].thread = self(); /* no descriptor, or no /proc */
    return count;
}

/* Returns whether all threads have answered. */
static bool all_known(int count)
{
    for (int i = 0; i < count; i++)
        if (!atomic_load_explicit(&stacks[i].is_known, memory_order_acquire))
            return false;
    return true;
}

/* Returns whether the thread has used so much of the processor that it cannot
 * have waited all the time. */
static bool is_busy(pid_t thread)
{
    char path[64], text[512];
    const char *at;
    char *end;
    ssize_t size;
    int file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    size = read(file, text, sizeof text - 1);
    (void)close(file); /* it was only read */
    text[size > 0 ? size : 0] = '\0';
    /* The name may hold blanks; the 12th and 13th number behind it are the
     * time in the program and in the kernel. */
    at = strrchr(text, ')');
    for (int i = 0; at != NULL && i < 12; i++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    return (strtoul(at, &end, 10) + strtoul(end, NULL, 10)) * 1000 /
               (unsigned long)sysconf(_SC_CLK_TCK) >=
           BUSY_MS;
}

/* Sends the places of a thread, unless it is nowhere in the program. */
static void send_places(const struct stack *stack, int number)
{
    char text[PLACES * 20];
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < stack->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " 0x%lx",
                                 (unsigned long)stack->places[i]);
    if (used > 0)
        test__tell(TEST__STACK, "%d%s:%s", number,
                   is_busy(stack->thread) ? "*" : "", text);
}

/* Sends the stack of the thread with that index, unless it is not known. */
static void send_stack(int index)
{
    int number = 0;

    if (!atomic_load_explicit(&stacks[index].is_known, memory_order_acquire))
        return;
    /* A sanitizer's own thread does not answer and has no number. */
    for (int i = 0; i <= index; i++)
        number += atomic_load_explicit(&stacks[i].is_known,
                                       memory_order_relaxed) != 0;
    send_places(&stacks[index], number);
}

void test__stacks_here(void)
{
    struct stack stack = {.thread = self()};
    int nobody = 0;

    if (!prepared ||
        !atomic_compare_exchange_strong(&asking, &nobody, (int)stack.thread))
        return;
    find_places(&stack);
    send_places(&stack, 1);
}

void test__stacks(void)
{
    pid_t asks = self();
    uint64_t end = uv_hrtime() + answer_ns;
    int nobody = 0;
    int count;

    if (!prepared)
        return;
    if (!atomic_compare_exchange_strong(&asking, &nobody, (int)asks)) {
        /* The thread that asks has crashed at it, or is about to end the
         * process. */
        while (nobody != (int)asks)
            (void)pause();
        return;
    }
    count = list_threads();
    atomic_store_explicit(&stack_count, count, memory_order_release);
    for (int i = 0; i < count; i++) {
        if (stacks[i].thread == asks)
            find_places(&stacks[i]);
        else /* it may be gone already */
            (void)syscall(SYS_tgkill, getpid(), stacks[i].thread, ask_signal);
    }
    while (!all_known(count) && uv_hrtime() < end)
        (void)poll(NULL, 0, 1);
    for (int i = 0; i < count; i++)
        if (stacks[i].thread == asks)
            send_stack(i);
    for (int i = 0; i < count; i++)
        if (stacks[i].thread != asks)
            send_stack(i);
}

void test__stacks_prepare(void)
{
    struct sigaction action;
    struct stack warm;

    (void)dl_iterate_phdr(find_program, NULL);
    answer_ns = (uint64_t)(ANSWER_NS * test__busy());
    find_places(&warm); /* what it does only once is done now */
    ask_signal = SIGRTMIN + 7;
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = on_ask;
    (void)sigaction(ask_signal, &action, NULL);
    if (!TEST__ADDRESS_SANITIZER && !TEST__THREAD_SANITIZER)
        test__crash_prepare();
    prepared = 1;
}

#else

void test__stacks(void)
{
}

void test__stacks_here(void)
{
}

void test__stacks_prepare(void)
{
}

#endif
