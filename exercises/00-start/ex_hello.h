/* ex_hello - the first exercise: one word */
#ifndef EX_HELLO_H
#define EX_HELLO_H

/* Returns the text "hello". It is constant: the caller does not free it. */
const char *ex_hello(void);

#endif
