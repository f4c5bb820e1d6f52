/* columns - what the headings of a roster mean
 *
 * Knows those of Moodle and Canvas, in English and German, and common others.
 * One thread enters.
 */
#ifndef CLASS_COLUMNS_H
#define CLASS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum class_role {
    CLASS_ROLE_NONE,
    CLASS_ROLE_ID, /* of the university */
    CLASS_ROLE_NAME,
    CLASS_ROLE_FIRST,
    CLASS_ROLE_LAST,
    CLASS_ROLE_NUMBER, /* of the platform */
    CLASS_ROLE_LOGIN,
    CLASS_ROLE_EMAIL,
    CLASS_ROLE_SECTION,
    CLASS_ROLE_GRADE,
    CLASS_ROLE_FEEDBACK,
    CLASS_ROLES
};

struct class_columns {
    size_t at[CLASS_ROLES]; /* where a role is, or SIZE_MAX */
    bool is_canvas;
};

/* Finds the roles. Returns NULL, or what is missing. */
const char *class_columns_find(struct class_columns *columns,
                               char *const headings[],
                               size_t count);

/* Returns the digits of what Moodle calls somebody whose name is hidden, as in
 * "Participant 4711", or NULL. */
const char *class_columns_participant(const char *text);

#endif
