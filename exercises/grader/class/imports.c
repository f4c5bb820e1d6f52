/* imports - the marks in a form that Moodle or Canvas imports
 *
 * Owns nothing that lasts. One thread enters. What is written has the columns,
 * the separator and the headings that the roster came with, so that the
 * platform knows its own again.
 */
#include "results.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static void begin(struct class_text *text, const struct class_roster *roster)
{
    if (roster->had_mark || !roster->columns.is_canvas)
        class_text_put(text, "\xef\xbb\xbf");
}

static const char *field_of(const struct class_roster *roster,
                            const struct class_student *student,
                            enum class_role role)
{
    size_t at = roster->columns.at[role];

    return at < student->fields ? student->field[at] : "";
}

/* Returns the points of a student, all or of one exercise; freed with free. */
static char *points_of(sqlite3 *db, size_t student, const char *exercise)
{
    sqlite3_stmt *row =
        class_ask(db,
                  exercise != NULL
                      ? "SELECT points FROM mark WHERE place = ?1 AND counts"
                        " AND exercise = ?2"
                      : "SELECT points FROM total WHERE place = ?1 AND counts",
                  (sqlite3_int64)student);
    char *points = NULL;

    if (exercise != NULL)
        (void)sqlite3_bind_text(row, 2, exercise, -1, SQLITE_TRANSIENT);
    while (class_ask_next(row)) {
        free(points);
        points = class_format("%g", sqlite3_column_double(row, 0));
    }
    return points != NULL ? points : class_format("%s", "");
}

/* What a student has, an exercise after the other, in one cell. */
static char *feedback_of(sqlite3 *db, size_t student)
{
    struct class_text text = {0};
    sqlite3_stmt *row = class_ask(
        db,
        "SELECT m.exercise, m.points, c.max FROM mark m JOIN course c"
        " USING (exercise) WHERE m.place = ?1 AND m.counts ORDER BY m.exercise",
        (sqlite3_int64)student);

    while (class_ask_next(row))
        class_text_put(&text, "%s%s %g of %g", text.size > 0 ? ", " : "",
                       class_ask_text(row, 0), sqlite3_column_double(row, 1),
                       sqlite3_column_double(row, 2));
    class_text_add(&text, "", 0);
    return text.data;
}

/* The grading worksheet of Moodle, or what its gradebook can import. */
static void put_moodle(struct class_text *text,
                       const struct class_roster *roster,
                       sqlite3 *db,
                       const char *separator)
{
    const size_t *at = roster->columns.at;
    bool has_grade = at[CLASS_ROLE_GRADE] != SIZE_MAX;

    for (size_t i = 0; i < roster->headings; i++)
        class_text_put_field(text, roster->heading[i],
                             i + 1 < roster->headings || !has_grade ? separator
                                                                    : "\r\n");
    if (!has_grade)
        class_text_put(text, "Grade\r\n");
    for (size_t i = 0; i < roster->count; i++) {
        const struct class_student *student = &roster->student[i];
        char *grade = points_of(db, i, NULL);
        char *feedback = feedback_of(db, i);

        for (size_t k = 0; k < roster->headings; k++)
            class_text_put_field(
                text,
                k == at[CLASS_ROLE_GRADE]      ? grade
                : k == at[CLASS_ROLE_FEEDBACK] ? feedback
                : k < student->fields          ? student->field[k]
                                               : "",
                k + 1 < roster->headings || !has_grade ? separator : "\r\n");
        if (!has_grade)
            class_text_put_field(text, grade, "\r\n");
        free(feedback);
        free(grade);
    }
}

/* Canvas takes columns it does not know for new assignments. */
static void put_canvas(struct class_text *text,
                       const struct class_roster *roster,
                       sqlite3 *db,
                       const char *separator)
{
    static const enum class_role roles[] = {CLASS_ROLE_NAME, CLASS_ROLE_NUMBER,
                                            CLASS_ROLE_ID, CLASS_ROLE_LOGIN,
                                            CLASS_ROLE_SECTION};
    const size_t count = sizeof roles / sizeof roles[0];
    sqlite3_stmt *exercise;

    for (size_t i = 0; i < count; i++)
        if (roster->columns.at[roles[i]] != SIZE_MAX)
            class_text_put_field(
                text, roster->heading[roster->columns.at[roles[i]]], separator);
    exercise = class_ask(db, "SELECT exercise FROM course ORDER BY 1", 0);
    while (class_ask_next(exercise))
        class_text_put_field(text, class_ask_text(exercise, 0), separator);
    class_text_put(text, "Total\r\n");
    for (size_t i = 0; i < roster->count; i++) {
        char *total = points_of(db, i, NULL);

        for (size_t k = 0; k < count; k++)
            if (roster->columns.at[roles[k]] != SIZE_MAX)
                class_text_put_field(
                    text, field_of(roster, &roster->student[i], roles[k]),
                    separator);
        exercise = class_ask(db, "SELECT exercise FROM course ORDER BY 1", 0);
        while (class_ask_next(exercise)) {
            char *points = points_of(db, i, class_ask_text(exercise, 0));

            class_text_put_field(text, points, separator);
            free(points);
        }
        class_text_put_field(text, total, "\r\n");
        free(total);
    }
}

int class_imports_write(const struct class_settings *settings,
                        const struct class_roster *roster,
                        sqlite3 *db)
{
    char *path = class_format("%s/%s.csv", settings->run,
                              roster->columns.is_canvas ? "canvas" : "moodle");
    struct class_text text = {0};
    int rc = 0;

    if (roster->count > 0) {
        begin(&text, roster);
        if (roster->columns.is_canvas)
            put_canvas(&text, roster, db, settings->separator);
        else
            put_moodle(&text, roster, db, settings->separator);
        rc = class_file_write(path, text.data, text.size);
    }
    class_text_free(&text);
    free(path);
    return rc;
}
