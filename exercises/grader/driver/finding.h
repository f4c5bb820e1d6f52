/* finding - what the grader has found out about one test
 *
 * Plain data, so that it can be sent from one process to another. Texts are
 * one line each, "" when there is nothing to say.
 */
#ifndef GRADER_DRIVER_FINDING_H
#define GRADER_DRIVER_FINDING_H

/* In the order of what is told first when several runs of a test differ. */
enum verdict {
    VERDICT_PASSED,
    VERDICT_NOT_CHECKED, /* cannot be checked on this machine */
    VERDICT_SKIPPED,     /* the test that it needs has not passed */
    VERDICT_NOT_STARTED, /* the file is the untouched skeleton */
    VERDICT_MISSING,     /* there is no file */
    VERDICT_NO_COMPILE,
    VERDICT_REFUSED,      /* defines or uses what is not its own */
    VERDICT_WRONG,        /* wrong answer */
    VERDICT_CRASHED,      /* ended by a signal */
    VERDICT_HUNG,         /* no end within the limit */
    VERDICT_OPEN,         /* the loop does not close */
    VERDICT_LEFT_EARLY,   /* exit or exec before the test was over */
    VERDICT_LEFT_RUNNING, /* threads or processes are left */
    VERDICT_LEAKED,       /* memory */
    VERDICT_RACED,        /* two threads, the same data */
    VERDICT_UNDEFINED,    /* undefined behaviour */
    VERDICT_MEMORY,       /* another report of the address sanitizer */
    VERDICT_OUTPUT,       /* too much output */
    VERDICT_TOO_BIG,      /* too much memory, too many processes */
    VERDICT_GRADER        /* the grader itself could not do its work */
};

enum {
    VERDICTS = VERDICT_GRADER + 1,
    FINDING_LINE = 200,
    FINDING_TEXT = 480,
    FINDING_MORE = 1024
};

struct finding {
    enum verdict verdict;
    char expected[FINDING_TEXT];
    char got[FINDING_TEXT];
    char doing[FINDING_LINE];  /* what the test was doing, if it says so */
    char cause[FINDING_TEXT];  /* the usual cause */
    char where[FINDING_LINE];  /* "exercises/02-threads/ex_x.c:57" */
    char where2[FINDING_LINE]; /* of a race: the other line */
    char more[FINDING_MORE];   /* lines apart by '\n': threads of a hang, open
                                  handles, the tail of the output */
};

/* Returns the words for a verdict, "wrong answer"; the same in results.json
 * and on the terminal. */
const char *verdict_name(enum verdict verdict);

#endif
