/* summary - what the class has reached, for a reader and as JSON
 *
 * Owns nothing that lasts. One thread enters. Each part is one question to
 * the database of results, asked for summary.txt and again for summary.json.
 */
#include "common/json.h"
#include "results.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BAR_MAX = 40 /* characters */
};

/* One row a test: how many had it, the mean, how many are full. */
const char class_summary_tests[] =
    "SELECT exercise, test, MAX(title), MAX(max), AVG(points),"
    " SUM(points >= max), COUNT(*), hidden FROM test"
    " GROUP BY exercise, hidden, test ORDER BY exercise, hidden, test";

/* Mistakes are counted by test and verdict; the message that most of them
 * have, but for its numbers, is shown as one of them has it. An exercise that
 * was not graded test by test is one mistake. */
const char class_summary_mistakes[] =
    "WITH failed AS (SELECT exercise, test, hidden, verdict, message FROM test"
    " WHERE points < max AND verdict NOT IN ('passed', 'skipped',"
    " 'not checked', 'not started', 'missing', 'does not compile', 'refused')"
    " UNION ALL SELECT exercise, 0, 0, verdict, message FROM exercise"
    " WHERE verdict IN ('does not compile', 'refused')),"
    " kinds AS (SELECT exercise, test, hidden, verdict, MIN(message) AS "
    "message,"
    " COUNT(*) AS alike FROM failed"
    " GROUP BY exercise, test, hidden, verdict, masked(message))"
    " SELECT exercise, test, verdict, SUM(alike) AS count, MAX(alike), message,"
    " hidden FROM kinds GROUP BY exercise, test, hidden, verdict"
    " ORDER BY count DESC, exercise, test LIMIT 12";

/* Totals in ten parts of the maximum; the last holds the full ones too. */
const char class_summary_totals[] =
    "WITH RECURSIVE part(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM part "
    "WHERE i < 9),"
    " most AS (SELECT MAX(SUM(max), 0.001) AS max FROM course)"
    " SELECT i, (SELECT COUNT(*) FROM total, most WHERE"
    " counts AND MIN(9, CAST(points * 10 / most.max AS INT)) = i),"
    " max * i / 10, max * (i + 1) / 10 FROM part, most ORDER BY i";

/* All that is odd about a submission; the rows of a pair are one here. */
static const char to_look_at[] =
    "SELECT s.submission, s.key, s.end, '', s.note FROM student s"
    " WHERE s.note <> '' AND s.end <> 'no submission'"
    " UNION SELECT s.submission, s.key, t.verdict, t.exercise || ' test '"
    " || t.test, t.message FROM test t JOIN student s USING (n)"
    " WHERE t.verdict IN ('left something running', 'left early',"
    " 'grader error') OR t.verdict LIKE 'overwrote%'"
    " UNION SELECT s.submission, s.key, e.verdict, e.exercise, e.message"
    " FROM exercise e JOIN student s USING (n) WHERE e.verdict IN ('refused',"
    " 'grader error')"
    " UNION SELECT 'everybody', '', t.verdict, t.exercise || ' test ' || "
    "t.test,"
    " t.message FROM test t WHERE t.verdict = 'not checked'"
    " UNION SELECT s.id, '', s.end, '', s.name FROM student s"
    " WHERE s.end = 'no submission'"
    " ORDER BY 1, 2, 4";

static const char counts[] =
    "SELECT COUNT(DISTINCT s.place), 0, SUM(end = 'no submission'),"
    " SUM(late <> ''), SUM(end = 'grader error'), AVG(t.points),"
    " (SELECT AVG(points) FROM (SELECT points FROM total WHERE counts"
    " ORDER BY points LIMIT 2 - (SELECT COUNT(*) FROM total WHERE counts) % 2"
    " OFFSET (SELECT (COUNT(*) - 1) / 2 FROM total WHERE counts))),"
    " (SELECT SUM(max) FROM course),"
    " (SELECT COUNT(*) FROM run WHERE sandbox = 'none'),"
    " (SELECT COUNT(DISTINCT n) FROM student WHERE end <> 'no submission')"
    " FROM student s JOIN total t ON t.row = s.rowid WHERE s.counts";

static void put_counts(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, counts, 0);

    while (class_ask_next(row)) {
        class_text_put(text,
                       "students  %d, submissions %d, late %d, without %d"
                       ", not judged %d\n",
                       sqlite3_column_int(row, 0), sqlite3_column_int(row, 9),
                       sqlite3_column_int(row, 3), sqlite3_column_int(row, 2),
                       sqlite3_column_int(row, 4));
        class_text_put(text, "points    mean %.1f, median %.1f, of %g\n",
                       sqlite3_column_double(row, 5),
                       sqlite3_column_double(row, 6),
                       sqlite3_column_double(row, 7));
        if (sqlite3_column_int(row, 8) > 0)
            class_text_put(text, "sandbox   %d were graded without one\n",
                           sqlite3_column_int(row, 8));
    }
}

static void put_totals(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row;
    int most = 1;

    row = class_ask(db, class_summary_totals, 0);
    while (class_ask_next(row))
        if (sqlite3_column_int(row, 1) > most)
            most = sqlite3_column_int(row, 1);
    class_text_put(text, "\nTotals\n");
    row = class_ask(db, class_summary_totals, 0);
    while (class_ask_next(row)) {
        int count = sqlite3_column_int(row, 1);
        int length = (count * BAR_MAX + most - 1) / most;

        class_text_put(text, "  %5.1f to %5.1f  %4d ",
                       sqlite3_column_double(row, 2),
                       sqlite3_column_double(row, 3), count);
        while (length-- > 0)
            class_text_add(text, "#", 1);
        class_text_add(text, "\n", 1);
    }
}

static void put_tests(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, class_summary_tests, 0);

    class_text_put(text, "\nTests%30smean        full\n", "");
    while (class_ask_next(row)) {
        class_text_put(text, "  %-24s %3s %6.1f of %-3g %4d of %-4d %s%s\n",
                       class_ask_text(row, 0), class_ask_text(row, 1),
                       sqlite3_column_double(row, 4),
                       sqlite3_column_double(row, 3),
                       sqlite3_column_int(row, 5), sqlite3_column_int(row, 6),
                       class_ask_text(row, 2),
                       sqlite3_column_int(row, 7) ? " (hidden)" : "");
    }
}

static void put_mistakes(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, class_summary_mistakes, 0);

    class_text_put(text, "\nMost common mistakes\n");
    while (class_ask_next(row)) {
        class_text_put(text, "  %4d  %s", sqlite3_column_int(row, 3),
                       class_ask_text(row, 0));
        if (sqlite3_column_int(row, 1) > 0)
            class_text_put(text, " test %d%s", sqlite3_column_int(row, 1),
                           sqlite3_column_int(row, 6) ? " (hidden)" : "");
        class_text_put(text, ": %s\n", class_ask_text(row, 2));
        if (class_ask_text(row, 5)[0] != '\0')
            class_text_put(text, "        %d of them: %s\n",
                           sqlite3_column_int(row, 4), class_ask_text(row, 5));
    }
}

static void put_to_look_at(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, to_look_at, 0);
    bool any = false;

    class_text_put(text, "To be looked at\n");
    while (class_ask_next(row)) {
        class_text_put(text, "  %s: %s%s%s%s%s\n", class_ask_text(row, 0),
                       class_ask_text(row, 2),
                       class_ask_text(row, 3)[0] != '\0' ? ", " : "",
                       class_ask_text(row, 3),
                       class_ask_text(row, 4)[0] != '\0' ? ": " : "",
                       class_ask_text(row, 4));
        any = true;
    }
    class_text_put(text, any ? "\n" : "  nothing\n\n");
}

static const char alike[] = "SELECT exercise, a, b, percent, what FROM alike"
                            " ORDER BY percent DESC, exercise, a, b LIMIT 50";

/* Whoever reads it decides; the grader does not. */
static void put_alike(struct class_text *text, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, alike, 0);
    bool any = false;

    while (class_ask_next(row)) {
        if (!any)
            class_text_put(text, "Alike, but for the skeleton: a reason to ask,"
                                 " not a proof\n");
        any = true;
        class_text_put(text, "  %s: %s and %s, %d %%, %s\n",
                       class_ask_text(row, 0), class_ask_text(row, 1),
                       class_ask_text(row, 2), sqlite3_column_int(row, 3),
                       class_ask_text(row, 4));
    }
    class_text_put(text, "%s", any ? "\n" : "");
}

/* Writes the rows of a question as objects; the letters of kinds say what a
 * column is: t a text, i a whole number, n another, '-' nothing. */
static void put_rows(struct asq_json *json,
                     sqlite3 *db,
                     const char *name,
                     const char *sql,
                     const char *kinds,
                     const char *const keys[])
{
    sqlite3_stmt *row = class_ask(db, sql, 0);
    const char *between = "";

    asq_json_put(json, ",\n \"%s\": [", name);
    while (class_ask_next(row)) {
        const char *comma = "";

        asq_json_put(json, "%s\n  {", between);
        between = ",";
        for (int i = 0; kinds[i] != '\0'; i++) {
            if (kinds[i] == '-')
                continue;
            asq_json_put(json, "%s\"%s\": ", comma, keys[i]);
            comma = ", ";
            if (kinds[i] == 't')
                asq_json_text(json, class_ask_text(row, i));
            else if (kinds[i] == 'i')
                asq_json_put(json, "%d", sqlite3_column_int(row, i));
            else
                asq_json_number(json, sqlite3_column_double(row, i));
        }
        asq_json_put(json, "}");
    }
    asq_json_put(json, "]");
}

static int write_json(const char *path, sqlite3 *db)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, "{\"version\": 1");
    put_rows(&json, db, "class", counts, "i-iiinnnii",
             (const char *const[]){"students", "", "without", "late",
                                   "not_judged", "mean", "median", "max",
                                   "without_sandbox", "submissions"});
    put_rows(&json, db, "totals", class_summary_totals, "-inn",
             (const char *const[]){"", "count", "from", "to"});
    put_rows(&json, db, "tests", class_summary_tests, "titnniii",
             (const char *const[]){"exercise", "test", "title", "max", "mean",
                                   "full", "count", "hidden"});
    put_rows(&json, db, "mistakes", class_summary_mistakes, "titiiti",
             (const char *const[]){"exercise", "test", "verdict", "count",
                                   "alike", "message", "hidden"});
    put_rows(&json, db, "to_look_at", to_look_at, "ttttt",
             (const char *const[]){"submission", "key", "verdict", "where",
                                   "message"});
    put_rows(&json, db, "alike", alike, "tttit",
             (const char *const[]){"exercise", "a", "b", "percent", "what"});
    asq_json_put(&json, "}\n");
    return asq_json_close(&json);
}

int class_summary_write(const struct class_settings *settings, sqlite3 *db)
{
    char *text_path = class_format("%s/summary.txt", settings->run);
    char *json_path = class_format("%s/summary.json", settings->run);
    struct class_text text = {0};
    int rc;

    put_to_look_at(&text, db);
    put_alike(&text, db);
    put_counts(&text, db);
    put_totals(&text, db);
    put_tests(&text, db);
    put_mistakes(&text, db);
    rc = class_file_write(text_path, text.data, text.size);
    if (rc == 0)
        rc = write_json(json_path, db);
    class_text_free(&text);
    free(text_path);
    free(json_path);
    return rc;
}
