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
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Small letters without accents for U+00C0 to U+00FF, a pair of bytes in
 * UTF-8 that begins with 0xc3. '-' is none. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo-ouuuuyts"
                            "aaaaaaaceeeeiiiidnooooo-ouuuuyty";

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

static int read_moodle(struct class_name *name, const char *entry)
{
    const char *mark = strstr(entry, "_assignsubmission_");
    const char *number = mark;
    const char *file;

    if (mark == NULL)
        return 0;
    while (number > entry && isdigit((unsigned char)number[-1]))
        number--;
    if (number == mark || number - entry < 2 || number[-1] != '_')
        return 0;
    name->name = part_of(entry, (size_t)(number - 1 - entry));
    name->id = part_of(number, (size_t)(mark - number));
    file = mark + strlen("_assignsubmission_");
    file = strchr(file, '_'); /* behind "file" or "onlinetext" */
    name->file = class_format("%s", file != NULL ? file + 1 : "");
    return 1;
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

static int read_canvas(struct class_name *name, const char *entry)
{
    size_t length = strcspn(entry, "_");
    const char *rest = entry + length;
    size_t user, file;

    if (length == 0 || *rest == '\0')
        return 0;
    if (strncasecmp(rest, "_late_", 6) == 0) {
        name->late = 1;
        rest += 5;
    }
    user = digits(rest + 1);
    if (user == 0 || rest[1 + user] != '_')
        return 0;
    file = digits(rest + user + 2);
    if (file == 0 || rest[user + 2 + file] != '_' ||
        rest[user + 3 + file] == '\0')
        return 0;
    name->name = part_of(entry, length);
    name->id = part_of(rest + 1, user);
    name->file = class_format("%s", rest + user + 3 + file);
    take_count(name);
    return 1;
}

void class_name_read(struct class_name *name, const char *entry)
{
    memset(name, 0, sizeof *name);
    name->is_part = read_moodle(name, entry) || read_canvas(name, entry);
    if (!name->is_part) {
        name->late = 0;
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

char *class_name_fold(const char *text)
{
    struct class_text folded = {0};
    const unsigned char *c = (const unsigned char *)text;

    for (; *c != '\0'; c++) {
        if (c[0] == 0xc3 && (c[1] & 0xc0) == 0x80) {
            c++;
            /* The sharp s is two letters. */
            class_text_put(&folded, "%s%c", *c == 0x9f ? "s" : "",
                           latin[*c & 0x3f]);
        } else if ((c[0] == 0xcc || c[0] == 0xcd) && c[1] != '\0') {
            c++; /* an accent that follows its letter */
        } else if (c[0] >= 0x80 || isalnum(c[0])) {
            class_text_put(&folded, "%c", tolower(c[0]));
        }
    }
    class_text_add(&folded, "", 0);
    return folded.data;
}

int class_name_agrees(const char *text, const char *name)
{
    char *folded = class_name_fold(text);
    int agrees = 0;

    for (const char *word = name; *folded != '\0' && *word != '\0' && !agrees;
         word++) {
        char *turned;
        char *other;

        if (word != name && word[-1] != ' ')
            continue;
        turned = class_format("%s%.*s", word, (int)(word - name), name);
        other = class_name_fold(turned);
        agrees = strcmp(folded, other) == 0;
        free(turned);
        free(other);
    }
    free(folded);
    return agrees;
}

static int is_edge(char c)
{
    return !isalnum((unsigned char)c) && ((unsigned char)c & 0x80) == 0;
}

int class_name_holds(const char *text, const char *id)
{
    size_t length = strlen(id);

    for (const char *at = text; *at != '\0'; at++)
        if (strncasecmp(at, id, length) == 0 && is_edge(at[length]) &&
            (at == text || is_edge(at[-1])))
            return 1;
    return 0;
}
