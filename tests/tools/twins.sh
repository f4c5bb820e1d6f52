#!/bin/sh
# twins.sh - runs every wrong twin and shows that it goes wrong as it says
#
#   sh twins.sh
#
# The header of a twin tells of which file of its folder it is a copy, and
# what proves it wrong:
#
#    * Copy of: idea.c
#    * Proof: thread data race
#
#   address TEXT   the address or undefined behaviour sanitizer says TEXT
#   thread TEXT    the thread sanitizer says TEXT
#   prints TEXT    it prints TEXT
#   hangs TEXT     it prints TEXT (and flushes) and then does not end
#   exits NUMBER   it ends with this status
#
# A twin may have several proofs. Its right counterpart, which is the program
# of the file that it is a copy of, is run in the same way and must end with
# status 0 and not say TEXT; that of a module is its lesson's idea, or main
# program. With SAN only the proofs of that sanitizer are looked at. Below
# its header, a twin differs from the file in at most 24 lines of `diff`.
set -u

tools=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
hanging_seconds=4
seconds=60
changed_lines=24

# Prints the comment that a file begins with, or what comes after it.
header() {
    sed '/\*\//q' "$1"
}

body() {
    awk 'NR == 1 && !/^\/\*/ { past = 1 } past; /\*\// { past = 1 }' "$1"
}

# is_wanted KIND: whether SAN looks at this kind of proof.
is_wanted() {
    case ${SAN:-all}:$1 in
    all:* | thread:thread | address*:address) ;;
    *) return 1 ;;
    esac
}

# prepare KIND: sets bin to where the programs are that can show such a proof,
# built when they are first needed, and prefix to what starts them. Fails
# when nothing can start them here; then why says so.
prepare() {
    prefix='env'
    case $1 in
    address) san=address,undefined ;;
    thread) san=thread ;;
    *)
        bin=$ASQ_BUILD
        return
        ;;
    esac
    bin=$ASQ_BUILD/san-$(echo "$san" | tr , -)
    if [ ! -f "$folder/$san.why" ]; then
        SAN=$san sh "$tools/sanitizer.sh" >"$folder/$san.prefix" \
            2>"$folder/$san.why"
        if [ ! -s "$folder/$san.why" ] &&
            ! run_make SAN="$san" lesson-programs >"$folder/make" 2>&1; then
            fail "building with SAN=$san" "$(cat "$folder/make")"
            finish
        fi
    fi
    prefix=$(cat "$folder/$san.prefix")
    why=$(cat "$folder/$san.why")
    [ -z "$why" ]
}

# run SECONDS PROGRAM [ARGUMENT]: leaves the output in out and status.
run() {
    limit=$1
    shift
    # What a twin leaves behind goes with the folder.
    # shellcheck disable=SC2086 # the prefix is words
    ASQ_BUILD=$folder/build $prefix sh "$tools/limit.sh" "$limit" "$@" \
        >"$folder/out" 2>&1
    status=$?
}

says() {
    grep -qF -e "$1" "$folder/out"
}

# shows KIND TEXT: whether the program that was run shows this proof.
shows() {
    case $1 in
    address | thread) [ "$status" != 0 ] && [ "$status" != 124 ] && says "$2" ;;
    prints) says "$2" ;;
    hangs) [ "$status" = 124 ] && says "$2" ;;
    exits) [ "$status" = "$2" ] && [ "$status" != 0 ] ;;
    esac
}

# is_right KIND TEXT: whether it shows that nothing is wrong.
is_right() {
    [ "$status" = 0 ] || return 1
    case $1 in
    address | thread | prints) ! says "$2" ;;
    esac
}

last_words() {
    echo "status $status, and at the end of its output:"
    tail -n 20 "$folder/out"
}

# Two threads do not meet at the wrong moment in each run.
try_proof() {
    tries=1
    limit=$seconds
    case $1 in
    thread) tries=10 ;;
    hangs) limit=$hanging_seconds ;;
    esac
    while [ "$tries" -gt 0 ]; do
        # shellcheck disable=SC2086 # one argument or none
        run "$limit" "$bin/twins/$twin" $arguments
        if shows "$1" "$2"; then
            return
        fi
        tries=$((tries - 1))
    done
    return 1
}

# check_proof KIND TEXT, of the twin that check_twin has read
check_proof() {
    test="$twin ($claim): $1 $2"
    case $1 in
    address | thread | prints | hangs | exits) ;;
    *)
        fail "$test" "$1 is no kind of proof"
        return
        ;;
    esac
    if ! prepare "$1"; then
        not_checked "$test" "$why"
    elif ! try_proof "$1" "$2"; then
        fail "$test" "the twin: $(last_words)"
    else
        # shellcheck disable=SC2086
        run "$seconds" "$bin/$right" $right_arguments
        if is_right "$1" "$2"; then
            ok "$test"
        else
            fail "$test" "$right: $(last_words)"
        fi
    fi
}

# Sets right to the counterpart's program. Main programs take options, and are
# run with few requests.
find_right() {
    arguments=
    right=$lesson-idea
    right_arguments=
    case $copied in
    main.c) arguments='--requests 40' ;;
    case_*)
        right=$lesson-${copied%.c}
        return
        ;;
    esac
    if [ "$copied" = main.c ] || [ ! -f "lessons/$lesson/idea.c" ]; then
        right=$lesson
        right_arguments='--requests 40'
    fi
}

# check_twin FILE
check_twin() {
    twin=${1#lessons/}
    twin=${twin%.c}
    lesson=${twin%/*}
    claim=$(sed -n '1s,^/\* [^ ]* - ,,p' "$1")
    copied=$(header "$1" | sed -n 's/^ \* Copy of: *//p')
    header "$1" | sed -n 's/^ \* Proof:  *\(.\)/\1/p' >"$folder/proofs"
    if [ -z "$claim" ] || [ ! -f "lessons/$lesson/$copied" ] ||
        [ ! -s "$folder/proofs" ]; then
        fail "$twin has a header" 'needed: "/* name - claim", "Copy of: file"
of the same folder, and "Proof: kind text"'
        return
    fi

    body "$1" >"$folder/twin"
    body "lessons/$lesson/$copied" >"$folder/copied"
    changed=$(diff "$folder/twin" "$folder/copied" | grep -c '^[<>]')
    if [ "$changed" = 0 ] || [ "$changed" -gt "$changed_lines" ]; then
        fail "$twin is nearly $copied" \
            "$changed changed lines, expected 1 to $changed_lines"
    fi

    find_right
    while read -r kind text; do
        if is_wanted "$kind"; then
            check_proof "$kind" "$text"
        fi
    done <"$folder/proofs"
}

make_folder
mkdir "$folder/build"
for source in lessons/[0-9][0-9]-*/*.c; do
    case $source in
    */main.c | */idea.c | */claims.c | */case_*.c) continue ;;
    esac
    if [ -f "$source" ] && [ ! -f "${source%.c}.h" ]; then
        check_twin "$source"
    fi
done
finish
