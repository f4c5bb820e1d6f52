/* choose - which of several files of a name is the one to grade
 *
 * The newest that Canvas counts wins, then a file whose name is right to the
 * letter, then the one in exercises/NN-name/ or handin/NN-name/, then the one
 * in NN-name/, then the first; what lies in a folder build, skeletons or
 * solutions only if there is no other. Of members of an archive with the same
 * path the last wins, as it does for tar. One thread enters.
 */
#ifndef CLASS_CHOOSE_H
#define CLASS_CHOOSE_H

#include "class.h"

#include <stdbool.h>

/* A file that is offered. */
struct class_offer {
    const char *name;              /* its path in the submission */
    const struct class_text *data; /* what is in it */
    int64_t time;
    long again; /* as in struct class_source */
};

/* The best file of an exercise so far. */
struct class_choice {
    char *name; /* NULL: none yet */
    struct class_text data;
    int64_t time;
    long again;
    int rank;
    size_t count; /* of all that were offered */
};

/* Says whether a path ends with a file of the course, or with what a browser,
 * a system or an editor has made of its name: "ex_x (1).c", "EX_X.C",
 * "ex_x.c.txt", "s01_ex_x.c". */
bool class_choose_knows(const struct class_course *course, const char *path);

/* Says whether a path ends with a file of the course, to the letter. */
bool class_choose_is_exact(const struct class_course *course, const char *path);

/* Returns how many bytes of a file's name are before that of an exercise's
 * file: 4 of "s01_ex_x.c". */
size_t class_choose_prefix(const struct class_course *course, const char *name);

/* Keeps the file if it is that of an exercise, and the best so far. There is a
 * choice for each exercise. */
void class_choose(const struct class_course *course,
                  struct class_choice *choices,
                  const struct class_offer *offer);

void class_choice_free(struct class_choice *choice);

#endif
