#!/bin/sh
# run_tests.sh - runs tests, shows what failed, counts
#
#   sh run_tests.sh TEST NAME ...
#
# A NAME is a program $ASQ_BIN/tests/test_NAME made of tests/test_NAME.c, or a
# script NAME.sh beside this one; TEST, if not empty, is the one test of a
# program that is run. Each prints a line for each test ("ok", "FAIL" or "not
# checked", and the test's name), and last "N passed, N failed" or "N passed,
# N failed, N not checked".
#
# They run side by side, except scripts that run the course's programs: these
# come last, one by one, because two runs of one program would write to the
# same file, and because what they compare is better not disturbed.
#
# The last line is "N passed, N failed". Exit status: 1 when something failed
# or no test ran.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

only=$1
shift
seconds=400

# Prints the counts of a test, which are its last line.
counts_of() {
    sed -n '$s/^\([0-9]* passed, [0-9]* failed\).*/\1/p' "$folder/$1.out"
}

# Runs a test and keeps its output and status under its name.
run_one() {
    unset ASQ_RUN_ONE
    if [ -f "tests/test_$1.c" ]; then
        set -- "$1" "$ASQ_BIN/tests/test_$1" ${only:+"$only"}
    else
        set -- "$1" sh "$tools/$1.sh"
    fi
    name=$1
    shift
    sh "$tools/limit.sh" "$seconds" "$@" >"$folder/$name.out" 2>&1
    status=$?
    echo "$status" >"$folder/$name.status"
    line=$(counts_of "$name")
    printf '  %-20s %s\n' "$name" "${line:-ended with status $status}"
}

# Adds a test to the sums and shows what did not pass. A test that came to its
# end by another way than its own is one that failed.
count() {
    out=$folder/$1.out
    status=$(cat "$folder/$1.status" 2>/dev/null || echo none)
    line=$(counts_of "$1")
    good=${line%% *}
    bad=${line#*, }
    bad=${bad%% *}
    grep -v -e '^ok ' -e '^[0-9]* passed, ' "$out"
    if [ -z "$line" ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        case $status in
        124) why="stopped after $seconds s" ;;
        *) why="ended with status $status without its own result" ;;
        esac
        printf 'FAIL  %s: %s\n' "$1" "$why"
        bad=$((${bad:-0} + 1))
    fi
    passed=$((passed + ${good:-0}))
    failed=$((failed + bad))
    not_checked=$((not_checked + $(grep -c '^not checked' "$out")))
}

# So that tests can run side by side, xargs runs this script again for each.
if [ -n "${ASQ_RUN_ONE:-}" ]; then
    folder=$ASQ_RUN_ONE
    run_one "$1"
    exit 0
fi

prefix=
if [ -n "${SAN:-}" ] && ! prefix=$(sh "$tools/sanitizer.sh"); then
    echo "not checked  all tests with SAN=$SAN"
    echo '0 passed, 0 failed'
    exit 0
fi

make_folder
together=
alone=
for name in "$@"; do
    case $name in
    twins | texts | class_steps_test) alone="$alone $name" ;;
    programs) together="$name $together" ;; # it waits most: it starts first
    *) together="$together $name" ;;
    esac
done

# run_all TESTS AT-ONCE
# shellcheck disable=SC2086 # tests and the prefix are words
run_all() {
    [ -n "$1" ] || return
    printf '%s\n' $1 |
        ASQ_RUN_ONE=$folder xargs -n 1 -P "$2" $prefix sh "$0" "$only"
    for name in $1; do
        count "$name"
    done
}

run_all "$together" "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)"
run_all "$alone" 1

if [ "$((passed + failed + not_checked))" = 0 ]; then
    fail 'no test ran'
fi
[ "$not_checked" = 0 ] || echo "$not_checked not checked"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
