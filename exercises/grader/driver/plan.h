/* plan - which exercises there are, their tests, and what came of them
 *
 * The plan is read from the course's own files: exercises/NN-name with its
 * contract, and the table of its tests, which make has written with the help
 * of the skeleton. No code of a student takes part in it.
 */
#ifndef GRADER_DRIVER_PLAN_H
#define GRADER_DRIVER_PLAN_H

#include "grader/driver/finding.h"
#include "grader/driver/jobs.h"
#include "grader/test.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLAN_NAME = 64,
    PLAN_PATH = 512,
    PLAN_TITLE = 96,
    PLAN_TESTS = 40,
    PLAN_EXERCISES = 64,
    PLAN_WORDS = 160,
    PLAN_BUILDS = 3,
    PLAN_BUILD_TEXT = 8192
};

struct exercise;
struct plan;

/* What came of a test; sent by the process that has run it. */
struct test_outcome {
    struct finding finding;
    unsigned build; /* the one that the finding is about; 0: all */
    double seconds;
};

struct grader_test {
    /* From the table. */
    int number;
    char name[PLAN_NAME];
    int points;
    int seconds;
    unsigned builds;
    int times;
    int needs;
    char function[PLAN_NAME];
    char title[PLAN_TITLE];
    int hidden; /* from a folder outside of the course */

    bool wanted; /* it is to be run, or needed by one that is */
    bool done;
    struct test_outcome outcome;

    /* For the job. */
    struct plan *plan;
    struct exercise *exercise;
    struct job job;
};

/* What came of one build; sent by the process that has made it. */
struct build_outcome {
    struct finding finding; /* passed: the program is there */
    int warnings;
    char text[PLAN_BUILD_TEXT]; /* the warnings, a line each */
};

struct exercise_build {
    unsigned kind; /* TEST_PLAIN ... */
    struct build_outcome outcome;
    struct plan *plan;
    struct exercise *exercise;
    struct job job;
};

struct exercise {
    char name[PLAN_NAME];     /* "02-threads" */
    char file[PLAN_NAME];     /* "ex_single_flight.c" */
    char shown[PLAN_PATH];    /* "exercises/02-threads/ex_single_flight.c" */
    char contract[PLAN_PATH]; /* the same with .h */
    char skeleton[PLAN_PATH]; /* the unedited copy */
    char source[PLAN_PATH];   /* the student's file */
    bool one_function;        /* is all that the contract declares */
    struct grader_test tests[PLAN_TESTS];
    size_t test_count;
    struct exercise_build builds[PLAN_BUILDS];
    int builds_left;
    /* What keeps all of its tests from being run; else passed. */
    struct finding finding;
    bool done;
};

/* How make builds with one set of sanitizers. The words of a list end with a
 * NULL; they point into text. */
struct plan_build {
    unsigned kind;
    const char *name; /* "plain" */
    char folder[PLAN_PATH];
    char *text;
    const char *compile[PLAN_WORDS];
    const char *link[PLAN_WORDS];
    const char *libs[PLAN_WORDS];
    const char *prefix[PLAN_WORDS];
    const char *off; /* why it cannot be used on this machine, or NULL */
};

struct plan {
    /* Set before plan_read. */
    const char *only;  /* "02", "02-threads" or NULL: all */
    long test;         /* 0: all */
    const char *from;  /* the folder with the students' files */
    const char *build; /* the folder of make */
    const char *work;  /* where programs are built and run */
    int hidden;
    int force;
    int sandbox; /* tests run inside bubblewrap */
    uint64_t seed;
    double time_scale;

    struct plan_build builds[PLAN_BUILDS];
    struct exercise *exercises;
    size_t count;
    struct jobs jobs;
    void (*on_change)(struct plan *plan); /* a test or an exercise is done */
    void (*look)(void);                   /* several times a second; or NULL */
};

/* Reads the exercises and how to build them. Returns 0, or 2 or 3 (as main's
 * status) after one line on stderr. The caller owes plan_free either way. */
int plan_read(struct plan *plan);

/* Returns the points that an exercise has, or could have. Hidden tests count
 * as others do. */
int exercise_points(const struct exercise *exercise);
int exercise_max(const struct exercise *exercise);

void plan_free(struct plan *plan);

#endif
