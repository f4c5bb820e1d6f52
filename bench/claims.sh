#!/bin/sh
# claims.sh - measures all claims and compares them with the page of claims
#
#   sh bench/claims.sh PROGRAM ...                (make claims)
#   sh bench/claims.sh --write                    (the page, from that)
#
# A PROGRAM is build/NN-name-claims, which measures the claims of a lesson,
# decides their verdicts and says in a sentence what it has measured. Verdict
# and sentence are compared with docs/claims.md, where a claim is
#
#   > what is claimed
#
#   **MARK VERDICT.** SENTENCE
#
#   `BAR`
#
#   <details><summary>ID</summary>
#
#   its document, its command, notes
#
#   Ratio: FIGURES
#
#   </details>
#
# under the heading "## Lesson NN: ...". In a sentence digits and units are not
# compared. Bar and ratio are there for claims that were timed in several runs.
# A claim whose verdict is "too busy to tell" is compared with nothing, and is
# counted.
#
# The result is printed as a table and written to $ASQ_BUILD/claims.json: an
# array of objects with the keys claim, verdict, measured, low, high, text,
# lesson, page_verdict and same (null if it could not be told). Then the claims
# that rest on CPython are measured there, where it is installed; these lines
# are not part of the comparison.
#
# With --write, sentences, bars and ratios of the page become those of
# claims.json. A verdict is not: it is changed by hand, and a claim whose
# verdict differs is left as it is.
#
# Exit status: 1 when a verdict or a sentence differs, when a claim of the page
# was not measured or a measured one is not on the page, or when a program
# failed; with --write, when a claim was left as it is.
set -u

page=docs/claims.md
build=${ASQ_BUILD:-build}

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Prints a line for each claim of the page, fields apart by tabs: lesson, id,
# verdict, sentence, and a word if the mark does not fit the verdict.
read_page() {
    awk '
        /^## Lesson / {
            lesson = $3
            sub(/:.*/, "", lesson)
        }
        /^$/ { open = 0 }
        open { sentence = sentence " " $0 }
        /^\*\*(✓|◐|✗) / {
            open = 1
            mark = substr($1, 3)
            verdict = $0
            sub(/^[^ ]+ /, "", verdict)
            sentence = verdict
            sub(/\.\*\*.*/, "", verdict)
            sentence = substr(sentence, length(verdict) + 5)
            right = verdict == "holds" ? "✓" : verdict == "wrong" ? "✗" : "◐"
        }
        /<summary>/ {
            id = $0
            gsub(/.*<summary>|<\/summary>.*/, "", id)
            print lesson "\t" id "\t" verdict "\t" sentence "\t" \
                (mark == right ? "" : "mark")
            verdict = sentence = mark = right = ""
        }' "$page"
}

# Prints a line for each object that a program wrote: lesson, claim, verdict,
# measured, low, high, text. All but the numbers are as JSON writes them, quotes
# and escapes included. The form is that of lessons/common/claims.c: one object
# a line, keys in this order; anything else ends with status 1. In claims.json
# the lesson follows, and more.
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
        BEGIN {
            text = "\"([^\"\\\\]|\\\\.)*\""
            number = "(-?[0-9][0-9.]*|null)"
        }
        NR == 1 && $0 == "[" { next }
        $0 == "]" { whole = 1; next }
        {
            rest = $0
            take("  \\{\"claim\": ")
            claim = take(text)
            take(", \"verdict\": ")
            verdict = take(text)
            take(", \"measured\": ")
            measured = take(number)
            take(", \"low\": ")
            low = take(number)
            take(", \"high\": ")
            high = take(number)
            take(", \"text\": ")
            said = take(text)
            if (sub(/^, "lesson": "/, "", rest)) {
                lesson = take("[0-9]+")
                sub(/.*\}/, "}", rest)
            }
            take("\\},?$")
            print lesson "\t" claim "\t" verdict "\t" measured "\t" low "\t" \
                high "\t" said
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

# What both scripts below know of JSON: a text without its quotes and escapes;
# a line break becomes a blank.
bare='
    function bare(json) {
        json = substr(json, 2, length(json) - 2)
        gsub(/\\\\/, "\001", json)
        gsub(/\\u000a/, " ", json)
        gsub(/\\/, "", json)
        gsub(/\001/, "\\", json)
        return json
    }
    BEGIN { busy = "too busy to tell" }'

# Writes the JSON to standard output and the table to the file $1; after it a
# line for each thing that is wrong, and how many claims were not told. Exit
# status: 1 when something is wrong.
compare() {
    awk -F '\t' -v table="$1" "$bare"'
        function masked(words) {
            gsub(/[0-9]+([.,:][0-9]+)*/, "#", words)
            gsub(/# ?(ns|us|µs|ms|s|k|M) /, "# ", words)
            gsub(/  +/, " ", words)
            return words
        }
        # Prints words below each other, from this column of the table on.
        function wrap(words, left, line, count, word, i) {
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
            printf "%-" width "s  %6s  %8s  %-8s  ", \
                id, lesson, measured, same >table
            wrap(verdict, width + 30)
        }
        function dashes(count) {
            return count > 0 ? "-" dashes(count - 1) : ""
        }
        function differs(key, what) {
            split(key, part, " ")
            wrong[++wrongs] = part[2] " (lesson " part[1] "): " what
        }
        # Says how a claim agrees with the page, and keeps what is wrong.
        function judge(key, verdict, words) {
            if (verdict == busy) {
                untold++
                return "not told"
            }
            if (!(key in page)) {
                differs(key, "measured, but not on the page")
                return "missing"
            }
            if (verdict != page[key]) {
                differs(key, "the verdict differs from the page")
                return "verdict"
            }
            if (masked(words) != masked(sentence[key])) {
                differs(key, "the sentence differs from the page")
                said[wrongs] = words
                stands[wrongs] = sentence[key]
                return "sentence"
            }
            return "same"
        }
        FILENAME == ARGV[1] {
            key = $1 " " $2
            page[key] = $3
            sentence[key] = $4
            mark[key] = $5
            order[++pages] = key
            next
        }
        {
            rows[++count] = $0
            ids[count] = bare($2)
            measured[$1 " " ids[count]] = 1
            if (length(ids[count]) > width)
                width = length(ids[count])
        }
        END {
            row("claim", "lesson", "measured", "page", "verdict")
            row(dashes(width), "------", "--------", "--------", \
                dashes(50 - width))
            printf "["
            for (i = 1; i <= count; i++) {
                split(rows[i], f, "\t")
                key = f[1] " " ids[i]
                same = judge(key, bare(f[3]), bare(f[7]))
                quoted = "null"
                if (key in page) {
                    quoted = page[key]
                    gsub(/[\\"]/, "\\\\&", quoted)
                    quoted = "\"" quoted "\""
                }
                printf "%s\n  {\"claim\": %s, \"verdict\": %s, ", \
                    (i > 1 ? "," : ""), f[2], f[3]
                printf "\"measured\": %s, \"low\": %s, \"high\": %s, ", \
                    f[4], f[5], f[6]
                printf "\"text\": %s, \"lesson\": \"%s\", ", f[7], f[1]
                printf "\"page_verdict\": %s, \"same\": %s}", quoted, \
                    same == "same" ? "true" : \
                    same == "not told" ? "null" : "false"
                row(ids[i], f[1], f[4] == "null" ? "-" : f[4], same, bare(f[3]))
                if (same == "verdict")
                    row("", "", "", "", "page: " page[key])
            }
            print "\n]"
            for (i = 1; i <= pages; i++) {
                if (!(order[i] in measured))
                    differs(order[i], "on the page, but no program measured it")
                if (mark[order[i]] != "")
                    differs(order[i], "its mark does not fit its verdict")
            }
            for (i = 1; i <= wrongs; i++) {
                print (i == 1 ? "\n" : "") wrong[i] >table
                if (i in said) {
                    printf "    measured  " >table
                    wrap(said[i], 14)
                    printf "    page      " >table
                    wrap(stands[i], 14)
                }
            }
            if (untold > 0)
                printf "\n%d claim%s could not be told: the machine is busy\n", \
                    untold, untold == 1 ? "" : "s" >table
            exit wrongs > 0
        }' "$folder/page" "$folder/measured"
}

# Prints the page with the sentences, bars and ratios of claims.json; to the
# file $1 a line for each claim that is left as it is.
write_page() {
    awk -F '\t' -v left="$1" "$bare"'
        # A number and its percent sign stay together, and no line begins with
        # a number and a full stop, which would be an item of a list.
        function fold(words, line, all, count, word, i) {
            gsub(/ %/, "\002%", words)
            while (match(words, / [0-9]+\. /))
                words = substr(words, 1, RSTART - 1) "\002" \
                    substr(words, RSTART + 1)
            count = split(words, word, " ")
            for (i = 1; i <= count; i++) {
                if (line != "" && length(line " " word[i]) > 88) {
                    all = all line "\n"
                    line = ""
                }
                line = line (line == "" ? "" : " ") word[i]
            }
            all = all line
            gsub(/\002/, " ", all)
            return all
        }
        # Three places for each doubling, 1 in the middle.
        function place(ratio, at) {
            if (ratio <= 0)
                return 0
            at = int(18.5 + 3 * log(ratio) / log(2))
            return ratio < 1 / 64 ? 0 : at > 36 ? 36 : at
        }
        function bar(low, middle, high, line, i) {
            for (i = 0; i <= 36; i++)
                line = line (i == place(middle) ? "●" : \
                    i < place(low) || i > place(high) ? \
                    (i == 18 ? "│" : "·") : i == 18 ? "┿" : "━")
            return "`1/64 " line " 64`"
        }
        # A ratio with as many digits as say something.
        function figure(ratio) {
            return sprintf(ratio < 1.995 ? "%.2f" : ratio < 19.95 ? "%.1f" : \
                "%.0f", ratio)
        }
        function put(paragraph) {
            printf "%s%s\n", (started++ ? "\n" : ""), paragraph
        }
        function put_claim(key, id, verdict) {
            found[key] = 1
            verdict = said
            sub(/^[^ ]+ /, "", verdict)
            sub(/\.\*\*.*/, "", verdict)
            ratio = ""
            if (!(key in verdicts)) {
                print id ": left as it is, it was not measured" >left
            } else if (verdicts[key] != verdict) {
                print id ": left as it is, measured was: " verdicts[key] >left
            } else {
                said = fold(substr(said, 1, index(said, ".**") + 2) " " \
                    texts[key])
                drawn = ""
                fresh = 1
                if (highs[key] != "null") {
                    drawn = bar(lows[key], middles[key], highs[key])
                    ratio = "Ratio: " figure(middles[key]) ", from " \
                        figure(lows[key]) " to " figure(highs[key]) "."
                }
            }
            put(said)
            if (drawn != "")
                put(drawn)
            said = drawn = ""
        }
        FILENAME == ARGV[1] {
            key = $1 " " bare($2)
            verdicts[key] = bare($3)
            middles[key] = $4
            lows[key] = $5
            highs[key] = $6
            texts[key] = bare($7)
            order[++count] = key
            next
        }
        /^## Lesson / {
            lesson = substr($0, 11)
            sub(/:.*/, "", lesson)
        }
        /^\*\*(✓|◐|✗) / { said = $0; next }
        /^`1\/64 / { drawn = $0; next }
        /^<details><summary>/ {
            id = $0
            gsub(/.*<summary>|<\/summary>.*/, "", id)
            fresh = 0
            put_claim(lesson " " id, id)
        }
        /^Ratio: / && fresh { next }
        /^<\/details>/ && ratio != "" { put(ratio) }
        { put($0) }
        END {
            for (i = 1; i <= count; i++)
                if (!(order[i] in found)) {
                    sub(/.* /, "", order[i])
                    print order[i] ": measured, but not on the page" >left
                }
        }' "$folder/measured" RS= "$page"
}

write() {
    [ -r "$build/claims.json" ] ||
        stop "$build/claims.json: cannot be read; run make claims first"
    read_claims 00 "$build/claims.json" >"$folder/measured" ||
        stop "$build/claims.json: not of the form that make claims writes"
    : >"$folder/left"
    write_page "$folder/left" >"$folder/new" || exit 1
    cat "$folder/new" >"$page" || exit 1
    cat "$folder/left"
    [ ! -s "$folder/left" ]
    exit
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

[ "$#" -gt 0 ] ||
    stop 'claims.sh: name the programs build/NN-name-claims, or --write'
[ -r "$page" ] || stop "$page: cannot be read"
mkdir -p "$build" || exit 1
folder=$(mktemp -d "$build/claims.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP

[ "$1" != --write ] || write

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
if [ "$status" != 0 ]; then
    echo "Not all verdicts and sentences are those of $page."
elif grep -q 'could not be told' "$folder/table"; then
    echo "The others have the verdicts and sentences of $page."
else
    echo "All verdicts and sentences are those of $page."
fi
exit "$status"
