#!/bin/sh
# limit.sh - runs a command that may take so many seconds and no more
#
#   sh limit.sh SECONDS command [argument ...]
#
# Exit status: the command's, or 124 when it had to be stopped. Its standard
# input is empty. (macOS has no `timeout`.)
set -u

seconds=$1
shift
"$@" &
pid=$!

stop() {
    kill -TERM "$pid" 2>/dev/null
    sleep 0.5
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
trap 'stop; exit 130' INT TERM HUP

ticks=$((seconds * 20))
while kill -0 "$pid" 2>/dev/null; do
    if [ "$ticks" -le 0 ]; then
        stop
        exit 124
    fi
    ticks=$((ticks - 1))
    sleep 0.05
done
wait "$pid"
