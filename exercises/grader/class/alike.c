/* alike - files of different students that are equal, or nearly
 *
 * Owns the prints of the files while it looks. One thread enters. Depends on
 * tokens and kept.
 */
#include "alike.h"

#include "tokens.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    K = 12,             /* tokens in a row that are one print */
    WINDOW = 6,         /* of that many prints the smallest is chosen */
    FEW = 12,           /* fewer prints tell nothing */
    NEAR = 70,          /* percent of the shorter file's prints */
    CLASS_MIN = 10,     /* so many files make a class */
    TOKENS_MAX = 20000, /* of a file; what comes after them is not compared */
    SHOWN_MAX = 1000    /* pairs */
};

struct prints {
    uint64_t *hash; /* sorted, each once */
    size_t count;
    size_t n;     /* the submission */
    uint64_t all; /* of all its tokens */
};

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;

    return (a > b) - (a < b);
}

static void add(struct prints *prints, uint64_t hash)
{
    prints->hash = class_grow(prints->hash, prints->count, sizeof hash);
    prints->hash[prints->count++] = hash;
}

static void sort(struct prints *prints)
{
    size_t kept = 0;

    if (prints->count > 0)
        qsort(prints->hash, prints->count, sizeof prints->hash[0], compare);
    for (size_t i = 0; i < prints->count; i++)
        if (i == 0 || prints->hash[i] != prints->hash[kept - 1])
            prints->hash[kept++] = prints->hash[i];
    prints->count = kept;
}

static int holds(const struct prints *prints, uint64_t hash)
{
    return prints->count > 0 && bsearch(&hash, prints->hash, prints->count,
                                        sizeof hash, compare) != NULL;
}

static uint64_t print_at(const struct class_text *tokens, size_t at)
{
    return class_hash(CLASS_HASH_START, tokens->data + at, K);
}

/* All prints of a file, in order of their value. */
static void take_all(struct prints *prints, const struct class_text *tokens)
{
    for (size_t i = 0; i + K <= tokens->size; i++)
        add(prints, print_at(tokens, i));
    sort(prints);
}

/* The smallest print of each window, without those of known. */
static void winnow(struct prints *prints,
                   const struct class_text *tokens,
                   const struct prints *known)
{
    struct prints left = {.hash = NULL};

    for (size_t i = 0; i + K <= tokens->size; i++) {
        uint64_t hash = print_at(tokens, i);

        if (!holds(known, hash))
            add(&left, hash);
    }
    for (size_t i = 0; i < left.count; i++) {
        size_t end = i + WINDOW < left.count ? i + WINDOW : left.count;
        uint64_t least = left.hash[i];

        for (size_t k = i; k < end; k++)
            least = left.hash[k] < least ? left.hash[k] : least;
        add(prints, least);
        if (end == left.count)
            break;
    }
    free(left.hash);
    sort(prints);
}

/* Adds to known what more than half of the files have. */
static void
add_common(struct prints *known, const struct class_text *tokens, size_t files)
{
    struct prints all = {.hash = NULL};

    for (size_t i = 0; i < files; i++) {
        struct prints one = {.hash = NULL};

        take_all(&one, &tokens[i]);
        for (size_t k = 0; k < one.count; k++)
            add(&all, one.hash[k]);
        free(one.hash);
    }
    if (all.count > 0)
        qsort(all.hash, all.count, sizeof all.hash[0], compare);
    for (size_t i = 0, same = 0; files >= CLASS_MIN && i < all.count; i++) {
        same = i > 0 && all.hash[i] == all.hash[i - 1] ? same + 1 : 1;
        if (same == files / 2 + 1)
            add(known, all.hash[i]);
    }
    sort(known);
    free(all.hash);
}

/* Two submissions of one student, or of partners, may be alike. */
static bool are_strangers(const struct class_submission *one,
                          const struct class_submission *other)
{
    for (size_t i = 0; i < one->students; i++)
        for (size_t k = 0; k < other->students; k++)
            if (one->student[i] == other->student[k])
                return false;
    return true;
}

static size_t count_shared(const struct prints *a, const struct prints *b)
{
    size_t shared = 0;

    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        shared += a->hash[i] == b->hash[k];
        if (a->hash[i] <= b->hash[k])
            i++;
        else
            k++;
    }
    return shared;
}

static void add_pair(sqlite3 *db,
                     const char *exercise,
                     const struct class_submission *a,
                     const struct class_submission *b,
                     int percent,
                     const char *what)
{
    sqlite3_stmt *row =
        class_ask(db, "INSERT INTO alike VALUES(?2, ?3, ?4, ?1, ?5)", percent);

    /* In memory it fails only without memory, and then all else does. */
    (void)sqlite3_bind_text(row, 2, exercise, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(row, 3, a->label, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(row, 4, b->label, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(row, 5, what, -1, SQLITE_STATIC);
    (void)class_ask_next(row);
}

/* Compares every file with every other. */
static void compare_all(sqlite3 *db,
                        const struct class_course *course,
                        size_t exercise,
                        const struct class_list *list,
                        const struct prints *prints,
                        size_t files)
{
    size_t shown = 0;

    for (size_t i = 0; i < files; i++) {
        for (size_t k = 0; k < i && shown < SHOWN_MAX; k++) {
            const struct prints *a = &prints[k], *b = &prints[i];
            size_t few = a->count < b->count ? a->count : b->count;
            const struct class_submission *one = &list->submission[a->n];
            const struct class_submission *other = &list->submission[b->n];
            int percent;
            const char *what = "nearly equal";

            if (few < FEW || !are_strangers(one, other))
                continue;
            percent = (int)(100 * count_shared(a, b) / few);
            if (percent < NEAR)
                continue;
            if (strcmp(one->file[exercise].sum, other->file[exercise].sum) == 0)
                what = "the same file";
            else if (a->all == b->all)
                what = "equal but for names, comments and blanks";
            add_pair(db, course->exercise[exercise].name, one, other, percent,
                     what);
            shown++;
        }
    }
}

/* Reads the tokens of the skeleton, which everybody has. */
static void read_skeleton(struct prints *known,
                          const struct class_exercise *exercise)
{
    char *path = class_format("exercises/grader/skeletons/%s/%s",
                              exercise->name, exercise->file);
    struct class_text text = {0}, tokens = {0};

    if (class_file_read(path, CLASS_FILE_MAX, &text) == 0) {
        class_tokens_read(&tokens, class_text_of(&text));
        take_all(known, &tokens);
    }
    class_text_free(&tokens);
    class_text_free(&text);
    free(path);
}

static void look_at_exercise(sqlite3 *db,
                             const struct class_settings *settings,
                             const struct class_course *course,
                             size_t exercise,
                             const struct class_list *list)
{
    struct class_text *tokens =
        class_allocate(NULL, list->count * sizeof *tokens);
    struct prints *prints = class_allocate(NULL, list->count * sizeof *prints);
    struct prints known = {.hash = NULL};
    size_t files = 0;

    memset(tokens, 0, list->count * sizeof *tokens);
    memset(prints, 0, list->count * sizeof *prints);
    read_skeleton(&known, &course->exercise[exercise]);
    for (size_t n = 0; n < list->count; n++) {
        struct class_text text = {0};

        if (list->submission[n].file[exercise].found &&
            class_kept_read(settings, course, &list->submission[n], exercise,
                            &text) == 0) {
            class_tokens_read(&tokens[files], class_text_of(&text));
            if (tokens[files].size > TOKENS_MAX)
                tokens[files].size = TOKENS_MAX;
            prints[files].n = n;
            prints[files].all = class_hash(CLASS_HASH_START, tokens[files].data,
                                           tokens[files].size);
            files++;
        }
        class_text_free(&text);
    }
    add_common(&known, tokens, files);
    for (size_t i = 0; i < files; i++)
        winnow(&prints[i], &tokens[i], &known);
    compare_all(db, course, exercise, list, prints, files);
    for (size_t i = 0; i < files; i++) {
        class_text_free(&tokens[i]);
        free(prints[i].hash);
    }
    free(known.hash);
    free(prints);
    free(tokens);
}

int class_alike_find(sqlite3 *db,
                     const struct class_settings *settings,
                     const struct class_course *course,
                     const struct class_list *list)
{
    int rc = sqlite3_exec(db,
                          "CREATE TABLE alike(exercise TEXT, a TEXT, b TEXT,"
                          " percent INT, what TEXT)",
                          NULL, NULL, NULL);

    for (size_t i = 0; rc == SQLITE_OK && i < course->exercises; i++)
        if (course->exercise[i].wanted)
            look_at_exercise(db, settings, course, i, list);
    return rc;
}
