/* names - what the name of a submission tells, and names that agree
 *
 * Owns nothing that lasts. One thread enters. The patterns:
 *   Moodle  "Surname First_12345_assignsubmission_file_" and what is in it,
 *           or the same as the beginning of a file's name
 *   Canvas  "surnamefirst_LATE_12345_678910_handin-1.tar.gz"
 *   else    the name itself, without the ending of an archive
 */
#include "names.h"

#include "archive.h"
#include "text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Small letters without accents for U+00C0 to U+017F, pairs of bytes in UTF-8
 * that begin with 0xc3 to 0xc5. '-' is not one. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo-ouuuuyts"
                            "aaaaaaaceeeeiiiidnooooo-ouuuuyty"
                            "aaaaaaccccccccddddeeeeeeeeeegggg"
                            "gggghhhhiiiiiiiiiiiijjkkklllllll"
                            "lllnnnnnnnnnoooooooorrrrrrssssss"
                            "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

enum {
    CONTAINED_MIN = 6 /* letters of a name that is found inside a text */
};

static char *part_of(const char *text, size_t length)
{
    char *part = class_format("%.*s", (int)length, text);
    char *shown = class_shown(part);

    free(part);
    return shown;
}

/* Returns how many digits text begins with. */
static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

static bool read_moodle(struct class_name *name, const char *entry)
{
    const char *mark = strstr(entry, "_assignsubmission_");
    const char *number = mark;
    const char *file;

    if (mark == NULL)
        return false;
    while (number > entry && isdigit((unsigned char)number[-1]))
        number--;
    if (number == mark || number - entry < 2 || number[-1] != '_')
        return false;
    name->name = part_of(entry, (size_t)(number - 1 - entry));
    name->id = part_of(number, (size_t)(mark - number));
    file = mark + strlen("_assignsubmission_");
    file = strchr(file, '_'); /* behind "file" or "onlinetext" */
    name->file = class_format("%s", file != NULL ? file + 1 : "");
    return true;
}

/* Takes "-2" out of "handin-2.tar.gz": Canvas counts what comes again. */
static void take_count(struct class_name *name)
{
    size_t ending = class_archive_ending(name->file);
    char *dot = ending > 0 ? name->file + strlen(name->file) - ending
                           : strrchr(name->file, '.');
    char *count = dot;

    while (count != NULL && count > name->file &&
           isdigit((unsigned char)count[-1]))
        count--;
    if (count == NULL || count == dot || dot - count > 6 ||
        count - name->file < 2 || count[-1] != '-')
        return;
    name->again = strtol(count, NULL, 10);
    memmove(count - 1, dot, strlen(dot) + 1);
}

static bool read_canvas(struct class_name *name, const char *entry)
{
    size_t length = strcspn(entry, "_");
    const char *rest = entry + length;
    size_t user, file;

    if (length == 0 || *rest == '\0')
        return false;
    if (strncasecmp(rest, "_late_", 6) == 0) {
        name->late = true;
        rest += 5;
    }
    user = digits(rest + 1);
    if (user == 0 || rest[1 + user] != '_')
        return false;
    file = digits(rest + user + 2);
    if (file == 0 || rest[user + 2 + file] != '_' ||
        rest[user + 3 + file] == '\0')
        return false;
    name->name = part_of(entry, length);
    name->id = part_of(rest + 1, user);
    name->file = class_format("%s", rest + user + 3 + file);
    take_count(name);
    return true;
}

void class_name_read(struct class_name *name, const char *entry)
{
    memset(name, 0, sizeof *name);
    name->is_part = read_moodle(name, entry) || read_canvas(name, entry);
    if (!name->is_part) {
        name->late = false;
        name->name =
            part_of(entry, strlen(entry) - class_archive_ending(entry));
        name->id = class_format("%s", "");
        name->file = class_format("%s", entry);
    }
}

void class_name_free(struct class_name *name)
{
    free(name->name);
    free(name->id);
    free(name->file);
}

/* Adds a letter that had an accent. */
static void
put_accent(struct class_text *folded, char letter, int two, enum class_fold how)
{
    if (letter == '-')
        return;
    class_text_put(folded, "%c", letter);
    if (how == CLASS_FOLD_MARKED)
        class_text_put(folded, "`");
    else if (how == CLASS_FOLD_SPELT && two)
        class_text_put(folded, "e");
}

/* Adds the letter of two bytes at c, as far as it is Latin. */
static void put_latin(struct class_text *folded,
                      const unsigned char *c,
                      enum class_fold how)
{
    unsigned code = (c[0] & 0x1fU) << 6 | (c[1] & 0x3fU);

    if (how == CLASS_FOLD_DROPPED)
        return;
    if (code == 0xdf || code == 0xe6 || code == 0xc6 || code == 0x152 ||
        code == 0x153)
        /* Letters that everybody writes as two. */
        class_text_put(folded, "%s",
                       code == 0xdf                   ? "ss"
                       : code == 0xe6 || code == 0xc6 ? "ae"
                                                      : "oe");
    else
        put_accent(
            folded, latin[code - 0xc0],
            strchr("\xe4\xf6\xfc\xc4\xd6\xdc\xf8\xd8", (int)code) != NULL, how);
}

char *class_name_fold(const char *text, enum class_fold how)
{
    struct class_text folded = {0};
    const unsigned char *c = (const unsigned char *)text;

    for (; *c != '\0'; c++) {
        if (c[0] >= 0xc3 && c[0] <= 0xc5 && (c[1] & 0xc0) == 0x80) {
            put_latin(&folded, c, how);
            c++;
        } else if ((c[0] == 0xcc || c[0] == 0xcd) && c[1] != '\0') {
            /* An accent that follows its letter, which is there already. */
            if (how == CLASS_FOLD_MARKED)
                class_text_put(&folded, "`");
            else if (how == CLASS_FOLD_SPELT && c[0] == 0xcc && c[1] == 0x88)
                class_text_put(&folded, "e");
            c++;
        } else if (c[0] == 0xe2 && c[1] == 0x80 && c[2] != '\0') {
            c += 2; /* quotation marks, dashes and blanks */
        } else if (c[0] == 0xc2 && c[1] != '\0') {
            c++; /* likewise */
        } else if (c[0] >= 0x80 || isalnum(c[0])) {
            class_text_put(&folded, "%c", tolower(c[0]));
        }
    }
    class_text_add(&folded, "", 0);
    return folded.data;
}

/* Says whether one word of names is the other, in this spelling. */
static bool is_same(const char *text, const char *other, enum class_fold how)
{
    char *folded = class_name_fold(text, how);
    char *other_folded = class_name_fold(other, how);
    bool is = *folded != '\0' && strcmp(folded, other_folded) == 0;

    free(folded);
    free(other_folded);
    return is;
}

int class_name_agrees(const char *text, const char *name)
{
    int best = 0;

    for (const char *word = name; *word != '\0'; word++) {
        char *turned;

        if (word != name && word[-1] != ' ')
            continue;
        turned = class_format("%s%.*s", word, (int)(word - name), name);
        for (int how = 1; how <= CLASS_FOLD_MARKED; how++)
            if (how > best && is_same(text, turned, (enum class_fold)how))
                best = how;
        free(turned);
    }
    return best;
}

bool class_name_contains(const char *text, const char *name)
{
    char *folded = class_name_fold(text, CLASS_FOLD_SPELT);
    bool does = false;

    for (const char *word = name; *word != '\0' && !does; word++) {
        char *turned, *other;

        if (word != name && word[-1] != ' ')
            continue;
        turned = class_format("%s%.*s", word, (int)(word - name), name);
        other = class_name_fold(turned, CLASS_FOLD_SPELT);
        /* A single word, or a short one, is part of too much. */
        does = strlen(other) >= CONTAINED_MIN && strchr(name, ' ') != NULL &&
               strstr(folded, other) != NULL;
        free(turned);
        free(other);
    }
    free(folded);
    return does;
}

static bool is_edge(char c)
{
    return !isalnum((unsigned char)c) && ((unsigned char)c & 0x80) == 0;
}

size_t class_name_find(const char *text, const char *id)
{
    size_t length = strlen(id);

    for (const char *at = text; *at != '\0'; at++)
        if (strncasecmp(at, id, length) == 0 && is_edge(at[length]) &&
            (at == text || is_edge(at[-1])))
            return (size_t)(at - text);
    return SIZE_MAX;
}
