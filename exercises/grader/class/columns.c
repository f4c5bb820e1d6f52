/* columns - what the headings of a roster mean
 *
 * Owns nothing. One thread enters. Headings are compared as names are: without
 * case, accents, blanks and marks.
 */
#include "columns.h"

#include "names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum class_role role;
    const char *heading;
} known[] = {
    {CLASS_ROLE_ID, "sisuserid"},
    {CLASS_ROLE_ID, "sisbenutzerid"},
    {CLASS_ROLE_ID, "idnumber"},
    {CLASS_ROLE_ID, "idnummer"},
    {CLASS_ROLE_ID, "matrikelnummer"},
    {CLASS_ROLE_ID, "matrikelnr"},
    {CLASS_ROLE_ID, "matrikel"},
    {CLASS_ROLE_ID, "studentid"},
    {CLASS_ROLE_ID, "studentnumber"},
    {CLASS_ROLE_ID, "id"},
    {CLASS_ROLE_NAME, "fullname"},
    {CLASS_ROLE_NAME, "vollstandigername"},
    {CLASS_ROLE_NAME, "vollstaendigername"},
    {CLASS_ROLE_NAME, "student"},
    {CLASS_ROLE_NAME, "studierender"},
    {CLASS_ROLE_NAME, "studierende"},
    {CLASS_ROLE_NAME, "name"},
    {CLASS_ROLE_FIRST, "firstname"},
    {CLASS_ROLE_FIRST, "givenname"},
    {CLASS_ROLE_FIRST, "vorname"},
    {CLASS_ROLE_FIRST, "vornamen"},
    {CLASS_ROLE_LAST, "lastname"},
    {CLASS_ROLE_LAST, "surname"},
    {CLASS_ROLE_LAST, "familyname"},
    {CLASS_ROLE_LAST, "nachname"},
    {CLASS_ROLE_LAST, "familienname"},
    {CLASS_ROLE_NUMBER, "identifier"},
    {CLASS_ROLE_NUMBER, "participant"},
    {CLASS_ROLE_LOGIN, "sisloginid"},
    {CLASS_ROLE_LOGIN, "sisanmeldeid"},
    {CLASS_ROLE_LOGIN, "username"},
    {CLASS_ROLE_LOGIN, "anmeldename"},
    {CLASS_ROLE_LOGIN, "benutzername"},
    {CLASS_ROLE_EMAIL, "emailaddress"},
    {CLASS_ROLE_EMAIL, "emailadresse"},
    {CLASS_ROLE_EMAIL, "email"},
    {CLASS_ROLE_SECTION, "section"},
    {CLASS_ROLE_SECTION, "abschnitt"},
    {CLASS_ROLE_GRADE, "grade"},
    {CLASS_ROLE_GRADE, "bewertung"},
    {CLASS_ROLE_FEEDBACK, "feedbackcomments"},
    {CLASS_ROLE_FEEDBACK, "feedbackalskommentar"},
};

static size_t find(char *const headings[], size_t count, const char *wanted)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < count && found == SIZE_MAX; i++) {
        char *folded = class_name_fold(headings[i], CLASS_FOLD_PLAIN);

        if (strcmp(folded, wanted) == 0)
            found = i;
        free(folded);
    }
    return found;
}

/* In Canvas "ID" is the platform's number. There is a column of the student
 * information system beside it, or at least that of the section. */
static void
find_canvas(struct class_columns *columns, char *const headings[], size_t count)
{
    size_t id = find(headings, count, "id");
    bool has_sis = find(headings, count, "sisuserid") != SIZE_MAX ||
                   find(headings, count, "sisbenutzerid") != SIZE_MAX ||
                   columns->at[CLASS_ROLE_SECTION] != SIZE_MAX;

    columns->is_canvas =
        id != SIZE_MAX && has_sis && columns->at[CLASS_ROLE_NAME] != SIZE_MAX;
    if (!columns->is_canvas)
        return;
    columns->at[CLASS_ROLE_NUMBER] = id;
    if (columns->at[CLASS_ROLE_ID] == id)
        columns->at[CLASS_ROLE_ID] = SIZE_MAX;
}

const char *class_columns_find(struct class_columns *columns,
                               char *const headings[],
                               size_t count)
{
    for (int role = 0; role < CLASS_ROLES; role++)
        columns->at[role] = SIZE_MAX;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (columns->at[known[i].role] == SIZE_MAX)
            columns->at[known[i].role] =
                find(headings, count, known[i].heading);
    find_canvas(columns, headings, count);
    if ((columns->at[CLASS_ROLE_NAME] == SIZE_MAX &&
         columns->at[CLASS_ROLE_LAST] == SIZE_MAX) ||
        (columns->at[CLASS_ROLE_ID] == SIZE_MAX &&
         columns->at[CLASS_ROLE_LOGIN] == SIZE_MAX &&
         columns->at[CLASS_ROLE_EMAIL] == SIZE_MAX &&
         columns->at[CLASS_ROLE_NUMBER] == SIZE_MAX))
        return "the first line must name the columns id and name, or those of "
               "Moodle or Canvas";
    return NULL;
}

const char *class_columns_participant(const char *text)
{
    static const char *const words[] = {"participant", "teilnehmerin",
                                        "teilnehmer"};
    const char *digits = text + strcspn(text, "0123456789");
    char *folded;
    bool is = false;

    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
        digits == text)
        return NULL;
    folded = class_name_fold(text, CLASS_FOLD_PLAIN);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        is |= strncmp(folded, words[i], strlen(words[i])) == 0 &&
              isdigit((unsigned char)folded[strlen(words[i])]);
    free(folded);
    return is ? digits : NULL;
}
