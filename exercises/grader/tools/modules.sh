#!/bin/sh
# modules.sh - names the modules that files need
#
#   sh exercises/grader/tools/modules.sh FILE...
#
# Follows the includes of the files, and those of the modules found that way,
# and prints the .c file of each: lessons/03-event-loop/conn.c. In bench the
# files include their neighbours, too. The parts of a module share a header
# X_internal.h: those that include it, in its folder. So a check of one exercise
# builds no more than it needs.
set -u

exec awk '
# Adds a file to those that are read, once.
function add(path) {
    if (path in seen)
        return
    seen[path] = 1
    files[++count] = path
}
# Returns whether it can be read.
function is_there(path,    line, result) {
    result = (getline line <path) >= 0
    close(path)
    return result
}
function add_parts(header,    command, path) {
    if (header in asked)
        return
    asked[header] = 1
    path = header
    sub(/[^\/]*$/, "", path)
    command = "grep -l \"include .*/" substr(header, length(path) + 1) "\" " \
        path "*.c"
    while ((command | getline path) > 0)
        add(path)
    close(command)
}
# Reads the file whole before it looks at others, one of which may be itself.
function follow(path,    line, names, n, i, name, source) {
    while ((getline line <path) > 0)
        if (line ~ /^#include "[^"]*\// ||
            (path ~ /^bench\// && line ~ /^#include "/))
            names[++n] = line
    close(path)
    for (i = 1; i <= n; i++) {
        name = names[i]
        sub(/^#include "/, "", name)
        sub(/".*/, "", name)
        name = (name ~ /\// ? "lessons/" : "bench/") name
        if (!is_there(name))
            continue
        add(name)
        source = name
        sub(/\.h$/, ".c", source)
        if (is_there(source))
            add(source)
        else if (source ~ /_internal\.c$/)
            add_parts(name)
    }
}
BEGIN {
    for (i = 1; i < ARGC; i++)
        add(ARGV[i])
    given = count
    for (i = 1; i <= count; i++) {
        follow(files[i])
        if (i > given && files[i] ~ /\.c$/)
            print files[i]
    }
}' "$@"
