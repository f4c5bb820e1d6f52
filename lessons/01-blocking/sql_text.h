/* sql_text - what can be told about SQL from its text alone
 *
 * Nothing is prepared, because some pragmas act while SQLite prepares them. The
 * text is split into tokens as SQLite does it; of the grammar, only the first
 * words of a statement are known here.
 *
 * Any thread may call its functions. Owns nothing. Depends on nothing.
 */
#ifndef ASQ_SQL_TEXT_H
#define ASQ_SQL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Passed as size: the SQL ends with its first zero byte. */
#define ASQ_WHOLE_TEXT ((size_t)-1)

/* What the first words of a statement say, as far as it matters here. */
enum asq_stmt_kind {
    ASQ_KIND_OTHER,    /* SELECT, WITH, CREATE and all that are not below */
    ASQ_KIND_CHANGE,   /* INSERT, REPLACE, UPDATE, DELETE */
    ASQ_KIND_BEGIN,    /* BEGIN, SAVEPOINT */
    ASQ_KIND_ROLLBACK, /* ROLLBACK, also TO a savepoint */
    ASQ_KIND_COMMIT,   /* COMMIT, END, RELEASE */
    ASQ_KIND_FILE,     /* ATTACH, DETACH, VACUUM */
    ASQ_KIND_EXPLAIN,  /* EXPLAIN of anything but a PRAGMA */
    ASQ_KIND_PRAGMA    /* PRAGMA, and EXPLAIN of one, which acts too */
};

/* Returns the kind of the first statement, and ASQ_KIND_OTHER for an empty text
 * or one that is not SQL. sql is borrowed for the call; size is in bytes, or
 * ASQ_WHOLE_TEXT. */
enum asq_stmt_kind asq_sql_kind(const char *sql, size_t size);

/* The rest is internal to 01. */

enum asq__token_kind {
    ASQ__TOKEN_END, /* of the text, which a zero byte also ends */
    ASQ__TOKEN_SEMICOLON,
    ASQ__TOKEN_WORD,      /* a keyword, a name without quotes, a number */
    ASQ__TOKEN_PARAMETER, /* ?, ?5, :name, @name, $name::a(b) */
    ASQ__TOKEN_OTHER
};

struct asq__token {
    enum asq__token_kind kind;
    const char *text; /* in the SQL; for END, where its last blanks end */
    size_t size;
};

/* Returns the first token at or after text. Blanks, comments and byte order
 * marks are skipped. */
struct asq__token asq__sql_token(const char *text, const char *end);

/* Returns the token after this one. */
struct asq__token asq__sql_next(struct asq__token token, const char *end);

/* As _token, but also skips semicolons: returns where a statement begins. */
struct asq__token asq__sql_first(const char *text, const char *end);

/* Returns whether the token is this keyword, in upper or lower case. */
bool asq__sql_is(struct asq__token token, const char *word);

/* Returns where the statement at text ends: after its semicolon, or at end. The
 * semicolons inside a CREATE TRIGGER are part of it. */
const char *asq__sql_cut(const char *text, const char *end);

#ifdef __cplusplus
}
#endif

#endif
