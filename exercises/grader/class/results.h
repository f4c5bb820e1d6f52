/* results - the results of the class in an SQLite database in memory
 *
 * Tables: student (one row for each row of grades.csv), run, exercise and test
 * (as in results.json, with n of the submission), course (the exercises and
 * what they are worth). One thread enters.
 */
#ifndef CLASS_RESULTS_H
#define CLASS_RESULTS_H

#include "ask.h"
#include "class.h"
#include "marks.h"

/* Says whether this is the results file of a driver that came to its end. */
int class_results_are_complete(const struct class_text *json);

/* Opens the database and loads all. A submission whose results cannot be read
 * becomes CLASS_FAILED. Returns 0 and the database, or 1 after one line on
 * stderr. */
int class_results_load(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_roster *roster,
                       const struct class_marks *marks,
                       struct class_list *list,
                       sqlite3 **ret_db);

/* reports: writes OUT/reports/KEY.txt for each submission and OUT/grades.csv.
 * Returns 0 or a negative UV_E*. */
int class_reports_write(const struct class_settings *settings,
                        const struct class_list *list,
                        sqlite3 *db);

/* imports: writes OUT/moodle.csv or OUT/canvas.csv, if there is a roster.
 * Returns 0 or a negative UV_E*. */
int class_imports_write(const struct class_settings *settings,
                        const struct class_roster *roster,
                        sqlite3 *db);

/* summary: writes OUT/summary.txt and OUT/summary.json. Returns 0 or a
 * negative UV_E*. */
int class_summary_write(const struct class_settings *settings, sqlite3 *db);

#endif
