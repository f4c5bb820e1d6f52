#!/bin/sh
# sanitizer.sh - prints what to put before a command so that its sanitizer
# can start
#
#   prefix=$(SAN=thread CC=gcc sh sanitizer.sh) && $prefix build/...
#
# Where the kernel spreads addresses widely, older sanitizers die at once,
# though not each time. `setarch -R` takes the spreading away, but containers
# may forbid it. A program that does nothing tells what works here.
#
# Exit status: 0, or 1 and one line when the sanitizer cannot start.
set -u

folder=$(mktemp -d "${TMPDIR:-/tmp}/asq-probe.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP

starts() {
    for _ in 1 2 3 4 5; do
        "$@" "$folder/probe" >/dev/null 2>&1 || return 1
    done
}

echo 'int main(void) { return 0; }' >"$folder/probe.c"
# shellcheck disable=SC2086 # CC may be several words
if ! ${CC:-cc} "-fsanitize=$SAN" -o "$folder/probe" "$folder/probe.c" \
    >/dev/null 2>&1; then
    echo "SAN=$SAN: ${CC:-cc} has no such sanitizer" >&2
    exit 1
fi
if starts setarch "$(uname -m)" -R; then
    echo "setarch $(uname -m) -R"
elif starts env; then
    echo env
else
    echo "SAN=$SAN: the sanitizer cannot start on this machine" >&2
    exit 1
fi
