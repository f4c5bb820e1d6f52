/* roster - who is in the class
 *
 * Owns the roster until class_roster_free. One thread enters. Depends on csv.
 */
#include "class.h"
#include "csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum {
    ROSTER_MAX = 1 << 24 /* bytes */
};

static size_t find_column(const struct class_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->fields; i++)
        if (strcasecmp(csv->field[i], name) == 0)
            return i;
    return SIZE_MAX;
}

/* Takes one record. Returns NULL, or why it is wrong. */
static const char *add(struct class_roster *roster,
                       const struct class_csv *csv,
                       size_t id,
                       size_t name)
{
    struct class_student student = {0};

    if (id >= csv->fields || csv->field[id][0] == '\0')
        return "there is no id";
    for (size_t i = 0; i < roster->count; i++)
        if (strcasecmp(roster->student[i].id, csv->field[id]) == 0)
            return "this id was there before";
    student.id = class_shown(csv->field[id]);
    student.name = class_shown(name < csv->fields ? csv->field[name] : "");
    student.number = class_format("%s", "");
    roster->student =
        class_grow(roster->student, roster->count, sizeof student);
    roster->student[roster->count] = student;
    roster->count++;
    return NULL;
}

int class_roster_read(struct class_roster *roster, const char *path)
{
    struct class_text text = {0};
    struct class_csv csv;
    const char *wrong = NULL;
    size_t id = SIZE_MAX, name = SIZE_MAX;
    int more = 0;
    int rc = class_file_read(path, ROSTER_MAX, &text);

    if (rc != 0) {
        (void)fprintf(stderr, "build/class: %s: %s\n", path, uv_strerror(rc));
        goto out;
    }
    class_text_add(&text, "", 0);
    class_csv_start(&csv, text.data);
    csv.line = 1;
    if (strlen(text.data) != text.size)
        wrong = "it is no text";
    else
        more = class_csv_next(&csv, &wrong);
    if (wrong == NULL && more > 0) {
        id = find_column(&csv, "id");
        name = find_column(&csv, "name");
    }
    if (wrong == NULL && (id == SIZE_MAX || name == SIZE_MAX))
        wrong = "the first line must name the columns id and name";
    while (wrong == NULL && class_csv_next(&csv, &wrong) > 0)
        wrong = add(roster, &csv, id, name);
    if (wrong != NULL) {
        (void)fprintf(stderr, "build/class: %s:%zu: %s\n", path, csv.line,
                      wrong);
        rc = 1;
    }

out:
    class_text_free(&text);
    return rc != 0;
}

void class_roster_free(struct class_roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        free(roster->student[i].id);
        free(roster->student[i].name);
        free(roster->student[i].number);
    }
    free(roster->student);
}
