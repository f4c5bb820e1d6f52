/* pipe - a named pipe takes the place of the file: opening it waits
 *
 * As: pipe
 * Verdict: missing | does not compile | refused
 */
#include "ex_hello.h"
