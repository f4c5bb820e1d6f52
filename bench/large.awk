# large.awk - draws large letters and bars, for make class
#
#   awk -v columns=80 -v rows=22 -v utf8=1 -v what=text \
#       -f bench/large.awk bench/letters.txt FILE
#
# text: each line of FILE is a paragraph. bars: each line is a label, a tab and
# a figure with its unit. The letters are as large as the screen allows; where
# it allows none, the text is in normal type.

function repeat(text, count,    result) {
    while (count-- > 0)
        result = result text
    return result
}

# Returns the width of a text in dots. A letter that there is not is a blank.
function dots(text,    i, sum) {
    for (i = 1; i <= length(text); i++)
        sum += (wide[substr(text, i, 1)] ? wide[substr(text, i, 1)] : 2) + 1
    return sum - 1
}

# Returns a row of a text in dots, with a dot after each letter.
function row_of(text, row,    i, c, result) {
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        result = result (wide[c] ? shape[c, row] : "..") "."
    }
    return result "...."
}

# Prints a text as large as the size says: columns and rows for a dot.
function draw(text, size,    row, upper, lower, i, line, times) {
    for (row = 1; row <= 5; row += height[size] < 1 ? 2 : 1) {
        upper = row_of(text, row)
        lower = height[size] < 1 ? (row < 5 ? row_of(text, row + 1) : \
            repeat(".", length(upper))) : upper
        line = ""
        for (i = 1; i <= length(upper); i++)
            line = line repeat(dot[substr(upper, i, 1) substr(lower, i, 1)], \
                width[size])
        sub(/ *$/, "", line)
        for (times = 1; times <= height[size]; times++)
            print " " line
        if (height[size] < 1)
            print " " line
    }
}

# Breaks the paragraphs into lines of so many dots; returns how many, or 0 if a
# word is longer.
function wrap(most,    p, n, words, i, count) {
    for (p = 1; p <= paragraphs; p++) {
        n = split(paragraph[p], words, " ")
        for (i = 1; i <= n; i++) {
            if (dots(words[i]) > most)
                return 0
            if (i > 1 && dots(lines[count] " " words[i]) <= most)
                lines[count] = lines[count] " " words[i]
            else
                lines[++count] = words[i]
        }
    }
    return count
}

function draw_text(    size, count, tall, i, p) {
    for (size = 1; size <= sizes; size++) {
        tall = rows_of(size)
        count = wrap(int((columns - 2) / width[size]))
        if (count > 0 && count * tall + (count - 1) * gap(size) <= rows)
            break
    }
    if (size > sizes) {
        for (p = 1; p <= paragraphs; p++)
            print plain[p]
        return
    }
    printf "%s", repeat("\n", \
        int((rows - count * tall - (count - 1) * gap(size)) / 3))
    for (i = 1; i <= count; i++) {
        if (i > 1)
            printf "%s", repeat("\n", gap(size))
        draw(lines[i], size)
    }
}

function rows_of(size) { return height[size] < 1 ? 3 : 5 * height[size] }
function gap(size) { return height[size] < 1 ? 1 : height[size] }

# Returns a figure as a number; those of a chart are of one kind.
function number(text,    unit) {
    unit = text
    gsub(/[0-9., -]/, "", unit)
    gsub(/,/, "", text)
    return text * (unit in factor ? factor[unit] : 1)
}

function draw_bars(    size, p, n, part, most, each, longest, label, value) {
    each = int(rows / paragraphs)
    for (p = 1; p <= paragraphs; p++) {
        split(plain[p], part, "\t")
        label[p] = toupper(part[1])
        value[p] = part[2]
        if (number(value[p]) > most)
            most = number(value[p])
        n = dots(label[p] "  " value[p])
        if (n > longest)
            longest = n
    }
    for (size = 1; size <= sizes; size++)
        if (longest * width[size] <= columns - 2 && rows_of(size) + 2 <= each)
            break
    for (p = 1; p <= paragraphs; p++) {
        split(plain[p], part, "\t")
        if (size > sizes)
            printf " %s   %s\n", part[1], value[p]
        else
            draw(label[p] "  " value[p], size)
        n = most > 0 ? int((columns - 2) * number(value[p]) / most + 0.5) : 0
        if (n < 1 && number(value[p]) > 0)
            n = 1
        n = repeat(bar, n)
        print " " n
        if (size <= sizes && rows_of(size) + 3 <= each)
            print " " n
        if (p < paragraphs)
            print ""
    }
}

function add_size(columns_, rows_) {
    width[++sizes] = columns_
    height[sizes] = rows_
}

BEGIN {
    add_size(6, 3)
    add_size(4, 2)
    add_size(3, 2)
    add_size(2, 1)
    add_size(1, 1)
    if (utf8)
        add_size(1, 0.5)
    bar = dot["##"] = utf8 ? "█" : "#"
    dot["#."] = "▀"
    dot[".#"] = "▄"
    dot[".."] = " "
    factor["ns"] = 1e-9
    factor["us"] = 1e-6
    factor["ms"] = 1e-3
    factor["%"] = 0.01
    factor["k"] = 1e3
    factor["M"] = 1e6
}

FILENAME == ARGV[1] {
    if (NF == 6 && length($1) == 1) {
        wide[$1] = length($2)
        for (i = 1; i <= 5; i++)
            shape[$1, i] = $(i + 1)
    }
    next
}
NF {
    plain[++paragraphs] = $0
    paragraph[paragraphs] = toupper($0)
}
END {
    if (paragraphs > 0 && what == "bars")
        draw_bars()
    else if (paragraphs > 0)
        draw_text()
}
