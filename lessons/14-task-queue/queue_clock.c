/* queue_clock - the clocks of a queue, and which run of the machine this is
 *
 * Owns the name of the run, which is read once.
 */
#include "14-task-queue/queue_clock.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#if defined(__APPLE__)
/* Its header needs more than POSIX. */
extern int sysctlbyname(const char *, void *, size_t *, void *, size_t);
#endif

static char boot[64];
static uv_once_t once = UV_ONCE_INIT;

uint64_t asq__queue_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

int64_t asq__queue_wall_ms(void)
{
    uv_timeval64_t now;

    (void)uv_gettimeofday(&now); /* it fails only without an argument */
    return now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void read_boot(void)
{
#if defined(__APPLE__)
    size_t size = sizeof boot - 1;

    /* UNTESTED: only macOS has it. */
    if (sysctlbyname("kern.bootsessionuuid", boot, &size, NULL, 0) != 0)
        boot[0] = '\0';
#else
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    if (file == NULL)
        return; /* UNTESTED: another system */
    if (fgets(boot, sizeof boot, file) == NULL)
        boot[0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    (void)fclose(file); /* it was only read */
#endif
}

const char *asq__queue_boot(void)
{
    uv_once(&once, read_boot);
    return boot;
}
