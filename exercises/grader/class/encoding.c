/* encoding - texts in any characters become UTF-8
 *
 * Owns nothing that lasts. One thread enters. Depends on iconv.
 */
#include "encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Converts size bytes. Returns whether all of them are of this encoding. */
static bool
convert(const char *from, const char *data, size_t size, struct class_text *to)
{
    iconv_t converter = iconv_open("UTF-8", from);
    /* iconv does not write to its input; its type is older than const. */
    char *in = (char *)(uintptr_t)data;
    size_t done = 0;

    if (converter == (iconv_t)-1)
        return false;
    while (size > 0) {
        char part[4096];
        char *out = part;
        size_t room = sizeof part;

        done = iconv(converter, &in, &size, &out, &room);
        class_text_add(to, part, sizeof part - room);
        if (done == (size_t)-1 && errno != E2BIG)
            break;
    }
    class_text_add(to, "", 0);
    (void)iconv_close(converter); /* it holds nothing back */
    return size == 0;
}

static int begins_with(const struct class_text *text, const char *mark)
{
    size_t size = strlen(mark);

    return text->size >= size && memcmp(text->data, mark, size) == 0;
}

/* A table in UTF-16 without a mark has a zero in nearly every second byte. */
static const char *find_wide(const struct class_text *text)
{
    size_t zeros[2] = {0, 0};

    for (size_t i = 0; i < text->size; i++)
        zeros[i & 1] += text->data[i] == '\0';
    if (zeros[1] > text->size / 4 && zeros[0] * 8 < zeros[1])
        return "UTF-16LE";
    if (zeros[0] > text->size / 4 && zeros[1] * 8 < zeros[0])
        return "UTF-16BE";
    return NULL;
}

/* Latin-1 is the part of Windows-1252 without its 27 letters and marks. */
static bool is_latin(const struct class_text *text)
{
    for (size_t i = 0; i < text->size; i++)
        if (((unsigned char)text->data[i] & 0xe0) == 0x80)
            return false;
    return true;
}

static const char *replace(struct class_text *text,
                           size_t skip,
                           const char *from,
                           const char *shown)
{
    struct class_text utf8 = {0};

    if (!convert(from, text->data + skip, text->size - skip, &utf8)) {
        class_text_free(&utf8);
        return NULL;
    }
    class_text_free(text);
    *text = utf8;
    return shown;
}

const char *class_encoding_convert(struct class_text *text)
{
    const char *wide;
    const char *what;

    class_text_add(text, "", 0);
    if (begins_with(text, "\xff\xfe"))
        return replace(text, 2, "UTF-16LE", "UTF-16");
    if (begins_with(text, "\xfe\xff"))
        return replace(text, 2, "UTF-16BE", "UTF-16");
    if (begins_with(text, "\xef\xbb\xbf"))
        return replace(text, 3, "UTF-8", "UTF-8");
    wide = find_wide(text);
    if (wide != NULL)
        return replace(text, 0, wide, "UTF-16");
    what = replace(text, 0, "UTF-8", "UTF-8");
    if (what == NULL && is_latin(text))
        what = replace(text, 0, "ISO-8859-1", "Latin-1");
    if (what == NULL)
        what = replace(text, 0, "CP1252", "Windows-1252");
    /* What Windows-1252 does not have, its console may have written. */
    return what != NULL ? what : replace(text, 0, "CP850", "CP850");
}

char *class_encoding_name(const char *name)
{
    struct class_text utf8 = {0};

    if (!convert("UTF-8", name, strlen(name), &utf8)) {
        class_text_free(&utf8);
        if (!convert("CP850", name, strlen(name), &utf8)) {
            class_text_free(&utf8);
            class_text_put(&utf8, "%s", name);
        }
    }
    class_text_add(&utf8, "", 0);
    return utf8.data;
}
