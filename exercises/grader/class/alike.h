/* alike - files of different students that are equal, or nearly
 *
 * A list for looking at and never a verdict: about thirty lines behind a fixed
 * contract are alike by nature. Files are compared by winnowing (Schleimer,
 * Wilkerson and Aiken, 2003): of all sequences of K tokens some are chosen, the
 * same ones in whatever place, without those of the skeleton and those that
 * half of the class has. One thread enters.
 */
#ifndef CLASS_ALIKE_H
#define CLASS_ALIKE_H

#include "ask.h"
#include "class.h"

/* Fills the table alike(exercise, a, b, percent, what) of the database. */
int class_alike_find(sqlite3 *db,
                     const struct class_settings *settings,
                     const struct class_course *course,
                     const struct class_list *list);

#endif
