/* folder - makes and removes folders of tests
 *
 * Owns nothing. The parent removes the folder of a test that passed, the
 * child makes it. Depends on POSIX.
 */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int test__folder_make(const char *path)
{
    char part[TEST__PATH_SIZE];
    size_t length = strlen(path);

    if (length >= sizeof part)
        return UV_ENAMETOOLONG;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return uv_translate_sys_error(errno);
    }
    return 0;
}

int test__folder_remove(const char *path)
{
    char file[TEST__PATH_SIZE];
    struct dirent *entry;
    DIR *folder = opendir(path);
    int err = 0;

    if (folder == NULL)
        return errno == ENOENT ? 0 : uv_translate_sys_error(errno);
    while ((entry = readdir(folder)) != NULL) {
        int length;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        length = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof file)
            err = UV_ENAMETOOLONG;
        else if (remove(file) != 0)
            err = uv_translate_sys_error(errno);
    }
    (void)closedir(folder); /* it was only read */
    if (err == 0 && rmdir(path) != 0)
        err = uv_translate_sys_error(errno);
    return err;
}
