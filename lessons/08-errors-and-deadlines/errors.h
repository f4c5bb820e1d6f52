/* errors - what went wrong, and what a program can do about it
 *
 * A status is a number, and there are about a hundred of them. A program needs
 * to know two things: what to say, and what to do now. The extended code
 * decides both, never the text of a message, with two exceptions for which
 * SQLite leaves no other way: a missing table and a missing column have the
 * same code, and only the message says which column a constraint is about.
 *
 * Any thread; nothing is allocated. Depends on request of lesson 03.
 */
#ifndef ASQ_ERRORS_H
#define ASQ_ERRORS_H

#include "03-event-loop/request.h"

#ifdef __cplusplus
extern "C" {
#endif

enum asq_error_kind {
    ASQ_ERROR_NONE,
    /* the request cannot be fulfilled */
    ASQ_ERROR_UNIQUE, /* also a primary key or a rowid */
    ASQ_ERROR_FOREIGN_KEY,
    ASQ_ERROR_CHECK,
    ASQ_ERROR_NOT_NULL,
    ASQ_ERROR_CONSTRAINT, /* any other: a trigger, a type of a STRICT table */
    ASQ_ERROR_TOO_BIG,
    /* something else is in the way */
    ASQ_ERROR_BUSY,          /* another connection holds the lock */
    ASQ_ERROR_BUSY_SNAPSHOT, /* another one has written since BEGIN */
    ASQ_ERROR_LOCKED,        /* an open statement of the same connection */
    ASQ_ERROR_QUEUE_FULL,
    /* it was stopped */
    ASQ_ERROR_CANCELLED,     /* before it ran, or while it ran and undone */
    ASQ_ERROR_DEADLINE,      /* timed_out_in says where the time went; undone */
    ASQ_ERROR_SHUTTING_DOWN, /* the connection is not open, or no longer */
    /* the disk, the file */
    ASQ_ERROR_FULL,
    ASQ_ERROR_IO,
    ASQ_ERROR_OUTCOME_UNKNOWN, /* I/O, during a commit */
    ASQ_ERROR_CORRUPT,
    ASQ_ERROR_NOT_A_DATABASE,
    ASQ_ERROR_CANNOT_OPEN,
    ASQ_ERROR_READ_ONLY,
    ASQ_ERROR_MEMORY,
    /* the program */
    ASQ_ERROR_SCHEMA, /* the tables changed, again and again, while it ran */
    ASQ_ERROR_NO_TABLE,
    ASQ_ERROR_NO_COLUMN,
    ASQ_ERROR_SQL,    /* any other wrong SQL, or an SQL function that failed */
    ASQ_ERROR_MISUSE, /* of this library or of SQLite */
    ASQ_ERROR_OTHER,
    ASQ_ERROR_KINDS
};

enum asq_remedy {
    ASQ_REMEDY_NONE,
    ASQ_REMEDY_TELL,      /* the caller: other input may succeed */
    ASQ_REMEDY_RETRY,     /* the same once more, after a while */
    ASQ_REMEDY_RETRY_ALL, /* the whole transaction, from BEGIN on */
    ASQ_REMEDY_STOP,      /* it was stopped on purpose, or took too long */
    ASQ_REMEDY_REOPEN,    /* the database, and look what is there */
    ASQ_REMEDY_REPAIR,    /* by a person: space, permissions, a backup */
    ASQ_REMEDY_FIX        /* the program */
};

struct asq_error {
    enum asq_error_kind kind;
    enum asq_remedy remedy;
    const char *name;    /* of the kind: "unique"; constant */
    const char *advice;  /* one sentence for the log; constant */
    const char *subject; /* what the message names: "users.email", or "";
                            borrowed from the message */
};

/* Explains the status of a request, in or after its callback. For what submit
 * returned, use asq_error_of_code. */
struct asq_error asq_error_of(const struct asq_request *request, int status);

/* Explains a code, with the message that came with it or NULL. A code does not
 * say that a COMMIT left the outcome unknown: look first at outcome_unknown of
 * the request or the transaction. */
struct asq_error asq_error_of_code(int code, const char *message);

/* Returns a word, which is constant: "queue", "lock", "running", or "". */
const char *asq_place_name(enum asq_place place);

#ifdef __cplusplus
}
#endif

#endif
