#!/bin/sh
# claims.sh - measures all claims and compares with the page of claims
#
#   sh bench/claims.sh PROGRAM ...                (make claims)
#
# A PROGRAM is build/NN-name-claims, which measures the claims of a lesson and
# decides their verdicts. What they say is compared with docs/claims.md, by id
# and by the words of the verdict, printed as a table, and written to
# $ASQ_BUILD/claims.json: an array of objects with the keys claim, verdict,
# measured, text, lesson, page_verdict and same. Then the claims that rest on
# CPython are measured there, where it is installed; these lines are no part
# of the comparison.
#
# Exit status: 1 when a verdict differs, when a claim of the page was not
# measured or a measured one is not on the page, or when a program failed.
set -u

page=docs/claims.md
build=${ASQ_BUILD:-build}

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Prints a line for each claim of the page, fields apart by tabs: id, verdict.
# Its table has six columns; that of the open claims has two.
read_page() {
    awk -F '|' '
        NF == 8 && $2 !~ /^ *(id|-+) *$/ {
            for (i = 2; i <= 5; i++)
                gsub(/^[ \t]+|[ \t]+$/, "", $i)
            print $2 "\t" $5
        }' "$page"
}

# Prints a line for each object that a program wrote: lesson, claim, verdict,
# measured, text. All but the number are as JSON writes them, quotes and
# escapes included. The form is that of lessons/common/claims.c: one object a
# line, keys in this order; anything else ends with status 1.
read_claims() {
    awk -v lesson="$1" '
        function take(pattern) {
            if (!match(rest, "^" pattern)) {
                bad = 1
                exit
            }
            taken = substr(rest, 1, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
            return taken
        }
        BEGIN { text = "\"([^\"\\\\]|\\\\.)*\"" }
        NR == 1 && $0 == "[" { next }
        $0 == "]" { whole = 1; next }
        {
            rest = $0
            take("  \\{\"claim\": ")
            claim = take(text)
            take(", \"verdict\": ")
            verdict = take(text)
            take(", \"measured\": ")
            measured = take("(-?[0-9][0-9.]*|null)")
            take(", \"low\": (-?[0-9][0-9.]*|null)")
            take(", \"high\": (-?[0-9][0-9.]*|null)")
            take(", \"timed\": (true|false)")
            take(", \"text\": ")
            said = take(text)
            take("\\},?$")
            print lesson "\t" claim "\t" verdict "\t" measured "\t" said
        }
        END { exit bad || !whole }' "$2"
}

# Measures the claims of one lesson and adds them to the others.
measure() {
    name=${1##*/}
    [ ! -t 2 ] || printf '  measures %s\n' "$name" >&2
    if ! "$1" --json "$folder/json" >"$folder/said" 2>&1; then
        tail -n 5 "$folder/said" >&2
        wrong="$wrong
$name: failed"
    elif ! read_claims "${name%%-*}" "$folder/json" >>"$folder/measured"; then
        wrong="$wrong
$name: its JSON is not of the form of lessons/common/claims.c"
    fi
}

# Writes the JSON to standard output and the table to the file $1; what is
# wrong stands in lines after it. Exit status: 1 when something is wrong.
compare() {
    awk -F '\t' -v table="$1" '
        function bare(json) {
            json = substr(json, 2, length(json) - 2)
            gsub(/\\\\/, "\001", json)
            gsub(/\\/, "", json)
            gsub(/\001/, "\\", json)
            return json
        }
        # Prints words below each other, in the last column of the table.
        function wrap(words, line, count, word, i) {
            count = split(words, word, " ")
            for (i = 1; i <= count; i++) {
                if (line != "" && length(line " " word[i]) > 80 - left) {
                    print line >table
                    printf "%" left "s", "" >table
                    line = ""
                }
                line = line (line == "" ? "" : " ") word[i]
            }
            print line >table
        }
        function row(id, lesson, measured, same, verdict) {
            printf "%-" width "s  %6s  %8s  %-7s  ", \
                id, lesson, measured, same >table
            wrap(verdict)
        }
        function dashes(count) {
            return count > 0 ? "-" dashes(count - 1) : ""
        }
        FILENAME == ARGV[1] {
            page[$1] = $2
            order[++pages] = $1
            next
        }
        {
            rows[++count] = $0
            ids[count] = bare($2)
            measured[ids[count]] = 1
            if (length(ids[count]) > width)
                width = length(ids[count])
        }
        END {
            left = width + 29
            row("claim", "lesson", "measured", "page", "verdict")
            row(dashes(width), "------", "--------", "-------", \
                dashes(80 - left))
            printf "["
            for (i = 1; i <= count; i++) {
                split(rows[i], f, "\t")
                id = ids[i]
                known = id in page
                same = known && bare(f[3]) == page[id]
                quoted = "null"
                if (known) {
                    quoted = page[id]
                    gsub(/[\\"]/, "\\\\&", quoted)
                    quoted = "\"" quoted "\""
                }
                printf "%s\n  {\"claim\": %s, \"verdict\": %s, ", \
                    (i > 1 ? "," : ""), f[2], f[3]
                printf "\"measured\": %s, \"text\": %s, \"lesson\": \"%s\", ", \
                    f[4], f[5], f[1]
                printf "\"page_verdict\": %s, \"same\": %s}", \
                    quoted, same ? "true" : "false"
                row(id, f[1], f[4] == "null" ? "-" : f[4], \
                    same ? "same" : known ? "differs" : "missing", bare(f[3]))
                if (known && !same) {
                    row("", "", "", "", "page: " page[id])
                    wrong[++wrongs] = id ": the verdict differs from the page"
                } else if (!known) {
                    wrong[++wrongs] = id ": measured, but not on the page"
                }
            }
            print "\n]"
            for (i = 1; i <= pages; i++)
                if (!(order[i] in measured))
                    wrong[++wrongs] = order[i] \
                        ": on the page, but no program measured it"
            for (i = 1; i <= wrongs; i++)
                print (i == 1 ? "\n" : "") wrong[i] >table
            exit wrongs > 0
        }' "$folder/page" "$folder/measured"
}

# Prints what CPython and its libraries say. The first python3 that has
# aiosqlite is taken: a system may have several.
ask_python() {
    python=
    for try in python3 /usr/bin/python3; do
        command -v "$try" >/dev/null 2>&1 || continue
        [ -n "$python" ] || python=$try
        "$try" -c 'import aiosqlite' 2>/dev/null || continue
        python=$try
        break
    done
    echo
    if [ -z "$python" ]; then
        echo 'not checked: the claims on Python, there is no python3'
    elif ! "$python" "$(dirname "$0")/claims_python.py"; then
        echo 'not checked: the claims on Python, python3 failed'
    fi
}

[ "$#" -gt 0 ] || stop 'claims.sh: name the programs build/NN-name-claims'
[ -r "$page" ] || stop "$page: cannot be read"
mkdir -p "$build" || exit 1
folder=$(mktemp -d "$build/claims.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP

wrong=
read_page >"$folder/page"
: >"$folder/measured"
for program; do
    measure "$program"
done
status=0
compare "$folder/table" >"$folder/claims.json" || status=1
mv "$folder/claims.json" "$build/claims.json" || exit 1
cat "$folder/table"
[ -z "$wrong" ] || status=1
printf '%s\n' "${wrong#
}" | sed '/^$/d'
ask_python
echo
if [ "$status" = 0 ]; then
    echo "All verdicts are those of $page."
else
    echo "Not all verdicts are those of $page."
fi
exit "$status"
