#!/bin/sh
# class.sh - shows a lesson to a class
#
#   L=03 sh bench/class.sh                        (make class L=03)
#
# One question a screen, in letters as large as the window; then the figure
# that was asked for, as bars; the whole table on a key. What is shown is in
# bench/class.txt. Any key goes on, t shows the output, q ends. Where standard
# input or output is no terminal nothing waits, and the output is shown as well.
#
# The programs are those in $ASQ_BIN; they are built already. Exit status: 1
# when one of them failed or has not printed what is to be shown, 2 for a
# lesson that there is not.
set -u

bin=${ASQ_BIN:-build}
steps=bench/class.txt

misuse() {
    printf '%s\n' "$*" >&2
    exit 2
}

is_utf8() {
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*) ;;
    *) return 1 ;;
    esac
}

# ---- The screen ------------------------------------------------------------

# Sets rows and columns: of the window, or what the environment says.
measure() {
    size=
    [ -z "$interactive" ] || size=$(stty size 2>/dev/null)
    case $size in
    [1-9]*' '[1-9]*)
        rows=${size% *}
        columns=${size#* }
        ;;
    *)
        rows=${LINES:-24}
        columns=${COLUMNS:-80}
        ;;
    esac
    rows=$((rows - 1)) # below is what a key does
}

# Waits for a key and takes all bytes that it sends; what was typed before the
# prompt is dropped. Without stty it takes a line. A key of no bytes, before
# the dot, is the end of standard input.
pause() {
    saved=$(stty -g 2>/dev/null)
    if [ -n "$saved" ]; then
        stty -icanon -echo min 0 time 0
        dd bs=1024 count=1 >/dev/null 2>&1
        stty min 1
    fi
    printf '%s' "${1:---}"
    if [ -n "$saved" ]; then
        key=$(
            dd bs=64 count=1 2>/dev/null
            echo .
        )
        stty "$saved"
        saved=
    else
        read -r key && key=$key- || key=
        key=$key.
    fi
    echo
    case $key in
    [qQ]* | .) exit "$failed" ;;
    esac
}

# The terminal is as it was, however the end comes.
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    [ -z "$saved" ] || stty "$saved"
    rm -rf "$folder"
}

clear_screen() {
    measure
    if [ -n "$interactive" ] && [ "${TERM:-dumb}" != dumb ]; then
        printf '\033[H\033[2J'
    elif [ "$screens" -gt 0 ]; then
        echo
    fi
    screens=$((screens + 1))
}

# draw WHAT FILE: text or bars.
draw() {
    clear_screen
    awk -v what="$1" -v columns="$columns" -v rows="$rows" \
        -v utf8="$(is_utf8 && echo 1)" -f bench/large.awk \
        bench/letters.txt "$2"
}

# Shows the output in pages, which end between paragraphs where they can.
show_output() {
    measure
    rm -f "$folder"/page.*
    awk -v folder="$folder" -v lines="$rows" '
        function put(text) {
            if (used == 0)
                name = sprintf("%s/page.%03d", folder, ++pages)
            print text >name
            used = (used + 1) % lines
        }
        function end(i) {
            if (used + 1 + count > lines)
                used = 0
            else if (used > 0)
                put("")
            for (i = 1; i <= count; i++)
                put(part[i])
            count = 0
        }
        NF { part[++count] = $0 }
        !NF && count { end() }
        END { if (count) end() }' "$folder/output"
    for page in "$folder"/page.*; do
        clear_screen
        cat "$page"
        pause
    done
}

# ---- The steps -------------------------------------------------------------

# run COMMAND: what a text shows after "$ ", as a reader would call it. What
# programs print since the last question is kept together.
run() {
    # shellcheck disable=SC2016 # the shell that is started expands it
    case $1 in
    'make '*) line='"${MAKE:-make}" -s --no-print-directory '${1#make } ;;
    *) line='"$bin"/'${1#build/} ;;
    esac
    clear_screen
    printf '$ %s\n' "$1"
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL L
        export bin
        exec sh -c "exec $line"
    ) </dev/null >>"$folder/output" 2>&1
    status=$?
    # A wrong twin may say by its status that it is wrong.
    case $status:$1 in
    0:* | 1:build/twins/*) ;;
    *)
        failed=1
        printf '\n(exit status %s)\n' "$status" >>"$folder/output"
        [ -z "$interactive" ] || show_output
        ;;
    esac
    [ -n "$interactive" ] || cat "$folder/output"
}

# Prints the figures that "bar" asks for, as label, tab, figure.
figures() {
    awk -v wanted="$1" '
        function trim(text) {
            gsub(/^ +| +$/, "", text)
            return text
        }
        # Where the columns of a table are, the line of dashes says.
        function find_column(dashes,    at, i, width) {
            for (i = 1; i <= length(dashes); i += width + 2) {
                match(substr(dashes, i), /^-+/)
                width = RLENGTH
                at = trim(substr(header, i, width))
                if (at == column) {
                    from = i
                    long = width
                }
                if (at == "disk")
                    disk = i
            }
        }
        BEGIN {
            column = substr(wanted, 1, index(wanted, ":") - 1)
            count = split(substr(wanted, index(wanted, ":") + 1), rows, " ")
            for (i = 1; i <= count; i++) {
                split(rows[i], part, "@")
                ways[part[1]] = 1
                way[i] = part[1]
                where[i] = part[2]
            }
            for (name in ways)
                kinds++
        }
        /^-+  [- ]*$/ { from = disk = 0; find_column($0) }
        { header = $0 }
        from {
            for (i = 1; i <= count; i++) {
                if ($1 != way[i] || found[i] != "")
                    continue
                if (where[i] == "" || (disk && \
                    index(trim(substr($0, disk)) " ", where[i] " ") == 1))
                    found[i] = trim(substr($0, from, long))
            }
        }
        END {
            for (i = 1; i <= count; i++)
                if (found[i] != "")
                    print (kinds > 1 || count == 1 ? way[i] : where[i]) \
                        "\t" found[i]
        }' "$folder/output"
}

# matches TEXT: the line that contains it, or the number that is its "#".
matches() {
    nth=1
    text=$1
    case $text in
    @[0-9]*)
        nth=${text%% *}
        nth=${nth#@}
        text=${text#* }
        ;;
    esac
    before='.*'
    case $text in '^'*) before= ;; esac
    number='([0-9][0-9.,]*( %| (ns|us|ms|s|k|M)([^A-Za-z]|$))?)'
    pattern=$(printf '%s\n' "$text" | sed "s/#/$number/")
    case $text in
    *\#*)
        awk '/^    [^ ]/ { printf " %s", substr($0, 5); next }
             { printf "%s%s", (NR > 1 ? "\n" : ""), $0 }
             END { print "" }' "$folder/output" |
            sed -E -n "s/$before$pattern.*/\\1/p" | sed 's/[^A-Za-z0-9%]*$//'
        ;;
    *) grep -E -e "$pattern" "$folder/output" | sed 's/^[ =>]*//; s/  */ /g' ;;
    esac | sed -n "${nth}p"
}

# Shows what the last lines of the steps have collected.
show_collected() {
    for what in bars text; do
        [ -s "$folder/$what" ] || continue
        draw "$what" "$folder/$what"
        rm "$folder/$what"
        [ -n "$interactive" ] || continue
        pause '-- t: the table --'
        case $key in [tT]*) show_output ;; esac
    done
}

# collect FILE LINE WANTED: a line that is empty was not found. A claim has no
# figures on a machine that is busy.
collect() {
    busy='too busy to tell'
    if [ -z "$2" ] && grep -q "$busy" "$folder/output"; then
        echo "$busy" >"$folder/text"
    elif [ -z "$2" ]; then
        failed=1
        echo "not in the output: $3" >&2
    else
        printf '%s\n' "$2" >>"$folder/$1"
    fi
}

# The first screen tells what a key does.
keys() {
    [ "$1" != = ] || printf '%s' '-- any key goes on, q ends --'
}

show_step() {
    case $1 in
    num | say) ;;
    *) show_collected ;;
    esac
    case $1 in
    = | take | ask)
        printf '%s\n' "$2" >"$folder/text"
        draw text "$folder/text"
        rm "$folder/text"
        [ -z "$interactive" ] || pause "$(keys "$1")"
        asked=yes
        ;;
    run)
        [ -z "$asked" ] || : >"$folder/output"
        asked=
        run "$2"
        ;;
    bar) collect bars "$(figures "$2")" "$2" ;;
    num)
        figure=$(matches "${2#*: }")
        collect bars "${figure:+${2%%: *}	$figure}" "$2"
        ;;
    say) collect text "$(matches "$2")" "$2" ;;
    show) [ -z "$interactive" ] || show_output ;;
    esac
}

# ---- Which lesson ----------------------------------------------------------

[ -f "$steps" ] || misuse "$steps is missing: make class is for the teacher"
lessons=$(sed -n 's/^= \([0-9][0-9]\) .*/\1/p' "$steps" | paste -s -d ' ' -)
lesson=${L%%-*}
case " $lessons " in
*" 0$lesson "*) lesson=0$lesson ;;
*" $lesson "*) ;;
*) lesson= ;;
esac
[ -n "$lesson" ] || misuse "make class L=NN, with one of: $lessons"

interactive=
if [ -t 0 ] && [ -t 1 ]; then
    interactive=1
fi
screens=0
failed=0
saved=
asked=
folder=$(mktemp -d "${TMPDIR:-/tmp}/asq-class.XXXXXX") || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE
: >"$folder/output"
awk -v lesson="$lesson" '/^= / { inside = $2 == lesson } inside' "$steps" \
    >"$folder/steps"
while read -r kind rest <&3; do
    show_step "$kind" "$rest"
done 3<"$folder/steps"
show_collected
exit "$failed"
