/* test_store_campaign - power cuts, faults and kills where the seed says
 *
 * `make campaign` runs it again and again, with another seed each time.
 */
#include "campaign_counts.h"
#include "disk_faults.h"
#include "power_cut.h"
#include "store_fault.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static uint64_t state;

static unsigned draw(unsigned below)
{
    return campaign_draw(&state, below);
}

static void set_up(void *data)
{
    store_set_up(data);
    state = test_seed();
}

static void the_power_is_cut(void *data)
{
    struct fixture *f = data;
    uint64_t cuts = 0;

    open_conn(f);
    close_conn(f);
    for (int i = 0; i < 6; i++) {
        f->profile.synchronous = 1 + i % 2;
        cuts +=
            cut_at(f, 1 + draw(f->profile.synchronous == 2 ? 340 : 100), 300);
    }
    campaign_count("power cuts", cuts);
}

static void an_op_fails(void *data)
{
    struct fixture *f = data;

    open_conn(f);
    close_conn(f);
    for (int i = 0; i < 20; i++) {
        const struct disk_fault *fault = &disk_faults[draw(DISK_FAULTS)];

        (void)fail_at(f, fault->op, fault->code, 1 + draw(40), draw(2) == 1);
    }
    campaign_count("faults of a disk", 20);
}

/* Rows that one process writes, in the order of their numbers */

enum {
    WRITERS = 4,
    KILLS = 6,
    IN_FLIGHT = 16
};

/* In the child. */
struct writer {
    struct asq_store store;
    struct asq_request requests[IN_FLIGHT];
    struct asq_value values[IN_FLIGHT][2];
    int64_t run, number;
    int pipe;
    int64_t numbers[IN_FLIGHT];
};

static void write_next(struct writer *writer, int index);

static void tell_parent(struct asq_request *request, int status)
{
    struct writer *writer = request->data;
    int index = (int)(request - writer->requests);
    int64_t number = writer->numbers[index];

    if (status != 0 ||
        write(writer->pipe, &number, sizeof number) != (ssize_t)sizeof number)
        _exit(status != 0 ? 3 : 4);
    write_next(writer, index);
}

static void write_next(struct writer *writer, int index)
{
    struct asq_value *values = writer->values[index];
    struct asq_params params = {.values = values, .count = 2};

    writer->numbers[index] = ++writer->number;
    values[0] = asq_int64(writer->run);
    values[1] = asq_int64(writer->number);
    if (asq_conn_run(&writer->store.conn, &writer->requests[index],
                     "INSERT INTO w VALUES (?1, ?2)", &params,
                     tell_parent) != 0)
        _exit(5);
}

static void begin_to_write(struct asq_conn *conn, int status)
{
    struct writer *writer = conn->data;

    if (status != 0)
        _exit(6);
    for (int i = 0; i < IN_FLIGHT; i++) {
        asq_request_init(&writer->requests[i]);
        writer->requests[i].data = writer;
        write_next(writer, i);
    }
}

_Noreturn static void
write_for_ever(const struct asq_profile *profile, int64_t run, int fd)
{
    static struct writer writer;
    uv_loop_t loop;

    writer.run = run;
    writer.pipe = fd;
    asq_store_init(&writer.store);
    writer.store.conn.data = &writer;
    writer.store.wal_pages = 50;
    if (uv_loop_init(&loop) != 0 ||
        asq_conn_open(&writer.store.conn, &loop, profile, begin_to_write) != 0)
        _exit(7);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    _exit(8);
}

/* In the parent */

struct child {
    pid_t pid;
    int fd;
    int64_t run;
    int64_t acknowledged; /* every number up to this one */
};

static void start(struct fixture *f, struct child *child, int64_t run)
{
    int fds[2];

    CHECK_INT(pipe(fds), 0);
    child->run = run;
    child->acknowledged = 0;
    child->fd = fds[0];
    child->pid = fork();
    CHECK(child->pid >= 0);
    if (child->pid == 0) {
        (void)close(fds[0]);
        write_for_ever(&f->profile, run, fds[1]);
    }
    CHECK_INT(close(fds[1]), 0);
}

/* Returns false at the end of the pipe. Requests that ran again alone are not
 * answered in order, so the greatest number counts only because the file has
 * no hole. */
static bool take_one(struct child *child)
{
    int64_t number = 0;
    ssize_t got = read(child->fd, &number, sizeof number);

    if (got != (ssize_t)sizeof number)
        return false;
    if (number > child->acknowledged)
        child->acknowledged = number;
    return true;
}

static int64_t ask_run(const struct fixture *f, const char *what, int64_t run)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql, "SELECT %s FROM w WHERE run = %lld", what,
                   (long long)run);
    return raw_number(f->profile.path, sql);
}

static void check_run(const struct fixture *f, const struct child *child)
{
    int64_t rows = ask_run(f, "count(*)", child->run);

    CHECK_INT(ask_run(f, "coalesce(max(n), 0)", child->run), rows);
    CHECK(rows >= child->acknowledged);
}

static void end(const struct fixture *f, struct child *child)
{
    int status = 0;

    CHECK_INT(kill(child->pid, SIGKILL), 0);
    CHECK_INT(waitpid(child->pid, &status, 0), child->pid);
    if (!WIFSIGNALED(status))
        FAIL("process %lld has ended by itself, with status %d",
             (long long)child->run, WEXITSTATUS(status));
    while (take_one(child))
        continue;
    CHECK_INT(close(child->fd), 0);
    check_run(f, child);
}

/* Four processes write into one file. */
static void processes_are_killed(void *data)
{
    struct fixture *f = data;
    struct child children[WRITERS];
    struct pollfd polls[WRITERS];
    int64_t run = 0;

    f->profile.vfs = NULL;
    f->profile.synchronous = 1;
    f->profile.busy_ms = 60000;
    raw_run(f->profile.path,
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE w (run, n, PRIMARY KEY (run, n)) WITHOUT ROWID");
    for (int i = 0; i < WRITERS; i++)
        start(f, &children[i], ++run);
    for (int kills = 0; kills < KILLS; kills++) {
        unsigned answers = draw(400);
        unsigned victim = draw(WRITERS);

        while (answers > 0) {
            for (int i = 0; i < WRITERS; i++)
                polls[i] = (struct pollfd){children[i].fd, POLLIN, 0};
            CHECK(poll(polls, WRITERS, -1) > 0);
            for (int i = 0; i < WRITERS && answers > 0; i++) {
                if (polls[i].revents == 0)
                    continue;
                CHECK(take_one(&children[i]));
                answers--;
            }
        }
        end(f, &children[victim]);
        start(f, &children[victim], ++run);
    }
    for (int i = 0; i < WRITERS; i++)
        end(f, &children[i]);
    CHECK_INT(raw_number(f->profile.path,
                         "SELECT count(*) FROM pragma_integrity_check"
                         " WHERE integrity_check = 'ok'"),
              1);
    campaign_count("kills of a process that writes", KILLS + WRITERS);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(the_power_is_cut),
    CASE(an_op_fails),
    CASE(processes_are_killed),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_campaign",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = store_tear_down};
