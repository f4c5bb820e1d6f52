/* test_options - tests of the command line of all lesson programs */
#include "common/options.h"
#include "grader/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    WORDS_MAX = 8,
    WORD_MAX = 512,
    TEXT_MAX = 4096
};

struct fixture {
    struct asq_options options;
    int quick; /* what the program adds */
    long threads;
    long seed;
    const char *database;
    char words[WORDS_MAX][WORD_MAX];
    char *argv[WORDS_MAX + 1];
    char out[TEXT_MAX];
    char err[TEXT_MAX];
};

static void set_up(void *fixture)
{
    struct fixture *f = fixture;

    f->threads = 8;
    f->options.program = "build/01-blocking";
    f->options.about = "Shows what stands still while a query runs.";
    f->options.slow_disk_ms = 1.5;
    f->options.requests = 200;
}

static void read_back(int file, char text[static TEXT_MAX])
{
    ssize_t length;

    CHECK_INT(lseek(file, 0, SEEK_SET), 0);
    length = read(file, text, TEXT_MAX - 1);
    CHECK(length >= 0);
    text[length] = '\0';
    CHECK_INT(close(file), 0);
}

/* Turns a descriptor into a file; returns the file, and the old one. */
static int redirect(int fd, const char *path, int *ret_old)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

    CHECK(file >= 0);
    *ret_old = dup(fd);
    CHECK(*ret_old >= 0);
    CHECK_INT(dup2(file, fd), fd);
    return file;
}

static void restore(int fd, int old)
{
    CHECK_INT(dup2(old, fd), fd);
    CHECK_INT(close(old), 0);
}

/* Parses the words (up to NULL) with the program's options, and keeps what it
 * printed. */
static int parse(struct fixture *f, const char *const words[])
{
    const struct asq_option more[] = {
        {"quick", NULL, "leave out the long part", ASQ_OPTION_FLAG, &f->quick,
         0, 0},
        {"threads", "N", "how many threads", ASQ_OPTION_LONG, &f->threads, -4,
         64},
        /* More than a long holds. */
        {"seed", "N", "what to begin with", ASQ_OPTION_LONG, &f->seed, 0, 1e30},
        {"database", "FILE", "the database to ask", ASQ_OPTION_TEXT,
         &f->database, 0, 0},
    };
    int argc = 0;
    int old_out;
    int old_err;
    int out;
    int err;
    int status;

    for (; words[argc] != NULL; argc++) {
        CHECK(argc < WORDS_MAX && strlen(words[argc]) < WORD_MAX);
        f->argv[argc] = strcpy(f->words[argc], words[argc]);
    }
    f->argv[argc] = NULL;
    f->options.more = more;
    f->options.more_count = sizeof more / sizeof more[0];
    CHECK_INT(fflush(stdout), 0);
    out = redirect(STDOUT_FILENO, test_path("out"), &old_out);
    err = redirect(STDERR_FILENO, test_path("err"), &old_err);
    status = asq_options_parse(&f->options, argc, f->argv);
    CHECK_INT(fflush(stdout), 0);
    restore(STDOUT_FILENO, old_out);
    restore(STDERR_FILENO, old_err);
    read_back(out, f->out);
    read_back(err, f->err);
    return status;
}

#define PARSE(f, ...) parse(f, (const char *const[]){"program", __VA_ARGS__})

static void defaults_stay_without_options(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(PARSE(f, NULL), -1);
    CHECK(f->options.json == NULL && f->options.trace == NULL);
    CHECK(f->options.slow_disk_ms == 1.5);
    CHECK_INT(f->options.requests, 200);
    CHECK_INT(f->quick, 0);
    CHECK_TEXT(f->out, "");
    CHECK_TEXT(f->err, "");
}

static void a_file_that_cannot_be_written_is_told_first(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(PARSE(f, "--json", "/dev/null/a", NULL), 1);
    CHECK_TEXT(f->err, "build/01-blocking: /dev/null/a: Not a directory\n");
    CHECK_INT(PARSE(f, "--trace", "/dev/null/b", NULL), 1);
    CHECK_TEXT(f->err, "build/01-blocking: /dev/null/b: Not a directory\n");
    CHECK_TEXT(f->out, "");
}

static void values_follow_or_are_joined(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(PARSE(f, "--json", "a.json", "--requests", "5", "--threads", "-3",
                    "--quick", NULL),
              -1);
    CHECK_TEXT(f->options.json, "a.json");
    CHECK_INT(f->options.requests, 5);
    CHECK_INT(f->threads, -3);
    CHECK_INT(f->quick, 1);
    CHECK_INT(PARSE(f, "--trace=--odd=name", "--slow-disk=2.5e1",
                    "--requests=10000000", "--database=a", "--threads=64",
                    NULL),
              -1);
    CHECK_TEXT(f->options.trace, "--odd=name");
    CHECK(f->options.slow_disk_ms == 25);
    CHECK_INT(f->options.requests, 10000000);
    CHECK_TEXT(f->database, "a");
    CHECK_INT(f->threads, 64);
    CHECK_TEXT(f->out, "");
    CHECK_TEXT(f->err, "");
}

static void last_of_several_wins(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(PARSE(f, "--requests=1", "--requests=2", NULL), -1);
    CHECK_INT(f->options.requests, 2);
}

static void help_shows_the_defaults(void *fixture)
{
    struct fixture *f = fixture;

    /* Also behind other options, good or bad. */
    CHECK_INT(PARSE(f, "--requests=7", "--nothing", "--help", NULL), 0);
    CHECK_TEXT(f->out,
               "usage: build/01-blocking [options]\n"
               "Shows what stands still while a query runs.\n"
               "\n"
               "  --help           show this text\n"
               "  --json FILE      write the results to FILE as JSON\n"
               "  --trace FILE     write who did what, when, to FILE (opens in "
               "Perfetto)\n"
               "  --slow-disk MS   milliseconds for one read of the slow disk "
               "(default 1.5)\n"
               "  --requests N     how many requests (default 200)\n"
               "  --quick          leave out the long part\n"
               "  --threads N      how many threads (default 8)\n"
               "  --seed N         what to begin with (default 0)\n"
               "  --database FILE  the database to ask\n");
    CHECK_TEXT(f->err, "");
    CHECK_INT(f->options.requests, 200);

    f->database = "shop.db";
    CHECK_INT(PARSE(f, "--help", NULL), 0);
    CHECK_CONTAINS(f->out, "the database to ask (default shop.db)\n");
}

static void help_is_never_a_value(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(PARSE(f, "--json", "--help", NULL), 0);
    CHECK_CONTAINS(f->out, "usage: ");
    CHECK_INT(PARSE(f, "--help=yes", NULL), 2);
}

/* Checks that the words give status 2 and exactly this line. */
static void check_refused(struct fixture *f,
                          const char *word,
                          const char *value,
                          const char *line)
{
    CHECK_INT(PARSE(f, word, value, NULL), 2);
    CHECK_TEXT(f->err, line);
    CHECK_TEXT(f->out, "");
}

static void wrong_words_are_named(void *fixture)
{
    static const struct {
        const char *word, *value, *line;
    } table[] = {
        {"--reqests", "5",
         "build/01-blocking: unknown option \"--reqests\", known are --help "
         "--json --trace --slow-disk --requests --quick --threads --seed "
         "--database; try --help\n"},
        {"--json", NULL,
         "build/01-blocking: --json has no value, write --json FILE; try "
         "--help\n"},
        {"--json", "--quick",
         "build/01-blocking: --json has no value, write --json FILE; try "
         "--help\n"},
        {"--json=", NULL,
         "build/01-blocking: --json \"\" is empty, give a FILE; try --help\n"},
        {"--trace", "",
         "build/01-blocking: --trace \"\" is empty, give a FILE; try --help\n"},
        {"--quick=1", NULL,
         "build/01-blocking: --quick takes no value, leave out \"=1\"; try "
         "--help\n"},
        {"--help=", NULL,
         "build/01-blocking: --help takes no value, leave out \"=\"; try "
         "--help\n"},
        {"--quick", "now",
         "build/01-blocking: unexpected word \"now\", an option begins with "
         "--; try --help\n"},
        {"-h", NULL,
         "build/01-blocking: unexpected word \"-h\", an option begins with --; "
         "try --help\n"},
        {"", NULL,
         "build/01-blocking: unexpected word \"\", an option begins with --; "
         "try --help\n"},
        {"--requests", "12x",
         "build/01-blocking: --requests \"12x\" is not a whole number from 1 "
         "to 10000000; try --help\n"},
        {"--slow-disk=fast", NULL,
         "build/01-blocking: --slow-disk \"fast\" is not a number from 0 to "
         "1000; try --help\n"},
    };
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        check_refused(f, table[i].word, table[i].value, table[i].line);
    }
}

static void options_are_whole_names(void *fixture)
{
    static const char *const words[] = {"--", "--=1", "--req=1", "--requestss",
                                        "--Help"};
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        CHECK_INT(PARSE(f, words[i], NULL), 2);
        CHECK_CONTAINS(f->err, "unknown option");
        CHECK_CONTAINS(f->err, words[i]);
    }
}

static void only_whole_numbers_in_range_are_taken(void *fixture)
{
    static const char *const bad[] = {
        "",     " ",        "abc",   "0",     "-1",  "10000001",
        "1e3",  "1.0",      "5 ",    " 5",    "+5",  "99999999999999999999",
        "0x10", "0b1",      "1,000", "5\n",   "--5", "5-",
        "-",    "infinity", "nan",   "1_000", "１"};
    struct fixture *f = fixture;
    char word[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(snprintf(word, sizeof word, "--requests=%s", bad[i]) > 0);
        CHECK_INT(PARSE(f, word, NULL), 2);
        CHECK_CONTAINS(f->err, "is not a whole number from 1 to 10000000");
        CHECK_INT(f->options.requests, 200);
    }
    CHECK_INT(PARSE(f, "--seed", "99999999999999999999", NULL), 2);
    CHECK_INT(f->seed, 0);
    CHECK_INT(PARSE(f, "--requests", "1", NULL), -1);
    CHECK_INT(f->options.requests, 1);
    CHECK_INT(PARSE(f, "--requests", "010", NULL), -1);
    CHECK_INT(f->options.requests, 10);
}

static void only_numbers_in_range_are_taken(void *fixture)
{
    static const char *const bad[] = {
        "",    " ",   "abc", "-0.1",  "1000.1", "1e4", "nan",     "inf",
        "NAN", "1ms", "1 ",  " 1",    "+1",     "0x1", "1,5",     "1e",
        "e1",  ".",   "-",   "1e999", "1..2",   "--1", "infinity"};
    struct fixture *f = fixture;
    char word[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(snprintf(word, sizeof word, "--slow-disk=%s", bad[i]) > 0);
        CHECK_INT(PARSE(f, word, NULL), 2);
        CHECK_CONTAINS(f->err, "is not a number from 0 to 1000");
        CHECK(f->options.slow_disk_ms == 1.5);
    }
    CHECK_INT(PARSE(f, "--slow-disk", "0", NULL), -1);
    CHECK(f->options.slow_disk_ms == 0);
    CHECK_INT(PARSE(f, "--slow-disk", "1000", NULL), -1);
    CHECK(f->options.slow_disk_ms == 1000);
    CHECK_INT(PARSE(f, "--slow-disk", "0.25", NULL), -1);
    CHECK(f->options.slow_disk_ms == 0.25);
    CHECK_INT(PARSE(f, "--slow-disk", "1e-400", NULL), -1);
    CHECK(f->options.slow_disk_ms == 0);
}

/* Whatever was typed, the message is one line and not a page. */
static void message_stays_one_line(void *fixture)
{
    struct fixture *f = fixture;
    char word[400];

    CHECK_INT(PARSE(f, "--requests", "1\n2\033[31m", NULL), 2);
    CHECK_CONTAINS(f->err, "\"1?2?[31m\"");
    CHECK(strchr(f->err, '\n') == f->err + strlen(f->err) - 1);

    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    CHECK_INT(PARSE(f, word, NULL), 2);
    CHECK_CONTAINS(f->err, "xxx...\"");
    CHECK(strlen(f->err) < 200);

    /* "€" takes three bytes: whatever fits is whole. */
    (void)strcpy(word, "--");
    for (int i = 0; i < 40; i++) {
        (void)strcat(word, "€");
    }
    CHECK_INT(PARSE(f, word, NULL), 2);
    CHECK_CONTAINS(f->err, "€...\"");
}

static const struct test_case cases[] = {
    {.name = "defaults_stay_without_options",
     .run = defaults_stay_without_options},
    {.name = "a_file_that_cannot_be_written_is_told_first",
     .run = a_file_that_cannot_be_written_is_told_first},
    {.name = "values_follow_or_are_joined", .run = values_follow_or_are_joined},
    {.name = "last_of_several_wins", .run = last_of_several_wins},
    {.name = "help_shows_the_defaults", .run = help_shows_the_defaults},
    {.name = "help_is_never_a_value", .run = help_is_never_a_value},
    {.name = "wrong_words_are_named", .run = wrong_words_are_named},
    {.name = "options_are_whole_names", .run = options_are_whole_names},
    {.name = "only_whole_numbers_in_range_are_taken",
     .run = only_whole_numbers_in_range_are_taken},
    {.name = "only_numbers_in_range_are_taken",
     .run = only_numbers_in_range_are_taken},
    {.name = "message_stays_one_line", .run = message_stays_one_line},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "options",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up};
