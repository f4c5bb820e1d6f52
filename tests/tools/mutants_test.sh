#!/bin/sh
# mutants_test.sh - checks what mutate.awk changes, and what mutants.sh says
#
# The solution here is small. The grader is a script that gives full points to
# what has a certain text in it, so it is known which mutants survive.
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"

make_folder
cd "$folder" || exit 1
mkdir -p solutions/90-x tests/graders/90-x build
file=solutions/90-x/ex_x.c
cat >$file <<'C'
#include "ex_x.h"
static int given(int n) { return n > 7; }
int ex_x(int n)
{
    int err = given(n); /* stays */

    /* begin solution */
    if (n < 3 && !err) /* a comment: 5 + 5 */
        return SQLITE_BUSY;
    err = run("SELECT a FROM t WHERE b = 1 ORDER BY c DESC");
    close(n);
    return err;
    /* instead:
    return 99;
    */
    /* end solution */
}
C

# changed PATTERN WITH: one mutant has a line with it, and is right elsewhere.
changed() {
    for n in $(awk -f "$tools/mutate.awk" $file | cut -d' ' -f1); do
        awk -v n="$n" -f "$tools/mutate.awk" $file >mutant
        if grep -qF -e "$2" mutant; then
            ok "$1"
            return
        fi
    done
    fail "$1" "no mutant has: $2
$(awk -f "$tools/mutate.awk" $file)"
}
changed changes_a_comparison 'if (n <= 3 && !err)'
changed turns_a_comparison_round 'if (n > 3 && !err)'
changed changes_a_number 'if (n < (3 + 1) && !err)'
changed changes_and 'if (n < 3 || !err)'
changed takes_a_not_away 'if (n < 3 &&  err)'
changed turns_a_branch_round 'if (!(n < 3 && !err))'
changed changes_a_constant 'return (SQLITE_BUSY + 1);'
changed changes_an_operator_of_sql 'WHERE b <> 1 ORDER'
changed changes_a_number_of_sql 'WHERE b = 2 ORDER'
changed changes_an_order_of_sql 'ORDER BY c ASC"'
changed drops_a_result '(run("SELECT a FROM t WHERE b = 1 ORDER BY c DESC"), 0);'
if sed 's/^    close(n);$/    ;/' $file >wanted && ! cmp -s $file wanted &&
    for n in $(awk -f "$tools/mutate.awk" $file | cut -d' ' -f1); do
        awk -v n="$n" -f "$tools/mutate.awk" $file | cmp -s - wanted && break
    done; then
    ok leaves_a_statement_out_and_nothing_else
else
    fail leaves_a_statement_out_and_nothing_else 'there is no such mutant'
fi
if awk -f "$tools/mutate.awk" $file |
    grep -e '99' -e 'n > 7' -e '5 + 5' -e ' given ' >said; then
    fail leaves_what_is_given "$(cat said)"
else
    ok leaves_what_is_given
fi

# The same tokens, laid out otherwise.
awk -f "$tools/mutate.awk" $file | sed 's/^[0-9]* [0-9]* //' >keys
cp $file kept
sed -e 's/if (n < 3 \&\& !err).*/if(n<3/' -e '/if(n<3/a\
\&\&  !err)' $file >other && cp other $file
awk -f "$tools/mutate.awk" $file | sed 's/^[0-9]* [0-9]* //' | tr -d ' ' >keys2
tr -d ' ' <keys >keys1
if cmp -s keys1 keys2; then
    ok keys_survive_another_layout
else
    fail keys_survive_another_layout "$(diff keys1 keys2)"
fi
cp kept $file

# Full points for a mutant without close(n), and for b <> 1.
cat >build/grader <<'SH'
#!/bin/sh
while [ "$#" -gt 0 ]; do
    [ "$1" != --from ] || from=$2
    shift
done
x=$from/90-x/ex_x.c
if grep -q 'SQLITE_BUSY + 1' "$x"; then
    echo 'x 90-x   ..........   0/10   does not compile'
    exit 1
fi
! grep -q 'close(n);' "$x" || grep -q 'b <> 1' "$x"
SH
chmod +x build/grader
said() {
    ASQ_BUILD=build sh "$tools/mutants.sh" >said 2>&1
    status=$?
    for text in "$@"; do
        grep -qF -e "$text" said || {
            fail "$name" "does not say: $text
$(cat said)"
            return
        }
    done
    ok "$name"
}
name=survivors_are_shown
said 'FAIL  90-x: ' 'survives: solutions/90-x/ex_x.c:10: ex_x' \
    '{ close ( n ) ; | ; }' 'less than 95 %' '1 do not compile, 0 are equivalent'
[ "$status" = 1 ] || fail status_of_survivors "$status"
grep '^ *survives' said | sed 's/^ *survives: [^ ]* //' |
    sed 'a\
    for a reason' >tests/graders/90-x/equivalent.txt
name=equivalent_ones_do_not_count
said ', 100 %; 1 do not compile, 2 are equivalent'
[ "$status" = 0 ] || fail status_of_the_killed "$status"
echo 'ex_x nothing like this' >>tests/graders/90-x/equivalent.txt
awk -f "$tools/mutate.awk" $file | sed -n '1s/^[0-9]* [0-9]* //p' \
    >>tests/graders/90-x/equivalent.txt
name=wrong_lines_of_the_list_are_told
said 'no mutant is: ex_x nothing like this' 'not equivalent, a test sees it: '
finish
