/* pipe - a named pipe stands in the place of the file: who opens it waits
 *
 * As: pipe
 * Verdict: missing | does not compile | refused
 */
#include "ex_hello.h"
