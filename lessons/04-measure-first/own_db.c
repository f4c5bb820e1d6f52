/* own_db - a database and values that a reader gives on the command line */
#include "04-measure-first/own_db.h"

#include "04-measure-first/db_copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_MS = 2000,       /* for a database that somebody else locks */
    BUSY_COPY_MS = 60000, /* for one where only our own writers wait */
    SHORTEST = 32
};

void asq_own_db_take_params(struct asq_own_db *own, int *argc, char **argv)
{
    int kept = 1;

    own->params.values = own->values;
    for (int i = 1; i < *argc; i++) {
        const char *word = NULL;

        if (strncmp(argv[i], "--param=", strlen("--param=")) == 0)
            word = argv[i] + strlen("--param=");
        else if (strcmp(argv[i], "--param") == 0 && i + 1 < *argc &&
                 strncmp(argv[i + 1], "--", 2) != 0)
            word = argv[++i];
        if (word == NULL)
            argv[kept++] = argv[i];
        else if (own->params.count < ASQ_WORDS_MAX)
            own->values[own->params.count++] = asq_value_of_word(word);
        else
            own->too_many = true;
    }
    *argc = kept;
}

int asq_own_db_prepare(struct asq_own_db *own)
{
    bool copied = own->copy != NULL;
    struct stat file;

    own->profile = asq_profile_default(copied ? own->copy : own->path);
    own->profile.mode = copied ? ASQ_OPEN_WRITE : ASQ_OPEN_READ;
    own->profile.busy_ms = copied ? BUSY_COPY_MS : BUSY_MS;
    own->profile.wal = false; /* it stays as it is */
    if (stat(own->path, &file) == 0 && S_ISDIR(file.st_mode)) {
        /* Cut if it is too long. SQLite would call it an I/O error. */
        (void)snprintf(own->message, sizeof own->message,
                       "%s: it is a directory", own->path);
        return -EISDIR;
    }
    if (!copied)
        return 0;
    return asq_db_copy(own->path, own->copy, &own->raw, own->message,
                       sizeof own->message);
}

void asq_own_db_clean_up(struct asq_own_db *own)
{
    if (own->copy != NULL)
        (void)asq_db_remove(own->copy); /* what cannot be removed stays */
}

const char *asq_own_db_hint(const struct asq_own_db *own, int code)
{
    int kind = code < 0 ? 0 : code & 0xff;

    if (own->copy != NULL && kind != SQLITE_TOOBIG)
        return "";
    switch (kind) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program has it, --on-a-copy measures a copy";
    case SQLITE_READONLY:
        return "; --on-a-copy runs it on a copy";
    case SQLITE_CANTOPEN:
        /* The file is there, so it is the WAL beside it. */
        return access(own->path, R_OK) == 0 ? "; --on-a-copy measures a copy"
                                            : "";
    case SQLITE_TOOBIG:
        return "; a LIMIT would make it smaller";
    default:
        return "";
    }
}

struct asq_value asq_value_of_word(const char *word)
{
    char shortest[SHORTEST];
    int64_t number = strtoll(word, NULL, 10);
    double real = strtod(word, NULL);

    (void)snprintf(shortest, SHORTEST, "%" PRId64, number); /* it fits */
    if (strcmp(shortest, word) == 0)
        return asq_int64(number);
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(shortest, SHORTEST, "%.*f", digits, real);
        if (strcmp(shortest, word) == 0)
            return asq_double(real);
    }
    return asq_text(word);
}
