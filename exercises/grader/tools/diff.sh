#!/bin/sh
# diff.sh - shows what a student changed in the skeleton
#
#   EX=02 sh exercises/grader/tools/diff.sh       (make diff EX=02)
#
# Exit status: 0 when they could be compared, whether they differ or not.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
find_exercise
need_skeleton
[ -f "$file" ] ||
    stop "$file is missing: make reset EX=${exercise%%-*} brings it back"
if is_untouched; then
    echo "$file is the untouched skeleton."
    exit
fi
diff -u "$skeleton" "$file"
[ "$?" -le 1 ]
