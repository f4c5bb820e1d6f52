#!/bin/sh
# class_report_test.sh - the reports of a class: what they begin with and hold
#
#   sh class_report_test.sh
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=class_fixture.sh
. "$tools/class_fixture.sh"

# begins FILE NUMBER TEXT: the line of that number is TEXT.
begins() {
    [ "$(sed -n "$2p" "build/grades/$1")" = "$3" ] || wrong="$wrong
$1 does not say in line $2: $3
$(head -n 12 "build/grades/$1")"
}

# Says whether a file is well formed, where something can tell.
is_xml() {
    command -v xmllint >/dev/null || return 0
    xmllint --noout "$1"
}

check_student() {
    new_class
    hand_in in/s01/ex_total.c broken
    hand_in in/s01/ex_flight.c two
    grade 0
    report=reports/s01.txt
    begins $report 5 '01-one, 10 points lost: does not compile'
    begins $report 6 "    expected ';' <here> & \"there\""
    begins $report 7 '    look at  exercises/01-one/ex_total.c:12'
    begins $report 9 '02-two, test 2, 3 points lost: crashed, in it lands'
    begins $report 10 '    SIGSEGV'
    begins $report 11 '    look at  exercises/02-two/ex_flight.c:7'
    begins $report 12 '    again    make check EX=02 TEST=2 SEED=1'
    part build/grades/$report '02-two, hidden test 4, 4 points lost'
    absent build/grades/$report 'test 3,'
    absent build/grades/$report 'TEST=4'
    tell begins_with_what_failed

    page=build/grades/reports/s01.html
    part $page '<h2>01-one: does not compile</h2>'
    part $page 'expected '"'"';'"'"' &lt;here&gt; &amp; &quot;there&quot;'
    part $page '<code>exercises/02-two/ex_flight.c:7</code>'
    part $page '<code>make check EX=02 TEST=2 SEED=1</code>'
    tell writes_a_page_for_each

    part build/grades/junit/s01.xml 'tests="5" failures="3" skipped="1"'
    part build/grades/junit/s01.xml \
        '<testcase classname="02-two" name="2 it lands" file="exercises/02-two/ex_flight.c" line="7"><failure type="crashed" message="SIGSEGV">'
    part build/grades/junit/s01.xml 'file="exercises/01-one/ex_total.c" line="12"'
    must 'no XML' is_xml build/grades/junit/s01.xml
    line tap/s01.tap 'ok 2 - 02-two 1 it flies'
    line tap/s01.tap 'not ok 3 - 02-two 2 it lands'
    line tap/s01.tap '  at: "exercises/02-two/ex_flight.c:7"'
    line tap/s01.tap 'ok 4 - 02-two 3 again # SKIP skipped'
    line tap/s01.tap '1..5'
    part build/grades/gradescope/s01.json \
        '"name": "02-two: it lands", "output": "crashed: SIGSEGV exercises/02-two/ex_flight.c:7", "visibility": "visible"'
    part build/grades/gradescope/s01.json '"visibility": "hidden"'
    tell writes_for_other_programs

    grade 0 --hidden-points
    for file in $report reports/s01.html junit/s01.xml tap/s01.tap \
        gradescope/s01.json class.html; do
        absent build/grades/$file 'the secret is 42'
        absent build/grades/$file secretly
    done
    line $report '              0 of 4    hidden tests'
    part build/grades/tap/s01.tap 'not ok 5 - 02-two 0 hidden tests'
    part build/grades/summary.txt secretly
    tell tells_only_the_points_of_hidden_tests
}

check_class() {
    new_class
    hand_in in/Ann/ex_total.c '6 of 7'
    hand_in in/Bo/ex_total.c '6 of 7'
    hand_in in/Cid/ex_total.c 10
    mkdir in/Dora
    printf 'id,name\nAnn,A\nBo,B\nCid,C\nDora,D\nEve,E\n' >roster.csv
    grade 0 --roster roster.csv
    begins summary.txt 1 'To be looked at'
    begins summary.txt 2 "  Dora: nothing: $no_file"
    begins summary.txt 3 '  Eve: no submission: E'
    begins summary.txt 4 ''
    page=build/grades/class.html
    part $page '<h3>twice: 01-one, test 1, wrong answer</h3>'
    part $page 'expected 7; got of 7'
    part $page 'it adds'
    for name in Ann Bo Cid Dora; do
        absent $page $name
    done
    tell shows_the_class_without_names

    new_class
    hand_in in/s01/ex_total.c 10
    grade 0
    begins summary.txt 2 '  nothing'
    tell says_that_nothing_needs_a_look
}

# write_original: a file of some length, behind what the skeleton has.
write_original() {
    cat <<'TEXT'
5
#include "ex_total.h"
int ex_total(const struct order *order, long *ret)
{
    long sum = 0;
    for (size_t i = 0; i < order->count; i++) {
        const struct line *line = &order->line[i];
        if (line->quantity < 0 || line->price < 0)
            return -1;
        sum += line->quantity * line->price;
        if (sum > LIMIT)
            goto over;
    }
    while (sum % 10 != 0 && order->rounds)
        sum++;
    *ret = order->is_free ? 0 : sum;
    return 0;
over:
    log_it("over the limit", order->id);
    *ret = LIMIT;
    return 1;
}
TEXT
}

check_alike() {
    new_class
    mkdir -p exercises/grader/skeletons/01-one in/s01 in/s02 in/s03 in/s04 in/s05 \
        in/s06 in/s07
    cat >exercises/grader/skeletons/01-one/ex_total.c <<'TEXT'
struct cache { int *slot; size_t size; int (*find)(struct cache *, int key); };
static int find(struct cache *cache, int key)
{
    for (size_t i = 0; i < cache->size; i++)
        if (cache->slot[i] == key)
            return (int)i;
    return -1;
}
void reset(struct cache *cache)
{
    while (cache->size > 0)
        cache->slot[--cache->size] = 0;
    cache->find = find;
}
TEXT
    write_original >in/s01/ex_total.c
    # Other names, comments and blanks.
    write_original | sed -e 's/sum/total_cents/g' -e 's/line/row/g' \
        -e 's,{$,{ /* begins */,' -e 's/    /  /' >in/s02/ex_total.c
    # One statement more.
    write_original | sed 's/^    \*ret = order/    check(order, sum);\n&/' \
        >in/s03/ex_total.c
    # Another way to the same, and no more than the skeleton in common.
    for name in s04 s05; do
        echo 6
        cat exercises/grader/skeletons/01-one/ex_total.c
    done >in/s04/ex_total.c
    cp in/s04/ex_total.c in/s05/ex_total.c
    cat >in/s06/ex_total.c <<'TEXT'
7
static long one(const struct line *l) { return l->quantity * l->price; }
static int ok(const struct line *l) { return l->quantity >= 0; }
int ex_total(const struct order *o, long *ret)
{
    const struct line *l = o->line, *end = l + o->count;
    do {
        if (!ok(l))
            break;
        *ret += one(l++);
    } while (l != end);
    switch (o->kind) {
    case FREE: *ret = 0; break;
    case HALF: *ret /= 2; break;
    default: *ret = round_up(*ret, 10);
    }
    return l == end ? 0 : -1;
}
TEXT
    cp in/s01/ex_total.c in/s07/ex_total.c
    grade 0
    line summary.txt '  01-one: s01 and s07, 100 %, the same file'
    line summary.txt \
        '  01-one: s01 and s02, 100 %, equal but for names, comments and blanks'
    part build/grades/summary.txt '  01-one: s01 and s03, '
    part build/grades/summary.txt '%, nearly equal'
    absent build/grades/summary.txt 's04 and'
    absent build/grades/summary.txt 'and s06'
    part build/grades/summary.json '"a": "s01", "b": "s07", "percent": 100'
    absent build/grades/reports/s01.txt s07
    tell lists_what_is_alike

    cp in/s01/ex_total.c in/s06/ex_total.c
    mv in/s06 in/s01-again
    printf 'id,name\ns01,A\ns02,B\ns03,C\ns04,D\ns05,E\ns07,F\n' >roster.csv
    grade 0 --roster roster.csv
    absent build/grades/summary.txt 's01 and s01-again'
    part build/grades/summary.txt 's01-again and s07'
    tell lets_a_student_be_alike_himself
}

make_folder
make_course
check_student
check_class
check_alike
finish
