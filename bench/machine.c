/* machine - on what was it measured? */
#include "machine.h"

#include "common/clock.h"
#include "common/paths.h"
#include "common/table.h"
#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <uv.h>

enum {
    PROBES = 15,
    CONTROLS = 5,
    TURNS = 4000000
};

static void name_machine(struct machine *machine)
{
    struct utsname names;
    uv_cpu_info_t *cpus = NULL;
    int count = 0;

    if (uname(&names) == 0) /* names longer than the room are cut */
        (void)snprintf(machine->system, sizeof machine->system,
                       "%.40s %.40s %.40s", names.sysname, names.release,
                       names.machine);
    if (uv_cpu_info(&cpus, &count) != 0)
        return;
    machine->cores = count;
    if (count > 0)
        (void)snprintf(machine->cpu, sizeof machine->cpu, "%s", cpus[0].model);
    uv_free_cpu_info(cpus, count);
}

/* Writes and syncs PROBES times. Returns 0 or a negative errno. */
static int sync_file(int fd, double us[])
{
    char page[4096] = {0};

    for (int i = 0; i < PROBES; i++) {
        uint64_t begin = asq_clock_now_ns();

        if (pwrite(fd, page, sizeof page, 0) != (ssize_t)sizeof page ||
            fsync(fd) != 0)
            return errno != 0 ? -errno : -EIO;
        us[i] = (double)(asq_clock_now_ns() - begin) / 1e3;
    }
    return 0;
}

static int probe_fsync(struct machine *machine)
{
    double us[PROBES];
    char path[512];
    int fd;
    int rc;

    /* Cut if the folder's path is too long; opening it then fails. */
    (void)snprintf(path, sizeof path, "%s/data/bench-probe", asq_build_dir());
    rc = asq_make_parents(path);
    if (rc != 0)
        return rc;
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return -errno;
    errno = 0;
    rc = sync_file(fd, us);
    (void)close(fd);    /* nothing of it is kept */
    (void)unlink(path); /* nobody reads it */
    machine->fsync_us = rc == 0 ? tally_spread(us, PROBES).median : NAN;
    return rc;
}

/* Computes and touches no memory that is shared. */
static void compute(void *ret_sum)
{
    uint64_t sum = 1;

    for (long i = 0; i < TURNS; i++)
        sum = sum * UINT64_C(6364136223846793005) + (sum >> 33);
    *(uint64_t *)ret_sum = sum;
}

static double time_threads(int count)
{
    uv_thread_t threads[2];
    uint64_t sums[2];
    int started = 0;
    uint64_t begin = asq_clock_now_ns();

    while (started < count &&
           uv_thread_create(&threads[started], compute, &sums[started]) == 0)
        started++;
    for (int i = 0; i < started; i++)
        (void)uv_thread_join(&threads[i]); /* it was started */
    return started == count ? (double)(asq_clock_now_ns() - begin) : NAN;
}

void machine_control(struct machine *machine, int index)
{
    double ratios[CONTROLS];

    for (int i = 0; i < CONTROLS; i++) {
        double one = time_threads(1);

        ratios[i] = 2 * one / time_threads(2);
    }
    machine->scaling[index] = tally_spread(ratios, CONTROLS).median;
}

int machine_look(struct machine *machine)
{
    *machine = (struct machine){.scaling = {NAN, NAN}};
    name_machine(machine);
    machine_control(machine, 0);
    return probe_fsync(machine);
}

void machine_print(const struct machine *machine)
{
    char text[16];

    printf("%s, %d cores, %s; SQLite %s, libuv %s\n", machine->cpu,
           machine->cores, machine->system, sqlite3_libversion(),
           uv_version_string());
    printf("Writing and syncing a page takes %s. Two threads that only compute "
           "do\n%.2f times the work of one.\n",
           asq_format_duration(text, machine->fsync_us), machine->scaling[0]);
}

void machine_write(const struct machine *machine, struct asq_json *json)
{
    const char *option;

    asq_json_put(json, "{\n    \"machine\": ");
    asq_json_text(json, machine->cpu);
    asq_json_put(json, ",\n    \"system\": ");
    asq_json_text(json, machine->system);
    asq_json_put(json,
                 ",\n    \"cores\": %d,\n    \"sqlite\": ", machine->cores);
    asq_json_text(json, sqlite3_libversion());
    asq_json_put(json, ",\n    \"libuv\": ");
    asq_json_text(json, uv_version_string());
    asq_json_put(json, ",\n    \"compiler\": ");
    asq_json_text(json, __VERSION__);
    asq_json_put(json, ",\n    \"sqlite_options\": [");
    for (int i = 0; (option = sqlite3_compileoption_get(i)) != NULL; i++) {
        asq_json_put(json, i == 0 ? "" : ", ");
        asq_json_text(json, option);
    }
    asq_json_put(json, "],\n    \"fsync_us\": ");
    asq_json_number(json, machine->fsync_us);
    asq_json_put(json, ",\n    \"two_threads_to_one\": [");
    asq_json_number(json, machine->scaling[0]);
    asq_json_put(json, ", ");
    asq_json_number(json, machine->scaling[1]);
    asq_json_put(json, "]");
}
