#!/bin/sh
# graders.sh - grades the grader: the kill matrix of the exercises
#
#   sh graders.sh [EXERCISE...]
#
# For each exercise: the solution has to get full points, the untouched
# skeleton none and no warning, each wrong solution of tests/graders has to
# fail the test that it names with the words that it names, each right variant
# has to get full points. A variant is a small difference from the solution:
# lines that begin with "#", then a unified diff.
#
#     # the entry is removed before the waiters have read it
#     # caught by: 4
#     # message: raced
#
# or "# right". The matrix has a column for each test: "." passed, "x" did not
# pass, "-" skipped or not checked.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

build=${ASQ_BUILD:-build}
most_lines=30

# The value of a header line: field FILE NAME.
field() {
    sed -n "s/^# $2: *//p" "$1" | head -n 1
}

# Makes the file of a variant in the folder $3: make_variant EXERCISE VARIANT
# FOLDER. The name of the student's file is left in $file.
make_variant() {
    solution=$(echo solutions/"$1"/ex_*.c)
    file=${solution##*/}
    mkdir -p "$3/$1" || return
    case $2 in
    skeleton) sh exercises/grader/skeleton.sh <"$solution" >"$3/$1/$file" ;;
    solution) cp "$solution" "$3/$1/$file" ;;
    *)
        cp "$solution" "$3/$1/$file" &&
            (cd "$3/$1" && GIT_CEILING_DIRECTORIES=/ GIT_DIR=/dev/null \
                git apply -p1 -) <"tests/graders/$1/$2.diff"
        ;;
    esac
}

# Grades one variant; xargs runs this script again for each. What the grader
# says stands in FOLDER/EXERCISE/VARIANT.out, its status in .status.
grade_one() {
    exercise=${1%/*}
    variant=${1#*/}
    place=$folder/$exercise/$variant
    if ! make_variant "$exercise" "$variant" "$place/from" >"$place.out" 2>&1
    then
        echo 'cannot be made' >"$place.status"
        return
    fi
    LC_ALL=C ASQ_BUILD=$build "$build/grader" --exercise "$exercise" \
        --from "$place/from" --work "$place/work" --force --state none \
        --results "$place.json" --seed 41 --jobs 1 >"$place.out" 2>&1
    echo $? >"$place.status"
    rm -rf "$place"
}

# points EXERCISE OUT: "6/10"
points() {
    sed -n "s/^[+x-] $1 .* \([0-9]*\/[0-9]*\)\( .*\)*\$/\1/p" "$2" | head -n 1
}

# marks EXERCISE OUT: a mark for each test
marks() {
    awk -v exercise="$1" -v tests="$tests" '
        $2 == exercise && $4 == "test" {
            for (i = 5; $i ~ /^[0-9]+$/; i++)
                mark[$i] = $1
        }
        $2 == exercise && $3 ~ /^[#.]+$/ &&
            /  (does not compile|refused|missing)/ { none = 1 }
        END {
            for (i = 1; i <= tests; i++)
                printf " %s", none ? "x" : i in mark ? mark[i] : "."
        }' "$2"
}

# The message about a test: its lines in OUT. message TEST OUT
message() {
    awk -v wanted="$1" '
        /^[+x-] / { inside = $1 == "x" && ($4 != "test" || $5 == wanted) }
        inside { print }' "$2"
}

judge() {
    exercise=$1
    variant=$2
    out=$folder/$exercise/$variant.out
    status=$(cat "$folder/$exercise/$variant.status" 2>/dev/null || echo none)
    got=$(points "$exercise" "$out")
    row=$(marks "$exercise" "$out")
    diff=tests/graders/$exercise/$variant.diff
    why=
    caught=
    case $status in
    0 | 1) ;;
    *) why="the grader's status is $status" ;;
    esac
    if [ "$variant" = skeleton ]; then
        [ "${got%/*}" = 0 ] || why="the skeleton gets ${got:-no points}"
        ! grep -q '^  warnings' "$out" || why='the skeleton has warnings'
    elif [ "$variant" = solution ] || grep -q '^# right' "$diff"; then
        [ "$status" = 0 ] && [ "${got%/*}" = "${got#*/}" ] ||
            why="has to get full points, gets ${got:-none}"
    else
        caught=$(field "$diff" 'caught by')
        words=$(field "$diff" message)
        said=$(message "$caught" "$out")
        if [ "${got%/*}" = "${got#*/}" ]; then
            why='is wrong and gets full points'
        elif [ -z "$said" ]; then
            why="test $caught had to catch it"
        elif ! printf '%s\n' "$said" | grep -qF -e "$words"; then
            why="the message does not say: $words"
        fi
        caught="test $caught: $words"
    fi
    if [ -f "$diff" ] &&
        [ "$(grep -c '^[+-][^+-]' "$diff")" -gt "$most_lines" ]; then
        why="is not small: more than $most_lines lines differ"
    fi
    line=$(printf '%-28s%s  %6s  %s' "$variant" "$row" "${got:-?}" "$caught")
    if [ -z "$why" ]; then
        ok "$line"
    else
        fail "$line" "$exercise/$variant $why
$(cat "$out")"
    fi
}

if [ -n "${ASQ_GRADE_ONE:-}" ]; then
    folder=$ASQ_GRADE_ONE
    grade_one "$1"
    exit 0
fi

make_folder
if [ "$#" = 0 ]; then
    # shellcheck disable=SC2046 # names of the course have no blanks
    set -- $(ls solutions)
fi
for exercise in "$@"; do
    mkdir -p "$folder/$exercise"
    for variant in solution skeleton; do
        echo "$exercise/$variant"
    done
    for diff in tests/graders/"$exercise"/*.diff; do
        [ ! -f "$diff" ] || echo "$exercise/$(basename "$diff" .diff)"
    done
done >"$folder/all"
ASQ_GRADE_ONE=$folder xargs -n 1 -P \
    "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" sh "$0" <"$folder/all"

for exercise in "$@"; do
    tests=$(wc -l <"$build/exercises/$exercise/table")
    printf '\n%s\n' "$exercise"
    sed -n "s|^$exercise/||p" "$folder/all" >"$folder/variants"
    while read -r variant; do
        judge "$exercise" "$variant"
    done <"$folder/variants"
    for copy in exercises/$exercise exercises/grader/skeletons/$exercise; do
        solution=$(echo solutions/"$exercise"/ex_*.c)
        if sh exercises/grader/skeleton.sh <"$solution" |
            cmp -s - "$copy/${solution##*/}"; then
            ok "$copy holds the skeleton"
        else
            fail "$copy/${solution##*/} is not the skeleton of $solution"
        fi
    done
done
echo
finish
