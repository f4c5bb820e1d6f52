/* options - the command line that all lesson programs share
 *
 * --help, --json FILE, --trace FILE, --slow-disk MS, --requests N, and those
 * that a program adds. "--name value" and "--name=value" mean the same.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include "common/paths.h"

#include <stddef.h>

enum asq_option_kind {
    ASQ_OPTION_FLAG,   /* target is int *, set to 1 */
    ASQ_OPTION_LONG,   /* target is long *, within minimum and maximum */
    ASQ_OPTION_DOUBLE, /* target is double *, within minimum and maximum */
    ASQ_OPTION_TEXT    /* target is const char ** */
};

struct asq_option {
    const char *name;  /* without the dashes */
    const char *value; /* the name of its value in the help; NULL for a flag */
    const char *help;  /* one line */
    enum asq_option_kind kind;
    void *target; /* holds the default before parsing */
    double minimum, maximum;
};

struct asq_options {
    /* set before parse */
    const char *program;           /* as in "build/01-blocking" */
    const char *about;             /* one line for the help */
    const struct asq_option *more; /* those that this program adds, or NULL */
    size_t more_count;
    int is_tool; /* it takes --help and its own, but no other shared ones */
    /* the shared ones: defaults before parse, values after it */
    const char *json;    /* file for results, or NULL */
    const char *trace;   /* file for the trace, or NULL */
    double slow_disk_ms; /* how long the slow disk takes for one read */
    long requests;
};

/* Parses the command line. Returns -1 if the program should go on, or its exit
 * status: 0 after --help; 2 after one line on stderr that names the bad option
 * or value and says what would be right; 1 after one that names a file of
 * --json or --trace that cannot be written. A number must be the whole word and
 * in range. A word that is not an option is an error. --help wins over
 * everything else. A value that begins with "--" must be given as
 * "--name=value". If an option is repeated, the last one counts. */
int asq_options_parse(struct asq_options *options, int argc, char **argv);

/* Makes sure that everything printed has arrived; call it at the end of main.
 * Returns status, or 1 after one line on stderr if standard output could not be
 * written (a full disk, a closed pipe). */
int asq_options_finish(const struct asq_options *options, int status);

#endif
