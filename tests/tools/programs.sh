#!/bin/sh
# programs.sh - runs every program of the course with few requests
#
#   sh programs.sh
#
# The programs in $ASQ_BIN must end with status 0; a sanitizer sees to it that
# one with a mistake does not. They must explain themselves, and name a bad
# option in one line with status 2; the short right programs (idea.c) and the
# second programs of a lesson (case_*.c) are only run. They make their data in a
# folder of their own, so that the results of the reader stay as they are.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
seconds=60

# check NAME STATUS STDOUT STDERR PROGRAM [ARGUMENT ...]: the program ends with
# this status and prints as many lines ("some", "any" or a number).
check() {
    test="$1"
    expected=$2
    lines_out=$3
    lines_err=$4
    program=$ASQ_BIN/$5
    shift 5
    ASQ_BUILD=$build sh "$tools/limit.sh" "$seconds" \
        "$program" "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    wrong=
    [ "$status" = "$expected" ] ||
        wrong="status $status, expected $expected"
    count_lines stdout out "$lines_out"
    count_lines stderr err "$lines_err"
    if [ -z "$wrong" ]; then
        ok "$test"
    else
        fail "$test" "$wrong
$(tail -n 20 "$folder/out" "$folder/err")"
    fi
}

count_lines() {
    lines=$(wc -l <"$folder/$2")
    lines=$((lines))
    case $3 in
    any) return ;;
    some) [ "$lines" -gt 0 ] && return ;;
    *) [ "$lines" = "$3" ] && return ;;
    esac
    wrong="$wrong
$lines lines on $1, expected $3"
}

check_program() {
    check "$1_runs" 0 some any "$1" --requests 8
    [ -z "${SAN:-}" ] || return
    check "$1_explains_itself" 0 some 0 "$1" --help
    check "$1_names_an_unknown_option" 2 0 1 "$1" --no-such-option
    check "$1_names_a_bad_number" 2 0 1 "$1" --requests=8x
    check "$1_names_a_missing_value" 2 0 1 "$1" --requests
    check "$1_names_a_word_too_many" 2 0 1 "$1" word
    check "$1_names_a_file_it_cannot_write" 1 0 1 "$1" \
        --requests 8 --json "$folder"
    check_full_output "$1"
    build=$folder/no-folder
    check "$1_names_data_it_cannot_make" 1 0 1 "$1" --requests 8
    build=$folder/build
}

# Standard output is a full disk, where the system has one to try.
check_full_output() {
    test="$1_notices_that_its_output_is_lost"
    [ -c /dev/full ] || return
    ASQ_BUILD=$build sh "$tools/limit.sh" "$seconds" \
        "$ASQ_BIN/$1" --requests 8 >/dev/full 2>"$folder/err"
    status=$?
    if [ "$status" = 1 ] && [ "$(wc -l <"$folder/err")" -eq 1 ]; then
        ok "$test"
    else
        fail "$test" "status $status, expected 1 and one line
$(cat "$folder/err")"
    fi
}

make_folder
build=$folder/build
mkdir "$build"
: >"$folder/no-folder"
for source in lessons/[0-9][0-9]-*/main.c lessons/[0-9][0-9]-*/claims.c \
    bench/*.c; do
    # A file with a header is a part of programs, not one itself.
    if [ ! -f "$source" ] || [ -f "${source%.c}.h" ]; then
        continue
    fi
    name=${source#lessons/}
    case $name in
    bench/demo.c) check_program demo ;;
    bench/*) check_program "${name%.c}" ;;
    */claims.c) check_program "${name%/claims.c}-claims" ;;
    *) check_program "${name%/main.c}" ;;
    esac
done
for source in lessons/[0-9][0-9]-*/idea.c; do
    [ -f "$source" ] || continue
    name=${source%/idea.c}
    check "${name#lessons/}-idea_runs" 0 some any "${name#lessons/}-idea"
done
for source in lessons/[0-9][0-9]-*/case_*.c; do
    [ -f "$source" ] || continue
    name=$(echo "${source%.c}" | sed 's|^lessons/||; s|/|-|')
    check "${name}_runs" 0 some any "$name"
done
finish
