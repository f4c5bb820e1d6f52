/* elsewhere - what other programs find in a database */
#include "common/elsewhere.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BUSY_MS = 5000
};

static int take_row(void *data, int columns, char **values, char **names)
{
    int64_t *number = data;

    (void)columns; /* there is at least one */
    (void)names;
    *number = values[0] == NULL ? 0 : strtoll(values[0], NULL, 10);
    return 0;
}

int asq_ask_elsewhere(const char *path,
                      const char *sql,
                      int64_t *ret_number,
                      char *message,
                      size_t size)
{
    int64_t number = 0;
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                 SQLITE_OPEN_EXRESCODE,
                             NULL);

    if (rc == 0)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc == 0)
        rc = sqlite3_exec(db, sql, take_row, &number, NULL);
    if (rc != 0) /* cut if it is too long */
        (void)snprintf(message, size, "%s: %s", path, sqlite3_errmsg(db));
    else if (ret_number != NULL)
        *ret_number = number;
    (void)sqlite3_close(db); /* every statement is finalized */
    return rc;
}
