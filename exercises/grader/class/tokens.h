/* tokens - a C file without what is easily changed
 *
 * One byte for each token: keywords and marks stay apart, all names are one,
 * all numbers, all strings. Comments, blanks and includes are left out. One
 * thread enters.
 */
#ifndef CLASS_TOKENS_H
#define CLASS_TOKENS_H

#include "text.h"

/* Adds the tokens of a source to a text. What is not C is a token as well. */
void class_tokens_read(struct class_text *tokens, const char *source);

#endif
