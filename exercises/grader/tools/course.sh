# course.sh - what the tools of a student and of a teacher share
#
# Read by `. course.sh` at the root of the course. Settings come as make hands
# them on, in the environment: BUILD, EX and so on. Wrong use is one line that
# names the value and the fix, and exit status 2; what could not be done is
# status 1.
# shellcheck shell=sh
# What a tool sets here, another file reads.
# shellcheck disable=SC2034

course=async-db
build=${BUILD:-build}
state=exercises/progress.txt
skeletons=exercises/grader/skeletons
command="make $(basename "$0" .sh)"

misuse() {
    printf '%s\n' "$*" >&2
    exit 2
}

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

[ -d exercises/grader ] ||
    misuse "$(pwd): call $command at the root of the course"

# ---- Exercises -------------------------------------------------------------

# Prints the names of all exercises, as in 02-threads.
exercises() {
    for folder_ in exercises/[0-9][0-9]-*/; do
        name_=${folder_#exercises/}
        name_=${name_%/}
        for file_ in "$skeletons/$name_"/ex_*.c "$folder_"ex_*.c; do
            if [ -f "$file_" ]; then
                echo "$name_"
                break
            fi
        done
    done
}

# One line, so that it fits into a message.
exercise_names() {
    exercises | paste -s -d ' ' -
}

# use_exercise NAME: sets exercise, file (what the student edits) and skeleton
# (its unedited copy). The skeleton names the file: beside it, a student may
# have files of their own.
use_exercise() {
    exercise=$1
    for skeleton in "$skeletons/$1"/ex_*.c "exercises/$1"/ex_*.c; do
        [ ! -f "$skeleton" ] || break
    done
    file=exercises/$1/${skeleton##*/}
    skeleton=$skeletons/$1/${skeleton##*/}
}

# Finds the exercise that EX names: 2, 02 and 02-threads are the same.
find_exercise() {
    [ -n "${EX:-}" ] ||
        misuse "$command EX=NN, with one of: $(exercise_names)"
    for name in $(exercises); do
        case $name in
        "$EX" | "$EX"-* | "0$EX"-*)
            use_exercise "$name"
            return
            ;;
        esac
    done
    misuse "EX=$EX: there is no such exercise; use one of: $(exercise_names)"
}

need_skeleton() {
    [ -f "$skeleton" ] ||
        stop "$skeleton is missing: take it from the archive of the course"
}

# Whether the student has not begun: the file is still the skeleton.
is_untouched() {
    cmp -s "$file" "$skeleton"
}

# ---- The state file --------------------------------------------------------

# state_of NAME: prints its value, or nothing.
state_of() {
    [ ! -f "$state" ] ||
        awk -v name="$1" '$1 == name { print $2; exit }' "$state"
}

# set_state NAME VALUE: replaces the file whole; other lines stay.
set_state() {
    [ -f "$state" ] || (: >"$state") 2>/dev/null ||
        stop "$state cannot be written"
    awk -v name="$1" -v value="$2" '
        $1 != name { print; next }
        !done { print name, value; done = 1 }
        END { if (!done) print name, value }' "$state" >"$state.new" &&
        mv "$state.new" "$state" || stop "$state: cannot be written"
}

# Sets hints to how many hints of the exercise were taken. The file is open to
# hands: what is no count is none.
count_hints() {
    hints=$(state_of "$exercise.hints")
    case $hints in
    [0-3]) ;;
    *) hints=0 ;;
    esac
}

# Splits "7/10" into points and max, both 0 if it is nothing like that.
read_points() {
    points=${1%%/*}
    max=${1#*/}
    case $points:$max in
    *[!0-9:]* | :* | *: | *:*:* | ????????*) points=0 max=0 ;;
    esac
}

is_full() {
    read_points "$1"
    [ "$max" -gt 0 ] && [ "$points" -ge "$max" ]
}

# ---- Output ----------------------------------------------------------------

is_utf8() {
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*) ;;
    *) return 1 ;;
    esac
}

# Sets dot, which stands between parts of a line, and the parts of a bar.
use_characters() {
    if is_utf8; then
        dot='·' on='█' off='░'
    else
        dot='-' on='#' off='.'
    fi
}

# bar POINTS MAX: ten characters.
bar() {
    filled_=0
    [ "$2" -eq 0 ] || filled_=$(($1 * 10 / $2))
    for step_ in 1 2 3 4 5 6 7 8 9 10; do
        if [ "$step_" -le "$filled_" ]; then
            printf %s "$on"
        else
            printf %s "$off"
        fi
    done
}

# ---- Folders, versions and archives ----------------------------------------

# make_folder NAME: a folder of our own in the build folder, gone at the end.
make_folder() {
    mkdir -p "$build" 2>/dev/null &&
        folder=$(mktemp -d "$build/$1.XXXXXX" 2>/dev/null) ||
        stop "$build cannot be written: use another, with make BUILD=/tmp/$course"
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 130' INT TERM HUP PIPE
}

# Without git, or in a hand-out, the version is what the file VERSION says. It
# becomes a part of a file's name.
version_of_git() {
    if [ -e .git ] && have git; then
        git describe --tags --always --dirty 2>/dev/null | tr '/ ' '--'
    fi
}

version_of_file() {
    [ ! -f VERSION ] || head -n 1 VERSION | tr '/ ' '--'
}

# What students have: the hand-out says which it is, whatever they commit.
version() {
    version_=$(version_of_file)
    [ -n "$version_" ] || version_=$(version_of_git)
    echo "${version_:-unknown}"
}

# sums FOLDER: a line for each file in it, its sum, size and name.
sums() {
    (cd "$1" && find . -type f ! -path './build/*' ! -path './.git/*' \
        ! -name SUMS -exec cksum {} +) | sed 's, \./, ,' | LC_ALL=C sort -k 3
}

# pack FILE: the files that standard input names, each on a line, become an
# archive. It does not say who packed it and, from the same files with the
# same times, has the same bytes.
pack() {
    case $(tar --version 2>/dev/null) in
    *GNU*) owner='--owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w' ;;
    *bsdtar*) owner='--uid 0 --gid 0 --numeric-owner' ;;
    *) owner= ;;
    esac
    # macOS would add files of its own. The owner is words.
    # shellcheck disable=SC2086
    LC_ALL=C sort | COPYFILE_DISABLE=1 \
        tar -c -f "$1.new" --format=ustar $owner -T - &&
        gzip -n -9 <"$1.new" >"$1.gz.new" && mv "$1.gz.new" "$1" ||
        stop "$1: cannot be written"
    rm -f "$1.new"
}
