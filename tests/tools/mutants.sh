#!/bin/sh
# mutants.sh - grades the grader: changes one thing in a solution, again and again
#
#   sh mutants.sh [EXERCISE...]          (make mutants EX=02)
#
# mutate.awk makes the mutants: every operator, constant, call, branch and
# simple statement of what a student writes is changed once. Each is graded; one
# that gets full points has survived and is shown. What does not compile, or is
# refused, does not count. Nor do equivalent mutants, which no test can tell
# from the solution: tests/graders/NN-name/equivalent.txt names them, by the
# key of mutate.awk, and gives the reason in the line below:
#
#     ex_percentile || percent > 100 ) return UV_EINVAL { ; | ...
#         the caller looks at the sign only
#
# The first word is the function, or "-" outside of one.
#
# A mutant that is named there and does not survive is an error, as is a key
# that no mutant has. Exit status: 0 when 95 % of the others are killed.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

build=${ASQ_BUILD:-build}
least=95 # percent

# Grades a mutant; xargs runs this script again for each: EXERCISE/NUMBER.
grade_one() {
    exercise=${1%/*}
    number=${1#*/}
    place=$folder/$exercise/$number
    solution=$(echo solutions/"$exercise"/ex_*.c)
    mkdir -p "$place/from/$exercise"
    awk -v n="$number" -f "$tools/mutate.awk" "$solution" \
        >"$place/from/$exercise/${solution##*/}"
    LC_ALL=C ASQ_BUILD=$build "$build/grader" --exercise "$exercise" \
        --from "$place/from" --work "$place/work" --force --state none \
        --results "$place.json" --seed 41 --jobs 1 >"$place.out" 2>&1
    status=$?
    if grep -q -e '   does not compile$' -e '   refused$' "$place.out"; then
        status=none
    fi
    echo "$number $status" >"$place.status"
    rm -rf "$place" "$place.json"
}

# The key of each line of a list of mutants.
keys() {
    sed 's/^[0-9]* [0-9]* //' "$1"
}

# Prints what is to be said about an exercise; its last line is the sum.
judge() {
    exercise=$1
    list=$folder/$exercise.list
    equivalent=tests/graders/$exercise/equivalent.txt
    [ -f "$equivalent" ] || equivalent=/dev/null
    grep -v '^ ' "$equivalent" >"$folder/equal"
    keys "$list" | grep -vxF -f - "$folder/equal" | sed 's/^/no mutant is: /'
    cat "$folder/$exercise"/*.status >"$folder/status"
    awk -v exercise="$exercise" -v least="$least" \
        -v file="$(echo solutions/"$exercise"/ex_*.c)" '
        FILENAME == ARGV[1] { equal[$0] = 1; next }
        FILENAME == ARGV[2] { status[$1] = $2; next }
        {
            key = $0
            sub(/^[0-9]* [0-9]* /, "", key)
            all++
            if (status[$1] == "none") {
                none++
            } else if (key in equal) {
                equals++
                if (status[$1] != 0)
                    print "not equivalent, a test sees it: " key
            } else if (status[$1] == 0) {
                print "survives: " file ":" $2 ": " key
                alive++
            } else if (status[$1] != 1) {
                print "the grader gives status " status[$1] ": " key
            }
        }
        END {
            counted = all - none - equals
            killed = counted - alive
            percent = counted > 0 ? int(100 * killed / counted) : 100
            printf "%s: %d of %d mutants killed, %d %%", exercise, killed, \
                counted, percent
            printf "; %d do not compile, %d are equivalent\n", none, equals
            if (percent < least)
                print "less than " least " % are killed"
        }' "$folder/equal" "$folder/status" "$list"
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
    awk -f "$tools/mutate.awk" solutions/"$exercise"/ex_*.c \
        >"$folder/$exercise.list" || exit 1
    sed "s|^\([0-9]*\) .*|$exercise/\1|" "$folder/$exercise.list"
done >"$folder/all"
ASQ_GRADE_ONE=$folder xargs -n 1 -P \
    "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" sh "$0" <"$folder/all"
for exercise in "$@"; do
    judge "$exercise" >"$folder/said"
    sum=$(grep "^$exercise: " "$folder/said")
    if grep -q -e '^no mutant' -e '^not equivalent' -e '^the grader' \
        -e '^less than' "$folder/said"; then
        fail "$sum" "$(grep -v "^$exercise: " "$folder/said")"
    else
        grep '^survives' "$folder/said"
        ok "$sum"
    fi
done
finish
