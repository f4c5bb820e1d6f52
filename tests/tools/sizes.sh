#!/bin/sh
# sizes.sh - checks the sizes that a reader feels, and the numbers of the texts
#
#   sh sizes.sh
#
# In lines: a lesson's main.c has at most 250, and at most 130 from its last
# include to the one line "What is around it"; idea.c 130; claims.c 60 for each
# claim and 60 for what is around them; a module 300; a check.c of an exercise 450; a student's file 120. What
# may be longer stands below with its reason.
#
# The texts, a lesson's README.md and its answers, point at statements by
# numbers, "(3)". Each must be in a comment of a program that the text names
# there, and each in a main.c, idea.c or case must be in a text.
#
# The check is itself checked: each of these mistakes, made in a tree of its
# own, must be found.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# FILE LINES REASON
exceptions() {
    cat <<'LIST'
lessons/01-blocking/db.c 350 what SQLite asks while it runs is one state
lessons/01-blocking/stmt.c 335 the life of a statement, which is one
lessons/03-event-loop/conn.c 405 thirty short functions that share one struct
lessons/03-event-loop/worker.c 380 two threads, one lock: read side by side
lessons/07-transactions/tx.c 360 wrong twins replace it as a whole
lessons/09-lifetimes/shutdown.c 325 one machine of states
lessons/12-streaming/stream.c 310 one machine of states
lessons/common/options.c 360 a table of options, and a line for each mistake
lessons/common/shop_rows.c 340 the rows of six tables
lessons/common/trace.c 315 draws and writes the same lanes
LIST
}

# limit FILE LINES [WHAT]: prints a line when the file is longer.
limit() {
    lines=$(wc -l <"$1")
    allowed=$(exceptions | awk -v file="$1" '$1 == file { print $2 }')
    [ "$lines" -le "${allowed:-$2}" ] ||
        echo "$1: $((lines)) lines, at most ${allowed:-$2}${3:-}"
}

find_long() {
    for file in lessons/[0-9]*/*.[ch]; do
        [ -f "$file" ] || continue
        case ${file##*/} in
        main.c) check_main "$file" ;;
        idea.c) limit "$file" 130 ;;
        claims.c)
            claims=$(grep -c 'asq_claim_set(' "$file")
            limit "$file" $((60 * claims + 60)) " for $claims claims"
            ;;
        *) [ ! -f "${file%.[ch]}.h" ] || limit "$file" 300 ;;
        esac
    done
    for file in lessons/common/*.[ch]; do
        [ ! -f "$file" ] || limit "$file" 300
    done
    for file in exercises/[0-9]*/*.[ch]; do
        [ -f "$file" ] || continue
        case ${file##*/} in
        ex_*.c) limit "$file" 120 ;;
        *) limit "$file" 450 ;;
        esac
    done
}

check_main() {
    limit "$1" 250
    awk -v file="$1" '
        /^#include/ { last = NR }
        /^\/\* .*What is around it/ { cut = NR; cuts++ }
        END {
            if (cuts != 1)
                print file ": one line \"What is around it\" is wanted"
            else if (cut - last > 130)
                printf "%s: %d lines above \"What is around it\", at most 130\n", \
                    file, cut - last
        }' "$1"
}

# Prints "FILE NUMBER" for each number in the comments of a program.
numbers_of_code() {
    awk '
        {
            rest = $0
            while (rest != "") {
                if (!inside) {
                    if (!(at = index(rest, "/*")))
                        break
                    rest = substr(rest, at + 2)
                    inside = 1
                }
                at = index(rest, "*/")
                said = at ? substr(rest, 1, at - 1) : rest
                rest = at ? substr(rest, at + 2) : ""
                inside = !at
                while (match(said, /(^|[^A-Za-z0-9_])\([0-9][0-9]?\)/)) {
                    number = substr(said, RSTART, RLENGTH)
                    gsub(/[^0-9]/, "", number)
                    print FILENAME, number
                    said = substr(said, RSTART + RLENGTH)
                }
            }
        }' "$1" | sort -u
}

# Prints "PLACE NUMBER FILE ..." for each number in the texts of a lesson: the
# programs that may be meant are those that the paragraph names and the one
# that was named last before it. "from (1) to (5)" is all of them.
numbers_of_text() {
    awk '
        function flush(    i, n, first) {
            for (i = 1; i <= count; i++) {
                first = ranges[i] ? numbers[i - 1] + 1 : numbers[i]
                for (n = first; n <= numbers[i]; n++)
                    print places[i], n, last named
            }
            for (i = split(named, f, " "); i > 0 && last != f[i]; i = 0)
                last = f[i]
            named = ""
            count = 0
            between = ""
        }
        FNR == 1 { flush(); last = "" }
        /^ *```/ { code = !code; next }
        code { next }
        /^ *$/ { flush(); next }
        {
            rest = $0
            while (match(rest, /[A-Za-z0-9_]+\.c|(^|[^A-Za-z0-9_])\([12]?[0-9]\)/)) {
                found = substr(rest, RSTART, RLENGTH)
                between = between substr(rest, 1, RSTART - 1)
                rest = substr(rest, RSTART + RLENGTH)
                if (found ~ /\.c$/) {
                    named = named " " found
                    continue
                }
                between = between substr(found, 1, index(found, "(") - 1)
                gsub(/[^0-9]/, "", found)
                numbers[++count] = found + 0
                places[count] = FILENAME ":" FNR
                ranges[count] = count > 1 && between ~ /^[*` ]*to[*` ]*$/
                between = ""
            }
            between = between rest " "
        }
        END { flush() }' "$@"
}

find_unpaired() {
    for lesson in lessons/[0-9]*; do
        [ -f "$lesson/README.md" ] || continue
        set -- "$lesson/README.md"
        answers=docs/answers/${lesson##*/}.md
        [ ! -f "$answers" ] || set -- "$@" "$answers"
        numbers_of_text "$@" >"$pairs.text"
        for file in "$lesson"/*.c; do
            numbers_of_code "$file"
        done | sed 's|.*/||' >"$pairs.code"
        awk -v lesson="$lesson" '
            FILENAME == ARGV[1] { code[$1 " " $2] = 1; any[$2] = 1; next }
            {
                found = NF == 2 && $2 in any # the text names no program at all
                for (i = 3; i <= NF; i++)
                    if (($i " " $2) in code)
                        found = text[$i " " $2] = 1
                if (NF == 2)
                    loose[$2] = 1
                if (!found)
                    print $1 ": (" $2 ") is in no program that is named there"
            }
            END {
                for (pair in code) {
                    split(pair, f, " ")
                    if (f[1] ~ /^(main|idea|case_[a-z_]*)\.c$/ && \
                        !(pair in text) && !(f[2] in loose))
                        print lesson "/" f[1] ": (" f[2] ") is in no text"
                }
            }' "$pairs.code" "$pairs.text" | sort
    done
}

find_wrong() (
    cd "$1" || exit
    find_long
    find_unpaired
)

# Lines to fill a file with.
lines() {
    awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) print "line" }'
}

# try NAME [EXPECTED]: looks at the tree.
try() {
    got=$(find_wrong "$tree")
    if [ "$got" = "${2:-}" ]; then
        ok "$1"
    else
        fail "$1" "got       $got
expected  ${2:-}"
    fi
}

# A tree without mistakes, to make one in.
make_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/lessons/08-one" "$tree/exercises/08-one" \
        "$tree/docs/answers"
    one=$tree/lessons/08-one
    {
        echo '#include <stdio.h>'
        lines 100
        echo 'call(1); /* (1) */'
        echo '/* (2) and'
        echo ' * (3) too */'
        echo '/* ---- What is around it: nothing ---- */'
        lines 100
    } >"$one/main.c"
    {
        echo 'In [main.c](main.c) from (1) to (2).'
        echo '```c'
        echo 'f(9); /* (9) */'
        echo '```'
        echo 'Here f(7) is no number.'
    } >"$one/README.md"
    echo 'At (3) of `main.c`.' >"$tree/docs/answers/08-one.md"
    { lines 178 && echo 'asq_claim_set(1)' && echo 'asq_claim_set(2)'; } \
        >"$one/claims.c"
    lines 130 >"$one/idea.c"
    lines 300 | tee "$one/db.c" >"$one/db.h"
    lines 500 >"$one/twin.c"
    lines 450 >"$tree/exercises/08-one/check.c"
    lines 120 >"$tree/exercises/08-one/ex_a.c"
}

check_the_check() {
    make_tree
    try finds_nothing_where_nothing_is_wrong
    echo line >>"$one/idea.c"
    try finds_a_long_idea 'lessons/08-one/idea.c: 131 lines, at most 130'
    make_tree
    echo line >>"$one/claims.c"
    try finds_long_claims \
        'lessons/08-one/claims.c: 181 lines, at most 180 for 2 claims'
    make_tree
    echo line >>"$one/db.c"
    try finds_a_long_module 'lessons/08-one/db.c: 301 lines, at most 300'
    make_tree
    echo line >>"$tree/exercises/08-one/check.c"
    try finds_a_long_check \
        'exercises/08-one/check.c: 451 lines, at most 450'
    make_tree
    echo line >>"$tree/exercises/08-one/ex_a.c"
    try finds_a_long_student_file \
        'exercises/08-one/ex_a.c: 121 lines, at most 120'
    make_tree
    lines 46 >>"$one/main.c"
    try finds_a_long_main 'lessons/08-one/main.c: 251 lines, at most 250'
    make_tree
    grep -v 'What is' "$one/main.c" >"$one/new" && mv "$one/new" "$one/main.c"
    try finds_a_main_without_its_line \
        'lessons/08-one/main.c: one line "What is around it" is wanted'
    make_tree
    { echo '#include <a.h>' && lines 27 && sed 1d "$one/main.c"; } >"$one/new"
    mv "$one/new" "$one/main.c"
    try finds_too_much_on_top \
        'lessons/08-one/main.c: 131 lines above "What is around it", at most 130'
    make_tree
    echo 'And (4).' >>"$one/README.md"
    try finds_a_number_without_a_statement \
        'lessons/08-one/README.md:6: (4) is in no program that is named there'
    make_tree
    rm "$tree/docs/answers/08-one.md"
    try finds_a_statement_without_a_text \
        'lessons/08-one/main.c: (3) is in no text'
    make_tree
    printf '\nSee idea.c.\n\nAt (1) in twin.c.\n' >>"$one/README.md"
    try finds_a_number_of_another_file \
        'lessons/08-one/README.md:9: (1) is in no program that is named there'
}

make_folder
tree=$folder/tree
pairs=$folder/pairs
check_the_check
wrong=$(find_wrong .)
if [ -z "$wrong" ]; then
    ok the_course_keeps_its_sizes
else
    fail the_course_keeps_its_sizes "$wrong"
fi
finish
