#!/bin/sh
# class_mode_test.sh - checks bench/class.sh on lessons of its own
#
#   sh class_mode_test.sh
#
# The lessons are texts, their programs scripts. Standard output is a file, so
# nothing waits for a key; keys and pages need a terminal and are not checked.
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
    cp "$root/bench/class.sh" bench
    put Makefile <<'TEXT'
lesson:
	@echo "lesson $(L), $(ARGS)"
TEXT
    put build/07-one-idea <<'TEXT'
#!/bin/sh
read -r key || echo 'no key for the program'
TEXT
    put build/demo <<'TEXT'
#!/bin/sh
echo "demo of $2"
TEXT
    put lessons/00-start/README.md </dev/null
    put docs/answers/07-one.md </dev/null
    put lessons/07-one/README.md <<'TEXT'
# 07 One: is it?

## Predict

> How many of `a` take
> 3 µs?
>
> Write *that* down.

## Run it

```console
$ build/07-one-idea
prints something
```

Then

```console
$ make lesson L=07 ARGS='two words'
```

```
$ build/not-this
```

## A wrong twin

```console
$ build/nor-this
```

## Takeaways

1. Wait in
   a [loop](x.h).
2. Read `SELECT * FROM t` and
   `count(*)`.

## Questions

Answers are in [a file](y.md).

1. Who – when?

## Links
TEXT
}

# class L LOCALE: leaves what it prints in said, and status. Neither standard
# input nor the settings of a make around it are for the programs.
class() {
    echo key | L=$1 LC_ALL=$2 ASQ_BIN=build MAKEFLAGS=n \
        sh bench/class.sh >said 2>&1
    status=$?
}

# same NAME STATUS: what was said is standard input.
same() {
    difference=$(diff - said)
    if [ "$status" = "$2" ] && [ -z "$difference" ]; then
        ok "$1"
    else
        fail "$1" "status $status
$difference"
    fi
}

check_lesson() {
    class 7 C
    same shows_a_lesson_in_ascii 0 <<'TEXT'
0 7   O n e :   i s   i t ?

H o w   m a n y   o f   a   t a k e   3   u s ?

W r i t e   t h a t   d o w n .

$ build/07-one-idea

no key for the program

$ make lesson L=07 ARGS='two words'

lesson 07, two words

W a i t   i n   a   l o o p .

2. Read SELECT * FROM t and count(*).

What to ask next

1. Who when?

The answers are in docs/answers/07-one.md.
TEXT
    rm docs/answers/07-one.md
    sed '$d' said | sed '$d' >first
    class 07-one C
    same names_no_answers_in_a_hand_out 0 <first
    class 7 C.UTF-8
    sed -n -e 1,5p -e '/^W/p' -e '/^Ｗ/p' -e '/^1/p' said | sed 6d >part
    mv part said
    same shows_a_lesson_in_wide_letters 0 <<'TEXT'
０７  Ｏｎｅ：  ｉｓ  ｉｔ？

Ｈｏｗ  ｍａｎｙ  ｏｆ  ａ  ｔａｋｅ  ３  ｕｓ？

Ｗｒｉｔｅ  ｔｈａｔ  ｄｏｗｎ．
Ｗａｉｔ  ｉｎ  ａ  ｌｏｏｐ．
What to ask next
1. Who – when?
TEXT
}

# Every letter of ASCII has a wide one, and lines keep within 80 columns.
check_large_type() {
    put lessons/08-two/README.md <<'TEXT'
# !"#$%&'()+,-./ 0123456789:;<=>?@ ABCDEFGHIJKLMNOPQRSTUVWXYZ [\]^_

## Predict

> abcdefghijklmnopqrstuvwxyz {|}~ words and words and words and
TEXT
    class 8 C.UTF-8
    sed -n '1,6p' said >part
    mv part said
    same widens_every_letter 0 <<'TEXT'
！＂＃＄％＆＇（）＋，－．／  ０１２３４５６７８９：；＜＝＞？＠
ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ  ［＼］＾＿

ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ  ｛｜｝～  ｗｏｒｄｓ
ａｎｄ  ｗｏｒｄｓ  ａｎｄ  ｗｏｒｄｓ  ａｎｄ

TEXT
    {
        printf '# 08 Two\n\n## Predict\n\n'
        for line in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
            echo "> number $line of lines that are about sixty letters long"
        done
    } | put lessons/08-two/README.md
    class 8 C.UTF-8
    sed -n '1,4p' said | cut -c 1-30 >part
    mv part said
    same a_long_text_is_in_normal_type 0 <<'TEXT'
08 Two

number 1 of lines that are abo
are about sixty letters long n
TEXT
    rm -r lessons/08-two
}

check_first_ten_minutes() {
    for lesson in 0 00 00-start; do
        class "$lesson" C
        grep -n -e '^demo' -e '^\$' said | cut -d : -f 2 >part
        mv part said
        same "$lesson is_the_first_ten_minutes" 0 <<'TEXT'
$ build/demo --disk slow
demo of slow
$ build/demo --disk fast
demo of fast
TEXT
    done
}

check_mistakes() {
    for lesson in '' 9 '.*' 7-one; do
        class "$lesson" C
        same "names_the_lessons for '$lesson'" 2 <<'TEXT'
make class L=NN, with one of: 00 07-one
TEXT
    done
    put build/07-one-idea <<'TEXT'
#!/bin/sh
exit 3
TEXT
    class 07 C
    grep exit said >part
    mv part said
    same a_failing_program_shows 1 <<'TEXT'
(exit status 3)
TEXT
}

make_folder
mkdir "$folder/small tree"
cd "$folder/small tree" || exit 1
make_tree
check_lesson
check_large_type
check_first_ten_minutes
check_mistakes
finish
