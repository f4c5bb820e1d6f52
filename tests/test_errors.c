/* test_errors - every code and every message means something */
#include "08-errors-and-deadlines/errors.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <string.h>

/* That an entry of the table is missing shows as a NULL here. */
static void check_complete(int code)
{
    struct asq_error error = asq_error_of_code(code, NULL);

    if (error.kind <= ASQ_ERROR_NONE || error.kind >= ASQ_ERROR_KINDS)
        FAIL("%d is of kind %d", code, (int)error.kind);
    if (error.remedy <= ASQ_REMEDY_NONE || error.remedy > ASQ_REMEDY_FIX)
        FAIL("%d has the remedy %d", code, (int)error.remedy);
    if (error.name == NULL || error.advice == NULL)
        FAIL("%d is of kind %d, which has no words", code, (int)error.kind);
    CHECK_TEXT(error.subject, "");
}

static void success_is_none(void *fixture)
{
    struct asq_request request;
    struct asq_error error = asq_error_of_code(0, NULL);

    (void)fixture;
    CHECK_INT(error.kind, ASQ_ERROR_NONE);
    CHECK_INT(error.remedy, ASQ_REMEDY_NONE);
    asq_request_init(&request);
    CHECK_INT(asq_error_of(&request, 0).kind, ASQ_ERROR_NONE);
}

static void every_other_code_has_a_remedy(void *fixture)
{
    (void)fixture;
    for (int base = 0; base < 256; base++) {
        for (int n = 0; n < 256; n++) {
            if (base != 0 || n != 0)
                check_complete(base | n << 8);
        }
    }
    for (int code = -1; code > -5000; code--)
        check_complete(code);
}

/* What SQLite gives out, but for what it keeps to itself. */
static void hardly_a_base_code_is_other(void *fixture)
{
    (void)fixture;
    for (int code = SQLITE_ERROR; code <= SQLITE_NOTADB; code++) {
        bool is_other = asq_error_of_code(code, NULL).kind == ASQ_ERROR_OTHER;
        bool may_be = code == SQLITE_INTERNAL || code == SQLITE_EMPTY ||
                      code == SQLITE_NOLFS || code == SQLITE_FORMAT;

        if (is_other != may_be)
            FAIL("code %d is %s", code, is_other ? "other" : "known");
    }
}

static void a_kind_has_a_name_of_its_own(void *fixture)
{
    const char *names[ASQ_ERROR_KINDS] = {NULL};

    (void)fixture;
    for (int code = -5000; code < 65536; code++) {
        struct asq_error error = asq_error_of_code(code, NULL);

        names[error.kind] = error.name;
    }
    for (int i = 0; i < ASQ_ERROR_KINDS; i++) {
        for (int k = 0; k < i; k++)
            CHECK(names[i] == NULL || names[k] == NULL ||
                  strcmp(names[i], names[k]) != 0);
    }
}

/* The extended code decides where it says something else than its base. */
static void codes_that_no_test_provokes(void *fixture)
{
    static const struct {
        int code;
        enum asq_error_kind kind;
    } pairs[] = {
        {SQLITE_BUSY_RECOVERY, ASQ_ERROR_BUSY},
        {SQLITE_BUSY | 3 << 8, ASQ_ERROR_BUSY}, /* BUSY_TIMEOUT */
        {SQLITE_ERROR | 3 << 8, ASQ_ERROR_BUSY_SNAPSHOT},
        {SQLITE_ERROR | 1 << 8, ASQ_ERROR_SQL},
        {SQLITE_PROTOCOL, ASQ_ERROR_BUSY},
        {SQLITE_LOCKED | 2 << 8, ASQ_ERROR_BUSY}, /* LOCKED_VTAB */
        {SQLITE_IOERR_NOMEM, ASQ_ERROR_MEMORY},
        {SQLITE_IOERR_LOCK, ASQ_ERROR_IO},
        {SQLITE_IOERR | 99 << 8, ASQ_ERROR_IO},      /* of a later SQLite */
        {SQLITE_IOERR | 32 << 8, ASQ_ERROR_CORRUPT}, /* IOERR_DATA */
        {SQLITE_IOERR | 33 << 8, ASQ_ERROR_CORRUPT}, /* IOERR_CORRUPTFS */
        {SQLITE_CONSTRAINT | 99 << 8, ASQ_ERROR_CONSTRAINT},
        {SQLITE_CONSTRAINT_VTAB, ASQ_ERROR_CONSTRAINT},
        {SQLITE_CORRUPT_VTAB, ASQ_ERROR_CORRUPT},
        {SQLITE_READONLY_DBMOVED, ASQ_ERROR_READ_ONLY},
        {SQLITE_CANTOPEN_ISDIR, ASQ_ERROR_CANNOT_OPEN},
        {SQLITE_ABORT_ROLLBACK, ASQ_ERROR_MISUSE},
        {SQLITE_OK | 2 << 8, ASQ_ERROR_OTHER}, /* OK_SYMLINK */
        {SQLITE_ROW, ASQ_ERROR_MISUSE},
        {SQLITE_DONE, ASQ_ERROR_MISUSE},
    };

    (void)fixture;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        CHECK_INT(asq_error_of_code(pairs[i].code, NULL).kind, pairs[i].kind);
}

/* A mask would make a SQLITE_* code of them. */
static void a_negative_code_is_taken_as_it_is(void *fixture)
{
    static const struct {
        int code;
        enum asq_error_kind kind;
    } pairs[] = {
        {UV_ECANCELED, ASQ_ERROR_CANCELLED},
        {UV_ETIMEDOUT, ASQ_ERROR_DEADLINE},
        {UV_ESHUTDOWN, ASQ_ERROR_SHUTTING_DOWN},
        {UV_ENOBUFS, ASQ_ERROR_QUEUE_FULL},
        {UV_ENOMEM, ASQ_ERROR_MEMORY},
        {UV_EINVAL, ASQ_ERROR_MISUSE},
        {UV_EBUSY, ASQ_ERROR_MISUSE},
        {UV_EOF, ASQ_ERROR_OTHER},
        {UV_EPERM, ASQ_ERROR_OTHER},
        {SQLITE_BUSY - 256, ASQ_ERROR_OTHER},
        {SQLITE_CONSTRAINT - 65536, ASQ_ERROR_OTHER},
        {-SQLITE_BUSY, ASQ_ERROR_OTHER},
        {INT32_MIN, ASQ_ERROR_OTHER},
    };

    (void)fixture;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        CHECK_INT(asq_error_of_code(pairs[i].code, "no such table: t").kind,
                  pairs[i].kind);
}

static void a_message_decides_for_one_code_only(void *fixture)
{
    static const struct {
        int code;
        const char *message;
        enum asq_error_kind kind;
        const char *subject;
    } rows[] = {
        {SQLITE_ERROR, "no such table: a b", ASQ_ERROR_NO_TABLE, "a b"},
        {SQLITE_ERROR, "no such table: ", ASQ_ERROR_NO_TABLE, ""},
        {SQLITE_ERROR, "no such column: t.x", ASQ_ERROR_NO_COLUMN, "t.x"},
        {SQLITE_ERROR, "table t has no column named x", ASQ_ERROR_NO_COLUMN,
         "x"},
        {SQLITE_ERROR, "he says: no such table: t", ASQ_ERROR_SQL, ""},
        {SQLITE_ERROR, "that has no column named x", ASQ_ERROR_SQL, ""},
        {SQLITE_ERROR, "", ASQ_ERROR_SQL, ""},
        {SQLITE_ERROR, NULL, ASQ_ERROR_SQL, ""},
        {SQLITE_BUSY, "no such table: t", ASQ_ERROR_BUSY, ""},
        {SQLITE_CONSTRAINT_TRIGGER, "UNIQUE constraint failed: t.x",
         ASQ_ERROR_CONSTRAINT, ""},
        {SQLITE_CONSTRAINT_TRIGGER, "the column is full", ASQ_ERROR_CONSTRAINT,
         ""},
        {SQLITE_CONSTRAINT_UNIQUE, "cut sho", ASQ_ERROR_UNIQUE, ""},
        {SQLITE_CONSTRAINT_UNIQUE, NULL, ASQ_ERROR_UNIQUE, ""},
    };

    (void)fixture;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asq_error error =
            asq_error_of_code(rows[i].code, rows[i].message);

        CHECK_INT(error.kind, rows[i].kind);
        CHECK_TEXT(error.subject, rows[i].subject);
    }
}

static void an_unknown_outcome_comes_first(void *fixture)
{
    static const int codes[] = {SQLITE_IOERR_FSYNC, SQLITE_BUSY, 0};
    struct asq_request request;

    (void)fixture;
    asq_request_init(&request);
    request.outcome_unknown = 1;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct asq_error error = asq_error_of(&request, codes[i]);

        CHECK_INT(error.kind, ASQ_ERROR_OUTCOME_UNKNOWN);
        CHECK_INT(error.remedy, ASQ_REMEDY_REOPEN);
        CHECK_TEXT(error.name, "outcome unknown");
    }
}

static void places_have_names(void *fixture)
{
    (void)fixture;
    CHECK_TEXT(asq_place_name(ASQ_PLACE_NONE), "");
    CHECK_TEXT(asq_place_name(ASQ_PLACE_QUEUE), "queue");
    CHECK_TEXT(asq_place_name(ASQ_PLACE_LOCK), "lock");
    CHECK_TEXT(asq_place_name(ASQ_PLACE_RUNNING), "running");
}

static const struct test_case cases[] = {
    {.name = "success_is_none", .run = success_is_none},
    {.name = "every_other_code_has_a_remedy",
     .run = every_other_code_has_a_remedy},
    {.name = "hardly_a_base_code_is_other", .run = hardly_a_base_code_is_other},
    {.name = "a_kind_has_a_name_of_its_own",
     .run = a_kind_has_a_name_of_its_own},
    {.name = "codes_that_no_test_provokes", .run = codes_that_no_test_provokes},
    {.name = "a_negative_code_is_taken_as_it_is",
     .run = a_negative_code_is_taken_as_it_is},
    {.name = "a_message_decides_for_one_code_only",
     .run = a_message_decides_for_one_code_only},
    {.name = "an_unknown_outcome_comes_first",
     .run = an_unknown_outcome_comes_first},
    {.name = "places_have_names", .run = places_have_names},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "errors", .cases = cases};
