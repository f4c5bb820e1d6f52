/* options - the command line that all lesson programs share
 *
 * Owns nothing: texts point into argv. Called by main before there are threads.
 * Depends on json. Printing is not checked: if neither stdout nor stderr works,
 * the error cannot be reported anyway.
 */
#include "common/options.h"

#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARED = 5,
    SHOWN_MAX = 64, /* room for a bad value in a message */
    FAILED = 2      /* the exit status */
};

/* All options: the shared ones first, then those of the program. */
struct list {
    const struct asq_options *options;
    struct asq_option shared[SHARED];
    size_t shared_count; /* a tool has only the first */
    size_t count;
};

static void make_list(struct list *list, struct asq_options *options)
{
    const struct asq_option shared[SHARED] = {
        {.name = "help", .help = "show this text"},
        {.name = "json",
         .value = "FILE",
         .help = "write the results to FILE as JSON",
         .kind = ASQ_OPTION_TEXT,
         .target = &options->json},
        {.name = "trace",
         .value = "FILE",
         .help = "write who did what, when, to FILE (opens in Perfetto)",
         .kind = ASQ_OPTION_TEXT,
         .target = &options->trace},
        {.name = "slow-disk",
         .value = "MS",
         .help = "milliseconds for one read of the slow disk",
         .kind = ASQ_OPTION_DOUBLE,
         .target = &options->slow_disk_ms,
         .minimum = 0,
         .maximum = 1000},
        {.name = "requests",
         .value = "N",
         .help = "how many requests",
         .kind = ASQ_OPTION_LONG,
         .target = &options->requests,
         .minimum = 1,
         .maximum = 10000000},
    };

    memcpy(list->shared, shared, sizeof shared);
    list->options = options;
    list->shared_count = options->is_tool ? 1 : SHARED;
    list->count = list->shared_count + options->more_count;
}

static const struct asq_option *at(const struct list *list, size_t i)
{
    return i < list->shared_count
               ? &list->shared[i]
               : &list->options->more[i - list->shared_count];
}

static const struct asq_option *
find(const struct list *list, const char *name, size_t length)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct asq_option *option = at(list, i);

        if (strlen(option->name) == length &&
            strncmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static void print_default(const struct asq_option *option)
{
    if (option->kind == ASQ_OPTION_LONG) {
        const long *number = option->target;

        (void)printf(" (default %ld)", *number);
    } else if (option->kind == ASQ_OPTION_DOUBLE) {
        const double *number = option->target;

        (void)printf(" (default %.10g)", *number);
    } else if (option->kind == ASQ_OPTION_TEXT) {
        const char *const *text = option->target;

        if (*text != NULL)
            (void)printf(" (default %s)", *text);
    }
}

static void print_help(const struct list *list)
{
    const struct asq_options *options = list->options;
    size_t widest = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct asq_option *option = at(list, i);
        const char *value = option->value != NULL ? option->value : "";
        size_t width = strlen(option->name) + strlen(value);

        widest = width > widest ? width : widest;
    }
    (void)printf("usage: %s [options]\n%s\n\n", options->program,
                 options->about);
    for (size_t i = 0; i < list->count; i++) {
        const struct asq_option *option = at(list, i);
        const char *value = option->value != NULL ? option->value : "";
        int left = (int)(widest - strlen(option->name));

        (void)printf("  --%s %-*s  %s", option->name, left, value,
                     option->help);
        print_default(option);
        (void)printf("\n");
    }
}

/* Prints "program: message; try --help" as one line. */
static int refuse(const struct list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(const struct list *list, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "%s: ", list->options->program);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "; try --help\n");
    return FAILED;
}

/* Writes word for a message of one line: control characters become '?', and a
 * long word is cut. Returns shown. */
static const char *show(char shown[static SHOWN_MAX], const char *word)
{
    size_t length = strlen(word);

    if (length >= SHOWN_MAX) {
        length = SHOWN_MAX - sizeof "...";
        /* Not inside a character: bytes of the form 10xxxxxx continue one. */
        while (length > 0 && ((unsigned char)word[length] & 0xc0) == 0x80)
            length--;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)word[i];

        shown[i] = c < 0x20 || c == 0x7f ? '?' : word[i];
    }
    (void)strcpy(shown + length, word[length] != '\0' ? "..." : "");
    return shown;
}

static int refuse_unknown(const struct list *list, const char *word)
{
    char shown[SHOWN_MAX];

    (void)fprintf(stderr, "%s: unknown option \"%s\", known are",
                  list->options->program, show(shown, word));
    for (size_t i = 0; i < list->count; i++)
        (void)fprintf(stderr, " --%s", at(list, i)->name);
    (void)fprintf(stderr, "; try --help\n");
    return FAILED;
}

static int refuse_value(const struct list *list,
                        const struct asq_option *option,
                        const char *value)
{
    char shown[SHOWN_MAX];

    (void)show(shown, value);
    if (option->kind == ASQ_OPTION_LONG) {
        return refuse(list,
                      "--%s \"%s\" is not a whole number from %.0f to %.0f",
                      option->name, shown, option->minimum, option->maximum);
    }
    if (option->kind == ASQ_OPTION_DOUBLE) {
        return refuse(list, "--%s \"%s\" is not a number from %.10g to %.10g",
                      option->name, shown, option->minimum, option->maximum);
    }
    return refuse(list, "--%s \"%s\" is empty, give a %s", option->name, shown,
                  option->value);
}

/* Returns whether word consists of these characters. strtol and strtod alone
 * would also accept leading blanks, "+1", "0x1", "inf" and "nan". */
static bool is_number(const char *word, const char *characters)
{
    return *word != '\0' && *word != '+' &&
           strspn(word, characters) == strlen(word);
}

static bool in_range(const struct asq_option *option, double number)
{
    return number >= option->minimum && number <= option->maximum;
}

static bool set_long(const struct asq_option *option, const char *value)
{
    long *target = option->target;
    long number;
    char *end;

    errno = 0;
    number = strtol(value, &end, 10);
    if (!is_number(value, "-0123456789") || *end != '\0' || errno != 0 ||
        !in_range(option, (double)number))
        return false;
    *target = number;
    return true;
}

static bool set_double(const struct asq_option *option, const char *value)
{
    double *target = option->target;
    double number;
    char *end;

    /* errno is not needed: a number that is too large becomes infinity, which
     * is out of range, and one that is too small becomes nearly zero. */
    number = strtod(value, &end);
    if (!is_number(value, "+-.0123456789eE") || *end != '\0' ||
        !in_range(option, number))
        return false;
    *target = number;
    return true;
}

static bool set_text(const struct asq_option *option, const char *value)
{
    const char **target = option->target;

    if (*value == '\0')
        return false;
    *target = value;
    return true;
}

static bool set(const struct asq_option *option, const char *value)
{
    switch (option->kind) {
    case ASQ_OPTION_LONG:
        return set_long(option, value);
    case ASQ_OPTION_DOUBLE:
        return set_double(option, value);
    case ASQ_OPTION_TEXT:
        return set_text(option, value);
    case ASQ_OPTION_FLAG:
        break;
    }
    *(int *)option->target = 1;
    return true;
}

/* Parses the option at argv[*i] and moves *i past its value. Returns -1 or the
 * exit status. */
static int parse_one(const struct list *list, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    const char *value = equals != NULL ? equals + 1 : NULL;
    const struct asq_option *option;
    char shown[SHOWN_MAX];

    if (strncmp(word, "--", 2) != 0) {
        return refuse(list, "unexpected word \"%s\", an option begins with --",
                      show(shown, word));
    }
    word += 2;
    option = find(list, word,
                  equals != NULL ? (size_t)(equals - word) : strlen(word));
    if (option == NULL)
        return refuse_unknown(list, argv[*i]);
    if (option->kind == ASQ_OPTION_FLAG) {
        if (value != NULL) {
            return refuse(list, "--%s takes no value, leave out \"=%s\"",
                          option->name, show(shown, value));
        }
    } else if (value == NULL) {
        if (*i + 1 == argc || strncmp(argv[*i + 1], "--", 2) == 0) {
            return refuse(list, "--%s has no value, write --%s %s",
                          option->name, option->name, option->value);
        }
        *i += 1;
        value = argv[*i];
    }
    return set(option, value) ? -1 : refuse_value(list, option, value);
}

/* Before the work is done rather than after it. Returns -1 or the exit status.
 */
static int try_file(const struct asq_options *options, const char *path)
{
    int rc = path == NULL ? 0 : asq_json_try(path);

    if (rc == 0)
        return -1;
    (void)fprintf(stderr, "%s: %s: %s\n", options->program, path,
                  strerror(-rc));
    return 1;
}

int asq_options_parse(struct asq_options *options, int argc, char **argv)
{
    struct list list;

    make_list(&list, options);
    /* Help comes first, because it shows the defaults, which parsing replaces.
     * A value is never "--help": see parse_one. */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(&list);
            return 0;
        }
    }
    for (int i = 1; i < argc; i++) {
        int status = parse_one(&list, argc, argv, &i);

        if (status != -1)
            return status;
    }
    if (try_file(options, options->json) != -1)
        return 1;
    return try_file(options, options->trace);
}

int asq_options_finish(const struct asq_options *options, int status)
{
    int failed = ferror(stdout);

    errno = 0;
    if (fflush(stdout) != 0 || failed) {
        (void)fprintf(stderr, "%s: standard output: %s\n", options->program,
                      errno != 0 ? strerror(errno) : "it was not written");
        return 1;
    }
    return status;
}
