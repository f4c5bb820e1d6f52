#!/bin/sh
# update.sh - takes a new version of the course
#
#   FROM=archive-or-folder sh exercises/grader/tools/update.sh
#
# FROM is a folder, or an archive (.tar.gz, .tgz, .tar or .zip) with one folder
# at its top or none. Each file of the new version replaces ours, except what
# a student wrote: exercises/*/ex_*.c that are not the skeleton, and the state
# file. Where a new skeleton differs from the old one, it is put beside the
# student's file as ex_x.c.new. What is gone in the new version stays here.
# Any other file that a student has changed is replaced, too, but a copy stays
# beside it as NAME.yours. What it was before, SUMS knows: a file of the hand-out
# and of every update.
#
# Files are replaced by rename, the Makefile last: a make that runs meanwhile
# reads whole files. Nothing is changed before the new version was looked at.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

# refuse WHAT
refuse() {
    misuse "FROM=$from: $1; nothing was changed. Use an archive of the course\
 (.tar.gz, .tgz, .tar, .zip) or its folder"
}

# An archive may name no place outside of its own folder, and hold only files
# and folders: a link could lead out. The first letter of a line of tar -tv is
# the kind.
check_names() {
    if grep -q -E '^/|(^|/)\.\.(/|$)|\\' "$folder/names"; then
        refuse 'it names files outside of its folder'
    fi
}

unpack_tar() {
    tar -t -f - <"$1" >"$folder/names" 2>/dev/null &&
        tar -t -v -f - <"$1" >"$folder/kinds" 2>/dev/null ||
        refuse 'it cannot be read'
    check_names
    ! grep -q '^[^d-]' "$folder/kinds" ||
        refuse 'it holds links or devices'
    tar -x -f - -C "$folder/new" <"$1" 2>/dev/null ||
        refuse 'it cannot be unpacked'
}

unpack_zip() {
    have unzip || stop "FROM=$from: unpack it yourself (there is no unzip), and\
 name the folder"
    unzip -Z1 "$1" >"$folder/names" 2>/dev/null || refuse 'it cannot be read'
    check_names
    unzip -q -o "$1" -d "$folder/new" >/dev/null 2>&1 ||
        refuse 'it cannot be unpacked'
}

is_course() {
    [ -f "$1/Makefile" ] && [ -d "$1/exercises/grader" ]
}

# Sets new to the folder of the new version.
find_new() {
    new=$from
    if [ ! -d "$from" ]; then
        new=$folder/new
        mkdir "$new"
        case $from in
        *.tar.gz | *.tgz)
            gzip -d -c "$from" >"$folder/tar" 2>/dev/null ||
                refuse 'it cannot be read'
            unpack_tar "$folder/tar"
            ;;
        *.tar) unpack_tar "$from" ;;
        *.zip) unpack_zip "$from" ;;
        *) refuse 'it is not an archive of a kind that is known here' ;;
        esac
        [ -z "$(find "$new" ! -type f ! -type d)" ] ||
            refuse 'it holds links or devices'
    fi
    is_course "$new" && return
    # One folder at the top, beside which nothing lies.
    set -- "$new"/*
    [ "$#" = 1 ] && is_course "$1" ||
        refuse 'there is no Makefile and no exercises/grader in it'
    new=$1
}

# The files of the new version. Those of a student come first, while the old
# skeletons are here; what was built or belongs to one user is not looked at.
list_files() {
    (cd "$new" && find . -type f ! -path './build/*' ! -path './.git/*' \
        ! -name '*.new' ! -name '*.yours' ! -name '*.yours.[0-9]*' \
        ! -name SUMS ! -path "./$state" |
        sed 's,^\./,,' | LC_ALL=C sort) >"$folder/all"
    students='^exercises/[0-9][0-9]-[^/]*/ex_[^/]*\.c$'
    grep -E "$students" "$folder/all" >"$folder/students"
    grep -v -E -e "$students" -e '^exercises/[0-9][0-9]-[^/]*/ex_.*\.c\.' \
        -e '^Makefile$' "$folder/all" >"$folder/files"
    echo Makefile >>"$folder/files"
}

# put FILE NAME: the new version's FILE becomes ours under NAME. It is as young
# as now, so that make builds what depends on it.
put() {
    ! cmp -s "$1" "$2" || return 0
    mkdir -p "$(dirname "$2")" && cp "$1" "$2.update" && mv "$2.update" "$2" ||
        stop "$2: cannot be written; make update again when it can"
    changed=$((changed + 1))
}

# is_changed NAME: the student has changed it. Without SUMS, git knows, or the
# time: every file of a hand-out is as old as VERSION.
is_changed() {
    if [ -f SUMS ]; then
        ! grep -q -x -F -e "$(cksum "$1")" SUMS
    elif [ -e .git ] && have git; then
        ! git show "HEAD:./$1" 2>/dev/null | cmp -s - "$1"
    else
        [ -f VERSION ] && [ -n "$(find "$1" -newer VERSION)" ]
    fi
}

# keep NAME: a copy of what the student has made of it, under a free name.
keep() {
    copy=$1.yours
    number=1
    while [ -e "$copy" ] && ! cmp -s "$1" "$copy"; do
        number=$((number + 1))
        copy=$1.yours.$number
    done
    cp "$1" "$copy" || stop "$copy: cannot be written"
    yours=$((yours + 1))
    echo "$1 was changed by you: your copy is ${copy##*/}, beside it"
}

# put_students NAME: a file that a student may have edited.
put_students() {
    use_exercise "$(echo "$1" | cut -d / -f 2)"
    file=$1
    skeleton=$skeletons/$exercise/${1##*/}
    newest=$new/$skeleton
    [ -f "$newest" ] || newest=$new/$1
    if [ ! -e "$file" ] || is_untouched; then
        put "$newest" "$file"
    elif ! cmp -s "$newest" "$file"; then
        yours=$((yours + 1))
        cmp -s "$newest" "$skeleton" && return
        put "$newest" "$file.new"
        echo "$file is yours and stays; the new skeleton is beside it: \
${file##*/}.new"
    fi
}

[ "$#" = 0 ] || misuse "$1: name the new version as in $command FROM=..."
# No file of the course is nearly as large, in blocks of 512 bytes.
ulimit -f 409600
from=${FROM:-}
[ -n "$from" ] || misuse "$command FROM=archive-or-folder"
[ -e "$from" ] || misuse "FROM=$from: there is no such file or folder"
case $from in
-*) from=./$from ;;
esac
make_folder update
find_new
[ "$(cd "$new" && pwd -P)" != "$(pwd -P)" ] ||
    misuse "FROM=$from: this is the course itself; name the new version"
list_files
changed=0
yours=0
while IFS= read -r name; do
    put_students "$name"
done <"$folder/students"
while IFS= read -r name; do
    if [ -f "$name" ] && [ "$name" != VERSION ] &&
        ! cmp -s "$new/$name" "$name" && is_changed "$name"; then
        keep "$name"
    fi
    put "$new/$name" "$name"
done <"$folder/files"
# Last of all: an update that was stopped finds the old one.
sums "$new" >"$folder/sums" && mv "$folder/sums" SUMS ||
    stop 'SUMS: cannot be written'
version=$(version_of_file)
echo "This is ${version:-the new version} now: $changed new files, $yours of\
 yours kept."
