/* choose - which of several files of a name is the one to grade
 *
 * Owns the texts of the choices until class_choice_free. One thread enters.
 */
#include "choose.h"

#include <stdlib.h>
#include <string.h>

struct word {
    const char *text;
    size_t length;
};

static int is(const struct word *word, const char *text)
{
    return word->length == strlen(text) &&
           strncmp(word->text, text, word->length) == 0;
}

/* Says how much a path speaks for being the file of the exercise; -1: it has
 * another name. */
static int rank_of(const struct class_exercise *exercise, const char *path)
{
    struct word parent = {"", 0};
    struct word before = {"", 0};
    int is_copy = 0;

    /* Some programs for Windows write the other slash into archives. */
    while (strpbrk(path, "/\\") != NULL) {
        before = parent;
        parent = (struct word){path, strcspn(path, "/\\")};
        is_copy |= is(&parent, "build") || is(&parent, "skeletons") ||
                   is(&parent, "solutions");
        path += parent.length + 1;
    }
    if (strcmp(path, exercise->file) != 0)
        return -1;
    if (is_copy)
        return 0;
    if (!is(&parent, exercise->name))
        return 1;
    return is(&before, "exercises") || is(&before, "handin") ? 3 : 2;
}

static int is_better(const struct class_place *place,
                     int rank,
                     const struct class_choice *than)
{
    if ((rank > 0) != (than->rank > 0))
        return rank > 0;
    if (place->again != than->place.again)
        return place->again > than->place.again;
    if (rank != than->rank)
        return rank > than->rank;
    return place->nth > than->place.nth;
}

int class_choose_knows(const struct class_course *course, const char *path)
{
    for (size_t i = 0; i < course->exercises; i++)
        if (rank_of(&course->exercise[i], path) >= 0)
            return 1;
    return 0;
}

static void take(struct class_choice *choice, const struct class_place *place)
{
    class_choice_free(choice);
    choice->place = *place;
    choice->place.name = class_format("%s", place->name);
    choice->place.path = class_format("%s", place->path);
    if (place->member != NULL)
        choice->place.member = class_format("%s", place->member);
}

void class_choose(const struct class_course *course,
                  struct class_choice *choices,
                  const struct class_place *place)
{
    for (size_t i = 0; i < course->exercises; i++) {
        struct class_choice *choice = &choices[i];
        int rank = rank_of(&course->exercise[i], place->name);

        if (rank < 0)
            continue;
        if (choice->count == 0 || is_better(place, rank, choice)) {
            take(choice, place);
            choice->rank = rank;
        }
        choice->count++;
    }
}

void class_choice_free(struct class_choice *choice)
{
    /* They are ours; only while they are offered are they not. */
    free((void *)(uintptr_t)choice->place.name);
    free((void *)(uintptr_t)choice->place.path);
    free((void *)(uintptr_t)choice->place.member);
    memset(&choice->place, 0, sizeof choice->place);
}
