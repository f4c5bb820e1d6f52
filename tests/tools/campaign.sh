#!/bin/sh
# campaign.sh - tests that draw their steps, with new seeds until time is over
#
#   sh campaign.sh MINUTES TEST ...
#
# A TEST is a program $ASQ_BIN/tests/test_TEST. Each run has a seed of its own,
# from SEED on (1), and adds to $ASQ_CAMPAIGN what it has done. At the end the
# sums are printed. The first run that fails ends the campaign, and the line
# that repeats it is printed.
#
# Exit status: 1 when a run failed, 2 when it is used wrongly.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

minutes=${1-}
case $minutes in
'' | *[!0-9]* | 0)
    echo "campaign: MINUTES=$minutes is no number above 0" >&2
    exit 2
    ;;
esac
shift

seed=${SEED:-1}
case $seed in
'' | *[!0-9]* | 0)
    echo "campaign: SEED=$seed is no number above 0" >&2
    exit 2
    ;;
esac

make_folder
ASQ_CAMPAIGN=$folder/counts
export ASQ_CAMPAIGN
: >"$ASQ_CAMPAIGN"
end=$(($(date +%s) + minutes * 60))
runs=0
status=0

# Shows how far it is, on a terminal.
progress() {
    [ -t 1 ] && printf '  %d runs, %d s left\033[K\r' "$runs" \
        "$((end - $(date +%s)))"
}

while [ "$status" = 0 ] && [ "$(date +%s)" -lt "$end" ]; do
    for test in "$@"; do
        progress
        TEST_SEED=$seed "$ASQ_BIN/tests/test_$test" >"$folder/out" 2>&1 ||
            status=1
        runs=$((runs + 1))
        if [ "$status" != 0 ]; then
            [ -t 1 ] && printf '\033[K'
            grep -v '^ok ' "$folder/out"
            echo "again: TEST_SEED=$seed make test T=$test"
            break
        fi
    done
    seed=$((seed + 1))
done

[ -t 1 ] && printf '\033[K'
awk '{ n = $1; $1 = ""; sum[$0] += n }
    END { for (what in sum) printf "%8d%s\n", sum[what], what }' \
    "$ASQ_CAMPAIGN" | sort -k 2
printf '%8d runs, %s\n' "$runs" \
    "$([ "$status" = 0 ] && echo "none failed" || echo "the last one failed")"
exit "$status"
