#!/bin/sh
# texts.sh - runs the commands that the texts show and compares the output
#
#   sh texts.sh [FILE ...]     the texts; if none is given, all README.md and
#                              docs/troubleshooting.md
#
# A block of a text that begins with ```console holds commands, each on a line
# "$ command" and followed by what it prints. A command begins with "make " or
# "build/", holds nothing that a shell would act on, and ends with status 0.
# Digits, units, bars and timelines are masked, because they differ from run
# to run; the words must agree. A line "..." stands for any lines. Where a
# program says that the machine is too busy to tell, other words are not
# checked.
#
# Needs ASQ_BUILD, where everything is built. The check is itself checked on
# texts of its own.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
seconds=120

# Writes the commands of a text to 1.cmd, 2.cmd ... in the folder, what they
# should print to 1.want ..., and where they stand to 1.line ...
read_text() {
    rm -f "$folder"/*.cmd "$folder"/*.want "$folder"/*.line
    awk -v folder="$folder" '
        /^ *```/ { inside = !inside && /^ *```console *$/; name = ""; next }
        inside && /^ *\$ / {
            name = folder "/" ++count
            sub(/^ *\$ /, "")
            print >(name ".cmd")
            printf "%d\n", NR >(name ".line")
            printf "" >(name ".want")
            next
        }
        inside && name != "" { print >(name ".want") }
    ' "$1"
}

# Takes away what differs from run to run. In the C locale a character that is
# not ASCII is two to four bytes from 0x80 up.
mask() {
    LC_ALL=C tr -d '\200-\377\r' |
        LC_ALL=C sed -E '
            s/^ *\.\.\. *$/<any lines>/
            s/[.+#=|-]{2,}/ /g
            s/(^| )[.+#|]( |$)/ /g
            s/\|([0-9])/\1/g
            s/[0-9]+([.,:][0-9]+)*/#/g
            s/# ?(ns|us|ms|s|k|M)([^A-Za-z]|$)/#\2/g
            s/[|]#/ /g
            s/#([ ,]+#)+/#/g
            s/[ 	]+/ /g
            s/^ //
            s/ $//' |
        sed '/^$/d'
}

# Says whether the lines of file $2 are those of file $1, where <any lines>
# matches as few lines as it can.
agree() {
    awk '
        function agree_from(w, g) {
            for (; w <= wants && want[w] != "<any lines>"; w++)
                if (g > gots || want[w] != got[g++])
                    return 0
            if (w > wants)
                return g > gots
            for (; g <= gots + 1; g++)
                if (agree_from(w + 1, g))
                    return 1
            return 0
        }
        FILENAME == ARGV[1] { want[++wants] = $0 }
        FILENAME == ARGV[2] { got[++gots] = $0 }
        END { exit !agree_from(1, 1) }' "$1" "$2"
}

# Says why a command of a text is not run; nothing when it is.
refuse() {
    case $1 in
    *[\;\&\|\<\>\`\$\(\)\*\?]*) echo 'it holds what a shell would act on' ;;
    'make test' | 'make test '*) echo 'it would run this check' ;;
    'make '* | build/*) ;;
    *) echo 'it begins neither with "make " nor with "build/"' ;;
    esac
}

# Runs a command as a user would who builds into build/, and prints what it
# prints, without what make says while it builds.
run_command() (
    # shellcheck disable=SC2016 # the shell that is started expands it
    case $1 in
    'make '*) line='"${MAKE:-make}" --no-print-directory '${1#make } ;;
    *) line='"$ASQ_BUILD"/'${1#build/} ;;
    esac
    unset MAKEFLAGS MFLAGS MAKELEVEL T N L ARGS V
    export NO_COLOR=1
    sh "$tools/limit.sh" "$seconds" sh -c "exec $line" >"$folder/raw" 2>&1
    status=$?
    sed -E -e "s#$ASQ_BUILD/#build/#g" -e "s#${BUILD:-build}/#build/#g" \
        -e '/^  (CC|AR|LD)  /d' -e '/^Compiles [0-9]+ files? first/d' "$folder/raw"
    [ "$status" = 0 ] || echo "(exit status $status)"
)

check_text() {
    read_text "$1"
    for file in "$folder"/*.cmd; do
        [ -f "$file" ] || return
        base=${file%.cmd}
        command=$(cat "$file")
        test="${1#./}:$(cat "$base.line") $command"
        why=$(refuse "$command")
        if [ -n "$why" ]; then
            fail "$test" "not run: $why"
            continue
        fi
        run_command "$command" | mask >"$base.got"
        mask <"$base.want" >"$base.masked"
        if agree "$base.masked" "$base.got"; then
            ok "$test"
        elif grep -q 'too busy to tell' "$base.got"; then
            not_checked "$test" 'the machine is too busy to tell'
        else
            fail "$test" "the text (-) and the program (+), digits masked:
$(diff -u "$base.masked" "$base.got" | sed 1,3d)"
        fi
    done
}

# try NAME COUNTS, with a text on standard input: the check of this text must
# end with these counts. build/hello prints its arguments, one a line.
try() (
    cd "$folder/tree" || exit
    {
        echo '```console'
        cat
        echo '```'
    } >README.md
    ASQ_BUILD=$folder/tree/out BUILD=out sh "$tools/texts.sh" README.md \
        >"$folder/result"
    [ "$(tail -n 1 "$folder/result")" = "$2" ]
)

report_try() {
    if try "$@"; then
        ok "$1"
    else
        fail "$1" "$(cat "$folder/result")"
    fi
}

check_the_check() {
    mkdir -p "$folder/tree/out"
    cat >"$folder/tree/out/hello" <<'TEXT'
#!/bin/sh
for word; do
    [ "$word" != ruler ] || word='|0       |500      |1000'
    printf '%s\n' "$word"
done
[ "$word" != bad ]
TEXT
    chmod +x "$folder/tree/out/hello"
    report_try takes_the_same_words '2 passed, 0 failed' <<'TEXT'
$ build/hello "one  row" two
one row
two
$ build/hello
TEXT
    report_try masks_figures_and_bars '1 passed, 0 failed' <<'TEXT'
$ build/hello "p99 2.1 ms ###..+" "█▒· µs 12" "0   10   20 ms" ruler "build/demo.json"
p99 812 us ##...#.
█▒▒▒· µs 7
0 10 20 30 ms
|0  |100 |200  |300
build/demo.json
TEXT
    report_try takes_dots_for_any_lines '3 passed, 0 failed' <<'TEXT'
$ build/hello one two three four
one
...
four
$ build/hello one
...
one
...
$ build/hello one two
...
TEXT
    report_try hides_what_make_says '1 passed, 0 failed' <<'TEXT'
$ build/hello '  CC  lessons/common/clock.c' '  A  INSERT'
  A  INSERT
TEXT
    report_try excuses_a_busy_machine '0 passed, 0 failed, 1 not checked' <<'TEXT'
$ build/hello 'one: too busy to tell'
one: holds
TEXT
    report_try finds_a_wrong_word '0 passed, 1 failed' <<'TEXT'
$ build/hello one two
one
too
TEXT
    report_try finds_a_line_too_many '0 passed, 2 failed' <<'TEXT'
$ build/hello one two
one
$ build/hello one
one
two
TEXT
    report_try finds_a_wrong_end_after_dots '0 passed, 1 failed' <<'TEXT'
$ build/hello one two three
one
...
two
TEXT
    report_try finds_an_exit_status '0 passed, 1 failed' <<'TEXT'
$ build/hello bad
bad
TEXT
    report_try refuses_other_commands '0 passed, 4 failed' <<'TEXT'
$ rm -rf build
$ build/hello; rm -rf build
$ make test
$ build/nothing
TEXT
}

make_folder
if [ "$#" = 0 ]; then
    check_the_check
    # shellcheck disable=SC2046 # names of the course have no blanks
    set -- README.md docs/troubleshooting.md \
        $(find lessons -name README.md 2>/dev/null | sort)
fi
for text in "$@"; do
    [ ! -f "$text" ] || check_text "$text"
done
finish
