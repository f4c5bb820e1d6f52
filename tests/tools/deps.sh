#!/bin/sh
# deps.sh - finds what the course needs, and installs it where it may
#
#   sh tests/tools/deps.sh DIR
#   sh tests/tools/deps.sh          prints what it finds, for make doctor
#
# Looks for a C compiler (CC), pkg-config (PKG_CONFIG), libuv and sqlite3.
# When all is there, writes the compiler's flags to DIR/deps.cflags and the
# linker's to DIR/deps.libs and is silent. What make grade opens archives with,
# libarchive, is optional: DIR/archive.cflags and DIR/archive.libs. What is
# missing is named, and so is what this system cannot install new enough; then,
# in this order:
#
#   DEPS=skip       nothing is installed
#   DEPS=home       the libraries are taken into a folder of one's own, which
#                   needs no rights (Debian, Ubuntu and their relatives)
#   a terminal      one question, even for root
#   root, or CI     installed at once (sudo -n)
#   else            the command is printed
#
# Without DIR, a line for each library: name, version needed, version found.
#
# Exit status: 0, or 2 when something is still missing or too old.
set -u

dir=${1:-}
home=${HOME:-/nonexistent}/.local/share/async-db
compiler=${CC:-cc}
pkg_config=${PKG_CONFIG:-pkg-config}
uv_needed=1.40
sqlite_needed=3.37

say() {
    printf '%s\n' "$*" >&2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

stop() {
    say "$@"
    exit 2
}

# Prints how it goes without rights. What was taken before is too old then.
without_rights() {
    if have apt-get && [ -z "${too_old:-}" ]; then
        say 'Without administrator rights, into a folder of your own:'
        say '  make DEPS=home demo'
        return
    fi
    cat >&2 <<TEXT
Without administrator rights: build libuv and SQLite into a folder of your
own (./configure --prefix=\$HOME/.local && make install) and tell where it is:
  export PKG_CONFIG_PATH=\$HOME/.local/lib/pkgconfig
TEXT
}

# Sets own to the folder that holds what DEPS=home has taken, if it has.
find_own() {
    own=
    for file in "$home"/usr/lib/*/pkgconfig/libuv.pc; do
        [ ! -f "$file" ] || own=${file%/pkgconfig/libuv.pc}
    done
}

# Prints the version of a library, if it is there. What lies in a folder of
# our own needs no pkg-config.
version_of() {
    if [ -n "$own" ]; then
        sed -n 's/^Version: *//p' "$own/pkgconfig/$1.pc"
    elif have "$pkg_config"; then
        "$pkg_config" --modversion "$1" 2>/dev/null
    fi
}

# Sets missing to the names of what is not there. Without pkg-config nothing
# is known of the libraries, so they are asked for as well.
find_missing() {
    missing=
    [ -z "$own" ] || return
    if ! have "$pkg_config"; then
        missing='pkg-config libuv sqlite3'
        return
    fi
    "$pkg_config" --exists libuv || missing=libuv
    "$pkg_config" --exists sqlite3 || missing="$missing sqlite3"
    missing=${missing# }
}

# is_new_enough VERSION NEEDED, of two numbers each, as in 3.40.1 and 3.37
is_new_enough() {
    minor=${1#*.}
    minor=${minor%%[!0-9]*}
    [ "${1%%.*}" -gt "${2%%.*}" ] 2>/dev/null ||
        { [ "${1%%.*}" = "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

# check_version LIBRARY NEEDED
check_version() {
    found=$(version_of "$1")
    is_new_enough "$found" "$2" && return
    say "$1 $found found, $2 or later needed."
    too_old=yes
}

# check_candidate LIBRARY NEEDED PACKAGE: what apt-get would install.
check_candidate() {
    case " $missing " in *" $1 "*) ;; *) return ;; esac
    found=$(LC_ALL=C apt-cache policy "$3" 2>/dev/null |
        sed -n 's/^ *Candidate: *\([0-9]*:\)*\([0-9][^-]*\).*/\2/p')
    [ -n "$found" ] || return
    is_new_enough "$found" "$2" && return
    say "This system has $1 $found to install, $2 or later is needed."
    too_old=yes
}

check_candidates() {
    have apt-cache || return
    check_candidate libuv "$uv_needed" libuv1-dev
    check_candidate sqlite3 "$sqlite_needed" libsqlite3-dev
    [ -n "$too_old" ] || return 0
    say 'So nothing is installed. Debian 12 and Ubuntu 22.04 are new enough.'
    without_rights
    exit 2
}

# A compiler is tried once in a folder.
check_compiler() {
    [ ! -f "$dir/deps.cflags" ] || return
    cat >"$dir/probe.c" <<TEXT
#include <stdatomic.h>
#include <stddef.h>
_Static_assert(sizeof(max_align_t) >= sizeof(int), "C11");
int main(void) { atomic_int n = 0; return atomic_load(&n); }
TEXT
    # shellcheck disable=SC2086 # the compiler may be several words
    if ! $compiler -std=c11 -o "$dir/probe" "$dir/probe.c" \
        >"$dir/probe.log" 2>&1; then
        say "$($compiler --version 2>/dev/null | head -n 1) does not compile C11:"
        say "  $(grep -m 1 -i error "$dir/probe.log")"
        say 'gcc 4.9 or clang 3.6 or a later one is needed (make CC=...), and the'
        stop "C library's headers (on Debian, the package libc6-dev)."
    fi
    rm -f "$dir/probe" "$dir/probe.c" "$dir/probe.log"
}

# Homebrew keeps some out of the way of those that macOS brings.
find_homebrew() {
    for prefix in /opt/homebrew/opt /usr/local/opt; do
        for keg in "$prefix/sqlite/lib/pkgconfig" \
            "$prefix/libarchive/lib/pkgconfig"; do
            if [ -d "$keg" ]; then
                PKG_CONFIG_PATH=${PKG_CONFIG_PATH:+$PKG_CONFIG_PATH:}$keg
                export PKG_CONFIG_PATH
            fi
        done
    done
}

# packages LIBUV SQLITE PKG-CONFIG: what is missing, in a system's own names.
packages() {
    for name in $missing; do
        case $name in
        libuv) printf ' %s' "$1" ;;
        sqlite3) printf ' %s' "$2" ;;
        pkg-config) printf ' %s' "$3" ;;
        esac
    done
}

# Sets install to the command that installs what is missing. Installing is
# not tried where it is not set.
find_install() {
    install=
    sudo=
    if [ "$system" = Darwin ]; then
        if have brew; then
            install="brew install$(packages libuv sqlite pkg-config)"
        fi
    elif have apt-get; then
        if [ "$(id -u)" != 0 ]; then
            sudo='sudo '
        fi
        names=$(packages libuv1-dev libsqlite3-dev pkg-config)
        install="${sudo}apt-get install -y$names"
    fi
}

other_system() {
    if [ "$system" = Darwin ]; then
        say 'Install them with Homebrew (https://brew.sh):'
        say "  brew install$(packages libuv sqlite pkg-config)"
    else
        say 'Install them with the one of these that your system has:'
        dev=$(packages libuv-devel sqlite-devel pkgconf-pkg-config)
        say "  dnf install$dev"
        say "  pacman -S$(packages libuv sqlite pkgconf)"
        say "  apk add$(packages libuv-dev sqlite-dev pkgconf)"
        say "  zypper install$(packages libuv-devel sqlite3-devel pkg-config)"
    fi
    without_rights
    exit 2
}

print_command() {
    say "$1"
    say "  $install"
    [ "$(id -u)" = 0 ] || [ "$system" = Darwin ] || without_rights
    exit 2
}

# Asks, decides or stops; comes back only when installing is allowed.
allow() {
    if [ "${DEPS:-ask}" = skip ]; then
        print_command 'To install it:'
    fi
    if [ -n "$sudo" ] && ! have sudo; then
        print_command 'There is no sudo here. An administrator installs it with:'
    fi
    if [ -t 0 ] && [ -t 2 ]; then
        say "It would be installed by: $install"
        printf 'Install now? [y/n] ' >&2
        answer=
        read -r answer || say ''
        case $answer in
        [yY]*) return ;;
        esac
        print_command 'To install it yourself:'
    fi
    if [ "$(id -u)" = 0 ]; then
        return
    fi
    if [ -z "${CI:-}" ]; then
        print_command 'There is no terminal to ask on. To install it:'
    fi
    # Without a terminal a password cannot be asked for.
    install="${sudo:+sudo -n }${install#"$sudo"}"
    sudo=${sudo:+sudo -n }
}

# Without a network apt-get is to end soon. apt_log WORD ... calls it, and
# keeps what it says.
quick='-o Acquire::Retries=0 -o Acquire::http::Timeout=8
    -o Acquire::https::Timeout=8 -o Acquire::EnableSrvRecords=false'
apt_log() {
    # shellcheck disable=SC2086 # options are words
    LC_ALL=C "$@" >"$log" 2>&1
}

apt_error() {
    sed -n '/^E:/{p;q;}' "$log"
}

# update WORD ...: fetches the list of packages. Some servers of a list may be
# gone; when none has answered there is no network.
update() {
    # shellcheck disable=SC2086 # options are words
    apt_log "$@" $quick update
    grep -q -e '^Hit:' -e '^Get:' "$log" ||
        stop 'No server of packages answers: is there a network?' \
            'When there is one, call make again.'
}

# Installs, silently where that may be looked up.
run_install() {
    case $install in
    *apt-get*)
        # shellcheck disable=SC2086 # names are words, sudo may be empty
        update ${sudo}apt-get
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt_log $install && return
        apt_error >&2
        return 1
        ;;
    *) $install >&2 ;;
    esac
}

# Downloads the packages of the libraries into the folder of that name.
download() (
    cd "$debs" || exit 1
    names=$(LC_ALL=C apt-cache depends libuv1-dev libsqlite3-dev 2>/dev/null |
        sed -n 's/^ *Depends: *\(lib\(uv\|sqlite\)[^ ]*\)$/\1/p')
    # shellcheck disable=SC2086 # names and options are words
    apt_log apt-get $quick download libuv1-dev libsqlite3-dev $names
)

# Takes the libraries into a folder of one's own. The lists of packages of the
# system may be old, and only root may fetch new ones: ours do not stay.
take_home() {
    have apt-get || stop 'DEPS=home takes packages with apt-get; it is not here.'
    say "Taking libuv and SQLite into $home"
    debs=$(cd "$dir" && pwd)/debs
    rm -rf "$debs"
    mkdir -p "$debs/lists/partial" "$debs/cache" "$home" || exit 2
    cat >"$debs/apt.conf" <<TEXT
Dir::State::Lists "$debs/lists";
Dir::Cache "$debs/cache";
Acquire::Languages "none";
TEXT
    export APT_CONFIG="$debs/apt.conf"
    update apt-get
    download || stop "That failed. $(apt_error)"
    for deb in "$debs"/*.deb; do
        dpkg -x "$deb" "$home" || exit 2
    done
    rm -rf "$debs"
    find_own
    [ -n "$own" ] || stop "That failed: there is no libuv.pc in $home."
}

# write FILE TEXT: leaves a file alone that already says so.
write() {
    if [ ! -f "$1" ] || [ "$(cat "$1")" != "$2" ]; then
        printf '%s\n' "$2" >"$1"
    fi
}

system=$(uname -s)
too_old=
find_own
if [ "$system" = Darwin ]; then
    find_homebrew
fi
if [ -z "$dir" ]; then
    echo "libuv $uv_needed $(version_of libuv)"
    echo "sqlite3 $sqlite_needed $(version_of sqlite3)"
    exit 0
fi

log=$(cd "$dir" && pwd)/apt.log || exit 2

# The compiler may be several words, as in "ccache gcc".
if ! have "${compiler%% *}"; then
    say "Missing: a C compiler (${compiler%% *})."
    if [ "$system" = Darwin ]; then
        stop 'Install one with: xcode-select --install'
    elif have apt-get; then
        stop 'Install one with: sudo apt-get install gcc libc6-dev'
    fi
    stop 'Install gcc or clang, or name yours: make CC=...'
fi
check_compiler

find_missing
if [ -n "$missing" ] && [ "${DEPS:-ask}" = home ]; then
    check_candidates
    take_home
elif [ -n "$missing" ]; then
    say "Missing: $(printf '%s' "$missing" | sed 's/ /, /g')."
    have "$pkg_config" || say '(Libraries are found by pkg-config only.)'
    check_candidates
    find_install
    [ -n "$install" ] || other_system
    allow
    say "Installing: $install"
    run_install || print_command 'That failed. The command was:'
    if [ "$system" = Darwin ]; then
        find_homebrew
    fi
    find_missing
    [ -z "$missing" ] || print_command "Still missing: $missing, after:"
fi

check_version libuv "$uv_needed"
check_version sqlite3 "$sqlite_needed"
if [ -n "$too_old" ]; then
    without_rights
    exit 2
fi

# libs LIBRARY...: a library outside the system's folders must be found at run
# time, too.
libs() {
    libs_=$("$pkg_config" --libs "$@") || exit 2
    for word in $libs_; do
        case $word in
        -L*) libs_="$libs_ -Wl,-rpath,${word#-L}" ;;
        esac
    done
    echo "$libs_"
}

archive_cflags=
archive_libs=
if have "$pkg_config" && "$pkg_config" --exists libarchive; then
    archive_cflags="-DASQ_LIBARCHIVE $("$pkg_config" --cflags libarchive)"
    archive_libs=$(libs libarchive)
fi
# Where the C library has it, iconv is not a library of its own.
[ "$system" != Darwin ] || archive_libs="$archive_libs -liconv"
if [ -n "$own" ]; then
    deps_cflags="-isystem $home/usr/include"
    deps_libs="-L$own -luv -lsqlite3 -Wl,-rpath,$own"
else
    deps_cflags=$("$pkg_config" --cflags libuv sqlite3)
    deps_libs=$(libs libuv sqlite3) || exit 2
fi
write "$dir/archive.cflags" "$archive_cflags"
write "$dir/archive.libs" "$archive_libs"
write "$dir/deps.cflags" "$deps_cflags"
write "$dir/deps.libs" "$deps_libs"
