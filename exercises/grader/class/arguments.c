/* arguments - the command line of build/class
 *
 * Owns nothing: texts point into argv. The options that all lessons share do
 * not fit a tool, so it has a small parser of its own. What is printed is not
 * checked: where stderr takes nothing there is nobody left to tell.
 */
#include "class.h"
#include "common/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTIONS = 12,
    WRONG = 2 /* the exit status */
};

static void print_help(const struct asq_option *options)
{
    (void)printf("usage: build/class --submissions DIR [options]\n"
                 "Grades the submissions of a whole class.\n\n");
    for (size_t i = 0; i < OPTIONS; i++)
        (void)printf("  --%s %-*s  %s\n", options[i].name,
                     (int)(18 - strlen(options[i].name)),
                     options[i].value != NULL ? options[i].value : "",
                     options[i].help);
}

/* Returns -1, or the exit status after one line. */
static int set(const struct asq_option *option, const char *value)
{
    char *end;
    long number;

    if (option->kind == ASQ_OPTION_TEXT) {
        *(const char **)option->target = value;
        return -1;
    }
    errno = 0;
    number = strtol(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 ||
        (double)number < option->minimum || (double)number > option->maximum) {
        (void)fprintf(stderr,
                      "build/class: --%s is not a whole number from %.0f to "
                      "%.0f; try --help\n",
                      option->name, option->minimum, option->maximum);
        return WRONG;
    }
    *(long *)option->target = number;
    return -1;
}

/* Parses the option at argv[*i] and moves *i over its value. */
static int
parse_one(const struct asq_option *options, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;

    for (size_t k = 0; k < OPTIONS; k++) {
        const struct asq_option *option = &options[k];

        if (strncmp(word, "--", 2) != 0 || strlen(option->name) + 2 != length ||
            strncmp(word + 2, option->name, length - 2) != 0)
            continue;
        if (option->kind == ASQ_OPTION_FLAG && value == NULL) {
            *(int *)option->target = 1;
            return -1;
        }
        if (option->kind != ASQ_OPTION_FLAG && value == NULL && *i + 1 < argc)
            value = argv[++*i];
        if (option->kind == ASQ_OPTION_FLAG || value == NULL || *value == '\0')
            break;
        return set(option, value);
    }
    (void)fprintf(stderr, "build/class: wrong option \"%s\"; try --help\n",
                  word);
    return WRONG;
}

static void set_defaults(struct class_settings *to)
{
    const char *build = asq_build_dir();
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    memset(to, 0, sizeof *to);
    to->defaults[0] = class_format("%s/grades", build);
    to->defaults[1] = class_format("%s/grader", build);
    to->out = to->defaults[0];
    to->grader = to->defaults[1];
    to->sandbox = "auto";
    to->jobs = processors < 1                ? 1
               : processors > CLASS_JOBS_MAX ? CLASS_JOBS_MAX
                                             : processors;
    to->seconds = 300;
    to->seed = 1;
}

static int parse(const struct asq_option *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(options);
            return 0;
        }
    }
    for (int i = 1; i < argc; i++) {
        int status = parse_one(options, argc, argv, &i);

        if (status != -1)
            return status;
    }
    return -1;
}

int class_arguments_parse(struct class_settings *to, int argc, char **argv)
{
    const struct asq_option options[OPTIONS] = {
        {"submissions", "DIR", "a folder or archive a student, or one .zip",
         ASQ_OPTION_TEXT, &to->submissions, 0, 0},
        {"roster", "FILE", "a CSV file with the columns id and name",
         ASQ_OPTION_TEXT, &to->roster, 0, 0},
        {"hidden", NULL, "also run the hidden tests", ASQ_OPTION_FLAG,
         &to->hidden, 0, 0},
        {"jobs", "N", "how many at once (default: processors)", ASQ_OPTION_LONG,
         &to->jobs, 1, CLASS_JOBS_MAX},
        {"seconds", "N", "time for one submission (default 300)",
         ASQ_OPTION_LONG, &to->seconds, 1, 86400},
        {"seed", "N", "the seed of all tests, for all (default 1)",
         ASQ_OPTION_LONG, &to->seed, 1, 999999999},
        {"out", "DIR", "where the grades go (default build/grades)",
         ASQ_OPTION_TEXT, &to->out, 0, 0},
        {"grader", "FILE", "the driver (default build/grader)", ASQ_OPTION_TEXT,
         &to->grader, 0, 0},
        {"only", "PATTERN", "only the submissions of such a name",
         ASQ_OPTION_TEXT, &to->only, 0, 0},
        {"sandbox", "MODE", "auto, never or always (default auto)",
         ASQ_OPTION_TEXT, &to->sandbox, 0, 0},
        {"again", NULL, "use no earlier results", ASQ_OPTION_FLAG, &to->again,
         0, 0},
        {"verbose", NULL, "a line for each submission", ASQ_OPTION_FLAG,
         &to->verbose, 0, 0}};
    int status;

    set_defaults(to);
    status = parse(options, argc, argv);
    if (status == -1 && to->submissions == NULL) {
        (void)fputs("build/class: where are they? --submissions DIR\n", stderr);
        status = WRONG;
    } else if (status == -1 && strcmp(to->sandbox, "auto") != 0 &&
               strcmp(to->sandbox, "never") != 0 &&
               strcmp(to->sandbox, "always") != 0) {
        (void)fputs("build/class: --sandbox is auto, never or always\n",
                    stderr);
        status = WRONG;
    }
    return status;
}
