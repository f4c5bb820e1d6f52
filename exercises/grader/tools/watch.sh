#!/bin/sh
# watch.sh - grades an exercise again whenever its file is saved
#
#   [EX=02] sh exercises/grader/tools/watch.sh    (make watch)
#
# Without EX it watches all of them. Looks once a second, or when inotifywait
# says that something happened. It compares what the files hold: the times of
# files on a shared drive may be those of another clock. Ends on Ctrl-C with
# status 0; WATCH_ROUNDS=n, which is for tests, ends it after n gradings.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# A line an exercise: its name, and the check sum of its file.
look() {
    for name in $watched; do
        use_exercise "$name"
        echo "$name $(cksum <"$file" 2>/dev/null)"
    done
}

# inotifywait ends with 2 when a second is over, and with 1, at once, when it
# cannot work. The folders are watched, because editors replace files.
pause() {
    # shellcheck disable=SC2086 # names of the course have no blanks
    if have inotifywait; then
        inotifywait -qq -t 1 -e close_write,moved_to $folders
        [ "$?" = 1 ] || return
    fi
    sleep 1
}

grade() {
    echo
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL
        "${MAKE:-make}" --no-print-directory check "EX=$1"
    )
    rounds=$((rounds + 1))
    [ "$rounds" != "${WATCH_ROUNDS:-0}" ] || exit 0
}

[ "$#" = 0 ] || misuse "$1: name the exercise as in $command EX=02"
case ${WATCH_ROUNDS:-0} in
*[!0-9]*) misuse "WATCH_ROUNDS=$WATCH_ROUNDS: use a whole number" ;;
esac
if [ -n "${EX:-}" ]; then
    find_exercise
    watched=$exercise
else
    watched=$(exercises)
    [ -n "$watched" ] || stop 'There are no exercises in exercises/.'
fi
# shellcheck disable=SC2086 # names of the course have no blanks
folders=$(printf 'exercises/%s ' $watched)
make_folder watch
trap 'exit 0' INT TERM HUP
rounds=0
look >"$folder/before"
printf 'Watching %s; Ctrl-C ends it.\n' "$(echo "$watched" | paste -s -d ' ' -)"
while :; do
    # What is saved while one is graded is seen when that is done.
    look >"$folder/now"
    changed=$(diff "$folder/before" "$folder/now" |
        awk '$1 == ">" { print $2 }')
    mv "$folder/now" "$folder/before"
    for name in $changed; do
        grade "$name"
    done
    [ -n "$changed" ] || pause
done
