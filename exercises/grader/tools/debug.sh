#!/bin/sh
# debug.sh - runs one test of an exercise in a debugger, without limits
#
#   EX=02 [TEST=3] [SEED=41] [DEBUGGER=gdb] sh exercises/grader/tools/debug.sh
#
# The program is the plain one that `make check EX=02` builds. TEST is the
# number that a failure shows; without it, the first.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# number NAME VALUE FIX
number() {
    case $2 in
    '' | *[!0-9]* | ??????????*) misuse "$1=$2: $3" ;;
    esac
}

find_debugger() {
    debugger=${DEBUGGER:-}
    if [ -n "$debugger" ]; then
        have "${debugger%% *}" ||
            misuse "DEBUGGER=$debugger: there is no such program; use gdb or\
 lldb"
        return
    fi
    for debugger in gdb lldb; do
        ! have "$debugger" || return
    done
    if [ "$(uname -s)" = Darwin ]; then
        stop 'There is no debugger: xcode-select --install brings lldb.'
    fi
    stop 'There is no gdb and no lldb: install one, as in apt-get install gdb'
}

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
find_exercise
test=${TEST:-1}
number TEST "$test" 'use the number of a test, as in TEST=3'
if [ -n "${SEED:-}" ]; then
    number SEED "$SEED" 'use a whole number, as in SEED=41'
    export TEST_SEED="$SEED"
fi
program=$build/check/$exercise/plain/check
[ -x "$program" ] ||
    stop "$program is not built: make check EX=${exercise%%-*} first"

make_folder debug
"$program" --table >"$folder/table" ||
    stop "$program --table: failed; make check EX=${exercise%%-*} builds it"
name=$(awk -F '\t' -v test="$test" '$1 == test + 0 { print $2 }' \
    "$folder/table")
[ -n "$name" ] ||
    misuse "TEST=$test: $exercise has the tests 1 to $(grep -c . "$folder/table")"
find_debugger

# A debugger takes Ctrl-C for the program; we wait until it ends.
trap : INT
kind=${debugger%% *}
# shellcheck disable=SC2086 # a debugger may be several words
case ${kind##*/} in
lldb*) $debugger -- "$program" --run "$name" ;;
gdb*) $debugger -q --args "$program" --run "$name" ;;
*) $debugger --args "$program" --run "$name" ;;
esac
