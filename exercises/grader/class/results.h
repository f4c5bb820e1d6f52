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

/* html: writes OUT/reports/KEY.html, the report of a submission; and
 * OUT/class.html, which names nobody. Returns 0 or a negative UV_E*. */
int class_html_write(const struct class_settings *settings,
                     const struct class_submission *submission,
                     sqlite3 *db,
                     sqlite3_int64 n);
int class_html_write_class(const struct class_settings *settings, sqlite3 *db);

/* formats: writes OUT/junit/KEY.xml, OUT/tap/KEY.tap and
 * OUT/gradescope/KEY.json. Returns 0 or a negative UV_E*. */
int class_formats_write(const struct class_settings *settings,
                        const struct class_submission *submission,
                        sqlite3 *db,
                        sqlite3_int64 n);

/* imports: writes OUT/moodle.csv or OUT/canvas.csv, if there is a roster.
 * Returns 0 or a negative UV_E*. */
int class_imports_write(const struct class_settings *settings,
                        const struct class_roster *roster,
                        sqlite3 *db);

/* The questions of the summary, which the class page asks as well; see
 * summary.c for their columns. */
extern const char class_summary_tests[];
extern const char class_summary_mistakes[];
extern const char class_summary_totals[];

/* summary: writes OUT/summary.txt and OUT/summary.json. Returns 0 or a
 * negative UV_E*. */
int class_summary_write(const struct class_settings *settings, sqlite3 *db);

#endif
