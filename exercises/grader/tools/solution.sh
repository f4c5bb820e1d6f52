#!/bin/sh
# solution.sh - shows the solution of an exercise to who has solved it
#
#   EX=02 [FORCE=1] sh exercises/grader/tools/solution.sh
#
# An exercise is solved when its best points in the state file are full;
# FORCE=1 shows the solution anyway. A hand-out has none.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
case ${FORCE:-} in
'' | 0 | 1) ;;
*) misuse "FORCE=$FORCE: use FORCE=1, or leave it out" ;;
esac
find_exercise
solution=solutions/$exercise/${file##*/}
[ -f "$solution" ] ||
    stop "There is no $solution: a hand-out comes without solutions."
best=$(state_of "$exercise.best")
if [ "${FORCE:-}" != 1 ] && ! is_full "$best"; then
    stop "$exercise has ${best:-no points} so far: its solution is shown when\
 it is full, or with FORCE=1"
fi
sh exercises/grader/skeleton.sh --solution <"$solution"
