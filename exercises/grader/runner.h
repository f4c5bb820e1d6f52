/* runner - what the files of the runner share; tests include test.h only
 *
 * The parent starts the test file again for each test (command.c, sandbox.c,
 * process.c), follows it to its end (watch.c), ends what it leaves behind
 * (kin.c), judges it (judge.c) and prints (run.c). The child runs the test's
 * function (test.c), in its folder (path.c), looks for what it leaves running
 * (threads.c) and says where its threads are (stacks.c), also when it crashes
 * (crash.c).
 *
 * A program without a test_suite may use command.c, folder.c, interrupt.c,
 * kin.c, process.c, sandbox.c and watch.c; judge.c too.
 */
#ifndef GRADER_RUNNER_H
#define GRADER_RUNNER_H

#include "grader/test.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which sanitizer this file is built with. */
#if defined(__SANITIZE_THREAD__)
#define TEST__THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define TEST__ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST__THREAD_SANITIZER 1
#elif __has_feature(address_sanitizer)
#define TEST__ADDRESS_SANITIZER 1
#endif
#endif
#ifndef TEST__THREAD_SANITIZER
#define TEST__THREAD_SANITIZER 0
#endif
#ifndef TEST__ADDRESS_SANITIZER
#define TEST__ADDRESS_SANITIZER 0
#endif

enum {
    TEST__NONCE_SIZE = 32,     /* hexadecimal digits */
    TEST__REPORT_SIZE = 16384, /* all records of a test */
    TEST__MESSAGE_SIZE = 2048,
    TEST__OUTPUT_SIZE = 65536, /* the tail that is kept */
    TEST__PATH_SIZE = 1024,
    TEST__WORDS = 1024, /* of a command or an environment */
    TEST__WORDS_SIZE = 16384,
    TEST__CHILDREN = 256,
    TEST__STACK_SIZE = 32768, /* a stack for signals */
    TEST__BUSY_MOST = 20,     /* times that a limit grows */
    TEST__WHILE_SIZE = 256,
    TEST__TEXT_SIZE = 80 /* of a number or a code in words */
};

/* A test reports by records on a descriptor of its own: a letter, a text, a
 * zero byte. */
enum {
    TEST__PASS = 'P', /* the nonce */
    TEST__FAIL = 'F', /* file:line: message */
    TEST__SKIP = 'S', /* the reason */
    TEST__NOTE = 'N', /* what a test that passes did not check */
    /* Before a failure's record, where they are known: */
    TEST__EXPECTED = 'E', /* one line for a student */
    TEST__GOT = 'G',      /* likewise */
    TEST__CAUSE = 'C',    /* likewise: the usual cause */
    TEST__WHILE = 'W',    /* likewise: what the test was doing */
    TEST__STACK = 'B',    /* "THREAD: 0xOFFSET 0xOFFSET", see test__stacks */
    TEST__FULL = 'D',     /* the stack of the thread that crashes is full */
    TEST__OPEN = 'O'      /* the loop's open handles, by type */
};

/* How a test's process is started. */
struct test__start {
    const char *name;          /* of the test */
    unsigned seconds;          /* time limit */
    const char *program;       /* the test file's program; NULL: this one */
    const char *const *prefix; /* words before it, up to a NULL; or NULL */
    uint64_t seed;             /* for test_seed; 0: as the environment says */
    /* The test's own folder. It is there, and stays. NULL: the test makes one
     * if it needs it (test__folder_path). */
    const char *folder;
    int sandbox;     /* inside bubblewrap: only folder can be written to, no
                        network, no other process to be seen */
    uint64_t memory; /* bytes that all its processes may hold; 0: no limit */
    uint64_t output; /* bytes that it may print; 0: no limit */
};

/* Words, and room for those that are made: a command, or an environment. */
struct test__words {
    char *word[TEST__WORDS]; /* up to a NULL */
    size_t count;
    int full; /* something did not fit and is missing */
    size_t used;
    char text[TEST__WORDS_SIZE];
};

/* Child processes that are not a test's. */
struct test__others {
    long pid[TEST__CHILDREN];
    size_t count;
};

/* Who ended a test's process. */
enum test__end {
    TEST__BY_ITSELF,
    TEST__TIME_OVER,
    TEST__TOO_MUCH_MEMORY,
    TEST__TOO_MUCH_OUTPUT,
    TEST__TOO_MANY_PROCESSES
};

/* What is known of a test's process when it has ended. Plain data. */
struct test__run {
    long pid;
    int status; /* as from waitpid */
    enum test__end end;
    int left_behind; /* it left processes running; they are gone now */
    unsigned seconds;
    uint64_t ns; /* how long it took */
    char nonce[TEST__NONCE_SIZE + 1];
    char report[TEST__REPORT_SIZE];
    size_t report_size;
    char output[TEST__OUTPUT_SIZE]; /* its end */
    size_t output_size;
    uint64_t output_total; /* more than output_size: the rest was dropped */
};

enum test__verdict {
    TEST__PASSED,
    TEST__FAILED,
    TEST__NOT_CHECKED
};
enum {
    TEST__VERDICTS = 3
};

struct test__result {
    enum test__verdict verdict;
    /* Why it failed or was not checked; for a passed test what it left out,
     * or "". */
    char message[TEST__MESSAGE_SIZE];
};

/* ---- The parent -------------------------------------------------------------
 */

/* Makes a program ready to wait: SIGCHLD and the signals that ask it to end are
 * blocked. Waiting with the mask *ret_outside (pselect) lets them in. */
void test__interrupt_prepare(sigset_t *ret_outside);

/* Returns the signal that asked the program to end, or 0. */
int test__interrupted(void);

/* Makes the runner's process ready to start tests. Call once, first. */
void test__process_prepare(void);

/* Starts the test's process with the given signal mask. Returns 0 and the
 * parent's ends of its socket and its pipe, or a negative UV_E*. */
int test__process_start(const struct test__start *start,
                        const sigset_t *signals,
                        struct test__run *run,
                        int *ret_report,
                        int *ret_output);

/* Runs one test in a process of its own and waits for its end. Whatever it
 * has started is gone afterwards (on Linux; elsewhere, its process group).
 * Returns 0 or a negative UV_E* when the process could not be started. */
int test__process_run(const struct test__start *start,
                      struct test__run *ret_run);

/* Makes the command that starts the test, which reports on the descriptor, and
 * its environment. Returns 0 or a negative UV_E*. */
int test__command_make(const struct test__start *start,
                       int report,
                       struct test__words *ret_command,
                       struct test__words *ret_environment);

/* Adds a word, formatted as by printf. */
void test__words_add(struct test__words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns whether bubblewrap works here; the first call tries it. If not,
 * *ret_reason is one line that says why. */
bool test__sandbox_works(const char **ret_reason);

/* Adds the words that go before a program's path and put it inside
 * bubblewrap. Paths are absolute; folder may be NULL. */
void test__sandbox_add(struct test__words *words,
                       const char *program,
                       const char *folder);

/* Under bubblewrap the end by a signal comes back as a status. Returns the
 * status as waitpid would have given it for the test itself. */
int test__sandbox_status(int status);

/* From now on orphans among this process's descendants become its children
 * (Linux). Returns those that it has already. */
void test__kin_adopt(struct test__others *ret_others);

/* Looks at all that descend from this process, but not through one of the
 * others. Returns how many they are and the bytes that they hold. */
size_t test__kin_measure(const struct test__others *others,
                         uint64_t *ret_memory);

/* Ends and reaps them, the process group first. They have grace_ns to end by
 * themselves. Returns whether they did not. */
bool test__kin_end(const struct test__others *others,
                   long group,
                   uint64_t grace_ns);

/* Decides what the end of a test means. */
void test__judge(const struct test__run *run, struct test__result *ret_result);

/* Makes the folder and those above it. Returns 0 or a negative UV_E*. */
int test__folder_make(const char *path);

/* Removes the folder, its files, and the empty folders in it. Returns 0 (also
 * when there is none) or a negative UV_E*. */
int test__folder_remove(const char *path);

/* Returns by how much limits of time have to grow because others use the
 * machine as well: 1 on an idle one, 8 where 16 want to run on 2 processors, at
 * most TEST__BUSY_MOST. By the load of the last minute. */
double test__busy(void);

/* The same of a load and a number of processors. */
double test__busy_of(double load, long processors);

/* ---- The child --------------------------------------------------------------
 */

/* Runs the test and returns main's status. report is the descriptor for the
 * records, or -1 when somebody runs the test by hand. */
int test__body_run(const struct test_case *test, int report, unsigned seconds);

/* On any thread: sends a record, formatted as by printf. */
void test__tell(char kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* On any thread: adds a note to a test that passes. */
void test__note(const char *text);

/* Returns the nanoseconds the test may still take, 0 when its time is over,
 * UINT64_MAX when it has no limit. */
uint64_t test__time_left(void);

/* Returns the next of the calling thread's rooms for a text, TEST__TEXT_SIZE
 * bytes each, which are used by turns. */
char *test__next_text(void);

/* On any thread: counts an allocation of this kind. Returns whether it has to
 * fail; then errno is ENOMEM. */
bool test__alloc_fails(int kind);

/* Returns whether malloc and its kin count in this program. */
bool test__alloc_is_wrapped(void);

/* realloc below the one that fails by countdown. */
void *test__alloc_resize(void *block, size_t size);

/* While a test waits at a place of its file, a time limit names that place.
 * NULL: it does not wait any more. */
void test__wait_at(const char *file, int line);

/* Tells which test test_path is for. */
void test__path_prepare(const char *test);

/* Writes the path of a test's folder, without a slash at the end. Returns 0
 * or UV_ENAMETOOLONG. The parent asks, too. */
int test__folder_path(const char *name, long pid, char *path, size_t size);

/* Returns whether the folder was there before the test: then neither the test
 * nor its runner makes or removes it. */
bool test__folder_is_given(void);

/* From now on threads count. Call before the test begins. */
void test__threads_prepare(void);

/* Returns how many of the threads that were started by code linked here have
 * not ended. Those that are just ending have a moment to do so, within the time
 * of the test. */
unsigned test__threads_left(void);

/* Inside the sandbox, returns how many processes there are beside this one.
 * Likewise. */
unsigned test__processes_left(void);

/* Makes the process ready for test__stacks, which it then calls by itself when
 * it crashes, unless a sanitizer does that. */
void test__stacks_prepare(void);
void test__crash_prepare(void);

/* Gives the calling thread a stack for signals of TEST__STACK_SIZE bytes, so
 * that it can say where its own is full; NULL takes it back. */
void test__crash_thread(void *memory);

/* Asks every thread of this process where it is, and sends a record
 * TEST__STACK for each that is somewhere in this program: the thread's number
 * (1 is the main thread, the others in the order of their start) and the
 * places (offsets for addr2line) from the innermost outwards; first the
 * calling thread. A number with an asterisk is that of a thread that has used
 * much of the processor: it does not wait. The other threads stop there for
 * good. For a test whose time is over or that crashes; safe in a signal
 * handler as far as can be. */
void test__stacks(void);

/* Sends the record of the calling thread alone, unless one was sent. */
void test__stacks_here(void);

#endif
