/* compiler - reads what the compiler and nm say about a student's file
 *
 * Owns nothing. One thread enters. Knows gcc's and clang's way of speaking.
 */
#ifndef GRADER_DRIVER_COMPILER_H
#define GRADER_DRIVER_COMPILER_H

#include "grader/driver/finding.h"

#include <stddef.h>

struct compiler_file {
    const char *file;  /* base name of the student's file, "ex_x.c" */
    const char *shown; /* its path as a student writes it */
};

/* From the text of a compiler that failed: verdict does not compile, got the
 * first error about the student's file (or the linker's first complaint,
 * reworded: "ex_get is not defined"), where its line, more the source line
 * with the mark below it, if the compiler shows them. An error inside a header
 * that the file includes is told at the line of the include. Never empty,
 * whatever the text. */
void compiler_explain(const char *text,
                      const struct compiler_file *file,
                      struct finding *ret_finding);

/* Copies the warnings about the student's file, a line each, at most 8:
 * "exercises/…/ex_x.c:57: warning: …". Returns how many there are in all. */
int compiler_warnings(const char *text,
                      const struct compiler_file *file,
                      char *ret_text,
                      size_t size);

/* Looks at the list of files that the compiler has read (-MD): the student's
 * file may include the contract, headers of the lessons, and headers of the
 * system. Returns 0, and refused with got ("includes solutions/..., which is
 * not for this exercise"); or a negative UV_E* when the list cannot be read. */
int compiler_includes(const char *list,
                      const char *source,
                      const char *header,
                      const char *lessons,
                      const struct compiler_file *file,
                      struct finding *ret_finding);

/* Looks into the student's object file (with nm and objdump or readelf; on
 * macOS nm alone): it may define, globally, only functions that the contract
 * declares; it may have no constructors or destructors (.init_array,
 * .fini_array, .preinit_array, .ctors, .dtors) but the sanitizer's own, no
 * ifunc, no common or weak symbol of another's name; of the course's modules
 * it may use only functions that a header declares which the contract
 * includes. Returns 0, and refused with got ("defines write, which is not
 * its own"), cause and where if known; or a negative UV_E* when the object
 * cannot be read. header is the path of the contract, lessons the folder of
 * the modules. VERDICT_PASSED when there is nothing to say. */
int compiler_barrier(const char *object,
                     const char *header,
                     const char *lessons,
                     const struct compiler_file *file,
                     struct finding *ret_finding);

#endif
