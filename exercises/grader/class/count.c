/* count - which submission of a student counts, and what was decided by hand
 *
 * Owns nothing that lasts. One thread enters. Results of SQL are not looked at:
 * in memory it fails only without memory, and then the next question does too.
 */
#include "count.h"

#include <stdbool.h>
#include <string.h>

int class_count_prepare(sqlite3 *db)
{
    return sqlite3_exec(
        db,
        "CREATE TABLE manual(id TEXT COLLATE NOCASE, exercise TEXT, points "
        "REAL,"
        " late REAL, note TEXT);"
        "CREATE TABLE rule(late_percent REAL);"
        "CREATE VIEW mark AS SELECT s.rowid AS row, s.n, s.place, s.counts,"
        " c.exercise, COALESCE((SELECT points FROM manual m WHERE s.counts"
        " AND m.id = s.id AND m.exercise = c.exercise), (SELECT SUM(points)"
        " FROM exercise e WHERE e.n = s.n AND e.exercise = c.exercise), 0.0)"
        " AS points FROM student s, course c;"
        /* What is late loses a part of its points, and never more than all. */
        "CREATE VIEW total AS SELECT s.rowid AS row, s.n, s.place, s.counts,"
        " (SELECT COALESCE(SUM(points), 0.0) FROM mark m WHERE m.row = s.rowid)"
        " * MAX(0, 1 - COALESCE(s.days, 0) * late_percent / 100)"
        " + COALESCE((SELECT SUM(points) FROM manual m WHERE s.counts"
        " AND m.id = s.id AND m.exercise = ''), 0.0)"
        " AS points FROM student s, rule;",
        NULL, NULL, NULL);
}

static void add_mark(sqlite3 *db, const struct class_mark *mark)
{
    sqlite3_stmt *statement =
        class_ask(db, "INSERT INTO manual VALUES(?2, ?3, ?4, ?5, ?6)", 0);

    (void)sqlite3_bind_text(statement, 2, mark->id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, mark->exercise, -1, SQLITE_STATIC);
    if (mark->has_points)
        (void)sqlite3_bind_double(statement, 4, mark->points);
    if (mark->has_late)
        (void)sqlite3_bind_double(statement, 5, mark->late);
    (void)sqlite3_bind_text(statement, 6, mark->note, -1, SQLITE_STATIC);
    (void)class_ask_next(statement);
}

/* One of several counts; a row that has nobody else's place counts as before.
 */
static const char choose[] =
    "CREATE TEMP TABLE best AS SELECT place, (SELECT s.rowid FROM student s"
    " JOIN total t ON t.row = s.rowid WHERE s.place = p.place"
    " ORDER BY CASE WHEN %d THEN t.points END DESC, s.time DESC, s.n DESC"
    " LIMIT 1) AS row, COUNT(*) AS of FROM student p WHERE counts"
    " GROUP BY place HAVING COUNT(*) > 1;"
    "UPDATE student SET note = note || CASE note WHEN '' THEN '' ELSE '; ' END"
    " || (SELECT 'one of ' || of || ' submissions of this student: '"
    " || CASE WHEN best.row = student.rowid THEN 'counts, it is the %s'"
    " ELSE 'does not count' END FROM best WHERE best.place = student.place)"
    " WHERE place IN (SELECT place FROM best);"
    "UPDATE student SET counts = rowid IN (SELECT row FROM best)"
    " WHERE place IN (SELECT place FROM best)";

/* What was given by hand is said. */
static const char say[] =
    "UPDATE student SET days = (SELECT late FROM manual m WHERE m.id ="
    " student.id AND late IS NOT NULL) WHERE counts;"
    "UPDATE student SET late = printf('%g', days) WHERE days IS NOT NULL;"
    "UPDATE student SET note = note || CASE note WHEN '' THEN '' ELSE '; ' END"
    " || (SELECT group_concat('by hand: ' || printf('%g', points)"
    " || CASE exercise WHEN '' THEN ' points' ELSE ' for ' || exercise END"
    " || CASE note WHEN '' THEN '' ELSE ', ' || note END, '; ') FROM manual m"
    " WHERE m.id = student.id AND points IS NOT NULL) WHERE counts AND EXISTS"
    " (SELECT 1 FROM manual m WHERE m.id = student.id AND points IS NOT NULL)";

void class_count(sqlite3 *db,
                 const struct class_settings *settings,
                 const struct class_marks *marks)
{
    bool is_best = strcmp(settings->twice, "best") == 0;
    sqlite3_stmt *rule = class_ask(db, "INSERT INTO rule VALUES(?1)", 0);
    char *sql = sqlite3_mprintf(choose, is_best, settings->twice);

    (void)sqlite3_bind_double(rule, 1, settings->late_percent);
    (void)class_ask_next(rule);
    (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    for (size_t i = 0; i < marks->count; i++)
        add_mark(db, &marks->mark[i]);
    (void)sqlite3_exec(db, say, NULL, NULL, NULL);
}
