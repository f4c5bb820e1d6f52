/* test_elsewhere - tests of asking a file through another connection */
#include "common/elsewhere.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <string.h>

static int ask(const char *sql, int64_t *ret_number, char message[200])
{
    return asq_ask_elsewhere(test_path("a.db"), sql, ret_number, message, 200);
}

static void answers_with_the_first_cell_of_the_last_row(void *fixture)
{
    char message[200] = "";
    int64_t number = 7;

    (void)fixture; /* none needed */
    CHECK_INT(ask("CREATE TABLE t (n); INSERT INTO t VALUES (3), (-5)", &number,
                  message),
              0);
    CHECK_INT(number, 0); /* there is no row */
    CHECK_INT(ask("SELECT n, 9 FROM t", &number, message), 0);
    CHECK_INT(number, -5);
    CHECK_INT(ask("SELECT 9223372036854775807", &number, message), 0);
    CHECK(number == INT64_MAX);
    CHECK_INT(ask("SELECT NULL", &number, message), 0);
    CHECK_INT(number, 0);
    CHECK_INT(ask("DELETE FROM t", NULL, message), 0);
    CHECK_TEXT(message, "");
}

static void sees_only_what_is_committed(void *fixture)
{
    char message[200];
    int64_t number = 7;
    sqlite3 *db;

    (void)fixture; /* none needed */
    db = raw_open(test_path("a.db"));
    raw_do(db, "PRAGMA journal_mode=WAL; CREATE TABLE t (n);"
               "BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
    CHECK_INT(ask("SELECT count(*) FROM t", &number, message), 0);
    CHECK_INT(number, 0);
    raw_do(db, "COMMIT");
    CHECK_INT(ask("SELECT count(*) FROM t", &number, message), 0);
    CHECK_INT(number, 1);
    raw_close(db);
}

static void an_error_names_the_file_and_leaves_the_number(void *fixture)
{
    char message[200] = "";
    int64_t number = 7;

    (void)fixture; /* none needed */
    CHECK_INT(ask("SELECT * FROM missing", &number, message), SQLITE_ERROR);
    CHECK(strstr(message, "a.db: no such table: missing") != NULL);
    CHECK_INT(number, 7);
    CHECK_INT(asq_ask_elsewhere(test_path("no/a.db"), "SELECT 1", &number,
                                message, sizeof message) &
                  0xff,
              SQLITE_CANTOPEN);
    CHECK(strstr(message, "no/a.db: unable to open") != NULL);
}

static const struct test_case cases[] = {
    {.name = "answers_with_the_first_cell_of_the_last_row",
     .run = answers_with_the_first_cell_of_the_last_row},
    {.name = "sees_only_what_is_committed", .run = sees_only_what_is_committed},
    {.name = "an_error_names_the_file_and_leaves_the_number",
     .run = an_error_names_the_file_and_leaves_the_number},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "elsewhere", .cases = cases};
