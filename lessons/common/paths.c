/* paths - where programs write
 *
 * Owns nothing. Any thread may call its functions. Depends on POSIX only.
 */
#include "common/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int make_folder(const char *path)
{
    struct stat there;
    int error;

    if (mkdir(path, 0777) == 0)
        return 0;
    error = errno;
    /* Whatever mkdir says, a folder that exists is good enough. */
    if (stat(path, &there) == 0)
        return S_ISDIR(there.st_mode) ? 0 : -ENOTDIR;
    return -error;
}

const char *asq_build_dir(void)
{
    const char *dir = getenv("ASQ_BUILD");

    return dir != NULL && *dir != '\0' ? dir : "build";
}

int asq_make_parents(const char *path)
{
    size_t length = strlen(path);
    char *parents = malloc(length + 1);
    int rc = 0;

    if (parents == NULL)
        return -ENOMEM;
    memcpy(parents, path, length + 1);
    /* Without the first character: "/" itself exists. */
    for (size_t i = 1; i < length && rc == 0; i++) {
        if (parents[i] == '/') {
            parents[i] = '\0';
            rc = make_folder(parents);
            parents[i] = '/';
        }
    }
    free(parents);
    return rc;
}
