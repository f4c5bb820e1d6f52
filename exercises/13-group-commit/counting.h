/* counting - a table of counters, the adds to them, and what they are told
 *
 * Adds are written as a text, "a+3 b-1 a+9", and so is what they are told:
 * "a+3: 8, b-1: UV_ERANGE, a+9: 17", in the order in which they were made. `db`
 * is the connection of the code under test, `other` is everybody else. SQLite
 * tells the test what db does: a statement begins (trace), a row is written
 * (update hook, trigger), a transaction ends (commit hook). One thread.
 */
#ifndef COUNTING_H
#define COUNTING_H

#include "given.h"
#include "table.h"

#include "grader/random.h"
#include "grader/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLERS = 1200,
    LABEL_SIZE = 32,
    /* What goes wrong at a row, apart from a code: */
    ROLLED_BACK = -1, /* it rolls back the transaction */
    READER = -2,      /* another connection reads when COMMIT comes */
    ORPHAN = -3,      /* it breaks a constraint that COMMIT checks */
    HOOK = -4         /* COMMIT is turned into a ROLLBACK */
};

static const char of_connection[] =
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
    "PRAGMA foreign_keys = ON;"
    "CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE orphans (parent INTEGER REFERENCES parents (id)"
    " DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TEMP TRIGGER changed BEFORE UPDATE ON main.counters BEGIN"
    " SELECT CASE on_row() WHEN 1 THEN RAISE(ROLLBACK, 'undone') END;"
    " INSERT INTO orphans SELECT 1 WHERE is_orphan(); END;"
    "CREATE TEMP TRIGGER replaced BEFORE INSERT ON main.counters BEGIN"
    " SELECT CASE on_row() WHEN 1 THEN RAISE(ROLLBACK, 'undone') END;"
    " INSERT INTO orphans SELECT 1 WHERE is_orphan(); END";

struct fixture;

struct caller {
    struct ex_add *add; /* NULL once it was freed */
    struct fixture *f;
    char label[LABEL_SIZE]; /* "a+3" */
    unsigned answers;
    int status;
    int64_t value;
    /* What it does in its callback: */
    const char *makes; /* these adds; or NULL */
    bool again;        /* its own once more */
    bool frees;        /* the memory, which is filled with something before */
    char *name;        /* freed with it; or NULL */
};

struct fixture {
    struct ex_counters *counters;
    sqlite3 *db, *other;
    struct caller callers[CALLERS];
    size_t count;
    char order[TEXT_SIZE]; /* the answers, in the order in which they came */
    char seen[TEXT_SIZE];  /* what others saw of the table at the first one */
    bool open;             /* and whether something was open then */
    /* counted by SQLite */
    unsigned begins, ends, commits, writes;
    /* what the others do */
    const char *before_begin; /* they write this, before BEGIN */
    bool try;                 /* they try to read, and to write */
    unsigned written, refused;
    /* what goes wrong */
    int kind;     /* a code, or one of the above; 0: nothing */
    unsigned row; /* and at which row, from 1 */
    unsigned rows;
    bool failed, missed;
    const char *unreadable; /* reading this counter fails with kind; or NULL */
    const char *statement;  /* the one that was refused */
};

/* The adds */

static inline void ask(struct fixture *f, const char *adds);

static inline void on_added(struct ex_add *add, int status)
{
    struct caller *caller = add->data;
    struct fixture *f = caller->f;

    if (f->order[0] == '\0') {
        f->failed |= test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        read_table(f->other, f->seen);
        f->open = !sqlite3_get_autocommit(f->db) ||
                  sqlite3_next_stmt(f->db, NULL) != NULL;
    }
    note(f->order, "%s%s", f->order[0] != '\0' ? " " : "", caller->label);
    caller->answers++;
    caller->status = status;
    caller->value = add->value;
    if (caller->makes != NULL)
        ask(f, caller->makes);
    if (caller->again)
        CHECK_INT(
            ex_counters_add(f->counters, add, add->name, add->amount, on_added),
            0);
    if (!caller->frees)
        return;
    memset(add, 0xa5, sizeof *add);
    free(add);
    caller->add = NULL;
    if (caller->name != NULL)
        memset(caller->name, '?', strlen(caller->name));
    free(caller->name);
    caller->name = NULL;
}

static inline struct caller *
make(struct fixture *f, const char *name, int64_t amount, const char *label)
{
    struct caller *caller = &f->callers[f->count++];

    CHECK(f->count <= CALLERS);
    *caller = (struct caller){.f = f, .add = calloc(1, sizeof *caller->add)};
    CHECK(caller->add != NULL);
    caller->add->data = caller;
    (void)snprintf(caller->label, LABEL_SIZE, "%s", label);
    CHECK_INT(ex_counters_add(f->counters, caller->add, name, amount, on_added),
              0);
    return caller;
}

/* "a+3 b-1": a name has one letter, and all adds for it the same pointer. */
static inline void ask(struct fixture *f, const char *adds)
{
    static char names['z' + 1][2];

    while (*adds != '\0') {
        char label[LABEL_SIZE] = "";
        size_t length = strcspn(adds, " ");
        int letter = adds[0];

        names[letter][0] = (char)letter;
        (void)snprintf(label, sizeof label, "%.*s", (int)length, adds);
        (void)make(f, names[letter], strtoll(adds + 1, NULL, 10), label);
        adds += length + strspn(adds + length, " ");
    }
}

/* Forgets the adds. None of them is waiting. */
static inline void forget(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->callers[i].add);
        free(f->callers[i].name);
    }
    f->count = 0;
    f->counters->waiting = NULL;
}

static inline void flush(struct fixture *f)
{
    f->order[0] = f->seen[0] = '\0';
    f->open = f->failed = f->missed = false;
    f->begins = f->ends = f->commits = f->writes = f->rows = 0;
    f->written = f->refused = 0;
    ex_counters_flush(f->counters);
}

static inline void describe(const struct caller *caller,
                            char text[static TEXT_SIZE])
{
    note(text, "%s%s: ", text[0] != '\0' ? ", " : "", caller->label);
    if (caller->answers == 0)
        note(text, "no answer");
    else if (caller->answers > 1)
        note(text, "%u answers", caller->answers);
    else if (caller->status == 0)
        note(text, "%" PRId64, caller->value);
    else if (caller->status == UV_ERANGE || caller->status == UV_ENOENT)
        note(text, "UV_%s", uv_err_name(caller->status));
    else
        note(text, "%s", test_code(caller->status));
}

/* What these adds were told, and only these, since the flush. */
static inline void expect_told_from(struct fixture *f,
                                    size_t first,
                                    size_t end,
                                    const char *step,
                                    const char *told)
{
    char text[2 * TEXT_SIZE], got[TEXT_SIZE] = "";

    for (size_t i = 0; i < f->count; i++)
        if ((i >= first && i < end) || f->callers[i].answers != (i < first))
            describe(&f->callers[i], got);
    (void)snprintf(text, sizeof text, "%s%s%s", step, step[0] ? ": " : "",
                   told);
    if (strcmp(got, told) != 0)
        test_wrong(text, "%s", got);
}

/* What all adds were told that were not forgotten. */
static inline void
expect_told(struct fixture *f, const char *step, const char *told)
{
    expect_told_from(f, 0, f->count, step, told);
}

/* What one of them was told. */
static inline void expect_told_by(const struct caller *caller, const char *told)
{
    char text[TEXT_SIZE], got[TEXT_SIZE] = "";

    describe(caller, got);
    (void)snprintf(text, sizeof text, "%s: %s", caller->label, told);
    test_wrong(text, "%s", got);
}

static inline void
expect_count(const char *step, const char *noun, unsigned got, unsigned n)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s%s%s", step,
                   step[0] != '\0' ? ": " : "", test_count(n, noun, NULL));
    if (got != n)
        test_wrong(text, "%s", test_count(got, noun, NULL));
}

/* These adds, one flush, then this is what they are told and what is there. */
static inline void
run(struct fixture *f, const char *adds, const char *told, const char *table)
{
    forget(f);
    ask(f, adds);
    flush(f);
    expect_told(f, "", told);
    expect_table(f->other, adds, table);
}

/* What db does */

static inline int try_other(struct fixture *f, const char *sql)
{
    return sqlite3_exec(f->other, sql, NULL, NULL, NULL);
}

/* A statement of db is about to begin. */
static inline int on_statement(unsigned type, void *data, void *stmt, void *sql)
{
    struct fixture *f = data;
    const char *before = f->before_begin;

    (void)type, (void)stmt;
    f->ends += sqlite3_strnicmp(sql, "COMMIT", 6) == 0 ||
               sqlite3_strnicmp(sql, "END", 3) == 0;
    if (sqlite3_strnicmp(sql, "BEGIN", 5) == 0 &&
        sqlite3_get_autocommit(f->db)) {
        f->begins++;
        f->before_begin = NULL;
        if (before != NULL)
            raw_do(f->other, before);
    } else if (f->try && !sqlite3_get_autocommit(f->db)) {
        f->refused += try_other(f, "SELECT count(*) FROM counters") != 0;
        f->written += try_other(f, "UPDATE counters SET most = most") == 0;
    }
    return 0;
}

static inline void on_write(void *data,
                            int action,
                            const char *database,
                            const char *table,
                            sqlite3_int64 row)
{
    struct fixture *f = data;

    (void)action, (void)row;
    f->writes +=
        strcmp(database, "main") == 0 && strcmp(table, "counters") == 0;
}

static inline int on_commit(void *data)
{
    struct fixture *f = data;

    f->commits++;
    return f->kind == HOOK && f->failed;
}

/* Is called by the trigger, for each row that is about to be written. */
static inline void
on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    bool here = f->kind != 0 && ++f->rows == f->row;

    (void)argc, (void)argv;
    sqlite3_result_int(context, here && f->kind == ROLLED_BACK);
    if (!here)
        return;
    f->failed = true;
    if (f->kind > 0)
        sqlite3_result_error_code(context, f->kind);
    if (f->kind == READER)
        f->missed = try_other(f, "BEGIN; SELECT count(*) FROM counters") != 0;
}

static inline void
is_orphan(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)argc, (void)argv;
    sqlite3_result_int(context, f->kind == ORPHAN && f->rows == f->row);
}

/* Is called by a view, for each row that is read: its name and its value. */
static inline void
on_read(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    const char *name = (const char *)sqlite3_value_text(argv[0]);

    (void)argc;
    sqlite3_result_value(context, argv[1]);
    if (f->unreadable == NULL || strcmp(name, f->unreadable) != 0)
        return;
    f->failed = true;
    sqlite3_result_error_code(context, f->kind);
}

/* And is called to write to the table behind the view. */
static inline void
on_update(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    sqlite3_stmt *stmt;

    (void)argc;
    CHECK_INT(sqlite3_prepare_v2(f->db,
                                 "UPDATE main.counters SET value = ?2"
                                 " WHERE name = ?1",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_value(stmt, 1, argv[0]), SQLITE_OK);
    CHECK_INT(sqlite3_bind_value(stmt, 2, argv[1]), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* Life */

static inline void
add_function(struct fixture *f,
             const char *name,
             int arguments,
             void (*function)(sqlite3_context *, int, sqlite3_value **))
{
    CHECK_INT(sqlite3_create_function(f->db, name, arguments, SQLITE_UTF8, f,
                                      function, NULL, NULL),
              SQLITE_OK);
}

static inline void begin(struct fixture *f, const char *name)
{
    f->other = open_db(name);
    raw_do(f->other, schema);
    f->db = open_db(name);
    add_function(f, "on_row", 0, on_row);
    add_function(f, "is_orphan", 0, is_orphan);
    add_function(f, "on_read", 2, on_read);
    add_function(f, "on_update", 2, on_update);
    raw_do(f->db, of_connection);
    (void)sqlite3_update_hook(f->db, on_write, f); /* there was none */
    (void)sqlite3_commit_hook(f->db, on_commit, f);
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_statement, f),
              SQLITE_OK);
    f->counters = malloc(sizeof *f->counters);
    CHECK(f->counters != NULL);
    ex_counters_init(f->counters, f->db, CALLERS);
    f->counters->data = f;
}

/* Only one test judges what was left open. */
static inline void close_all(struct fixture *f)
{
    sqlite3_stmt *stmt;

    while ((stmt = sqlite3_next_stmt(f->db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* its error is old */
    if (!sqlite3_get_autocommit(f->db))
        raw_do(f->db, "ROLLBACK");
}

static inline void end(struct fixture *f)
{
    forget(f);
    free(f->counters);
    close_all(f);
    raw_close(f->db);
    raw_close(f->other);
}

#endif
