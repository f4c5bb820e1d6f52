/* table - a table for the terminal
 *
 * Owns copies of its cells. One thread at a time may use a table. Depends on
 * libuv for its error codes only.
 */
#include "common/table.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    FIRST_CAPACITY = 64
};

struct unit {
    const char *name;
    double size;
    double limit; /* rounded, it is 1.00 of the next unit; 0: there is none */
};

/* Returns a copy of what printf would print, or NULL and the error. */
static char *format_cell(const char *format, va_list args, int *ret_error)
    __attribute__((format(printf, 1, 0)));

static char *format_cell(const char *format, va_list args, int *ret_error)
{
    char *text;
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length < 0) {
        va_end(again);
        *ret_error = UV_EINVAL;
        return NULL;
    }
    text = malloc((size_t)length + 1);
    if (text == NULL) {
        *ret_error = UV_ENOMEM;
    } else {
        /* It fits: the length was computed from the same arguments. */
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

static int grow(struct asq_table *table)
{
    size_t capacity =
        table->capacity > 0 ? table->capacity * 2 : FIRST_CAPACITY;
    char **cell = realloc(table->cell, capacity * sizeof *cell);

    if (cell == NULL)
        return UV_ENOMEM;
    table->cell = cell;
    table->capacity = capacity;
    return 0;
}

void asq_table_init(struct asq_table *table,
                    const char *const headers[],
                    size_t columns)
{
    assert(columns > 0 && columns <= ASQ_TABLE_COLUMNS_MAX);
    memset(table, 0, sizeof *table);
    table->columns = columns;
    for (size_t i = 0; i < columns; i++)
        asq_table_add(table, "%s", headers[i]);
}

void asq_table_destroy(struct asq_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->cells; i++)
        free(table->cell[i]);
    free(table->cell);
    memset(table, 0, sizeof *table);
}

void asq_table_add(struct asq_table *table, const char *format, ...)
{
    size_t *width = &table->width[table->cells % table->columns];
    char *text;
    va_list args;

    if (table->failed == 0 && table->cells == table->capacity)
        table->failed = grow(table);
    if (table->failed != 0)
        return;
    va_start(args, format);
    text = format_cell(format, args, &table->failed);
    va_end(args);
    if (text == NULL)
        return;
    if (asq_text_width(text) > *width)
        *width = asq_text_width(text);
    table->cell[table->cells] = text;
    table->cells++;
}

static void repeat(char c, size_t times, FILE *out)
{
    while (times-- > 0)
        (void)fputc(c, out); /* not checked here: out keeps its error */
}

static void print_cell(const struct asq_table *table, size_t cell, FILE *out)
{
    size_t column = cell % table->columns;
    const char *text = table->cell[cell];
    size_t blanks = table->width[column] - asq_text_width(text);

    if (column > 0)
        repeat(' ', blanks + 2, out);
    (void)fputs(text, out);
    if (column + 1 == table->columns)
        (void)fputc('\n', out);
    else if (column == 0)
        repeat(' ', blanks, out);
}

int asq_table_print(const struct asq_table *table, FILE *out)
{
    if (table->failed != 0)
        return table->failed;
    if (table->cells % table->columns != 0)
        return UV_EINVAL;
    for (size_t i = 0; i < table->cells; i++) {
        if (i == table->columns) {
            for (size_t column = 0; column < table->columns; column++) {
                repeat(' ', column > 0 ? 2 : 0, out);
                repeat('-', table->width[column], out);
            }
            (void)fputc('\n', out);
        }
        print_cell(table, i, out);
    }
    return 0;
}

size_t asq_text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        /* Bytes of the form 10xxxxxx continue a character. */
        if (((unsigned char)*text & 0xc0) != 0x80)
            width++;
    }
    return width;
}

/* Writes value in the first unit whose limit is above it. */
static const char *
scale(char text[static 16], double value, const struct unit *unit)
{
    const char *sign = value < 0 ? "-" : "";
    double scaled = fabs(value) / unit->size;
    int decimals;

    while (unit->limit > 0 && scaled >= unit->limit) {
        unit++;
        scaled = fabs(value) / unit->size;
        scaled = scaled < 1 ? 1 : scaled; /* 999.6 of the unit below */
    }
    if (scaled >= 1e6) {
        (void)snprintf(text, 16, "%s%.3g%s", sign, scaled, unit->name);
        return text;
    }
    /* The limits are where rounding adds a digit: 9.995 is printed as 10.0. */
    decimals = scaled < 0.9995 ? 3 : scaled < 9.995 ? 2 : scaled < 99.95;
    (void)snprintf(text, 16, "%s%.*f%s", sign, decimals, scaled, unit->name);
    return text;
}

const char *asq_format_duration(char text[static 16], double us)
{
    static const struct unit units[] = {
        {" ns", 1e-3, 999.5}, {" us", 1, 999.5},     {" ms", 1e3, 999.5},
        {" s", 1e6, 59.95},   {" min", 60e6, 59.95}, {" h", 3600e6, 0}};

    if (isnan(us))
        return strcpy(text, "-");
    if (fabs(us) < 0.5e-6)
        return strcpy(text, "0 ns"); /* rather than 0.000 ns */
    return scale(text, us, units);
}

const char *asq_format_count(char text[static 16], double count)
{
    static const struct unit units[] = {{"", 1, 999.5},
                                        {" k", 1e3, 999.5},
                                        {" M", 1e6, 999.5},
                                        {" G", 1e9, 999.5},
                                        {" T", 1e12, 0}};

    if (isnan(count))
        return strcpy(text, "-");
    if (fabs(count) < 999.5 && count == (double)(int)count) {
        (void)snprintf(text, 16, "%d", (int)count);
        return text;
    }
    return scale(text, count, units);
}

bool asq_terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL;
    char folded[64];
    size_t length = 0;

    for (size_t i = 0; i < 3 && (value == NULL || *value == '\0'); i++)
        value = getenv(names[i]);
    if (value == NULL)
        return false;
    /* "UTF-8", "utf-8" and "utf8" are all common. */
    for (; *value != '\0' && length + 1 < sizeof folded; value++) {
        if (*value != '-') {
            folded[length] = (char)tolower((unsigned char)*value);
            length++;
        }
    }
    folded[length] = '\0';
    return strstr(folded, "utf8") != NULL;
}

bool asq_terminal_has_colour(FILE *out)
{
    const char *term = getenv("TERM");
    const char *no = getenv("NO_COLOR");

    if (no != NULL && *no != '\0')
        return false;
    return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
           isatty(fileno(out));
}
