/* codes - result codes by their names: "SQLITE_BUSY (5)", "UV_EINVAL (-22)"
 *
 * The text is in the room of counts.c.
 */
#include "runner.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define NAMED(code_)                                                           \
    {                                                                          \
        .code = (code_), .name = #code_                                        \
    }

/* The extended ones are those that a lesson or a test names. */
static const struct {
    int code;
    const char *name;
} named[] = {NAMED(SQLITE_ERROR),
             NAMED(SQLITE_INTERNAL),
             NAMED(SQLITE_PERM),
             NAMED(SQLITE_ABORT),
             NAMED(SQLITE_BUSY),
             NAMED(SQLITE_LOCKED),
             NAMED(SQLITE_NOMEM),
             NAMED(SQLITE_READONLY),
             NAMED(SQLITE_INTERRUPT),
             NAMED(SQLITE_IOERR),
             NAMED(SQLITE_CORRUPT),
             NAMED(SQLITE_NOTFOUND),
             NAMED(SQLITE_FULL),
             NAMED(SQLITE_CANTOPEN),
             NAMED(SQLITE_PROTOCOL),
             NAMED(SQLITE_EMPTY),
             NAMED(SQLITE_SCHEMA),
             NAMED(SQLITE_TOOBIG),
             NAMED(SQLITE_CONSTRAINT),
             NAMED(SQLITE_MISMATCH),
             NAMED(SQLITE_MISUSE),
             NAMED(SQLITE_NOLFS),
             NAMED(SQLITE_AUTH),
             NAMED(SQLITE_FORMAT),
             NAMED(SQLITE_RANGE),
             NAMED(SQLITE_NOTADB),
             NAMED(SQLITE_ROW),
             NAMED(SQLITE_DONE),
             NAMED(SQLITE_BUSY_SNAPSHOT),
             NAMED(SQLITE_CANTOPEN_FULLPATH),
             NAMED(SQLITE_CANTOPEN_ISDIR),
             NAMED(SQLITE_CONSTRAINT_CHECK),
             NAMED(SQLITE_CONSTRAINT_COMMITHOOK),
             NAMED(SQLITE_CONSTRAINT_FOREIGNKEY),
             NAMED(SQLITE_CONSTRAINT_NOTNULL),
             NAMED(SQLITE_CONSTRAINT_PRIMARYKEY),
             NAMED(SQLITE_CONSTRAINT_TRIGGER),
             NAMED(SQLITE_CONSTRAINT_UNIQUE),
             NAMED(SQLITE_CORRUPT_INDEX),
             NAMED(SQLITE_IOERR_ACCESS),
             NAMED(SQLITE_IOERR_FSYNC),
             NAMED(SQLITE_IOERR_LOCK),
             NAMED(SQLITE_IOERR_NOMEM),
             NAMED(SQLITE_IOERR_READ),
             NAMED(SQLITE_IOERR_WRITE)};

static const char *find_name(int code)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].code == code)
            return named[i].name;
    return NULL;
}

const char *test_code(int code)
{
    char *text = test__next_text();
    const char *name = find_name(code);
    char of_uv[32];

    if (code == 0)
        return "0 (success)";
    if (name != NULL)
        (void)snprintf(text, TEST__TEXT_SIZE, "%s (%d)", name, code);
    else if (code < 0)
        (void)snprintf(text, TEST__TEXT_SIZE, "UV_%s (%d)",
                       uv_err_name_r(code, of_uv, sizeof of_uv), code);
    else if ((name = find_name(code & 0xff)) != NULL)
        (void)snprintf(text, TEST__TEXT_SIZE, "%s | %d << 8 (%d)", name,
                       code >> 8, code);
    if (code > 0 ? name == NULL : strncmp(of_uv, "Unknown", 7) == 0)
        (void)snprintf(text, TEST__TEXT_SIZE, "%d (no known code)", code);
    return text;
}
