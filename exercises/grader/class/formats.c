/* formats - the results of a submission as other programs read them
 *
 * Owns nothing that lasts. One thread enters. JUnit for CI, TAP for harnesses,
 * and the form of Gradescope; a failure has its file and line in each.
 */
#include "common/json.h"
#include "results.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The columns of a test. */
enum {
    EXERCISE,
    TEST,
    TITLE,
    POINTS,
    MAX,
    VERDICT,
    MESSAGE,
    LOOK_AT,
    HIDDEN
};

/* Where only the points of hidden tests may be told, they are one of each
 * exercise. An exercise that has no tests to show is one itself. */
static const char all[] =
    "SELECT exercise, test, title, points, max, verdict, message, look_at,"
    " hidden FROM test WHERE n = ?1 AND NOT hidden"
    " UNION ALL SELECT exercise, test, title, points, max, verdict, message,"
    " look_at, hidden FROM test WHERE n = ?1 AND hidden AND NOT ?2"
    " UNION ALL SELECT exercise, 0, 'hidden tests', SUM(points), SUM(max),"
    " CASE WHEN SUM(points) < SUM(max) THEN 'not all passed' ELSE 'passed' END,"
    " '', '', 1 FROM test WHERE n = ?1 AND hidden AND ?2 GROUP BY exercise"
    " UNION ALL SELECT exercise, 0, 'it can be tested', points, max, verdict,"
    " message, look_at, 0 FROM exercise e WHERE n = ?1 AND verdict <> 'graded'"
    " ORDER BY exercise, hidden, test";

static sqlite3_stmt *
ask(const struct class_settings *settings, sqlite3 *db, sqlite3_int64 n)
{
    sqlite3_stmt *row = class_ask(db, all, n);

    /* It is the second parameter. */
    (void)sqlite3_bind_int(row, 2, settings->hidden_points);
    return row;
}

static bool is_full(sqlite3_stmt *row)
{
    return sqlite3_column_double(row, POINTS) >=
               sqlite3_column_double(row, MAX) &&
           strcmp(class_ask_text(row, VERDICT), "not started") != 0;
}

/* Returns the number behind the last colon of where to look, or 0; *ret_length
 * is how long the file's name before it is. */
static long split_place(const char *place, int *ret_length)
{
    const char *colon = strrchr(place, ':');

    *ret_length =
        (int)(colon != NULL ? (size_t)(colon - place) : strlen(place));
    return colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
}

static void
put_attribute(struct class_text *text, const char *name, const char *value)
{
    class_text_put(text, " %s=\"", name);
    class_text_put_markup(text, value);
    class_text_put(text, "\"");
}

static void put_case(struct class_text *text, sqlite3_stmt *row)
{
    const char *place = class_ask_text(row, LOOK_AT);
    const char *verdict = class_ask_text(row, VERDICT);
    int length;
    long line = split_place(place, &length);
    char *file = class_format("%.*s", length, place);
    char *name = class_format("%s %s", class_ask_text(row, TEST),
                              class_ask_text(row, TITLE));

    class_text_put(text, "  <testcase");
    put_attribute(text, "classname", class_ask_text(row, EXERCISE));
    put_attribute(text, "name", name);
    if (*file != '\0')
        put_attribute(text, "file", file);
    if (line > 0)
        class_text_put(text, " line=\"%ld\"", line);
    class_text_put(text, ">");
    if (strcmp(verdict, "skipped") == 0 ||
        strcmp(verdict, "not checked") == 0) {
        class_text_put(text, "<skipped");
        put_attribute(text, "message", class_ask_text(row, MESSAGE));
        class_text_put(text, "/>");
    } else if (!is_full(row)) {
        class_text_put(text, "<failure");
        put_attribute(text, "type", verdict);
        put_attribute(text, "message", class_ask_text(row, MESSAGE));
        class_text_put(text, ">");
        class_text_put_markup(text, place);
        class_text_put(text, "</failure>");
    }
    class_text_put(text, "</testcase>\n");
    free(name);
    free(file);
}

static int write_junit(const struct class_settings *settings,
                       const struct class_submission *submission,
                       sqlite3 *db,
                       sqlite3_int64 n)
{
    char *path =
        class_format("%s/junit/%s.xml", settings->run, submission->key);
    struct class_text cases = {0}, text = {0};
    sqlite3_stmt *row = ask(settings, db, n);
    int tests = 0, failures = 0, skipped = 0;
    int rc;

    while (class_ask_next(row)) {
        int is_skipped =
            strcmp(class_ask_text(row, VERDICT), "skipped") == 0 ||
            strcmp(class_ask_text(row, VERDICT), "not checked") == 0;

        put_case(&cases, row);
        tests++;
        skipped += is_skipped;
        failures += !is_skipped && !is_full(row);
    }
    class_text_put(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<testsuites><testsuite");
    put_attribute(&text, "name", submission->label);
    class_text_put(&text,
                   " tests=\"%d\" failures=\"%d\" skipped=\"%d\">\n%s"
                   "</testsuite></testsuites>\n",
                   tests, failures, skipped, class_text_of(&cases));
    rc = class_file_write(path, text.data, text.size);
    class_text_free(&cases);
    class_text_free(&text);
    free(path);
    return rc;
}

static void
put_yaml(struct class_text *text, const char *key, const char *value)
{
    class_text_put(text, "  %s: \"", key);
    for (; *value != '\0'; value++)
        class_text_put(text, "%s%c",
                       *value == '"' || *value == '\\' ? "\\" : "", *value);
    class_text_put(text, "\"\n");
}

static int write_tap(const struct class_settings *settings,
                     const struct class_submission *submission,
                     sqlite3 *db,
                     sqlite3_int64 n)
{
    char *path = class_format("%s/tap/%s.tap", settings->run, submission->key);
    struct class_text text = {0};
    sqlite3_stmt *row = ask(settings, db, n);
    int number = 0;
    int rc;

    class_text_put(&text, "TAP version 13\n");
    while (class_ask_next(row)) {
        const char *verdict = class_ask_text(row, VERDICT);
        bool is_skipped = strcmp(verdict, "skipped") == 0 ||
                          strcmp(verdict, "not checked") == 0;

        number++;
        class_text_put(&text, "%s %d - %s %s %s%s%s\n",
                       is_full(row) || is_skipped ? "ok" : "not ok", number,
                       class_ask_text(row, EXERCISE), class_ask_text(row, TEST),
                       class_ask_text(row, TITLE), is_skipped ? " # SKIP " : "",
                       is_skipped ? verdict : "");
        if (is_full(row) || is_skipped)
            continue;
        class_text_put(&text, "  ---\n");
        put_yaml(&text, "verdict", verdict);
        put_yaml(&text, "message", class_ask_text(row, MESSAGE));
        put_yaml(&text, "at", class_ask_text(row, LOOK_AT));
        class_text_put(&text, "  ...\n");
    }
    class_text_put(&text, "1..%d\n", number);
    rc = class_file_write(path, text.data, text.size);
    class_text_free(&text);
    free(path);
    return rc;
}

static int write_gradescope(const struct class_settings *settings,
                            const struct class_submission *submission,
                            sqlite3 *db,
                            sqlite3_int64 n)
{
    char *path =
        class_format("%s/gradescope/%s.json", settings->run, submission->key);
    sqlite3_stmt *row;
    struct asq_json json;
    const char *between = "";
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        goto out;
    row = ask(settings, db, n);
    asq_json_put(&json, "{\"stdout_visibility\": \"hidden\", \"tests\": [");
    while (class_ask_next(row)) {
        int is_group =
            strcmp(class_ask_text(row, TITLE), "it can be tested") == 0;
        char *name = class_format("%s: %s", class_ask_text(row, EXERCISE),
                                  class_ask_text(row, TITLE));
        char *output = class_format("%s: %s %s", class_ask_text(row, VERDICT),
                                    class_ask_text(row, MESSAGE),
                                    class_ask_text(row, LOOK_AT));

        asq_json_put(&json, "%s\n  {\"score\": ", between);
        asq_json_number(&json,
                        is_group ? 0 : sqlite3_column_double(row, POINTS));
        asq_json_put(&json, ", \"max_score\": ");
        asq_json_number(&json, is_group ? 0 : sqlite3_column_double(row, MAX));
        asq_json_put(&json, ", \"name\": ");
        asq_json_text(&json, name);
        asq_json_put(&json, ", \"output\": ");
        asq_json_text(&json, output);
        asq_json_put(&json, ", \"visibility\": \"%s\"}",
                     sqlite3_column_int(row, HIDDEN) && !settings->hidden_points
                         ? "hidden"
                         : "visible");
        between = ",";
        free(output);
        free(name);
    }
    asq_json_put(&json, "]}\n");
    rc = asq_json_close(&json);

out:
    free(path);
    return rc;
}

int class_formats_write(const struct class_settings *settings,
                        const struct class_submission *submission,
                        sqlite3 *db,
                        sqlite3_int64 n)
{
    int rc = write_junit(settings, submission, db, n);

    if (rc == 0)
        rc = write_tap(settings, submission, db, n);
    if (rc == 0)
        rc = write_gradescope(settings, submission, db, n);
    return rc;
}
