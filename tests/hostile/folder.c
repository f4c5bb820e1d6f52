/* folder - a folder takes the place of the file
 *
 * As: folder
 * Verdict: missing | does not compile | refused
 */
#include "ex_hello.h"
