/* encoding - texts in any characters become UTF-8
 *
 * iconv converts; here it is found out from what. One thread enters.
 */
#ifndef CLASS_ENCODING_H
#define CLASS_ENCODING_H

#include "text.h"

/* Converts a whole file, without the mark that some begin with. Returns what
 * it was, as in "Windows-1252", or NULL if it is nothing that is known. */
const char *class_encoding_convert(struct class_text *text);

/* Returns a file's name out of an archive; freed with free. What is not UTF-8
 * is what consoles of Windows write. */
char *class_encoding_name(const char *name);

#endif
