# class_fixture.sh - small classes for the checks of build/class
#
# Read by `. class_fixture.sh`, after tools was set. Needs build/class in
# $ASQ_BIN. The driver is a script here, so that the verdicts are known: what
# is written in the first line of ex_total.c says how many points there are,
# or how the driver goes wrong.
# shellcheck shell=sh

# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
class=$ASQ_BIN/class
export LC_ALL=C

make_course() {
    mkdir -p "$folder/course/exercises/01-one" \
        "$folder/course/exercises/02-two" "$folder/course/build"
    cd "$folder/course" || exit
    : >exercises/01-one/ex_total.c
    : >exercises/02-two/ex_flight.c
    echo tests >build/libgrader.a
    cat >build/grader <<'TEXT'
#!/bin/sh
# The fake driver: see class_test.sh.
[ "$1$3$5$7$9" = --from--work--results--state--jobs ] && [ "$8" = none ] ||
    exit 2
from=$2
results=$6
seed=${13}
word=0 more=
[ ! -f "$from/01-one/ex_total.c" ] ||
    read -r word more <"$from/01-one/ex_total.c"
echo "$from" >>build/graded
# put STATE POINTS VERDICT MESSAGE
put() {
    printf '%s' "{\"version\": 1, \"sandbox\": \"none\", \"seed\": $seed,
\"course\": \"1.5\", \"state\": \"$1\", \"points\": $2,
\"max\": 10, \"exercises\": [{\"exercise\": \"01-one\", \"points\": $2,
\"max\": 10, \"verdict\": \"graded\", \"message\": \"\", \"tests\": [
{\"exercise\": \"01-one\", \"test\": 1, \"title\": \"it adds\",
\"points\": $2, \"max\": 10, \"verdict\": \"$3\", \"message\": \"$4\",
\"look_at\": \"exercises/01-one/ex_total.c:5\", \"hidden\": false}]}]}" \
        >"$results.new"
    mv "$results.new" "$results"
}
case $word in
hang)
    put incomplete 3 'wrong answer' ''
    : >build/hangs
    exec sleep 600
    ;;
wait)
    # Until somebody makes build/go on, with a full test's results.
    : >"build/waits.$more"
    until [ -f build/go ]; do sleep 0.05; done
    put complete 10 passed ''
    ;;
die)
    put incomplete 9 passed ''
    kill -KILL $$
    ;;
garbage) echo '{nope' >"$results" ;;
forged) put complete 4000 passed '' ;;
status3)
    echo "the disk is full"
    exit 3
    ;;
flood)
    put complete 1 'wrong answer' 'a flood'
    head -c 3000000 /dev/zero
    exit 1
    ;;
path) put complete 0 "wrong answer" "look at $from/01-one/x.c" ;;
daemon)
    put complete 2 'left something running' ''
    # Under the shell that ends at once it is nobody's child.
    (setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >build/daemon)
    exit 1
    ;;
broken)
    # An exercise that does not compile, beside one with a hidden test.
    printf '%s' "{\"version\": 1, \"seed\": $seed, \"sandbox\": \"none\",
\"state\": \"complete\", \"exercises\": [{\"exercise\": \"01-one\",
\"points\": 0, \"max\": 10, \"verdict\": \"does not compile\",
\"message\": \"expected ';' <here> & \\\"there\\\"\",
\"look_at\": \"exercises/01-one/ex_total.c:12\", \"tests\": []},
{\"exercise\": \"02-two\", \"points\": 2, \"max\": 10, \"verdict\": \"graded\",
\"message\": \"\", \"tests\": [
{\"test\": 1, \"exercise\": \"02-two\", \"title\": \"it flies\", \"points\": 2,
\"max\": 2, \"verdict\": \"passed\", \"message\": \"\", \"hidden\": false},
{\"test\": 2, \"exercise\": \"02-two\", \"title\": \"it lands\", \"points\": 0,
\"max\": 3, \"verdict\": \"crashed\", \"message\": \"SIGSEGV\",
\"look_at\": \"exercises/02-two/ex_flight.c:7\", \"hidden\": false},
{\"test\": 3, \"exercise\": \"02-two\", \"title\": \"again\", \"points\": 0,
\"max\": 1, \"verdict\": \"skipped\", \"message\": \"first make test 2 pass\",
\"hidden\": false},
{\"test\": 4, \"exercise\": \"02-two\", \"title\": \"secretly\", \"points\": 0,
\"max\": 4, \"verdict\": \"wrong answer\", \"message\": \"the secret is 42\",
\"hidden\": true}]}]}" >"$results"
    exit 1
    ;;
does)
    # What a test could do without a sandbox.
    put complete 5 'wrong answer' ''
    eval "$more"
    exit 1
    ;;
lock)
    put complete 5 'wrong answer' ''
    mkdir -p "$4/deep/er"
    : >"$4/deep/er/file"
    chmod 0 "$4/deep"
    exit 1
    ;;
overwrite)
    put complete 10 passed ''
    echo mine >build/libgrader.a
    ;;
*)
    put complete "$word" 'wrong answer' "expected 7; got $more"
    [ "$word" = 10 ] || exit 1
    ;;
esac
exit 0
TEXT
    chmod +x build/grader
    # A sandbox that works: none of these drivers needs a real one.
    mkdir -p bin
    printf '#!/bin/sh\nexit "${BWRAP:-0}"\n' >bin/bwrap
    chmod +x bin/bwrap
    PATH=$folder/course/bin:$PATH
    export PATH
}

# hand_in FILE WORDS: the file of the first exercise with these words.
hand_in() {
    mkdir -p "$(dirname "$1")"
    echo "$2" >"$1"
}

# Starts with no submissions and no results.
new_class() {
    chmod -R u+rwx build in in2 2>/dev/null
    rm -rf in in2 build/grades* build/graded build/waits.* build/go build/hangs
    mkdir in
}

# grade STATUS [ARGUMENT ...]
grade() {
    want=$1
    shift
    echo "$*" | grep -q -e --seed || set -- --seed 1 "$@"
    # A test of the seed gives 0: it is drawn.
    # Nothing that is graded here takes a minute.
    sh "$tools/limit.sh" 60 "$class" --submissions in --grader build/grader \
        --out build/grades "$@" >out 2>err
    status=$?
    wrong=
    [ "$status" = "$want" ] || wrong="status $status, expected $want
$(cat out err)"
}

# line FILE TEXT: the file must have this line.
line() {
    tr -d '\r' <"build/grades/$1" >"$folder/lines" 2>/dev/null
    grep -qxF -e "$2" "$folder/lines" || wrong="$wrong
$1 has no line: $2
$(tail -n 12 "$folder/lines")"
}

# part FILE TEXT: the file must hold it; absent FILE TEXT: it must not.
part() {
    grep -qF -e "$2" "$1" 2>/dev/null || wrong="$wrong
$1 does not say: $2
$(tail -n 12 "$1" 2>&1)"
}
absent() {
    ! grep -qF -e "$2" "$1" || wrong="$wrong
$1 should not say: $2"
}
# must WHAT COMMAND ...
must() {
    what=$1
    shift
    "$@" || wrong="$wrong
$what"
}

tell() {
    if [ -z "$wrong" ]; then
        ok "$1"
    else
        fail "$1" "$wrong"
    fi
}

# grade_line [ID] NAME SUBMISSION LATE POINTS NOTE: the row of somebody who has
# points for the first exercise only; flight=,0 if others have the second.
flight=
grade_line() {
    note=$6
    case $note in *[';,']*) note="\"$note\"" ;; esac
    line grades.csv "${1:-$2},$2,$3,$4,$5$flight,$5,10,yes,$note"
}

no_file='there is no exercise file in it'


# Ends a check that can see nothing here.
need_archives() {
    for tool in tar zip; do
        command -v "$tool" >/dev/null || lacking="there is no $tool"
    done
    grep -q LIBARCHIVE "$ASQ_BIN/archive.cflags" ||
        lacking='build/class was made without libarchive'
    [ -n "${lacking:-}" ] || return 0
    not_checked class "$lacking"
    finish
}
