/* sql_text - what can be told about SQL from its text alone */
#include "01-blocking/sql_text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns whether a name or keyword may continue with this byte. To SQLite
 * every byte of a UTF-8 character is a letter. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           c == '_' || c == '$' || ((unsigned char)c & 0x80) != 0;
}

static bool starts_with(const char *p, const char *end, const char *text)
{
    size_t size = strlen(text);

    return (size_t)(end - p) >= size && memcmp(p, text, size) == 0;
}

/* Skips what may come between two tokens. SQLite treats a byte order mark,
 * which some editors put at the beginning of a file, as a blank, and also a
 * vertical tab after another blank. */
static const char *skip_gap(const char *p, const char *end)
{
    for (;;) {
        if (p < end && is_blank(*p)) {
            do
                p++;
            while (p < end && (is_blank(*p) || *p == '\v'));
        } else if (starts_with(p, end, "\xEF\xBB\xBF")) {
            p += 3;
        } else if (starts_with(p, end, "--")) {
            while (p < end && *p != '\n' && *p != '\0')
                p++;
        } else if (starts_with(p, end, "/*")) {
            p += 2;
            while (p < end && *p != '\0' && !starts_with(p, end, "*/"))
                p++;
            if (starts_with(p, end, "*/"))
                p += 2;
        } else {
            return p;
        }
    }
}

/* Returns the end of a text or name in quotes. A doubled quote inside is taken
 * for the end of one text and the beginning of the next, which does no harm. */
static const char *skip_quoted(const char *p, const char *end)
{
    char last = *p == '[' ? ']' : *p;

    do
        p++;
    while (p < end && *p != '\0' && *p != last);
    return p < end && *p == last ? p + 1 : p;
}

static const char *skip_parameter(const char *p, const char *end)
{
    const char *first = p++;

    if (*first == '?') {
        while (p < end && is_digit(*p))
            p++;
        return p;
    }
    for (;;) {
        if (p < end && is_word(*p)) {
            p++;
        } else if (starts_with(p, end, "::")) {
            p += 2;
        } else if (p < end && *p == '(' && p > first + 1) {
            while (p < end && *p != ')')
                p++;
            return p < end ? p + 1 : p;
        } else {
            return p;
        }
    }
}

struct asq__token asq__sql_token(const char *text, const char *end)
{
    const char *p = skip_gap(text, end);
    struct asq__token token = {.text = p};

    if (p == end || *p == '\0')
        return token;
    if (strchr("?:@#$", *p) != NULL) {
        token.kind = ASQ__TOKEN_PARAMETER;
        p = skip_parameter(p, end);
    } else if (is_word(*p)) {
        token.kind = ASQ__TOKEN_WORD;
        do
            p++;
        while (p < end && is_word(*p));
    } else {
        token.kind = *p == ';' ? ASQ__TOKEN_SEMICOLON : ASQ__TOKEN_OTHER;
        p = strchr("'\"`[", *p) != NULL ? skip_quoted(p, end) : p + 1;
    }
    token.size = (size_t)(p - token.text);
    return token;
}

struct asq__token asq__sql_next(struct asq__token token, const char *end)
{
    return asq__sql_token(token.text + token.size, end);
}

struct asq__token asq__sql_first(const char *text, const char *end)
{
    struct asq__token token = asq__sql_token(text, end);

    while (token.kind == ASQ__TOKEN_SEMICOLON)
        token = asq__sql_next(token, end);
    return token;
}

bool asq__sql_is(struct asq__token token, const char *word)
{
    return token.kind == ASQ__TOKEN_WORD && token.size == strlen(word) &&
           strncasecmp(token.text, word, token.size) == 0;
}

/* Skips EXPLAIN and EXPLAIN QUERY PLAN. */
static struct asq__token skip_explain(struct asq__token token, const char *end)
{
    if (asq__sql_is(token, "EXPLAIN"))
        token = asq__sql_next(token, end);
    if (asq__sql_is(token, "QUERY"))
        token = asq__sql_next(asq__sql_next(token, end), end);
    return token;
}

static enum asq_stmt_kind kind_of_word(struct asq__token token)
{
    static const struct {
        const char *word;
        enum asq_stmt_kind kind;
    } words[] = {
        {"INSERT", ASQ_KIND_CHANGE},     {"UPDATE", ASQ_KIND_CHANGE},
        {"DELETE", ASQ_KIND_CHANGE},     {"REPLACE", ASQ_KIND_CHANGE},
        {"BEGIN", ASQ_KIND_BEGIN},       {"SAVEPOINT", ASQ_KIND_BEGIN},
        {"ROLLBACK", ASQ_KIND_ROLLBACK}, {"COMMIT", ASQ_KIND_COMMIT},
        {"END", ASQ_KIND_COMMIT},        {"RELEASE", ASQ_KIND_COMMIT},
        {"PRAGMA", ASQ_KIND_PRAGMA},     {"ATTACH", ASQ_KIND_FILE},
        {"DETACH", ASQ_KIND_FILE},       {"VACUUM", ASQ_KIND_FILE},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (asq__sql_is(token, words[i].word))
            return words[i].kind;
    }
    return ASQ_KIND_OTHER;
}

enum asq_stmt_kind asq_sql_kind(const char *sql, size_t size)
{
    const char *end = sql + (size == ASQ_WHOLE_TEXT ? strlen(sql) : size);
    struct asq__token first = asq__sql_first(sql, end);

    if (!asq__sql_is(first, "EXPLAIN"))
        return kind_of_word(first);
    return asq__sql_is(skip_explain(first, end), "PRAGMA") ? ASQ_KIND_PRAGMA
                                                           : ASQ_KIND_EXPLAIN;
}

static bool is_trigger(struct asq__token token, const char *end)
{
    token = skip_explain(token, end);
    if (!asq__sql_is(token, "CREATE"))
        return false;
    token = asq__sql_next(token, end);
    if (asq__sql_is(token, "TEMP") || asq__sql_is(token, "TEMPORARY"))
        token = asq__sql_next(token, end);
    return asq__sql_is(token, "TRIGGER");
}

/* A trigger ends with "; END ;", as in sqlite3_complete. */
const char *asq__sql_cut(const char *text, const char *end)
{
    struct asq__token token = asq__sql_first(text, end);
    bool open = is_trigger(token, end);
    bool after_semicolon = false, after_end = false;

    for (; token.kind != ASQ__TOKEN_END; token = asq__sql_next(token, end)) {
        bool semicolon = token.kind == ASQ__TOKEN_SEMICOLON;

        if (semicolon && (!open || after_end))
            return token.text + token.size;
        after_end = after_semicolon && asq__sql_is(token, "END");
        after_semicolon = semicolon;
    }
    return token.text;
}
