#!/bin/sh
# progress.sh - shows how far a student is, and what to do next
#
#   sh exercises/grader/tools/progress.sh         (make progress)
#
# A line an exercise: the best points, the hints taken, and what the file is
# now. A file that is newer than build/results.json was not checked as it is.
# The skeleton has no points, whatever a file in its place once had.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

is_newer() {
    [ -n "$(find "$file" -newer "$build/results.json" 2>/dev/null)" ]
}

# Sets what to the state of the exercise in words, and step to the command
# that is next for it, which is empty when it is full.
judge() {
    last=$(state_of "$exercise.points")
    number=${exercise%%-*}
    step="make check EX=$number"
    was=
    if [ ! -f "$file" ] || is_untouched; then
        read_points "$best"
        [ "$points" = 0 ] || was="; was $best"
        best=0/$max
    fi
    if [ ! -f "$file" ]; then
        what=missing$was
        step="make reset EX=$number, which brings ${file##*/} back"
    elif is_untouched; then
        what="not started$was"
        step="read exercises/$exercise/README.md, edit ${file##*/}, $step"
    elif [ -z "$last" ]; then
        what='not checked yet'
    elif is_newer; then
        what='changed since the last check'
    elif is_full "$last"; then
        what=full
        step=
    elif is_full "$best"; then
        what="was full, now $last"
    else
        what='in work'
        [ "$hints" = 3 ] || step="$step, or make hint EX=$number"
    fi
}

[ "$#" = 0 ] || misuse "$1: $command takes nothing"
use_characters
sum=0
of=0
next=
printf '%-22s %-10s  %7s  %5s  %s\n' exercise '' points hints state
for name in $(exercises); do
    use_exercise "$name"
    best=$(state_of "$exercise.best")
    count_hints
    judge
    [ -n "$next" ] || next=$step
    read_points "$best"
    [ "$max" -gt 0 ] || max=10
    sum=$((sum + points))
    of=$((of + max))
    printf '%-22s %s  %7s  %5s  %s\n' "$exercise" "$(bar "$points" "$max")" \
        "$points/$max" "$hints" "$what"
done
[ "$of" -gt 0 ] || stop 'There are no exercises in exercises/.'
printf '%-22s %s  %7s\n\n' together "$(bar "$sum" "$of")" "$sum/$of"
echo "Next: ${next:-everything is full; make handin packs it.}"
