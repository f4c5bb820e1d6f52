/* signals - what a signal that ends a test means, in words */
#include "grader/driver/signals.h"

#include "grader/driver/words.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static const struct signal_words {
    int number;
    const char *words;
    const char *cause;
} signal_words[] = {
    {SIGSEGV, "SIGSEGV: uses an invalid address",
     "a pointer that is NULL, was never set, or is no longer valid"},
    {SIGBUS, "SIGBUS: uses an invalid address",
     "a pointer that was never set, or is no longer valid"},
    {SIGABRT, "SIGABRT: abort was called",
     "an assert that does not hold, memory freed twice, or a uv call on a "
     "closed handle"},
    {SIGFPE, "SIGFPE: divides by zero", "a divisor that was not checked"},
    {SIGILL, "SIGILL: runs something that is not an instruction",
     "a function that ends without the return that it needs"},
    {SIGTRAP, "SIGTRAP: a trap in the code", NULL},
    {SIGPIPE, "SIGPIPE: writes to a pipe that nobody reads", NULL},
    {SIGSYS, "SIGSYS: a system call that is not allowed", NULL},
    {SIGKILL, "SIGKILL: killed",
     "kill in the exercise's code, or no memory left on this machine"},
    {SIGTERM, "SIGTERM: asked to end", "kill or raise in the exercise's code"},
    {SIGINT, "SIGINT: interrupted", "kill or raise in the exercise's code"},
    {SIGHUP, "SIGHUP: hung up", "kill or raise in the exercise's code"},
    {SIGQUIT, "SIGQUIT: asked to end", "kill or raise in the exercise's code"},
    {SIGALRM, "SIGALRM: an alarm", "alarm in the exercise's code"},
    {SIGUSR1, "SIGUSR1", "kill or raise in the exercise's code"},
    {SIGUSR2, "SIGUSR2", "kill or raise in the exercise's code"},
    {SIGVTALRM, "SIGVTALRM: a timer", "a timer in the exercise's code"},
    {SIGPROF, "SIGPROF: a timer", "a timer in the exercise's code"},
    {0, NULL, NULL},
};

void signals_explain(int number, bool stack_is_full, struct finding *finding)
{
    const struct signal_words *words = signal_words;

    while (words->number != 0 && words->number != number)
        words++;
    if (stack_is_full)
        words_say(finding, VERDICT_CRASHED,
                  "a function that calls itself without end, or a very large "
                  "array",
                  "the stack is full");
    else if (number == SIGXFSZ)
        words_say(finding, VERDICT_OUTPUT, "a loop that writes without end",
                  "SIGXFSZ: a file grew too large");
    else if (number == SIGXCPU)
        words_say(finding, VERDICT_HUNG, "a loop without end",
                  "SIGXCPU: used up its processor time");
    else if (words->number != 0)
        words_say(finding, VERDICT_CRASHED, words->cause, "%s", words->words);
    else
        words_say(finding, VERDICT_CRASHED, NULL, "ended by signal %d", number);
}
