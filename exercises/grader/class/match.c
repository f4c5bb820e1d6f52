/* match - whose submission is whose
 *
 * Owns nothing that lasts. One thread enters. Depends on names. A name, an id
 * of the roster and a number of the platform can each tell whose a submission
 * is. The platform's number is not the university's: it counts only where the
 * roster has a column for it. If what is told contradicts itself, or fits
 * several, nobody gets the submission, and its notes say why.
 */
#include "class.h"
#include "marks.h"
#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Students that one kind of evidence points at. */
struct found {
    size_t student[CLASS_STUDENTS_MAX];
    size_t count;
    bool too_many; /* it fits more of them than could be told apart */
};

static void put(struct found *found, size_t student)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->student[i] == student)
            return;
    if (found->count < CLASS_STUDENTS_MAX)
        found->student[found->count++] = student;
    else
        found->too_many = true;
}

static int holds(const struct found *found, size_t student)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->student[i] == student)
            return 1;
    return 0;
}

static const char *name_of(const struct class_roster *roster, size_t student)
{
    const struct class_student *one = &roster->student[student];

    return one->name[0] != '\0' ? one->name : one->id;
}

/* Finds the ids that occur in text. The longest comes first, and what it
 * covers is taken out, so that "a-1" is not "1" as well. Returns what is
 * left; freed with free. */
static char *find_ids(const struct class_roster *roster,
                      const char *text,
                      struct found *found)
{
    char *rest = class_format("%s", text);

    for (;;) {
        size_t best = SIZE_MAX, at = 0, length = 0;

        for (size_t i = 0; i < roster->count; i++) {
            size_t place = class_name_find(rest, roster->student[i].id);

            if (place != SIZE_MAX && strlen(roster->student[i].id) > length) {
                best = i;
                at = place;
                length = strlen(roster->student[i].id);
            }
        }
        if (best == SIZE_MAX)
            return rest;
        put(found, best);
        memset(rest + at, ' ', length);
    }
}

/* Finds whose name text is: only those that it is closest to. */
static void find_name(const struct class_roster *roster,
                      const char *text,
                      struct found *found)
{
    int closest = 1;

    for (size_t i = 0; i < roster->count; i++) {
        int agrees = class_name_agrees(text, roster->student[i].name);

        if (agrees > closest)
            *found = (struct found){.count = 0};
        if (agrees >= closest) {
            closest = agrees;
            put(found, i);
        }
    }
}

/* Finds names that occur somewhere in text. */
static void find_names_in(const struct class_roster *roster,
                          const char *text,
                          struct found *found)
{
    for (size_t i = 0; i < roster->count; i++)
        if (class_name_contains(text, roster->student[i].name))
            put(found, i);
}

static void find_number(const struct class_roster *roster,
                        const char *number,
                        struct found *found)
{
    for (size_t i = 0; i < roster->count && number[0] != '\0'; i++)
        if (strcmp(roster->student[i].number, number) == 0)
            put(found, i);
}

static void doubt(struct class_submission *submission, const char *why)
{
    class_note(submission, "%s: nobody gets it", why);
}

/* Says that two kinds of evidence name different students. */
static void contradict(const struct class_roster *roster,
                       struct class_submission *submission,
                       const char *what,
                       size_t student,
                       size_t named)
{
    char *why = class_format("its %s is that of %s (%s), its name that of %s "
                             "(%s)",
                             what, roster->student[student].id,
                             name_of(roster, student),
                             roster->student[named].id, name_of(roster, named));

    doubt(submission, why);
    free(why);
}

static void give(struct class_submission *submission, const struct found *to)
{
    for (size_t i = 0; i < to->count; i++)
        submission->student[i] = to->student[i];
    submission->students = to->count;
}

/* Where names are hidden, Moodle calls everybody so. */
static bool is_hidden_name(const char *name)
{
    char *numbered = class_format("%s 1", name);
    bool is = class_columns_participant(numbered) != NULL;

    free(numbered);
    return is;
}

/* Whoever has handed in on a platform is known there by name; an id in that
 * name, or the platform's number in the roster, must agree with it. */
static void match_part(const struct class_roster *roster,
                       struct class_submission *submission)
{
    struct found named = {.count = 0}, ids = {.count = 0};
    struct found number = {.count = 0};
    const struct found *sure;

    free(find_ids(roster, submission->name, &ids));
    find_number(roster, submission->number, &number);
    find_name(roster, submission->name, &named);
    if (named.count == 0)
        find_names_in(roster, submission->name, &named);
    sure = number.count == 1 ? &number : &ids;
    if (sure->count > 1 || number.count > 1)
        doubt(submission, "it names several students");
    else if (number.count == 1 && ids.count == 1 &&
             number.student[0] != ids.student[0])
        doubt(submission, "its number and its id are of different students");
    else if (sure->count == 1 && named.count > 0 &&
             !holds(&named, sure->student[0]))
        contradict(roster, submission, sure == &number ? "number" : "id",
                   sure->student[0], named.student[0]);
    else if (number.count == 1 && named.count == 0 &&
             !is_hidden_name(submission->name))
        doubt(submission, "its number is somebody's whose name is another");
    else if (sure->count == 1)
        give(submission, sure);
    else if (named.count > 1 || named.too_many)
        doubt(submission, "its name is that of several students");
    else
        give(submission, &named);
}

/* What somebody has named himself holds ids, or names. */
static void match_free(const struct class_roster *roster,
                       struct class_submission *submission)
{
    struct found ids = {.count = 0}, named = {.count = 0};
    char *rest = find_ids(roster, submission->name, &ids);
    size_t other = SIZE_MAX;

    find_name(roster, rest, &named);
    if (named.count == 0)
        find_names_in(roster, rest, &named);
    for (size_t i = 0; i < named.count; i++)
        if (!holds(&ids, named.student[i]))
            other = named.student[i];
    if (ids.too_many || named.too_many)
        doubt(submission, "it names too many students");
    else if (ids.count > 0 && other != SIZE_MAX)
        contradict(roster, submission, "id", ids.student[0], other);
    else if (ids.count > 0)
        give(submission, &ids);
    else if (named.count > 1)
        doubt(submission, "its name is that of several students");
    else
        give(submission, &named);
    free(rest);
}

static void replace(char **text, const char *by)
{
    free(*text);
    *text = class_format("%s", by);
}

/* Students are shown as the roster has them. */
static void rename_by_roster(struct class_roster *roster,
                             struct class_submission *submission)
{
    struct class_text ids = {0}, names = {0};

    for (size_t i = 0; i < submission->students; i++) {
        struct class_student *student =
            &roster->student[submission->student[i]];

        class_text_put(&ids, "%s%s", i > 0 ? " " : "", student->id);
        class_text_put(&names, "%s%s", i > 0 ? ", " : "", student->name);
        student->submissions++;
    }
    replace(&submission->id, class_text_of(&ids));
    if (submission->students > 0)
        replace(&submission->name, class_text_of(&names));
    class_text_free(&ids);
    class_text_free(&names);
}

/* A teacher has said whose it is. Returns whether that is so. */
static bool match_by_hand(const struct class_roster *roster,
                          const struct class_marks *marks,
                          struct class_submission *submission)
{
    struct found by_hand = {.count = 0};

    for (size_t i = 0; i < marks->count; i++)
        for (size_t k = 0; k < roster->count; k++)
            if (strcmp(marks->mark[i].submission, submission->label) == 0 &&
                strcasecmp(marks->mark[i].id, roster->student[k].id) == 0)
                put(&by_hand, k);
    give(submission, &by_hand);
    return by_hand.count > 0;
}

/* Finds whom a free text means, as NAME is one. */
static void find_said(const struct class_roster *roster,
                      const char *text,
                      struct found *said)
{
    char *rest = find_ids(roster, text, said);

    if (said->count == 0)
        find_name(roster, rest, said);
    if (said->count == 0)
        find_names_in(roster, rest, said);
    free(rest);
}

/* NAME was written by whoever packed the submission: it can tell whose it is if
 * nothing else does, and name a partner; it must not name somebody else. */
static void match_said(const struct class_roster *roster,
                       struct class_submission *submission)
{
    struct found said = {.count = 0};
    bool is_more = true;

    if (submission->said == NULL)
        return;
    find_said(roster, submission->said, &said);
    for (size_t i = 0; i < submission->students; i++)
        is_more &= holds(&said, submission->student[i]);
    if (said.count == 0)
        return;
    if (!is_more) {
        submission->students = 0;
        class_note(submission,
                   "NAME says %s, which is somebody else: nobody gets it",
                   submission->said);
    } else if (said.count > submission->students) {
        give(submission, &said);
        class_note(submission, "by NAME: %s", submission->said);
    }
}

static void match_one(struct class_roster *roster,
                      const struct class_marks *marks,
                      struct class_submission *submission)
{
    size_t notes = submission->notes.size;

    if (match_by_hand(roster, marks, submission))
        return;
    if (submission->is_part)
        match_part(roster, submission);
    else
        match_free(roster, submission);
    if (submission->notes.size == notes)
        match_said(roster, submission);
    if (submission->students == 0 && submission->notes.size == notes)
        class_note(submission, "not in the roster");
}

void class_match(struct class_roster *roster,
                 const struct class_marks *marks,
                 struct class_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        match_one(roster, marks, &list->submission[i]);
        rename_by_roster(roster, &list->submission[i]);
    }
}
