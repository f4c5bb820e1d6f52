#!/bin/sh
# class_test.sh - grades small classes and looks at what comes out
#
#   sh class_test.sh
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=class_fixture.sh
. "$tools/class_fixture.sh"

check_sources() {
    new_class
    hand_in in/s01/01-one/ex_total.c '7 of 7'
    hand_in p/handin/01-one/ex_total.c 8
    tar -czf in/s02.tar.gz -C p handin
    hand_in p/handin/01-one/ex_total.c 9
    tar -cf in/s03.tar -C p handin
    (cd p && zip -qr ../in/s04.ZIP handin)
    hand_in p/ex_total.c 6
    tar -czf in/s05.tgz -C p ex_total.c
    mkdir in/s06
    : >in/notes.txt
    grade 0
    grade_line '' s01 s01 '' 7 ''
    grade_line '' s02 s02.tar.gz '' 8 ''
    grade_line '' s03 s03.tar '' 9 ''
    grade_line '' s04 s04.ZIP '' 9 ''
    grade_line '' s05 s05.tgz '' 6 ''
    grade_line '' s06 s06 '' 0 "$no_file"
    line reports/s01.txt '    expected 7; got of 7'
    line reports/s01.txt '    look at  exercises/01-one/ex_total.c:5'
    line reports/s01.txt 'points      7 of 10'
    grade_line '' notes.txt notes.txt '' 0 "$no_file, but notes.txt"
    must 'the work is still there' [ ! -e build/grades/graded ]
    tell grades_folders_and_archives

    new_class
    entry='in/Ä Ö_4711_assignsubmission_file_'
    hand_in p/handin/01-one/ex_total.c 8
    mkdir -p "$entry" "${entry%_file_}_onlinetext_"
    tar -czf "$entry/my handin.tar.gz" -C p handin
    hand_in p/packed/x 1
    cp "$entry/my handin.tar.gz" 'p/packed/again.tar.gz'
    (cd p/packed && zip -qr ../../in/s2_77_assignsubmission_file_all.zip .)
    hand_in 'in/s 3_5_assignsubmission_file_/exercises/01-one/ex_total.c' 3
    grade 0
    grade_line 4711 'Ä Ö' 'Ä Ö_4711' '' 8 ''
    grade_line 77 s2 s2_77 '' 8 ''
    grade_line 5 's 3' 's 3_5' '' 3 ''
    tell understands_moodle

    new_class
    hand_in p/handin/01-one/ex_total.c 2
    tar -czf in/ab_LATE_11_100_handin.tar.gz -C p handin
    hand_in p/handin/01-one/ex_total.c 9
    tar -czf in/ab_LATE_11_101_handin-2.tar.gz -C p handin
    hand_in p/handin/01-one/ex_total.c 4
    tar -czf in/ab_LATE_11_102_handin-1.tar.gz -C p handin
    hand_in in/cd_12_103_ex_total-1.c 5
    hand_in in/cd_12_104_report.pdf 5
    grade 0
    grade_line 11 ab ab_11 late 9 \
        'ex_total.c is there 3 times: taken from handin/01-one/ex_total.c'
    grade_line 12 cd cd_12 '' 5 ''
    tell understands_canvas

    new_class
    hand_in p/exercises/grader/skeletons/01-one/ex_total.c 0
    hand_in p/aaa/ex_total.c 1
    hand_in p/exercises/01-one/ex_total.c 6
    mv p/exercises p/aaa in/ 2>/dev/null
    mkdir in/s01
    mv in/exercises in/aaa in/s01
    grade 0
    grade_line '' s01 s01 '' 6 'ex_total.c is there 3 times: taken from exercises/01-one/ex_total.c'
    tell prefers_the_exercise_s_own_folder

    new_class
    hand_in p/one/handin/01-one/ex_total.c 6
    hand_in p/two/handin/01-one/ex_total.c 7
    tar -cf in/s01.tar -C p/one handin
    tar -rf in/s01.tar -C p/two handin
    grade 0
    part build/grades/grades.csv ',7,7,10,'
    tell takes_the_member_that_was_added_last

    new_class
    hand_in 'p/handin\01-one\ex_total.c' 6
    (cd p && zip -q ../in/s01.zip 'handin\01-one\ex_total.c')
    grade 0
    grade_line '' s01 s01.zip '' 6 ''
    tell understands_the_other_slash
}

check_bulk() {
    new_class
    mkdir in2
    hand_in in2/ab_11_100_ex_total.c 4
    hand_in 'in2/S01 Ü_12_assignsubmission_file_/ex_total.c' 5
    hand_in 'in2/S02_13_assignsubmission_file_/essay.pdf' 5
    hand_in 'in2/S03 [1]_14_assignsubmission_file_/ex_total.c' 6
    (cd in2 && zip -qr ../in/all.zip .)
    grade 0 --submissions in/all.zip
    grade_line 11 ab ab_11 '' 4 ''
    grade_line 12 'S01 Ü' 'S01 Ü_12' '' 5 ''
    grade_line 13 S02 S02_13 '' 0 "$no_file, but essay.pdf"
    grade_line 14 'S03 [1]' 'S03 [1]_14' '' 6 ''
    tell unpacks_one_zip_of_all

    new_class
    hand_in p/all/s01/ex_total.c 4
    hand_in p/all/s02/ex_total.c 5
    (cd p && zip -qr ../in/all.zip all)
    grade 0 --submissions in/all.zip
    grade_line '' s01 s01 '' 4 ''
    grade_line '' s02 s02 '' 5 ''
    must 'what was unpacked is still there' [ ! -e build/grades/bulk ]
    tell opens_the_folder_around_all

    new_class
    mkdir -p p/deep
    hand_in p/outside/ex_total.c 4
    hand_in p/s01/ex_total.c 4
    (cd p/deep && zip -q ../../in/all.zip ../outside/ex_total.c ../s01/ex_total.c)
    (cd p && zip -q ../in/all.zip s01/ex_total.c)
    grade 0 --submissions in/all.zip
    part err 'not unpacked: ../outside/ex_total.c leads out of its folder'
    must 'a file was made outside' [ ! -e build/grades/outside ]
    tell unpacks_nothing_outside
}

check_names() {
    new_class
    newline=$(printf 'in/b\nc')
    hand_in "in/it's a \"name\", or not/ex_total.c" 1
    hand_in "$newline/ex_total.c" 2
    hand_in "in/=1+1/ex_total.c" 3
    hand_in "in/-rf/ex_total.c" 4
    hand_in "in/@x/ex_total.c" 5
    hand_in "in/ü ß/ex_total.c" 6
    hand_in "in/a b/ex_total.c" 7
    hand_in "in/a_b/ex_total.c" 8
    hand_in "in/A_b/ex_total.c" 9
    grade 0
    quoted='"it'"'"'s a ""name"", or not"'
    grade_line '' "$quoted" "$quoted" '' 1 ''
    grade_line '' 'b?c' 'b?c' '' 2 ''
    grade_line '' "'=1+1" "'=1+1" '' 3 ''
    grade_line '' "'-rf" "'-rf" '' 4 ''
    grade_line '' "'@x" "'@x" '' 5 ''
    grade_line '' 'ü ß' 'ü ß' '' 6 ''
    reports=$(find build/grades/reports -name '*.txt' | wc -l)
    must "$reports reports, expected 9" [ "$((reports))" = 9 ]
    tell bears_any_name
}

check_drivers() {
    new_class
    hand_in in/s01/ex_total.c die
    hand_in in/s02/ex_total.c garbage
    hand_in in/s03/ex_total.c forged
    hand_in in/s04/ex_total.c status3
    hand_in in/s05/ex_total.c flood
    hand_in in/s06/ex_total.c lock
    hand_in in/s07/ex_total.c '6 of 12'
    hand_in in/s08/ex_total.c '6 of 13'
    hand_in in/s09/ex_total.c '6 and none'
    hand_in in/s10/ex_total.c path
    grade 1
    grade_line '' s01 s01 '' 0 'the grader was ended by signal 9'
    grade_line '' s02 s02 '' 0 'the grader left no whole results'
    grade_line '' s03 s03 '' 10 ''
    grade_line '' s04 s04 '' 0 \
        'the grader ended with status 3; it said: the disk is full'
    grade_line '' s05 s05 '' 1 ''
    grade_line '' s06 s06 '' 5 ''
    must 'the work is still there' [ ! -e build/grades/graded ]
    line summary.txt \
        '  s04: grader error: the grader ended with status 3; it said: the disk is full'
    line reports/s10.txt '    look at exercises/01-one/x.c'
    line summary.txt 'sandbox   7 were graded without one'
    line summary.txt '     6  01-one test 1: wrong answer'
    line summary.txt '        2 of them: expected 7; got of 12'
    line summary.txt '    6.0 to   7.0     3 ##############################'
    must 'summary.json is no JSON' grep -q '"verdict": "wrong answer", "count": 6' \
        build/grades/summary.json
    tell outlives_every_driver

    grade 1
    must "graded $(wc -l <build/graded), expected 13" \
        [ "$(wc -l <build/graded)" -eq 13 ]
    tell grades_again_what_was_not_judged
}

check_time() {
    new_class
    hand_in in/s01/ex_total.c hang
    hand_in in/s02/ex_total.c 4
    grade 0 --seconds 3
    grade_line '' s01 s01 '' 3 \
        'time over: what was not graded by then has 0 points'
    grade_line '' s02 s02 '' 4 ''
    must 'it did not hang' [ -f build/hangs ]
    tell ends_what_takes_too_long

    grade 0 --seconds 3
    must 'it was graded again' [ "$(wc -l <build/graded)" -eq 2 ]
    line reports/s01.txt 'points      3 of 10'
    part out '2 graded before'
    tell takes_no_time_twice
}

check_daemon() {
    if ! [ -d /proc/self ] || ! command -v setsid >/dev/null; then
        not_checked ends_what_got_away 'this system has no setsid or no /proc'
        return
    fi
    new_class
    hand_in in/s01/ex_total.c daemon
    grade 0
    grade_line '' s01 s01 '' 2 ''
    must 'it is still there' \
        sh -c "! kill -0 $(cat build/daemon) 2>/dev/null"
    line summary.txt '  s01: left something running, 01-one test 1'
    tell ends_what_got_away
}

# Waits until a file is there; whoever should make it has a minute.
wait_for() {
    ticks=1200
    until [ -e "$1" ] || [ "$ticks" = 0 ]; do
        sleep 0.05
        ticks=$((ticks - 1))
    done
    [ -e "$1" ]
}

# stop SIGNAL: one is graded, two wait, then the signal comes.
stop() {
    new_class
    hand_in in/s01/ex_total.c 4
    hand_in in/s02/ex_total.c 'wait 1'
    hand_in in/s03/ex_total.c 'wait 2'
    hand_in in/s04/ex_total.c 8
    "$class" --submissions in --grader build/grader --out build/grades \
        --seed 1 --jobs 2 >out 2>err &
    pid=$!
    wrong=
    must 'the drivers did not start' wait_for build/waits.1
    must 'the drivers did not start' wait_for build/waits.2
    # Beside a run there is no other one.
    sh "$tools/limit.sh" 60 "$class" --submissions in \
        --grader build/grader --out build/grades >out2 2>err2
    [ "$?" = 1 ] || wrong="$wrong
the other run did not end with status 1"
    part err2 'build/grades is in use by another run'
    kill "-$1" "$pid"
    wait "$pid" 2>/dev/null
    status=$?
}

check_stops() {
    stop TERM
    must "status $status, expected 143" [ "$status" = 143 ]
    part err 'stopped after 1 of 4; start it again to go on'
    must 'the work is still there' [ ! -e build/grades/graded ]
    must 'there are grades' [ ! -e build/grades/grades.csv ]
    tell stops_when_it_is_asked_to

    : >build/go
    grade 0
    before=$(cat build/grades/grades.csv)
    hand_in in/s02/ex_total.c 'wait 3'
    rm -f build/go
    "$class" --submissions in --grader build/grader --out build/grades \
        --seed 2 >out 2>err &
    pid=$!
    must 'the driver did not start' wait_for build/waits.3
    kill -INT "$pid"
    wait "$pid" 2>/dev/null
    must 'the last whole results are gone' \
        [ "$before" = "$(cat build/grades/grades.csv)" ]
    : >build/go
    grade 0 --seed 0
    must 'it went on with its seed' [ "$(seed_of s01)" = 2 ]
    part out '4 submissions, 1 graded before'
    tell leaves_the_last_whole_results

    echo mine >build/grades/mine.txt
    grade 0 --out build/grades/
    part build/grades/mine.txt mine
    must 'a folder too many' [ ! -e build/grades/.new ]
    must 'a folder too many' [ ! -e build/grades.old ]
    mkdir build/other
    echo mine >build/other/mine.txt
    grade 1 --out build/other
    part err 'build/other holds something else than grades'
    must 'it is gone' [ -f build/other/mine.txt ]
    rm -r build/other
    tell leaves_the_files_of_others

    stop KILL
    must "status $status, expected 137" [ "$status" = 137 ]
    : >build/go
    grade 0
    grade_line '' s01 s01 '' 4 ''
    grade_line '' s02 s02 '' 10 ''
    grade_line '' s04 s04 '' 8 ''
    part out '4 submissions, 1 graded before'
    must 'what was graded was graded again' \
        [ "$(grep -c /s01/ build/graded)" = 1 ]
    tell goes_on_after_it_was_killed

    hand_in in/s04/ex_total.c 9
    grade 0
    grade_line '' s04 s04 '' 9 ''
    part out '4 submissions, 3 graded before'
    tell grades_what_is_new

    echo 'other tests' >build/libgrader.a
    grade 0
    absent out before
    grade 0 --again
    absent out before
    grade 0
    part out '4 graded before'
    grade 0 --hidden
    absent out before
    tell grades_again_when_the_course_is_new

    echo '{"version": 1}' >build/grades/reports/s01.json
    grade 0 --hidden
    grade_line '' s01 s01 '' 4 ''
    part out '3 graded before'
    tell trusts_no_results_that_were_changed
}

check_course() {
    new_class
    hand_in in/s01/ex_total.c overwrite
    hand_in in/s02/ex_total.c 4
    grade 1 --jobs 1
    part err 'stopped: build/libgrader.a has changed'
    must 'there are grades' [ ! -e build/grades/grades.csv ]
    must 'the next was graded' [ "$(wc -l <build/graded)" -eq 1 ]
    tell stops_when_the_course_is_changed
}

check_isolation() {
    new_class
    hand_in in/s01/ex_total.c 8
    BWRAP=1 grade 2
    part err 'there is no sandbox'
    part err "ARGS='--sandbox never'"
    must 'it was graded' [ ! -e build/graded ]
    BWRAP=1 grade 0 --sandbox never
    grade_line '' s01 s01 '' 8 ''
    tell wants_a_sandbox

    new_class
    hand_in in/s01/ex_total.c 8
    hand_in in/s02/ex_total.c 'does : >build/grades.new/reports/s01.json'
    hand_in in/s03/ex_total.c 7
    hand_in in/s04/ex_total.c \
        'does echo 10 >build/grades.new/files/s05/01-one/ex_total.c'
    hand_in in/s05/ex_total.c 6
    hand_in in/s06/ex_total.c 'does echo 1 >in/s07/ex_total.c; echo >in/more'
    hand_in in/s07/ex_total.c 9
    grade 0 --sandbox never --jobs 2
    grade_line '' s01 s01 '' 8 \
        'its files or results changed while s02 was graded: graded again'
    trace02='the files or results of s01 changed while it was graded'
    grade_line '' s02 s02 '' 5 "$trace02"
    grade_line '' s03 s03 '' 7 ''
    trace04='the files or results of s05 changed while it was graded'
    grade_line '' s04 s04 '' 5 "$trace04"
    grade_line '' s05 s05 '' 6 \
        'its files or results changed while s04 was graded: mended before it was graded'
    grade_line '' s07 s07 '' 9 ''
    part build/grades/grades.csv \
        's06,,5,5,10,yes,"in changed while it was graded; in/'
    part build/grades/summary.txt "  s02: graded: $trace02"
    must 's01 was not graded at once' \
        [ "$(sed -n 's,.*graded/\(s[0-9]*\)/.*,\1,p' build/graded |
            paste -s -d ' ' -)" = 's01 s02 s01 s03 s04 s05 s06 s07' ]
    tell grades_a_victim_again_and_names_who_did_it

    rm -r in/more
    for name in s02 s04 s06; do
        echo 5 >in/$name/ex_total.c
    done
    grade 0
    grade_line '' s01 s01 '' 8 ''
    grade_line '' s04 s04 '' 5 "$trace04"
    grade 0 --again
    grade_line '' s02 s02 '' 5 "$trace02"
    tell keeps_the_trace_through_later_runs

    # Results of an earlier run are taken over before anybody can change them,
    # and a victim's are not taken from there.
    new_class
    hand_in in/s01/ex_total.c 'does for f in build/grades/reports/s0[23].json build/grades.new/reports/s02.json; do echo forged >$f; done'
    hand_in in/s02/ex_total.c 4
    hand_in in/s03/ex_total.c 5
    (mkdir keep && mv in/s01 keep)
    grade 0 --sandbox never
    mv keep/s01 in && rmdir keep
    grade 0 --sandbox never
    grade_line '' s02 s02 '' 4 \
        'its files or results changed while s01 was graded: graded again'
    grade_line '' s03 s03 '' 5 ''
    part build/grades/grades.csv \
        'build/grades/reports/s03.json changed while it was graded'
    tell takes_earlier_results_before_anything_runs

    new_class
    hand_in in/s01/ex_total.c overwrite
    hand_in in/s02/ex_total.c 4
    grade 1 --sandbox never
    part err 'stopped: build/libgrader.a has changed'
    echo tests >build/libgrader.a
    echo 3 >in/s01/ex_total.c
    grade 0
    grade_line '' s01 s01 '' 3 \
        'build/libgrader.a changed while it was graded'
    tell keeps_the_trace_of_a_run_that_was_stopped
}

# refuse NAME STATUS MESSAGE ARGUMENT ...
refuse() {
    name=$1
    message=$3
    want=$2
    shift 3
    "$class" "$@" >out 2>err
    status=$?
    wrong=
    must "status $status, expected $want" [ "$status" = "$want" ]
    must "lines: $(cat err)" [ "$(wc -l <err)" -eq 1 ]
    part err "$message"
    tell "$name"
}

check_errors() {
    new_class
    mkdir in2
    refuse names_a_wrong_option 2 'unknown option "--foo"' --foo
    refuse names_a_missing_value 2 '--jobs has no value' --jobs
    refuse names_a_bad_number 2 '--jobs "2x" is not a whole number from 1 to 64' \
        --jobs 2x
    refuse wants_submissions 2 'where are they' --jobs 2
    refuse names_a_wrong_sandbox 2 'is always or never' \
        --submissions in --sandbox x
    refuse names_a_missing_folder 1 'none: No such file' --submissions none
    refuse names_an_empty_folder 1 'there is no submission in in2' \
        --submissions in2
    refuse names_a_missing_driver 1 'there is no build/none' \
        --submissions in --grader build/none
    refuse names_a_missing_roster 1 'none.csv: no such file' \
        --submissions in --roster none.csv
    wrong=
    "$class" --help >out 2>err || wrong='status not 0'
    part out --submissions
    tell explains_itself
}

check_many() {
    new_class
    number=100
    while [ "$number" -lt 400 ]; do
        mkdir "in/s$number"
        echo $((number % 11)) >"in/s$number/ex_total.c"
        number=$((number + 1))
    done
    grade 0 --jobs 2
    grade_line '' s399 s399 '' 3 ''
    line summary.txt \
        'students  300, submissions 300, late 0, without 0, not judged 0'
    must 'not a line each' [ "$(wc -l <build/grades/grades.csv)" -eq 301 ]
    tell grades_three_hundred

    grade 0 --only 's39*' --verbose
    must 'not all rows' [ "$(wc -l <build/grades/grades.csv)" -eq 301 ]
    part err '300 of 300  s399 (as before)'
    tell grades_only_some
}

# seed_of NAME: with what a submission was graded.
seed_of() {
    sed -n 's/.*"seed": \([0-9]*\).*/\1/p' "build/grades/reports/$1.json"
}

check_runs() {
    new_class
    hand_in in/s01/ex_total.c '4 of 7'
    hand_in in/s02/ex_total.c 8
    hand_in in/s02/ex_flight.c two
    grade 0 --seed 0
    first=$(seed_of s01)
    must 'one seed for all' [ "$first" = "$(seed_of s02)" ]
    part out "The seed was $first: "
    grade 0 --seed 0
    must 'another seed' [ "$first" != "$(seed_of s01)" ]
    absent out before
    second=$(seed_of s01)
    hand_in in/s01/ex_total.c '5 of 7'
    hand_in in/s02/ex_total.c 9
    grade 0 --seed 0 --only s01
    must 'the seed of the class' [ "$second" = "$(seed_of s01)" ]
    part build/grades/grades.csv 's01,s01,s01,,5,0,5,10,yes,'
    part build/grades/grades.csv \
        's02,s02,s02,,8,0,8,10,yes,"its files have changed, and it was not'
    grade 0 --seed "$second"
    part out '2 submissions, 1 graded before'
    tell draws_a_seed_for_each_run

    grade 0 --exercises 1
    line grades.csv 's02,s02,s02,,9,9,10,yes,'
    tr -d '\357\273\277\r' <build/grades/grades.csv | sed 1q >header
    part header 'late,01-one,total,'
    absent build/grades/manifest.csv ex_flight
    grade 0 --exercises 02,01-one
    part build/grades/grades.csv 'late,01-one,02-two,total,'
    part build/grades/manifest.csv ex_flight
    grade 1 --exercises 01,7
    must "said: $(cat err)" [ "$(cat err)" = \
        'build/class: EX=01,7: there is no exercise 7' ]
    tell grades_the_exercises_that_are_wanted

    TZ=UTC touch -t 202601021530.20 in/s01/ex_total.c
    grade 0
    sum=$(sha256sum in/s01/ex_total.c | sed 's/ .*//')
    line manifest.csv \
        "s01,s01,s01,01-one,$sum,7,ex_total.c,2026-01-02T15:30:20Z,files/s01/01-one/ex_total.c"
    must 'the file is kept' \
        cmp -s in/s01/ex_total.c build/grades/files/s01/01-one/ex_total.c
    line reports/s01.txt 'graded with course 1.5, seed 1, sandbox none'
    part build/grades/reports/s01.txt 'make check EX=01 TEST=1 SEED=1'
    tell keeps_evidence
}

make_folder
make_course
need_archives
check_sources
check_bulk
check_names
check_drivers
check_time
check_daemon
check_stops
check_course
check_isolation
check_runs
check_errors
check_many
finish
