/* arguments - the command line of build/class
 *
 * Owns nothing: texts point into argv. What is printed is not checked: where
 * stderr takes nothing there is nobody left to tell.
 */
#include "class.h"
#include "common/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRONG = 2 /* the exit status */
};

static void set_defaults(struct class_settings *to)
{
    const char *build = asq_build_dir();
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    memset(to, 0, sizeof *to);
    to->defaults[0] = class_format("%s/grades", build);
    to->defaults[1] = class_format("%s/grader", build);
    to->out = to->defaults[0];
    to->grader = to->defaults[1];
    to->twice = "last";
    to->sandbox = "always";
    to->jobs = processors < 1                ? 1
               : processors > CLASS_JOBS_MAX ? CLASS_JOBS_MAX
                                             : processors;
    to->seconds = 300;
}

/* Where a run writes is beside OUT, whether that ends with a slash or not. */
static void set_folders(struct class_settings *to)
{
    size_t length = strlen(to->out);
    char *out;

    while (length > 1 && to->out[length - 1] == '/')
        length--;
    out = class_format("%.*s", (int)length, to->out);
    free(to->defaults[0]);
    to->out = to->defaults[0] = out;
    to->run = class_format("%s.new", out);
}

static int refuse(const char *why)
{
    (void)fprintf(stderr, "build/class: %s\n", why);
    return WRONG;
}

/* Returns -1, or the exit status after one line. */
static int check_words(const struct class_settings *to)
{
    if (to->submissions == NULL)
        return refuse("where are they? --submissions DIR");
    if (strcmp(to->sandbox, "never") != 0 && strcmp(to->sandbox, "always") != 0)
        return refuse("--sandbox is always or never");
    if (strcmp(to->twice, "last") != 0 && strcmp(to->twice, "best") != 0)
        return refuse("--twice is last or best");
    return -1;
}

int class_arguments_parse(struct class_settings *to, int argc, char **argv)
{
    const struct asq_option more[] = {
        {"submissions", "DIR", "a folder or archive a student, or one .zip",
         ASQ_OPTION_TEXT, &to->submissions, 0, 0},
        {"roster", "FILE", "a table as Moodle, Canvas or Excel writes it",
         ASQ_OPTION_TEXT, &to->roster, 0, 0},
        {"marks", "FILE", "points and late days that were given by hand",
         ASQ_OPTION_TEXT, &to->marks, 0, 0},
        {"twice", "WHICH", "of several submissions the last or the best counts",
         ASQ_OPTION_TEXT, &to->twice, 0, 0},
        {"late-percent", "X", "of all points, for each day late",
         ASQ_OPTION_DOUBLE, &to->late_percent, 0, 100},
        {"hidden", NULL, "also run the hidden tests", ASQ_OPTION_FLAG,
         &to->hidden, 0, 0},
        {"hidden-points", NULL, "reports tell no more of them than points",
         ASQ_OPTION_FLAG, &to->hidden_points, 0, 0},
        {"jobs", "N", "how many at once", ASQ_OPTION_LONG, &to->jobs, 1,
         CLASS_JOBS_MAX},
        {"seconds", "N", "time for one submission", ASQ_OPTION_LONG,
         &to->seconds, 1, 86400},
        {"seed", "N", "the seed of all tests, for all; 0: a new one",
         ASQ_OPTION_LONG, &to->seed, 0, 999999999},
        {"exercises", "LIST", "01,02: only these; else what was handed in",
         ASQ_OPTION_TEXT, &to->exercises, 0, 0},
        {"out", "DIR", "where the grades go", ASQ_OPTION_TEXT, &to->out, 0, 0},
        {"grader", "FILE", "the driver", ASQ_OPTION_TEXT, &to->grader, 0, 0},
        {"only", "PATTERN", "grade only submissions of such a name again",
         ASQ_OPTION_TEXT, &to->only, 0, 0},
        {"sandbox", "MODE", "always; never: one could change another's marks",
         ASQ_OPTION_TEXT, &to->sandbox, 0, 0},
        {"again", NULL, "use no earlier results", ASQ_OPTION_FLAG, &to->again,
         0, 0},
        {"verbose", NULL, "a line for each submission", ASQ_OPTION_FLAG,
         &to->verbose, 0, 0}};
    struct asq_options options = {
        .program = "build/class",
        .about = "Grades the submissions of a whole class.",
        .more = more,
        .more_count = sizeof more / sizeof more[0],
        .is_tool = 1};
    int status;

    set_defaults(to);
    status = asq_options_parse(&options, argc, argv);
    set_folders(to);
    to->isolated = strcmp(to->sandbox, "always") == 0;
    return status == -1 ? check_words(to) : status;
}
