/* marks - what a teacher has decided by hand
 *
 * A table with the columns id, exercise, points, late, submission and note, of
 * which a line fills in what it needs:
 *   id, exercise, points   these points count for the exercise
 *   id, points             points that are added to the sum, or taken from it
 *   id, late               so many days late
 *   id, submission         that submission is this student's
 * OUT keeps it, so that later runs have it, too. One thread enters.
 */
#ifndef CLASS_MARKS_H
#define CLASS_MARKS_H

#include "class.h"

struct class_mark {
    char *id;
    char *exercise;   /* its whole name, or "" for the sum */
    char *submission; /* or "" */
    char *note;
    double points;
    double late; /* days */
    int has_points, has_late;
};

struct class_marks {
    struct class_mark *mark;
    size_t count;
};

/* Reads the table that was named, else that of the last run, and keeps it in
 * this one. Returns 0, or 1 after one line on stderr. */
int class_marks_read(struct class_marks *marks,
                     const struct class_settings *settings,
                     const struct class_course *course);

/* Says on stderr which ids belong to no student. */
void class_marks_check(const struct class_marks *marks,
                       const struct class_roster *roster,
                       const struct class_list *list);

void class_marks_free(struct class_marks *marks);

#endif
