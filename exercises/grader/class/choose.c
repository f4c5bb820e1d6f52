/* choose - which of several files of a name is the one to grade
 *
 * Owns the texts of the choices until class_choice_free. One thread enters.
 */
#include "choose.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct word {
    const char *text;
    size_t length;
};

enum {
    NEAR = 1, /* a name that was changed on the way */
    EXACT = 2,
    PLACES = 4 /* how many ranks of places there are */
};

static bool is(const struct word *word, const char *text)
{
    return word->length == strlen(text) &&
           strncmp(word->text, text, word->length) == 0;
}

static const char *base_of(const char *path)
{
    /* Some programs for Windows write the other slash into archives. */
    while (strpbrk(path, "/\\") != NULL)
        path = strpbrk(path, "/\\") + 1;
    return path;
}

/* Cuts an ending off, if the text has more than that. */
static bool cut(char *text, const char *ending)
{
    size_t length = strlen(text);
    size_t size = strlen(ending);

    if (length <= size || strcmp(text + length - size, ending) != 0)
        return false;
    text[length - size] = '\0';
    return true;
}

/* Cuts off what is put behind a name when there was one already. */
static void cut_count(char *stem)
{
    static const char *const words[] = {"_copy",  "_kopie", "_copie", "_copia",
                                        "_final", "_neu",   "_new"};
    size_t length;

    (void)cut(stem, "_");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        while (cut(stem, words[i]) || cut(stem, "_"))
            continue;
    length = strlen(stem);
    while (length > 1 && isdigit((unsigned char)stem[length - 1]))
        length--;
    if (length > 1 && length < strlen(stem) && stem[length - 1] == '_')
        stem[length - 1] = '\0';
}

/* Returns the name in small letters and '_', without endings and counts, or
 * NULL if it is not a C file's; freed with free. */
static char *stem_of(const char *base)
{
    struct class_text stem = {0};
    bool is_c;

    for (; *base != '\0'; base++) {
        if (isalnum((unsigned char)*base) || (*base & 0x80) != 0 ||
            *base == '.')
            class_text_put(&stem, "%c", tolower((unsigned char)*base));
        else if (stem.size > 0 && stem.data[stem.size - 1] != '_')
            class_text_put(&stem, "_");
    }
    class_text_add(&stem, "", 0);
    is_c = cut(stem.data, ".txt");
    while (cut(stem.data, ".c"))
        is_c = true;
    if (!is_c) {
        class_text_free(&stem);
        return NULL;
    }
    cut_count(stem.data);
    return stem.data;
}

/* Says how much a file's name is that of the exercise: 0, NEAR or EXACT. */
static int compare(const struct class_exercise *exercise, const char *base)
{
    char *stem, *wanted;
    bool near = false;

    if (strcmp(base, exercise->file) == 0)
        return EXACT;
    stem = stem_of(base);
    if (stem == NULL)
        return 0;
    wanted = stem_of(exercise->file);
    if (wanted != NULL && strlen(stem) >= strlen(wanted)) {
        size_t before = strlen(stem) - strlen(wanted);

        near = strcmp(stem + before, wanted) == 0 &&
               (before == 0 || stem[before - 1] == '_');
    }
    free(stem);
    free(wanted);
    return near ? NEAR : 0;
}

/* Says how much a path speaks for being the file of the exercise; -1: it has
 * another name. */
static int rank_of(const struct class_exercise *exercise, const char *path)
{
    struct word parent = {"", 0};
    struct word before = {"", 0};
    int name = compare(exercise, base_of(path)) - NEAR;
    bool is_copy = false;

    if (name < 0)
        return -1;
    while (strpbrk(path, "/\\") != NULL) {
        before = parent;
        parent = (struct word){path, strcspn(path, "/\\")};
        is_copy |= is(&parent, "build") || is(&parent, "skeletons") ||
                   is(&parent, "solutions");
        path += parent.length + 1;
    }
    if (is_copy)
        return 0;
    if (!is(&parent, exercise->name))
        return name * PLACES + 1;
    return name * PLACES +
           (is(&before, "exercises") || is(&before, "handin") ? 3 : 2);
}

static bool is_better(const struct class_offer *offer,
                      int rank,
                      const struct class_choice *than)
{
    if ((rank > 0) != (than->rank > 0))
        return rank > 0;
    if (offer->again != than->again)
        return offer->again > than->again;
    if (rank != than->rank)
        return rank > than->rank;
    return strcmp(offer->name, than->name) == 0;
}

bool class_choose_knows(const struct class_course *course, const char *path)
{
    for (size_t i = 0; i < course->exercises; i++)
        if (compare(&course->exercise[i], base_of(path)) != 0)
            return true;
    return false;
}

bool class_choose_is_exact(const struct class_course *course, const char *path)
{
    for (size_t i = 0; i < course->exercises; i++)
        if (compare(&course->exercise[i], base_of(path)) == EXACT)
            return true;
    return false;
}

static bool is_stem(const struct class_exercise *exercise, const char *name)
{
    char *stem = stem_of(name);
    char *wanted = stem_of(exercise->file);
    bool is = stem != NULL && wanted != NULL && strcmp(stem, wanted) == 0;

    free(stem);
    free(wanted);
    return is;
}

size_t class_choose_prefix(const struct class_course *course, const char *name)
{
    for (size_t i = 0; i < course->exercises; i++)
        for (size_t at = 0; name[at] != '\0'; at++)
            if (is_stem(&course->exercise[i], name + at))
                return at;
    return 0;
}

static void
take(struct class_choice *choice, const struct class_offer *offer, int rank)
{
    class_choice_free(choice);
    choice->name = class_format("%s", offer->name);
    class_text_add(&choice->data, offer->data->data, offer->data->size);
    choice->time = offer->time;
    choice->again = offer->again;
    choice->rank = rank;
}

void class_choose(const struct class_course *course,
                  struct class_choice *choices,
                  const struct class_offer *offer)
{
    for (size_t i = 0; i < course->exercises; i++) {
        struct class_choice *choice = &choices[i];
        int rank = rank_of(&course->exercise[i], offer->name);

        if (rank < 0)
            continue;
        if (choice->count == 0 || is_better(offer, rank, choice))
            take(choice, offer, rank);
        choice->count++;
    }
}

void class_choice_free(struct class_choice *choice)
{
    free(choice->name);
    class_text_free(&choice->data);
    choice->name = NULL;
}
