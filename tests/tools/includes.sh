#!/bin/sh
# includes.sh - checks that every include points to what a reader knows by then
#
# Dependency order is lesson order is learning order:
#   - a file of lesson N includes lessons up to N, named "NN-name/x.h";
#   - a module (a file X.c or X.h that has an X.h) does not include common, so
#     that it can be copied with the modules before it;
#   - common includes only common;
#   - nothing in lessons includes anything outside of lessons;
#   - nothing in exercises includes solutions.
# The check is itself checked: each of these mistakes, made in a tree of its
# own, must be found.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# Prints a line for each wrong include under the folder $1.
find_wrong() (
    cd "$1" || exit
    # shellcheck disable=SC2046 # names of the course have no blanks
    set -- $(find lessons exercises -name '*.[ch]' 2>/dev/null | sort)
    [ "$#" = 0 ] || grep -n '^[ 	]*#[ 	]*include[ 	]*"' "$@" /dev/null |
        sed 's/[ 	]*#[^"]*"\([^"]*\)".*/\1/' |
        while IFS=: read -r file line name; do
            why=$(judge "$file" "$name")
            [ -z "$why" ] || echo "$file:$line: \"$name\" $why"
        done
)

# judge FILE NAME: says what is wrong when FILE includes "NAME".
judge() {
    case $1 in
    exercises/*)
        case $2 in
        solutions/* | */solutions/*) echo 'is a solution' ;;
        esac
        return
        ;;
    esac
    from=${1#lessons/}
    from=${from%%/*}
    to=${2%%/*}
    case $from/$2 in
    */../* | */./*) echo 'should be named from lessons/' ;;
    common/common/*) ;;
    common/*) echo 'is not in common' ;;
    */common/*)
        if [ -f "${1%.[ch]}.h" ]; then
            echo 'is in common, which a module does not use'
        fi
        ;;
    *)
        if [ ! -f "lessons/$2" ] || [ "$to" = "$2" ]; then
            echo 'is no file of lessons/, named from there'
        elif [ "${to%%-*}" -gt "${from%%-*}" ]; then
            echo 'belongs to a later lesson'
        fi
        ;;
    esac
}

# try NAME FILE INCLUDE [WHY]: one file with one include, in a small tree.
try() {
    tree=$folder/tree
    rm -rf "$tree"
    mkdir -p "$tree/lessons/common" "$tree/lessons/08-one" \
        "$tree/lessons/09-two" "$tree/exercises/08-one" "$tree/solutions"
    for header in lessons/common/clock lessons/08-one/db lessons/09-two/conn \
        exercises/08-one/ex_a solutions/ex_a; do
        : >"$tree/$header.h"
    done
    printf '#include <stdio.h>\n  # include "%s"\n' "$3" >>"$tree/$2"
    got=$(find_wrong "$tree")
    expected=
    [ -z "${4:-}" ] || expected="$2:2: \"$3\" $4"
    if [ "$got" = "$expected" ]; then
        ok "$1"
    else
        fail "$1" "got       $got
expected  $expected"
    fi
}

make_folder
try includes_the_same_lesson lessons/09-two/conn.c 09-two/conn.h
try includes_an_earlier_lesson lessons/09-two/conn.h 08-one/db.h
try includes_common_in_a_program lessons/08-one/main.c common/clock.h
try includes_common_in_common lessons/common/heartbeat.c common/clock.h
try includes_a_contract lessons/08-one/db.c 08-one/db.h
try finds_a_later_lesson lessons/08-one/main.c 09-two/conn.h \
    'belongs to a later lesson'
try finds_common_in_a_module lessons/08-one/db.c common/clock.h \
    'is in common, which a module does not use'
try finds_common_in_a_header lessons/08-one/db.h common/clock.h \
    'is in common, which a module does not use'
try finds_a_lesson_in_common lessons/common/clock.h 08-one/db.h \
    'is not in common'
try finds_a_way_out_of_lessons lessons/08-one/main.c ../exercises/08-one/ex_a.h \
    'should be named from lessons/'
try finds_a_test_header_in_lessons lessons/08-one/main.c grader/test.h \
    'is no file of lessons/, named from there'
try finds_a_short_name lessons/08-one/main.c db.h \
    'is no file of lessons/, named from there'
try finds_a_solution exercises/08-one/check.c ../../solutions/ex_a.h \
    'is a solution'

wrong=$(find_wrong .)
if [ -z "$wrong" ]; then
    ok the_course_includes_what_is_known
else
    fail the_course_includes_what_is_known "$wrong"
fi
finish
