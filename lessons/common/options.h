/* options - the command line that all lesson programs share
 *
 * --help, --json FILE, --trace FILE, --slow-disk MS, --requests N, and what a
 * program adds. "--name value" and "--name=value" mean the same.
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
    const char *value; /* what the help calls the value; NULL for a flag */
    const char *help;  /* one line */
    enum asq_option_kind kind;
    void *target; /* holds the default when parsing starts */
    double minimum, maximum;
};

struct asq_options {
    /* set before parse */
    const char *program;           /* as in "build/01-blocking" */
    const char *about;             /* one line for the help */
    const struct asq_option *more; /* what this program adds, or NULL */
    size_t more_count;
    int is_tool; /* it takes --help and its own, none of the shared ones */
    /* the shared ones: defaults before, answers after parse */
    const char *json;    /* file for results, or NULL */
    const char *trace;   /* file for the trace, or NULL */
    double slow_disk_ms; /* delay of one read of the slow disk */
    long requests;
};

/* Parses the command line. Returns -1 when the program should go on, or the
 * exit status: 0 after --help, 2 after one line on stderr that names the bad
 * option or value and what would be right, 1 after one that names a file of
 * --json or --trace that cannot be written. A number must be the whole word
 * and in range; a word that is no option is an error too. --help wins over
 * everything else on the line. A value that begins with "--" is given as
 * "--name=value". The last of several wins. */
int asq_options_parse(struct asq_options *options, int argc, char **argv);

/* Makes sure that what was printed has arrived, as the last thing main does.
 * Returns status, or 1 after one line on stderr when standard output could
 * not be written (a full disk, a closed pipe). */
int asq_options_finish(const struct asq_options *options, int status);

#endif
