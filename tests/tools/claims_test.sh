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

# page ID VERDICT ...: the page of claims.
page() {
    {
        printf '# The claims\n\n| id | claim | command | verdict | measured'
        printf ' | lesson |\n|---|---|---|---|---|---|\n'
        while [ "$#" -gt 0 ]; do
            printf '| %s | said | `make claims` | %s | 1.0 | 01 |\n' "$1" "$2"
            shift 2
        done
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
  {"claim": "first", "verdict": "holds if \"it\" is so", "measured": 1.500, "low": null, "high": null, "timed": false, "text": "A \\ b.\u000aTwo \"lines\", {}."},
  {"claim": "second", "verdict": "wrong", "measured": null, "low": null, "high": null, "timed": false, "text": ""}
]
TEXT
    program 02-two-claims <<'TEXT'
[
  {"claim": "third-and-last", "verdict": "holds", "measured": -0.250, "low": null, "high": null, "timed": false, "text": "t"}
]
TEXT
}

check_verdicts() {
    page first 'holds if "it" is so' second wrong third-and-last holds
    run
    expect takes_what_agrees 0 'first 01 1.500 same holds if "it" is so' \
        'second 01 - same wrong' 'third-and-last 02 -0.250 same holds' \
        'All verdicts are those of docs/claims.md.'
    same writes_the_json build/claims.json <<'TEXT'
[
  {"claim": "first", "verdict": "holds if \"it\" is so", "measured": 1.500, "text": "A \\ b.\u000aTwo \"lines\", {}.", "lesson": "01", "page_verdict": "holds if \"it\" is so", "same": true},
  {"claim": "second", "verdict": "wrong", "measured": null, "text": "", "lesson": "01", "page_verdict": "wrong", "same": true},
  {"claim": "third-and-last", "verdict": "holds", "measured": -0.250, "text": "t", "lesson": "02", "page_verdict": "holds", "same": true}
]
TEXT
    page first 'holds if "it" is not so' second wrong third-and-last holds
    run
    expect compares_the_whole_phrase 1 'first 01 1.500 differs' \
        'page: holds if "it" is not so' 'first: the verdict differs' \
        'not: second:' 'Not all verdicts'
    grep '"same": false' build/claims.json | sed 's/.*"page/"page/' >rest
    same writes_what_differs rest <<'TEXT'
"page_verdict": "holds if \"it\" is not so", "same": false},
TEXT
    page first 'holds if "it" is so' third-and-last holds
    run
    expect finds_a_claim_that_is_not_on_the_page 1 \
        'second: measured, but not on the page' 'not: first:'
    grep second build/claims.json | sed 's/.*"page/"page/' >rest
    same writes_what_is_not_there rest <<'TEXT'
"page_verdict": null, "same": false},
TEXT
    page first 'holds if "it" is so' second wrong third-and-last holds more wrong
    run
    expect finds_a_claim_that_nobody_measured 1 \
        'more: on the page, but no program measured it' 'not: fk-on'
}

check_programs() {
    page first 'holds if "it" is so' second wrong
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
    page first 'holds if "it" is so' second wrong third-and-last holds
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
check_programs
check_python
check_without_aiosqlite
finish
