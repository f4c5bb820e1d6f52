/* roster - who is in the class
 *
 * Owns the roster until class_roster_free. One thread enters. Depends on csv,
 * columns and encoding.
 */
#include "class.h"
#include "csv.h"
#include "encoding.h"
#include "names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum {
    ROSTER_MAX = 1 << 24 /* bytes */
};

static char **copy_fields(const struct class_csv *csv)
{
    char **field = class_allocate(NULL, csv->fields * sizeof *field);

    for (size_t i = 0; i < csv->fields; i++)
        field[i] = class_format("%s", csv->field[i]);
    return field;
}

/* Returns a field of the record, or "". */
static const char *field_of(const struct class_roster *roster,
                            const struct class_csv *csv,
                            enum class_role role)
{
    size_t at = roster->columns.at[role];

    return at < csv->fields ? csv->field[at] : "";
}

static char *make_name(const struct class_roster *roster,
                       const struct class_csv *csv)
{
    const char *first = field_of(roster, csv, CLASS_ROLE_FIRST);
    const char *last = field_of(roster, csv, CLASS_ROLE_LAST);
    char *joined =
        class_format("%s%s%s", first, *first != '\0' ? " " : "", last);
    const char *whole = field_of(roster, csv, CLASS_ROLE_NAME);
    char *shown = class_shown(*last != '\0' ? joined : whole);

    free(joined);
    return shown;
}

/* The university's id comes first, then what else tells one from another. */
static const char *find_id(const struct class_roster *roster,
                           const struct class_csv *csv)
{
    static const enum class_role roles[] = {
        CLASS_ROLE_ID, CLASS_ROLE_LOGIN, CLASS_ROLE_EMAIL, CLASS_ROLE_NUMBER};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        const char *text = field_of(roster, csv, roles[i]);

        if (*text != '\0' && class_columns_participant(text) == NULL)
            return text;
    }
    return field_of(roster, csv, CLASS_ROLE_NUMBER);
}

/* The platform's number is in a column of its own or, where Moodle
 * speaks German, in one that is called ID. */
static const char *find_number(const struct class_roster *roster,
                               const struct class_csv *csv)
{
    static const enum class_role roles[] = {CLASS_ROLE_NUMBER, CLASS_ROLE_ID};
    const char *number = field_of(roster, csv, CLASS_ROLE_NUMBER);

    for (size_t i = 0; i < 2; i++) {
        const char *digits =
            class_columns_participant(field_of(roster, csv, roles[i]));

        if (digits != NULL)
            return digits;
    }
    return number;
}

/* Canvas has lines that belong to no student. */
static bool is_nobody(const char *name)
{
    static const char *const words[] = {"pointspossible", "moglichepunkte",
                                        "erreichbarepunkte", "studenttest",
                                        "teststudent"};
    char *folded = class_name_fold(name, CLASS_FOLD_PLAIN);
    bool is = false;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        is |= strcmp(folded, words[i]) == 0;
    free(folded);
    return is;
}

/* Takes one record. Returns NULL, or why it is wrong. */
static const char *add(struct class_roster *roster, const struct class_csv *csv)
{
    struct class_student student = {0};
    const char *id = find_id(roster, csv);

    student.name = make_name(roster, csv);
    if (roster->columns.is_canvas && is_nobody(student.name)) {
        free(student.name);
        return NULL;
    }
    student.id = class_shown(id);
    student.number = class_format("%s", find_number(roster, csv));
    student.field = copy_fields(csv);
    student.fields = csv->fields;
    roster->student =
        class_grow(roster->student, roster->count, sizeof student);
    roster->student[roster->count] = student;
    roster->count++;
    if (*id == '\0')
        return "there is no id";
    for (size_t i = 0; i + 1 < roster->count; i++)
        if (strcasecmp(roster->student[i].id, student.id) == 0)
            return "this id was there before";
    return NULL;
}

static void say_column(const struct class_roster *roster,
                       const char *between,
                       enum class_role role)
{
    size_t at = roster->columns.at[role];
    char *shown;

    if (at == SIZE_MAX)
        return;
    shown = class_shown(roster->heading[at]);
    (void)printf("%s\"%s\"", between, shown);
    free(shown);
}

/* One line tells how the roster was understood. */
static void
say(const struct class_roster *roster, const char *path, const char *encoding)
{
    const size_t *at = roster->columns.at;
    bool has_last = at[CLASS_ROLE_LAST] != SIZE_MAX;

    (void)printf("%s: %zu students; %s, separated by %s", path, roster->count,
                 encoding,
                 roster->separator == ';'    ? "semicolons"
                 : roster->separator == '\t' ? "tabs"
                                             : "commas");
    say_column(roster, "; name from ",
               has_last ? CLASS_ROLE_FIRST : CLASS_ROLE_NAME);
    say_column(roster, at[CLASS_ROLE_FIRST] != SIZE_MAX ? " " : "; name from ",
               has_last ? CLASS_ROLE_LAST : CLASS_ROLE_NONE);
    say_column(roster, ", id from ",
               at[CLASS_ROLE_ID] != SIZE_MAX      ? CLASS_ROLE_ID
               : at[CLASS_ROLE_LOGIN] != SIZE_MAX ? CLASS_ROLE_LOGIN
               : at[CLASS_ROLE_EMAIL] != SIZE_MAX ? CLASS_ROLE_EMAIL
                                                  : CLASS_ROLE_NUMBER);
    (void)puts("");
}

/* Reads the headings and all records. Returns NULL, or why it is wrong. */
static const char *read_all(struct class_roster *roster, struct class_csv *csv)
{
    const char *wrong = NULL;
    int more = class_csv_next(csv, &wrong);

    if (wrong != NULL)
        return wrong;
    roster->separator = csv->separator;
    roster->heading = copy_fields(csv);
    roster->headings = csv->fields;
    wrong = class_columns_find(&roster->columns, roster->heading,
                               more > 0 ? csv->fields : 0);
    while (wrong == NULL && class_csv_next(csv, &wrong) > 0)
        wrong = add(roster, csv);
    return wrong;
}

int class_roster_read(struct class_roster *roster, const char *path)
{
    struct class_text text = {0};
    struct class_csv csv;
    const char *encoding = NULL;
    const char *wrong = NULL;
    int rc = class_file_read(path, ROSTER_MAX, &text);

    if (rc != 0) {
        (void)fprintf(stderr, "build/class: %s: %s\n", path, uv_strerror(rc));
        goto out;
    }
    roster->had_mark =
        text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
    encoding = class_encoding_convert(&text);
    class_csv_start(&csv, text.data);
    if (encoding == NULL || strlen(text.data) != text.size)
        wrong = "it is not text";
    else
        wrong = read_all(roster, &csv);
    if (wrong != NULL) {
        (void)fprintf(stderr, "build/class: %s:%zu: %s\n", path, csv.line,
                      wrong);
        rc = 1;
    } else {
        say(roster, path, encoding);
    }

out:
    class_text_free(&text);
    return rc != 0;
}

static void free_fields(char **field, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(field[i]);
    free(field);
}

void class_roster_free(struct class_roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        free(roster->student[i].id);
        free(roster->student[i].name);
        free(roster->student[i].number);
        free_fields(roster->student[i].field, roster->student[i].fields);
    }
    free_fields(roster->heading, roster->headings);
    free(roster->student);
}
