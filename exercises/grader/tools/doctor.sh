#!/bin/sh
# doctor.sh - says whether this machine is fit for the course
#
#   sh exercises/grader/tools/doctor.sh [--json FILE]      (make doctor)
#
# A line for each thing: "ok", "note" (works, but worth knowing) or "BAD" (the
# course does not work as it should), what was found, and the fix. Writes
# nothing outside of the build folder but FILE. Exit status: 0 when nothing is
# bad, or 1.
set -u

# shellcheck source-path=SCRIPTDIR source=course.sh
. "$(dirname "$0")/course.sh"

compiler=${CC:-cc}
make=${MAKE:-make}

# ---- Saying it -------------------------------------------------------------

bad=0

# Makes standard input the inside of a JSON string.
json_text() {
    LC_ALL=C tr '\000-\037\177' ' ' |
        LC_ALL=C sed 's/[\\"]/\\&/g'
}

comma=

# say RESULT NAME FOUND [FIX]
say() {
    [ "$1" != BAD ] || bad=$((bad + 1))
    printf '%-5s %-12s %s%s\n' "$1" "$2" "$3" "${4:+; $4}"
    printf '%s  {"name": "%s", "result": "%s", "found": "%s", "fix": "%s"}' \
        "$comma" "$2" "$1" "$(printf %s "$3" | json_text)" \
        "$(printf %s "${4:-}" | json_text)" >>"$folder/json"
    comma=',
'
}

write_json() {
    healthy=true
    [ "$bad" = 0 ] || healthy=false
    {
        printf '{"version": 1, "course": "%s", "healthy": %s, "checks": [\n' \
            "$(version | json_text)" "$healthy"
        cat "$folder/json"
        printf '\n]}\n'
    } >"$1.new" && mv "$1.new" "$1" || stop "--json $1: cannot be written"
}

first_line() {
    "$@" 2>/dev/null </dev/null | head -n 1
}

# is_at_least VERSION NEEDED, of two numbers each, as in 4.3
is_at_least() {
    awk -v have="$1" -v needed="$2" 'BEGIN {
        split(have, h, /[^0-9]+/)
        split(needed, n, /[^0-9]+/)
        exit !(h[1] + 0 > n[1] + 0 ||
               (h[1] == n[1] && h[2] + 0 >= n[2] + 0)) }'
}

# ---- What builds the course ------------------------------------------------

# Compiles standard input to a program in our folder.
compile() {
    cat >"$folder/$1.c"
    # shellcheck disable=SC2086 # CC may be several words
    $compiler -std=c11 -D_POSIX_C_SOURCE=200809L -o "$folder/$1" \
        "$folder/$1.c" >"$folder/$1.log" 2>&1
}

check_compiler() {
    # shellcheck disable=SC2086
    found=$(first_line $compiler --version)
    if [ -z "$found" ]; then
        say BAD compiler "there is no $compiler" \
            'install gcc or clang, or name yours: make CC=...'
    elif ! compile c11 <<'TEXT'
#include <stdatomic.h>
int main(void)
{
    atomic_int n = 0;

    return atomic_load(&n);
}
TEXT
    then
        say BAD compiler "$found does not compile C11" \
            "$(grep -m 1 -i error "$folder/c11.log")"
    else
        say ok compiler "$found"
    fi
}

check_make() {
    found=$(first_line "$make" --version)
    case $found in
    'GNU Make '*) ;;
    *)
        say BAD make "${found:-none} is not GNU make" 'install GNU make'
        return
        ;;
    esac
    if is_at_least "${found#GNU Make }" 3.81; then
        say ok make "$found (3.81 or later needed)"
    else
        say BAD make "$found, 3.81 or later needed" 'install a newer one'
    fi
}

# Asks what make asks before it builds.
check_libraries() {
    sh tests/tools/deps.sh >"$folder/libraries"
    missing=
    while read -r name needed found; do
        if [ -z "$found" ]; then
            missing=yes
            say BAD "$name" 'not found' 'the last lines say how to get it'
        elif ! is_at_least "$found" "$needed"; then
            missing=yes
            say BAD "$name" "$found, $needed or later needed" \
                'the last lines say what to do'
        else
            say ok "$name" "$found ($needed or later needed)"
        fi
    done <"$folder/libraries"
}

# check_sanitizer NAME SANITIZERS: without it the grader cannot check all, and
# says "not checked".
check_sanitizer() {
    if prefix=$(SAN=$2 CC=$compiler TMPDIR=$folder \
        sh tests/tools/sanitizer.sh 2>"$folder/why"); then
        case $prefix in
        env) say ok "$1" 'starts' ;;
        *) say ok "$1" "starts, with $prefix" ;;
        esac
    else
        say BAD "$1" "$(cat "$folder/why")" \
            'make check cannot check all; try CC=clang or CC=gcc'
    fi
}

check_debugger() {
    for tool in gdb lldb; do
        if have "$tool"; then
            say ok debugger "$(first_line "$tool" --version)"
            return
        fi
    done
    say note debugger 'neither gdb nor lldb' 'make debug needs one of them'
}

# ---- The machine -----------------------------------------------------------

check_processors() {
    count=$(getconf _NPROCESSORS_ONLN 2>/dev/null)
    case $count in
    '' | *[!0-9]*) say note processors 'their number is not known' ;;
    1) say note processors 1 'threads take turns, so figures will differ' ;;
    *) say ok processors "$count" ;;
    esac
}

check_memory() {
    if [ -r /proc/meminfo ]; then
        mib=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    else
        mib=$(sysctl -n hw.memsize 2>/dev/null |
            awk '{ printf "%d", $1 / 1048576 }')
    fi
    if [ "${mib:-0}" -le 0 ]; then
        say note memory 'its size is not known'
    elif [ "$mib" -lt 900 ]; then
        say note memory "$mib MiB" 'builds may fail: try make -j1'
    else
        say ok memory "$mib MiB"
    fi
}

# The program writes a block and syncs it, 21 times or for three seconds, and
# prints the median in microseconds.
check_sync() {
    if ! compile sync <<'TEXT'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        exit(1);
    return (long)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
    long x = *(const long *)a;
    long y = *(const long *)b;

    return (x > y) - (x < y);
}

int main(int argc, char *argv[])
{
    static char block[4096];
    long times[21];
    size_t count = 0;
    long begin = now();
    int file = argc == 2 ? open(argv[1], O_CREAT | O_WRONLY, 0600) : -1;

    if (file < 0)
        return 1;
    while (count < 21 && (count < 3 || now() - begin < 3000000)) {
        long start = now();

        if (write(file, block, sizeof(block)) != sizeof(block) ||
            fsync(file) != 0)
            return 1;
        times[count] = now() - start;
        count++;
    }
    qsort(times, count, sizeof(times[0]), compare);
    return printf("%ld\n", times[count / 2]) < 0;
}
TEXT
    then
        say note 'sync' 'not measured: its program does not compile'
        return
    fi
    micros=$("$folder/sync" "$folder/block") || micros=
    case $micros in
    '' | *[!0-9]*)
        say BAD 'sync' "a file in $build cannot be synced" \
            'build elsewhere: make BUILD=dir'
        return
        ;;
    esac
    found="$(awk "BEGIN { printf \"%.2f\", $micros / 1000 }") ms (median)"
    if [ "$micros" -gt 50000 ]; then
        say note 'sync' "$found" 'slow: commits take as long as this'
    elif [ "$micros" -lt 20 ]; then
        say note 'sync' "$found" \
            "nothing is written to a disk: commits look too cheap in $build"
    else
        say ok 'sync' "$found"
    fi
}

# Prints the type of the file system that holds the folder.
file_system() {
    if [ "$(uname -s)" = Linux ]; then
        df -P -T "$1" 2>/dev/null | awk 'NR == 2 { print $2 }'
    else
        device=$(df -P "$1" | awk 'NR == 2 { print $1 }')
        mount | awk -v device="$device" '
            $1 == device { sub(/^[^(]*\(/, ""); sub(/[,)].*/, ""); print; exit }'
    fi
}

check_file_system() {
    found=$(file_system "$build")
    case $found in
    nfs* | cifs | smb* | afs | afpfs | ceph | webdav* | 9p | v9fs | drvfs | \
        vboxsf | prl_fs | virtiofs | fakeowner | *vmhgfs* | *sshfs* | \
        *davfs* | *rclone* | *s3fs* | *grpcfuse*)
        say BAD 'file system' "$build is on $found, a drive that is shared" \
            "SQLite's WAL does not work there: make BUILD=/tmp/$course-build"
        ;;
    vfat | msdos | exfat | ntfs* | fuseblk)
        say note 'file system' "$build is on $found" \
            'rights of files do not work there; better make BUILD=dir'
        ;;
    '') say note 'file system' "that of $build is not known" ;;
    *) say ok 'file system' "$build is on $found" ;;
    esac
}

check_space() {
    mib=$(df -P -k "$build" 2>/dev/null |
        awk 'NR == 2 { printf "%d", $4 / 1024 }')
    if [ -z "$mib" ]; then
        say note 'disk space' "that of $build is not known"
    elif [ "$mib" -lt 500 ]; then
        say BAD 'disk space' "$mib MiB are free for $build, 500 needed" \
            'make room, or make BUILD=dir'
    else
        say ok 'disk space' "$mib MiB are free"
    fi
}

check_sandbox() {
    if ! have bwrap; then
        say note sandbox 'there is no bubblewrap' \
            'make check runs without; it is needed for the work of others only'
    elif bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all \
        --die-with-parent --new-session true >/dev/null 2>&1; then
        say ok sandbox "$(first_line bwrap --version)"
    else
        say note sandbox 'bubblewrap does not start here' \
            'make check runs without; it is needed for the work of others only'
    fi
}

check_terminal() {
    if is_utf8; then
        say ok terminal UTF-8
    else
        say note terminal 'it is not UTF-8' \
            'bars are drawn in ASCII; LANG=C.UTF-8 changes that'
    fi
}

# A clock that is behind the files makes make build for ever.
check_clock() {
    : >"$folder/now"
    young=$(find Makefile lessons exercises tests -type f -newer "$folder/now" \
        2>/dev/null | head -n 1)
    year=$(date +%Y)
    if [ "$year" -lt 2024 ]; then
        say BAD clock "it says $(date +%Y-%m-%d)" 'set it'
    elif [ -n "$young" ]; then
        say note clock "$young is younger than now" \
            'set the clock, or touch the file: it is built again each time'
    else
        say ok clock "$(date +%Y-%m-%d), no file is younger"
    fi
}

# ---- All of it -------------------------------------------------------------

json=
case "$#:${1:-}${2:+=}" in
0:) ;;
2:--json=) json=$2 ;;
*:--json*) misuse '--json: name a file, as in --json build/doctor.json' ;;
*) misuse "$1: use --json FILE, or nothing" ;;
esac
[ -f tests/tools/deps.sh ] && [ -f tests/tools/sanitizer.sh ] ||
    stop 'tests/tools is missing: take it from the archive of the course'
make_folder doctor
: >"$folder/json"
check_compiler
check_make
check_libraries
check_sanitizer addresses address,undefined
check_sanitizer races thread
check_debugger
check_processors
check_memory
check_sync
check_file_system
check_space
check_sandbox
check_terminal
check_clock
[ -z "$json" ] || write_json "$json"
echo
if [ "$bad" != 0 ]; then
    echo "$bad bad: mend what says BAD."
    if [ -n "$missing" ]; then
        echo
        DEPS=skip sh tests/tools/deps.sh "$folder" 2>&1
    fi
    exit 1
fi
echo 'This machine is fit for the course.'
