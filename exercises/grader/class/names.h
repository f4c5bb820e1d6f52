/* names - what the name of a submission tells, and names that agree
 *
 * Knows how Moodle and Canvas name what they download in bulk. One thread
 * enters.
 */
#ifndef CLASS_NAMES_H
#define CLASS_NAMES_H

#include <stddef.h>

struct class_name {
    char *name; /* of the student, printable */
    char *id;   /* a number of Moodle or Canvas, or "" */
    char *file; /* the name of the file that was handed in */
    long again; /* which time Canvas got a file of this name */
    int late;
    int is_part; /* one of several files or folders of its student */
};

/* Splits the name of a folder or file. */
void class_name_read(struct class_name *name, const char *entry);
void class_name_free(struct class_name *name);

/* Returns a name as it is compared: small letters without accents and digits,
 * nothing between; freed with free. */
char *class_name_fold(const char *text);

/* Says whether text is name, its words in this order or turned round:
 * "Surname First", "surnamefirst", "First Surname". */
int class_name_agrees(const char *text, const char *name);

/* Says whether the id stands in text, between what is no letter or digit. */
int class_name_holds(const char *text, const char *id);

#endif
