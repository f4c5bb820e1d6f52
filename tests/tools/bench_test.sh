#!/bin/sh
# bench_test.sh - checks that the benchmarks run and say what they promise
#
#   sh bench_test.sh
#
# The programs are those in $ASQ_BIN. Few requests: what is looked at is the
# shape of the results and how mistakes are told, never how fast anything was.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

# run NAME [ARGUMENT ...]: out, err and status of a program, in a build folder
# of our own.
run() {
    program=$ASQ_BIN/bench/$1
    shift
    PATH="$folder/peers:$PATH" ASQ_BUILD=$folder/build \
        sh "$tools/limit.sh" 60 "$program" "$@" \
        >"$folder/out" 2>"$folder/err"
    status=$?
}

# holds TEST CONDITION ...: the words of a command that must succeed.
holds() {
    test="$1"
    shift
    if "$@"; then
        ok "$test"
    else
        fail "$test" "status $status; not so: $*
$(tail -n 20 "$folder/out" "$folder/err")"
    fi
}

# The last run ended with this status and this many lines of errors.
ended() {
    [ "$status" = "$1" ] && [ "$(wc -l <"$folder/err")" -eq "$2" ]
}

printed() {
    grep -q "$1" "$folder/out"
}

complained() {
    ended "$1" 1 && grep -q "$2" "$folder/err"
}

# Names the keys of the rows of bench.json, one line a kind of row.
row_keys() {
    sed -n '/^    {"workload"/{
        s/": [^"]*"[^"]*"[,}]/": ,/g
        s/[^"]*"\([a-z0-9_]*\)": [^"]*/\1 /g
        p
    }' "$1" | sort -u
}

keys='workload way ops_per_s ratio_to_raw ratio_min ratio_max share_of_grouped p50_us p99_us stall_us cpu_us_per_op runs'

# The rows have exactly the keys that are promised.
rows_have_keys() {
    found=$(row_keys "$1")
    [ "${found% }" = "$keys" ]
}

# How many rows are of the workload.
rows_of() {
    [ "$(grep -c "^    {\"workload\": \"$2\"," "$1")" = "$3" ]
}

head_is_whole() {
    for key in machine system cores sqlite libuv compiler sqlite_options \
        fsync_us two_threads_to_one peers file_operation_us; do
        grep -q "^    \"$key\": " "$1" || return 1
    done
}

# Each table of growth has a line for each step, and a column for each series
# on every line.
tables_are_whole() {
    for name in in-flight connections batch-size rows; do
        awk -F'\t' 'NR == 1 {columns = NF}
            NF != columns || columns < 4 {wrong = 1}
            END {exit wrong || NR < 3}' "$1/$name.tsv" || return 1
    done
}

# A Python and a Node without the libraries that are compared, whatever this
# machine has.
put_peers() {
    mkdir "$folder/peers"
    echo 'exit 1' >"$folder/peers/python3"
    cp "$folder/peers/python3" "$folder/peers/node"
    chmod +x "$folder/peers/python3" "$folder/peers/node"
}

# A Python whose aiosqlite says that 10 reads added up to 5.
put_wrong_peer() {
    cat >"$folder/peers/python3" <<'TEXT'
#!/bin/sh
case $* in
*--version) echo 'aiosqlite of this test' ;;
*) echo '10 5 1000' ;;
esac
TEXT
}

# A gnuplot that only notes for which table it was called.
put_gnuplot() {
    mkdir "$folder/bin"
    cat >"$folder/bin/gnuplot" <<'TEXT'
#!/bin/sh
echo "$2" >>"$GNUPLOT_CALLS"
TEXT
    chmod +x "$folder/bin/gnuplot"
}

draw() {
    "$@" sh bench/charts.sh "$folder/build" >"$folder/out" 2>"$folder/err"
    status=$?
}

make_folder
mkdir "$folder/build" "$folder/empty"
json=$folder/build/bench.json
put_peers

run bench --requests 200 --rounds 2 --only read-64,stall
holds bench_runs ended 0 0
holds bench_prints_each_workload printed '^read-64$'
holds bench_prints_each_way printed '^event-loop-1 '
holds bench_looks_at_a_file_operation printed '^A file operation of libuv'
holds bench_writes_the_head head_is_whole "$json"
holds bench_writes_the_keys rows_have_keys "$json"
holds bench_writes_each_way_of_reads rows_of "$json" read-64 12
holds bench_writes_each_way_of_stall rows_of "$json" stall 6
holds bench_writes_no_other_workload rows_of "$json" scan 0
holds bench_names_a_missing_peer printed '^not measured: aiosqlite (Debian: '
holds bench_counts_the_rounds grep -q '"raw", .*"runs": 2}' "$json"

put_wrong_peer
run bench --requests 200 --only read-64
holds bench_checks_the_answers_of_a_peer complained 1 \
    'read-64: aiosqlite: the answers sum up to 5, expected'

echo 'case $* in *--version) echo aiosqlite ;; esac' >"$folder/peers/python3"
run bench --requests 200 --only read-64
holds bench_says_which_peer_failed complained 1 \
    'aiosqlite: no result came from: python3 bench/peers/aiosqlite_peer.py'
run bench --requests 8 --only stall
holds bench_says_nothing_of_peers_where_they_do_not_run \
    [ "$(grep -c -e measured -e aiosqlite "$folder/out")" = 0 ]

run bench --only read-64,no-such --requests 8
holds bench_names_an_unknown_workload complained 2 'no-such.*read-1 .*stall'
run bench --rounds 51
holds bench_names_a_bad_number complained 2 'rounds "51" is not'
run bench --only read-1 --requests 8 --json "$folder"
holds bench_names_a_file_it_cannot_write complained 1 "$folder"

# Reads that take no time leave eight threads nothing to gain.
run bench --check --only slow-read-64 --slow-disk 0 --requests 300
holds check_fails_where_a_floor_is_missed ended 1 0
holds check_names_the_floor printed '^MISSED slow-read-64, threads'
holds check_looks_at_what_grows printed 'read-64.*twice the operations'

run growth --requests 8
holds growth_runs ended 0 0
holds growth_writes_its_tables tables_are_whole "$folder/build/growth"

for tool in sh sed awk dirname; do
    ln -s "$(command -v "$tool")" "$folder/empty/$tool"
done
draw env PATH="$folder/empty"
holds charts_say_what_to_install printed 'Install gnuplot-nox'
holds charts_are_no_error_without_gnuplot ended 0 0
put_gnuplot
GNUPLOT_CALLS=$folder/calls
export GNUPLOT_CALLS
draw env PATH="$folder/bin:$PATH"
holds charts_are_drawn ended 0 0
holds charts_are_svg_and_png grep -q "rows'.*columns=6; format='png'" \
    "$folder/calls"
holds charts_are_eight [ "$(wc -l <"$folder/calls")" -eq 8 ]
rm -r "$folder/build/growth"
draw env PATH="$folder/bin:$PATH"
holds charts_need_tables complained 1 'no tables'
finish
