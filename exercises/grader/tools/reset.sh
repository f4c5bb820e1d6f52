#!/bin/sh
# reset.sh - puts the skeleton of an exercise back
#
#   EX=02 sh exercises/grader/tools/reset.sh      (make reset EX=02)
#
# What it replaces is kept beside it, as ex_x.c.1, ex_x.c.2 and so on; a copy
# is never overwritten. Points and hints of the state file stay.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# Sets copy to a name that is free.
find_name() {
    count=1
    while [ -e "$file.$count" ] || [ -L "$file.$count" ]; do
        count=$((count + 1))
    done
    copy=$file.$count
}

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
find_exercise
need_skeleton
if is_untouched; then
    echo "$file is the skeleton already."
    exit
fi
copy=
if [ -f "$file" ]; then
    find_name
    cp -p "$file" "$copy" && cmp -s "$file" "$copy" ||
        stop "$copy: cannot be written; nothing was changed"
fi
# By rename: at no time is there half a file.
cp "$skeleton" "$file.new" && mv "$file.new" "$file" ||
    stop "$file: cannot be written"
echo "$file is the skeleton again."
[ -z "$copy" ] || echo "What it was is kept in $copy"
