/* count - which submission of a student counts, and what was decided by hand
 *
 * Works on the database of results. One thread enters.
 */
#ifndef CLASS_COUNT_H
#define CLASS_COUNT_H

#include "ask.h"
#include "marks.h"

/* Adds the table manual and the views mark (row, n, place, counts, exercise,
 * points) and total (row, n, place, counts, points) to the database. Returns an
 * SQLITE_* code. */
int class_count_prepare(sqlite3 *db);

/* Takes the marks over and lets one submission of each student count: the last
 * or the best. The notes of the rows say so. */
void class_count(sqlite3 *db,
                 const struct class_settings *settings,
                 const struct class_marks *marks);

#endif
