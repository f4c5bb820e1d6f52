/* class - what the files of build/class share
 *
 * build/class grades the submissions of a whole class. names.c and list.c
 * find what was handed in, roster.c and match.c by whom, collect.c takes the
 * files that choose.c prefers out of folders and archives (archive.c), grade.c
 * runs the driver for each (driver.c, process.c) and keeps what is needed to go
 * on later (store.c, stamp.c, kept.c), harm.c looks at what one has done to
 * others. results.c loads the results into SQLite, count.c decides what counts,
 * and what is written is asked of that (reports.c, html.c, formats.c,
 * imports.c, summary.c).
 *
 * One thread enters all of it. No path that an archive names is ever made,
 * and no link of a submission is followed. Out of memory ends the program;
 * started again it goes on where it was.
 */
#ifndef CLASS_CLASS_H
#define CLASS_CLASS_H

#include "columns.h"
#include "sha256.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLASS_FILE_MAX = 1 << 20,    /* bytes of an exercise file */
    CLASS_ARCHIVE_MAX = 1 << 27, /* bytes of an archive in that of a class */
    CLASS_JOBS_MAX = 64,
    CLASS_STUDENTS_MAX = 4 /* students of one submission */
};

/* What is said where an archive cannot be opened for want of it. */
#define CLASS_NO_LIBARCHIVE                                                    \
    "install libarchive-dev (macOS: brew install libarchive) and start "       \
    "make grade again"

/* What the command line says. */
struct class_settings {
    const char *submissions; /* a folder, or one .zip of all */
    const char *roster;      /* NULL: none */
    const char *marks;       /* NULL: those of the last run */
    const char *twice;       /* which submission counts: "last" or "best" */
    double late_percent;     /* that a day late takes of all points */
    const char *out;         /* the last whole run; see store.c */
    const char *grader;      /* the driver */
    const char *only;        /* a pattern for names of submissions, or NULL */
    const char *exercises;   /* as in "01,02-threads", or NULL: what there is */
    char *run;               /* where this run writes; owned */
    char separator[2];       /* of the tables that are written */
    const char *sandbox;     /* "always" or "never" */
    int isolated;            /* the former */
    long jobs;
    long seconds; /* for one submission */
    long seed;    /* the same for all; 0: see class_store_open */
    int hidden;
    int hidden_points; /* of hidden tests, students learn the points only */
    int again;         /* trust no earlier results */
    int verbose;
    char *defaults[2]; /* what out and grader are otherwise; free them */
};

/* An exercise of the course: its one file a student edits. */
struct class_exercise {
    char *name; /* "02-threads" */
    char *file; /* "ex_single_flight.c" */
    int wanted; /* it is graded, and counts */
};

/* The course as it is here. */
struct class_course {
    struct class_exercise *exercise;
    size_t exercises;
    /* The files that the driver relies on, and what they were at the start. */
    struct class_watched *watched;
    size_t watched_count;
    uint64_t version; /* of all that grading depends on */
};

/* A line of the roster. */
struct class_student {
    char *id;
    char *name;
    char *number; /* of the platform, or "" */
    char **field; /* its line of the roster */
    size_t fields;
    size_t submissions; /* how many are this student's */
};

struct class_roster {
    struct class_student *student;
    size_t count;
    char **heading;
    size_t headings;
    struct class_columns columns;
    char separator;
    bool had_mark; /* that of UTF-8, at its beginning */
};

/* How grading a submission ended. */
enum class_end {
    CLASS_NOT_YET,
    CLASS_GRADED,
    CLASS_TIME_OVER, /* what was graded until then counts */
    CLASS_NOTHING,   /* there is no exercise file in it */
    CLASS_FAILED     /* the driver did not do its work */
};

/* A file or folder of a submission. */
struct class_source {
    char *path;
    char *name; /* of the file, without what Canvas puts before it */
    long again; /* how often Canvas got this name before */
};

/* What was found for an exercise. */
struct class_file {
    bool found;
    struct class_text text; /* until it is kept */
    char *from;             /* where it was in the submission */
    int64_t time;           /* of its last change, as far as it tells */
    size_t size;
    char sum[CLASS_SHA256_SIZE];
};

struct class_submission {
    char *label;   /* its name in the submissions, printable */
    char *key;     /* names its files and folders in OUT */
    char *id;      /* of its students in the roster, if there is one */
    char *name;    /* likewise; or as its own name tells */
    char *number;  /* by which the platform knows its student, or "" */
    bool is_part;  /* its name is made by a platform */
    bool is_loose; /* files that begin with the same name */
    bool late;
    size_t student[CLASS_STUDENTS_MAX]; /* in the roster */
    size_t students;
    struct class_source *source;
    size_t sources;
    struct class_file *file; /* one for each exercise, when collected */
    char *said;              /* what NAME says in it, or NULL */
    bool left_out;           /* by --only: its results stay as they are */
    struct class_text notes; /* lines, for the report and for grades.csv */
    char *unreadable; /* the ending of an archive that cannot be opened here,
                         or NULL */
    enum class_end end;
    bool reused;           /* its results are of an earlier run */
    uint64_t files_hash;   /* of the names and contents of its files */
    uint64_t results_hash; /* of the results file when the driver ended */
};

struct class_list {
    struct class_submission *submission;
    size_t count;
};

/* arguments: returns -1 to go on, or the exit status. */
int class_arguments_parse(struct class_settings *settings,
                          int argc,
                          char **argv);

/* course: finds the exercises, and the files that the driver relies on.
 * Returns 0, or 1 after one line on stderr. */
int class_course_read(struct class_course *course,
                      const struct class_settings *settings);
/* Says whether a word of so many characters names the exercise: 2, 02 or
 * 02-threads. */
bool class_course_is_named(const char *name, const char *word, size_t length);
/* Returns the first file that is not what it was at the start, or NULL. */
const char *class_course_changed(const struct class_course *course);
void class_course_free(struct class_course *course);

/* roster: reads a CSV file of any encoding and separator, with headings that
 * columns.c knows, and says in one line on stdout how it was understood.
 * Returns 0, or 1 after one line on stderr with the file's line number. */
int class_roster_read(struct class_roster *roster, const char *path);
void class_roster_free(struct class_roster *roster);

/* match: finds the students of every submission, and gives it their ids and
 * names. */
struct class_marks;
void class_match(struct class_roster *roster,
                 const struct class_marks *marks,
                 struct class_list *list);

/* list: finds the submissions, one for each entry of the folder or, if they
 * are of one student, for several, and sorts them by name. Returns 0, or 1
 * after one line on stderr. */
int class_list_read(struct class_list *list,
                    const struct class_course *course,
                    const struct class_settings *settings);
/* Says whether an entry of a folder is somebody's, and not a system's. */
bool class_list_is_seen(const char *entry);
/* exercises is how many the course has. */
void class_list_free(struct class_list *list, size_t exercises);
/* Adds a line to the submission's notes; what is not printable is shown as
 * '?'. */
void class_note(struct class_submission *submission, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* bulk: unpacks one archive of all submissions into the folder. Returns 0, or
 * 1 after one line on stderr. */
int class_bulk_unpack(const struct class_course *course,
                      const char *path,
                      const char *folder);

/* collect: fills files, one for each exercise of the course, from the
 * submission's sources; what is odd becomes a note. */
void class_collect(const struct class_course *course,
                   struct class_submission *submission,
                   struct class_file *files);
void class_file_free(struct class_file *file);

/* store: makes the folders of a run, locks them and finds the seed. Returns 0,
 * or 1 after one line on stderr. */
int class_store_open(struct class_settings *settings);
/* Makes the run the last whole one. Likewise. */
int class_store_publish(const struct class_settings *settings,
                        const struct class_list *list);

/* kept: collects the files of all submissions and keeps them. Returns 0, or
 * 128 and the signal that stopped it. */
int class_kept_collect(const struct class_settings *settings,
                       const struct class_course *course,
                       struct class_list *list);
/* Decides which exercises are wanted, if it was not said: those that anybody
 * has handed in. */
void class_kept_choose(const struct class_settings *settings,
                       struct class_course *course,
                       struct class_list *list);
/* Reads a file as it was collected. Returns 0 or a negative UV_E*: UV_EBADF if
 * it was changed since. */
int class_kept_read(const struct class_settings *settings,
                    const struct class_course *course,
                    const struct class_submission *submission,
                    size_t exercise,
                    struct class_text *text);
/* Collects a submission's files again where they were changed. Returns 0, or 1
 * if they can no longer be had as they were. */
int class_kept_mend(const struct class_settings *settings,
                    const struct class_course *course,
                    const struct class_submission *submission);
/* Writes OUT/manifest.csv. Returns 0 or a negative UV_E*. */
int class_kept_write_manifest(const struct class_settings *settings,
                              const struct class_course *course,
                              const struct class_list *list);

/* stamp: remembers beside the results what they are the results of. */
void class_stamp_write(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission);
/* Says whether the results that are there can be used again, and sets end
 * and results_hash if so. */
bool class_stamp_read(const struct class_settings *settings,
                      const struct class_course *course,
                      struct class_submission *submission);

/* grade: grades every submission. Returns 0, 1 after one line on stderr, or
 * 128 and the signal that stopped it. */
int class_grade(const struct class_settings *settings,
                const struct class_course *course,
                struct class_list *list);

#endif
