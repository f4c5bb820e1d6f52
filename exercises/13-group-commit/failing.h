/* failing - a flush in which something fails, and what it must lead to
 *
 * The group has six adds: three counters are written, one add would be refused,
 * one counter does not exist. A seventh add is behind it. One thread.
 */
#ifndef FAILING_H
#define FAILING_H

#include "counting.h"

#include <limits.h>

enum {
    GROUP = 6,
    WRITES = 3,
    STEPS_MAX = 2000,
    ANY_NOMEM = 0 /* whatever is told where memory was short */
};

static const char group[] = "a+1 b+2 x+1 c+3 a-3 c+9";
static const char behind[] = "d+1";

static inline bool is_nomem(int status)
{
    return status == SQLITE_NOMEM || status == SQLITE_IOERR_NOMEM ||
           status == UV_ENOMEM;
}

static inline void make_group(struct fixture *f)
{
    forget(f);
    put_all(f->other, "5555");
    f->counters->group_max = GROUP;
    ask(f, group);
    ask(f, behind);
}

/* Nothing is left open. */
static inline void expect_closed(struct fixture *f)
{
    test_cause("what fails, even COMMIT, may leave the transaction open: look, "
               "and ROLLBACK");
    if (!sqlite3_get_autocommit(f->db))
        test_wrong("no transaction is open after the flush", "one is");
    test_cause("each statement of your own is finalized on every way out");
    if (sqlite3_next_stmt(f->db, NULL) != NULL)
        test_wrong("no statement is open after the flush", "one is");
    test_cause("COMMIT or ROLLBACK comes before the first callback");
    if (f->open)
        test_wrong("nothing is open when the first callback begins",
                   "a transaction or a statement is");
    test_cause(NULL);
}

/* Everybody in the group is told this code, and the add behind it nothing. */
static inline void expect_failed(struct fixture *f, int code)
{
    char text[TEXT_SIZE], got[TEXT_SIZE] = "";

    if (code == ANY_NOMEM)
        code = is_nomem(f->callers[0].status) ? f->callers[0].status
                                              : SQLITE_NOMEM;
    (void)snprintf(text, sizeof text, "%s are told %s, and %s has to wait",
                   group, test_code(code), behind);
    for (size_t i = 0; i < GROUP; i++)
        if (f->callers[i].answers != 1 || f->callers[i].status != code)
            describe(&f->callers[i], got);
    if (f->callers[GROUP].answers != 0)
        describe(&f->callers[GROUP], got);
    if (got[0] != '\0')
        test_wrong(text, "%s", got);
    expect_closed(f);
    expect_table(f->other, "", "a=5 b=5 c=5 d=5");
}

/* The next group is the add that was behind. */
static inline void expect_next(struct fixture *f)
{
    flush(f);
    test_cause("what a flush has remembered must not outlive it");
    for (size_t i = 0; i < GROUP; i++)
        if (f->callers[i].answers != 1)
            expect_told_by(&f->callers[i], "one answer, also after the next "
                                           "flush");
    if (f->callers[GROUP].answers != 1 || f->callers[GROUP].status != 0)
        expect_told_by(&f->callers[GROUP], "accepted by the next flush");
    expect_table(f->other, "after the next flush", "a=5 b=5 c=5 d=6");
    test_cause(NULL);
}

static inline void
fail_once(struct fixture *f, const char *what, int kind, unsigned row, int code)
{
    test_while("%s", what);
    make_group(f);
    f->kind = kind;
    f->row = row;
    flush(f);
    f->kind = 0;
    f->unreadable = NULL;
    if (!sqlite3_get_autocommit(f->other))
        raw_do(f->other, "ROLLBACK");
    if (f->missed)
        return;
    test_cause("if test 3 or test 4 fails, begin with that one");
    if (!f->failed)
        test_wrong("a, b and c are read and written", "not all of them are");
    test_cause(NULL);
    expect_failed(f, code);
    test_cause("no step is tried again");
    if (f->ends > 1)
        test_wrong("one COMMIT, at most", "%u COMMITs", f->ends);
    expect_next(f);
}

/* Returns a code that is in no list, or the shortest one of its kind. */
static inline int draw_code(unsigned n)
{
    static const int codes[] = {SQLITE_READONLY,
                                SQLITE_BUSY_SNAPSHOT,
                                SQLITE_CORRUPT_INDEX,
                                SQLITE_MISMATCH,
                                SQLITE_FULL,
                                SQLITE_CONSTRAINT | 88 << 8,
                                SQLITE_IOERR | 99 << 8,
                                SQLITE_INTERRUPT,
                                SQLITE_IOERR_WRITE,
                                SQLITE_TOOBIG,
                                SQLITE_AUTH,
                                SQLITE_ERROR | 19 << 8};
    const unsigned count = sizeof codes / sizeof codes[0];

    if (n % 3 == 0)
        return n % 2 == 0 ? SQLITE_CONSTRAINT : SQLITE_ERROR;
    return codes[(test_seed() + n) % count];
}

/* After some codes SQLite has undone everything by itself. */
static inline void writes_fail(struct fixture *f)
{
    char what[80];

    for (unsigned row = 1; row <= WRITES; row++) {
        for (unsigned i = 0; i < 6; i++) {
            int code = draw_code(7 * i + row);

            (void)snprintf(what, sizeof what, "write %u fails with %s", row,
                           test_code(code));
            fail_once(f, what, code, row, code);
        }
        (void)snprintf(what, sizeof what, "write %u rolls back everything",
                       row);
        fail_once(f, what, ROLLED_BACK, row, SQLITE_CONSTRAINT_TRIGGER);
    }
}

/* For db, the table is a view, in which a function reads the values. */
static inline void reads_fail(struct fixture *f)
{
    static const char *const names[] = {"a", "b", "c"};
    char what[80];

    raw_do(f->db, "CREATE TEMP VIEW counters AS SELECT name,"
                  " on_read(name, value) AS value, least, most"
                  " FROM main.counters;"
                  "CREATE TEMP TRIGGER through INSTEAD OF UPDATE ON"
                  " temp.counters BEGIN"
                  " SELECT on_update(new.name, new.value); END;"
                  "CREATE TEMP TRIGGER through_insert INSTEAD OF INSERT ON"
                  " temp.counters BEGIN"
                  " SELECT on_update(new.name, new.value); END");
    for (unsigned i = 0; i < 12; i++) {
        int code = draw_code(i);

        f->unreadable = names[i / 4];
        (void)snprintf(what, sizeof what, "reading %s fails with %s",
                       f->unreadable, test_code(code));
        fail_once(f, what, code, UINT_MAX, code);
    }
    raw_do(f->db, "DROP VIEW temp.counters");
}

static inline void commit_fails(struct fixture *f)
{
    fail_once(f, "COMMIT fails, as another connection reads", READER, 2,
              SQLITE_BUSY);
    fail_once(f, "COMMIT breaks a foreign key", ORPHAN, 2,
              SQLITE_CONSTRAINT_FOREIGNKEY);
    fail_once(f, "COMMIT rolls back", HOOK, 2, SQLITE_CONSTRAINT_COMMITHOOK);
}

static inline void begin_fails(struct fixture *f)
{
    test_while("another connection is writing");
    make_group(f);
    raw_do(f->other, "BEGIN IMMEDIATE");
    flush(f);
    raw_do(f->other, "ROLLBACK");
    expect_failed(f, SQLITE_BUSY);
    test_cause("no step is tried again");
    expect_count("", "BEGIN", f->begins, 1);
    expect_next(f);
}

/* Counts what is compiled, and refuses one of it. */
static inline int on_compile(void *data,
                             int action,
                             const char *operation,
                             const char *name,
                             const char *database,
                             const char *trigger)
{
    struct fixture *f = data;
    const char *statement = action == SQLITE_SELECT        ? "SELECT"
                            : action == SQLITE_UPDATE      ? "UPDATE"
                            : action == SQLITE_INSERT      ? "INSERT"
                            : action == SQLITE_TRANSACTION ? operation
                                                           : NULL;

    (void)name, (void)database;
    if (statement == NULL || strcmp(statement, "ROLLBACK") == 0 ||
        trigger != NULL || f->row == 0 || --f->row > 0)
        return SQLITE_OK;
    f->failed = true;
    f->statement = statement;
    return SQLITE_DENY;
}

/* Each statement is refused once. */
static inline void each_statement_fails(struct fixture *f)
{
    for (unsigned nth = 1; nth <= STEPS_MAX; nth++) {
        make_group(f);
        f->row = nth;
        CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
        flush(f);
        CHECK_INT(sqlite3_set_authorizer(f->db, NULL, NULL), SQLITE_OK);
        f->row = 0;
        if (!f->failed)
            return;
        test_while("statement %u is refused: %s", nth, f->statement);
        expect_failed(f, SQLITE_AUTH);
        expect_next(f);
    }
}

/* Each allocation fails once. */
static inline void each_allocation_fails(struct fixture *f)
{
    bool failed = true;

    for (unsigned nth = 1; failed && nth <= STEPS_MAX; nth++) {
        test_while("allocation %u fails", nth);
        make_group(f);
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        flush(f);
        failed = f->failed || test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (failed && f->callers[0].status != 0)
            expect_failed(f, ANY_NOMEM);
    }
}

/* Nobody is told before COMMIT, in a group of so many. */
static inline void nothing_fails(struct fixture *f, size_t group_max)
{
    char text[2 * TEXT_SIZE], table[TEXT_SIZE];

    test_while("nothing fails, %s in the group",
               test_count(group_max, "add", NULL));
    make_group(f);
    f->counters->group_max = group_max;
    flush(f);
    test_cause("an answer before COMMIT has returned is a promise that may be "
               "broken");
    read_table(f->other, table);
    (void)snprintf(text, sizeof text,
                   "others see %s when the first callback begins", table);
    if (strcmp(f->seen, table) != 0)
        test_wrong(text, "they see %s", f->seen);
    expect_closed(f);
}

#endif
