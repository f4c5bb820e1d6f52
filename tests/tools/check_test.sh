#!/bin/sh
# check_test.sh - checks what `make check` does around the tests of an exercise
#
# The grader is given folders with files of exercise 00 and 01 that are right,
# untouched, broken, missing, changed; what it prints, its exit status and
# results.json are looked at. Needs what `make check` builds.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

build=${ASQ_BUILD:-build}
make_folder
from=$folder/from
out=$folder/out
results=$folder/results.json

# Puts solutions in place; all of them have $max points.
put_solutions() {
    rm -rf "$from"
    cp -R solutions "$from"
}
# shellcheck disable=SC2012 # names of the course are plain
max=$(($(ls solutions | wc -l) * 10))

# run ARGS: grades, keeps the output and the status.
run() {
    LC_ALL=C ASQ_BUILD=$build "$build/grader" --from "$from" \
        --work "$folder/work" --results "$results" --state none --seed 41 \
        "$@" >"$out" 2>&1
    status=$?
}

# expect NAME STATUS PATTERN...: each pattern is in the output.
expect() {
    name=$1
    wanted=$2
    shift 2
    [ "$status" = "$wanted" ] || {
        fail "$name" "status $status, expected $wanted
$(cat "$out")"
        return
    }
    for pattern in "$@"; do
        grep -q -e "$pattern" "$out" || {
            fail "$name" "does not say: $pattern
$(cat "$out")"
            return
        }
    done
    ok "$name"
}

# Adds a line of C to the file of exercise 00, before its function.
add_line() {
    printf '%s\n' "$1" >>"$from/00-start/ex_hello.c"
}

put_solutions
run
expect full_points 0 '^+ 00-start  .*10/10$' '^+ 01-blocking .*10/10$' \
    "$max of $max points"
if grep -q '"state": "complete"' "$results" &&
    grep -q '"points": '"$max, \"max\": $max" "$results"; then
    ok results_are_complete
else
    fail results_are_complete "$(cat "$results")"
fi

run --exercise 1 --test 2
expect one_test 0 '01-blocking .*of 8 tests run'
if grep -q 00-start "$out" "$results"; then
    fail one_exercise_only "$(cat "$out")"
else
    ok one_exercise_only
fi

# Nothing is built again.
: >"$folder/before"
run --exercise 00
built=$(find "$folder/work" -name check -newer "$folder/before")
if [ -z "$built" ] && [ "$status" = 0 ]; then
    ok what_has_not_changed_is_not_built
else
    fail what_has_not_changed_is_not_built "$built"
fi
echo '/* changed */' >>"$from/00-start/ex_hello.c"
run --exercise 00
built=$(find "$folder/work" -name check -newer "$folder/before" | wc -l)
if [ "$((built))" = 2 ] && [ "$status" = 0 ]; then
    ok what_has_changed_is_built_for_its_tests
else
    fail what_has_changed_is_built_for_its_tests "$built of plain and address"
fi

cp exercises/grader/skeletons/00-start/ex_hello.c "$from/00-start/"
run --exercise 00
expect untouched 1 '00-start .* 0/10   not started: edit exercises/00-start/'
run --exercise 00 --force
expect untouched_is_red 1 '^x 00-start - test 1 of 1 - 10 points' \
    '^  expected  ' '^  got  ' '^  look at    exercises/00-start/ex_hello.c:' \
    'again      make check EX=00 TEST=1 SEED=41  .*hints: make hint EX=00'
run --exercise 00 --force --jobs 1 --time-scale 3
expect settings 1 '^x 00-start'

# Of several functions none is named for a wrong answer.
cp exercises/grader/skeletons/05-crud/ex_page.c "$from/05-crud/"
run --exercise 05 --force
if [ "$status" = 1 ] && grep -q '^  got ' "$out" &&
    ! grep -q 'look at' "$out"; then
    ok wrong_answer_names_no_function
else
    fail wrong_answer_names_no_function "$(cat "$out")"
fi

put_solutions
add_line 'static int broken(void) { return }'
run --exercise 00
expect broken 1 '00-start .* does not compile' 'expected expression' \
    'look at    exercises/00-start/ex_hello.c:[0-9]*$'
if [ "$(grep -c 'error' "$out")" -le 1 ] && ! grep -q "$from" "$out"; then
    ok only_the_first_error
else
    fail only_the_first_error "$(cat "$out")"
fi

put_solutions
add_line 'int ex_more(int a); int ex_more(int a) { return 1u; }'
run --exercise 00
expect refused 1 'refused' 'ex_more'

put_solutions
add_line 'static int lost(unsigned a, int b) { return a < b; }'
run --exercise 00
expect warnings_cost_nothing 0 '10/10' 'warnings  *they cost no points' \
    'exercises/00-start/ex_hello.c:[0-9]*: warning: '
run --exercise 00
expect warnings_stay 0 'exercises/00-start/ex_hello.c:[0-9]*: warning: '

put_solutions
rm "$from/00-start/ex_hello.c"
run
expect missing 1 '00-start .* missing' '01-blocking .*10/10'

put_solutions
printf '#include "ex_hello.h"\n#include <unistd.h>\n%s\n' \
    'const char *ex_hello(void) { _exit(0); }' >"$from/00-start/ex_hello.c"
run
expect one_does_not_touch_another 1 'left early' '^+ 01-blocking .*10/10'

# A sanitizer that cannot start here: its tests give no points and say so.
put_solutions
whole=$(cd "$build" && pwd)
mkdir -p "$folder/fake/san-thread"
for file in "$whole"/* "$whole"/san-thread/*; do
    case ${file#"$whole"/} in
    san-thread | san-thread/grader.conf) ;;
    *) ln -s "$file" "$folder/fake/${file#"$whole"/}" ;;
    esac
done
{
    cat "$whole/san-thread/grader.conf"
    echo 'off the thread sanitizer cannot start'
} >"$folder/fake/san-thread/grader.conf"
LC_ALL=C ASQ_BUILD=$folder/fake "$build/grader" --from "$from" --exercise 02 \
    --work "$folder/work" --results "$results" --state none >"$out" 2>&1
status=$?
expect not_checked 1 '^- 02-threads .* 3 points - not checked: the thread san' \
    '02-threads  .* 7/10'

# Wrong use.
run --exercise 77
expect unknown_exercise 2 'EX=77: there is no such exercise; there is 00-start'
run --exercise 00 --test 7
expect unknown_test 2 'TEST=7: 00-start has the tests 1 to 1'
run --test 1
expect test_of_what 2 'TEST=1: of which exercise'
run --seed x
expect bad_seed 2 '--seed "x" is not a whole number from 0'
run --sandbox maybe
expect bad_sandbox 2 '--sandbox maybe: use auto, always or never'
run --nonsense
expect bad_option 2 'unknown option "--nonsense"'
run --jobs
expect value_missing 2 '--jobs has no value'
run --help
expect help 0 'Exit status'

# Why there is no sandbox is said once a day. The bubblewrap found here fails.
mkdir -p "$folder/bin"
printf '#!/bin/sh\nexit 1\n' >"$folder/bin/bwrap"
chmod +x "$folder/bin/bwrap"
rm -f "$folder/fake/no-sandbox-said"
for name in sandbox_is_missed_once sandbox_is_not_missed_again; do
    LC_ALL=C PATH=$folder/bin:$PATH ASQ_BUILD=$folder/fake "$build/grader" \
        --from "$from" --exercise 00 --work "$folder/work" \
        --results "$results" --state none >"$out" 2>&1
    status=$?
    case $name:$(grep -c 'no sandbox' "$out") in
    *_once:1 | *_again:0) ok "$name" ;;
    *) fail "$name" "$(cat "$out")" ;;
    esac
done

# The results say "incomplete, 0 points" until the end.
put_solutions
printf '#include "ex_hello.h"\n#include <unistd.h>\n%s\n' \
    'const char *ex_hello(void) { for (;;) (void)pause(); }' \
    >"$from/00-start/ex_hello.c"
rm -f "$results"
LC_ALL=C ASQ_BUILD=$build "$build/grader" --from "$from" \
    --work "$folder/work" --results "$results" --state none --quiet \
    >"$out" 2>&1 &
pid=$!
until [ -s "$results" ]; do :; done
kill -TERM "$pid"
wait "$pid" 2>/dev/null
status=$?
if [ "$status" = 143 ] && grep -q '"state": "incomplete"' "$results" &&
    grep -q '"points": 0, "max": '"$max" "$results"; then
    ok stopped_is_incomplete
else
    fail stopped_is_incomplete "status $status
$(cat "$results")"
fi

# On a terminal a test that takes long is named; in a log it is not.
if script -qec true /dev/null >"$out" 2>&1; then
    script -qec "LC_ALL=C ASQ_BUILD=$build $build/grader --from $from \
        --work $folder/work --results $results --state none --exercise 00 \
        --time-scale 1" /dev/null >"$out" 2>&1
    status=$?
    expect long_test_is_named_on_a_terminal 1 \
        'still running: 00-start test 1, says hello (3 s)'
    run --exercise 00 --time-scale 1
    if ! grep -q 'still running' "$out"; then
        ok log_has_no_progress
    else
        fail log_has_no_progress "$(cat "$out")"
    fi
else
    echo 'not checked  long_test_is_named_on_a_terminal: there is no script'
fi

# The state file keeps the best points and what it does not know.
put_solutions
state=$folder/progress.txt
printf '01-blocking.hints 2\nunknown thing\n00-start.best 3/10\n' >"$state"
run --state "$state" --exercise 01
run --state "$state" --exercise 00
cp exercises/grader/skeletons/00-start/ex_hello.c "$from/00-start/"
run --state "$state" --exercise 00
got=$(sort "$state")
wanted='00-start.best 10/10
00-start.points 0/10
01-blocking.best 10/10
01-blocking.hints 2
01-blocking.points 10/10
unknown thing'
if [ "$got" = "$wanted" ]; then
    ok state
else
    fail state "$got"
fi

# built_for EXERCISE: the C files that a first check of it compiles, and how
# often: for three builds, or for two if no test starts threads, as in 00.
built_for() {
    run_make -n check EX="$1" BUILD="$folder/none" 2>&1 |
        sed -n 's/.* -c -o [^ ]* \([^ ]*\.c\)$/\1/p' | sort | uniq -c |
        awk '$2 !~ /^exercises\/grader\// { print $1, $2 }'
}
got=$(built_for 00 | grep -v ' lessons/common/')
if [ "$got" = '2 exercises/00-start/check.c' ]; then
    ok first_check_builds_one_exercise
else
    fail first_check_builds_one_exercise "$got"
fi
got=$(built_for 03)
if echo "$got" | grep -q '^3 lessons/03-event-loop/conn.c' &&
    echo "$got" | grep -q '^3 lessons/common/slow_disk.c' &&
    ! echo "$got" | grep -q -e batch -e '04-' -e heartbeat; then
    ok first_check_builds_the_modules_of_its_contract
else
    fail first_check_builds_the_modules_of_its_contract "$got"
fi
got=$(built_for 77 | grep -c '^3 exercises/.*/check.c')
# shellcheck disable=SC2012 # names of the course are plain
if [ "$got" = "$(ls -d exercises/[0-9]* | wc -l)" ]; then
    ok check_of_none_builds_all
else
    fail check_of_none_builds_all "$got"
fi

# Hidden tests count as others do, and say so.
mkdir -p "$folder/hidden/00-start"
sed 's/says hello/is polite/' exercises/00-start/check.c \
    >"$folder/hidden/00-start/check.c"
put_solutions
if run_make check HIDDEN="$folder/hidden" EX=00 SEED=41 BUILD="$build" \
    ARGS="--from $from --results $results --work $folder/work --state none" \
    >"$out" 2>&1; then
    status=0
else
    status=1
fi
expect hidden_tests 0 '20/20'
if grep -q '"title": "is polite".*"hidden": true' "$results"; then
    ok hidden_tests_are_marked
else
    fail hidden_tests_are_marked "$(cat "$results")"
fi
finish
