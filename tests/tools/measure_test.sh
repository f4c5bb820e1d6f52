#!/bin/sh
# measure_test.sh - lesson 04's programs on the databases that people have
#
#   sh measure_test.sh
#
# What cannot be measured is told in one line with status 1, a wrong option
# with status 2; a database that is not ours is never changed. A small program
# that is compiled first makes the databases and holds their locks.
#
# Needs ASQ_BUILD, where everything is built.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
lesson=$ASQ_BUILD/04-measure-first
program=$ASQ_BUILD/04-measure-first-case_own_query
seconds=60

# sql FILE [SQL ...] runs the SQL; with "hold" in place of the last one it then
# says so in FILE.held and waits until FILE.held is gone.
make_helper() {
    cat >"$folder/sql.c" <<'TEXT'
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec pause = {0, 20000000};
    sqlite3 *db;
    char held[4096];
    int rc = sqlite3_open(argv[1], &db);

    for (int i = 2; i < argc && rc == SQLITE_OK; i++) {
        if (strcmp(argv[i], "hold") != 0) {
            rc = sqlite3_exec(db, argv[i], NULL, NULL, NULL);
            continue;
        }
        snprintf(held, sizeof held, "%s.held", argv[1]);
        FILE *file = fopen(held, "w");
        fclose(file);
        for (int n = 0; n < 1500 && (file = fopen(held, "r")) != NULL; n++) {
            fclose(file);
            nanosleep(&pause, NULL);
        }
    }
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc != SQLITE_OK;
}
TEXT
    "${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L \
        "@$ASQ_BUILD/deps.cflags" -o "$folder/sql" "$folder/sql.c" \
        "@$ASQ_BUILD/deps.libs" -lpthread >"$folder/cc" 2>&1
}

# hold FILE SQL: another process has the file until let_go FILE.
hold() {
    "$folder/sql" "$1" "$2" hold &
    while [ ! -e "$1.held" ] && kill -0 $! 2>/dev/null; do
        sleep 0.05
    done
}

let_go() {
    rm "$1.held"
    wait
}

# measure ARGUMENT ...: leaves out, err and status; in told what it says of a
# query that takes long, which on a busy machine is any.
measure() {
    sh "$tools/limit.sh" "$seconds" "$program" --seconds 0.02 "$@" \
        >"$folder/out" 2>"$folder/both"
    status=$?
    told='^one run took |^the first run has taken '
    grep -E "$told" "$folder/both" >"$folder/told"
    grep -Ev "$told" "$folder/both" >"$folder/err"
}

# check NAME STATUS TEXT: the last run ended so; TEXT is in its output. One
# that failed has said so in one line, and printed nothing else.
check() {
    wrong=
    [ "$status" = "$2" ] || wrong="status $status, expected $2"
    if [ "$2" = 0 ]; then
        grep -qF -e "$3" "$folder/out" || wrong="$wrong, not told: $3"
        [ ! -s "$folder/err" ] || wrong="$wrong, something on stderr"
    else
        grep -qF -e "$3" "$folder/err" || wrong="$wrong, not told: $3"
        [ "$(wc -l <"$folder/err")" -eq 1 ] || wrong="$wrong, not one line"
        [ ! -s "$folder/out" ] || wrong="$wrong, something on stdout"
    fi
    if [ -z "$wrong" ]; then
        ok "$1"
    else
        fail "$1" "$wrong
$(cat "$folder/out" "$folder/err")"
    fi
}

# fails NAME STATUS TEXT ARGUMENT ..., measures NAME TEXT ARGUMENT ...
fails() {
    test=$1
    expected=$2
    text=$3
    shift 3
    measure "$@"
    check "$test" "$expected" "$text"
}

measures() {
    test=$1
    text=$2
    shift 2
    measure "$@"
    check "$test" 0 "$text"
}

# in_json NAME TEXT ARGUMENT ...: the text is in the results.
in_json() {
    test=$1
    text=$2
    shift 2
    measure --json "$folder/json" "$@"
    if [ "$status" = 0 ] && grep -qF -e "$text" "$folder/json"; then
        ok "$test"
    else
        fail "$test" "status $status, not in the results: $text
$(cat "$folder/err" "$folder/json" 2>/dev/null)"
    fi
    rm -f "$folder/json"
}

same() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        fail "$1" "$2, then $3"
    fi
}

wrong_options() {
    fails names_a_db_without_sql 2 '--db needs --sql' --db "$db"
    fails names_sql_without_a_db 2 '--sql needs --db' --sql 'SELECT 1'
    fails names_a_param_without_a_db 2 '--param needs' --param 1
    fails names_a_copy_of_nothing 2 '--on-a-copy needs' --on-a-copy
    fails names_a_param_without_a_value 2 '--param has no value' \
        --db "$db" --sql 'SELECT ?' --param
    fails names_a_bad_concurrency 2 'whole number from 1 to 1000' \
        --db "$db" --sql 'SELECT 1' --concurrency 0
    fails names_a_bad_time 2 'is not a number' \
        --db "$db" --sql 'SELECT 1' --seconds soon
    fails counts_the_values 2 'has 2 parameters, and 1 value is given' \
        --db "$db" --sql 'SELECT ?, ?' --param 1
    fails counts_one_parameter 2 'has 1 parameter, and 0 values are given' \
        --db "$db" --sql 'SELECT ?'
    fails names_a_database_in_memory 2 'give a file' --db :memory: \
        --sql 'SELECT 1'
    fails names_sql_without_a_value 2 '--sql has no value' --db "$db" \
        --sql --as-it-is
    fails names_two_statements 2 'give one' --db "$db" --sql 'SELECT 1' \
        --sql-file "$db"
    fails names_two_sets_of_values 2 'give one' --db "$db" \
        --sql 'SELECT ?' --param 1 --params-from "$db"
    fails names_an_extension_without_a_copy 2 '--load needs --on-a-copy' \
        --db "$db" --sql 'SELECT 1' --load x.so
    set --
    while [ "$#" -lt 33 ]; do
        set -- "$@" --param=x
    done
    fails names_too_many_params 2 'more than 32' \
        --db "$db" --sql 'SELECT 1' "$@"
}

what_cannot_be_measured() {
    fails names_a_missing_file 1 'No such file' --db "$folder/no.db" \
        --sql 'SELECT 1'
    fails names_a_directory 1 'is a directory' --db "$folder" --sql 'SELECT 1'
    fails names_what_is_no_database 1 'not a database' \
        --db "$folder/sql.c" --sql 'SELECT 1'
    : >"$folder/empty.db"
    fails takes_an_empty_file_for_an_empty_database 1 'no such table: t' \
        --db "$folder/empty.db" --sql 'SELECT * FROM t'
    fails names_a_uri 1 'a URI is not accepted' --db "file:$db" --sql 'SELECT 1'
    fails tells_what_sqlite_says 1 'no such column: other' \
        --db "$db" --sql 'SELECT other FROM t'
    fails tells_of_a_failure_while_it_runs 1 'integer overflow' \
        --db "$db" --sql 'SELECT abs(-9223372036854775808) FROM t'
    fails refuses_two_statements 1 'text after the first' \
        --db "$db" --sql 'SELECT 1; SELECT 2'
    mkfifo "$folder/pipe"
    for file in "$folder/pipe" /dev/zero; do
        fails "does not wait for ${file##*/}" 1 'not the file of a database' \
            --db "$file" --sql 'SELECT 1'
    done
    fails names_a_time_that_is_up 1 'the time is up; a larger --timeout' \
        --db "$db" --sql "$endless" --timeout 0.2
    fails names_a_time_that_is_up_on_a_copy 1 'the time is up' --on-a-copy \
        --db "$db" --sql "DELETE FROM t WHERE b = ($endless)" --timeout 0.2
}

# Before anybody knows how long a query takes, it is told what it will take.
long_query() {
    measure --db "$db" --sql "$endless" --timeout 4
    if grep -q 'needs 6 s or more; --timeout' "$folder/told"; then
        ok estimates_a_long_query
    else
        fail estimates_a_long_query "$(cat "$folder/both")"
    fi
}

what_would_write() {
    before=$(cksum <"$db")
    for sql in 'DELETE FROM t' 'PRAGMA user_version = 7' 'VACUUM'; do
        fails "refuses ${sql%% *}" 1 '--on-a-copy runs it on a copy' \
            --db "$db" --sql "$sql"
    done
    # What cannot be measured on a copy either is not sent there.
    for sql in 'BEGIN' 'COMMIT' 'SAVEPOINT a' "ATTACH '' AS other"; do
        fails "refuses ${sql%% *}" 1 'cannot be measured alone' \
            --db "$db" --sql "$sql"
        fails "refuses ${sql%% *} on a copy" 1 'cannot be measured alone' \
            --on-a-copy --db "$db" --sql "$sql"
    done
    fails refuses_to_write_elsewhere 1 'VACUUM INTO writes a file' \
        --on-a-copy --db "$db" --sql "VACUUM INTO '$folder/other.db'"
    same writes_nothing_elsewhere no "$(ls "$folder/other.db" 2>/dev/null ||
        echo no)"
    for sql in 'CREATE INDEX tb ON t (b)' 'ANALYZE' 'REINDEX' \
        'CREATE TABLE new AS SELECT * FROM t' 'DROP TABLE t'; do
        measure --on-a-copy --db "$db" --sql "$sql"
        same "lets $sql do its work" 0 "$(grep -c 'fix the query' "$folder/out")"
    done
    # Statements that the cache does not keep, or that prepare to nothing.
    for sql in 'PRAGMA user_version = 7' 'PRAGMA integrity_check' \
        'PRAGMA table_info(t)' 'PRAGMA nothing_of_this_name' 'VACUUM' \
        'EXPLAIN SELECT 1' 'EXPLAIN QUERY PLAN SELECT b FROM t' 'REINDEX' \
        'CREATE TABLE new (a)' "SELECT * FROM pragma_table_info('t')"; do
        measures "runs $sql on a copy" blocking --on-a-copy --db "$db" \
            --sql "$sql"
    done
    measures writes_to_a_copy 'blocking' --on-a-copy --db "$db" \
        --sql 'UPDATE t SET b = b + 1 WHERE id = ?' --param 5
    # Each run finds what the first has found: this would fail the second time.
    measures undoes_an_insert 'COMMIT, which is measured' --on-a-copy \
        --db "$db" --sql "INSERT INTO t VALUES (9999, 1)"
    measures undoes_an_update 'COMMIT, which is measured' --on-a-copy \
        --db "$db" --sql 'UPDATE t SET b = CASE WHEN b = 5 THEN 6
            ELSE abs(-9223372036854775808) END WHERE id = 5'
    in_json counts_what_was_deleted '"rows": 5000}' --on-a-copy --db "$db" \
        --sql 'DELETE FROM t'
    same leaves_the_database_as_it_is "$before" "$(cksum <"$db")"
    same removes_the_copy '' "$(ls "$ASQ_BUILD/tmp")"
}

# start_on_a_copy: runs in the background until it has made a copy.
start_on_a_copy() {
    (umask 0 && exec "$program" --on-a-copy --db "$db" --sql "$endless" \
        --timeout 50 >"$folder/out" 2>"$folder/err") &
    while kill -0 $! 2>/dev/null && [ -z "$(ls "$ASQ_BUILD/tmp")" ]; do
        sleep 0.05
    done
}

# A copy is as private as a file can be, and goes away however the program
# ends; that of one that was killed goes with the next.
copies() {
    chmod 600 "$db"
    for signal in TERM HUP; do
        start_on_a_copy
        # shellcheck disable=SC2012 # find tells no permissions everywhere
        same "keeps the copy private ($signal)" '-rw-------' \
            "$(ls -l "$ASQ_BUILD/tmp" | sed -n '2s/ .*//p' | cut -c 1-10)"
        kill -s "$signal" $!
        wait $! 2>/dev/null
        same "removes the copy after $signal" '' "$(ls "$ASQ_BUILD/tmp")"
    done
    start_on_a_copy
    kill -s KILL $!
    wait $! 2>/dev/null
    measures measures_beside_what_was_left blocking --on-a-copy --db "$db" \
        --sql 'SELECT 1'
    same removes_what_was_left '' "$(ls "$ASQ_BUILD/tmp")"
}

verdicts() {
    in_json finds_a_scan '"verdict": "fix the query first"' \
        --db "$db" --sql 'SELECT id FROM t WHERE b = 7'
    check tells_what_sqlite_plans 0 'SCAN t'
    in_json leaves_a_point_read '"scan_steps": 0' \
        --db "$db" --sql 'SELECT b FROM t WHERE id = 7'
    in_json finds_a_sort '"verdict": "fix the query first"' --db "$db" \
        --sql 'SELECT b FROM t WHERE id > 1 ORDER BY b LIMIT 3'
    in_json finds_an_index_made_each_time 'thrown away' --db "$db" --sql \
        'SELECT count(*) FROM t JOIN u ON u.b = t.b'
    measure --as-it-is --db "$db" --sql 'SELECT id FROM t WHERE b = 7'
    same says_nothing_of_the_plan 0 "$(grep -c -e fix -e SCAN "$folder/out")"
    in_json asks_an_empty_table '"rows": 0}' --db "$db" \
        --sql 'SELECT * FROM nobody'
    in_json asks_a_slow_query_once_each_way '"requests": 1,' --db "$db" \
        --as-it-is --sql "$slow"
    check says_what_the_time_allows 0 'The time allows 1 ready at once'
    check says_that_there_is_one_round 0 'asked in one round only'
    in_json says_how_sure_it_is '"sure": "sure: SQLite has counted it' \
        --db "$db" --sql 'SELECT id FROM t WHERE b = 7'
    # What does too much and is slow is asked once and no more.
    measure --db "$db" --sql 'SELECT count(*) FROM u, u AS o WHERE o.b < u.b'
    same asks_a_slow_scan_once 1 "$(grep -c -e blocking -e threads \
        "$folder/out")"
}

# bad NAME PLAN HELP SQL: too much work by another name than SCAN; the loop that
# costs is named, and what would help.
bad() {
    measure --db "$folder/bad.db" --sql "$4"
    check "$1" 0 'fix the query first'
    check "$1: names the loop" 0 "SQLite's plan: $2"
    check "$1: says what helps" 0 "$3"
}

good() {
    measure --json "$folder/json" --db "$folder/bad.db" --sql "$2"
    same "$1" 0 "$(grep -c 'fix the query' "$folder/json")"
}

bad_queries() {
    "$folder/sql" "$folder/bad.db" "$table" \
        'CREATE TABLE seven (id INTEGER PRIMARY KEY, kind, name, "order")' \
        "INSERT INTO seven SELECT 4 * t.id + m.b, (4 * t.id + m.b) % 7,
            'name ' || (4 * t.id + m.b), t.id
            FROM t, (SELECT b FROM u WHERE b < 5) AS m" \
        'CREATE INDEX seven_kind ON seven (kind)' \
        'CREATE VIRTUAL TABLE mail USING fts5 (body)' \
        "INSERT INTO mail SELECT 'hello ' || b FROM t" || fail makes_a_database
    bad finds_a_search_over_a_range 'SEARCH seven USING INTEGER PRIMARY KEY' \
        'An index ON seven (name) makes it' \
        "SELECT id FROM seven WHERE id BETWEEN 5 AND 15000 AND name = 'name 9'"
    bad finds_an_index_of_seven_values 'SEARCH seven USING INDEX seven_kind' \
        'An index ON seven (kind, name) makes it' \
        "SELECT id FROM seven WHERE kind = 3 AND name = 'name 9'"
    bad quotes_a_column 'SCAN seven' 'An index ON seven ("order") makes it' \
        'SELECT id FROM seven WHERE "order" = 7'
    bad finds_like_on_fts5 'SCAN mail VIRTUAL TABLE' \
        'MATCH asks its index' "SELECT rowid FROM mail WHERE body LIKE '%o 777%'"
    bad finds_like 'SCAN seven' 'No index helps LIKE' \
        "SELECT count(*) FROM seven WHERE name LIKE '%77%'"
    bad finds_a_recursion 'SCAN n' 'end it sooner' "$slow"
    bad finds_a_long_sum 'SCAN seven' 'a trigger changes' \
        'SELECT sum("order" + id + kind + id) FROM seven'
    bad names_the_inner_loop_of_a_join 'SCAN o' '--as-it-is judges only' \
        'SELECT count(*) FROM u JOIN u AS o ON o.b + u.b = 7 WHERE u.b < 100'
    bad names_the_sort 'USE TEMP B-TREE FOR ORDER BY' \
        'An index ON seven (kind, name) makes it' \
        'SELECT id FROM seven WHERE kind = 3 ORDER BY name LIMIT 3'
    good leaves_a_sum_over_a_small_range \
        'SELECT sum("order") FROM seven WHERE id BETWEEN 10 AND 3000'
    good leaves_many_rows 'SELECT * FROM seven'
    good leaves_a_match "SELECT rowid FROM mail WHERE mail MATCH '77'"
    measure --as-it-is --db "$folder/bad.db" --sql "$slow"
    same leaves_what_is_meant 0 "$(grep -c 'fix the query' "$folder/out")"
}

files() {
    printf '\357\273\277-- of Windows\r\nSELECT ?, ?\r\n' >"$folder/q.sql"
    printf '1\ttext\n2\t\n' >"$folder/rows"
    measures takes_a_comment_for_sql blocking --db "$db" \
        --sql '-- how many
            SELECT count(*) FROM nobody'
    measures reads_sql_and_values_of_files blocking --db "$db" \
        --sql-file "$folder/q.sql" --params-from "$folder/rows"
    # The last row is reached: it is the one that fails.
    printf '1\n2\n-9223372036854775808' >"$folder/rows"
    fails uses_rows_in_turn 1 'integer overflow' --db "$db" \
        --sql 'SELECT abs(?)' --params-from "$folder/rows"
    printf '1\n2\t3\n' >"$folder/rows"
    fails names_a_line_of_another_width 2 'line 2 has more values than line 1' \
        --db "$db" --sql 'SELECT ?' --params-from "$folder/rows"
    for option in sql-file params-from; do
        for file in no empty.db pipe t.db; do
            fails "refuses --$option $file" 2 "$folder/$file: " --db "$db" \
                --sql-file "$folder/q.sql" "--$option=$folder/$file"
        done
    done
}

# No row is kept: a result of 1 GB fits into 700 MB of addresses, most of which
# are those of stacks.
large_results() {
    if [ -n "${SAN:-}" ] || [ "$(uname -s)" != Linux ]; then
        not_checked keeps_no_rows 'addresses cannot be limited here'
        return
    fi
    (
        # shellcheck disable=SC3045 # every shell of Linux has it
        ulimit -v 700000
        MALLOC_ARENA_MAX=1 sh "$tools/limit.sh" "$seconds" "$program" \
            --as-it-is --seconds 0.02 --db "$db" --sql 'SELECT zeroblob(1000000)
            FROM t WHERE id <= 1000' >"$folder/out" 2>"$folder/err"
    )
    status=$?
    check keeps_no_rows 0 event-loop-1
}

extensions() {
    cat >"$folder/twice.c" <<'TEXT'
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

static void twice(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int64(context, 2 * sqlite3_value_int64(values[0]));
}

int sqlite3_twice_init(sqlite3 *db, char **message, const void *api);

int sqlite3_twice_init(sqlite3 *db, char **message, const void *api)
{
    (void)message;
    SQLITE_EXTENSION_INIT2(api)
    return sqlite3_create_function(db, "twice", 1, SQLITE_UTF8, 0, twice, 0, 0);
}
TEXT
    if ! "${CC:-cc}" -shared -fPIC "@$deps/deps.cflags" \
        -o "$folder/twice.so" "$folder/twice.c" >"$folder/cc" 2>&1; then
        not_checked loads_an_extension 'it cannot be compiled here'
        return
    fi
    in_json loads_an_extension '"rows": 1}' --on-a-copy --db "$db" \
        --sql 'SELECT 1 WHERE twice(4) = 8' --load "$folder/twice.so"
    fails names_an_extension_that_is_missing 1 "$folder/no" --on-a-copy \
        --db "$db" --sql 'SELECT 1' --load "$folder/no"
}

values() {
    for pair in integer:12 integer:-3 real:1.5 real:-0.25 text:007 text:1e5 \
        text:+1 text:12a text:. text: text:9223372036854775808 \
        "text:it's"; do
        in_json "binds ${pair#*:} as ${pair%%:*}" '"rows": 1}' --db "$db" \
            --sql 'SELECT 1 WHERE typeof(?1) = ?2' \
            "--param=${pair#*:}" --param "${pair%%:*}"
    done
}

# The test of a read-only folder needs a user for whom it is one.
in_use() {
    hold "$db" 'BEGIN EXCLUSIVE'
    fails names_a_lock 1 'another program has it' --db "$db" --sql 'SELECT 1'
    measures copies_what_is_locked 'a copy of its bytes' --on-a-copy \
        --db "$db" --sql 'SELECT b FROM t WHERE id = 7'
    let_go "$db"

    "$folder/sql" "$folder/wal.db" 'PRAGMA journal_mode = WAL' "$table" ||
        fail makes_a_database
    hold "$folder/wal.db" 'BEGIN IMMEDIATE; DELETE FROM t'
    in_json reads_beside_a_writer '"rows": 1}' --db "$folder/wal.db" \
        --sql 'SELECT b FROM t WHERE id = 7'
    in_json copies_beside_a_writer '"rows": 1}' --on-a-copy \
        --db "$folder/wal.db" --sql 'SELECT b FROM t WHERE id = 7'
    mkdir "$folder/shut"
    cp "$folder/wal.db" "$folder/shut/wal.db"
    let_go "$folder/wal.db"

    if [ "$(id -u)" = 0 ]; then
        not_checked names_a_wal_that_cannot_be_made 'root may write anywhere'
        return
    fi
    chmod 555 "$folder/shut"
    fails names_a_wal_that_cannot_be_made 1 '--on-a-copy' \
        --db "$folder/shut/wal.db" --sql 'SELECT b FROM t WHERE id = 7'
    measures copies_out_of_a_shut_folder 'a copy of its bytes' --on-a-copy \
        --db "$folder/shut/wal.db" --sql 'SELECT b FROM t WHERE id = 7'
    chmod 755 "$folder/shut"
}

odd_names() {
    for name in 'a b.db' '100%.db' '?mode=rw.db' 'grün.db'; do
        cp "$db" "$folder/$name"
        in_json "opens $name" "$name\"" --db "$folder/$name" \
            --sql 'SELECT b FROM t WHERE id = 7'
    done
}

# The queries of the lesson, by its main program.
demonstration() {
    sh "$tools/limit.sh" "$seconds" "$lesson" --requests 8 \
        --json "$folder/json" --trace "$folder/trace" >"$folder/out" 2>&1
    same shows_the_four_queries 0 $?
    same judges_four_queries 4 "$(grep -c '^=> ' "$folder/out")"
    same measures_all_ways 15 "$(grep -c '"stall_us"' "$folder/json")"
    same keeps_the_spans 1 "$(grep -c '"connection 8"' "$folder/trace")"
}

usage() {
    sh "$tools/limit.sh" "$seconds" "$program" >"$folder/out" 2>"$folder/err"
    status=$?
    check explains_itself_without_arguments 0 '--on-a-copy'
    fails names_a_database_that_is_not_given 2 '--db and --sql are missing'
    fails names_an_unknown_option 2 '--no-such-option' --no-such-option
    measure --trace "$folder/trace" --db "$db" --sql 'SELECT b FROM t'
    same keeps_the_spans_of_a_query 1 \
        "$(grep -c '"connection 8"' "$folder/trace")"
    [ -c /dev/full ] || return
    sh "$tools/limit.sh" "$seconds" "$program" --seconds 0.02 --db "$db" \
        --sql 'SELECT 1' >/dev/full 2>"$folder/err"
    same notices_that_its_output_is_lost 1 $?
}

make_folder
ASQ_BUILD=$(cd "$ASQ_BUILD" && pwd)
if ! make_helper; then
    fail compiles_its_helper "$(cat "$folder/cc")"
    finish
fi
mkdir "$folder/build"
deps=$ASQ_BUILD
export ASQ_BUILD="$folder/build"
db=$folder/t.db
table='CREATE TABLE t (id INTEGER PRIMARY KEY, b);
    CREATE TABLE u (b); CREATE TABLE nobody (id);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 5000) INSERT INTO t SELECT i, i FROM n;
    INSERT INTO u SELECT b FROM t WHERE id <= 2000'
slow='WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
    WHERE i < 400000) SELECT sum(i) FROM n'
endless='WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i % 9 FROM n)
    SELECT sum(i) FROM n'
"$folder/sql" "$db" "$table" || fail makes_a_database
wrong_options
what_cannot_be_measured
long_query
what_would_write
copies
verdicts
bad_queries
files
large_results
extensions
values
in_use
odd_names
demonstration
usage
finish
