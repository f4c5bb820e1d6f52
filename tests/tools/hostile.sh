#!/bin/sh
# hostile.sh - checks that no student's file gets the better of the grader
#
#   sh hostile.sh [FILE...]
#
# Each file of tests/hostile stands in for a student's exercises/00-start
# beside a right 01-blocking, and says in its header what has to come of it:
#
#     * Verdict: left early | hung       one of these, by name
#     * Message: SIGABRT                 the grader's output contains it
#     * Each: SIGHUP SIGTERM             once for each of these words, which
#                                        takes the place of the macro EACH
#     * As: pipe                         the file is no file: a pipe or a folder
#     * Needs: sandbox                   not checked without it
#     * Time: 1                          its limits are multiplied by this, and
#                                        not by 0.15 as those of the others
#
# Points only for "passed", all points for 01-blocking, results that are
# complete, no process left, no file left or changed. The grader runs in a copy
# of the course, twice at a time. SANDBOX=never: without bubblewrap.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

seconds=120
most_output=20000

# All values of a header line: field FILE NAME.
field() {
    sed -n "s/^ \* $2: *//p" "$1"
}

# Copies what the grader reads, so that nothing else can be harmed.
copy_course() {
    build=${ASQ_BUILD:-build}
    mkdir -p "$course/build" || return
    cp -R exercises lessons solutions "$course" || return
    (cd "$build" && find . \( -path ./grader -o -name grader.conf \
        -o -name 'deps.*' -o -name libmodules.a -o -name libgrader.a \
        -o -path '*/exercises/*/table' \
        -o -path '*/obj/exercises/*/check.o' \) -print |
        tar cf - -T -) | (cd "$course/build" && tar xf -) || return
    for part in . san-address-undefined san-thread; do
        sed "s|@[^ ]*/deps\.|@build/$part/deps.|g" "$build/$part/grader.conf" \
            >"$course/build/$part/grader.conf" || return
    done
}

# Every file below the folder $1 with a sum of what is in it, every other name.
picture() (
    cd "$1" || exit
    find . -type f -exec cksum {} +
    find . ! -type f
) 2>&1

# prepare_lane NUMBER: the folder of the runs that come one after another.
prepare_lane() {
    lane=$folder/lane-$1
    mkdir -p "$lane/built" "$lane/outside" "$lane/temporary"
}

# Prints the file $1 with the value $2. A student has one file, so that a header
# is put into it.
write_student() {
    sed -e "s/^#define EACH .*/#define EACH $2/" \
        -e '/^#include "early.h"/{' -e 'r tests/hostile/early.h' -e d -e '}' \
        "$1"
}

# Makes the student's files of a run: prepare FILE VALUE.
prepare() {
    rm -rf "$lane/from" "$lane/results.json"
    mkdir -p "$lane/from/00-start" "$lane/from/01-blocking"
    student=$lane/from/00-start/ex_hello.c
    case $(field "$1" As) in
    pipe) mkfifo "$student" ;;
    folder) mkdir "$student" ;;
    *) write_student "$1" "$2" >"$student" ;;
    esac
    cp solutions/01-blocking/ex_order_total.c "$lane/from/01-blocking"
    picture "$lane/from" >"$lane.from"
    echo 'as it was' >"$lane/witness"
    echo 'as it was' >"$lane/outside/witness"
}

# grade NAME [OPTION VALUE]: runs the grader. What it says stands in $out/NAME.
# A descriptor that it was given is open; that is none of the tests' business.
grade() (
    name=$1
    shift
    cd "$course" || exit
    export ASQ_BUILD=build ASQ_HOSTILE="$marker-$name." LC_ALL=C
    export TMPDIR="$lane/temporary"
    exec 9>>"$lane/witness"
    exec sh "$tools/limit.sh" "$seconds" build/grader --from "$lane/from" \
        --work "$lane/built" --results "$lane/results.json" --state none \
        --seed 41 --jobs 2 --sandbox "${SANDBOX:-auto}" \
        "$@" >"$out/$name" 2>&1
)

# The points and the verdict of test 1 of 00-start: "0 left early".
outcome() {
    grep '{"exercise": "00-start", "test": 1,' "$lane/results.json" |
        sed 's/.*"points": \([0-9]*\),.*"verdict": "\([^"]*\)".*/\1 \2/'
}

# Says, and ends, what still runs of the grader's run $1. What it started has
# its environment, whosever child it is now.
end_the_rest() {
    rest=$(grep -lsF "ASQ_HOSTILE=$marker-$1." /proc/[0-9]*/environ |
        sed 's|/proc/\([0-9]*\)/.*|\1|')
    for pid in $rest; do
        echo "left process $pid running: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
        kill -KILL "$pid"
    done
}

# Says what is wrong with files after a run.
look_at_files() {
    [ "$(picture "$course")" = "$(cat "$course.picture")" ] ||
        echo "the course was changed:
$(picture "$course" | diff "$course.picture" -)"
    picture "$lane/from" | cmp -s - "$lane.from" ||
        echo "the student's files were changed"
    [ "$(cat "$lane/witness" "$lane/outside/witness")" = "as it was
as it was" ] || echo 'a file outside was changed'
    (cd "$lane" && find built temporary -path "*/tmp/*" -o \
        -path "temporary/*") | sed "s/^/left behind: /"
    # Or every later run would be to blame.
    rm -rf "$lane"/built/*/tmp/* "$lane"/temporary/*
    more=$(cd "$lane" && find . ! -name . -prune | sort | tr '\n' ' ')
    [ "$more" = \
        './built ./from ./outside ./results.json ./temporary ./witness ' ] ||
        echo "left behind: $more"
}

# Says what is wrong with the results: look_at_results ALLOWED VALUE
look_at_results() {
    if [ -L "$lane/results.json" ] ||
        ! grep -q '"state": "complete"' "$lane/results.json"; then
        echo 'the results are not complete'
        return
    fi
    got=$(outcome)
    case " | $1 | " in
    *" | ${got#* } | "*) ;;
    *) echo "the verdict is ${got#* }, not $1" ;;
    esac
    case $got in
    '10 passed' | '0 '[!p]*) ;;
    *) echo "points and verdict: $got" ;;
    esac
    [ -n "$2" ] || grep -q \
        '^    {"exercise": "01-blocking", "points": 10, "max": 10,' \
        "$lane/results.json" || echo '01-blocking has lost points'
}

# Says what is wrong with what the grader printed: look_at_output FILE MESSAGE
look_at_output() {
    grep -qF -e "$2" "$1" || echo "the output does not say: $2"
    [ "$(wc -c <"$1")" -le "$most_output" ] || echo 'the output is too long'
    ! tr -d '\t' <"$1" | LC_ALL=C grep -q '[[:cntrl:]]' ||
        echo 'the output has control characters'
}

# try NAME FILE VALUE: one behaviour. What is wrong stands in $out/NAME.wrong.
try() {
    allowed=$(field "$2" Verdict)
    message=$(field "$2" Message | sed "s/EACH/$3/")
    time=$(field "$2" Time)
    prepare "$2" "$3"
    if [ -z "$3" ]; then
        grade "$1" --time-scale "${time:-0.15}"
    else
        grade "$1" --time-scale "${time:-0.15}" --exercise 00
    fi
    status=$?
    {
        case $status in
        0 | 1) ;;
        *) echo "the grader's status is $status" ;;
        esac
        end_the_rest "$1"
        look_at_results "$allowed" "$3"
        look_at_output "$out/$1" "$message"
        look_at_files
    } >"$out/$1.wrong" 2>&1
    outcome >"$out/$1.outcome" 2>&1
}

# Runs every second behaviour of the list: run_lane NUMBER.
run_lane() {
    lane=$folder/lane-$1
    sed 1d "$folder/list" | awk -v lane="$1" 'NR % 2 == lane' |
        while read -r name file value; do
            [ "$sandbox" != none ] || [ -z "$(field "$file" Needs)" ] ||
                continue
            try "$name" "$file" "$value" </dev/null
        done
}

# Writes the list: NAME FILE VALUE.
list() {
    for file in "$@"; do
        name=$(basename "$file" .c)
        each=$(field "$file" Each)
        [ -n "$each" ] || echo "$name $file"
        for value in $each; do
            echo "$name-$value $file $value"
        done
    done
}

make_folder
folder=$(cd "$folder" && pwd -P)
course=$folder/course
out=$folder/out
marker=asq-$$
mkdir "$out"
if ! copy_course; then
    fail the_course_can_be_copied
    finish
fi
picture "$course" >"$course.picture"

# A right answer comes first: it builds 01-blocking, and says what is known of
# the sandbox.
printf '/* right\n *\n * Verdict: passed\n */\n' | cat - \
    solutions/00-start/ex_hello.c >"$folder/right.c"
prepare_lane 0
try right "$folder/right.c" '' </dev/null
echo "right $folder/right.c" >"$folder/list"
sandbox=$(sed -n 's/.*"sandbox": "\([a-z]*\)".*/\1/p' "$lane/results.json")

if [ "$#" = 0 ]; then
    set -- tests/hostile/*.c
fi
list "$@" >>"$folder/list"
prepare_lane 1
[ -f /proc/self/environ ] ||
    not_checked left_processes 'there is no /proc to find them in'
run_lane 0 &
run_lane 1 &
wait

while read -r name file value; do
    if [ -s "$out/$name.wrong" ]; then
        fail "$name" "$(cat "$out/$name.wrong" "$out/$name")"
    elif [ "$sandbox" = none ] && [ -n "$(field "$file" Needs)" ]; then
        not_checked "$name" 'it needs the sandbox'
    elif [ ! -s "$out/$name.outcome" ]; then
        fail "$name" 'it was not tried to its end'
    else
        ok "$name: $(cat "$out/$name.outcome")"
    fi
done <"$folder/list"
finish
