#!/bin/sh
# skeleton.sh - makes the skeleton of an exercise from its solution
#
#   sh skeleton.sh <solutions/01-blocking/ex_order_total.c >skeleton.c
#   sh skeleton.sh --solution <solutions/... >what a student is shown
#
# In a solution, what stands between the lines "begin solution" and "end
# solution" is what a student writes. Where the skeleton needs something
# there, for example a return, it is in a comment that begins with "instead:"
# and is the last thing before the end.
set -u

awk -v whole="${1:-}" '
function indent() { match($0, /^ */); return substr($0, 1, RLENGTH) }
/^ *\/\* begin solution \*\/$/ {
    inside = 1
    if (whole == "") print indent() "/* Your code. */"
    next
}
/^ *\/\* end solution \*\/$/ { inside = 0; next }
inside && /^ *\/\* instead:$/ { instead = 1; next }
instead && /^ *\*\/$/ { instead = 0; next }
instead { if (whole == "") print; next }
inside { if (whole != "") print; next }
{ print }
END { if (inside || instead) exit 1 }
'
