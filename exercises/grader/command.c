/* command - the words that start a test's process, and its environment
 *
 * Owns nothing. The runner's only thread enters. A graded test, which is one
 * with a folder of its own, finds nothing of its user in the environment.
 */
#include "runner.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* What a test that is graded finds. History: what the thread sanitizer can
 * say about the earlier of two accesses, 2^n * 32 Ki of them a thread. */
#define ADDRESS_OPTIONS                                                        \
    "handle_abort=1:detect_stack_use_after_return=1:"                          \
    "allocator_may_return_null=1:color=never"
#define THREAD_OPTIONS                                                         \
    "halt_on_error=1:exitcode=66:history_size=4:report_thread_leaks=1:"        \
    "color=never"

void test__words_add(struct test__words *words, const char *format, ...)
{
    size_t room = sizeof words->text - words->used;
    char *word = words->text + words->used;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(word, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room ||
        words->count + 1 >= TEST__WORDS) {
        words->full = 1;
        return;
    }
    words->used += (size_t)length + 1;
    words->word[words->count++] = word;
    words->word[words->count] = NULL;
}

/* Adds a word that lives long enough. */
static void add_as_it_is(struct test__words *words, char *word)
{
    if (words->count + 1 >= TEST__WORDS) {
        words->full = 1;
        return;
    }
    words->word[words->count++] = word;
    words->word[words->count] = NULL;
}

static int begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Returns whether the entry stays when the environment is reduced. */
static bool is_kept(const char *entry)
{
    static const char *const kept[] = {"PATH=", "TEST_", "ASQ_",
                                       "UBSAN_OPTIONS=", "LSAN_OPTIONS="};

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (begins_with(entry, kept[i]))
            return true;
    return false;
}

/* Of two values for an option the later one counts. */
static void add_options(struct test__words *environment,
                        const char *name,
                        const char *options)
{
    const char *given = getenv(name);

    test__words_add(environment, "%s=%s:%s", name, given != NULL ? given : "",
                    options);
}

static void make_environment(const struct test__start *start,
                             const char *folder,
                             struct test__words *environment)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (folder != NULL && !is_kept(*entry))
            continue;
        if (start->seed != 0 && begins_with(*entry, "TEST_SEED="))
            continue;
        if (folder != NULL && (begins_with(*entry, "TEST_FOLDER=") ||
                               begins_with(*entry, "TEST_SANDBOX=")))
            continue;
        add_as_it_is(environment, *entry);
    }
    if (start->seed != 0)
        test__words_add(environment, "TEST_SEED=%llu",
                        (unsigned long long)start->seed);
    if (start->sandbox)
        test__words_add(environment, "TEST_SANDBOX=1");
    if (folder == NULL)
        return;
    test__words_add(environment, "TEST_FOLDER=%s", folder);
    test__words_add(environment, "TMPDIR=%s", folder);
    test__words_add(environment, "HOME=%s", folder);
    add_options(environment, "ASAN_OPTIONS", ADDRESS_OPTIONS);
    add_options(environment, "TSAN_OPTIONS", THREAD_OPTIONS);
}

/* Writes the absolute path of what is there. Returns 0 or a negative UV_E*. */
static int find_whole_path(const char *path, char *ret_path, size_t size)
{
    uv_fs_t request;
    int err = uv_fs_realpath(NULL, &request, path, NULL);

    if (err == 0 && strlen(request.ptr) >= size)
        err = UV_ENAMETOOLONG;
    if (err == 0)
        (void)strcpy(ret_path, request.ptr);
    uv_fs_req_cleanup(&request);
    return err;
}

int test__command_make(const struct test__start *start,
                       int report,
                       struct test__words *ret_command,
                       struct test__words *ret_environment)
{
    char program[TEST__PATH_SIZE];
    char folder[TEST__PATH_SIZE];
    size_t size = sizeof program;
    int err = start->program != NULL
                  ? find_whole_path(start->program, program, sizeof program)
                  : uv_exepath(program, &size);

    if (err == 0 && start->folder != NULL)
        err = find_whole_path(start->folder, folder, sizeof folder);
    if (err != 0)
        return err;
    memset(ret_command, 0, sizeof *ret_command);
    memset(ret_environment, 0, sizeof *ret_environment);
    for (size_t i = 0; start->prefix != NULL && start->prefix[i] != NULL; i++)
        test__words_add(ret_command, "%s", start->prefix[i]);
    if (start->sandbox)
        test__sandbox_add(ret_command, program,
                          start->folder != NULL ? folder : NULL);
    test__words_add(ret_command, "%s", program);
    test__words_add(ret_command, "--run");
    test__words_add(ret_command, "%s", start->name);
    test__words_add(ret_command, "%d", report);
    test__words_add(ret_command, "%u", start->seconds);
    make_environment(start, start->folder != NULL ? folder : NULL,
                     ret_environment);
    return ret_command->full || ret_environment->full ? UV_E2BIG : 0;
}
