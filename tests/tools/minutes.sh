#!/bin/sh
# minutes.sh - checks the minutes of the lessons and of the syllabus
#
#   sh minutes.sh
#
# The time that a lesson states is the sum of its table "In class" and, in
# docs/syllabus.md, of reading and running. Every session of a plan has 75
# minutes, as items "what, minutes" with a semicolon between them. A lesson has
# all its minutes there, unless its item says "without", and its exercise is an
# item of the same plan.
#
# The check is itself checked, on a course of its own. Not in a hand-out.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# Prints a line for each thing that is wrong in the folder $1.
find_wrong() (
    cd "$1" || exit
    awk '
        function wrong(place, what) {
            print place ": " what
        }
        function read_lesson() {
            if (FNR == 1) {
                number = FILENAME
                sub(/^lessons\//, "", number)
                number = substr(number, 1, 2)
                numbers[++lessons] = number
            }
            if (match($0, /\*\*Time\*\* [0-9]+ minutes/)) {
                time[number] = substr($0, RSTART + 9) + 0
            } else if (heading == "In class" && /^\| *[0-9]/) {
                split($0, cell, "|")
                in_class[number] += cell[2]
            }
        }
        # Looks at "what, minutes" and returns the minutes.
        function read_item(place, item, minutes, number) {
            minutes = item
            sub(/.*, */, "", minutes)
            minutes += 0
            sub(/,[^,]*$/, "", item)
            if (match(item, /^ *lesson [0-9][0-9]/)) {
                number = substr(item, RLENGTH - 1, 2)
                given[heading] = given[heading] " " number
                if (item ~ /without/ ? minutes >= time[number] \
                                     : minutes != time[number])
                    wrong(place, minutes " minutes for lesson " number \
                        ", which takes " time[number] + 0)
            } else if (item ~ /exercise/) {
                while (match(item, /[0-9][0-9]/)) {
                    spoken[heading, substr(item, RSTART, 2)]
                    item = substr(item, RSTART + 2)
                }
            }
            return minutes
        }
        function read_session(place, count, item, i, sum) {
            split($0, cell, "|")
            place = heading ", session" cell[2]
            sub(/ $/, "", place)
            count = split(cell[3], item, ";")
            for (i = 1; i <= count; i++)
                sum += read_item(place, item[i])
            if (sum != 75)
                wrong(place, sum " minutes, not 75")
        }
        function judge_lesson(number) {
            if (time[number] + 0 != in_class[number] + 0)
                wrong("lesson " number, time[number] + 0 \
                    " minutes, but \"In class\" has " in_class[number] + 0)
            if (time[number] + 0 != listed[number] + 0)
                wrong("lesson " number, time[number] + 0 \
                    " minutes, but the syllabus has " listed[number] + 0)
        }
        FNR == 1 { heading = "" }
        /^## / { heading = substr($0, 4) }
        FILENAME ~ /^lessons/ { read_lesson(); next }
        match($0, /^\| *\[[0-9][0-9]-/) {
            number = substr($0, RLENGTH - 2, 2)
            split($0, cell, "|")
            listed[number] = cell[4] + cell[5]
        }
        heading ~ / sessions$/ && /^\| *[0-9]/ { read_session() }
        END {
            for (i = 1; i <= lessons; i++)
                judge_lesson(numbers[i])
            for (plan in given) {
                count = split(given[plan], number_of, " ")
                for (i = 1; i <= count; i++)
                    if (!((plan, number_of[i]) in spoken))
                        wrong(plan, "nothing about exercise " number_of[i])
            }
        }' lessons/[0-9][0-9]-*/README.md docs/syllabus.md
)

# try NAME SESSION [WRONG]: what is wrong with this plan of one session.
try() {
    cat >"$tree/docs/syllabus.md" <<TEXT
| lesson | difficulty | reading | running |
|---|---|---|---|
| [01-one](../lessons/01-one/README.md) | * | 25 | $running |

## Two sessions

| session | in class | at home |
|---|---|---|
| 1 | $2 | exercise 02 |
TEXT
    cat >"$tree/lessons/01-one/README.md" <<TEXT
**Difficulty** *. **Time** 45 minutes.

## In class

| minutes | what |
|---|---|
| 40 | 12 pages |
| $end | the end |
TEXT
    got=$(find_wrong "$tree")
    if [ "$got" = "${3:-}" ]; then
        ok "$1"
    else
        fail "$1" "got       $got
expected  ${3:-}"
    fi
}

make_folder
tree=$folder/tree
mkdir -p "$tree/docs" "$tree/lessons/01-one"
end=5
running=20
try takes_what_is_right 'a talk, 10; lesson 01, 45; exercises 00 and 01, 20'
try takes_a_part 'a talk, 30; lesson 01 without the end, 40; exercise 01, 5'
try finds_a_wrong_sum 'lesson 01, 45; exercise 01, 20' \
    'Two sessions, session 1: 65 minutes, not 75'
try finds_a_short_lesson 'lesson 01, 40; exercise 01, 35' \
    'Two sessions, session 1: 40 minutes for lesson 01, which takes 45'
try finds_a_missing_exercise 'lesson 01, 45; exercises, 30' \
    'Two sessions: nothing about exercise 01'
end=6
try finds_another_sum_in_class 'lesson 01, 45; exercise 01, 30' \
    'lesson 01: 45 minutes, but "In class" has 46'
end=5
running=10
try finds_another_sum_in_the_list 'lesson 01, 45; exercise 01, 30' \
    'lesson 01: 45 minutes, but the syllabus has 35'

wrong=$(find_wrong .)
if [ -z "$wrong" ]; then
    ok the_minutes_of_the_course_agree
else
    fail the_minutes_of_the_course_agree "$wrong"
fi
finish
