/* reports - a report for each submission, and grades.csv
 *
 * Owns nothing that lasts. One thread enters. Asks the database of results.
 */
#include "results.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Writes a text to OUT/name and frees it. */
static int write_text(const struct class_settings *settings,
                      const char *name,
                      struct class_text *text)
{
    char *path = class_format("%s/%s", settings->run, name);
    int rc = class_file_write(path, text->data, text->size);

    class_text_free(text);
    free(path);
    return rc;
}

/* What failed and why, before all else. */
static void put_failures(struct class_text *text,
                         const struct class_settings *settings,
                         sqlite3 *db,
                         sqlite3_int64 n)
{
    sqlite3_stmt *row = class_ask(
        db,
        "SELECT exercise, test, lost, title, verdict, message, look_at, hidden,"
        " (SELECT seed FROM run WHERE run.n = ?1) FROM failure WHERE n = ?1"
        " ORDER BY exercise, hidden, test",
        n);

    while (class_ask_next(row)) {
        const char *exercise = class_ask_text(row, 0);
        const char *title = class_ask_text(row, 3);
        int test = sqlite3_column_int(row, 1);
        int hidden = sqlite3_column_int(row, 7);

        if (hidden && settings->hidden_points)
            continue;
        class_text_put(text, "\n%s", exercise);
        if (test > 0)
            class_text_put(text, ", %stest %d", hidden ? "hidden " : "", test);
        class_text_put(text, ", %g points lost: %s%s%s\n",
                       sqlite3_column_double(row, 2), class_ask_text(row, 4),
                       *title != '\0' ? ", in " : "", title);
        if (*class_ask_text(row, 5) != '\0')
            class_text_put(text, "    %s\n", class_ask_text(row, 5));
        if (*class_ask_text(row, 6) != '\0')
            class_text_put(text, "    look at  %s\n", class_ask_text(row, 6));
        if (test > 0 && !hidden)
            class_text_put(text,
                           "    again    make check EX=%.2s TEST=%d SEED=%s\n",
                           exercise, test, class_ask_text(row, 8));
    }
}

static void put_tests(struct class_text *text,
                      const struct class_settings *settings,
                      sqlite3 *db,
                      sqlite3_int64 n,
                      const char *exercise)
{
    sqlite3_stmt *test = class_ask(
        db,
        settings->hidden_points
            ? "SELECT test, points, max, verdict, title, hidden FROM test"
              " WHERE n = ?1 AND exercise = ?2 AND NOT hidden UNION ALL"
              " SELECT '', SUM(points), SUM(max), 'hidden tests', '', 0"
              " FROM test WHERE n = ?1 AND exercise = ?2 AND hidden"
              " HAVING COUNT(*) > 0"
            : "SELECT test, points, max, verdict, title, hidden FROM test"
              " WHERE n = ?1 AND exercise = ?2 ORDER BY hidden, test",
        n);

    /* Bound here, it is the second of two parameters. */
    (void)sqlite3_bind_text(test, 2, exercise, -1, SQLITE_TRANSIENT);
    while (class_ask_next(test)) {
        const char *title = class_ask_text(test, 4);

        class_text_put(text, "  %4s %-3s %4g of %-4g %s%s%s%s\n",
                       class_ask_text(test, 0)[0] != '\0' ? "test" : "",
                       class_ask_text(test, 0), sqlite3_column_double(test, 1),
                       sqlite3_column_double(test, 2), class_ask_text(test, 3),
                       *title != '\0' ? " · " : "", title,
                       sqlite3_column_int(test, 5) ? " (hidden)" : "");
    }
}

static void put_exercises(struct class_text *text,
                          const struct class_settings *settings,
                          sqlite3 *db,
                          sqlite3_int64 n)
{
    sqlite3_stmt *exercise =
        class_ask(db,
                  "SELECT exercise, points, max, verdict FROM exercise"
                  " WHERE n = ?1 ORDER BY exercise",
                  n);

    while (class_ask_next(exercise)) {
        class_text_put(
            text, "\n%s  %g of %g, %s\n", class_ask_text(exercise, 0),
            sqlite3_column_double(exercise, 1),
            sqlite3_column_double(exercise, 2), class_ask_text(exercise, 3));
        put_tests(text, settings, db, n, class_ask_text(exercise, 0));
    }
}

/* What it was graded with, so that it can be graded so again. */
static void put_run(struct class_text *text, sqlite3 *db, sqlite3_int64 n)
{
    sqlite3_stmt *run =
        class_ask(db, "SELECT version, seed, sandbox FROM run WHERE n = ?1", n);

    while (class_ask_next(run))
        class_text_put(text, "graded with course %s, seed %s, sandbox %s\n",
                       class_ask_text(run, 0), class_ask_text(run, 1),
                       class_ask_text(run, 2));
}

static const char all_students[] =
    "SELECT s.n, s.id, s.name, s.submission, s.late, t.points,"
    " (SELECT SUM(max) FROM course), s.note, s.counts, s.rowid"
    " FROM student s JOIN total t ON t.row = s.rowid ORDER BY s.place,"
    " s.counts DESC, s.n";

static void put_notes(struct class_text *text,
                      const struct class_submission *submission)
{
    for (const char *line = class_text_of(&submission->notes); *line != '\0';) {
        size_t length = strcspn(line, "\n");

        class_text_put(text, "note        %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static int write_report(const struct class_settings *settings,
                        const struct class_submission *submission,
                        sqlite3 *db,
                        sqlite3_stmt *student)
{
    struct class_text text = {0};
    char *name = class_format("reports/%s.txt", submission->key);
    sqlite3_int64 n = sqlite3_column_int64(student, 0);
    bool has_id = strcmp(submission->id, submission->name) != 0;
    int rc;

    class_text_put(&text, "%s%s%s\n", has_id ? submission->id : "",
                   has_id ? "  " : "", submission->name);
    class_text_put(&text, "submission  %s%s\n", submission->label,
                   submission->late ? " (late)" : "");
    class_text_put(&text, "points      %g of %g\n",
                   sqlite3_column_double(student, 5),
                   sqlite3_column_double(student, 6));
    put_failures(&text, settings, db, n);
    class_text_put(&text, "\n");
    put_notes(&text, submission);
    put_run(&text, db, n);
    put_exercises(&text, settings, db, n);
    rc = write_text(settings, name, &text);
    free(name);
    if (rc == 0)
        rc = class_html_write(settings, submission, db, n);
    if (rc == 0)
        rc = class_formats_write(settings, submission, db, n);
    return rc;
}

/* Whoever separates by semicolons has commas in numbers. */
static void put_points(struct class_text *text,
                       const struct class_settings *settings,
                       double points)
{
    char *shown = class_format("%g", points);

    for (char *c = shown; settings->separator[0] == ';' && *c != '\0'; c++)
        if (*c == '.')
            *c = ',';
    class_text_put(text, "%s%s", shown, settings->separator);
    free(shown);
}

static void put_grades(struct class_text *grades,
                       const struct class_settings *settings,
                       sqlite3 *db,
                       sqlite3_stmt *student)
{
    sqlite3_stmt *points = class_ask(
        db, "SELECT points FROM mark WHERE row = ?1 ORDER BY exercise",
        sqlite3_column_int64(student, 9));

    for (int i = 1; i <= 4; i++)
        class_text_put_field(grades, class_ask_text(student, i),
                             settings->separator);
    while (class_ask_next(points))
        put_points(grades, settings, sqlite3_column_double(points, 0));
    put_points(grades, settings, sqlite3_column_double(student, 5));
    put_points(grades, settings, sqlite3_column_double(student, 6));
    class_text_put_field(grades, sqlite3_column_int(student, 8) ? "yes" : "no",
                         settings->separator);
    class_text_put_field(grades, class_ask_text(student, 7), "\r\n");
}

static void put_headings(struct class_text *grades,
                         const struct class_settings *settings,
                         sqlite3 *db)
{
    static const char *const before[] = {"id", "name", "submission", "late"};
    static const char *const after[] = {"total", "max", "counts"};
    sqlite3_stmt *row =
        class_ask(db, "SELECT exercise FROM course ORDER BY 1", 0);

    /* Without the mark a spreadsheet takes UTF-8 for something else. */
    class_text_put(grades, "\xef\xbb\xbf");
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        class_text_put_field(grades, before[i], settings->separator);
    while (class_ask_next(row))
        class_text_put_field(grades, class_ask_text(row, 0),
                             settings->separator);
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        class_text_put_field(grades, after[i], settings->separator);
    class_text_put(grades, "note\r\n");
}

int class_reports_write(const struct class_settings *settings,
                        const struct class_list *list,
                        sqlite3 *db)
{
    struct class_text grades = {0};
    sqlite3_stmt *row;
    int rc = 0;

    put_headings(&grades, settings, db);
    row = class_ask(db, all_students, 0);
    while (class_ask_next(row)) {
        size_t n = (size_t)sqlite3_column_int64(row, 0);

        put_grades(&grades, settings, db, row);
        if (n < list->count && rc == 0)
            rc = write_report(settings, &list->submission[n], db, row);
    }
    if (rc == 0)
        rc = write_text(settings, "grades.csv", &grades);
    class_text_free(&grades);
    return rc;
}
