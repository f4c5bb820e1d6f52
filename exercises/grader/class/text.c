/* text - growing text, whole files, and hashes for build/class
 *
 * Owns nothing that lasts. One thread enters. Depends on POSIX, common/paths
 * and libuv's error codes.
 */
#include "text.h"

#include "common/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

void *class_allocate(void *old, size_t size)
{
    void *place = realloc(old, size > 0 ? size : 1);

    if (place == NULL) {
        /* Nobody is left to tell if this cannot be printed. */
        (void)fputs("build/class: out of memory; start it again to go on\n",
                    stderr);
        exit(1);
    }
    return place;
}

void *class_grow(void *elements, size_t count, size_t size)
{
    /* Only where count is a power of two is the room used up. */
    if ((count & (count - 1)) != 0)
        return elements;
    return class_allocate(elements, (count > 0 ? 2 * count : 1) * size);
}

static void make_room(struct class_text *text, size_t more)
{
    size_t needed = text->size + more + 1;

    if (needed <= text->capacity)
        return;
    needed = needed < 2 * text->capacity ? 2 * text->capacity : needed;
    text->data = class_allocate(text->data, needed);
    text->capacity = needed;
}

void class_text_add(struct class_text *text, const void *data, size_t size)
{
    make_room(text, size);
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void put_list(struct class_text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void put_list(struct class_text *text, const char *format, va_list args)
{
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length > 0) {
        make_room(text, (size_t)length);
        /* The same arguments gave their length a moment ago. */
        (void)vsnprintf(text->data + text->size, (size_t)length + 1, format,
                        again);
        text->size += (size_t)length;
    }
    va_end(again);
}

void class_text_put(struct class_text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_list(text, format, args);
    va_end(args);
}

const char *class_text_of(const struct class_text *text)
{
    return text->data != NULL ? text->data : "";
}

void class_text_free(struct class_text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

char *class_format(const char *format, ...)
{
    struct class_text text = {0};
    va_list args;

    va_start(args, format);
    put_list(&text, format, args);
    va_end(args);
    class_text_add(&text, "", 0); /* an empty text has its zero byte too */
    return text.data;
}

/* Returns how many bytes a character of UTF-8 takes; 0 if it is not one. */
static size_t character_size(const unsigned char *c)
{
    size_t size = c[0] < 0x80   ? 1
                  : c[0] < 0xc2 ? 0
                  : c[0] < 0xe0 ? 2
                  : c[0] < 0xf0 ? 3
                  : c[0] < 0xf5 ? 4
                                : 0;

    for (size_t i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    /* Too long a form, surrogates, beyond the last one. */
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    /* Control characters of both kinds: a terminal obeys them. */
    if (c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
        return 0;
    return size;
}

char *class_shown(const char *text)
{
    char *shown = class_format("%s", text);
    char *to = shown;

    while (*text != '\0') {
        size_t size = character_size((const unsigned char *)text);

        if (size == 0) {
            *to++ = '?';
            text++;
        } else {
            memmove(to, text, size);
            to += size;
            text += size;
        }
    }
    *to = '\0';
    return shown;
}

void class_text_put_field(struct class_text *text,
                          const char *field,
                          const char *end)
{
    int quoted = strpbrk(field, ",;\"\r\n\t") != NULL;

    if (quoted)
        class_text_add(text, "\"", 1);
    if (*field != '\0' && strchr("=+-@\t\r", *field) != NULL)
        class_text_add(text, "'", 1);
    for (; *field != '\0'; field++) {
        if (*field == '"')
            class_text_add(text, "\"", 1);
        class_text_add(text, field, 1);
    }
    class_text_put(text, "%s%s", quoted ? "\"" : "", end);
}

void class_text_put_markup(struct class_text *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        switch (*plain) {
        case '&':
            class_text_put(text, "&amp;");
            break;
        case '<':
            class_text_put(text, "&lt;");
            break;
        case '>':
            class_text_put(text, "&gt;");
            break;
        case '"':
            class_text_put(text, "&quot;");
            break;
        default:
            class_text_add(text, plain, 1);
        }
    }
}

uint64_t class_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    return hash;
}

int class_file_read(const char *path, size_t most, struct class_text *text)
{
    struct stat there;
    int rc = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return uv_translate_sys_error(errno);
    if (fstat(fd, &there) != 0 || !S_ISREG(there.st_mode))
        rc = UV_EINVAL;
    else if ((uint64_t)there.st_size > most)
        rc = UV_EFBIG;
    while (rc == 0) {
        char part[65536];
        ssize_t n = read(fd, part, sizeof part);

        if (n > 0)
            class_text_add(text, part, (size_t)n);
        if (n < 0 && errno != EINTR)
            rc = uv_translate_sys_error(errno);
        if (n == 0)
            break;
        if (text->size > most)
            rc = UV_EFBIG; /* UNTESTED: it grows while it is read */
    }
    (void)close(fd); /* it was only read */
    return rc;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return uv_translate_sys_error(errno);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int class_file_write(const char *path, const void *data, size_t size)
{
    char *beside = class_format("%s.%ld.tmp", path, (long)getpid());
    int rc = asq_make_parents(path);
    int fd;

    if (rc != 0)
        goto out;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
              0666);
    if (fd < 0) {
        rc = uv_translate_sys_error(errno);
        goto out;
    }
    rc = write_all(fd, data, size);
    if (close(fd) != 0 && rc == 0)
        rc = uv_translate_sys_error(errno);
    if (rc == 0 && rename(beside, path) != 0)
        rc = uv_translate_sys_error(errno);
    if (rc != 0)
        (void)unlink(beside); /* the first error is the one to tell */

out:
    free(beside);
    return rc;
}
