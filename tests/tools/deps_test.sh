#!/bin/sh
# deps_test.sh - runs deps.sh on machines that are pretended
#
#   sh deps_test.sh
#
# A machine is a folder of commands, which alone is in PATH. A library that is
# installed is a file have/NAME with its version as text; the package managers
# add such files. What was called stands in log.
# shellcheck disable=SC2016 # commands of a machine are not expanded here
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=report.sh
. "$tools/report.sh"
shell=$(command -v sh)

# add NAME: what stands on standard input becomes a command of the machine.
add() {
    {
        echo "#!$shell"
        cat
    } >"$machine/bin/$1"
    chmod +x "$machine/bin/$1"
}

add_pkg_config() {
    add pkg-config <<'TEXT'
version=$(cat "$MACHINE/have/$2" 2>/dev/null)
needed=${1#*=}
case $1 in
--exists) [ -n "$version" ] ;;
--modversion) echo "$version" ;;
--atleast-version=*)
    minor=${version#*.}
    [ "${version%%.*}" = "${needed%%.*}" ] &&
        [ "${minor%%.*}" -ge "${needed#*.}" ]
    ;;
--cflags) echo '-I/far/include' ;;
--libs) echo '-L/far/lib -luv -lsqlite3' ;;
esac
TEXT
}

# Adds apt-get. It installs only with a list of packages, which is new, old or
# not there. What it downloads is not an archive, but its name says what dpkg
# would take from it.
add_apt() {
    [ "$1" = none ] || echo "$1" >"$machine/list"
    add apt-cache <<'TEXT'
[ -f "$MACHINE/list" ] || [ -f "${APT_CONFIG%/*}/lists/list" ] || exit 100
case "$*" in
"policy libuv1-dev") echo "  Candidate: ${APT_UV:-1.44.2-1+b1}" ;;
"policy libsqlite3-dev") echo "  Candidate: 1:${APT_SQLITE:-3.40.1}-2" ;;
*depends*) printf '  Depends: %s\n' libuv1t64 libsqlite3-0 libc6-dev '<x>' ;;
esac
TEXT
    add apt-get <<'TEXT'
while [ "$1" = -o ]; do
    shift 2
done
list=$MACHINE/list
[ -z "${APT_CONFIG:-}" ] || list=${APT_CONFIG%/*}/lists/list
if [ "$1" = update ]; then
    echo "apt-get update" >>"$MACHINE/log"
    if [ -n "${OFFLINE:-}" ]; then
        echo 'Err:1 http://far stable InRelease'
        exit 0
    fi
    echo 'Hit:1 http://far stable InRelease'
    echo new >"$list"
    exit
fi
echo "apt-get $*" >>"$MACHINE/log"
if [ "$(cat "$list")" != new ]; then
    echo 'E: it is gone'
    exit 100
fi
if [ "$1" = download ]; then
    shift
    for package; do
        : >"$package.deb"
    done
    exit
fi
for package; do
    case $package in
    libuv1-dev) echo "${GIVES_UV:-1.44.2}" >"$MACHINE/have/libuv" ;;
    libsqlite3-dev) echo 3.40.1 >"$MACHINE/have/sqlite3" ;;
    pkg-config) mv "$MACHINE/pkg-config" "$MACHINE/bin/" ;;
    esac
done
TEXT
}

# A machine with a compiler and pkg-config, but no library.
new_machine() {
    machine=$folder/machine
    said=$machine/said
    log=$machine/log
    rm -rf "$machine"
    mkdir -p "$machine/bin" "$machine/have" "$machine/out"
    for tool in cat sed mv rm grep head mkdir; do
        ln -s "$(command -v $tool)" "$machine/bin/$tool"
    done
    : | add cc
    echo 'echo "${SYSTEM:-Linux}"' | add uname
    echo 'echo "${USER_ID:-1000}"' | add id
    echo 'echo "sudo $*" >>"$MACHINE/log"; [ "$1" != -n ] || shift; "$@"' |
        add sudo
    add_pkg_config
}

install_all() {
    echo 1.44.2 >"$machine/have/libuv"
    echo 3.40.1 >"$machine/have/sqlite3"
}

# run [NAME=VALUE ...]: runs deps.sh there, without a terminal.
run() {
    env -i PATH="$machine/bin" MACHINE="$machine" HOME="$machine/home" "$@" \
        "$shell" "$tools/deps.sh" "$machine/out" \
        </dev/null >"$machine/said" 2>&1
    status=$?
}

# answer TEXT [NAME=VALUE ...]: the same on a terminal, where TEXT is typed.
answer() {
    typed=$1
    shift
    echo "$typed" | script -qec "env -i PATH='$machine/bin' \
        MACHINE='$machine' $* '$shell' '$tools/deps.sh' '$machine/out'" \
        /dev/null >"$machine/said" 2>&1
    status=$?
}

make_folder

new_machine
install_all
run
expect is_silent_when_all_is_there 0 'called nothing'
cp "$machine/out/deps.libs" "$machine/said"
expect writes_what_the_linker_needs 0 '-luv -lsqlite3 -Wl,-rpath,/far/lib'
touch -t 200001010000 "$machine/out/deps.libs" "$machine/out/deps.cflags"
run
find "$machine/out" -newer "$tools/deps.sh" >"$machine/said"
expect leaves_flags_alone_that_are_right 0 'not: deps.'

new_machine
install_all
rm "$machine/bin/cc"
run
expect names_a_missing_compiler 2 'a C compiler (cc)'
run CC='ccache clang -m32'
expect names_the_compiler_that_was_asked_for 2 '(ccache)'

new_machine
install_all
echo '[ "$1" = --version ] && echo "cc 4.8" || { echo "cc: error: no C11"; exit 1; }' |
    add cc
run
expect names_a_compiler_that_is_too_old 2 'cc 4.8 does not compile C11' \
    'cc: error: no C11' 'gcc 4.9' 'called nothing'

new_machine
add_apt new
run
expect prints_the_command_where_it_may_not_ask 2 'Missing: libuv, sqlite3' \
    'sudo apt-get install -y libuv1-dev libsqlite3-dev' 'make DEPS=home demo' \
    'called nothing'
rm "$machine/bin/sudo"
run CI=true
expect tries_nothing_without_sudo 2 'There is no sudo' 'make DEPS=home demo' \
    'called nothing'
run USER_ID=0 DEPS=skip
expect installs_nothing_with_deps_skip 2 'Missing: libuv, sqlite3' \
    '  apt-get install -y libuv1-dev libsqlite3-dev' 'not: DEPS=home' \
    'called nothing'
run USER_ID=0
expect installs_at_once_as_root 0 'Installing: ' \
    'called: apt-get install -y libuv1-dev libsqlite3-dev'

new_machine
add_apt new
echo 3.40.1 >"$machine/have/sqlite3"
run CI=true
expect installs_at_once_in_ci 0 'Missing: libuv.' \
    'called: sudo -n apt-get install -y libuv1-dev'

new_machine
add_apt none
run CI=true
expect fetches_the_list_first_if_there_is_none 0 'called: apt-get update' \
    'called: sudo -n apt-get install -y libuv1-dev libsqlite3-dev'

new_machine
add_apt old
run USER_ID=0
expect fetches_the_list_again_if_it_is_old 0 'called: apt-get update'

new_machine
add_apt old
run USER_ID=0 OFFLINE=yes
expect says_that_there_is_no_network 2 'lines: 3' 'is there a network?' \
    'not: Err:'
run OFFLINE=yes DEPS=home
expect says_so_with_deps_home 2 'lines: 2' 'is there a network?'

new_machine
add_apt new
install_all
mv "$machine/bin/pkg-config" "$machine/pkg-config"
run USER_ID=0
expect installs_pkg_config 0 'Missing: pkg-config' \
    'called: apt-get install -y pkg-config libuv1-dev libsqlite3-dev'

new_machine
install_all
echo 1.34.2 >"$machine/have/libuv"
echo 3.31.1 >"$machine/have/sqlite3"
run USER_ID=0
expect names_versions_that_are_too_old 2 'called nothing' \
    'libuv 1.34.2 found, 1.40 or later needed.' \
    'sqlite3 3.31.1 found, 3.37 or later needed.' PKG_CONFIG_PATH

new_machine
add_apt new
run USER_ID=0 GIVES_UV=1.24.1
expect names_a_version_that_is_too_old_as_installed 2 \
    'libuv 1.24.1 found, 1.40 or later needed.'

new_machine
add_apt new
run USER_ID=0 APT_UV=1.34.2-1ubuntu1.5 APT_SQLITE=3.31.1
expect installs_nothing_that_is_too_old 2 \
    'This system has libuv 1.34.2 to install, 1.40 or later is needed.' \
    'This system has sqlite3 3.31.1 to install, 3.37' PKG_CONFIG_PATH \
    'called nothing'

# dpkg takes what the name of the archive says.
add_dpkg() {
    add dpkg <<'TEXT'
to=$3/usr/lib/x86/pkgconfig
mkdir -p "$to"
case $2 in
*libuv1-dev*) printf 'prefix=/usr\nVersion: 1.44.2\n' >"$to/libuv.pc" ;;
*libsqlite3-dev*) echo 'Version: 3.40.1' >"$to/sqlite3.pc" ;;
esac
TEXT
}

new_machine
add_apt new
add_dpkg
rm "$machine/bin/sudo" "$machine/bin/pkg-config"
run DEPS=home
expect takes_the_libraries_home 0 'lines: 1' "Taking" \
    'called: apt-get download libuv1-dev libsqlite3-dev libuv1t64 libsqlite3-0' \
    "none: $machine/out/debs"
run
cp "$machine/out/deps.libs" "$machine/said"
expect finds_what_was_taken_home 0 "-L$machine/home/.local/share" \
    "-Wl,-rpath,$machine/home/.local/share/async-db/usr/lib/x86"
"$shell" -c "unset PKG_CONFIG CC; PATH=$machine/bin HOME=$machine/home exec \
    $shell '$tools/deps.sh'" >"$machine/said"
expect tells_the_doctor 0 'libuv 1.40 1.44.2' 'sqlite3 3.37 3.40.1'

new_machine
add_apt old
add_dpkg
run DEPS=home
cp "$machine/list" "$machine/said"
expect leaves_the_list_of_the_system_alone 0 'last: old' \
    'called: apt-get update'

new_machine
run USER_ID=0
expect names_the_packages_of_other_systems 2 \
    'dnf install libuv-devel sqlite-devel' 'pacman -S libuv sqlite' \
    'apk add libuv-dev sqlite-dev' 'zypper install libuv-devel sqlite3-devel' \
    PKG_CONFIG_PATH

new_machine
run SYSTEM=Darwin CI=true
expect asks_for_homebrew_on_macos 2 'brew install libuv sqlite' PKG_CONFIG_PATH
echo 'echo "brew $*" >>"$MACHINE/log"; exit 1' | add brew
run SYSTEM=Darwin
expect prints_the_command_on_macos 2 'brew install libuv sqlite' \
    'called nothing'
run SYSTEM=Darwin CI=true
expect installs_with_homebrew 2 'called: brew install libuv sqlite' \
    'That failed'

case $(script --version 2>/dev/null) in
*util-linux*)
    new_machine
    add_apt new
    answer n USER_ID=0
    expect asks_even_root 2 'Install now? [y/n]' 'not: Installing' \
        '  apt-get install -y' 'called nothing'
    answer '' CI=true
    expect takes_nothing_for_no 2 'not: Installing' 'called nothing'
    answer y DEPS=skip
    expect does_not_ask_with_deps_skip 2 'not: Install now?' 'called nothing'
    answer y
    expect installs_after_yes 0 'Install now? [y/n]' \
        'called: sudo apt-get install -y libuv1-dev libsqlite3-dev'
    ;;
*)
    not_checked the_question 'there is no script(1) of util-linux'
    ;;
esac
finish
