/* choose - which of several files of a name is the one to grade
 *
 * The newest that Canvas counts wins, then the one in exercises/NN-name/ or
 * handin/NN-name/, then the one in NN-name/, then the first; what lies in a
 * folder build, skeletons or solutions only if there is no other. Of members
 * of an archive with the same path the last wins, as it does for tar. One
 * thread enters.
 */
#ifndef CLASS_CHOOSE_H
#define CLASS_CHOOSE_H

#include "class.h"

/* Where a file is. */
struct class_place {
    const char *name;   /* its path as far as the submission chose it */
    const char *path;   /* of the file, or of its archive */
    const char *member; /* of the archive, or NULL */
    unsigned nth;       /* of several members of this name, from 1 */
    long again;         /* as in struct class_source */
};

/* The best place of an exercise's file so far. */
struct class_choice {
    struct class_place place; /* its texts are owned; path NULL: none yet */
    int rank;
    size_t count; /* of all places that were offered */
};

/* Says whether a path ends with a file of the course. */
int class_choose_knows(const struct class_course *course, const char *path);

/* Keeps the place if it is that of an exercise's file, and the best so far.
 * There is a choice for each exercise. */
void class_choose(const struct class_course *course,
                  struct class_choice *choices,
                  const struct class_place *place);

void class_choice_free(struct class_choice *choice);

#endif
