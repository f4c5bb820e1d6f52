#!/bin/sh
# deps.sh - finds what the course needs, and installs it where it may
#
#   sh tests/tools/deps.sh DIR
#
# Looks for a C compiler (CC), pkg-config (PKG_CONFIG), libuv and sqlite3.
# When all is there, writes the compiler's flags to DIR/deps.cflags and the
# linker's to DIR/deps.libs and is silent. What make grade opens archives with,
# libarchive, is optional: DIR/archive.cflags and DIR/archive.libs. What is missing is named; then, in
# this order:
#
#   DEPS=skip       nothing is installed
#   a terminal      one question, even for root
#   root, or CI     installed at once (sudo -n)
#   else            the command is printed
#
# Exit status: 0, or 2 when something is still missing or too old.
set -u

dir=$1
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

without_rights() {
    cat >&2 <<TEXT
Without administrator rights: build libuv and SQLite into a folder of your
own (./configure --prefix=\$HOME/.local && make install) and tell where it is:
  export PKG_CONFIG_PATH=\$HOME/.local/lib/pkgconfig
TEXT
}

# Sets missing to the names of what is not there. Without pkg-config nothing
# is known of the libraries, so they are asked for as well.
find_missing() {
    missing=
    if ! have "$pkg_config"; then
        missing='pkg-config libuv sqlite3'
        return
    fi
    "$pkg_config" --exists libuv || missing=libuv
    "$pkg_config" --exists sqlite3 || missing="$missing sqlite3"
    missing=${missing# }
}

# check_version LIBRARY NEEDED
check_version() {
    "$pkg_config" --atleast-version="$2" "$1" && return
    say "$1 $("$pkg_config" --modversion "$1") found, $2 or later needed."
    too_old=yes
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
    exit 2
}

# Asks, decides or stops; comes back only when installing is allowed.
allow() {
    if [ "${DEPS:-ask}" = skip ]; then
        print_command 'DEPS=skip installs nothing. To install it:'
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

# A machine that never ran apt-get has no list of packages, and an old list
# names files that are gone.
run_install() {
    case $install in
    *apt-get*)
        # shellcheck disable=SC2086 # names are words, sudo may be empty
        if ! apt-cache show $names >/dev/null 2>&1; then
            ${sudo}apt-get update
            $install
        else
            $install || { ${sudo}apt-get update && $install; }
        fi
        ;;
    *) $install ;;
    esac >&2
}

# write FILE TEXT: leaves a file alone that already says so.
write() {
    if [ ! -f "$1" ] || [ "$(cat "$1")" != "$2" ]; then
        printf '%s\n' "$2" >"$1"
    fi
}

system=$(uname -s)
if [ "$system" = Darwin ]; then
    find_homebrew
fi

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

find_missing
if [ -n "$missing" ]; then
    say "Missing: $(printf '%s' "$missing" | sed 's/ /, /g')."
    have "$pkg_config" || say '(Libraries are found by pkg-config only.)'
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

too_old=
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
if "$pkg_config" --exists libarchive; then
    archive_cflags="-DASQ_LIBARCHIVE $("$pkg_config" --cflags libarchive)"
    archive_libs=$(libs libarchive)
fi
# Where the C library has it, iconv is not a library of its own.
[ "$system" != Darwin ] || archive_libs="$archive_libs -liconv"
deps_libs=$(libs libuv sqlite3) || exit 2
write "$dir/archive.cflags" "$archive_cflags"
write "$dir/archive.libs" "$archive_libs"
write "$dir/deps.cflags" "$("$pkg_config" --cflags libuv sqlite3)"
write "$dir/deps.libs" "$deps_libs"
