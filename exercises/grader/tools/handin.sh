#!/bin/sh
# handin.sh - packs what a student hands in
#
#   [NAME=s01] sh exercises/grader/tools/handin.sh      (make handin)
#
# build/handin.tar.gz holds one folder, handin: the student's files as
# NN-name/ex_x.c, results.json of the last check, VERSION, and NAME if given.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# Adds the files of an exercise and says what they are.
add_exercise() {
    use_exercise "$1"
    if [ ! -f "$file" ]; then
        echo "  $file  (missing)"
        return
    fi
    mkdir "$folder/handin/$1" && cp exercises/"$1"/ex_*.c "$folder/handin/$1" ||
        stop "$folder: cannot be written"
    what=
    if is_untouched; then
        what='  (not started)'
    elif [ -n "$(find "$file" -newer "$results" 2>/dev/null)" ]; then
        what='  (changed since the last check)'
        old=yes
    fi
    echo "  $file$what"
}

add_results() {
    if [ ! -f "$results" ]; then
        warning='There are no results in it'
        return
    fi
    cp "$results" "$folder/handin/results.json" ||
        stop "$folder: cannot be written"
    echo "  $results"
    if grep -q '"state": *"incomplete"' "$results"; then
        warning='The last check did not come to its end'
    elif [ -n "$old" ]; then
        warning='The results are older than a file'
    fi
}

[ "$#" = 0 ] || misuse "$1: name yourself as in $command NAME=..."
lines=$(printf '%s\n' "${NAME:-}" | wc -l)
[ "$((lines))" = 1 ] || misuse 'NAME: use one line'
[ -n "$(exercises)" ] || stop 'There are no exercises in exercises/.'
make_folder handin
mkdir "$folder/handin"
results=$build/results.json
archive=$build/handin.tar.gz
old=
warning=
version=$(version)
echo "$archive:"
for exercise in $(exercises); do
    add_exercise "$exercise"
done
add_results
echo "$version" >"$folder/handin/VERSION"
echo "  VERSION  ($version)"
if [ -n "${NAME:-}" ]; then
    printf '%s\n' "$NAME" >"$folder/handin/NAME"
    echo "  NAME  ($NAME)"
fi
path=$(cd "$build" && pwd)/handin.tar.gz
(cd "$folder" && find handin -type f | pack "$path") || exit
[ -z "$warning" ] || echo "$warning: run make check first." >&2
