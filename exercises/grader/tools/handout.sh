#!/bin/sh
# handout.sh - packs the course as students get it
#
#   sh exercises/grader/tools/handout.sh          (make handout)
#
# Makes build/handout/async-db-VERSION.tar.gz of what git tracks or, without
# git, of everything but what was built. What is for teachers stays out (see
# list_files), exercises are their skeletons, and the file VERSION is added.
# A check in tests/tools that needs what stays out says "Not in a hand-out."
# in its header. The same commit makes the same bytes.
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
        -e '^compile_commands\.json$' -e '\.new$' -e '^VERSION$'
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

copy_files() {
    for exercise in $(exercises); do
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

[ "$#" = 0 ] || misuse "$1: $command takes nothing"
version=$(version_of_git)
[ -n "$version" ] || version=$(version_of_file)
[ -n "$version" ] ||
    stop 'The version is not known: commit, or write it into the file VERSION.'
make_folder handout-tree
top=$course-$version
tree=$folder/$top
mkdir -p "$tree" "$build/handout" || stop "$build/handout: cannot be made"
list_files >"$folder/list"
copy_files
echo "$version" >"$tree/VERSION"
chmod 644 "$tree/VERSION"
set_times
archive=$(cd "$build/handout" && pwd)/$top.tar.gz
(cd "$folder" && find "$top" -type f | pack "$archive") || exit
echo "$build/handout/$top.tar.gz: $(find "$tree" -type f | grep -c .) files"
case $version in
*-dirty) echo 'Note: it holds changes that are not committed.' ;;
esac
