#!/bin/sh
# make_test.sh - checks the Makefile, and the scripts it calls, on a small tree
#
#   sh make_test.sh
#
# The tree holds one file of each kind that the Makefile looks for. Its folder
# has a blank in its name, as a reader's may have.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# put FILE: a file of the tree, from standard input.
put() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

make_tree() {
    mkdir -p tests
    cp "$tools/../../Makefile" .
    cp -R "$tools" tests/tools
    mkdir -p exercises/grader/tools
    cp "$tools/../../exercises/grader/tools/modules.sh" exercises/grader/tools
    put lessons/common/clock.h <<'TEXT'
int clock_tick(void);
TEXT
    put lessons/common/clock.c <<'TEXT'
#include "common/clock.h"
int clock_tick(void)
{
    return 7;
}
TEXT
    put lessons/01-one/one.h <<'TEXT'
int one(void);
TEXT
    put lessons/01-one/one.c <<'TEXT'
#include "01-one/one.h"
int one(void)
{
    return 1;
}
TEXT
    put lessons/01-one/main.c <<'TEXT'
#include "01-one/one.h"
#include "common/clock.h"
#include <stdio.h>
int main(int argc, char **argv)
{
    return printf("lesson %d %d %s\n", one(), clock_tick(),
                  argc > 1 ? argv[1] : "") < 0;
}
TEXT
    put lessons/01-one/idea.c <<'TEXT'
/* idea - counts to a thousand */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *count(void *sum)
{
    for (int i = 0; i < 1000; i++) {
        *(volatile int *)sum += 1;
    }
    return NULL;
}
int main(void)
{
    pthread_t thread;
    int *sum = calloc(1, sizeof *sum);
    int other = 0;

    if (sum == NULL || pthread_create(&thread, NULL, count, sum) != 0) {
        return 1;
    }
    (void)count(&other);
    (void)pthread_join(thread, NULL);
    *sum += other;
    (void)printf("sum %d\n", *sum);
    (void)fflush(stdout);
    free(sum);
    return 0;
}
TEXT
    put bench/work.h <<'TEXT'
int work(void);
TEXT
    put bench/work.c <<'TEXT'
#include "work.h"
#include "common/clock.h"
int work(void)
{
    return clock_tick();
}
TEXT
    put bench/demo.c <<'TEXT'
#include "work.h"
#include <stdio.h>
int main(void)
{
    return printf("demo %d\n", work()) < 0;
}
TEXT
    put bench/reads.c <bench/demo.c
    put exercises/grader/alloc.c <<'TEXT'
#include <stddef.h>
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int mallocs;
void *__wrap_malloc(size_t size)
{
    mallocs++;
    return __real_malloc(size);
}
TEXT
    put exercises/grader/run.c <<'TEXT'
int run_tests(void);
int main(void)
{
    return run_tests();
}
TEXT
    put tests/test_one.c <<'TEXT'
#include "01-one/one.h"
#include <stdio.h>
int run_tests(void);
int run_tests(void)
{
    (void)printf(one() == 1 ? "ok  one_is_one\n1 passed, 0 failed\n"
                            : "FAIL  one_is_one\n0 passed, 1 failed\n");
    return one() != 1;
}
TEXT
}

# run MAKE'S-ARGUMENTS: leaves its output in said, and status.
run() {
    run_make "$@" </dev/null >"$folder/said" 2>&1
    status=$?
}

check_help() {
    run help
    expect help_shows_what_a_student_needs 0 'make demo' 'make lesson' \
        'make check ' 'make doctor' 'not: make check-' 'not: make clean'
    run help-all
    expect help_all_shows_the_rest 0 'make clean' 'make test' 'SAN=thread' \
        'not: make demo '
    run -n help-all
    expect help_needs_no_library 0 'not: deps.sh'
}

check_mistakes() {
    run lesson
    expect lesson_wants_a_number 2 'lines: 1' 'one of: 01-one'
    run lesson L=99
    expect lesson_wants_a_lesson 2 'lines: 1' 'one of: 01-one'
    run SAN=all
    expect san_wants_a_sanitizer 2 'lines: 1' 'SAN=all'
    run test T=two
    expect test_wants_a_test 2 'lines: 1' 'T=two' 'one'
    run demo BUILD='two words'
    expect build_has_no_blank 2 'lines: 1' 'BUILD=two words' '/tmp/'
    run demo BUILD=
    expect build_has_a_name 2 'lines: 1' 'BUILD=: '
    run demo BUILD=Makefile/x
    expect build_can_be_written 2 'lines: 2' 'Makefile/x cannot be written' \
        'make BUILD=/tmp/'
    run clean BUILD=..
    expect clean_keeps_the_course 2 'lines: 2' 'BUILD=.. holds the course'
    put lessons/01-one/clock.h </dev/null
    put lessons/01-one/clock.c </dev/null
    run
    expect two_modules_need_two_names 2 'lines: 1' clock.c
    rm lessons/01-one/clock.?
}

check_building() {
    run demo
    expect demo_builds_only_what_it_needs 0 'last: demo 7' 'lines: 2' \
        'Compiles 3 files first' 'file: build/obj/bench/work.o' \
        'none: build/obj/lessons/01-one' 'none: build/obj/bench/reads.o' \
        'none: build/obj/tests'
    run demo
    expect demo_says_only_what_it_does 0 'last: demo 7' 'lines: 1'
    check_cut_output
    check_progress
    run demo BUILD="$folder/elsewhere"
    expect builds_elsewhere 0 'last: demo 7' "file: $folder/elsewhere/demo"
    run
    expect everything_builds 0 build/01-one build/01-one-idea \
        build/bench/reads build/tests/test_one 'not: arning'
    run
    expect nothing_is_built_twice 0 'not:   CC' 'not:   LD'
    run lesson L=1 ARGS=here
    expect lesson_runs_its_program 0 'last: lesson 1 7 here'
    run V=1 CFLAGS=-O0 lesson L=01-one
    expect new_flags_build_it_again 0 -std=c11 ' -O0 ' 'CC  lessons/01-one/one.c'
    put lessons/02-two/main.c <lessons/01-one/main.c
    touch -t 203001010000 lessons/01-one/one.h
    run CFLAGS=-O0
    expect finds_new_lessons_and_headers 0 build/02-two \
        'CC  lessons/01-one/one.c' 'not: lessons/common/clock.c'
    touch lessons/01-one/one.h
    rm -r lessons/02-two
    put lessons/common/gone.c <<'TEXT'
extern int gone;
int gone;
TEXT
    run
    rm lessons/common/gone.c
    run
    ar t build/libasq.a >"$folder/said"
    expect archive_forgets_what_is_gone 0 clock.o 'not: gone.o'
}

# What is written after the reader has gone ends the program, and is no error.
check_cut_output() {
    mkfifo "$folder/pipe"
    exec 3<>"$folder/pipe" 4>"$folder/pipe" 3<&-
    run_make demo </dev/null >&4 2>"$folder/said"
    status=$?
    exec 4>&-
    expect output_that_is_cut_off_is_no_error 0 'lines: 0'
}

# On a terminal the count goes on, in a line that is written over.
check_progress() {
    case $(script --version 2>/dev/null) in
    *util-linux*) ;;
    *)
        not_checked progress_is_shown 'there is no script(1) of util-linux'
        return
        ;;
    esac
    run clean
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL T N L ARGS V
        export TERM=xterm
        script -qec "'${MAKE:-make}' demo" /dev/null </dev/null 2>&1
    ) | tr '\r' '\n' >"$folder/said"
    status=0
    expect progress_is_shown 0 'Compiles 3 files first' '  1 of 3  ' \
        '  3 of 3  ' 'not: 4 of' 'demo 7'
    run clean
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL T N L ARGS V
        export TERM=dumb
        script -qec "'${MAKE:-make}' demo" /dev/null </dev/null
    ) >"$folder/said" 2>&1
    expect dumb_terminals_show_no_progress 0 'Compiles 3' 'demo 7' 'not: 1 of 3'
}

check_testing() {
    put tests/test_wrap.c <<'TEXT'
#include <stdio.h>
#include <stdlib.h>
extern int mallocs;
int run_tests(void);
int run_tests(void)
{
    int before = mallocs;
    void *volatile block = malloc(1);
    int failed = mallocs == before;

    free(block);
    (void)printf("%s  malloc_is_ours\n%d passed, %d failed\n",
                 failed ? "FAIL" : "ok", !failed, failed);
    return failed;
}
TEXT
    put tests/test_abort.c <<'TEXT'
#include <stdlib.h>
int run_tests(void);
int run_tests(void)
{
    abort();
}
TEXT
    put tests/test_wrong.c <<'TEXT'
#include <stdio.h>
int run_tests(void);
int run_tests(void)
{
    (void)printf("ok  right\nFAIL  wrong\n    got 1\n1 passed, 1 failed\n");
    return 1;
}
TEXT
    put tests/test_silent.c <<'TEXT'
int run_tests(void);
int run_tests(void)
{
    return 0;
}
TEXT
    run test T=one
    expect a_test_that_passes 0 'last: 1 passed, 0 failed'
    run test T=wrong
    expect a_test_that_fails_is_shown 2 'got 1' 'FAIL  wrong' '1 passed, 1 failed'
    run test T=abort
    expect a_test_that_dies_has_failed 2 'FAIL  abort' '0 passed, 1 failed'
    run test T=silent
    expect a_test_that_says_nothing_has_failed 2 '0 passed, 1 failed'
    if [ "$(uname -s)" = Linux ]; then
        run test T=wrap
        expect tests_have_the_allocator_of_the_grader 0 \
            'last: 1 passed, 0 failed'
    else
        not_checked tests_have_the_allocator_of_the_grader 'no --wrap here'
    fi
}

# twin NAME SED-COMMAND PROOF: a copy of the idea with one line changed.
twin() {
    {
        echo "/* $1 - claims to be wrong"
        echo ' *'
        echo ' * Copy of: idea.c'
        echo " * Proof: $3"
        echo ' */'
        sed -e 1d -e "$2" lessons/01-one/idea.c
    } | put "lessons/01-one/$1.c"
}

# A compiler whose sanitized programs, if they do nothing, cannot start either.
check_sanitizers_that_cannot_start() {
    put compiler <<'TEXT'
#!/bin/sh
case $* in
*-fsanitize=*/probe.c)
    while [ "$1" != -o ]; do
        shift
    done
    printf '#!/bin/sh\nexit 66\n' >"$2"
    chmod +x "$2"
    ;;
*) exec cc "$@" ;;
esac
TEXT
    chmod +x compiler
    run test T=one SAN=thread CC=./compiler
    expect tests_that_cannot_start_are_not_checked 0 \
        'SAN=thread: the sanitizer cannot start on this machine' \
        'not checked  all tests' 'last: 0 passed, 0 failed'
    twin shared 's/count(&other)/count(sum)/' 'thread data race'
    run twins CC=./compiler
    expect twins_that_cannot_start_are_not_checked 0 \
        'not checked  01-one/shared ' '0 passed, 0 failed, 1 not checked'
}

check_twins() {
    twin wrong_sum 's/i < 1000/i < 999/' 'prints sum 1998'
    twin fails 's/return 0/return 3/' 'exits 3'
    twin hangs 's/count(&other)/pthread_join(thread, NULL), puts("waits"), \
        fflush(stdout), pthread_mutex_lock(\&lock), \
        pthread_mutex_lock(\&lock)/
        s/^int main/static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; &/
        ' 'hangs waits'
    twin right 's/i = 0/i = +0/' 'prints sum 1998'
    twin early_free 's/\*sum += other/free(sum);/' 'address use-after-free'
    twin shared 's/count(&other)/count(sum)/' 'thread data race'
    twin no_proof 's/1000/999/' ''
    twin same '' 'prints sum 2000'
    twin also_right 's/i = 0/i = +0/' 'prints sum 2000'
    {
        cat lessons/01-one/one.c
        echo '#include <stdio.h>'
        echo 'int main(void) { return puts(one() == 1 ? "1" : "not 1") < 0; }'
    } | sed -e 's/return 1/return 2/' -e '1i\
/* other_one - a module replaced\
 * Copy of: one.c\
 * Proof: prints not 1\
 */' | put lessons/01-one/other_one.c
    run twins CFLAGS='-O0 -g -w'
    for name in wrong_sum fails hangs early_free shared other_one; do
        grep -q "^not checked.*/$name " "$folder/said" ||
            expect "twin_$name" 2 "ok  01-one/$name "
    done
    for name in right also_right; do
        expect "twin_$name" 2 "FAIL  01-one/$name "
    done
    expect twin_without_proof 2 'FAIL  01-one/no_proof has a header'
    expect twin_without_change 2 'FAIL  01-one/same is nearly idea.c'
    expect twins_are_counted 2 ' 5 failed'
}

make_folder
said=$folder/said
mkdir "$folder/small tree"
cd "$folder/small tree" || exit 1
export BUILD=build SAN='' WERROR=''
unset CFLAGS
make_tree
check_help
check_mistakes
check_building
check_testing
check_sanitizers_that_cannot_start
check_twins
finish
