#!/bin/sh
# claims_test.sh - checks that bench/claims.sh finds what differs from its page
#
#   sh claims_test.sh
#
# The programs are scripts that write what a program of claims writes; the
# page is one of its own. Python is a script too, so that nothing is measured.
# shellcheck disable=SC2016 # what is written into scripts is not expanded here
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
root=$tools/../..

# put FILE: a file that can be run, from standard input.
put() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
    chmod +x "$1"
}

# program NAME: one that writes standard input as its JSON.
program() {
    {
        echo '#!/bin/sh'
        echo 'cat >"$2" <<"JSON"'
        cat
        echo JSON
    } | put "build/$1"
}

# claim MARK VERDICT SENTENCE ID: a claim of the page.
claim() {
    printf '\n> "it is so"\n\n**%s %s.** %s\n\n' "$1" "$2" "$3"
    printf '<details><summary>%s</summary>\n\nA Document; `make claims`.' "$4"
    printf '\n\n</details>\n'
}

# page [NAME]: the page of claims, without the claim of this name, and with
# standard input as a last lesson.
page() {
    {
        printf '# The claims\n\n| mark | meaning |\n|---|---|\n| ✓ holds |'
        printf ' it is right |\n\n## Lesson 01: one\n'
        [ "${1:-}" = first ] || claim ◐ 'holds if "it" is so' \
            'A \ b. Two
"lines", {}, in 12.5 ms.' first
        [ "${1:-}" = second ] || claim ✗ wrong 'None of 5.' second
        printf '\n## Lesson 02: two\n'
        [ "${1:-}" = third-and-last ] ||
            claim ✓ holds '3 to 5 times.' third-and-last
        cat
        printf '\n## Open\n\n| lesson | claims |\n|---|---|\n| 09 | fk-on |\n'
    } | put docs/claims.md
}

# run: what claims.sh says, blanks squeezed.
run() {
    ASQ_BUILD=build PATH="$folder/bin:$PATH" \
        sh bench/claims.sh build/*-claims >as_said 2>&1
    status=$?
    said=said
    tr -s ' ' <as_said >said
}

# same NAME FILE: the file is standard input.
same() {
    if difference=$(diff - "$2"); then
        ok "$1"
    else
        fail "$1" "$difference"
    fi
}

# python LINES: a python3 that has aiosqlite, or not, and prints this.
python() {
    put "$folder/bin/python3" <<TEXT
#!/bin/sh
[ "\$1" != -c ] || exit $1
$2
TEXT
}

make_programs() {
    program 01-one-claims <<'TEXT'
[
  {"claim": "first", "verdict": "holds if \"it\" is so", "measured": 1.500, "low": null, "high": null, "text": "A \\ b.\u000aTwo \"lines\", {}, in 3 ms."},
  {"claim": "second", "verdict": "wrong", "measured": null, "low": null, "high": null, "text": "None of 5."}
]
TEXT
    third holds 2.000 '2.1 to 2,100 times.'
}

# third VERDICT MEASURED SENTENCE: the program of lesson 02.
third() {
    program 02-two-claims <<TEXT
[
  {"claim": "third-and-last", "verdict": "$1", "measured": $2, "low": 0.500, "high": 16.000, "text": "$3"}
]
TEXT
}

check_verdicts() {
    page </dev/null
    run
    expect takes_what_agrees 0 'first 01 1.500 same holds if "it" is so' \
        'second 01 - same wrong' 'third-and-last 02 2.000 same holds' \
        'All verdicts and sentences are those of docs/claims.md.'
    same writes_the_json build/claims.json <<'TEXT'
[
  {"claim": "first", "verdict": "holds if \"it\" is so", "measured": 1.500, "low": null, "high": null, "text": "A \\ b.\u000aTwo \"lines\", {}, in 3 ms.", "lesson": "01", "page_verdict": "holds if \"it\" is so", "same": true},
  {"claim": "second", "verdict": "wrong", "measured": null, "low": null, "high": null, "text": "None of 5.", "lesson": "01", "page_verdict": "wrong", "same": true},
  {"claim": "third-and-last", "verdict": "holds", "measured": 2.000, "low": 0.500, "high": 16.000, "text": "2.1 to 2,100 times.", "lesson": "02", "page_verdict": "holds", "same": true}
]
TEXT
    page first <<TEXT
$(claim ◐ 'holds if "it" is not so' 'A.' first)
TEXT
    sed 's/^## Lesson 02/## Lesson 01/' docs/claims.md >page
    put docs/claims.md <page
    run
    expect compares_the_whole_phrase 1 'first 01 1.500 verdict' \
        'page: holds if "it" is not so' \
        'first (lesson 01): the verdict differs' \
        'not: second (' 'Not all verdicts and sentences'
    grep '"claim": "first"' build/claims.json | sed 's/.*"page/"page/' >rest
    same writes_what_differs rest <<'TEXT'
"page_verdict": "holds if \"it\" is not so", "same": false},
TEXT
    page second </dev/null
    run
    expect finds_a_claim_that_is_not_on_the_page 1 \
        'second (lesson 01): measured, but not on the page' 'not: first ('
    grep second build/claims.json | sed 's/.*"page/"page/' >rest
    same writes_what_is_not_there rest <<'TEXT'
"page_verdict": null, "same": false},
TEXT
    page <<TEXT
$(claim ✗ wrong 'None.' more)
TEXT
    run
    expect finds_a_claim_that_nobody_measured 1 \
        'more (lesson 02): on the page, but no program measured it' 'not: fk-on'
    page second <<TEXT
$(claim ✓ wrong 'None of 5.' more)
TEXT
    run
    expect finds_a_mark_that_does_not_fit 1 \
        'more (lesson 02): its mark does not fit its verdict'
}

check_sentences() {
    page </dev/null
    third holds 2.000 '2.1 to 2,100 rows.'
    run
    expect finds_another_word 1 'third-and-last 02 2.000 sentence holds' \
        'third-and-last (lesson 02): the sentence differs from the page' \
        'measured 2.1 to 2,100 rows.' 'page 3 to 5 times.' 'not: first (' \
        'lines: 10'
    third wrong 2.000 '2.1 to 2,100 rows.'
    run
    expect tells_the_verdict_first 1 \
        'third-and-last (lesson 02): the verdict differs' \
        'not: the sentence differs'
    third holds 2.000 '2.1 times.'
    run
    expect wants_the_range 1 'the sentence differs'
    make_programs
}

# The same claim in two lessons: each has its own sentence.
check_lessons() {
    page <<TEXT
$(claim ✗ wrong 'All of 5.' second)
TEXT
    program 02-two-claims <<'TEXT'
[
  {"claim": "third-and-last", "verdict": "holds", "measured": 2, "low": null, "high": null, "text": "2 to 3 times."},
  {"claim": "second", "verdict": "wrong", "measured": 2, "low": null, "high": null, "text": "All of 6."}
]
TEXT
    run
    expect tells_the_lessons_apart 0 'second 01 - same' 'second 02 2 same'
    make_programs
}

check_busy() {
    page </dev/null
    third 'too busy to tell' null 'Others had the processor.'
    run
    expect takes_what_could_not_be_told 0 \
        'third-and-last 02 - not told too busy to tell' \
        '1 claim could not be told: the machine is busy' \
        'not: third-and-last (' 'not: All verdicts' \
        'last: The others have the verdicts and sentences of docs/claims.md.'
    grep third build/claims.json | sed 's/.*"page/"page/' >rest
    same writes_what_was_not_told rest <<'TEXT'
"page_verdict": "holds", "same": null}
TEXT
    page second <<TEXT
$(claim ✗ wrong 'None of 5.' more)
TEXT
    run
    expect excuses_nothing_else 1 '1 claim could not be told' \
        'second (lesson 01): measured, but not on the page' \
        'last: Not all verdicts and sentences are those of docs/claims.md.'
    make_programs
}

# rewrite: what claims.sh --write says.
rewrite() {
    ASQ_BUILD=build sh bench/claims.sh --write >said 2>&1
    status=$?
    said=said
}

check_write() {
    page </dev/null
    third holds 2.000 'Twice as many words as there is room for on one line of the page, but not more than on two.'
    run
    rewrite
    expect writes_the_page 0 'lines: 0'
    grep -A 12 '^## Lesson 02' docs/claims.md >rest
    same writes_sentence_bar_and_ratio rest <<'TEXT'
## Lesson 02: two

> "it is so"

**✓ holds.** Twice as many words as there is room for on one line of the page, but not
more than on two.

`1/64 ···············━━━┿━━●━━━━━━━━━······ 64`

<details><summary>third-and-last</summary>

A Document; `make claims`.

TEXT
    run
    expect agrees_with_what_was_written 0 'All verdicts and sentences'
    cp docs/claims.md before
    rewrite
    same changes_nothing_twice before <docs/claims.md
    third holds 100.000 'More.'
    run
    rewrite
    sed -n '/^`1/p; /^Ratio/p' docs/claims.md >rest
    same draws_what_is_off_the_scale rest <<'TEXT'
`1/64 ···············━━━┿━━━━━━━━━━━━·····● 64`
Ratio: 100, from 0.50 to 16.0.
TEXT
    third holds 2.000 'A number that ends a sentence stays beside the word before it; it has had 1. It is no list.'
    run
    rewrite
    sed -n '/^had/p' docs/claims.md >rest
    same begins_no_line_like_a_list rest <<'TEXT'
had 1. It is no list.
TEXT
    cp docs/claims.md before
    third 'too busy to tell' null 'Others had the processor.'
    run
    rewrite
    expect leaves_what_was_not_told 1 \
        'third-and-last: left as it is, measured was: too busy to tell'
    same keeps_its_words before <docs/claims.md
    third wrong 2.000 'Less.'
    run
    rewrite
    expect leaves_what_has_another_verdict 1 \
        'third-and-last: left as it is, measured was: wrong'
    rm build/claims.json
    rewrite
    expect wants_a_measure 1 'run make claims first'
    make_programs
}

check_programs() {
    page third-and-last </dev/null
    put build/02-two-claims <<'TEXT'
#!/bin/sh
echo 'no such disk'
exit 1
TEXT
    run
    expect finds_a_program_that_fails 1 'no such disk' \
        '02-two-claims: failed' 'first 01 1.500 same'
    echo '[' | program 02-two-claims
    run
    expect finds_json_without_an_end 1 \
        '02-two-claims: its JSON is not of the form'
    program 02-two-claims <<'TEXT'
[
  {"claim": "x", "verdict": "holds", "measured": 1.000}
]
TEXT
    run
    expect finds_json_without_a_key 1 \
        '02-two-claims: its JSON is not of the form'
    make_programs
    rm docs/claims.md
    run
    expect wants_a_page 1 'docs/claims.md: cannot be read'
}

check_python() {
    page </dev/null
    python 0 'echo "measures $1"'
    run
    expect measures_in_python 0 'measures bench/claims_python.py' \
        'not: not checked'
    python 0 'exit 1'
    run
    expect says_when_python_fails 0 'not checked: the claims on Python'
}

# The real Python file, where there is a python3, without aiosqlite.
check_without_aiosqlite() {
    name=says_what_to_install
    if ! python3 -c 'import asyncio; asyncio.to_thread' 2>/dev/null; then
        not_checked "$name" 'there is no python3'
        return
    fi
    put hidden/aiosqlite.py <<'TEXT'
raise ImportError("hidden")
TEXT
    PYTHONPATH=hidden python3 bench/claims_python.py >said 2>&1
    status=$?
    if [ "$status" = 0 ] && grep -q '^to-thread-example: wrong' said &&
        grep -qF 'has no aiosqlite (Debian: python3-aiosqlite)' said; then
        ok "$name"
    else
        fail "$name" "status $status
$(cat said)"
    fi
}

make_folder
mkdir -p "$folder/small tree/bench" && cd "$folder/small tree" || exit 1
cp "$root/bench/claims.sh" "$root/bench/claims_python.py" bench
python 0 'echo "in Python"'
make_programs
check_verdicts
check_sentences
check_lessons
check_busy
check_write
check_programs
check_python
check_without_aiosqlite
finish
