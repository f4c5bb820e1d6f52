# mutate.awk - changes one thing in what a student writes of a solution
#
#   awk -f mutate.awk FILE              lists the mutants: "NUMBER LINE KEY"
#   awk -v n=NUMBER -f mutate.awk FILE  prints the file with that one change
#
# Looks at the text between the lines "begin solution" and "instead:" only. It
# knows tokens, brackets and the end of a statement, not C: what it makes need
# not compile. The key of a mutant is made of the tokens around the change, so
# it stays the same when the file is laid out anew: "if ( n { < | <= } count )".

# Splits the text into tokens: t[i] with its place p[i]; comments and blanks
# are none. Words of an SQL text are changed one by one, see mutate_text.
function tokenize(text,    at, rest, size) {
    count = 0
    for (at = 1; at <= length(text); at += size) {
        rest = substr(text, at, 400)
        if (match(rest, /^[ \t\n]+/)) {
            size = RLENGTH
            continue
        }
        if (substr(rest, 1, 2) == "/*") {
            size = index(substr(text, at), "*/") + 1
            continue
        }
        if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^'([^'\\]|\\.)*'/) ||
            match(rest, /^[A-Za-z_][A-Za-z_0-9]*/) ||
            match(rest, /^[0-9][0-9A-Za-z_.]*/) ||
            match(rest, /^(<<=|>>=|\.\.\.)/) ||
            match(rest, /^(->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||\+=|-=|\*=|\/=|%=|&=|\|=|\^=)/))
            size = RLENGTH
        else
            size = 1
        t[++count] = substr(rest, 1, size)
        p[count] = at
    }
}

# Adds the mutant in which the tokens from first to last are replaced.
function add(first, last, with,    i, old, key, before, after) {
    for (i = first; i <= last; i++)
        old = old (i > first ? " " : "") t[i]
    for (i = first - 1; i > 0 && i >= first - 6; i--)
        before = t[i] " " before
    for (i = last + 1; i <= count && i <= last + 4; i++)
        after = after " " t[i]
    key = (where == "" ? "-" : where) " " before "{ " old " | " with " }" after
    gsub(/[ \t\n]+/, " ", key)
    if (++seen[key] > 1)
        key = key " #" seen[key]
    if (++mutants == n) {
        result = substr(region, 1, p[first] - 1) with \
            substr(region, p[last] + length(t[last]))
    } else if (n == 0) {
        print mutants, region_line + lines_before(p[first]), key
    }
}

function lines_before(at,    text) {
    text = substr(region, 1, at - 1)
    return gsub(/\n/, "", text)
}

# Returns the token that closes the bracket at i, or 0.
function closes(i,    depth) {
    for (; i <= count; i++) {
        if (t[i] == "(" || t[i] == "[")
            depth++
        if ((t[i] == ")" || t[i] == "]") && --depth == 0)
            return i
    }
    return 0
}

# Returns the token that ends the statement which begins at i, or 0.
function ends(i,    depth) {
    for (; i <= count; i++) {
        if (t[i] == "(" || t[i] == "[" || t[i] == "{")
            depth++
        if (t[i] == ")" || t[i] == "]" || t[i] == "}")
            depth--
        if (depth < 0)
            return 0
        if (depth == 0 && t[i] == ";")
            return i
    }
    return 0
}

# Whether the token ends an operand, so that what follows is a binary operator.
function is_operand(token) {
    return token ~ /^[A-Za-z_0-9"']/ && token !~ /^(return|sizeof|case)$/ ||
        token == ")" || token == "]"
}

# The words of SQL and the operators in a text.
function mutate_text(i,    text, at, word, with) {
    text = t[i]
    for (at = 2; at < length(text); at += length(word)) {
        if (match(substr(text, at), /^[A-Za-z_0-9]+/))
            word = substr(text, at, RLENGTH)
        else if (match(substr(text, at), /^[<>=!|]+/))
            word = substr(text, at, RLENGTH)
        else
            word = substr(text, at, 1)
        with = word in sql ? sql[word] : \
            word ~ /^[0-9]+$/ && substr(text, at - 1, 1) != "?" ? word + 1 : ""
        if (with != "")
            add(i, i, substr(text, 1, at - 1) with \
                substr(text, at + length(word)))
    }
}

function mutate_token(i,    token, last, word, operand) {
    token = t[i]
    operand = i > 1 && is_operand(t[i - 1])
    if (token ~ /^"/) {
        mutate_text(i)
    } else if (token ~ /^[0-9]/) {
        add(i, i, "(" token " + 1)")
        if (token ~ /^[1-9]/)
            add(i, i, "(" token " - 1)")
    } else if (token ~ /^[A-Z][A-Z0-9]*_[A-Z0-9_]*$/) {
        add(i, i, "(" token " + 1)")
    } else if (token == "true" || token == "false") {
        add(i, i, token == "true" ? "false" : "true")
    } else if (token == "!" || token == "~") {
        add(i, i, " ")
    } else if (token == "-" && !operand) {
        add(i, i, " ")
    } else if (token in operator && (operand || token !~ /^[*&]$/)) {
        for (word = 1; word <= split(operator[token], words, " "); word++)
            add(i, i, words[word])
    }
    # A branch: the condition the other way round.
    if (token ~ /^(if|while)$/ && t[i + 1] == "(" && (last = closes(i + 1)))
        add(i + 1, last, "(!" substr(region, p[i + 1], p[last] - p[i + 1] + 1) ")")
    # A call whose result is used: the result is dropped.
    if (token ~ /^[a-z_][a-z0-9_]*$/ && token !~ /^(if|while|for|switch|return|sizeof)$/ &&
        t[i + 1] == "(" && (last = closes(i + 1)) && i > 1 &&
        t[i - 1] !~ /^([;{})]|else)$/)
        add(i, last, "(" substr(region, p[i], p[last] - p[i] + 1) ", 0)")
    # A simple statement: it is left out.
    if (i == 1 || t[i - 1] ~ /^([;{}:]|else)$/ || \
        t[i - 1] == ")" && closes_a_head(i - 1))
        if (token !~ /^(if|while|for|do|switch|else|case|default|struct|enum|static|const|int|unsigned|char|bool|size_t|[a-z0-9]*_t|sqlite3|sqlite3_stmt)$/ &&
            token ~ /^[A-Za-z_*(+-]/ && (last = ends(i)))
            add(i, last, ";")
}

# Whether the bracket that ends here belongs to if, while or for.
function closes_a_head(i,    k) {
    for (k = i; k > 1; k--)
        if (t[k] == "(" && closes(k) == i)
            return t[k - 1] ~ /^(if|while|for)$/
    return 0
}

BEGIN {
    n += 0
    split("== != != == < <= <= < > >= >= > && || || && + - - + * + / * % / " \
          "| & & | << >> >> << += -= -= += ++ -- -- ++ ^ |", pairs, " ")
    for (i = 1; i in pairs; i += 2)
        operator[pairs[i]] = pairs[i + 1]
    # An order has another neighbour as well: the other way round.
    operator["<"] = "<= >"
    operator["<="] = "< >="
    operator[">"] = ">= <"
    operator[">="] = "> <="
    split("= <> <> = < <= <= < > >= >= > + - - + AND OR OR AND ASC DESC " \
          "DESC ASC MIN MAX MAX MIN IMMEDIATE DEFERRED EXCLUSIVE IMMEDIATE " \
          "COMMIT ROLLBACK ROLLBACK COMMIT IGNORE REPLACE", pairs, " ")
    for (i = 1; i in pairs; i += 2)
        sql[pairs[i]] = pairs[i + 1]
}

# The region ends: its mutants are counted, and one of them may be printed.
function finish() {
    tokenize(region)
    result = region
    for (token = 1; token <= count; token++)
        mutate_token(token)
    if (n > 0)
        printf "%s", result
    region = ""
    inside = 0
}

# The function is what a line at the left edge names before a bracket.
/^[a-z].*[a-z_0-9]\(/ && !inside {
    where = $0
    sub(/\(.*/, "", where)
    sub(/.*[ *]/, "", where)
}
/begin solution/ {
    inside = 1
    region_line = NR + 1
    if (n > 0)
        print
    next
}
inside && (/instead:/ || /end solution/) {
    finish()
}
inside {
    region = region $0 "\n"
    next
}
n > 0 { print }
