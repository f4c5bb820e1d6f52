/* class - grades the submissions of a whole class
 *
 * Run: make grade SUBMISSIONS=folder. It writes OUT/grades.csv, a report a
 * student, and a summary. Stopped and started again it goes on where it was.
 * Runs at the root of the course, one at a time for each OUT. One thread.
 * Exit status: 0 every submission could be judged, 1 not, 2 wrong use.
 */
#include "class.h"
#include "grader/driver/files.h"
#include "grader/test.h"
#include "marks.h"
#include "process.h"
#include "results.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

static bool has_failed(const struct class_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->submission[i].end == CLASS_FAILED)
            return true;
    return false;
}

/* One line for each kind of archive that cannot be opened here. */
static void tell_unreadable(const struct class_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *ending = list->submission[i].unreadable;
        size_t before = 0, count = 0;

        for (size_t k = 0; ending != NULL && k < list->count; k++) {
            const char *other = list->submission[k].unreadable;
            bool is_same = other != NULL && strcasecmp(ending, other) == 0;

            before += (size_t)(is_same && k < i);
            count += (size_t)is_same;
        }
        if (ending != NULL && before == 0)
            (void)fprintf(stderr,
                          "build/class: %s cannot be opened (submissions: "
                          "%zu): %s\n",
                          ending, count, CLASS_NO_LIBARCHIVE);
    }
}

static int report(const struct class_settings *settings,
                  const struct class_course *course,
                  const struct class_roster *roster,
                  const struct class_marks *marks,
                  struct class_list *list)
{
    size_t reused = 0;
    sqlite3 *db;
    int rc;

    if (class_results_load(settings, course, roster, marks, list, &db) != 0)
        return 1;
    rc = class_reports_write(settings, list, db);
    if (rc == 0)
        rc = class_imports_write(settings, roster, db);
    if (rc == 0)
        rc = class_kept_write_manifest(settings, course, list);
    if (rc == 0)
        rc = class_summary_write(settings, db);
    if (rc == 0)
        rc = class_html_write_class(settings, db);
    (void)sqlite3_close(db); /* every question has come to its end */
    if (rc != 0) {
        (void)fprintf(stderr, "build/class: %s: %s\n", settings->run,
                      uv_strerror(rc));
        return 1;
    }
    if (class_store_publish(settings, list) != 0)
        return 1;
    for (size_t i = 0; i < list->count; i++)
        reused += (size_t)list->submission[i].reused;
    (void)printf("%s", test_count(list->count, "submission", NULL));
    if (reused > 0)
        (void)printf(", %zu graded before", reused);
    (void)printf(": %s/grades.csv, %s/summary.txt, %s/reports/\n",
                 settings->out, settings->out, settings->out);
    (void)printf("The seed was %ld: SEED=%ld grades only what is new since.\n",
                 settings->seed, settings->seed);
    tell_unreadable(list);
    if (has_failed(list))
        (void)fprintf(stderr,
                      "build/class: not every submission could be judged, see "
                      "%s/summary.txt\n",
                      settings->out);
    return has_failed(list) || fflush(stdout) != 0;
}

/* What was unpacked is no longer needed. */
static void remove_bulk(const char *out)
{
    char *path = class_format("%s/bulk", out);

    folder_remove(path); /* is tried again by the next run */
    free(path);
}

/* As whoever started this expects of a program that a signal has ended. */
static void end_by_signal(int number)
{
    sigset_t set;

    /* The results are not looked at: the number is that of a signal. */
    (void)signal(number, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)raise(number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Without a sandbox it is only graded if that is wanted. Returns the status. */
static int need_sandbox(const struct class_settings *settings)
{
    const char *reason = NULL;

    if (!settings->isolated || test__sandbox_works(&reason))
        return 0;
    (void)fprintf(stderr,
                  "build/class: there is no sandbox (%s): a submission could "
                  "change the results of others. Install bubblewrap, or take "
                  "the risk: make grade ... ARGS='--sandbox never'\n",
                  reason);
    return 2;
}

/* From here on there is something to tidy up. Returns the status. */
static int grade_all(struct class_settings *settings,
                     struct class_course *course,
                     struct class_roster *roster,
                     struct class_marks *marks,
                     struct class_list *list)
{
    int status = class_kept_collect(settings, course, list);

    if (status == 0) {
        class_kept_choose(settings, course, list);
        if (settings->roster != NULL)
            class_match(roster, marks, list);
        class_marks_check(marks, roster, list);
        status = class_grade(settings, course, list);
    }
    remove_bulk(settings->run);
    return status != 0 ? status : report(settings, course, roster, marks, list);
}

int main(int argc, char **argv)
{
    struct class_settings settings;
    struct class_course course = {0};
    struct class_roster roster = {0};
    struct class_marks marks = {0};
    struct class_list list = {0};
    int status = class_arguments_parse(&settings, argc, argv);

    if (status != -1)
        goto out;
    status = need_sandbox(&settings);
    if (status != 0)
        goto out;
    class_process_prepare();
    status = 1;
    if (class_course_read(&course, &settings) != 0 ||
        (settings.roster != NULL &&
         class_roster_read(&roster, settings.roster) != 0) ||
        class_store_open(&settings) != 0 ||
        class_marks_read(&marks, &settings, &course) != 0 ||
        class_list_read(&list, &course, &settings) != 0)
        goto out;
    /* Tables are written as the roster was: the same program opens them. */
    settings.separator[0] = roster.separator != '\0' ? roster.separator : ',';
    status = grade_all(&settings, &course, &roster, &marks, &list);

out:
    class_list_free(&list, course.exercises);
    class_roster_free(&roster);
    class_marks_free(&marks);
    class_course_free(&course);
    for (size_t i = 0; i < 2; i++)
        free(settings.defaults[i]);
    free(settings.run);
    if (status > 128)
        end_by_signal(status - 128);
    return status;
}
