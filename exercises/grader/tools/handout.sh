#!/bin/sh
# handout.sh - packs the course as students get it
#
#   [UPTO=04] sh exercises/grader/tools/handout.sh          (make handout)
#
# Makes build/handout/async-db-VERSION.tar.gz of what git tracks or, without
# git, of everything but what was built. What is for teachers stays out (see
# list_files), exercises are their skeletons, and the file VERSION is added.
# A check in tests/tools that needs what stays out says "Not in a hand-out."
# in its header. With UPTO it ends at that lesson: later ones, and what includes
# them, stay out. A link to what is not there becomes plain text. SUMS, which
# make update reads, tells what every file was. The same commit makes the same
# bytes.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

tracked_files() {
    if [ -e .git ] && have git; then
        git -c core.quotepath=off ls-files
    else
        find . -type f ! -path "./${build#./}/*" ! -path './.git/*' |
            sed 's,^\./,,'
    fi
}

list_files() {
    tracked_files | grep -v -E \
        -e '^(solutions|tests/graders|tests/hostile|docs/answers)/' \
        -e '^(build|hidden|\.ci|\.git|\.github|\.cache)/' \
        -e '^docs/(grading|authoring|honesty|in-class|syllabus)\.md$' \
        -e '^tests/tools/(check_test|graders|hostile)\.sh$' \
        -e '^exercises/progress\.txt$' -e '^exercises/.*/ex_.*\.c\.' \
        -e '^compile_commands\.json$' -e '\.new$' -e '\.yours(\.[0-9]+)?$' \
        -e '^(VERSION|SUMS)$'
}

# put FILE NAME: copies with the rights that everybody's copy has.
put() {
    [ -f "$1" ] || return 0 # tracked, but removed
    [ -d "$tree/${2%/*}" ] || [ "${2%/*}" = "$2" ] || mkdir -p "$tree/${2%/*}"
    cp "$1" "$tree/$2" || stop "$tree/$2: cannot be written"
    if [ -x "$1" ]; then
        chmod 755 "$tree/$2"
    else
        chmod 644 "$tree/$2"
    fi
}

# A skeleton that its solution does not agree with may hold the solution.
check_skeleton() {
    solution=solutions/$exercise/${file##*/}
    need_skeleton
    [ -f "$solution" ] || return
    sh exercises/grader/skeleton.sh <"$solution" | cmp -s - "$skeleton" ||
        stop "$skeleton is not the skeleton of $solution: make it again with\
 exercises/grader/skeleton.sh"
}

# is_later NN-NAME: it comes after the last lesson.
is_later() {
    [ -n "$upto" ] || return 1
    case $1 in
    [0-9][0-9]-*) [ "${1%%-*}" -gt "$upto" ] ;;
    *) return 1 ;;
    esac
}

# Prints the names of the lessons and exercises that are left out.
later_names() {
    for path_ in lessons/[0-9][0-9]-*/ exercises/[0-9][0-9]-*/; do
        name_=$(basename "$path_")
        ! is_later "$name_" || echo "$name_"
    done | sort -u
}

# Leaves the later lessons out of the list, and all that includes one of their
# headers, or a header that is left out itself.
leave_out_later() {
    later_names >"$folder/later"
    [ -s "$folder/later" ] || return 0
    sed 's,.*,/&/,' "$folder/later" >"$folder/parts"
    grep -v -F -f "$folder/parts" "$folder/list" >"$folder/kept"
    sed 's,.*,"&/,' "$folder/later" >"$folder/includes"
    while :; do
        grep -E '^(tests|bench)/[^/]*\.[ch]$' "$folder/kept" |
            while IFS= read -r name; do
                grep '^#include' "$name" | grep -q -F -f "$folder/includes" &&
                    echo "$name"
            done >"$folder/gone"
        [ -s "$folder/gone" ] || break
        sed -n 's,.*/\([^/]*\.h\)$,\1",p' "$folder/gone" >>"$folder/includes"
        grep -v -x -F -f "$folder/gone" "$folder/kept" >"$folder/kept.new"
        mv "$folder/kept.new" "$folder/kept"
    done
    # These two want every lesson that a text or a module speaks of.
    grep -v -x -e tests/tools/texts.sh -e tests/tools/vendor_test.sh \
        "$folder/kept" >"$folder/list"
}

# mend_page FILE: what is not in the tree is no link. Rows of tables that tell of
# a later lesson go, and sections that run a program of one.
mend_page() {
    awk -v page="$1" -v later="$folder/later" -v upto="$upto" '
        # Returns a path without "..", as seen from the page.
        function resolve(path, n, i, part, out) {
            sub(/[#?].*/, "", path)
            if (path == "")
                return page
            path = page_folder path
            n = split(path, part, "/")
            out = ""
            for (i = 1; i <= n; i++) {
                if (part[i] == "..")
                    sub(/\/?[^\/]*$/, "", out)
                else if (part[i] != "" && part[i] != ".")
                    out = out (out == "" ? "" : "/") part[i]
            }
            return out
        }
        function is_later(line, name) {
            for (name in gone)
                if (index(line, name))
                    return 1
            while (match(line, /L=[0-9][0-9]/)) {
                if (upto != "" && substr(line, RSTART + 2, 2) + 0 > upto + 0)
                    return 1
                line = substr(line, RSTART + RLENGTH)
            }
            return 0
        }
        # A link may go on in the next line; what looks like one in code has no
        # such ending.
        function unlink_text(line, out, link, text, target) {
            out = ""
            while (match(line, /\[[^]\[]*\]\([^)]*\)/)) {
                link = substr(line, RSTART, RLENGTH)
                text = target = link
                sub(/\]\(.*/, "", text)
                sub(/^\[/, "", text)
                sub(/.*\]\(/, "", target)
                sub(/\)$/, "", target)
                if (target !~ /^[a-z]+:/ &&
                    target ~ /(\.[a-z]+|\/)(#.*)?$/ &&
                    !(resolve(target) in there))
                    link = text
                out = out substr(line, 1, RSTART - 1) link
                line = substr(line, RSTART + RLENGTH)
            }
            return out line
        }
        BEGIN {
            page_folder = page
            if (!sub(/[^\/]*$/, "", page_folder))
                page_folder = ""
            while ((getline name <later) > 0)
                gone[name]
        }
        function end_text() {
            section = section unlink_text(prose)
            prose = ""
        }
        function end_section() {
            end_text()
            if (!is_gone)
                printf "%s", section
            section = ""
            is_gone = 0
        }
        FNR == NR { there[$0]; next }
        /^```/ {
            end_text()
            is_code = !is_code
            section = section $0 "\n"
            next
        }
        is_code {
            is_gone = is_gone || is_later($0)
            section = section $0 "\n"
            next
        }
        /^#/ { end_section() }
        /^\|/ && is_later($0) { next }
        { prose = prose $0 "\n" }
        END { end_section() }' "$folder/there" "$tree/$1" \
        >"$folder/page" && cp "$folder/page" "$tree/$1" ||
        stop "$tree/$1: cannot be written"
}

mend_pages() {
    : >>"$folder/later"
    (cd "$tree" && find . | sed 's,^\./,,') >"$folder/there"
    (cd "$tree" && find . -name '*.md' | sed 's,^\./,,') >"$folder/pages"
    while IFS= read -r name; do
        mend_page "$name"
    done <"$folder/pages"
}

copy_files() {
    for exercise in $(exercises); do
        ! is_later "$exercise" || continue
        use_exercise "$exercise"
        check_skeleton
    done
    while IFS= read -r name; do
        case $name in
        exercises/[0-9][0-9]-*/ex_*.c)
            put "$skeletons/${name#exercises/}" "$name"
            ;;
        tests/tools/*.sh)
            sed 20q "$name" 2>/dev/null | grep -q '^# .*Not in a hand-out\.' ||
                put "$name" "$name"
            ;;
        *) put "$name" "$name" ;;
        esac
    done <"$folder/list"
}

# All files are as old as the commit or, without git, as the file VERSION.
set_times() {
    if [ -e .git ] && have git; then
        time=$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y%m%d%H%M.%S)
        TZ=UTC0 touch -t "$time" "$folder/time"
    elif [ -f VERSION ]; then
        touch -r VERSION "$folder/time"
    else
        TZ=UTC0 touch -t 200001010000 "$folder/time"
    fi || stop 'the time of the commit is not known'
    find "$tree" -type f -exec touch -r "$folder/time" {} +
}

upto=${UPTO:-}
case $upto in
'') ;;
[0-9][0-9])
    [ -n "$(find lessons -name "$upto-*" 2>/dev/null)" ] ||
        misuse "UPTO=$upto: there is no such lesson"
    ;;
*) misuse "UPTO=$upto: name the last lesson with two digits, as in UPTO=04" ;;
esac
[ "$#" = 0 ] || misuse "$1: $command takes nothing"
version=$(version_of_git)
[ -n "$version" ] || version=$(version_of_file)
[ -n "$version" ] ||
    stop 'The version is not known: commit, or write it into the file VERSION.'
make_folder handout-tree
top=$course-$version${upto:+-upto-$upto}
tree=$folder/$top
mkdir -p "$tree" "$build/handout" || stop "$build/handout: cannot be made"
list_files >"$folder/list"
leave_out_later
copy_files
mend_pages
echo "$version" >"$tree/VERSION"
sums "$tree" >"$folder/sums"
cp "$folder/sums" "$tree/SUMS"
chmod 644 "$tree/VERSION" "$tree/SUMS"
set_times
archive=$(cd "$build/handout" && pwd)/$top.tar.gz
(cd "$folder" && find "$top" -type f | pack "$archive") || exit
echo "$build/handout/$top.tar.gz: $(find "$tree" -type f | grep -c .) files"
case $version in
*-dirty) echo 'Note: it holds changes that are not committed.' ;;
esac
