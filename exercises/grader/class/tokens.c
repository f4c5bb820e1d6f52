/* tokens - a C file without what is easily changed
 *
 * Owns nothing. One thread enters.
 */
#include "tokens.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Their place in the list is their token, behind those of marks. */
static const char *const keywords[] = {
    "break",    "case",   "char",     "const",  "continue",      "default",
    "do",       "double", "else",     "enum",   "extern",        "float",
    "for",      "goto",   "if",       "inline", "int",           "long",
    "register", "return", "short",    "signed", "sizeof",        "static",
    "struct",   "switch", "typedef",  "union",  "unsigned",      "void",
    "volatile", "while",  "restrict", "_Bool",  "_Static_assert"};

enum {
    NAME = 1,
    NUMBER,
    STRING,
    CHARACTER,
    FIRST_KEYWORD = 128
};

static void put(struct class_text *tokens, int token)
{
    char byte = (char)token;

    class_text_add(tokens, &byte, 1);
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || ((unsigned char)c & 0x80);
}

/* Returns what follows a comment, or the text itself. */
static const char *skip_comment(const char *at)
{
    const char *end;

    if (at[0] != '/' || (at[1] != '/' && at[1] != '*'))
        return at;
    end = at[1] == '/' ? strchr(at, '\n') : strstr(at + 2, "*/");
    if (end == NULL)
        return at + strlen(at);
    return at[1] == '/' ? end : end + 2;
}

/* Returns what follows a string, or a character in quotes. */
static const char *skip_quoted(const char *at)
{
    char quote = *at++;

    while (*at != '\0' && *at != quote && *at != '\n')
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at == quote ? at + 1 : at;
}

static const char *read_word(struct class_text *tokens, const char *at)
{
    size_t length = 0;
    int token = NAME;

    while (is_name(at[length]))
        length++;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strlen(keywords[i]) == length &&
            strncmp(keywords[i], at, length) == 0)
            token = FIRST_KEYWORD + (int)i;
    put(tokens, token);
    return at + length;
}

static const char *read_number(struct class_text *tokens, const char *at)
{
    while (is_name(*at) || *at == '.')
        at++;
    put(tokens, NUMBER);
    return at;
}

void class_tokens_read(struct class_text *tokens, const char *source)
{
    const char *at = source;

    while (*at != '\0') {
        const char *after = skip_comment(at);

        if (after != at) {
            at = after;
        } else if (isspace((unsigned char)*at)) {
            at++;
        } else if (strncmp(at, "#include", 8) == 0) {
            at += strcspn(at, "\n");
        } else if (*at == '"' || *at == '\'') {
            /* Strings side by side are one. */
            if (*at == '\'' || tokens->size == 0 ||
                tokens->data[tokens->size - 1] != STRING)
                put(tokens, *at == '"' ? STRING : CHARACTER);
            at = skip_quoted(at);
        } else if (isdigit((unsigned char)*at)) {
            at = read_number(tokens, at);
        } else if (is_name(*at)) {
            at = read_word(tokens, at);
        } else {
            put(tokens, *at++);
        }
    }
}
