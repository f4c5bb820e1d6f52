/* folder - removes what was made for a submission
 *
 * Owns nothing. One thread enters. Depends on process.
 */
#include "class.h"
#include "process.h"

#include <errno.h>
#include <sys/stat.h>
#include <uv.h>

int class_folder_remove(const char *path)
{
    const char *const rm[] = {"rm", "-rf", "--", path, NULL};
    const char *const open_up[] = {"chmod", "-R", "u+rwx", "--", path, NULL};
    struct class_text nothing = {0};
    struct stat there;

    if (lstat(path, &there) != 0)
        return errno == ENOENT ? 0 : uv_translate_sys_error(errno);
    /* Whether they did it is looked at, not asked. */
    (void)class_process_run(rm, -1, 0, &nothing);
    if (lstat(path, &there) == 0) {
        /* Somebody has taken himself the right to his folders. */
        (void)class_process_run(open_up, -1, 0, &nothing);
        (void)class_process_run(rm, -1, 0, &nothing);
    }
    class_text_free(&nothing);
    return lstat(path, &there) == 0 ? UV_ENOTEMPTY : 0;
}
