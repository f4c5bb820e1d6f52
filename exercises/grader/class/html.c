/* html - reports to be read in a browser: one for each student, one of the
 * class
 *
 * Owns nothing that lasts. One thread enters. A page is one file that needs no
 * other. That of the class names nobody, so that it can be shown.
 */
#include "grader/test.h"
#include "results.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<style>"
    "body{font:1em/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.1em .8em .1em 0;"
    "text-align:left;vertical-align:top}code,pre{background:#eee;padding:0 "
    ".2em;"
    "white-space:pre-wrap}.lost{color:#a00}.bar{background:#69c;height:1em}"
    "</style>\n";

/* Adds a text between what opens and what closes an element. */
static void put(struct class_text *page,
                const char *opens,
                const char *text,
                const char *closes)
{
    class_text_put(page, "%s", opens);
    class_text_put_markup(page, text);
    class_text_put(page, "%s", closes);
}

static void put_number(struct class_text *page, double number)
{
    class_text_put(page, "<td>%g</td>", number);
}

static void put_failures(struct class_text *page,
                         const struct class_settings *settings,
                         sqlite3 *db,
                         sqlite3_int64 n)
{
    sqlite3_stmt *row = class_ask(
        db,
        "SELECT exercise, test, lost, title, verdict, message, look_at, hidden,"
        " (SELECT seed FROM run WHERE run.n = ?1) FROM failure WHERE n = ?1"
        " ORDER BY exercise, hidden, test",
        n);

    while (class_ask_next(row)) {
        int test = sqlite3_column_int(row, 1);
        int hidden = sqlite3_column_int(row, 7);

        if (hidden && settings->hidden_points)
            continue;
        put(page, "<h2>", class_ask_text(row, 0), "");
        if (test > 0)
            class_text_put(page, ", %stest %d: ", hidden ? "hidden " : "",
                           test);
        put(page, test > 0 ? "" : ": ", class_ask_text(row, test > 0 ? 3 : 4),
            "</h2>\n");
        class_text_put(page, "<p class=\"lost\">%g points lost: ",
                       sqlite3_column_double(row, 2));
        put(page, "", class_ask_text(row, 4), "</p>\n");
        put(page, "<pre>", class_ask_text(row, 5), "</pre>\n");
        if (*class_ask_text(row, 6) != '\0')
            put(page, "<p>Look at <code>", class_ask_text(row, 6),
                "</code></p>\n");
        if (test > 0 && !hidden)
            class_text_put(page,
                           "<p>Again: <code>make check EX=%.2s TEST=%d "
                           "SEED=%s</code></p>\n",
                           class_ask_text(row, 0), test,
                           class_ask_text(row, 8));
    }
}

static void put_tests(struct class_text *page,
                      const struct class_settings *settings,
                      sqlite3 *db,
                      sqlite3_int64 n)
{
    sqlite3_stmt *row = class_ask(
        db,
        settings->hidden_points
            ? "SELECT exercise, test, points, max, verdict, title, hidden"
              " FROM test WHERE n = ?1 AND NOT hidden UNION ALL"
              " SELECT exercise, '', SUM(points), SUM(max), '', 'hidden tests',"
              " 1 FROM test WHERE n = ?1 AND hidden GROUP BY exercise"
              " ORDER BY 1, 7, 2"
            : "SELECT exercise, test, points, max, verdict, title, hidden"
              " FROM test WHERE n = ?1 ORDER BY exercise, hidden, test",
        n);

    class_text_put(page, "<h2>All tests</h2>\n<table><tr><th>exercise<th>test"
                         "<th>points<th>of<th>verdict<th></tr>\n");
    while (class_ask_next(row)) {
        put(page, "<tr><td>", class_ask_text(row, 0), "</td>");
        put(page, "<td>", class_ask_text(row, 1), "</td>");
        put_number(page, sqlite3_column_double(row, 2));
        put_number(page, sqlite3_column_double(row, 3));
        put(page, "<td>", class_ask_text(row, 4), "</td>");
        put(page, "<td>", class_ask_text(row, 5), "</td></tr>\n");
    }
    class_text_put(page, "</table>\n");
}

int class_html_write(const struct class_settings *settings,
                     const struct class_submission *submission,
                     sqlite3 *db,
                     sqlite3_int64 n)
{
    char *path =
        class_format("%s/reports/%s.html", settings->run, submission->key);
    struct class_text page = {0};
    sqlite3_stmt *run =
        class_ask(db, "SELECT version, seed, sandbox FROM run WHERE n = ?1", n);
    sqlite3_stmt *sum = class_ask(
        db,
        "SELECT points, (SELECT SUM(max) FROM course) FROM total WHERE n = ?1"
        " LIMIT 1",
        n);
    int rc;

    class_text_put(&page, "%s", head);
    put(&page, "<title>", submission->name, "</title>\n");
    put(&page, "<h1>", submission->name, "</h1>\n");
    while (class_ask_next(sum))
        class_text_put(&page, "<p><b>%g of %g points</b></p>\n",
                       sqlite3_column_double(sum, 0),
                       sqlite3_column_double(sum, 1));
    put_failures(&page, settings, db, n);
    put_tests(&page, settings, db, n);
    put(&page, "<p>Submission ", submission->label, "</p>\n");
    if (submission->notes.size > 0)
        put(&page, "<pre>", submission->notes.data, "</pre>\n");
    while (class_ask_next(run)) {
        put(&page, "<p>Graded with course ", class_ask_text(run, 0), ", seed ");
        put(&page, "", class_ask_text(run, 1), ", sandbox ");
        put(&page, "", class_ask_text(run, 2), ".</p>\n");
    }
    rc = class_file_write(path, page.data, page.size);
    class_text_free(&page);
    free(path);
    return rc;
}

static void put_class_totals(struct class_text *page, sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, class_summary_totals, 0);

    class_text_put(page, "<h2>Points</h2>\n<table>");
    while (class_ask_next(row))
        class_text_put(page,
                       "<tr><td>%g to %g<td>%d<td><div class=\"bar\" "
                       "style=\"width:%dem\"></div></tr>\n",
                       sqlite3_column_double(row, 2),
                       sqlite3_column_double(row, 3),
                       sqlite3_column_int(row, 1), sqlite3_column_int(row, 1));
    class_text_put(page, "</table>\n");
}

static void put_class_tests(struct class_text *page,
                            const struct class_settings *settings,
                            sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, class_summary_tests, 0);

    class_text_put(page, "<h2>Tests</h2>\n<table><tr><th>exercise<th>test"
                         "<th>mean<th>of<th>full<th>of<th></tr>\n");
    while (class_ask_next(row)) {
        if (settings->hidden_points && sqlite3_column_int(row, 7))
            continue;
        put(page, "<tr><td>", class_ask_text(row, 0), "</td>");
        put(page, "<td>", class_ask_text(row, 1), "</td>");
        class_text_put(page, "<td>%.1f<td>%g<td>%d<td>%d",
                       sqlite3_column_double(row, 4),
                       sqlite3_column_double(row, 3),
                       sqlite3_column_int(row, 5), sqlite3_column_int(row, 6));
        put(page, "<td>", class_ask_text(row, 2), "</td></tr>\n");
    }
    class_text_put(page, "</table>\n");
}

static void put_class_mistakes(struct class_text *page,
                               const struct class_settings *settings,
                               sqlite3 *db)
{
    sqlite3_stmt *row = class_ask(db, class_summary_mistakes, 0);

    class_text_put(page, "<h2>Most common mistakes</h2>\n");
    while (class_ask_next(row)) {
        if (settings->hidden_points && sqlite3_column_int(row, 6))
            continue;
        class_text_put(
            page, "<h3>%s: ", test_times((uint64_t)sqlite3_column_int(row, 3)));
        put(page, "", class_ask_text(row, 0), "");
        if (sqlite3_column_int(row, 1) > 0)
            class_text_put(page, ", test %d", sqlite3_column_int(row, 1));
        put(page, ", ", class_ask_text(row, 2), "</h3>\n");
        put(page, "<pre>", class_ask_text(row, 5), "</pre>\n");
    }
}

int class_html_write_class(const struct class_settings *settings, sqlite3 *db)
{
    char *path = class_format("%s/class.html", settings->run);
    struct class_text page = {0};
    int rc;

    class_text_put(&page, "%s<title>The class</title>\n<h1>The class</h1>\n",
                   head);
    put_class_totals(&page, db);
    put_class_tests(&page, settings, db);
    put_class_mistakes(&page, settings, db);
    rc = class_file_write(path, page.data, page.size);
    class_text_free(&page);
    free(path);
    return rc;
}
