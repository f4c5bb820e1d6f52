/* test_sandbox - a test inside bubblewrap cannot reach what is not its own
 *
 * Each test starts itself again as the inner one, inside.
 */
#include "grader/again.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the inner test inside, with a folder, and removes the folder. */
static void run_inside(struct test__run *run, const char *name)
{
    struct test__start start = {.name = name, .seconds = 20, .sandbox = 1};
    const char *reason;

    if (!test__sandbox_works(&reason))
        test_skip("%s", reason);
    start.folder = test__again_folder("given");
    test__again_run(&start, run);
    CHECK_INT(test__again_kin(), 0);
    CHECK(!run->left_behind);
    CHECK_INT(test__folder_remove(start.folder), 0);
}

static void folder_can_be_written(void *run)
{
    if (test__again_is_inner()) {
        FILE *file = fopen(test_path("a.txt"), "w");

        CHECK(file != NULL);
        CHECK_INT(fclose(file), 0);
        return;
    }
    run_inside(run, __func__);
    test__again_judge(run, TEST__PASSED, "");
}

static void nothing_else_can_be_written(void *run)
{
    static const char *const folders[] = {
        ".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/home", ".."};
    char folder[TEST__PATH_SIZE];
    char path[TEST__PATH_SIZE + 16];

    if (test__again_is_inner()) {
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
            (void)snprintf(path, sizeof(path), "%s/written", folders[i]);
            if (fopen(path, "w") != NULL)
                FAIL("%s can be written", path);
        }
        /* The folder beside its own, and the program itself. */
        CHECK_INT(test__folder_path("", 0, folder, sizeof(folder)), 0);
        (void)snprintf(path, sizeof(path), "%s/../written", folder);
        CHECK(fopen(path, "w") == NULL);
        CHECK(fopen("/proc/self/exe", "a") == NULL);
        return;
    }
    run_inside(run, __func__);
    test__again_judge(run, TEST__PASSED, "");
}

/* The outer test listens where the inner one tries to connect. */
static void network_cannot_be_reached(void *run)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (test__again_is_inner()) {
        address.sin_port = htons((in_port_t)atoi(getenv("TEST_PORT")));
        CHECK_INT(connect(fd, (struct sockaddr *)&address, size), -1);
        return;
    }
    CHECK_INT(bind(fd, (struct sockaddr *)&address, size), 0);
    CHECK_INT(listen(fd, 1), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    {
        char text[16];
        int client = socket(AF_INET, SOCK_STREAM, 0);

        CHECK_INT(connect(client, (struct sockaddr *)&address, size), 0);
        CHECK_INT(close(client), 0);
        (void)snprintf(text, sizeof(text), "%d", ntohs(address.sin_port));
        CHECK_INT(setenv("TEST_PORT", text, 1), 0);
    }
    run_inside(run, __func__);
    CHECK_INT(close(fd), 0);
    test__again_judge(run, TEST__PASSED, "");
}

static void no_other_process_is_seen(void *run)
{
    char text[32];

    if (test__again_is_inner()) {
        pid_t outer = (pid_t)atoi(getenv("TEST_OUTER"));

        CHECK(outer > 100);
        CHECK_INT(kill(outer, 0), -1);
        CHECK_INT(errno, ESRCH);
        (void)snprintf(text, sizeof(text), "/proc/%d", (int)outer);
        CHECK(access(text, F_OK) != 0);
        return;
    }
    (void)snprintf(text, sizeof(text), "%d", (int)getpid());
    CHECK_INT(setenv("TEST_OUTER", text, 1), 0);
    run_inside(run, __func__);
    test__again_judge(run, TEST__PASSED, "");
}

static void end_by_a_signal_is_told(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner()) {
        (void)signal(SIGSEGV, SIG_DFL); /* no sanitizer in between */
        (void)raise(SIGSEGV);
    }
    run_inside(run, __func__);
    CHECK(WIFSIGNALED(run->status));
    CHECK_INT(WTERMSIG(run->status), SIGSEGV);
    test__again_judge(run, TEST__FAILED, "ended by SIGSEGV");
}

static void end_by_status_stays(void *fixture)
{
    struct test__run *run = fixture;

    if (test__again_is_inner())
        _exit(3);
    run_inside(run, __func__);
    test__again_judge(run, TEST__FAILED, "exit with status 3 before");
}

static void failure_comes_through(void *run)
{
    if (test__again_is_inner()) {
        printf("what it printed\n");
        FAIL("from inside");
    }
    run_inside(run, __func__);
    test__again_judge(run, TEST__FAILED, "from inside");
    CHECK_CONTAINS(((struct test__run *)run)->output, "what it printed\n");
}

static void process_left_inside_fails(void *run)
{
    if (test__again_is_inner()) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            (void)setsid();
            for (;;)
                (void)pause();
        }
        return;
    }
    run_inside(run, __func__);
    test__again_judge(run, TEST__FAILED, "left a process running");
}

static void killing_all_ends_only_itself(void *run)
{
    if (test__again_is_inner()) {
        (void)kill(-1, SIGKILL);
        (void)kill(getppid(), SIGKILL);
        (void)kill(0, SIGKILL);
    }
    run_inside(run, __func__);
    test__again_judge(run, TEST__FAILED, "ended by SIGKILL");
}

static void hang_inside_is_ended(void *fixture)
{
    struct test__run *run = fixture;
    struct test__start start = {.name = __func__, .seconds = 1, .sandbox = 1};
    const char *reason;

    if (test__again_is_inner()) {
        (void)signal(SIGALRM, SIG_IGN);
        for (;;)
            (void)pause();
    }
    if (!test__sandbox_works(&reason))
        test_skip("%s", reason);
    test__again_run(&start, run);
    CHECK_INT(run->end, TEST__TIME_OVER);
    CHECK_INT(test__again_kin(), 0);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(folder_can_be_written),
    CASE(nothing_else_can_be_written),
    CASE(network_cannot_be_reached),
    CASE(no_other_process_is_seen),
    CASE(end_by_a_signal_is_told),
    CASE(end_by_status_stays),
    CASE(failure_comes_through),
    CASE(process_left_inside_fails),
    CASE(killing_all_ends_only_itself),
    CASE(hang_inside_is_ended),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "sandbox",
    .cases = cases,
    .fixture_size = sizeof(struct test__run),
};
