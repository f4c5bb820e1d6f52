#!/bin/sh
# class_steps_test.sh - checks what make class shows of the course's lessons
#
#   sh class_steps_test.sh
#
# Every question has twelve words at most and is in large letters in a window
# of 80 by 24. Every command of docs/in-class.md is a step. Every lesson is
# shown once, so that no figure is asked for which its program does not print.
#
# Needs ASQ_BIN, where everything is built.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

steps=bench/class.txt

check_letters() {
    grep -E -e '^(ask|take|= [0-9])' "$steps" | sed 's/^[^ ]* //' |
        while read -r text; do
            # shellcheck disable=SC2086 # words are counted
            set -- $text
            [ "$#" -le 12 ] || echo "$# words: $text"
            printf '%s\n' "$text" >"$folder/text"
            awk -v what=text -v columns=80 -v rows=23 -f bench/large.awk \
                bench/letters.txt "$folder/text" >"$folder/drawn"
            # Without UTF-8 there are no smaller letters than those of 5 rows.
            grep -q '#' "$folder/drawn" || echo "too long: $text"
            [ "$(wc -l <"$folder/drawn")" -le 23 ] || echo "too high: $text"
            letters=$(printf '%s' "$text" | tr '[:lower:]' '[:upper:]' |
                tr -d ' ' | sed 's/./&\
/g' | sort -u)
            for letter in $letters; do
                cut -d ' ' -f 1 bench/letters.txt | grep -qxF -e "$letter" ||
                    echo "no letter $letter: $text"
            done
        done >"$folder/said"
    status=0
    expect questions_are_short_and_large 0 'lines: 0'
}

# In a hand-out that page is missing.
check_commands() {
    [ -f docs/in-class.md ] || return
    sed -n 's/^| \([^|]*\).*/\1/p' docs/in-class.md | grep -o '`[^`]*`' |
        tr -d '`' | grep -E -e '^(build/|make )' | grep -v FILE |
        while read -r command; do
            grep -qxF -e "run $command" "$steps" || echo "not a step: $command"
        done >"$folder/said"
    status=0
    expect commands_of_the_page_are_steps 0 'lines: 0'
}

check_lessons() {
    for number in $(sed -n 's/^= \([0-9][0-9]\) .*/\1/p' "$steps"); do
        for lesson in lessons/"$number"-*/; do
            [ -d "$lesson" ] || continue
            L=$number sh bench/class.sh </dev/null 2>&1 >"$folder/shown" |
                cat >"$folder/said"
            grep -A 9 -e '^(exit status' "$folder/shown" >>"$folder/said"
            status=0
            expect "lesson_$number" 0 'lines: 0'
        done
    done
}

make_folder
said=$folder/said
check_letters
check_commands
check_lessons
finish
