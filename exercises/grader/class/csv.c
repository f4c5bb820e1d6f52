/* csv - reads a CSV file as RFC 4180 describes it
 *
 * Owns nothing: fields are cut out of the text in place. One thread enters.
 */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

/* Returns which of the separators there is most of in the first line, outside
 * of quotes. */
static char find_separator(const char *text)
{
    static const char separators[] = ",;\t";
    size_t counts[3] = {0, 0, 0};
    bool is_quoted = false;
    size_t best = 0;

    for (; *text != '\0' && (is_quoted || strchr("\r\n", *text) == NULL);
         text++) {
        const char *found = strchr(separators, *text);

        is_quoted = is_quoted != (*text == '"');
        if (found != NULL && !is_quoted)
            counts[found - separators]++;
    }
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

void class_csv_start(struct class_csv *csv, char *text)
{
    memset(csv, 0, sizeof *csv);
    csv->line = csv->next_line = 1;
    /* Excel writes its separator before all else. */
    if (strncmp(text, "sep=", 4) == 0 && text[4] != '\0' &&
        strchr("\r\n", text[5]) != NULL) {
        csv->separator = text[4];
        text += 5 + strspn(text + 5, "\r\n");
        csv->next_line = 2;
    } else {
        csv->separator = find_separator(text);
    }
    csv->next = text;
}

/* Cuts a field out and moves csv->next to what ends it. Returns what ends it,
 * or -1. */
static int read_field(struct class_csv *csv, char **ret_field)
{
    char *from = csv->next;
    char *to = from;
    char end;

    *ret_field = from;
    if (*from == '"') {
        from++;
        while (*from != '\0' && (from[0] != '"' || from[1] == '"')) {
            csv->next_line += *from == '\n';
            from += *from == '"'; /* two mean one */
            *to++ = *from++;
        }
        if (*from == '\0')
            return -1;
        from++;
    } else {
        char ends[] = {csv->separator, '\r', '\n', '\0'};

        to = from += strcspn(from, ends);
    }
    if (from[0] == '\r' && (from[1] == '\n' || from[1] == '\0'))
        from++;
    end = *from;
    *to = '\0';
    csv->next = end != '\0' ? from + 1 : from;
    return (unsigned char)end;
}

int class_csv_next(struct class_csv *csv, const char **ret_wrong)
{
    int end;

    do {
        if (*csv->next == '\0')
            return 0;
        csv->line = csv->next_line;
        csv->fields = 0;
        do {
            if (csv->fields == CLASS_CSV_FIELDS) {
                *ret_wrong = "too many fields";
                return -1;
            }
            end = read_field(csv, &csv->field[csv->fields]);
            if (end < 0) {
                *ret_wrong = "a quote is not closed";
                return -1;
            }
            csv->fields++;
        } while (end == csv->separator);
        if (end != '\n' && end != '\0') {
            *ret_wrong = "there is something behind a closing quote";
            return -1;
        }
        csv->next_line++;
    } while (csv->fields == 1 && csv->field[0][0] == '\0');
    return 1;
}
