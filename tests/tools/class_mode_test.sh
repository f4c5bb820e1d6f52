#!/bin/sh
# class_mode_test.sh - checks bench/class.sh on a lesson of its own
#
#   sh class_mode_test.sh
#
# The programs are scripts. Standard output is a file, so nothing waits for a
# key; keys and pages need a terminal and are not checked.
# shellcheck disable=SC2016 # what is written into scripts is not expanded here
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
root=$tools/../..

# put FILE: a file that can be run, from standard input.
put() {
    mkdir -p "$(dirname "$1")"
    cat >"$1"
    chmod +x "$1"
}

make_tree() {
    mkdir bench
    cp "$root"/bench/class.sh "$root"/bench/large.awk "$root"/bench/letters.txt \
        bench
    put Makefile <<'TEXT'
lesson:
	@echo "lesson $(L), $(ARGS)"
TEXT
    put build/07-one <<'TEXT'
#!/bin/sh
read -r key || echo 'no key for the program'
cat <<'TABLES'
way   disk  per s      p50
----  ----  -----  -------
a     slow     50     2 ms
a     fast  2.5 k   500 us
b     slow    100  1.00 ms

way    per s
----  ------
a     10,000
=> so it is
=> otherwise
TABLES
TEXT
    put build/twins/07-one/wrong <<'TEXT'
#!/bin/sh
echo "7 of $1 changed"
exit 1
TEXT
}

# steps: those of lesson 07, from standard input.
steps() {
    {
        printf 'A comment.\n= 06 Other\nask no\n= 07 One\n'
        cat
        printf '= 08 Two\n'
    } >bench/class.txt
}

# class L [COLUMNS]: leaves what it prints in said, and status. Neither
# standard input nor the settings of a make around it are for the programs.
class() {
    echo key | L=$1 LC_ALL=C COLUMNS=${2:-80} LINES=24 ASQ_BIN=build \
        MAKEFLAGS=n sh bench/class.sh >"$said" 2>&1
    status=$?
}

# draw WHAT COLUMNS ROWS UTF8 TEXT: leaves what is drawn in said.
draw() {
    printf '%b\n' "$5" >"$folder/text"
    awk -v what="$1" -v columns="$2" -v rows="$3" -v utf8="$4" \
        -f bench/large.awk bench/letters.txt "$folder/text" >"$said"
    status=$?
}

# same NAME STATUS: what was said, without empty lines, is standard input.
same() {
    difference=$(grep . "$said" | diff - "$folder/wanted")
    if [ "$status" = "$2" ] && [ -z "$difference" ]; then
        ok "$1"
    else
        fail "$1" "status $status
$difference"
    fi
}

wanted() {
    cat >"$folder/wanted"
}

check_drawing() {
    wanted <<'TEXT'
 ####          ##      ##    ####  ####
     ##        ####  ####  ##          ##
   ##          ##  ##  ##    ##      ##
     ##        ##      ##      ##
 ####          ##      ##  ####      ##
TEXT
    draw text 50 10 '' '3 ms?'
    same letters_are_as_large_as_fits 0
    wanted <<'TEXT'
 ██     █   █  ██ ██
   █    ██ ██ █     █
  █     █ █ █  █   █
   █    █   █   █
 ██     █   █ ██   █
TEXT
    draw text 24 9 1 '3 ms?'
    same a_small_screen_has_smaller_ones 0
    wanted <<'TEXT'
 ▀▀▄    █▄ ▄█ ▄▀▀ ▀▀▄
  ▀▄    █ ▀ █  ▀▄  ▀
 ▀▀     ▀   ▀ ▀▀   ▀
TEXT
    draw text 24 4 1 '3 ms?'
    same a_very_small_one_has_halves_of_blocks 0
    wanted <<'TEXT'
3 ms?
TEXT
    draw text 12 4 1 '3 ms?'
    same where_none_fit_the_text_is_normal 0
    draw bars 14 9 '' 'one\t2 ms\ntwo\t500 us\nthree\t0'
    wanted <<'TEXT'
 one   2 ms
 ############
 two   500 us
 ###
 three   0
TEXT
    sed 's/ *$//' "$said" >part && mv part "$said"
    same bars_are_as_long_as_their_figures 0
    draw bars 60 22 '' 'one\t2 ms\ntwo\t500 us'
    expect bars_have_large_letters 0 ' ### ' '####'
}

# In a window of ten columns everything is in normal type.
check_steps() {
    steps <<'TEXT'
ask and?
run build/07-one
bar per s: a@slow a@fast
ask ways
bar p50: a b
ask numbers
num slow: ^a .*slow +#
num fast: ^a .*fast +#
ask words
say @2 =>
take The end is here
TEXT
    class 7 10
    wanted <<'TEXT'
07 One
and?
$ build/07-one
no key for the program
way   disk  per s      p50
----  ----  -----  -------
a     slow     50     2 ms
a     fast  2.5 k   500 us
b     slow    100  1.00 ms
way    per s
----  ------
a     10,000
=> so it is
=> otherwise
 slow   50
 #
 fast   2.5 k
 ########
ways
 a   2 ms
 ########
 b   1.00 ms
 ####
numbers
 slow   50
 #
 fast   2.5 k
 ########
words
otherwise
The end is here
TEXT
    same shows_what_was_asked 0
    class 07-one 10
    same a_lesson_has_several_names 0
}

check_programs() {
    steps <<'TEXT'
run build/twins/07-one/wrong it
run make lesson L=07 ARGS='two words'
num it: @1 # of
say lesson
TEXT
    class 7 10
    expect twins_may_fail_and_outputs_add_up 0 '7 of it changed' \
        'lesson 07, two words' 'not: exit status' ' it   7' 'last: lesson 07, two words'
    steps <<'TEXT'
run build/07-one
say nothing like it
bar p99: a
TEXT
    class 7
    expect what_is_not_in_the_output_is_told 1 'not in the output: nothing' \
        'not in the output: p99: a'
    steps <<'TEXT'
run make lesson L=07 ARGS='too busy to tell'
num figure: figure #
TEXT
    class 7 10
    expect a_busy_machine_is_no_failure 0 'last: too busy to tell'
    steps <<'TEXT'
run build/no-program
TEXT
    class 7
    expect a_failing_program_shows 1 '(exit status 127)'
}

check_mistakes() {
    for lesson in '' 9 '.*' 7x; do
        class "$lesson"
        expect "names_the_lessons for '$lesson'" 2 'lines: 1' \
            'make class L=NN, with one of: 06 07 08'
    done
    rm bench/class.txt
    class 7
    expect a_hand_out_may_lack_it 2 'lines: 1' 'bench/class.txt is missing'
}

make_folder
said=$folder/said
mkdir "$folder/small tree"
cd "$folder/small tree" || exit 1
make_tree
check_drawing
check_steps
check_programs
check_mistakes
finish
