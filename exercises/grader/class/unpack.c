/* unpack - reads an archive and writes what is wanted to standard output
 *
 * Owns the process it runs in, whose limits it sets first. One thread enters.
 * Depends on libarchive, if ASQ_LIBARCHIVE is defined; else it is empty.
 */
#include "unpack.h"

bool class_archive_works(void)
{
#if defined(ASQ_LIBARCHIVE)
    return true;
#else
    return false;
#endif
}

#if !defined(ASQ_LIBARCHIVE)

int class_unpack(void *context)
{
    (void)context;
    return 1;
}

#else

#include "encoding.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    ENTRIES_MAX = 20000,
    INNER_MAX = 8, /* archives in archives */
    DEPTH_MAX = 3,
    INNER_SIZE_MAX = 1 << 26, /* bytes of an archive in an archive */
    BLOCK = 65536
};

struct unpack {
    const struct class_archive_request *request;
    uint64_t sent; /* bytes */
    unsigned entries;
    unsigned inner;
    const char *stopped; /* why there is no more, or NULL */
};

static void unpack_one(struct unpack *unpack,
                       struct archive *archive,
                       const char *prefix,
                       int depth);

/* There is nobody to tell if it cannot be written. */
static void write_all(const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, at, size);

        if (n < 0 && errno != EINTR)
            _exit(1);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
}

static void send_frame(enum class_entry_kind kind,
                       const char *name,
                       const void *data,
                       size_t size,
                       int64_t time)
{
    struct class_frame frame = {.kind = kind,
                                .name = (uint32_t)strnlen(name, CLASS_NAME_MAX),
                                .data = size,
                                .time = time};

    write_all(&frame, sizeof frame);
    write_all(name, frame.name);
    write_all(data, size);
}

static const char *why(struct archive *archive)
{
    const char *text = archive_error_string(archive);

    return text != NULL ? text : "it is damaged";
}

static bool is_locked(struct archive *archive, struct archive_entry *entry)
{
    return archive_entry_is_encrypted(entry) ||
           archive_read_has_encrypted_entries(archive) > 0;
}

/* Reads the data of an entry. Returns the kind that it makes of the entry. */
static enum class_entry_kind read_data(struct archive *archive,
                                       struct archive_entry *entry,
                                       size_t most,
                                       struct class_text *data)
{
    char block[BLOCK];

    for (;;) {
        la_ssize_t n = archive_read_data(archive, block, sizeof block);

        if (n == ARCHIVE_RETRY)
            continue;
        if (n < 0) {
            class_text_free(data);
            class_text_put(data, "%s", why(archive));
            return is_locked(archive, entry) ? CLASS_ENTRY_LOCKED
                                             : CLASS_ENTRY_BROKEN;
        }
        if (n == 0)
            return CLASS_ENTRY_FILE;
        if ((size_t)n > most - data->size)
            return CLASS_ENTRY_LARGE;
        class_text_add(data, block, (size_t)n);
    }
}

static struct archive *new_archive(void)
{
    struct archive *archive = archive_read_new();

    if (archive == NULL)
        return NULL;
    /* Each returns a warning where another program would have to help. */
    (void)archive_read_support_filter_gzip(archive);
    (void)archive_read_support_filter_bzip2(archive);
    (void)archive_read_support_filter_xz(archive);
    (void)archive_read_support_filter_lzma(archive);
    (void)archive_read_support_filter_zstd(archive);
    (void)archive_read_support_filter_lz4(archive);
    (void)archive_read_support_filter_compress(archive);
    (void)archive_read_support_format_tar(archive);
    (void)archive_read_support_format_zip(archive);
    (void)archive_read_support_format_7zip(archive);
    (void)archive_read_support_format_rar(archive);
    (void)archive_read_support_format_rar5(archive);
    return archive;
}

/* Opens an archive that was in another one. */
static void unpack_inner(struct unpack *unpack,
                         const char *name,
                         const struct class_text *data,
                         int depth)
{
    struct archive *archive = new_archive();
    char *prefix = class_format("%s/", name);

    if (archive != NULL &&
        archive_read_open_memory(archive, class_text_of(data), data->size) ==
            ARCHIVE_OK)
        unpack_one(unpack, archive, prefix, depth);
    else
        send_frame(CLASS_ENTRY_BROKEN, name, "it is not an archive", 20, 0);
    free(prefix);
    (void)archive_read_free(archive); /* it was only read */
}

/* Says what a file is to be: an archive that is opened, or how much of it is
 * wanted. */
static size_t wanted(struct unpack *unpack, const char *name, int *ret_inner)
{
    const struct class_archive_request *request = unpack->request;

    *ret_inner = request->nested && class_archive_ending(name) > 0;
    return *ret_inner ? INNER_SIZE_MAX : request->wants(request->context, name);
}

static void take_file(struct unpack *unpack,
                      struct archive *archive,
                      struct archive_entry *entry,
                      const char *name,
                      int depth)
{
    struct class_text data = {0};
    int64_t time =
        archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : 0;
    enum class_entry_kind kind = CLASS_ENTRY_NAME;
    int is_inner;
    size_t most = wanted(unpack, name, &is_inner);

    if (archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != NULL)
        kind = CLASS_ENTRY_LINK;
    else if (is_inner && (depth >= DEPTH_MAX || unpack->inner >= INNER_MAX))
        kind = CLASS_ENTRY_LARGE;
    else if (most > 0)
        kind = read_data(archive, entry, most, &data);
    if (is_inner && kind == CLASS_ENTRY_FILE) {
        unpack->inner++;
        unpack_inner(unpack, name, &data, depth + 1);
    } else {
        if (kind == CLASS_ENTRY_NAME || kind == CLASS_ENTRY_LARGE ||
            kind == CLASS_ENTRY_LINK)
            class_text_free(&data);
        unpack->sent += data.size;
        send_frame(kind, name, class_text_of(&data), data.size, time);
    }
    class_text_free(&data);
}

/* Returns the name in UTF-8, freed with free. Programs for Windows write names
 * in the characters of its console. */
static char *name_of(struct archive_entry *entry, const char *prefix)
{
    const char *name = archive_entry_pathname_utf8(entry);
    char *utf8;
    char *whole;

    if (name == NULL)
        name = archive_entry_pathname(entry);
    if (name == NULL)
        name = "?";
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    utf8 = class_encoding_name(name);
    whole = class_format("%s%s", prefix, utf8);
    free(utf8);
    return whole;
}

/* Says whether one more entry may be looked at. */
static int may_go_on(struct unpack *unpack)
{
    if (unpack->entries++ >= ENTRIES_MAX)
        unpack->stopped = "it holds too many files";
    else if (unpack->sent > unpack->request->most)
        unpack->stopped = "it holds more than may be taken out";
    return unpack->stopped == NULL;
}

static void unpack_one(struct unpack *unpack,
                       struct archive *archive,
                       const char *prefix,
                       int depth)
{
    while (may_go_on(unpack)) {
        struct archive_entry *entry = NULL;
        int rc = archive_read_next_header(archive, &entry);
        char *name;

        if (rc == ARCHIVE_EOF)
            return;
        if (rc == ARCHIVE_FATAL || rc == ARCHIVE_FAILED) {
            const char *said = archive_read_has_encrypted_entries(archive) > 0
                                   ? "it is locked with a password"
                                   : why(archive);

            if (depth > 0)
                send_frame(CLASS_ENTRY_BROKEN, prefix, said, strlen(said), 0);
            else
                unpack->stopped = said;
            return;
        }
        if (rc == ARCHIVE_RETRY || archive_entry_filetype(entry) == AE_IFDIR)
            continue;
        name = name_of(entry, prefix);
        take_file(unpack, archive, entry, name, depth);
        free(name);
    }
}

/* A bomb may take no more than this. A sanitizer needs address space of its
 * own. */
static void set_limits(unsigned seconds)
{
    struct rlimit processor = {seconds, seconds};

    /* Where a limit cannot be set, time still ends it. */
    (void)setrlimit(RLIMIT_CPU, &processor);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&         \
    defined(RLIMIT_AS)
    {
        struct rlimit memory = {(rlim_t)1 << 30, (rlim_t)1 << 30};

        (void)setrlimit(RLIMIT_AS, &memory);
    }
#endif
}

int class_unpack(void *context)
{
    const struct class_unpack *what = context;
    struct unpack unpack = {.request = what->request};
    char path[32];
    struct archive *archive;

    set_limits(what->request->seconds);
    /* libarchive turns names into the characters of the locale. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        (void)setlocale(LC_CTYPE, "en_US.UTF-8");
    archive = new_archive();
    if (archive == NULL)
        return 1;
    /* This way it can seek, as it must in some archives. */
    (void)snprintf(path, sizeof path, "/dev/fd/%d", what->fd);
    if (archive_read_open_filename(archive, path, BLOCK) == ARCHIVE_OK)
        unpack_one(&unpack, archive, "", 0);
    else
        unpack.stopped = why(archive);
    send_frame(CLASS_ENTRY_END, "",
               unpack.stopped != NULL ? unpack.stopped : "",
               unpack.stopped != NULL ? strlen(unpack.stopped) : 0, 0);
    (void)archive_read_free(archive); /* it was only read */
    return 0;
}

#endif
