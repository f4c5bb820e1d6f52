#!/bin/sh
# vendor.sh - copies modules, with all that they need, into another program
#
#   TO=dir M=tx,shutdown sh tools/vendor.sh       (make vendor TO=dir M=...)
#
# Without M it lists the modules. Otherwise TO gets the files unchanged, in
# their folders; asq.h, which includes them; LICENSE; README.md with an example;
# and asq.files, which lists all these with their checksums. The example was
# compiled and run before anything is written outside of the build folder.
#
# TO is new or empty, or a folder that this command has made. That one is
# brought up to date: asq.files says what in it is ours to replace or remove.
# What was changed since is replaced only with FORCE=1, and what is not ours is
# never touched. Exit status: 2 for wrong use, 1 for what could not be done.
set -u

# shellcheck source-path=SCRIPTDIR source=../exercises/grader/tools/course.sh
. "$(dirname "$0")/../exercises/grader/tools/course.sh"
unset CDPATH

examples=tools/examples
list=asq.files # of what is ours; its first line:
mark='# written by make vendor, which updates these files: cksum, bytes, name'

# ---- What is copied --------------------------------------------------------

# Runs modules.awk on the lessons; the arguments set its variables.
modules() {
    (cd lessons && LC_ALL=C awk "$@" -f ../tools/modules.awk \
        [0-9][0-9]-*/*.[ch])
}

# plan WORD: the values of this word, each on a line.
plan() {
    sed -n "s/^$1 //p" "$folder/plan"
}

make_plan() {
    modules -v named="$named" \
        -v examples="$(cd "$examples" && echo *.c | sed 's/\.c//g')" \
        >"$folder/plan" || stop 'the modules cannot be read'
    if grep -q '^unknown ' "$folder/plan"; then
        set -f
        # shellcheck disable=SC2046 # names are words
        set -- $(plan unknown | head -n 1)
        set +f
        name=$1
        shift
        # shellcheck disable=SC2046
        [ "$#" != 0 ] || set -- $(modules | awk 'NR > 1 { print $1 }')
        misuse "M=$name: there is no such module; use one of: $*"
    fi
    example=$(plan example)
    [ -n "$example" ] || stop "no file of $examples suits M=$named: write one"
}

# ---- The copy, in the build folder -----------------------------------------

write_asq_h() {
    cat <<'TEXT'
/* asq - all that was copied; written by make vendor */
#ifndef ASQ_H
#define ASQ_H

TEXT
    plan public | sed 's/.*/#include "&"/'
    printf '\n#endif\n'
}

# The command that a user runs, where ASQ is the path of the copy.
compile_line() {
    libs=$(plan lib | paste -s -d ' ' -)
    # shellcheck disable=SC2016 # the user's shell expands it
    printf '%s\n' "cc -std=c11 -D_POSIX_C_SOURCE=200809L -I\"\$ASQ\" example.c\
 \"\$ASQ\"/[0-9]*/*.c${libs:+ \$(pkg-config --cflags --libs $libs)} -pthread\
 -o example"
}

# The words are those that the course itself looks for: see deps.sh.
needs() {
    for lib in $(plan lib); do
        case $lib in
        sqlite3) printf 'SQLite 3.37, ' ;;
        libuv) printf 'libuv 1.40, ' ;;
        esac
    done
}

write_readme() {
    sum=$(cd "$copy" && plan_files_sum)
    cat <<TEXT
# asq: $named

Copied unchanged by \`make vendor M=$(echo "$named" | tr ' ' ,)\` from the course
"Asynchronous database access in C", version $(version), contents $sum.
\`asq.files\` lists what was copied. MIT licence: see LICENSE.

Needs $(needs)pthreads and a C11 compiler, or later ones.
Include \`asq.h\`, or one header as in \`#include "$(plan public | tail -n 1)"\`.
C++17 may include both; the .c files are C. Where ASQ is the path of this folder:

\`\`\`sh
$(compile_line)
\`\`\`

This \`example.c\` was so compiled. It prints "$says".

\`\`\`c
$(cat "$examples/$example.c")
\`\`\`
TEXT
}

# One number for the contents of all modules.
plan_files_sum() {
    plan file | while IFS= read -r name; do
        cksum "$name"
    done | cksum | cut -d ' ' -f 1
}

make_copy() {
    copy=$folder/copy
    plan file | while IFS= read -r name; do
        mkdir -p "$copy/${name%/*}" && cp "lessons/$name" "$copy/$name" ||
            exit 1
    done && cp LICENSE "$copy" && write_asq_h >"$copy/asq.h" ||
        stop "$copy: cannot be written"
}

# Runs the user's own command, with the compiler of this make.
try_example() {
    mkdir "$folder/try" && cp "$examples/$example.c" "$folder/try/example.c" ||
        stop "$folder: cannot be written"
    (
        # shellcheck disable=SC2086,SC2317 # CC is words; the command calls it
        cc() {
            command ${CC:-cc} "$@"
        }
        # shellcheck disable=SC2034 # the command uses it
        ASQ=$copy
        line=$(compile_line)
        # A library outside the system's folders must be found at run time.
        LD_RUN_PATH=$(tr ' ' '\n' 2>/dev/null <"${ASQ_BIN:-$build}/deps.libs" |
            sed -n 's/^-L//p' | paste -s -d : -)
        [ -z "$LD_RUN_PATH" ] || export LD_RUN_PATH
        cd "$folder/try" && eval "$line" && ./example </dev/null >said
    ) >"$folder/errors" 2>&1 || {
        cat "$folder/errors" >&2
        stop "the example of M=$named does not work: nothing was written to\
 TO=$to"
    }
    says=$(cat "$folder/try/said")
}

# ---- Where to --------------------------------------------------------------

# Sets target to the place that TO names, without links.
find_target() {
    [ -n "$to" ] || misuse "$command TO=dir M=$named: where is it to go?"
    case $to in
    *'
'*) misuse 'TO: a folder of one line, please' ;;
    /*) place=$to ;;
    *) place=./$to ;;
    esac
    rest=
    until [ -d "$place" ]; do
        if [ -e "$place" ] || [ -L "$place" ]; then
            misuse "TO=$to: $place is not a folder"
        fi
        rest=/$(basename "$place")$rest
        place=$(dirname "$place")
    done
    case $rest/ in
    */../*) misuse "TO=$to: a part of it does not exist" ;;
    esac
    place=$(cd "$place" && pwd -P) || misuse "TO=$to: it cannot be entered"
    target=${place%/}$rest
    target=${target:-/}
    case $target/ in
    "$(pwd -P)"/*)
        misuse "TO=$to: this is inside of the course; name a folder outside"
        ;;
    esac
    if [ -n "$(ls -A "$target" 2>/dev/null)" ]; then
        [ "$(head -n 1 "$target/$list" 2>/dev/null)" = "$mark" ] ||
            misuse "TO=$to: it is not empty, and make vendor has not made it;\
 name a new folder"
    fi
}

# Prints lines of asq.files: sum, bytes, name. Others than those that this
# command writes are as good as none.
ours() {
    grep -E -e '^[0-9]+ [0-9]+ [0-9][0-9]-[a-z0-9-]+/[a-z0-9_]+\.[ch]$' \
        -e '^[0-9]+ [0-9]+ (asq\.h|LICENSE|README\.md)$' \
        "$target/$list" 2>/dev/null
}

# Stops when writing the file of this name would lead out of the target.
check_links() {
    for part in "$target/${1%/*}" "$target/$1" "$target/$1.new"; do
        [ ! -L "$part" ] || misuse "TO=$to: ${part#"$target/"} is a link;\
 remove it"
    done
}

# Stops when the file of this name must not be replaced or removed.
check_file() {
    file=$target/$1
    check_links "$1"
    [ -e "$file" ] || return 0
    [ -f "$file" ] || misuse "TO=$to: $1 is not a file; remove it"
    ! cmp -s "$copy/$1" "$file" || return 0
    ours | grep -qF " $1" ||
        misuse "TO=$to: $1 is in the way, and not of make vendor; move it"
    [ -z "${FORCE:-}" ] || return 0
    ours | grep -qxF "$(cksum <"$file") $1" ||
        misuse "TO=$to: $1 was changed since; FORCE=1 replaces it"
}

# ---- Writing ---------------------------------------------------------------

# put NAME: from standard input; a reader sees the old or the new file, whole.
put() {
    { cat >"$target/$1.new" && mv "$target/$1.new" "$target/$1"; } 2>/dev/null ||
        stop "$target/$1: cannot be written"
}

# The list is written before the files, with what they were and will be, and
# after them: what a stopped command has left can be updated.
write_target() {
    { echo "$mark" && cat "$folder/old" "$folder/new"; } >"$folder/both"
    { mkdir -p "$target" 2>/dev/null && [ -w "$target" ]; } ||
        stop "$target: cannot be made or written"
    put "$list" <"$folder/both"
    while read -r _ _ name; do
        mkdir -p "$(dirname "$target/$name")" 2>/dev/null
        cmp -s "$copy/$name" "$target/$name" || put "$name" <"$copy/$name"
    done <"$folder/new"
    while read -r _ _ name; do
        [ ! -f "$copy/$name" ] || continue
        rm -f "$target/$name"
        rmdir "$(dirname "$target/$name")" 2>/dev/null
    done <"$folder/old"
    { echo "$mark" && cat "$folder/new"; } >"$folder/both"
    put "$list" <"$folder/both"
}

named=$(printf '%s' "${M:-}" | tr ',\n\t' '   ' | tr -s ' ' | sed 's/^ //; s/ $//')
to=${TO:-}
if [ -z "$named" ]; then
    modules || stop 'the modules cannot be read'
    printf '\n%s\n' "$command TO=dir M=tx,shutdown copies both with all that\
 they need."
    exit
fi
make_folder vendor
folder=$(cd "$folder" && pwd)
make_plan
find_target
make_copy
try_example
write_readme >"$copy/README.md"
{ plan file && printf '%s\n' asq.h LICENSE README.md; } |
    while IFS= read -r name; do
        echo "$(cksum <"$copy/$name") $name"
    done >"$folder/new"
ours >"$folder/old"
check_links "$list"
# Not in a pipe, so that it can stop the command.
while read -r _ _ name; do
    check_file "$name"
done <<TEXT
$(cat "$folder/old" "$folder/new" | sort -k 3 -u)
TEXT
write_target
echo "$to: $named and what that needs, $(plan file | grep -c .) files;\
 the example in README.md works, it prints \"$says\"."
