#!/bin/sh
# links.sh - checks the links of the texts and the glossary
#
#   sh links.sh
#
# In every text (*.md) a link leads to a file that is there, and one with
# "#anchor" to a heading of that file. The terms of docs/glossary.md are in
# alphabetical order. Each names the lesson that explains it, and the text of
# that lesson, or of its exercise, links back to the term.
#
# The check is itself checked, on texts of its own. Not in a hand-out.
# shellcheck disable=SC2016 # marks of code are not expanded
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# Terms that need no link from a lesson yet, as anchors.
not_yet=''

# Prints "heading PATH#ANCHOR" for each heading of the texts that are its
# arguments, and "link FILE:LINE PATH ANCHOR" for each link to a file of the
# course, both paths as seen from here.
read_texts() {
    LC_ALL=C awk '
        function resolve(path, n, i, part, out) {
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
        FNR == 1 {
            is_code = 0
            home = FILENAME
            if (!sub(/[^\/]*$/, "", home))
                home = ""
        }
        /^ *```/ { is_code = !is_code }
        is_code { next }
        /^#+ / {
            anchor = tolower($0)
            sub(/^#+ +/, "", anchor)
            gsub(/[^a-z0-9 _\200-\377-]/, "", anchor)
            gsub(/ /, "-", anchor)
            print "heading", FILENAME "#" anchor
        }
        {
            gsub(/`[^`]*`/, "")
            while (match($0, /\]\([^() ]+\)/)) {
                target = substr($0, RSTART + 2, RLENGTH - 3)
                $0 = substr($0, RSTART + RLENGTH)
                if (target ~ /^[a-z]+:/)
                    continue
                anchor = path = target
                if (!sub(/^[^#]*#/, "", anchor))
                    anchor = ""
                sub(/#.*/, "", path)
                path = path == "" ? FILENAME : resolve(home path)
                print "link", FILENAME ":" FNR, path, anchor
            }
        }' "$@" /dev/null
}

# Prints a line for each link that leads nowhere.
find_dead() {
    sed -n 's/^link //p' "$folder/read" |
        while read -r place path anchor; do
            if [ ! -e "$path" ]; then
                echo "$place: there is no $path"
            elif [ -n "$anchor" ] &&
                ! grep -qxF "heading $path#$anchor" "$folder/read"; then
                echo "$place: $path has no heading for #$anchor"
            fi
        done
}

# Prints a line for each term whose place, lesson or link back is missing.
find_loose_terms() {
    awk '
        /^## / {
            term = substr($0, 4)
            if (tolower(term) < tolower(last))
                print term ": comes after " last
            last = term
        }' docs/glossary.md
    awk '
        function tell() {
            if (anchor != "")
                print anchor, lesson
        }
        /^## / {
            tell()
            anchor = tolower(substr($0, 4))
            gsub(/ /, "-", anchor)
            lesson = "none"
        }
        match($0, /\]\(\.\.\/lessons\/[0-9a-z-]+\/README\.md\)$/) {
            lesson = substr($0, RSTART + 13, RLENGTH - 24)
        }
        END { tell() }' docs/glossary.md |
        while read -r anchor lesson; do
            linked=$(linked_from "$anchor")
            case " $linked " in
            *" $lesson "*) continue ;;
            esac
            if [ "$lesson" = none ]; then
                echo "$anchor: names no lesson"
            elif ! is_listed "$anchor"; then
                echo "$anchor: is not linked from the text of $lesson${linked:+,\
 but from that of $linked}"
            fi
        done
}

# Prints the lessons that link to a term, in one line.
linked_from() {
    sed -n -E "s,^link (lessons|exercises)/([^/]*)/README\.md:[0-9]+ \
docs/glossary\.md $1\$,\2,p" "$folder/read" | LC_ALL=C sort -u | paste -s -d ' ' -
}

is_listed() {
    case " $unlinked " in
    *" $1 "*) ;;
    *) false ;;
    esac
}

# Prints what is wrong in the folder $1.
find_wrong() (
    cd "$1" || exit
    # shellcheck disable=SC2046 # names of the course have no blanks
    read_texts $(find . -name '*.md' ! -path './.*/*' \
        ! -path "./${BUILD:-build}/*" | sed 's,^\./,,' | LC_ALL=C sort) \
        >"$folder/read"
    find_dead
    find_loose_terms
)

# try NAME [WRONG]: what is wrong in the small tree, which is then made anew.
try() {
    got=$(find_wrong "$tree")
    if [ "$got" = "${2:-}" ]; then
        ok "$1"
    else
        fail "$1" "got       $got
expected  ${2:-}"
    fi
    make_tree
}

make_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/docs" "$tree/lessons/01-one" "$tree/exercises/01-one"
    cat >"$tree/docs/glossary.md" <<'TEXT'
# Glossary

## in flight

Submitted.
[Lesson 01](../lessons/01-one/README.md)

## WAL

A file.
[Lesson 01](../lessons/01-one/README.md)
TEXT
    cat >"$tree/lessons/01-one/README.md" <<'TEXT'
# One

It is [in
flight](../../docs/glossary.md#in-flight), see [below](#what-it-does-in-short),
[`main.c`](main.c) and [SQLite](https://localhost/x).

## What `it` does, in short
TEXT
    echo '[WAL](../../docs/glossary.md#wal)' >"$tree/exercises/01-one/README.md"
    : >"$tree/lessons/01-one/main.c"
}

make_folder
unlinked=
tree=$folder/tree
make_tree
try takes_what_is_right
echo 'See [a](b.md), `[c](d.md)`.' >"$tree/README.md"
try finds_a_missing_file 'README.md:1: there is no b.md'
printf '```\n[c](d.md)\n```\n[e](lessons/01-one/README.md#two)\n' >"$tree/README.md"
try finds_a_missing_heading \
    'README.md:4: lessons/01-one/README.md has no heading for #two'
printf '\n## lane\n\nA row.\n' >>"$tree/docs/glossary.md"
try finds_a_term_without_order_and_lesson 'lane: comes after WAL
lane: names no lesson'
: >"$tree/exercises/01-one/README.md"
try finds_a_term_that_is_not_linked 'wal: is not linked from the text of 01-one'
mkdir "$tree/lessons/02-two"
mv "$tree/exercises/01-one/README.md" "$tree/lessons/02-two/README.md"
try says_from_where_a_term_is_linked \
    'wal: is not linked from the text of 01-one, but from that of 02-two'
unlinked='wal lane'
: >"$tree/exercises/01-one/README.md"
try takes_a_term_that_is_listed

unlinked=$(echo "$not_yet" | tr '\n' ' ')
wrong=$(find_wrong .)
if [ -z "$wrong" ]; then
    ok every_link_leads_somewhere
else
    fail every_link_leads_somewhere "$wrong"
fi
finish
