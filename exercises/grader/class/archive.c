/* archive - what is in an archive, one file after another
 *
 * Owns the process that reads it (unpack.c) until close. One thread enters.
 * What that process sends is not trusted: it may have been taken over.
 */
#include "archive.h"

#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    DATA_MAX = 1 << 28 /* bytes of one file, whatever is asked for */
};

size_t class_archive_ending(const char *name)
{
    static const char *const endings[] = {
        ".tar.gz", ".tgz",     ".tar.xz", ".txz",     ".tar.bz2",  ".tbz2",
        ".tbz",    ".tar.zst", ".tzst",   ".tar.lz4", ".tar.lzma", ".tar.z",
        ".tar",    ".zip",     ".7z",     ".rar"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);

        if (length > ending &&
            strcasecmp(name + length - ending, endings[i]) == 0)
            return ending;
    }
    return 0;
}

int class_archive_open(struct class_archive *archive,
                       const struct class_archive_request *request)
{
    struct class_unpack unpack = {.request = request};
    struct stat there;
    int rc = 0;

    memset(archive, 0, sizeof *archive);
    if (!class_archive_works())
        return UV_ENOSYS;
    unpack.fd =
        open(request->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (unpack.fd < 0)
        return uv_translate_sys_error(errno);
    if (fstat(unpack.fd, &there) != 0 || !S_ISREG(there.st_mode))
        rc = UV_EINVAL;
    else
        rc = class_process_call(&archive->process, class_unpack, &unpack);
    (void)close(unpack.fd); /* it was only read */
    archive->end = uv_hrtime() + request->seconds * UINT64_C(1000000000);
    return rc;
}

/* Waits until so many bytes have come that were not taken yet. Returns whether
 * they have. */
static bool wait_for(struct class_archive *archive, size_t size)
{
    const struct class_process *process = &archive->process;
    struct class_text *come = &archive->come;

    while (come->size - archive->taken < size) {
        if (process->output < 0 || test__interrupted() ||
            uv_hrtime() > archive->end)
            return false;
        if (archive->taken > 0) {
            come->size -= archive->taken;
            memmove(come->data, come->data + archive->taken, come->size);
            archive->taken = 0;
        }
        if (class_process_read(&archive->process, come, SIZE_MAX) == 0)
            class_process_wait(&process, 1, UINT64_C(100000000));
    }
    return true;
}

/* Moves the next bytes that have come to a text. */
static void
take_bytes(struct class_archive *archive, size_t size, struct class_text *to)
{
    to->size = 0;
    class_text_add(to, archive->come.data + archive->taken, size);
    archive->taken += size;
}

static int end_early(const struct class_archive *archive,
                     struct class_entry *entry)
{
    entry->data.size = 0;
    class_text_put(&entry->data, "%s",
                   test__interrupted() ? "it was not read to its end"
                   : uv_hrtime() > archive->end
                       ? "it takes too long to read"
                       : "it takes too much memory or time to read, or is "
                         "made to do harm");
    return 0;
}

int class_archive_next(struct class_archive *archive, struct class_entry *entry)
{
    struct class_frame frame;

    if (!wait_for(archive, sizeof frame))
        return end_early(archive, entry);
    memcpy(&frame, archive->come.data + archive->taken, sizeof frame);
    if (frame.kind > CLASS_ENTRY_END || frame.name > CLASS_NAME_MAX ||
        frame.data > DATA_MAX ||
        !wait_for(archive, sizeof frame + frame.name + (size_t)frame.data))
        return end_early(archive, entry);
    archive->taken += sizeof frame;
    take_bytes(archive, frame.name, &entry->name);
    take_bytes(archive, (size_t)frame.data, &entry->data);
    entry->kind = (enum class_entry_kind)frame.kind;
    entry->time = frame.time;
    return entry->kind != CLASS_ENTRY_END;
}

void class_archive_close(struct class_archive *archive)
{
    class_process_kill(&archive->process);
    class_text_free(&archive->come);
}

void class_entry_free(struct class_entry *entry)
{
    class_text_free(&entry->name);
    class_text_free(&entry->data);
}
