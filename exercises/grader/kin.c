/* kin - the processes that descend from this one, seen through /proc
 *
 * Owns a picture of all processes, taken anew by each call. The runner's only
 * thread enters. Linux only: there an orphan becomes the child of the next
 * process above it that asks for that, so whatever a test starts stays among
 * the descendants of its runner. Elsewhere only its process group is known.
 */
#include "runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#if defined(__linux__)

/* A program that forks faster than it can be killed is given up after this. */
#define END_NS UINT64_C(3000000000)

/* How long something may take that is just ending. */
#define ENDING_NS UINT64_C(500000000)

enum {
    PROCESSES = 4096 /* in one picture; the next one shows the rest */
};

struct process {
    long pid;
    long parent;
    long pages; /* resident */
    bool ended; /* and only waits to be reaped */
    bool is_kin;
};

static struct {
    size_t count;
    struct process list[PROCESSES]; /* by pid */
} all;

/* Reads /proc/PID/stat: "PID (name) state parent ...". The name may hold any
 * character. Returns whether there is such a process. */
static bool read_process(long pid, struct process *ret_process)
{
    char text[1024];
    const char *rest;
    char state;
    ssize_t n;
    int fd;

    (void)snprintf(text, sizeof text, "/proc/%ld/stat", pid);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd); /* it was only read */
    text[n > 0 ? n : 0] = '\0';
    rest = strrchr(text, ')');
    memset(ret_process, 0, sizeof *ret_process);
    ret_process->pid = pid;
    if (rest == NULL ||
        sscanf(rest + 1,
               " %c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
               " %*s %*s %*s %*s %*s %*s %ld",
               &state, &ret_process->parent, &ret_process->pages) != 3)
        return false;
    ret_process->ended = state == 'Z' || state == 'X';
    return true;
}

/* Takes the picture. The kernel lists processes by their ids. */
static void look(void)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    all.count = 0;
    if (folder == NULL)
        return; /* then only the group is known */
    while (all.count < PROCESSES && (entry = readdir(folder)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);

        if (pid > 0 && read_process(pid, &all.list[all.count]))
            all.count++;
    }
    (void)closedir(folder); /* it was only read */
}

static int compare(const void *key, const void *element)
{
    long pid = *(const long *)key;
    const struct process *process = element;

    return (pid > process->pid) - (pid < process->pid);
}

static bool is_kin(long pid)
{
    const struct process *process =
        bsearch(&pid, all.list, all.count, sizeof all.list[0], compare);

    return process != NULL && process->is_kin;
}

static bool is_other(const struct test__others *others, long pid)
{
    for (size_t i = 0; i < others->count; i++)
        if (others->pid[i] == pid)
            return true;
    return false;
}

/* Marks the children of this process, their children, and so on. A child may
 * have a smaller id than its parent, so once through may not be enough. */
static void look_at_kin(const struct test__others *others)
{
    long self = (long)getpid();
    bool changed;

    look();
    do {
        changed = false;
        for (size_t i = 0; i < all.count; i++) {
            struct process *process = &all.list[i];

            if (process->is_kin || is_other(others, process->pid) ||
                (process->parent != self && !is_kin(process->parent)))
                continue;
            process->is_kin = true;
            changed = true;
        }
    } while (changed);
}

void test__kin_adopt(struct test__others *ret_others)
{
    long self = (long)getpid();

    /* Before Linux 3.4 orphans get away; then only the group is known. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    ret_others->count = 0;
    look();
    for (size_t i = 0; i < all.count && ret_others->count < TEST__CHILDREN; i++)
        if (all.list[i].parent == self)
            ret_others->pid[ret_others->count++] = all.list[i].pid;
}

size_t test__kin_measure(const struct test__others *others,
                         uint64_t *ret_memory)
{
    uint64_t pages = 0;
    size_t count = 0;

    look_at_kin(others);
    for (size_t i = 0; i < all.count; i++) {
        if (!all.list[i].is_kin)
            continue;
        pages += (uint64_t)all.list[i].pages;
        count++;
    }
    *ret_memory = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return count;
}

/* Reaps those that have ended, and kills the others if told so. Returns how
 * many of them there were; *ret_running, how many had not ended. */
static size_t end_once(int kill_them, size_t *ret_running)
{
    long self = (long)getpid();
    size_t count = 0;

    *ret_running = 0;
    for (size_t i = 0; i < all.count; i++) {
        const struct process *process = &all.list[i];

        if (!process->is_kin)
            continue;
        count++;
        if (!process->ended)
            ++*ret_running;
        /* Gone already is as good, for both. */
        if (process->ended && process->parent == self)
            (void)waitpid((pid_t)process->pid, NULL, WNOHANG);
        else if (kill_them)
            (void)kill((pid_t)process->pid, SIGKILL);
    }
    return count;
}

bool test__kin_end(const struct test__others *others,
                   long group,
                   uint64_t grace_ns)
{
    uint64_t begin = uv_hrtime();
    bool was_running = false;

    for (;;) {
        uint64_t spent = uv_hrtime() - begin;
        size_t running;

        look_at_kin(others);
        if (end_once(spent >= grace_ns, &running) == 0) {
            /* All at once, even those that no picture could catch. */
            bool more = kill((pid_t)-group, SIGKILL) == 0;

            if (!more)
                return was_running;
            was_running = true;
        } else if (spent >= grace_ns) {
            was_running |= running > 0;
            (void)kill((pid_t)-group, SIGKILL);
        }
        if (spent >= grace_ns + END_NS)
            return true;
        (void)poll(NULL, 0, 1); /* they need a moment */
    }
}

/* Inside the sandbox the first process is bubblewrap's. */
static unsigned count_beside_self(void)
{
    long self = (long)getpid();
    unsigned count = 0;

    look();
    for (size_t i = 0; i < all.count; i++)
        if (all.list[i].pid != 1 && all.list[i].pid != self &&
            !all.list[i].ended)
            count++;
    return count;
}

unsigned test__processes_left(void)
{
    uint64_t end = uv_hrtime() + ENDING_NS;
    unsigned count;

    if (getenv("TEST_SANDBOX") == NULL)
        return 0;
    while ((count = count_beside_self()) > 0 && uv_hrtime() < end)
        (void)poll(NULL, 0, 1);
    return count;
}

#else

void test__kin_adopt(struct test__others *ret_others)
{
    ret_others->count = 0;
}

size_t test__kin_measure(const struct test__others *others,
                         uint64_t *ret_memory)
{
    (void)others;
    *ret_memory = 0;
    return 0;
}

bool test__kin_end(const struct test__others *others,
                   long group,
                   uint64_t grace_ns)
{
    (void)others;
    (void)grace_ns;
    return kill((pid_t)-group, SIGKILL) == 0;
}

unsigned test__processes_left(void)
{
    return 0;
}

#endif
