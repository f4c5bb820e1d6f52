/* text - reads the lines of other programs, and makes them fit to be shown */
#include "grader/driver/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

bool text_next(const char *text, size_t size, size_t *at, char line[TEXT_LINE])
{
    const char *start = text + *at;
    const char *end;
    size_t length;
    size_t kept;

    if (*at >= size)
        return false;
    end = memchr(start, '\n', size - *at);
    length = end != NULL ? (size_t)(end - start) : size - *at;
    kept = length < TEXT_LINE - 1 ? length : TEXT_LINE - 1;
    for (size_t i = 0; i < kept; i++)
        line[i] = start[i] != '\0' ? start[i] : '?';
    line[kept] = '\0';
    *at += length + 1;
    return true;
}

/* Returns how many bytes the character takes, or 0 when it is not one that can
 * be printed. */
static size_t measure(const unsigned char *c)
{
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

    if (length == 1)
        return c[0] >= ' ' && c[0] != 127;
    if (c[0] < 0xc2 || c[0] > 0xf4 || (c[0] == 0xc2 && c[1] < 0xa0))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Returns how many bytes of an address are here; at least six digits, because
 * a shorter number is a student's own. */
static size_t measure_address(const char *from)
{
    size_t length = 2;

    if (from[0] != '0' || from[1] != 'x')
        return 0;
    while (isxdigit((unsigned char)from[length]))
        length++;
    return length >= 8 ? length : 0;
}

/* Returns how many bytes of a path are before its last part. */
static size_t measure_folder(const char *from, const char *before)
{
    size_t folder = 0;

    if (from[0] != '/' ||
        (before != NULL && strchr(" \n\t\"'`(<=:", *before) == 0))
        return 0;
    for (size_t i = 0; from[i] != '\0' && strchr(" \"'`()<>:,;", from[i]) == 0;
         i++)
        if (from[i] == '/' && i > 0)
            folder = i + 1;
    return folder;
}

void text_add(char *to, size_t size, const char *from)
{
    size_t used = strlen(to);
    const char *at = from;

    while (*at != '\0') {
        size_t skip =
            measure_address(at) + measure_folder(at, at > from ? at - 1 : NULL);
        size_t length;

        at += skip;
        if (*at == '\0')
            break;
        if (skip > 0 && *at == ' ' && used > 0 && to[used - 1] == ' ')
            at++; /* the blank before is enough */
        length = measure((const unsigned char *)at);
        if (used + (length > 0 ? length : 1) >= size)
            break;
        if (length == 0)
            to[used++] = *at == '\t' || *at == '\n' ? ' ' : '?';
        else
            memcpy(to + used, at, length);
        used += length;
        at += length > 0 ? length : 1;
    }
    to[used] = '\0';
}

void text_set(char *to, size_t size, const char *from)
{
    to[0] = '\0';
    text_add(to, size, from);
}

void text_add_tail(
    char *to, size_t to_size, const char *text, size_t size, int lines)
{
    char line[TEXT_LINE];
    size_t at = 0;
    int count = 0;

    while (text_next(text, size, &at, line))
        count += line[0] != '\0';
    at = 0;
    while (text_next(text, size, &at, line)) {
        if (line[0] == '\0' || count-- > lines)
            continue;
        if (to[0] != '\0' && strlen(to) + 2 < to_size)
            strcat(to, "\n");
        text_add(to, to_size, line);
    }
}

const char *text_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool text_is_file(const char *path, const char *name)
{
    return strcmp(text_base(path), name) == 0;
}

int text_line_of(const char *text, const char *name, const char **ret_rest)
{
    size_t length = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        const char *after = at + length;
        char *end;
        long line;

        if ((at > text && at[-1] != '/' && at[-1] != ' ') || *after != ':' ||
            !isdigit((unsigned char)after[1]))
            continue;
        line = strtol(after + 1, &end, 10);
        if (end[0] == ':' && isdigit((unsigned char)end[1]))
            (void)strtol(end + 1, &end, 10); /* the column is not needed */
        if (ret_rest != NULL)
            *ret_rest = end;
        return line > 0 && line < 10000000 ? (int)line : 0;
    }
    return 0;
}
