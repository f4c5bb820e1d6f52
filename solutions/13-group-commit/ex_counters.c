/* ex_counters - many callers add to counters, and one flush writes for them
 *
 * The decisions: which adds are accepted, what is written, and who is told what
 * and when. The contract, and what is given, is in ex_counters.h.
 */
#include "ex_counters.h"

#include <string.h>

/* Adds the amount to the counter, if its limits allow that. Which numbers may
 * be compared without leaving 64 bits? Returns 0 or UV_ERANGE. */
static int decide(struct ex_add *add, struct ex_counter *counter)
{
    /* begin solution */
    int64_t value = counter->value, amount = add->amount;

    if (amount > 0 ? value > INT64_MAX - amount : value < INT64_MIN - amount)
        return UV_ERANGE;
    if (value + amount > counter->most || value + amount < counter->least)
        return UV_ERANGE;
    counter->value = add->value = value + amount;
    return 0;
    /* instead:
    return UV_ERANGE;
    */
    /* end solution */
}

/* Reads the counter of this add, decides about all adds for it, from this one
 * to the end of the group, and writes the counter once. Returns 0, or the code
 * with which SQLite has failed. */
static int add_up(sqlite3 *db, struct ex_add *first)
{
    /* begin solution */
    struct ex_counter counter = {.name = first->name};
    int rc = ex_counter_read(db, first->name, &counter);
    int64_t before = counter.value;

    if (rc > 0)
        return rc;
    for (struct ex_add *add = first; add != NULL; add = add->next) {
        if (strcmp(add->name, first->name) != 0)
            continue;
        add->status = rc == 0 ? decide(add, &counter) : rc;
        add->decided = true;
    }
    return counter.value == before ? 0 : ex_counter_write(db, &counter);
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

/* From BEGIN to the last callback. What is true of an add once its callback has
 * begun? */
void ex_counters_flush(struct ex_counters *counters)
{
    /* begin solution */
    struct ex_add *group = ex_counters_take(counters), *next;
    sqlite3 *db = counters->db;
    int rc;

    if (group == NULL)
        return;
    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (struct ex_add *add = group; add != NULL && rc == 0; add = add->next)
        if (!add->decided)
            rc = add_up(db, add);
    if (rc == 0)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (rc != 0 && !sqlite3_get_autocommit(db)) /* rc tells what failed */
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    for (struct ex_add *add = group; add != NULL; add = next) {
        next = add->next; /* before the callback may make it once more */
        ex_add_answer(add, rc != 0 ? rc : add->status);
    }
    /* end solution */
}
