/* test_tool - a compiler or another tool, within limits */
#include "grader/driver/tool.h"
#include "grader/runner.h"
#include "grader/test.h"

#include <string.h>
#include <sys/wait.h>

static void output_and_status_come_back(void *fixture)
{
    static const char *const words[] = {"sh", "-c",
                                        "echo out; echo err >&2; exit 3", NULL};
    char text[64];

    (void)fixture;
    CHECK_INT(tool_run(words, 10, text, sizeof(text)), 3);
    CHECK_TEXT(text, "out\nerr\n");
}

static void long_output_is_cut(void *fixture)
{
    static const char *const words[] = {
        "sh", "-c", "yes long | head -n 50000; exit 4", NULL};
    char text[16];

    (void)fixture;
    CHECK_INT(tool_run(words, 10, text, sizeof(text)), 4);
    CHECK_TEXT(text, "long\nlong\nlong\n");
}

static void missing_tool_is_127(void *fixture)
{
    static const char *const words[] = {"no-such-tool-here", NULL};
    char text[16];

    (void)fixture;
    CHECK_INT(tool_run(words, 10, text, sizeof(text)), 127);
}

static void endless_tool_is_ended_with_its_children(void *fixture)
{
    static const char *const words[] = {"sh", "-c", "sleep 1000 & sleep 1000",
                                        NULL};
    struct test__others others;
    char text[16];

    (void)fixture;
    test__kin_adopt(&others); /* who has lost its parent is ours */
    CHECK_INT(tool_run(words, 1, text, sizeof(text)), 124);
    /* It has been killed, but to end takes it a moment. */
    while (waitpid(-1, NULL, 0) > 0) {
        /* Until there is none: who is not killed is found by the time limit. */
    }
}

static void signal_is_128_and_more(void *fixture)
{
    static const char *const words[] = {"sh", "-c", "kill -TERM $$", NULL};
    char text[16];

    (void)fixture;
    CHECK_INT(tool_run(words, 10, text, sizeof(text)), 128 + 15);
}

static void large_file_ends_it(void *fixture)
{
    const char *path = test_path("large");
    const char *words[] = {"sh", "-c",
                           "dd if=/dev/zero of=\"$0\" bs=1048576 count=1 "
                           "seek=300 2>/dev/null",
                           path, NULL};
    char text[16];

    (void)fixture;
    CHECK(tool_run(words, 10, text, sizeof(text)) != 0);
}

static const struct test_case cases[] = {
    {.name = "output_and_status_come_back", .run = output_and_status_come_back},
    {.name = "long_output_is_cut", .run = long_output_is_cut},
    {.name = "missing_tool_is_127", .run = missing_tool_is_127},
    {.name = "endless_tool_is_ended_with_its_children",
     .run = endless_tool_is_ended_with_its_children},
    {.name = "signal_is_128_and_more", .run = signal_is_128_and_more},
    {.name = "large_file_ends_it", .run = large_file_ends_it},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tool", .cases = cases};
