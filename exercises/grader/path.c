/* path - a test's own folder, and the paths of files in it
 *
 * Owns the paths that a test has asked for; any of its threads enters. Depends
 * on the environment: TEST_FOLDER is the folder of a test that was given one,
 * ASQ_BUILD replaces build.
 */
#include "runner.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATHS_MAX = 32
};

static const char *test_name; /* set before the test begins */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock. */
static size_t count;
static char paths[PATHS_MAX][TEST__PATH_SIZE];

void test__path_prepare(const char *test)
{
    test_name = test;
}

bool test__folder_is_given(void)
{
    return getenv("TEST_FOLDER") != NULL;
}

int test__folder_path(const char *name, long pid, char *path, size_t size)
{
    const char *build = getenv("ASQ_BUILD");
    const char *given = getenv("TEST_FOLDER");
    int length;

    if (build == NULL || build[0] == '\0')
        build = "build";
    if (given != NULL)
        length = snprintf(path, size, "%s", given);
    else
        length = snprintf(path, size, "%s/tmp/%s-%s-%ld", build,
                          test_suite.name, name, pid);
    return length < 0 || (size_t)length >= size ? UV_ENAMETOOLONG : 0;
}

/* Makes the test's own folder, empty. A test that had the same process id
 * and failed may have left one. */
static void make_folder(const char *path)
{
    int err = test__folder_remove(path);

    if (err == 0)
        err = test__folder_make(path);
    if (err != 0)
        FAIL("cannot make the folder %s: %s", path, uv_strerror(err));
}

const char *test_path(const char *name)
{
    char folder[TEST__PATH_SIZE];
    char path[TEST__PATH_SIZE];
    const char *found = NULL;
    int length;

    if (test__folder_path(test_name, (long)getpid(), folder, sizeof folder) !=
        0)
        FAIL("the path of the test's folder is too long");
    length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        FAIL("%s: the path is too long", name);
    (void)pthread_mutex_lock(&lock); /* never fails for this kind */
    if (count == 0 && !test__folder_is_given())
        make_folder(folder);
    for (size_t i = 0; i < count && found == NULL; i++)
        if (strcmp(paths[i], path) == 0)
            found = paths[i];
    if (found == NULL && count < PATHS_MAX) {
        found = memcpy(paths[count++], path, (size_t)length + 1);
    }
    (void)pthread_mutex_unlock(&lock);
    if (found == NULL)
        FAIL("%s: a test has at most %d paths", name, PATHS_MAX);
    return found;
}
