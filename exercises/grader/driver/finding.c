/* finding - the words for a verdict
 *
 * Owns nothing; any thread may enter.
 */
#include "grader/driver/finding.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICTS] = {
        [VERDICT_PASSED] = "passed",
        [VERDICT_NOT_CHECKED] = "not checked",
        [VERDICT_SKIPPED] = "skipped",
        [VERDICT_NOT_STARTED] = "not started",
        [VERDICT_MISSING] = "missing",
        [VERDICT_NO_COMPILE] = "does not compile",
        [VERDICT_REFUSED] = "refused",
        [VERDICT_WRONG] = "wrong answer",
        [VERDICT_CRASHED] = "crashed",
        [VERDICT_HUNG] = "hung",
        [VERDICT_OPEN] = "loop does not close",
        [VERDICT_LEFT_EARLY] = "left early",
        [VERDICT_LEFT_RUNNING] = "left something running",
        [VERDICT_LEAKED] = "leaked",
        [VERDICT_RACED] = "raced",
        [VERDICT_UNDEFINED] = "undefined behaviour",
        [VERDICT_MEMORY] = "memory error",
        [VERDICT_OUTPUT] = "too much output",
        [VERDICT_TOO_BIG] = "too much memory",
        [VERDICT_GRADER] = "grader error",
    };

    return names[verdict];
}
