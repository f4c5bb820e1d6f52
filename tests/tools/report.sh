# report.sh - how a check that is a script tells what it saw
#
# Read by `. report.sh`. It speaks as the programs of tests/ do: a line for
# each test, and a last line with the counts.
# shellcheck shell=sh

passed=0
failed=0
not_checked=0

ok() {
    passed=$((passed + 1))
    printf 'ok  %s\n' "$1"
}

# fail NAME [DETAILS]: details may be several lines.
fail() {
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/    /'
}

# not_checked NAME REASON
not_checked() {
    not_checked=$((not_checked + 1))
    printf 'not checked  %s: %s\n' "$1" "$2"
}

# Prints the counts and ends the script.
finish() {
    printf '%d passed, %d failed' "$passed" "$failed"
    [ "$not_checked" = 0 ] || printf ', %d not checked' "$not_checked"
    echo
    [ "$failed" = 0 ]
    exit
}

# A folder of our own, gone at the end however that comes.
make_folder() {
    folder=$(mktemp -d "${TMPDIR:-/tmp}/asq-check.XXXXXX") || exit 1
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 130' INT TERM HUP
}

# Calls make as a user would: nothing of the make that runs the tests but
# its settings reaches it.
run_make() (
    unset MAKEFLAGS MFLAGS MAKELEVEL T N L ARGS V
    "${MAKE:-make}" --no-print-directory "$@"
)
