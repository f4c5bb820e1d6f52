/* test_errors_sql - what a statement can be refused for, asked for real */
#include "errors_fixture.h"

static const char tables[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, "
    "  age INT CONSTRAINT old_enough CHECK (age >= 18));"
    "CREATE TABLE pairs (a, b, UNIQUE (a, b));"
    "CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE plain (n);"
    "CREATE TABLE typed (n INTEGER) STRICT;"
    "CREATE TABLE orders (user_id REFERENCES users (id));"
    "CREATE TABLE later (user_id REFERENCES users (id) "
    "  DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE stock (n);"
    "CREATE TRIGGER no_debt BEFORE INSERT ON stock WHEN new.n < 0 "
    "  BEGIN SELECT RAISE (ABORT, 'this column is never below 0'); END;"
    "INSERT INTO users VALUES (1, 'ada@example.org', 36);"
    "INSERT INTO pairs VALUES (1, 2);"
    "INSERT INTO words VALUES ('one');"
    "INSERT INTO plain VALUES (1);";

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    raw_run(f->profile.path, tables);
    open_conn(f);
}

struct sql_case {
    const char *sql;
    struct expected expected;
};

static void run_cases(struct fixture *f, const struct sql_case *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sql_fails(f, rows[i].sql, &rows[i].expected);
}

static void a_constraint(void *data)
{
    static const struct sql_case rows[] = {
        {"INSERT INTO users VALUES (2, 'ada@example.org', 20)",
         {SQLITE_CONSTRAINT_UNIQUE, ASQ_ERROR_UNIQUE, ASQ_REMEDY_TELL,
          "users.email"}},
        {"INSERT INTO pairs VALUES (1, 2)",
         {SQLITE_CONSTRAINT_UNIQUE, ASQ_ERROR_UNIQUE, ASQ_REMEDY_TELL,
          "pairs.a, pairs.b"}},
        {"INSERT INTO users VALUES (1, 'bob@example.org', 20)",
         {SQLITE_CONSTRAINT_PRIMARYKEY, ASQ_ERROR_UNIQUE, ASQ_REMEDY_TELL,
          "users.id"}},
        {"INSERT INTO words VALUES ('one')",
         {SQLITE_CONSTRAINT_PRIMARYKEY, ASQ_ERROR_UNIQUE, ASQ_REMEDY_TELL,
          "words.word"}},
        {"INSERT INTO plain (rowid, n) VALUES (1, 2)",
         {SQLITE_CONSTRAINT_ROWID, ASQ_ERROR_UNIQUE, ASQ_REMEDY_TELL,
          "plain.rowid"}},
        {"INSERT INTO orders VALUES (99)",
         {SQLITE_CONSTRAINT_FOREIGNKEY, ASQ_ERROR_FOREIGN_KEY, ASQ_REMEDY_TELL,
          ""}},
        {"INSERT INTO users VALUES (2, 'bob@example.org', 17)",
         {SQLITE_CONSTRAINT_CHECK, ASQ_ERROR_CHECK, ASQ_REMEDY_TELL,
          "old_enough"}},
        {"INSERT INTO users (id) VALUES (2)",
         {SQLITE_CONSTRAINT_NOTNULL, ASQ_ERROR_NOT_NULL, ASQ_REMEDY_TELL,
          "users.email"}},
        {"INSERT INTO stock VALUES (-1)",
         {SQLITE_CONSTRAINT_TRIGGER, ASQ_ERROR_CONSTRAINT, ASQ_REMEDY_TELL,
          ""}},
        {"INSERT INTO typed VALUES ('many')",
         {SQLITE_CONSTRAINT_DATATYPE, ASQ_ERROR_CONSTRAINT, ASQ_REMEDY_TELL,
          "typed.n"}},
        {"INSERT INTO users VALUES ('two', 'bob@example.org', 20)",
         {SQLITE_MISMATCH, ASQ_ERROR_CONSTRAINT, ASQ_REMEDY_TELL, ""}},
    };

    run_cases(data, rows, sizeof rows / sizeof rows[0]);
}

static void a_foreign_key_at_commit(void *data)
{
    struct fixture *f = data;
    static const struct expected at_commit = {SQLITE_CONSTRAINT_FOREIGNKEY,
                                              ASQ_ERROR_FOREIGN_KEY,
                                              ASQ_REMEDY_TELL, ""};

    share_tx(f);
    run_now(f, "BEGIN");
    run_now(f, "INSERT INTO later VALUES (99)");
    sql_fails(f, "COMMIT", &at_commit);
    run_now(f, "ROLLBACK");
}

static void something_that_is_too_big(void *data)
{
    static const struct expected too_big = {SQLITE_TOOBIG, ASQ_ERROR_TOO_BIG,
                                            ASQ_REMEDY_TELL, ""};
    struct fixture *f = data;

    sql_fails(f, "SELECT zeroblob(2147483647)", &too_big);
    close_conn(f);
    init_again(f);
    f->profile.result_limit = 1000;
    open_conn(f);
    sql_fails(f, "SELECT zeroblob(1000000)", &too_big);
}

static void a_mistake_in_the_statement(void *data)
{
    static const struct sql_case rows[] = {
        {"SELECT * FROM missing",
         {SQLITE_ERROR, ASQ_ERROR_NO_TABLE, ASQ_REMEDY_FIX, "missing"}},
        {"INSERT INTO main.missing VALUES (1)",
         {SQLITE_ERROR, ASQ_ERROR_NO_TABLE, ASQ_REMEDY_FIX, "main.missing"}},
        {"UPDATE missing SET n = 1",
         {SQLITE_ERROR, ASQ_ERROR_NO_TABLE, ASQ_REMEDY_FIX, "missing"}},
        {"DROP TABLE missing",
         {SQLITE_ERROR, ASQ_ERROR_NO_TABLE, ASQ_REMEDY_FIX, "missing"}},
        {"SELECT nobody FROM users",
         {SQLITE_ERROR, ASQ_ERROR_NO_COLUMN, ASQ_REMEDY_FIX, "nobody"}},
        {"SELECT u.nobody FROM users AS u",
         {SQLITE_ERROR, ASQ_ERROR_NO_COLUMN, ASQ_REMEDY_FIX, "u.nobody"}},
        {"INSERT INTO users (nobody) VALUES (1)",
         {SQLITE_ERROR, ASQ_ERROR_NO_COLUMN, ASQ_REMEDY_FIX, "nobody"}},
        {"UPDATE users SET nobody = 1",
         {SQLITE_ERROR, ASQ_ERROR_NO_COLUMN, ASQ_REMEDY_FIX, "nobody"}},
        {"DELETE FROM users WHERE nobody = 1",
         {SQLITE_ERROR, ASQ_ERROR_NO_COLUMN, ASQ_REMEDY_FIX, "nobody"}},
        {"SELEC 1", {SQLITE_ERROR, ASQ_ERROR_SQL, ASQ_REMEDY_FIX, ""}},
        {"SELECT * FROM users WHERE 'no such table: users' 1",
         {SQLITE_ERROR, ASQ_ERROR_SQL, ASQ_REMEDY_FIX, ""}},
        {"SELECT nothing(1)",
         {SQLITE_ERROR, ASQ_ERROR_SQL, ASQ_REMEDY_FIX, ""}},
        {"SELECT abs(-9223372036854775807 - 1)",
         {SQLITE_ERROR, ASQ_ERROR_SQL, ASQ_REMEDY_FIX, ""}},
        {"SELECT ?1", {SQLITE_RANGE, ASQ_ERROR_MISUSE, ASQ_REMEDY_FIX, ""}},
        {"SELECT 1; SELECT 2",
         {SQLITE_MISUSE, ASQ_ERROR_MISUSE, ASQ_REMEDY_FIX, ""}},
        {"", {SQLITE_MISUSE, ASQ_ERROR_MISUSE, ASQ_REMEDY_FIX, ""}},
    };

    run_cases(data, rows, sizeof rows / sizeof rows[0]);
}

/* Schema: SQLite prepares a statement again when the tables have changed since,
 * fifty times at most. Whenever it does, somebody changes them again. */
static int change_tables(void *data,
                         int action,
                         const char *a,
                         const char *b,
                         const char *c,
                         const char *d)
{
    (void)action; /* whatever it asks for, it may */
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    raw_do(data, "CREATE TABLE more (n); DROP TABLE more");
    return SQLITE_OK;
}

/* A function on the worker is given the request only. */
static sqlite3 *somebody;

static int let_them_change(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* only the connection matters */
    return sqlite3_set_authorizer(asq_db_handle(db), change_tables, somebody);
}

static int let_them_be(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* only the connection matters */
    return sqlite3_set_authorizer(asq_db_handle(db), NULL, NULL);
}

static void tables_that_never_rest(void *data)
{
    static const struct expected schema = {SQLITE_SCHEMA, ASQ_ERROR_SCHEMA,
                                           ASQ_REMEDY_RETRY, ""};
    struct fixture *f = data;

    somebody = raw_open(f->profile.path);
    raw_do(somebody, "PRAGMA synchronous=OFF");
    call_now(f, let_them_change);
    sql_fails(f, "SELECT n FROM plain", &schema);
    call_now(f, let_them_be);
    run_now(f, "SELECT n FROM plain");
    raw_close(somebody);
}

static const struct test_case cases[] = {
    {.name = "a_constraint", .run = a_constraint},
    {.name = "a_foreign_key_at_commit", .run = a_foreign_key_at_commit},
    {.name = "something_that_is_too_big", .run = something_that_is_too_big},
    {.name = "a_mistake_in_the_statement", .run = a_mistake_in_the_statement},
    {.name = "tables_that_never_rest", .run = tables_that_never_rest},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "errors_sql",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
