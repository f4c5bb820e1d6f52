/* wrong - tells a wrong answer in the words of the test */
#include "grader/driver/wrong.h"

#include "grader/driver/frames.h"
#include "grader/driver/records.h"
#include "grader/driver/text.h"
#include "grader/driver/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *wrong_skip_place(const char *fail)
{
    const char *at = strstr(fail, ": ");
    const char *digit = at;

    while (digit != NULL && digit > fail && isdigit((unsigned char)digit[-1]))
        digit--;
    return at != NULL && digit < at && digit > fail && digit[-1] == ':' ? at + 2
                                                                        : fail;
}

/* Returns whether it is an expression about a field: "b->state",
 * "t.list.first". A dot between digits is not one. */
static bool has_field(const char *text, size_t size)
{
    if (strncmp(text, "ex_", 3) == 0)
        return false; /* a call of the student's function */
    for (size_t i = 1; i + 1 < size; i++) {
        if (text[i] == '-' && text[i + 1] == '>')
            return true;
        if (text[i] == '.' && isalpha((unsigned char)text[i + 1]) &&
            (isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_' ||
             text[i - 1] == ']'))
            return true;
    }
    return false;
}

/* Returns the part of "EXPRESSION = VALUE" to be shown: the value alone where
 * the expression is about a field. */
static const char *without_field(const char *text)
{
    const char *at = strstr(text, " = ");

    return at != NULL && has_field(text, (size_t)(at - text)) ? at + 3 : text;
}

/* "EXPRESSION is false" means nothing to a student who has not written it. */
static bool is_expression(const char *text)
{
    static const char end[] = " is false";
    size_t length = strlen(text);

    return length >= sizeof end &&
           strcmp(text + length - (sizeof end - 1), end) == 0;
}

/* Adds the place in the test as a line of its own. */
static void
add_place(const char *fail, const char *text, struct finding *finding)
{
    char place[FINDING_LINE];

    if (text == fail || finding->more[0] != '\0')
        return;
    (void)snprintf(place, sizeof place, "the test says it at %.*s",
                   (int)(text - fail) - 2, fail);
    text_set(finding->more, sizeof finding->more, place);
}

void wrong_explain(const struct test__run *run,
                   const struct explain_test *test,
                   const char *fail,
                   struct finding *finding)
{
    const char *text = wrong_skip_place(fail);
    const char *expected = records_first(run, TEST__EXPECTED);
    const char *got = records_first(run, TEST__GOT);
    struct frames frames;

    if (got == NULL && is_expression(text)) {
        words_say(finding, VERDICT_WRONG, NULL,
                  "something that the test looks at is not as it should be");
        add_place(fail, text, finding);
    } else if (got == NULL || expected == NULL) {
        words_say(finding, VERDICT_WRONG, NULL, "%s", got != NULL ? got : text);
    } else {
        words_say(finding, VERDICT_WRONG, NULL, "%s", without_field(got));
        text_set(finding->expected, sizeof finding->expected,
                 without_field(expected));
        if (without_field(got) != got)
            add_place(fail, text, finding);
    }
    frames_read(run, test, &frames);
    words_where(finding, test->shown, frames_first_line(&frames));
}
