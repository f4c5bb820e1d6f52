/* given - the part of the counters that is given
 *
 * Only the check includes this file, so each function exists once. A statement
 * is prepared and finalized in each call, so none is ever open in between.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_counters.h"

void ex_counters_init(struct ex_counters *counters,
                      sqlite3 *db,
                      size_t group_max)
{
    *counters = (struct ex_counters){.db = db, .group_max = group_max};
}

int ex_counters_add(struct ex_counters *counters,
                    struct ex_add *add,
                    const char *name,
                    int64_t amount,
                    ex_added_cb on_added)
{
    struct ex_add **last = &counters->waiting;

    if (add->pending || name == NULL)
        return UV_EINVAL;
    add->name = name;
    add->amount = amount;
    add->on_added = on_added;
    add->pending = true;
    add->next = NULL;
    while (*last != NULL)
        last = &(*last)->next;
    *last = add;
    return 0;
}

struct ex_add *ex_counters_take(struct ex_counters *counters)
{
    struct ex_add *first = counters->waiting;
    struct ex_add **end = &counters->waiting;

    for (size_t n = 0; *end != NULL && n < counters->group_max; n++) {
        (*end)->decided = false;
        end = &(*end)->next;
    }
    counters->waiting = *end;
    if (end == &counters->waiting)
        return NULL;
    *end = NULL;
    return first;
}

int ex_counter_read(sqlite3 *db,
                    const char *name,
                    struct ex_counter *ret_counter)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        db, "SELECT value, least, most FROM counters WHERE name = ?1", -1,
        &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret_counter = (struct ex_counter){name, sqlite3_column_int64(stmt, 0),
                                           sqlite3_column_int64(stmt, 1),
                                           sqlite3_column_int64(stmt, 2)};
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? UV_ENOENT : rc;
}

int ex_counter_write(sqlite3 *db, const struct ex_counter *counter)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        db, "UPDATE counters SET value = ?2 WHERE name = ?1", -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, counter->name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 2, counter->value);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    return rc == SQLITE_DONE ? 0 : rc;
}

void ex_add_answer(struct ex_add *add, int status)
{
    add->pending = false;
    add->on_added(add, status);
}

#endif
