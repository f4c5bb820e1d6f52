/* own_db - the database, SQL and values that a user gives on the command line
 */
#include "04-measure-first/own_db.h"

#include "04-measure-first/own_copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    BUSY_MS = 1500,      /* for a database that another program locks; less
                            than the patience of progress */
    BUSY_COPY_MS = 60000 /* for a copy, where only our own writers wait */
};

/* SQLite calls a function without an argument for each new connection. */
static const char *extension_of_all;

static int load_extension(sqlite3 *db, char **ret_message, const void *unused)
{
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1,
                               (int *)NULL);

    (void)unused;
    return rc == SQLITE_OK
               ? sqlite3_load_extension(db, extension_of_all, NULL, ret_message)
               : rc;
}

/* sqlite3_auto_extension takes it as a function without arguments, and calls it
 * with the arguments of load_extension. */
typedef void (*entry_point)(void);

static void load_into_all(struct asq_own_db *own)
{
    extension_of_all = own->extension;
    /* It fails only if there is no memory; then the functions are missing. */
    (void)sqlite3_auto_extension((entry_point)load_extension);
}

/* Returns what is wrong with the command line, or NULL. */
static const char *find_wrong(const struct asq_own_db *own)
{
    const struct asq_values *values = &own->values;
    bool sql = values->sql != NULL, words = values->count > 0;
    bool sql_file = own->sql_file != NULL, rows_file = own->rows_file != NULL;
    const struct {
        bool wrong;
        const char *why;
    } rules[] = {
        {own->path == NULL && sql, "--sql needs --db"},
        {own->path == NULL && sql_file, "--sql-file needs --db"},
        {own->path == NULL && words, "--param needs --db and --sql"},
        {own->path == NULL && rows_file, "--params-from needs --db and --sql"},
        {own->path == NULL && own->on_a_copy,
         "--on-a-copy needs --db and --sql"},
        {own->extension != NULL && !own->on_a_copy,
         "--load needs --on-a-copy: an extension may do anything"},
        {own->path != NULL && strcmp(own->path, ":memory:") == 0,
         "--db :memory: would be an empty database, give a file"},
        {own->path != NULL && !sql && !sql_file,
         "--db needs --sql or --sql-file"},
        {sql && sql_file, "--sql and --sql-file are two statements, give one"},
        {words && rows_file,
         "--param and --params-from are two sets of values, give one"},
        {values->too_many, "more than 32 --param"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].wrong)
            return rules[i].why;
    return NULL;
}

int asq_own_db_check(struct asq_own_db *own)
{
    const char *wrong = find_wrong(own);
    int rc = 0;

    if (wrong != NULL) {
        (void)snprintf(own->message, sizeof own->message, "%s; try --help",
                       wrong);
        return -1;
    }
    if (own->sql_file != NULL)
        rc = asq_values_read_sql(&own->values, own->sql_file);
    if (rc == 0 && own->rows_file != NULL)
        rc = asq_values_read_rows(&own->values, own->rows_file);
    /* Cut if it is too long. */
    (void)snprintf(own->message, sizeof own->message, "%s",
                   own->values.message);
    return rc == 0 ? 0 : -1;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

int asq_own_db_prepare(struct asq_own_db *own)
{
    const char *copy = NULL;
    struct stat file;
    int rc = 0;

    if (stat(own->path, &file) == 0 && !S_ISREG(file.st_mode)) {
        /* Cut if it is too long. */
        (void)snprintf(own->message, sizeof own->message,
                       "%s: it is %s, not the file of a database", own->path,
                       kind_of(file.st_mode));
        return -EINVAL;
    }
    if (own->on_a_copy)
        rc = asq_own_copy_make(own->path, own->folder, &copy, &own->raw,
                               own->message, sizeof own->message);
    if (rc != 0)
        return rc;
    own->profile = asq_profile_default(copy != NULL ? copy : own->path);
    own->profile.mode = copy != NULL ? ASQ_OPEN_WRITE : ASQ_OPEN_READ;
    own->profile.busy_ms = copy != NULL ? BUSY_COPY_MS : BUSY_MS;
    own->profile.wal = false; /* it stays as it is */
    if (own->extension != NULL)
        load_into_all(own);
    return 0;
}

void asq_own_db_clean_up(struct asq_own_db *own)
{
    sqlite3_reset_auto_extension();
    asq_own_copy_remove();
    asq_values_destroy(&own->values);
}

const char *asq_own_db_hint(const struct asq_own_db *own, int code)
{
    if (code == UV_ETIMEDOUT)
        return "; a larger --timeout gives it more";
    if (own->path == NULL || code < 0)
        return "";
    if (code == SQLITE_RANGE)
        return "; give one --param for each ?";
    switch (own->on_a_copy ? 0 : code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program has it, --on-a-copy measures a copy";
    case SQLITE_READONLY:
        return "; --on-a-copy runs it on a copy";
    case SQLITE_CANTOPEN:
        /* The file is there, so it is the WAL beside it. */
        return access(own->path, R_OK) == 0 ? "; --on-a-copy measures a copy"
                                            : "";
    default:
        return "";
    }
}
