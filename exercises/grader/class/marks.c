/* marks - what a teacher has decided by hand
 *
 * Owns the marks until class_marks_free. One thread enters. Depends on csv and
 * encoding.
 */
#include "marks.h"

#include "csv.h"
#include "encoding.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>

enum {
    FILE_MAX = 1 << 22 /* bytes */
};

enum column {
    ID,
    EXERCISE,
    POINTS,
    LATE,
    SUBMISSION,
    NOTE,
    COLUMNS
};

static const char *const headings[COLUMNS] = {"id",   "exercise",   "points",
                                              "late", "submission", "note"};

static void find_columns(const struct class_csv *csv, size_t at[COLUMNS])
{
    for (int k = 0; k < COLUMNS; k++) {
        at[k] = SIZE_MAX;
        for (size_t i = 0; i < csv->fields; i++)
            if (strcasecmp(csv->field[i], headings[k]) == 0)
                at[k] = i;
    }
}

/* Reads a number with a point or a comma. Returns 1, 0 if there is none, or -1
 * if it is not a number. */
static int read_number(const char *text, double *ret_number)
{
    char *copy = class_format("%s", text);
    char *comma = strchr(copy, ',');
    char *end;
    int rc = *text != '\0';

    if (comma != NULL)
        *comma = '.';
    *ret_number = strtod(copy, &end);
    if (*end != '\0' || !(*ret_number > -1e6 && *ret_number < 1e6))
        rc = -1;
    free(copy);
    return rc;
}

/* Returns the whole name of an exercise, or NULL. */
static const char *find_exercise(const struct class_course *course,
                                 const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < course->exercises; i++)
        if (class_course_is_named(course->exercise[i].name, text, length))
            return course->exercise[i].name;
    return NULL;
}

/* Takes one record. Returns NULL, or why it is wrong. */
static const char *add(struct class_marks *marks,
                       const struct class_course *course,
                       const char *const field[COLUMNS])
{
    struct class_mark mark = {0};
    const char *exercise = "";

    mark.has_points = read_number(field[POINTS], &mark.points);
    mark.has_late = read_number(field[LATE], &mark.late);
    if (field[ID][0] == '\0')
        return "there is no id";
    if (mark.has_points < 0)
        return "the points are not a number";
    if (mark.has_late < 0 || mark.late < 0)
        return "late is not a number of days";
    if (field[EXERCISE][0] != '\0')
        exercise = find_exercise(course, field[EXERCISE]);
    if (exercise == NULL)
        return "there is no such exercise";
    mark.id = class_shown(field[ID]);
    mark.exercise = class_format("%s", exercise);
    mark.submission = class_format("%s", field[SUBMISSION]);
    mark.note = class_shown(field[NOTE]);
    marks->mark = class_grow(marks->mark, marks->count, sizeof mark);
    marks->mark[marks->count++] = mark;
    return NULL;
}

static const char *read_all(struct class_marks *marks,
                            const struct class_course *course,
                            struct class_csv *csv)
{
    const char *wrong = NULL;
    size_t at[COLUMNS];

    if (class_csv_next(csv, &wrong) <= 0)
        return wrong != NULL ? wrong : "it is empty";
    find_columns(csv, at);
    if (at[ID] == SIZE_MAX)
        return "the first line must name the column id, and of exercise, "
               "points, late, submission and note those that it has";
    while (wrong == NULL && class_csv_next(csv, &wrong) > 0) {
        const char *field[COLUMNS];

        for (int k = 0; k < COLUMNS; k++)
            field[k] = at[k] < csv->fields ? csv->field[at[k]] : "";
        wrong = add(marks, course, field);
    }
    return wrong;
}

static int read_text(struct class_marks *marks,
                     const struct class_course *course,
                     const char *path,
                     struct class_text *text)
{
    struct class_csv csv = {.line = 1};
    const char *wrong = "it is not text";

    if (class_encoding_convert(text) != NULL &&
        strlen(class_text_of(text)) == text->size) {
        class_csv_start(&csv, text->data);
        wrong = read_all(marks, course, &csv);
    }
    if (wrong != NULL)
        (void)fprintf(stderr, "build/class: %s:%zu: %s\n", path, csv.line,
                      wrong);
    return wrong != NULL;
}

int class_marks_read(struct class_marks *marks,
                     const struct class_settings *settings,
                     const struct class_course *course)
{
    char *here = class_format("%s/marks.csv", settings->run);
    char *last = class_format("%s/marks.csv", settings->out);
    const char *path = settings->marks != NULL ? settings->marks : last;
    struct class_text text = {0};
    int rc = class_file_read(path, FILE_MAX, &text);

    (void)unlink(here); /* of a run that was stopped, if there was one */
    if (rc == UV_ENOENT && settings->marks == NULL) {
        rc = 0; /* nothing was decided yet */
    } else if (rc != 0) {
        (void)fprintf(stderr, "build/class: %s: %s\n", path, uv_strerror(rc));
    } else {
        rc = class_file_write(here, text.data, text.size);
        if (rc == 0)
            rc = read_text(marks, course, path, &text);
    }
    class_text_free(&text);
    free(last);
    free(here);
    return rc != 0;
}

void class_marks_check(const struct class_marks *marks,
                       const struct class_roster *roster,
                       const struct class_list *list)
{
    for (size_t i = 0; i < marks->count; i++) {
        const char *id = marks->mark[i].id;
        bool is_known = false;

        for (size_t k = 0; k < roster->count; k++)
            is_known |= strcasecmp(roster->student[k].id, id) == 0;
        for (size_t k = 0; roster->count == 0 && k < list->count; k++)
            is_known |= strcasecmp(list->submission[k].id, id) == 0;
        if (!is_known)
            (void)fprintf(stderr,
                          "build/class: marks: there is no student %s\n", id);
    }
}

void class_marks_free(struct class_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        free(marks->mark[i].id);
        free(marks->mark[i].exercise);
        free(marks->mark[i].submission);
        free(marks->mark[i].note);
    }
    free(marks->mark);
}
