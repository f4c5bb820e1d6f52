#!/bin/sh
# vendor_test.sh - takes modules home as an engineer would, and uses them there
#
#   sh vendor_test.sh
#
# What make vendor writes is compiled with the warnings of the course
# (ASQ_WARNINGS), as C11 by two compilers and, as far as headers go, as C++17
# by two. A program in another folder is built by the line of the README that
# was written. Then comes what must be refused. Folders have blanks in their
# names, as a reader's may have.
# shellcheck disable=SC2016,SC2086 # nothing is expanded in sed; flags are words
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
warnings="${ASQ_WARNINGS:--Wall -Wextra -Wpedantic} -Werror"
standard='-std=c11 -D_POSIX_C_SOURCE=200809L'

have() {
    command -v "$1" >/dev/null 2>&1
}

# vendor [NAME=VALUE ...]: runs it as make does; leaves its output in said.
vendor() {
    env -u TO -u M -u FORCE "BUILD=$folder/build" "$@" sh tools/vendor.sh \
        >"$said" 2>&1
    status=$?
}

# check NAME COMMAND ...: it ends with 0.
check() {
    name=$1
    shift
    "$@" >"$said" 2>&1
    status=$?
    expect "$name" 0
}

# as_it_was NAME: nothing in the folder home has changed since keep_home.
keep_home() {
    (cd "$home" && find . -type f -exec cksum {} + | sort) >"$folder/kept"
}
as_it_was() {
    (cd "$home" && find . -type f -exec cksum {} + | sort) |
        diff "$folder/kept" - >"$said"
    status=$?
    expect "$1" 0
}

# ---- The list --------------------------------------------------------------

check_list() {
    run_make vendor BUILD="$folder/build" >"$said" 2>&1
    status=$?
    count=0
    for header in lessons/[0-9][0-9]-*/*.h; do
        [ ! -f "${header%.h}.c" ] || count=$((count + 1))
    done
    expect make_vendor_lists_all_modules 0 "lines: $((count + 2))" \
        'value            01' '  one typed cell, for parameters and for rows' \
        '  sqlite3 libuv  a transaction on an event loop' 'not: atomics'
    run_make vendor M= TO="$home" BUILD="$folder/build" >"$said" 2>&1
    status=$?
    expect make_vendor_lists_without_a_name 0 "lines: $((count + 2))" \
        "none: $home"
    sed -n '2,$s/^\([a-z][a-z0-9_]*\) .*/\1/p' "$said" | grep -v '^make$' \
        >"$folder/names"
    # To say that TO is missing, it has found an example.
    while read -r name; do
        vendor M="$name"
        [ "$status" = 2 ] || break
    done <"$folder/names"
    expect there_is_an_example_for_each 2 'TO=dir'
}

# ---- What it wrote ---------------------------------------------------------

# build_example COMPILER: in another folder, by the line and from the program
# that README.md shows.
build_example() (
    ASQ=$home
    rm -rf "$folder/my program"
    mkdir "$folder/my program" && cd "$folder/my program" || exit
    sed -n '/^```c$/,/^```$/p' "$ASQ/README.md" | sed '1d;$d' >example.c
    line=$(sed -n 's/^cc //p' "$ASQ/README.md")
    [ -n "$line" ] && [ -n "$ASQ" ] && eval "$1 $line" && ./example
) >"$said" 2>&1

check_use() {
    run_make vendor TO="$home" M=tx,shutdown BUILD="$folder/build" >"$said" 2>&1
    status=$?
    files=$(find "$home"/[0-9]* -type f | wc -l)
    expect make_vendor_copies 0 'last: '"$home: tx shutdown and what that needs,\
 $((files)) files; the example in README.md works, it prints \"6 * 7 = 42\"." \
        "file: $home/09-lifetimes/shutdown.c" "none: $home/common" \
        "none: $home/05-crud" "file: $home/01-blocking/atomics.h"
    wrong=
    for file in "$home"/[0-9]*/*; do
        cmp -s "$file" "lessons/${file#"$home"/}" || wrong="$wrong $file"
    done
    cmp -s "$home/LICENSE" LICENSE || wrong="$wrong LICENSE"
    echo "$wrong" >"$said"
    expect the_files_are_unchanged 0 'lines: 0'
    cp "$home/README.md" "$said"
    expect the_readme_says_what_is_needed 0 'SQLite 3.37' 'libuv 1.40' \
        'M=tx,shutdown' 'MIT' 'contents ' 'version '
    build_example "$compiler"
    status=$?
    expect the_readme_builds_its_example 0 'last: 6 * 7 = 42'
    if have clang-14; then
        build_example clang-14
        status=$?
        expect the_readme_builds_it_with_clang 0 'last: 6 * 7 = 42'
    else
        not_checked the_readme_builds_it_with_clang 'there is no clang 14'
    fi
}

# Examples that need no connection are short, and all are compiled here.
check_examples() {
    for file in tools/examples/*.c; do
        name=$(basename "$file" .c)
        rm -rf "$home"
        vendor TO="$home" M="$name"
        expect "example_of_$name" 0 "$home: $name and what that needs"
        "$compiler" $standard $warnings $cflags "-I$home" -fsyntax-only \
            "$file" >"$said" 2>&1 ||
            fail "example_of_${name}_has_no_warnings" "$(cat "$said")"
    done
    rm -rf "$home"
    vendor TO="$home" M=value
    cp "$home/README.md" "$said"
    expect what_needs_no_library_asks_for_none 0 'not: SQLite' 'not: libuv' \
        'not: pkg-config' '/*.c -pthread'
}

check_all_as_c() {
    rm -rf "$home"
    vendor TO="$home" M="$(tr '\n' ' ' <"$folder/names")"
    expect all_modules_can_be_copied 0 "file: $home/README.md"
    cd "$home" || exit
    check all_as_c11 "$compiler" $standard $warnings $cflags -I. -c [0-9]*/*.c
    rm -rf "$folder/objects"
    mkdir "$folder/objects" && mv ./*.o "$folder/objects"
    if have clang-14; then
        check all_as_c11_with_clang clang-14 $standard $warnings $cflags -I. \
            -fsyntax-only [0-9]*/*.c
    else
        not_checked all_as_c11_with_clang 'there is no clang 14'
    fi
    cd "$root" || exit
}

# ---- From C++ --------------------------------------------------------------

# Prints a statement that prints where each field of each struct lies.
print_layout() {
    echo '#include "asq.h"'
    (cd "$home" && grep -l . [0-9]*/*.h) | sed 's/.*/#include "&"/'
    cat <<'TEXT'
#include <stdio.h>
int main(void)
{
TEXT
    cat "$home"/[0-9]*/*.h | LC_ALL=C awk '
        inside { if (/\*\//) inside = 0; next }
        { sub(/\/\*.*\*\//, "") }
        sub(/\/\*.*/, "") { inside = 1 }
        /^struct [a-z0-9_]+ \{/ {
            name = "struct " $2
            printf "printf(\"%s %%zu\\n\", sizeof(%s));\n", name, name
            text = ""; next
        }
        /^};/ { name = "" }
        name == "" { next }
        { text = text " " $0 }
        /[{]/ { depth++ }
        /[}]/ { depth-- }
        /;[ \t]*$/ && depth == 0 {
            gsub(/[{].*[}]/, "", text)
            if (match(text, /\(\*[a-z0-9_]+\)/)) {
                print_field(substr(text, RSTART + 2, RLENGTH - 3))
            } else {
                n = split(text, part, ",")
                for (i = 1; i <= n; i++) {
                    gsub(/\[[^]]*\]|;|[ \t]+$/, "", part[i])
                    sub(/^.*[ *]/, "", part[i])
                    print_field(part[i])
                }
            }
            text = ""
        }
        function print_field(field) {
            printf "printf(\"  %s %%zu\\n\", offsetof(%s, %s));\n", field,
                name, field
        }'
    printf 'return 0;\n}\n'
}

# layout FILE COMPILER FLAG ...
layout() {
    file=$1
    shift
    "$@" -Werror $cflags "-I$home" "$folder/layout.c" -o "$folder/layout" \
        >"$said" 2>&1 && "$folder/layout" >"$folder/$file"
}

check_layout() {
    print_layout >"$folder/layout.c"
    : >"$folder/in_c"
    layout in_c "$compiler" $standard &&
        layout in_cpp "$1" -std=c++17 -x c++ &&
        diff "$folder/in_c" "$folder/in_cpp" >"$said"
    status=$?
    fields=$(grep -c '^ ' "$folder/in_c")
    structs=$(grep -c '^struct' "$folder/in_c")
    cat "$folder/in_c" >>"$said"
    expect "structs_are_the_same_for_$1" 0 'struct asq_db ' '  owner ' \
        '  poll_us ' '  drain_ms ' '  given_up ' '  run_on_worker ' '  cache ' '  sql '
    if [ "$fields" -lt $((3 * structs)) ]; then
        fail all_fields_are_looked_at "$structs structs, $fields fields"
    fi
}

# Every function that a header declares is linked by the name that C gave it.
print_calls() {
    echo '#include "asq.h"'
    (cd "$home" && grep -l . [0-9]*/*.h) | sed 's/.*/#include "&"/'
    echo 'void *functions[] = {'
    cat "$home"/[0-9]*/*.h | LC_ALL=C sed -n \
        -e '/^typedef/d' -e '/^#/d' \
        -e 's/^\([a-z].*[ *]\)\{0,1\}\(asq_[a-z0-9_]*\)(.*/    (void *)\2,/p'
    cat <<'TEXT'
};
static void on_open(struct asq_conn *conn, int status)
{
    if (status != 0)
        fprintf(stderr, "%s\n", conn->message);
}
static void on_answer(struct asq_request *request, int status)
{
    printf("%d %d\n", status,
           int(asq_result_int64(&request->result, 0, "answer")));
    asq_conn_close(static_cast<struct asq_conn *>(request->data),
                   [](struct asq_conn *) {});
}
int main()
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_conn conn;
    struct asq_request request;
    uv_loop_t *loop = uv_default_loop();

    asq_conn_init(&conn);
    asq_request_init(&request);
    request.data = &conn;
    if (asq_conn_open(&conn, loop, &profile, on_open) != 0)
        return 1;
    if (asq_conn_run(&conn, &request, "SELECT 6 * 7 AS answer", nullptr,
                     on_answer) != 0)
        return 1;
    uv_run(loop, UV_RUN_DEFAULT);
    asq_request_destroy(&request);
    printf("%d functions\n", int(sizeof functions / sizeof *functions));
    return uv_loop_close(loop);
}
TEXT
}

check_cpp_with() {
    print_calls | sed '1i #include <cstdio>' >"$folder/calls.cpp"
    check "a_program_links_with_$1" "$1" -std=c++17 -Wall -Wextra -Werror \
        $cflags "-I$home" "$folder/calls.cpp" "$folder"/objects/*.o $libs \
        -pthread -o "$folder/calls"
    "$folder/calls" >"$said" 2>&1
    status=$?
    expect "a_program_runs_with_$1" 0 '0 42' \
        "$(grep -c '^    (void \*)asq_' "$folder/calls.cpp") functions"
    check_layout "$1"
}

check_cpp() {
    for tool in g++ clang++-14; do
        if have "$tool"; then
            check_cpp_with "$tool"
        else
            not_checked "headers_with_$tool" "there is no $tool"
        fi
    done
}

# ---- What is refused -------------------------------------------------------

check_wrong_use() {
    vendor TO="$home" M=tx,shutdwn
    expect names_what_is_near 2 'lines: 1' 'M=shutdwn: ' ': shutdown' \
        "none: $home"
    vendor TO="$home" M='nothing *'
    expect names_all_where_nothing_is_near 2 'lines: 1' M=nothing ' tx ' ' db '
    vendor M=work
    expect asks_where_to 2 'lines: 1' TO=dir
    for place in . build lessons/new ../"$(basename "$root")"/new "$root"; do
        vendor TO="$place" M=work
        expect "writes_nothing_into_the_course: $place" 2 'lines: 1' course \
            'none: lessons/new' 'none: new'
    done
    vendor TO="$folder/new/../more" M=work
    expect makes_no_way_up 2 'lines: 1' 'does not exist'
    echo mine >"$folder/file"
    for place in "$folder/file" "$folder/file/below"; do
        vendor TO="$place" M=work
        expect "is_no_file: ${place#"$folder/"}" 2 'lines: 1' 'not a folder'
    done
    vendor TO=/dev/null/x M=work
    expect cannot_go_below_a_device 2 'lines: 1' 'not a folder'
    mkdir -p "$home"
    : >"$home/.hidden"
    vendor TO="$home" M=work
    expect wants_an_empty_folder 2 'lines: 1' 'not empty'
    rm "$home/.hidden"
    vendor TO="$home" M=work CC=false
    expect writes_nothing_that_does_not_compile 1 'nothing was written' \
        "none: $home/asq.h"
    vendor TO="$home" M=work
    expect takes_an_empty_folder 0 "file: $home/03-event-loop/work.c"
}

check_update() {
    echo mine >"$home/03-event-loop/mine.c"
    vendor TO="$home" M=value,offload
    expect updates_what_it_has_made 0 "file: $home/02-threads/offload.c" \
        "none: $home/03-event-loop/work.c" \
        "file: $home/03-event-loop/mine.c" "none: $home/03-event-loop/work.h"
    vendor TO="$home" M=value
    expect leaves_no_empty_folder 0 "none: $home/02-threads"
    echo '/* my own */' >>"$home/01-blocking/value.c"
    keep_home
    vendor TO="$home" M=value,work
    expect keeps_what_was_changed 2 'lines: 1' value.c FORCE=1
    vendor TO="$home" M=work
    expect removes_nothing_that_was_changed 2 'lines: 1' value.c
    as_it_was nothing_was_touched
    vendor TO="$home" M=value FORCE=1
    cmp "$home/01-blocking/value.c" lessons/01-blocking/value.c >"$said"
    status=$?
    expect replaces_it_when_told 0
    echo mine >"$home/03-event-loop/work.c"
    vendor TO="$home" M=work FORCE=1
    expect never_replaces_what_is_not_its_own 2 'lines: 1' work.c
    rm "$home/03-event-loop/work.c"
    mkdir "$home/asq.h.new"
    vendor TO="$home" M=value,work
    expect says_what_cannot_be_written 1 'lines: 1' asq.h 'cannot be written'
    rmdir "$home/asq.h.new"
    vendor TO="$home" M=value,work
    expect goes_on_where_it_was_stopped 0 "file: $home/03-event-loop/work.c"
}

# Nothing is written, and nothing removed, outside of the folder.
check_links() {
    mkdir "$folder/outside"
    echo mine >"$folder/outside/offload.c"
    ln -s "$folder/outside" "$home/02-threads"
    vendor TO="$home" M=value,work,offload
    expect follows_no_folder_out 2 'lines: 1' 02-threads link
    sum="$(cksum <"$folder/outside/offload.c") ../outside/offload.c"
    printf '%s\n' "$sum" "${sum%%..*}02-threads/offload.c" >>"$home/asq.files"
    vendor TO="$home" M=value
    expect removes_nothing_behind_a_link 2 "file: $folder/outside/offload.c"
    rm "$home/02-threads"
    ln -s "$folder/outside/file" "$home/README.md.new"
    vendor TO="$home" M=value
    expect follows_no_file_out 2 'lines: 1' README.md.new \
        "none: $folder/outside/file"
    rm "$home/README.md.new"
    vendor TO="$home" M=value
    expect believes_no_list_that_points_out 0 "file: $folder/outside/offload.c"
    ln -s "$home" "$folder/a link"
    vendor TO="$folder/a link" M=value
    expect takes_a_link_to_the_folder 0
}

make_folder
root=$(pwd)
said=$folder/said
home="$folder/my house"
compiler=${CC:-cc}
compiler=${compiler##* }
cflags=$(cat "$ASQ_BIN/deps.cflags")
libs=$(cat "$ASQ_BIN/deps.libs")
check_list
check_use
check_examples
check_all_as_c
check_cpp
rm -rf "$home"
check_wrong_use
check_update
check_links
find "$folder/build" -name 'vendor.*' >"$said"
expect nothing_is_left_in_the_build_folder 0 'lines: 0'
finish
