#!/bin/sh
# hint.sh - shows the next of the three hints of an exercise
#
#   EX=02 sh exercises/grader/tools/hint.sh       (make hint EX=02)
#
# The hints are the parts "## 1", "## 2" and "## 3" of the exercise's
# hints.md: a question, a place, the shape of the code. How many were taken
# stands in the state file. Who took all three sees them again.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# Prints a hint without the empty lines around it.
text_of() {
    awk -v part="## $1" '
        /^## [123][ \t\r]*$/ { sub(/[ \t\r]*$/, ""); inside = $0 == part; next }
        !inside { next }
        NF { for (; empty > 0; empty--) print ""; print; begun = 1; next }
        begun { empty++ }' "$hints_file"
}

show() {
    text=$(text_of "$1")
    [ -n "$text" ] || stop "$hints_file: there is no part \"## $1\""
    echo "$exercise $dot hint $1 of 3"
    echo
    printf '%s\n\n' "$text"
}

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
find_exercise
use_characters
hints_file=exercises/$exercise/hints.md
[ -f "$hints_file" ] || stop "$exercise has no hints"

count_hints
case $hints in
3)
    show 1
    show 2
    show 3
    echo "There are no more hints."
    exit
    ;;
2) left='This was the last one.' ;;
1) left="There is one more: $command EX=${exercise%%-*}" ;;
0) left="There are two more: $command EX=${exercise%%-*}" ;;
esac
show "$((hints + 1))"
set_state "$exercise.hints" "$((hints + 1))"
echo "$left"
