#!/bin/sh
# charts.sh - draws what growth has measured, as SVG and as PNG
#
#   sh charts.sh [BUILD]
#
# Reads build/growth/*.tsv and writes the pictures beside them. Without gnuplot
# it says in one line what to install; that is no error, the tables are there.
set -u

here=$(dirname "$0")
folder=${1:-build}/growth
tab=$(printf '\t')

if ! command -v gnuplot >/dev/null; then
    echo 'No charts: there is no gnuplot. Install gnuplot-nox (Debian) or gnuplot (brew).'
    exit 0
fi
for table in "$folder"/*.tsv; do
    if [ ! -f "$table" ]; then
        echo "$folder: no tables; run make bench-growth" >&2
        exit 1
    fi
    title=$(sed -n "1s/$tab.*//p" "$table")
    columns=$(awk -F"$tab" 'NR == 1 {print NF}' "$table")
    for format in svg png; do
        gnuplot -e "data='${table%.tsv}'; title='$title'; columns=$columns; format='$format'" \
            "$here/chart.gp" || exit 1
        echo "${table%.tsv}.$format"
    done
done
