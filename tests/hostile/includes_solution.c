/* includes_solution - includes the solution, where the course has one
 *
 * Verdict: refused | does not compile
 */
#include "../../solutions/00-start/ex_hello.c"
