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

# expect NAME STATUS [TEXT ...]: what was run has ended with $status = STATUS, and
# $said, a file, contains each TEXT. Other forms of it:
#
#     not: TEXT        it does not
#     last: TEXT       it is the last line
#     lines: N         it has N lines that are not empty
#     file: PATH       there is such a file
#     none: PATH       there is no such file
#     called: TEXT     the file $log has this line
#     called nothing   it is empty
expect() {
    name=$1
    wrong=
    [ "$status" = "$2" ] || wrong="status $status, expected $2"
    shift 2
    for text; do
        case $text in
        'not: '*) ! grep -qF -e "${text#not: }" "$said" ;;
        'last: '*) [ "$(tail -n 1 "$said")" = "${text#last: }" ] ;;
        'lines: '*) [ "$(grep -c . "$said")" = "${text#lines: }" ] ;;
        'file: '*) [ -f "${text#file: }" ] ;;
        'none: '*) [ ! -e "${text#none: }" ] ;;
        'called nothing') [ ! -s "$log" ] ;;
        'called: '*) grep -qxF -e "${text#called: }" "$log" 2>/dev/null ;;
        *) grep -qF -e "$text" "$said" ;;
        esac || wrong="$wrong
expected  $text"
    done
    if [ -z "$wrong" ]; then
        ok "$name"
    else
        fail "$name" "${wrong#
}
$(tail -n 20 "$said" | sed 's/^/said  /')"
    fi
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
