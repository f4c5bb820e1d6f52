/* symbols - asks nm and addr2line where in the source a program is */
#include "grader/driver/symbols.h"

#include "grader/driver/text.h"
#include "grader/driver/tool.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECONDS = 20,
    TEXT_SIZE = 4 << 20 /* a sanitizer may bring ten thousand names along */
};

/* Copies what fits. */
static void copy(char to[SYMBOLS_NAME], const char *from)
{
    (void)snprintf(to, SYMBOLS_NAME, "%.*s", SYMBOLS_NAME - 1, from);
}

/* Takes what addr2line says about one offset: for each function, from the
 * innermost outwards, its name and then its place. */
static void take_place(struct symbols_place *place,
                       const char *file,
                       const char *function,
                       const char *where)
{
    const char *name = text_base(where);
    int own = text_line_of(where, file, NULL);

    if (place->own || (place->function[0] != '\0' && own == 0))
        return;
    copy(place->function, function);
    copy(place->file, name);
    place->file[strcspn(place->file, ":")] = '\0';
    place->own = own > 0;
    place->line = own > 0 ? own : text_line_of(name, place->file, NULL);
}

static void take_all(const char *text,
                     const char *file,
                     struct symbols_place *places,
                     size_t count)
{
    char function[TEXT_LINE];
    char line[TEXT_LINE];
    size_t size = strlen(text);
    size_t at = 0;
    size_t next = 0;

    while (text_next(text, size, &at, line)) {
        if (strncmp(line, "addr2line:", 10) == 0) {
            continue; /* a complaint */
        } else if (strncmp(line, "0x", 2) == 0) {
            next++; /* each offset is repeated first */
        } else if (next > 0 && next <= count &&
                   text_next(text, size, &at, function)) {
            take_place(&places[next - 1], file, line, function);
        }
    }
}

void symbols_find(const char *program,
                  const char *file,
                  struct symbols_place *places,
                  size_t count)
{
    char numbers[SYMBOLS_AT_ONCE][20];
    const char *words[SYMBOLS_AT_ONCE + 5] = {"addr2line", "-aife", program};
    char *text = malloc(TEXT_SIZE);

    if (text == NULL)
        return; /* nothing is known then */
    if (count > SYMBOLS_AT_ONCE)
        count = SYMBOLS_AT_ONCE;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "0x%" PRIx64,
                       places[i].offset);
        words[3 + i] = numbers[i];
    }
    if (count > 0 && tool_run(words, SECONDS, text, TEXT_SIZE) == 0)
        take_all(text, file, places, count);
    free(text);
}

/* Reads the line "NAME TYPE VALUE SIZE" of nm. Returns whether it is that
 * function. */
static bool read_symbol(const char *line, const char *function, uint64_t *value)
{
    size_t length = strlen(function);

#if defined(__APPLE__)
    line += line[0] == '_';
#endif
    if (strncmp(line, function, length) != 0 ||
        (strncmp(line + length, " T ", 3) != 0 &&
         strncmp(line + length, " t ", 3) != 0))
        return false;
    *value = strtoull(line + length + 3, NULL, 16);
    return true;
}

int symbols_line_of(const char *program, const char *file, const char *function)
{
    const char *words[] = {"nm", "-P", program, NULL};
    struct symbols_place place = {.own = false};
    char line[TEXT_LINE];
    size_t at = 0;
    size_t size;
    bool found = false;
    char *text = malloc(TEXT_SIZE);

    if (text == NULL)
        return 0;
    size = tool_run(words, SECONDS, text, TEXT_SIZE) == 0 ? strlen(text) : 0;
    while (!found && text_next(text, size, &at, line))
        found = read_symbol(line, function, &place.offset);
    free(text);
    if (found)
        symbols_find(program, file, &place, 1);
    return place.own ? place.line : 0;
}
