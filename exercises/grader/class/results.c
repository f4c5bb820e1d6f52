/* results - the results of the class in an SQLite database in memory
 *
 * Owns nothing that lasts. One thread enters. The results files are read with
 * SQLite's JSON functions. What a file says beyond its bounds is cut to them.
 */
#include "results.h"

#include "alike.h"
#include "count.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    RESULTS_MAX = 1 << 24 /* bytes */
};

static const char schema[] =
    "CREATE TABLE student(n INT, key TEXT, id TEXT, name TEXT,"
    " submission TEXT, late TEXT, note TEXT, end TEXT, place INT,"
    " counts INT, time INT, days REAL);"
    "CREATE TABLE exercise(n INT, exercise TEXT, points REAL, max REAL,"
    " verdict TEXT, message TEXT, look_at TEXT);"
    "CREATE TABLE test(n INT, exercise TEXT, test INT, title TEXT,"
    " points REAL, max REAL, verdict TEXT, message TEXT, look_at TEXT,"
    " hidden INT);"
    "CREATE TABLE run(n INT, sandbox TEXT, seed INT, version TEXT);"
    "CREATE INDEX of_test ON test(n, exercise);"
    "CREATE INDEX of_exercise ON exercise(n);"
    "CREATE TABLE course(exercise TEXT UNIQUE, max REAL DEFAULT 0);";

/* What a report begins with: exercises whose tests could not run, as test 0,
 * and tests that failed themselves. */
static const char failures[] =
    "CREATE VIEW failure AS SELECT n, exercise, 0 AS test, max - points AS "
    "lost,"
    " '' AS title, verdict, message, look_at, 0 AS hidden FROM exercise"
    " WHERE verdict <> 'graded'"
    " UNION ALL SELECT t.n, t.exercise, t.test, t.max - t.points, t.title,"
    " t.verdict, t.message, t.look_at, t.hidden FROM test t JOIN exercise e"
    " USING (n, exercise) WHERE e.verdict = 'graded' AND t.points < t.max"
    " AND t.verdict <> 'skipped'";

static const char insert_run[] =
    "INSERT INTO run SELECT ?1, shown(?2->>'$.sandbox'),"
    " CAST(?2->>'$.seed' AS INT), shown(?2->>'$.course')";

/* Where a file was graded, ?3, is told as where its student has it. */
static const char insert_exercises[] =
    "INSERT INTO exercise SELECT ?1, shown(value->>'exercise'),"
    " MAX(0, MIN(0.0 + (value->>'points'), 0.0 + (value->>'max'))),"
    " MAX(0, 0.0 + (value->>'max')), shown(value->>'verdict'),"
    " replace(shown(value->>'message'), ?3, 'exercises/'),"
    " replace(shown(value->>'look_at'), ?3, 'exercises/')"
    " FROM json_each(?2, '$.exercises')"
    " WHERE value->>'exercise' IS NOT NULL";

static const char insert_tests[] =
    "INSERT INTO test SELECT ?1, shown(e.value->>'exercise'),"
    " CAST(t.value->>'test' AS INT), shown(t.value->>'title'),"
    " MAX(0, MIN(0.0 + (t.value->>'points'), 0.0 + (t.value->>'max'))),"
    " MAX(0, 0.0 + (t.value->>'max')), shown(t.value->>'verdict'),"
    " replace(shown(t.value->>'message'), ?3, 'exercises/'),"
    " replace(shown(t.value->>'look_at'), ?3, 'exercises/'),"
    " COALESCE(CAST(t.value->>'hidden' AS INT), 0)"
    " FROM json_each(?2, '$.exercises') e, json_each(e.value, '$.tests') t"
    " WHERE t.value->>'test' IS NOT NULL";

int class_results_are_complete(const struct class_text *json)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int are = 0;

    if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT json_valid(?1) AND ?1->>'version' = 1"
                           " AND ?1->>'state' = 'complete'"
                           " AND json_type(?1, '$.exercises') = 'array'",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_text(statement, 1, class_text_of(json), (int)json->size,
                          SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        are = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement); /* its error is a "no" */
    (void)sqlite3_close(db);           /* nothing is open in it */
    return are;
}

static int insert(sqlite3 *db,
                  const char *sql,
                  size_t n,
                  const char *json,
                  const char *folder)
{
    sqlite3_stmt *statement = class_ask(db, sql, (sqlite3_int64)n);
    int rc = sqlite3_bind_text(statement, 2, json, -1, SQLITE_STATIC);

    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(statement) > 2)
        rc = sqlite3_bind_text(statement, 3, folder, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    (void)sqlite3_finalize(statement); /* says the same again */
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Loads the results of a submission, all or nothing. */
static void load_results(const struct class_settings *settings,
                         struct class_submission *submission,
                         size_t n,
                         sqlite3 *db)
{
    char *path =
        class_format("%s/reports/%s.json", settings->run, submission->key);
    char *folder =
        class_format("%s/graded/%s/files/", settings->run, submission->key);
    struct class_text json = {0};
    int rc = class_file_read(path, RESULTS_MAX, &json);

    if (rc != 0 || class_hash(CLASS_HASH_START, json.data, json.size) !=
                       submission->results_hash) {
        submission->end = CLASS_FAILED;
        class_note(submission, "its results were changed after it was graded");
    } else if (sqlite3_exec(db, "SAVEPOINT one", NULL, NULL, NULL) != 0 ||
               insert(db, insert_run, n, class_text_of(&json), folder) != 0 ||
               insert(db, insert_exercises, n, class_text_of(&json), folder) !=
                   0 ||
               insert(db, insert_tests, n, class_text_of(&json), folder) != 0) {
        submission->end = CLASS_FAILED;
        class_note(submission, "its results cannot be read: %s",
                   sqlite3_errmsg(db));
        /* Without a savepoint there is nothing to undo. */
        (void)sqlite3_exec(db, "ROLLBACK TO one", NULL, NULL, NULL);
    }
    (void)sqlite3_exec(db, "RELEASE one", NULL, NULL, NULL);
    class_text_free(&json);
    free(folder);
    free(path);
}

static const char *name_end(const struct class_submission *submission)
{
    static const char *const names[] = {
        [CLASS_NOT_YET] = "not graded",  [CLASS_GRADED] = "graded",
        [CLASS_TIME_OVER] = "time over", [CLASS_NOTHING] = "nothing",
        [CLASS_FAILED] = "grader error",
    };

    return names[submission->end];
}

static void add_student(sqlite3 *db,
                        size_t n,
                        const char *const texts[7],
                        size_t place,
                        int counts,
                        int64_t time)
{
    sqlite3_stmt *statement = class_ask(
        db,
        "INSERT INTO student VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
        " ?11, NULL)",
        (sqlite3_int64)n);

    /* An insertion into memory fails only without memory, and then the next
     * question does too. */
    for (int i = 0; i < 7; i++)
        (void)sqlite3_bind_text(statement, i + 2, texts[i], -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 9, (sqlite3_int64)place);
    (void)sqlite3_bind_int(statement, 10, counts);
    (void)sqlite3_bind_int64(statement, 11, time);
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
}

/* In a cell of a table the notes are one line. */
static char *join_lines(const struct class_text *notes)
{
    struct class_text joined = {0};

    for (const char *c = class_text_of(notes); *c != '\0'; c++) {
        if (*c != '\n')
            class_text_add(&joined, c, 1);
        else if (c[1] != '\0')
            class_text_add(&joined, "; ", 2);
    }
    class_text_add(&joined, "", 0);
    return joined.data;
}

/* Returns the time of the newest file, as far as it tells. */
static int64_t newest(const struct class_course *course,
                      const struct class_submission *submission)
{
    int64_t time = 0;

    for (size_t i = 0; i < course->exercises; i++)
        if (course->exercise[i].wanted && submission->file[i].found &&
            submission->file[i].time > time)
            time = submission->file[i].time;
    return time;
}

/* Adds a row for each student of a submission, or one if nobody is known. */
static void add_rows(sqlite3 *db,
                     const struct class_course *course,
                     const struct class_roster *roster,
                     const struct class_submission *submission,
                     size_t n)
{
    char *note = join_lines(&submission->notes);
    int64_t time = newest(course, submission);
    const char *texts[] = {submission->key,
                           submission->id,
                           submission->name,
                           submission->label,
                           submission->late ? "late" : "",
                           note,
                           name_end(submission)};

    for (size_t i = 0; i < submission->students; i++) {
        texts[1] = roster->student[submission->student[i]].id;
        texts[2] = roster->student[submission->student[i]].name;
        add_student(db, n, texts, submission->student[i], 1, time);
    }
    if (submission->students == 0)
        add_student(db, n, texts, roster->count + n, roster->count == 0, time);
    free(note);
}

static void add_students(const struct class_settings *settings,
                         const struct class_course *course,
                         const struct class_roster *roster,
                         struct class_list *list,
                         sqlite3 *db)
{
    for (size_t i = 0; i < list->count; i++) {
        struct class_submission *submission = &list->submission[i];

        if (submission->end == CLASS_GRADED ||
            submission->end == CLASS_TIME_OVER)
            load_results(settings, submission, i, db);
        if (submission->end == CLASS_TIME_OVER)
            class_note(submission,
                       "time over: what was not graded by then has 0 points");
        add_rows(db, course, roster, submission, i);
    }
    for (size_t i = 0; i < roster->count; i++) {
        const struct class_student *student = &roster->student[i];

        if (student->submissions == 0)
            add_student(db, list->count + i,
                        (const char *const[]){"", student->id, student->name,
                                              "", "", "no submission",
                                              "no submission"},
                        i, 1, 0);
    }
}

int class_results_load(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_roster *roster,
                       const struct class_marks *marks,
                       struct class_list *list,
                       sqlite3 **ret_db)
{
    sqlite3 *db = NULL;
    int rc = class_ask_open(&db);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, failures, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = class_count_prepare(db);
    if (rc != SQLITE_OK) {
        /* UNTESTED: without memory. */
        (void)fprintf(stderr, "build/class: %s\n", sqlite3_errstr(rc));
        (void)sqlite3_close(db);
        return 1;
    }
    for (size_t i = 0; i < course->exercises; i++) {
        char *sql =
            sqlite3_mprintf("INSERT OR IGNORE INTO course(exercise) VALUES(%Q)",
                            course->exercise[i].name);

        /* As in add_student. */
        if (course->exercise[i].wanted)
            (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
        sqlite3_free(sql);
    }
    add_students(settings, course, roster, list, db);
    /* What an exercise is worth, the driver knows. */
    (void)sqlite3_exec(db,
                       "UPDATE course SET max = COALESCE((SELECT MAX(max) FROM"
                       " exercise e WHERE e.exercise = course.exercise), 0);"
                       "DELETE FROM exercise WHERE exercise NOT IN"
                       " (SELECT exercise FROM course);"
                       "DELETE FROM test WHERE exercise NOT IN"
                       " (SELECT exercise FROM course)",
                       NULL, NULL, NULL);
    class_count(db, settings, marks);
    (void)class_alike_find(db, settings, course, list); /* as in add_student */
    *ret_db = db;
    return 0;
}
