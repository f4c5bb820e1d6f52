/* names - what the name of a submission tells, and names that agree
 *
 * Knows how Moodle and Canvas name what they download in bulk. One thread
 * enters.
 */
#ifndef CLASS_NAMES_H
#define CLASS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct class_name {
    char *name; /* of the student, printable */
    char *id;   /* a number of Moodle or Canvas, or "" */
    char *file; /* the name of the file that was handed in */
    long again; /* which time Canvas got a file of this name */
    bool late;
    bool is_part;  /* one of several files or folders of its student */
    bool is_loose; /* likewise, named by somebody: set by whoever finds out */
};

/* Splits the name of a folder or file. */
void class_name_read(struct class_name *name, const char *entry);
void class_name_free(struct class_name *name);

/* How a name is written before it is compared; the last is the closest. */
enum class_fold {
    CLASS_FOLD_DROPPED = 1, /* without such letters, as Canvas writes names */
    CLASS_FOLD_PLAIN,       /* without accents: u */
    CLASS_FOLD_SPELT,       /* as without the key for it: ue */
    CLASS_FOLD_MARKED       /* with a mark for an accent: u` */
};

/* Returns a name as it is compared: small letters and digits, nothing between;
 * freed with free. */
char *class_name_fold(const char *text, enum class_fold how);

/* Says how closely text is name, its words in this order or turned round:
 * "Surname First", "surnamefirst", "First Surname". Returns 0 if it is not,
 * else an enum class_fold. */
int class_name_agrees(const char *text, const char *name);

/* Says whether a name of several words occurs in text. */
bool class_name_contains(const char *text, const char *name);

/* Returns where the id is in text, between what is not a letter or digit, or
 * SIZE_MAX. */
size_t class_name_find(const char *text, const char *id);

#endif
