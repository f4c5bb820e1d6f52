#!/bin/sh
# class.sh - shows a lesson to a class
#
#   L=03 sh bench/class.sh                        (make class L=03)
#
# The prediction of the lesson in large type, its programs, what is to be taken
# away, what to ask next; L=00 is the first ten minutes of a course. All texts
# but that one's are those of the lesson's README.md. Each step fits 80 columns
# by 24 lines, and what is longer is paged: any key goes on, q ends. Where
# standard input or output is no terminal nothing waits and nothing is paged.
#
# The programs are those in $ASQ_BIN; they are built already. Exit status: 1
# when one of them failed, 2 for a lesson that there is not.
set -u

bin=${ASQ_BIN:-build}
lines=22   # of a page; below it stand an empty one and what a key does
columns=76 # of text in normal type
letters=38 # of a line in large type

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

# ---- The text of a lesson --------------------------------------------------

# section HEADING: prints a part of the README.
section() {
    awk -v heading="## $1" '
        /^```/ { code = !code }
        !code && /^## / { inside = $0 == heading; next }
        inside' "$readme"
}

# Leaves ASCII where the terminal has no more.
readable() {
    if is_utf8; then
        cat
    else
        sed 's/µ/u/g' | LC_ALL=C tr -d '\200-\377'
    fi
}

# Prints each paragraph on one line, without the marks of Markdown. An item of
# a list is a paragraph.
paragraphs() {
    sed -e 's/^> \{0,1\}//' -e 's/`//g' -e 's/\*\*//g' \
        -e 's/\*\([^ *)][^*]*\)\*/\1/g' \
        -e 's/!\{0,1\}\[\([^]]*\)\]([^)]*)/\1/g' |
        awk '
            function end() { if (text != "") print text; text = "" }
            NF == 0 { end(); next }
            /^([0-9]+\.|-) / { end() }
            { $1 = $1; text = text (text == "" ? "" : " ") $0 }
            END { end() }' |
        readable
}

# Prints the commands of a part, each on a line.
commands() {
    awk '/^```/ { inside = $0 ~ /^```console *$/ }
         inside && sub(/^\$ /, "")'
}

# wrap COLUMNS: breaks lines between words, with an empty line between two
# paragraphs. What continues an item of a list is set in.
wrap() {
    awk -v columns="$1" '
        NR > 1 { print "" }
        {
            indent = ""
            if ($1 ~ /^([0-9]+\.|-)$/)
                indent = substr("    ", 1, length($1) + 1)
            line = $1
            for (i = 2; i <= NF; i++) {
                if (length(line " " $i) <= columns) {
                    line = line " " $i
                } else {
                    print line
                    line = indent $i
                }
            }
            print line
        }'
}

# ---- Large type ------------------------------------------------------------

# Makes lines of letters that are two columns wide: where the terminal has
# UTF-8, those that Unicode calls full-width, else letters with blanks.
widen() {
    if ! is_utf8; then
        sed -e 's/./& /g' -e 's/ *$//'
        return
    fi
    awk '
        BEGIN {
            narrow = "!\"#$%&'"'"'()*+,-./0123456789:;<=>?@" \
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`" \
                "abcdefghijklmnopqrstuvwxyz{|}~"
            split("！ ＂ ＃ ＄ ％ ＆ ＇ （ ） ＊ ＋ ， － ． ／ " \
                "０ １ ２ ３ ４ ５ ６ ７ ８ ９ ： ； ＜ ＝ ＞ ？ ＠ " \
                "Ａ Ｂ Ｃ Ｄ Ｅ Ｆ Ｇ Ｈ Ｉ Ｊ Ｋ Ｌ Ｍ Ｎ Ｏ Ｐ Ｑ Ｒ Ｓ " \
                "Ｔ Ｕ Ｖ Ｗ Ｘ Ｙ Ｚ ［ ＼ ］ ＾ ＿ ｀ " \
                "ａ ｂ ｃ ｄ ｅ ｆ ｇ ｈ ｉ ｊ ｋ ｌ ｍ ｎ ｏ ｐ ｑ ｒ ｓ " \
                "ｔ ｕ ｖ ｗ ｘ ｙ ｚ ｛ ｜ ｝ ～", wide, " ")
        }
        {
            line = ""
            for (i = 1; i <= length($0); i++) {
                c = substr($0, i, 1)
                at = index(narrow, c)
                line = line (c == " " ? "  " : at > 0 ? wide[at] : c)
            }
            print line
        }'
}

# large LINES: prints paragraphs in large type, or in normal type if that
# would be more lines than these.
large() {
    sed 's/µ/u/g' | tee "$folder/text" | wrap "$letters" >"$folder/large"
    if [ "$(wc -l <"$folder/large")" -le "$1" ]; then
        widen <"$folder/large"
    else
        wrap "$columns" <"$folder/text"
    fi
}

# ---- The screen ------------------------------------------------------------

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
    printf '\n%s' '-- any key goes on, q ends --'
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
    if [ -n "$interactive" ] && [ "${TERM:-dumb}" != dumb ]; then
        printf '\033[H\033[2J'
    elif [ "$screens" -gt 0 ]; then
        echo
    fi
    screens=$((screens + 1))
}

# Writes the screen as page.001, page.002 ...: a page ends between paragraphs,
# and within one only where it is longer than a page.
cut_pages() {
    rm -f "$folder"/page.*
    awk -v folder="$folder" -v lines="$lines" '
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
        END { if (count) end() }' "$folder/screen"
}

# Shows the screen. Nobody has to go on from the last one.
show() {
    if [ -z "$interactive" ]; then
        clear_screen
        cat "$folder/screen"
        return
    fi
    cut_pages
    last=${1:-}
    set -- "$folder"/page.*
    while [ "$#" -gt 0 ]; do
        clear_screen
        cat "$1"
        shift
        [ "$#$last" = 0last ] || pause
    done
}

# run COMMAND: what a text shows after "$ ", as a reader would call it.
run() {
    # shellcheck disable=SC2016 # the shell that is started expands it
    case $1 in
    'make '*) line='"${MAKE:-make}" --no-print-directory '${1#make } ;;
    *) line='"$bin"/'${1#build/} ;;
    esac
    if [ -n "$interactive" ]; then
        clear_screen
        printf '$ %s\n' "$1"
    fi
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL L
        export bin
        exec sh -c "exec $line"
    ) </dev/null >"$folder/output" 2>&1
    status=$?
    {
        printf '$ %s\n\n' "$1"
        cat "$folder/output"
    } >"$folder/screen"
    if [ "$status" != 0 ]; then
        failed=1
        printf '\n(exit status %s)\n' "$status" >>"$folder/screen"
    fi
    show
}

# ---- What is shown ---------------------------------------------------------

show_lesson() {
    answers=docs/answers/$lesson.md
    {
        sed -n 's/^# //p;1q' "$readme" | readable
        section Predict | grep '^>' | paragraphs
    } | large "$lines" >"$folder/screen"
    show
    section 'Run it' | commands >"$folder/commands"
    while read -r command <&3; do
        run "$command"
    done 3<"$folder/commands"
    section Takeaways | paragraphs >"$folder/points"
    {
        sed -n '1s/^1\. //p' "$folder/points" | large 12
        echo
        sed 1d "$folder/points" | wrap "$columns"
    } >"$folder/screen"
    show
    {
        printf 'What to ask next\n\n'
        section Questions | paragraphs | grep '^[0-9]' | wrap "$columns"
        # A hand-out for students has none.
        [ ! -f "$answers" ] || printf '\nThe answers are in %s.\n' "$answers"
    } >"$folder/screen"
    show last
}

show_first_ten_minutes() {
    large "$lines" >"$folder/screen" <<'TEXT'
The first ten minutes
200 queries of about 5 ms each are ready at once.
How long until the last one is answered? Hands: a second? A tenth of that? Less?
TEXT
    show
    run 'build/demo --disk slow'
    large "$lines" >"$folder/screen" <<'TEXT'
And on a fast disk?
Which way answers most queries a second: blocking calls, threads or the event loop? Hands.
TEXT
    show
    run 'build/demo --disk fast'
    {
        echo 'Who waited for whom?' | large 2
        echo
        wrap "$columns" <<'TEXT'
On the slow disk the main thread of "blocking" waited for the disk, and whoever wanted something from the program waited for the main thread.
On threads and on the loop, workers waited for the disk. The main thread was free all the time.
On the fast disk nobody waits. What is left is the price of handing a query over.
TEXT
    } >"$folder/screen"
    show
    {
        echo 'Everybody: make lesson L=01' | large 2
        echo
        echo 'First write your prediction down: lessons/01-blocking/README.md.'
    } >"$folder/screen"
    show last
}

# ---- Which lesson ----------------------------------------------------------

# Prints the lessons that have a prediction.
lessons() {
    for text in lessons/[0-9][0-9]-*/README.md; do
        if grep -q '^## Predict$' "$text" 2>/dev/null; then
            text=${text%/README.md}
            echo "${text#lessons/}"
        fi
    done
}

find_lesson() {
    case ${L:-} in
    0 | 00 | 00-*)
        lesson=00
        return
        ;;
    esac
    for lesson in $(lessons); do
        readme=lessons/$lesson/README.md
        case $lesson in
        "${L:-}" | "${L:-}"-* | "0${L:-}"-*) return ;;
        esac
    done
    misuse "make class L=NN, with one of: 00 $(lessons | paste -s -d ' ' -)"
}

find_lesson
interactive=
if [ -t 0 ] && [ -t 1 ]; then
    interactive=1
fi
screens=0
failed=0
saved=
folder=$(mktemp -d "${TMPDIR:-/tmp}/asq-class.XXXXXX") || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM HUP PIPE
if [ "$lesson" = 00 ]; then
    show_first_ten_minutes
else
    show_lesson
fi
exit "$failed"
