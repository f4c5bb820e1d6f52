# chart.gp - draws one table of build/growth: called by charts.sh
#
# Set on the command line: data, the file without its ending; columns, how
# many it has; format, svg or png. The first line holds the names.
set datafile separator "\t"
if (format eq "svg") set terminal svg size 800,500 dynamic background "white"
if (format eq "png") set terminal pngcairo size 800,500
set output data.".".format

set logscale x
set logscale y
set grid
set autoscale xfix
set linetype 5 linecolor "#b8860b" # yellow is hard to see on white
set key outside right autotitle columnhead
set xlabel title
set ylabel "microseconds for one operation"
set format x "%g"
set format y "%g"
plot for [i=2:columns] data.".tsv" using 1:i with linespoints linewidth 2
