# modules.awk - what the modules are, and what each of them needs
#
# Read are all .c and .h of lessons/NN-*, by their names from there. A module
# is an X.c beside an X.h; it needs what these two include, and what that
# needs. A header without an X.c comes along with whoever includes it.
#
# without named   prints a table of all modules
# named="a b"     prints what a copy of these is made of, a word and a value a
#                 line: file, public (a header for users), lib, example (of
#                 examples, the module that needs most); or unknown, a name and
#                 those that look like it

FNR == 1 {
    file = FILENAME
    files[++count] = file
    if (match($0, /^\/\* [a-z0-9_]+ - /))
        about[file] = substr($0, RLENGTH + 1)
}

{ lines[file]++ }

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    includes[file] = includes[file] " " part[2]
}

/^[ \t]*#[ \t]*include[ \t]*<uv\.h>/ { uses[file, "libuv"] = 1 }
/^[ \t]*#[ \t]*include[ \t]*<sqlite3\.h>/ { uses[file, "sqlite3"] = 1 }

# A function whose name does not begin with asq__ is for users.
/^(asq_[a-z0-9]|[a-z].*[ *]asq_[a-z0-9])[a-z0-9_]*\(/ { public[file] = 1 }

function source_of(file) {
    sub(/\.h$/, ".c", file)
    return file
}

# Adds a file and all that it needs to the set taken.
function take(file,    wanted, n, i) {
    if (file in taken || !(file in lines))
        return
    taken[file] = 1
    n = split(includes[file], wanted, " ")
    for (i = 1; i <= n; i++)
        take(wanted[i])
    take(source_of(file))
}

function size_taken(    file, sum) {
    for (file in taken)
        sum += lines[file]
    return sum
}

function libs_taken(    file, uv, sqlite) {
    for (file in taken) {
        if ((file, "libuv") in uses)
            uv = " libuv"
        if ((file, "sqlite3") in uses)
            sqlite = " sqlite3"
    }
    return substr(sqlite uv, 2)
}

# How many letters must change to make b of a (Levenshtein).
function distance(a, b,    before, now, i, j, least) {
    for (j = 0; j <= length(b); j++)
        before[j] = j
    for (i = 1; i <= length(a); i++) {
        now[0] = i
        for (j = 1; j <= length(b); j++) {
            least = before[j - 1] + (substr(a, i, 1) != substr(b, j, 1))
            if (before[j] + 1 < least)
                least = before[j] + 1
            if (now[j - 1] + 1 < least)
                least = now[j - 1] + 1
            now[j] = least
        }
        for (j = 0; j <= length(b); j++)
            before[j] = now[j]
    }
    return before[length(b)]
}

function near(name,    i, found) {
    for (i = 1; i <= modules; i++)
        if (2 * distance(name, module[i]) <= length(name) || index(module[i], name) ||
            index(name, module[i]))
            found = found " " module[i]
    return found
}

function print_table(    i, file) {
    printf "%-16s %-6s  %5s  %6s  %-14s %s\n", "module", "lesson", "lines",
        "in all", "libraries", "what it is"
    for (i = 1; i <= modules; i++) {
        split("", taken)
        file = header[module[i]]
        take(file)
        printf "%-16s %-6s  %5d  %6d  %-14s %s\n", module[i],
            substr(file, 1, 2), lines[file] + lines[source_of(file)],
            size_taken(), libs_taken(), about[file]
    }
}

# The example of the module that needs most of what is taken shows most of it.
function best_example(    wanted, all, file, n, i, most, best) {
    for (file in taken)
        all[file] = 1
    n = split(examples, wanted, " ")
    for (i = 1; i <= n; i++) {
        file = header[wanted[i]]
        if (!(file in all))
            continue
        split("", taken)
        take(file)
        if (size_taken() > most) {
            most = size_taken()
            best = wanted[i]
        }
    }
    return best
}

function print_copy(    wanted, n, i) {
    n = split(named, wanted, " ")
    for (i = 1; i <= n; i++) {
        if (wanted[i] in header)
            take(header[wanted[i]])
        else
            print "unknown", wanted[i] near(wanted[i])
    }
    for (i = 1; i <= count; i++) {
        if (!(files[i] in taken))
            continue
        print "file", files[i]
        if (files[i] ~ /\.h$/ && files[i] in public)
            print "public", files[i]
    }
    n = split(libs_taken(), wanted, " ")
    for (i = 1; i <= n; i++)
        print "lib", wanted[i]
    print "example", best_example()
}

END {
    for (i = 1; i <= count; i++) {
        if (files[i] !~ /\.h$/ || !(source_of(files[i]) in lines))
            continue
        name = files[i]
        gsub(/^.*\/|\.h$/, "", name)
        module[++modules] = name
        header[name] = files[i]
    }
    if (named == "")
        print_table()
    else
        print_copy()
}
