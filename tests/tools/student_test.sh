#!/bin/sh
# student_test.sh - checks the tools of exercises/grader/tools on a small tree
#
#   sh student_test.sh
#
# The tree has exercises of its own, with solutions and teacher's documents,
# and a Makefile whose check says what it was asked for. Its folder has a
# blank in its name, as a reader's may have.
# shellcheck disable=SC2016 # commands of the tree are not expanded here
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
root=$tools/../..

# put FILE: a file of the tree, from standard input.
put() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

# command FILE: the same, and it can be run.
command_file() {
    put "$1"
    chmod +x "$1"
}

# add_exercise NAME FILE
add_exercise() {
    put "solutions/$1/$2.c" <<TEXT
int $2(void)
{
    /* begin solution */
    return 42;
    /* instead:
    return 0;
    */
    /* end solution */
}
TEXT
    sh exercises/grader/skeleton.sh <"solutions/$1/$2.c" |
        put "exercises/grader/skeletons/$1/$2.c"
    put "exercises/$1/$2.c" <"exercises/grader/skeletons/$1/$2.c"
    put "exercises/$1/hints.md" <<'TEXT'
# Hints

## 1

Who is asked?

## 2
Look at line 3.

It is short.

## 3
    return ...;
TEXT
}

make_tree() {
    mkdir -p exercises/grader
    cp "$root/exercises/grader/skeleton.sh" exercises/grader
    cp -R "$root/exercises/grader/tools" exercises/grader
    add_exercise 01-one ex_a
    add_exercise 02-two ex_b
    add_exercise 03-three ex_c
    printf 'check:\n\t@echo "checks EX=$(EX)"\n' | put Makefile
    echo 'int one;' | put lessons/01-one/main.c
    put .gitignore <<'TEXT'
build/
exercises/progress.txt
TEXT
    for name in docs/answers/01-one.md docs/grading.md docs/claims.md \
        tests/hostile/exit.c tests/graders/01-one/wrong.c .ci/run LICENSE \
        tools/vendor.sh; do
        echo "$name" | put "$name"
    done
    cp "$tools/deps.sh" "$tools/report.sh" .
    put tests/tools/deps.sh <deps.sh
    put tests/tools/report.sh <report.sh
    rm deps.sh report.sh
    put tests/tools/sanitizer.sh <<'TEXT'
case $TMPDIR in
build/*) echo env ;;
*) exit 1 ;;
esac
TEXT
    echo '# graders.sh' | put tests/tools/graders.sh
    printf '# a.sh - a check\n#\n# Not in a hand-out.\n' | put tests/tools/a.sh
}

solve() {
    sh exercises/grader/skeleton.sh --solution \
        <"solutions/$1/$2.c" >"exercises/$1/$2.c"
}

# run TOOL [NAME=VALUE ...] [ARGUMENT]: leaves its output in said, and status.
run() {
    tool=$1
    shift
    argument=
    while [ "$#" -gt 0 ]; do
        case $1 in
        --*) argument="$argument $1" ;;
        *=*) export "${1?}" ;;
        *) argument="$argument $1" ;;
        esac
        shift
    done
    # shellcheck disable=SC2086 # arguments are words
    sh "exercises/grader/tools/$tool.sh" $argument </dev/null \
        >"$folder/said" 2>&1
    status=$?
    unset EX TEST SEED FORCE FROM NAME UPTO DEBUGGER WATCH_ROUNDS LC_ALL
}

# same NAME FILE FILE
same() {
    if cmp -s "$2" "$3"; then
        ok "$1"
    else
        fail "$1" "$(diff "$2" "$3" 2>&1 | head -n 10)"
    fi
}

# Leaves a line for each file of the tree, but those of the build folder.
look() {
    find . -path ./build -prune -o -type f -exec cksum {} + |
        LC_ALL=C sort >"$folder/$1"
}

check_names() {
    for ex in 2 02 02-two; do
        run diff EX=$ex
        expect "ex_${ex}_is_02_two" 0 exercises/02-two/ex_b.c
    done
    for tool in hint reset diff solution debug; do
        run $tool
        expect "${tool}_wants_an_exercise" 2 'lines: 1' "make $tool EX=NN" \
            '01-one 02-two 03-three'
    done
    for ex in 9 0 '*' 2-t 02-twofold ../02-two; do
        run hint "EX=$ex"
        expect "ex_${ex}_is_no_exercise" 2 'lines: 1' "EX=$ex: " '01-one 02-two'
    done
    for tool in hint reset diff solution debug watch progress handin handout \
        update; do
        run $tool 02
        expect "${tool}_takes_no_words" 2 'lines: 1' 02
    done
    (cd exercises && sh grader/tools/hint.sh) >"$folder/said" 2>&1
    status=$?
    expect knows_the_root_of_the_course 2 'lines: 1' 'at the root'
}

check_hints() {
    echo 'colour blue' >exercises/progress.txt
    echo '01-one.best 3/10' >>exercises/progress.txt
    run hint EX=02 LC_ALL=C.UTF-8
    expect shows_the_first_hint 0 '02-two · hint 1 of 3' 'Who is asked?' \
        'There are two more: make hint EX=02' 'not: line 3' 'not: #'
    run hint EX=02 LC_ALL=C
    expect shows_the_second_hint 0 '02-two - hint 2 of 3' 'Look at line 3.' \
        'It is short.' 'There is one more' 'not: asked' 'not: return'
    run hint EX=02
    expect shows_the_third_hint 0 '    return ...;' 'This was the last one.'
    run hint EX=02
    expect shows_all_hints_in_the_end 0 'asked?' 'line 3' 'return ...' 'no more'
    cp exercises/progress.txt "$folder/said"
    expect keeps_other_lines_of_the_state 0 'lines: 3' 'colour blue' \
        '01-one.best 3/10' '02-two.hints 3'
    echo '02-two.hints -7' >exercises/progress.txt
    run hint EX=02
    expect takes_no_count_for_none 0 'hint 1 of 3'
    sed '/^## 3/d' exercises/03-three/hints.md >"$folder/hints"
    cp "$folder/hints" exercises/03-three/hints.md
    echo '03-three.hints 2' >exercises/progress.txt
    run hint EX=03
    expect names_a_hint_that_is_missing 1 'lines: 1' hints.md '## 3'
    rm exercises/progress.txt
}

check_progress() {
    run progress
    expect progress_of_who_begins 0 'not started' '0/30' 'Next: read' \
        'exercises/01-one/README.md' 'make check EX=01'
    solve 01-one ex_a
    echo 'int broken;' >>exercises/02-two/ex_b.c
    rm exercises/03-three/ex_c.c
    mkdir -p build
    : >build/results.json
    touch -t 200001010000 exercises/01-one/ex_a.c
    cat >exercises/progress.txt <<'TEXT'
01-one.points 10/10
01-one.best 10/10
02-two.points 4/10
02-two.best 7/10
02-two.hints 1
TEXT
    touch -t 203001010000 exercises/02-two/ex_b.c
    run progress LC_ALL=C
    expect progress_of_who_is_in_it 0 '01-one                 ##########' \
        'full' '02-two                 #######...     7/10      1  changed' \
        missing 'together               #####.....    17/30' \
        'Next: make check EX=02'
    touch -t 200001010000 exercises/02-two/ex_b.c
    run progress LC_ALL=C.utf8
    expect progress_in_work 0 '███████░░░' 'in work' 'make hint EX=02'
    echo '02-two.points 10/10' >exercises/progress.txt
    run progress
    expect progress_not_checked 0 'not checked yet' 'Next: make check EX=01'
    echo '01-one.best 10/10' >exercises/progress.txt
    cp exercises/01-one/ex_a.c "$folder/solved.c"
    run reset EX=01
    run progress LC_ALL=C
    expect progress_after_a_reset 0 \
        '01-one                 ..........     0/10      0  not started; was 10/10' \
        'together               ..........     0/30'
    cp "$folder/solved.c" exercises/01-one/ex_a.c
    rm exercises/01-one/ex_a.c.1
    touch -t 200001010000 exercises/01-one/ex_a.c
    echo '02-two.points 10/10' >exercises/progress.txt
    run reset EX=3
    expect reset_brings_a_missing_file 0 'is the skeleton again' \
        'file: exercises/03-three/ex_c.c' 'none: exercises/03-three/ex_c.c.1'
    for name in 01-one 02-two 03-three; do
        echo "$name.points 10/10"
        echo "$name.best 10/10"
    done >exercises/progress.txt
    echo 'int c;' >exercises/03-three/ex_c.c
    touch -t 200001010000 exercises/03-three/ex_c.c
    run progress
    expect progress_of_who_is_done 0 '30/30' 'Next: everything is full'
    rm -r build exercises/progress.txt
}

check_reset_and_diff() {
    echo 'int first;' >exercises/02-two/ex_b.c
    echo 'int mine;' >exercises/02-two/ex_b.c.2
    run diff EX=02
    expect diff_shows_what_changed 0 '+int first;' '-int ex_b(void)' \
        '--- exercises/grader/skeletons/02-two/ex_b.c' \
        '+++ exercises/02-two/ex_b.c'
    run reset EX=02
    expect reset_says_the_name_of_the_copy 0 exercises/02-two/ex_b.c.1
    same reset_puts_the_skeleton_back exercises/02-two/ex_b.c \
        exercises/grader/skeletons/02-two/ex_b.c
    echo 'int second;' >exercises/02-two/ex_b.c
    run reset EX=02
    cat exercises/02-two/ex_b.c.[123] >"$folder/said"
    expect reset_never_overwrites_a_copy 0 'lines: 3' 'int first;' \
        'int mine;' 'int second;'
    run reset EX=02
    expect reset_of_a_skeleton_keeps_nothing 0 'already' \
        'none: exercises/02-two/ex_b.c.4'
    run diff EX=02
    expect diff_of_a_skeleton 0 'untouched' 'not: int'
    rm exercises/02-two/ex_b.c
    run diff EX=02
    expect diff_of_nothing 1 'lines: 1' 'make reset EX=02'
    run reset EX=02
    rm exercises/02-two/ex_b.c.[123]
}

check_solution() {
    run solution EX=02
    expect solution_is_for_who_solved_it 1 'lines: 1' 'FORCE=1' 'not: 42'
    echo '02-two.best 9/10' >exercises/progress.txt
    run solution EX=02
    expect solution_is_not_for_nearly 1 'lines: 1' '9/10' 'not: 42'
    run solution EX=02 FORCE=1
    expect solution_can_be_forced 0 'return 42;' 'not: solution' 'not: instead' \
        'not: return 0'
    run solution EX=02 FORCE=yes
    expect solution_names_a_bad_force 2 'lines: 1' 'FORCE=yes' 'FORCE=1'
    echo '02-two.best 10/10' >exercises/progress.txt
    run solution EX=02
    expect solution_of_who_solved_it 0 'return 42;'
    mv solutions "$folder/solutions"
    run solution EX=02 FORCE=1
    expect solution_in_a_hand_out 1 'lines: 1' hand-out
    mv "$folder/solutions" solutions
    rm exercises/progress.txt
}

check_debug() {
    run debug EX=02
    expect debug_wants_a_program 1 'lines: 1' 'make check EX=02 first'
    command_file build/check/02-two/plain/check <<'TEXT'
#!/bin/sh
printf '1\tfirst_one\t5\t20\t1\t1\t0\tex_b\tthe first one\n'
printf '2\tsecond_one\t5\t20\t1\t1\t0\t-\tthe second one\n'
TEXT
    command_file debugger <<'TEXT'
#!/bin/sh
echo "debugs $* with seed ${TEST_SEED:-none}"
TEXT
    cp debugger lldb-14
    run debug EX=02 DEBUGGER=./debugger
    expect debug_runs_the_first_test 0 \
        'debugs --args build/check/02-two/plain/check --run first_one with' \
        'seed none'
    run debug EX=2 TEST=02 SEED=41 DEBUGGER='./lldb-14 -x'
    expect debug_runs_a_test_with_a_seed 0 \
        '-x -- build/check/02-two/plain/check --run second_one with seed 41'
    run debug EX=02 TEST=3 DEBUGGER=./debugger
    expect debug_names_the_tests_that_are 2 'lines: 1' 'TEST=3' '1 to 2'
    run debug EX=02 TEST=first DEBUGGER=./debugger
    expect debug_wants_a_number 2 'lines: 1' TEST=first TEST=3
    run debug EX=02 SEED=-1 DEBUGGER=./debugger
    expect debug_wants_a_seed 2 'lines: 1' SEED=-1 SEED=41
    run debug EX=02 DEBUGGER=./nothing
    expect debug_wants_a_debugger_that_is 2 'lines: 1' DEBUGGER=./nothing gdb
    find build -name 'debug.*' >"$folder/said"
    expect debug_leaves_nothing 2 'lines: 0'
    rm -r build debugger lldb-14
}

# begin_watch COMMAND ...: comes back when watch.sh, run by the command, watches;
# its further output comes from descriptor 3.
begin_watch() {
    "$@" sh exercises/grader/tools/watch.sh </dev/null >"$folder/pipe" \
        2>&1 &
    watcher=$!
    exec 3<"$folder/pipe"
    read -r watching <&3
}

end_watch() {
    cat <&3 >"$folder/said"
    wait "$watcher"
    status=$?
    exec 3<&-
}

check_watch() {
    mkfifo "$folder/pipe"
    limited="$tools/limit.sh"
    begin_watch sh "$limited" 20 env WATCH_ROUNDS=1
    # Its time says nothing: the clock of a shared drive may be behind.
    echo 'int saved;' >>exercises/02-two/ex_b.c
    touch -t 200001010000 exercises/02-two/ex_b.c
    end_watch
    expect watch_grades_what_was_saved 0 'lines: 1' 'checks EX=02-two'
    echo "$watching" >"$folder/said"
    expect watch_says_what_it_watches 0 'Watching 01-one 02-two 03-three'
    begin_watch sh "$limited" 20 env EX=03 WATCH_ROUNDS=2
    cp exercises/02-two/ex_b.c exercises/03-three/ex_c.c
    read -r line <&3
    read -r line <&3
    echo 'int again;' >exercises/01-one/ex_a.c
    echo 'int again;' >exercises/03-three/ex_c.c
    end_watch
    echo "$line" >>"$folder/said"
    expect watch_keeps_to_its_exercise 0 'lines: 2' 'checks EX=03-three' \
        'not: 01-one'
    begin_watch env
    kill -TERM "$watcher"
    end_watch
    expect watch_ends_when_asked 0 'lines: 0'
    find build -name 'watch.*' >"$folder/said"
    expect watch_leaves_nothing 0 'lines: 0'
    run watch WATCH_ROUNDS=x
    expect watch_wants_a_number 2 'lines: 1' WATCH_ROUNDS=x
    for ex in 1 2 3; do
        run reset EX=$ex
    done
    rm exercises/*/ex_*.c.1
}

# The machine of the doctor: a folder of commands before all others.
make_machine() {
    command_file "$folder/bin/df" <<'TEXT'
#!/bin/sh
echo 'Filesystem Type 1024-blocks Used Available Capacity Mounted on'
case $* in
*-T*) echo "/dev/x ${FS:-ext4} 9000000 1000 8000000 1% /" ;;
*) echo "/dev/x 9000000 1000 ${SPACE:-8000000} 1% /" ;;
esac
TEXT
    command_file "$folder/bin/pkg-config" <<'TEXT'
#!/bin/sh
[ "${UV:-}" != none ] || exit 1
case $1:$2 in
--modversion:libuv) echo "${UV:-1.44.2}" ;;
--modversion:*) echo 3.40.1 ;;
esac
TEXT
    echo "test \"\$*\" = --version || exit \${BWRAP:-0}
echo bubblewrap 0.8.0" | command_file "$folder/bin/bwrap"
    echo 'echo Linux' | command_file "$folder/bin/uname"
    echo 'echo gdb 13.1' | command_file "$folder/bin/gdb"
    command_file "$folder/bin/fake-cc" <<'TEXT'
#!/bin/sh
if [ "$1" = --version ]; then
    echo 'fake-cc 1.0'
    exit
fi
while [ "$1" != -o ]; do
    shift
done
printf '#!/bin/sh\necho %s\n' "${SYNC:-1900}" >"$2"
chmod +x "$2"
TEXT
}

# doctor [NAME=VALUE ...]: what it says on that machine, whose compiler makes
# programs that print how long a sync took.
doctor() {
    env PATH="$folder/bin:$PATH" LC_ALL=C.UTF-8 CC=fake-cc HOME="$folder" "$@" \
        sh exercises/grader/tools/doctor.sh --json build/doctor.json \
        </dev/null >"$folder/said" 2>&1
    status=$?
}

check_doctor() {
    make_machine
    look before
    doctor CC="${CC:-cc}"
    expect doctor_of_a_healthy_machine 0 'ok    libuv        1.44.2 (1.40' \
        'ok    races        starts' 'ok    sandbox' 'ok    terminal' \
        'build is on ext4' 'This machine is fit' 'not: BAD'
    look after
    same doctor_writes_only_in_build "$folder/before" "$folder/after"
    find build -type f >"$folder/said"
    expect doctor_leaves_nothing_else 0 'lines: 1' build/doctor.json
    cp build/doctor.json "$folder/said"
    expect doctor_for_machines 0 '"healthy": true' '{"name": "sandbox", "result"'
    doctor FS=fuse.sshfs
    expect doctor_finds_a_network_drive 1 'BAD   file system' fuse.sshfs \
        'make BUILD=' '1 bad'
    cp build/doctor.json "$folder/said"
    expect doctor_says_so_to_machines 1 '"healthy": false' '"result": "BAD"'
    doctor FS=9p
    expect doctor_finds_a_drive_of_windows 1 'BAD   file system' 9p
    doctor UV=1.34.2
    expect doctor_finds_an_old_library 1 'BAD   libuv' '1.34.2, 1.40 or later'
    doctor UV=none
    expect doctor_finds_no_library 1 'BAD   libuv' 'BAD   sqlite3' '2 bad' \
        'Missing: libuv, sqlite3.'
    doctor SPACE=1000
    expect doctor_finds_a_full_disk 1 'BAD   disk space' 'MiB are free'
    doctor SYNC=60000
    expect doctor_notes_a_slow_disk 0 'note  sync         60.00 ms' slow
    doctor SYNC=3
    expect doctor_notes_a_disk_that_is_memory 0 'note  sync         0.00 ms'
    doctor BWRAP=1 LC_ALL=C
    expect doctor_only_notes_what_is_optional 0 'note  sandbox' 'note  terminal'
    doctor CC=no-such-compiler
    expect doctor_finds_no_compiler 1 'BAD   compiler' no-such-compiler CC=
    echo 'echo GNU Make 3.80' | command_file "$folder/bin/old-make"
    doctor MAKE=old-make
    expect doctor_finds_an_old_make 1 'BAD   make' '3.80, 3.81 or later'
    cp tests/tools/sanitizer.sh "$folder/sanitizer.sh"
    printf 'echo "SAN=$SAN: it cannot \\"start\\"" >&2\nexit 1\n' |
        put tests/tools/sanitizer.sh
    doctor
    expect doctor_finds_a_sanitizer_that_does_not_start 1 'BAD   races' \
        'SAN=thread: it cannot'
    cp build/doctor.json "$folder/said"
    expect doctor_quotes_for_machines 1 'it cannot \"start\"'
    cp "$folder/sanitizer.sh" tests/tools/sanitizer.sh
    touch -t 203901010000 lessons/01-one/main.c
    doctor
    expect doctor_finds_files_of_the_future 0 'note  clock' lessons/01-one/main.c
    touch lessons/01-one/main.c
    doctor BUILD=Makefile/x
    expect doctor_needs_a_folder 1 'lines: 1' 'Makefile/x cannot be written' \
        'make BUILD=/tmp/'
    run doctor --json
    expect doctor_wants_a_file 2 'lines: 1' '--json'
    run doctor now
    expect doctor_takes_no_words 2 'lines: 1' now
    rm -r build
}

# The new version, in a folder new: another Makefile, one file more, one less,
# and another skeleton of 02 and 03.
make_new_version() {
    rm -rf "$folder/new"
    mkdir "$folder/new"
    cp -R . "$folder/new/course-2"
    (
        cd "$folder/new/course-2" || exit
        rm -rf build solutions .git exercises/progress.txt docs/claims.md
        printf 'check:\n\t@echo new\n' >Makefile
        echo 'new' >lessons/01-one/more.c
        echo 2.0 >VERSION
        for name in 02-two/ex_b 03-three/ex_c; do
            echo '/* new */' >>exercises/grader/skeletons/$name.c
            cp exercises/grader/skeletons/$name.c exercises/$name.c
        done
        echo '01-one.best 1/10' >exercises/progress.txt
    )
}

# The student wrote in 01 and 02.
be_student() {
    rm -rf "$folder/student tree"
    cp -R . "$folder/student tree"
    cd "$folder/student tree" || exit
    echo 'int mine;' >>exercises/01-one/ex_a.c
    echo 'int mine;' >>exercises/02-two/ex_b.c
    echo '01-one.best 7/10' >exercises/progress.txt
}

# try_update NAME FROM: the update does what it should, and changes nothing when
# done again.
try_update() (
    failed=0
    be_student
    run update "FROM=$2"
    what=$status
    cat Makefile VERSION lessons/01-one/more.c exercises/0*/ex_*.c \
        exercises/progress.txt >>"$folder/said"
    grep -c mine exercises/0?-*/ex_*.c >>"$folder/said"
    status=$what
    expect "$1" 0 'exercises/02-two/ex_b.c is yours' ex_b.c.new '@echo new' \
        'This is 2.0 now' '01-one.best 7/10' 'ex_a.c:1' 'ex_b.c:1' 'ex_c.c:0' \
        'file: docs/claims.md' 'none: exercises/01-one/ex_a.c.new'
    [ "$failed" = 0 ] &&
        cmp exercises/02-two/ex_b.c.new "$folder/new/course-2/exercises/02-two/ex_b.c" &&
        cmp exercises/03-three/ex_c.c "$folder/new/course-2/exercises/03-three/ex_c.c" &&
        ! find . -name '*.update' | grep . &&
        run update "FROM=$2" && grep ' 0 new files, 2 of yours kept' "$folder/said"
)

# A student has changed a lesson, which the new version changes as well or not.
check_update_of_lessons() {
    (
        failed=0
        be_student
        printf 'int one;\n' >lessons/01-one/two.c
        sh -c '. exercises/grader/tools/course.sh; sums .' >"$folder/sums"
        cp "$folder/sums" SUMS
        echo 'int mine;' >lessons/01-one/main.c
        echo 'int new;' >"$folder/new/course-2/lessons/01-one/main.c"
        echo 'int new;' >"$folder/new/course-2/lessons/01-one/two.c"
        run update "FROM=$folder/new/course-2"
        cat lessons/01-one/main.c lessons/01-one/main.c.yours >>"$folder/said"
        expect update_keeps_a_changed_lesson 0 \
            'lessons/01-one/main.c was changed by you: your copy is main.c.yours' \
            'int mine;' 'int new;' 'not: two.c' 'none: lessons/01-one/two.c.yours'
        echo 'int again;' >lessons/01-one/main.c
        run update "FROM=$folder/new/course-2"
        cat lessons/01-one/main.c.yours lessons/01-one/main.c.yours.2 \
            >>"$folder/said"
        expect update_keeps_each_change 0 'main.c.yours.2' 'int mine;' \
            'int again;' 'none: lessons/01-one/main.c.yours.3'
        # Without SUMS the time tells.
        rm SUMS lessons/01-one/main.c.yours*
        touch -t 202001010000 VERSION lessons/01-one/*.c
        echo 'int third;' >lessons/01-one/main.c
        echo 'int newest;' >"$folder/new/course-2/lessons/01-one/two.c"
        run update "FROM=$folder/new/course-2"
        expect update_without_sums_goes_by_time 0 'main.c was changed by you' \
            'file: SUMS' 'none: lessons/01-one/two.c.yours'
        exit "$failed"
    ) >"$folder/result" 2>&1
    lost=$?
    cat "$folder/result"
    passed=$((passed + 3 - lost))
    failed=$((failed + lost))
}

# refuse_update NAME FROM [TEXT ...]: one line, and nothing changes.
refuse_update() {
    name=$1
    from=$2
    shift 2
    look before
    run update "FROM=$from"
    expect "$name" 2 'lines: 1' "FROM=$from" "$@"
    look after
    same "${name}_and_changes_nothing" "$folder/before" "$folder/after"
}

# The result of a test in a subshell is counted here.
count_update() {
    if try_update "$@" >"$folder/result" 2>&1; then
        ok "$1"
    else
        fail "$1" "$(cat "$folder/result" "$folder/said")"
    fi
}

check_update() {
    make_new_version
    (
        cd "$folder/new" || exit
        tar -c -f ../top.tar course-2
        gzip -c ../top.tar >../top.tar.gz
        cd course-2 || exit
        tar -c -f ../../flat.tar .
        ! type zip >/dev/null 2>&1 || zip -q -r ../../flat.zip .
    )
    count_update update_from_a_folder "$folder/new/course-2"
    count_update update_from_an_archive "$folder/top.tar.gz"
    count_update update_from_an_archive_without_a_top "$folder/flat.tar"
    if [ -f "$folder/flat.zip" ] && type unzip >/dev/null 2>&1; then
        count_update update_from_a_zip "$folder/flat.zip"
    else
        not_checked update_from_a_zip 'there is no zip here'
    fi

    check_update_of_lessons
    run update
    expect update_wants_a_version 2 'lines: 1' FROM=
    refuse_update update_names_what_is_not_there "$folder/nothing" 'no such'
    refuse_update update_refuses_the_course_itself . itself
    refuse_update update_refuses_another_folder lessons 'no Makefile'
    echo text >"$folder/broken.tar.gz"
    refuse_update update_refuses_a_broken_archive "$folder/broken.tar.gz" read
    refuse_update update_refuses_another_file Makefile 'not an archive'
    ln -s /etc "$folder/new/course-2/lessons/link"
    tar -c -f "$folder/link.tar" -C "$folder/new" course-2
    refuse_update update_refuses_links "$folder/link.tar" links
    rm "$folder/new/course-2/lessons/link"
    (
        cd "$folder/new/course-2" || exit
        echo out >../outside
        tar -P -c -f "$folder/outside.tar" . ../outside
    )
    refuse_update update_refuses_a_way_out "$folder/outside.tar" 'names files'
    find build -name 'update.*' >"$folder/said"
    expect update_leaves_nothing 2 'lines: 0'
    rm -r build
}

check_handin() {
    solve 01-one ex_a
    mkdir -p build
    echo '{"state": "complete"}' >build/results.json
    touch -t 200001010000 exercises/*/ex_*.c
    echo 1.5 >VERSION
    run handin NAME='Zoë S.'
    expect handin_says_what_is_in_it 0 exercises/01-one/ex_a.c \
        'exercises/02-two/ex_b.c  (not started)' build/results.json 1.5 \
        'Zoë S.' 'not: make check'
    rm -rf handin
    tar -x -z -f build/handin.tar.gz
    (cd handin && find . -type f | LC_ALL=C sort) >"$folder/said"
    cat handin/NAME handin/VERSION >>"$folder/said"
    expect handin_holds_the_files 0 'lines: 8' ./01-one/ex_a.c ./02-two/ex_b.c \
        ./results.json ./VERSION ./NAME 'Zoë S.' 1.5
    same handin_holds_what_was_written handin/01-one/ex_a.c \
        exercises/01-one/ex_a.c
    # The name of the owner stands at byte 265 of an archive.
    gzip -d -c build/handin.tar.gz | dd bs=1 skip=265 count=32 2>/dev/null |
        tr -d '\000' >"$folder/said"
    expect handin_does_not_say_who_packed_it 0 'lines: 0'
    rm -r handin
    touch -t 203001010000 exercises/01-one/ex_a.c
    run handin
    expect handin_warns_of_old_results 0 'changed since' 'run make check first'
    echo '{"state": "incomplete"}' >build/results.json
    touch -t 200001010000 exercises/01-one/ex_a.c
    run handin
    expect handin_warns_of_half_a_check 0 'not come to its end' 'run make check'
    rm build/results.json VERSION
    run handin
    expect handin_warns_of_no_results 0 'no results' 'run make check first'
    run handin NAME='a
b'
    expect handin_wants_one_line 2 'lines: 1' NAME
    rm -r build
    cp exercises/grader/skeletons/01-one/ex_a.c exercises/01-one/ex_a.c
}

# Unpacks the hand-out, whose name is $1, and leaves the names in said.
unpack_handout() {
    rm -rf "$folder/out"
    mkdir "$folder/out"
    tar -x -z -f "build/handout/$1.tar.gz" -C "$folder/out"
    (cd "$folder/out" && find . -type f) >"$folder/said"
}

expect_handout() {
    expect "$1" 0 "/$2/Makefile" "/$2/VERSION" "/$2/.gitignore" "/$2/LICENSE" \
        "/$2/tools/vendor.sh" \
        /lessons/01-one/main.c /exercises/01-one/ex_a.c \
        /exercises/grader/skeletons/02-two/ex_b.c /docs/claims.md \
        /tests/tools/deps.sh /tools/handout.sh 'not: /solutions/' \
        'not: /answers/' 'not: /hostile/' 'not: /graders' 'not: grading.md' \
        'not: /.ci/' 'not: /.git/' 'not: /tools/a.sh' 'not: progress.txt' \
        'not: ex_a.c.1' 'not: /build/'
}

check_handout_pages() {
    echo 1.5 >VERSION
    mkdir -p docs lessons/02-two tests bench
    cat >README.md <<'TEXT'
Read [grading](docs/grading.md) and [the
claims](docs/claims.md), [the web](https://localhost/x.md), [the
teacher](docs/grading.md#x).

| lesson | |
|---|---|
| [01-one](lessons/01-one/) | one |
| [02-two](lessons/02-two/) | two |
| `make claims L=02` | two |

```
callback[n](argument.c)
```

## Two

```
$ build/02-two
```
Second.

## Last
TEXT
    echo 'see [home](../README.md), [gone](gone.md)' >docs/claims.md
    echo 'int two;' >lessons/02-two/two.h
    echo '#include "02-two/two.h"' >tests/two_fixture.h
    echo '#include "two_fixture.h"' >tests/test_two.c
    echo 'int test_one;' >tests/test_one.c
    run handout
    unpack_handout async-db-1.5
    cat "$folder/out/async-db-1.5/README.md" \
        "$folder/out/async-db-1.5/docs/claims.md" >"$folder/said"
    expect handout_has_no_dead_link 0 'Read grading and [the' \
        'claims](docs/claims.md)' '[the web](https' 'teacher.' \
        'not: grading.md' 'callback[n](argument.c)' 'see [home](../README.md), gone' \
        '[02-two](lessons/02-two/)' Second
    run handout UPTO=01
    expect handout_can_end_at_a_lesson 0 async-db-1.5-upto-01.tar.gz
    unpack_handout async-db-1.5-upto-01
    cat "$folder/out/async-db-1.5-upto-01/README.md" >>"$folder/said"
    expect handout_ends_there 0 lessons/01-one/main.c tests/test_one.c \
        '| [01-one]' 'not: 02-two' 'not: 03-three' 'not: test_two.c' \
        'not: two_fixture.h' 'not: L=02' /SUMS '## Last' 'not: Second'
    run handout UPTO=4
    expect handout_wants_two_digits 2 'lines: 1' UPTO=4 UPTO=04
    run handout UPTO=77
    expect handout_wants_a_lesson_that_is 2 'lines: 1' UPTO=77
    rm -r VERSION README.md lessons/02-two tests/two_fixture.h tests/test_*.c \
        bench build
    echo docs/claims.md >docs/claims.md
}

# What is not to be handed out, also where there is no git.
check_handout() {
    echo 'int teacher;' >>exercises/01-one/ex_a.c
    cp exercises/01-one/ex_a.c exercises/01-one/ex_a.c.1
    echo '01-one.best 7/10' >exercises/progress.txt
    run handout
    expect handout_wants_a_version 1 'lines: 1' VERSION
    echo 1.5 >VERSION
    run handout
    expect handout_without_git 0 build/handout/async-db-1.5.tar.gz
    unpack_handout async-db-1.5
    expect_handout handout_without_git_holds async-db-1.5
    same handout_holds_skeletons "$folder/out/async-db-1.5/exercises/01-one/ex_a.c" \
        exercises/grader/skeletons/01-one/ex_a.c
    same handout_says_its_version "$folder/out/async-db-1.5/VERSION" VERSION
    rm VERSION exercises/01-one/ex_a.c.1 exercises/progress.txt
    cp solutions/02-two/ex_b.c exercises/grader/skeletons/02-two/ex_b.c
    echo 1.5 >VERSION
    run handout
    expect handout_holds_no_solution_as_skeleton 1 'lines: 1' \
        skeletons/02-two/ex_b.c
    run reset EX=1
    rm VERSION exercises/01-one/ex_a.c.1
    sh exercises/grader/skeleton.sh <solutions/02-two/ex_b.c \
        >exercises/grader/skeletons/02-two/ex_b.c
}

git_here() {
    git -c user.name=s01 -c user.email=s01@localhost -c init.defaultBranch=main \
        -c commit.gpgsign=false -c tag.gpgsign=false "$@" >/dev/null 2>&1
}

check_handout_of_git() {
    if ! type git >/dev/null 2>&1; then
        not_checked handout_of_git 'there is no git'
        return
    fi
    git_here init && git_here add -A && git_here commit -m one &&
        git_here tag v2
    run handout
    expect handout_of_a_tag 0 build/handout/async-db-v2.tar.gz 'not: Note'
    mv build/handout/async-db-v2.tar.gz "$folder/first.tar.gz"
    find . -type f -exec touch {} +
    run handout
    same handout_has_the_same_bytes_again "$folder/first.tar.gz" \
        build/handout/async-db-v2.tar.gz
    echo 'not tracked' >notes.txt
    echo 'int teacher;' >>exercises/01-one/ex_a.c
    run handout
    expect handout_says_that_it_is_dirty 0 async-db-v2-dirty.tar.gz 'Note: '
    unpack_handout async-db-v2-dirty
    expect_handout handout_of_git_holds async-db-v2-dirty
    expect handout_holds_what_is_tracked 0 'not: notes.txt'
    same handout_of_git_holds_skeletons \
        "$folder/out/async-db-v2-dirty/exercises/01-one/ex_a.c" \
        exercises/grader/skeletons/01-one/ex_a.c
    # A hand-out is a course: its tools work, and it can be handed on.
    cd "$folder/out/async-db-v2-dirty" || exit
    run solution EX=01 FORCE=1
    expect handout_has_no_solutions 1 'lines: 1' hand-out
    run handout
    expect handout_of_a_handout 0 async-db-v2-dirty.tar.gz
    find build -type f >"$folder/said"
    expect handout_leaves_nothing_else 0 'lines: 1'
}

make_folder
said=$folder/said
mkdir "$folder/small tree"
cd "$folder/small tree" || exit 1
export BUILD=build
unset EX TEST SEED FORCE FROM NAME DEBUGGER WATCH_ROUNDS LC_ALL
make_tree
check_names
check_hints
check_progress
check_reset_and_diff
check_solution
check_debug
check_watch
check_doctor
check_update
check_handin
check_handout
check_handout_pages
check_handout_of_git
finish
