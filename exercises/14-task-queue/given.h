/* given - how statements get their parameters, and the warehouse's parcels
 *
 * Only the check includes this file, so each function exists once.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_outbox.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A number with the name of a parameter; NULL: there is none. */
static const int64_t *number_of(const char *name,
                                const struct ex_message *message,
                                const struct ex_relay *relay)
{
    if (message != NULL && strcmp(name, ":id") == 0)
        return &message->id;
    if (message != NULL && strcmp(name, ":attempt") == 0)
        return &message->attempt;
    if (relay != NULL && strcmp(name, ":now_ms") == 0)
        return &relay->now_ms;
    if (relay != NULL && strcmp(name, ":lease_ms") == 0)
        return &relay->lease_ms;
    if (relay != NULL && strcmp(name, ":pause_ms") == 0)
        return &relay->pause_ms;
    if (relay != NULL && strcmp(name, ":attempts_max") == 0)
        return &relay->attempts_max;
    return NULL;
}

static int bind_one(sqlite3_stmt *stmt,
                    int index,
                    const struct ex_message *message,
                    const struct ex_relay *relay)
{
    const char *name = sqlite3_bind_parameter_name(stmt, index);
    const int64_t *number;

    if (name == NULL)
        return SQLITE_MISUSE;
    number = number_of(name, message, relay);
    if (number != NULL)
        return sqlite3_bind_int64(stmt, index, *number);
    if (message != NULL && strcmp(name, ":recipient") == 0)
        return sqlite3_bind_text(stmt, index, message->recipient, -1,
                                 SQLITE_STATIC);
    if (message != NULL && strcmp(name, ":payload") == 0)
        return message->size == 0 /* NULL would be no bytes, but SQL's NULL */
                   ? sqlite3_bind_zeroblob(stmt, index, 0)
                   : sqlite3_bind_blob64(stmt, index, message->payload,
                                         message->size, SQLITE_STATIC);
    return SQLITE_MISUSE;
}

/* Returns 0 and a statement, which must be finalized; or a code and NULL. */
static int make(sqlite3 *db,
                const char *sql,
                const struct ex_message *message,
                const struct ex_relay *relay,
                sqlite3_stmt **ret_stmt)
{
    const char *rest = "";
    int rc = sqlite3_prepare_v2(db, sql, -1, ret_stmt, &rest);

    if (rc == 0 && (*ret_stmt == NULL || rest[strspn(rest, " \n;")] != '\0'))
        rc = SQLITE_MISUSE;
    for (int i = 1; rc == 0 && i <= sqlite3_bind_parameter_count(*ret_stmt);
         i++)
        rc = bind_one(*ret_stmt, i, message, relay);
    if (rc != 0) {
        (void)sqlite3_finalize(*ret_stmt); /* it has not been stepped */
        *ret_stmt = NULL;
    }
    return rc;
}

/* Steps to the end and finalizes; rc is the code of the last step. Returns 0 or
 * a code. */
static int finish(sqlite3_stmt *stmt, int rc)
{
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    return rc == SQLITE_DONE ? 0 : rc;
}

int ex_run(sqlite3 *db,
           const char *sql,
           const struct ex_message *message,
           const struct ex_relay *relay)
{
    sqlite3_stmt *stmt;
    int rc = make(db, sql, message, relay, &stmt);

    return rc == 0 ? finish(stmt, sqlite3_step(stmt)) : rc;
}

/* Copies the row into one block: the recipient with its end, the payload. */
static int copy_row(sqlite3_stmt *stmt, struct ex_message *message)
{
    const unsigned char *recipient = sqlite3_column_text(stmt, 1);
    const void *payload = sqlite3_column_blob(stmt, 2);
    size_t length = (size_t)sqlite3_column_bytes(stmt, 1) + 1;
    size_t size = (size_t)sqlite3_column_bytes(stmt, 2);
    char *memory;

    if (recipient == NULL || (payload == NULL && size > 0))
        return SQLITE_NOMEM;
    memory = malloc(length + size);
    if (memory == NULL)
        return SQLITE_NOMEM;
    memcpy(memory, recipient, length);
    if (size > 0)
        memcpy(memory + length, payload, size);
    *message = (struct ex_message){.id = sqlite3_column_int64(stmt, 0),
                                   .recipient = memory,
                                   .payload = memory + length,
                                   .size = size,
                                   .attempt = sqlite3_column_int64(stmt, 3),
                                   .memory = memory};
    return 0;
}

int ex_take(struct ex_relay *relay,
            const char *sql,
            struct ex_message *ret_message)
{
    sqlite3_stmt *stmt;
    int rc = make(relay->db, sql, NULL, relay, &stmt);
    int copied = UV_ENOENT;

    *ret_message = (struct ex_message){.memory = NULL};
    if (rc == 0 && sqlite3_column_count(stmt) != 4) {
        (void)sqlite3_finalize(stmt); /* it has not been stepped */
        rc = SQLITE_MISUSE;
    }
    if (rc != 0)
        return rc;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        copied = copy_row(stmt, ret_message);
    rc = finish(stmt, rc);
    if (rc != 0)
        ex_message_clear(ret_message);
    return rc != 0 ? rc : copied;
}

void ex_message_clear(struct ex_message *message)
{
    free(message->memory);
    message->memory = NULL;
}

int ex_make_parcel(sqlite3 *db, const struct ex_message *message)
{
    return ex_run(db,
                  "INSERT INTO parcels (recipient, payload)"
                  " VALUES (:recipient, :payload)",
                  message, NULL);
}

#endif
