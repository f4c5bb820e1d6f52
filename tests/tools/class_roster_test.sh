#!/bin/sh
# class_roster_test.sh - whose work is whose, and rosters as they come
#
#   sh class_roster_test.sh
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=class_fixture.sh
. "$tools/class_fixture.sh"

check_roster() {
    new_class
    hand_in in/s1_x/ex_total.c 1
    hand_in in/s12-late/ex_total.c 2
    hand_in in/s12.b/ex_total.c 3
    touch -t 202001010000 in/s12.b/ex_total.c
    hand_in 'in/Ö Älter_9_assignsubmission_file_/ex_total.c' 4
    hand_in in/lternik_11_100_ex_total.c 5
    hand_in in/other/ex_total.c 6
    printf '\357\273\277email,id,name\r\n' >roster.csv
    printf 'x@y,s12,"L, s12 ""q"""\r\n\r\n,"s1","Two\nlines"\r\n' >>roster.csv
    printf 'z,u3,"A\314\210lter, O\314\210"\r\n,u4,Nik Lter\r\n' >>roster.csv
    printf ',u5,=cmd()\r\n' >>roster.csv
    grade 0 --roster roster.csv
    grade_line s12 '"L, s12 ""q"""' s12-late '' 2 \
        'one of 2 submissions of this student: counts, it is the last'
    line grades.csv 's12,"L, s12 ""q""",s12.b,,3,3,10,no,one of 2 submissions of this student: does not count'
    grade_line s1 'Two?lines' s1_x '' 1 ''
    grade_line u3 "$(printf '"A\314\210lter, O\314\210"')" 'Ö Älter_9' '' 4 ''
    grade_line u4 'Nik Lter' lternik_11 '' 5 ''
    grade_line u5 "'=cmd()" '' '' 0 'no submission'
    line grades.csv ',other,other,,6,6,10,no,not in the roster'
    line summary.txt \
        'students  5, submissions 6, late 0, without 1, not judged 0'
    tell knows_the_roster

    part out 'roster.csv: 5 students; UTF-8, separated by commas; name from "name", id from "id"'
    part build/grades/moodle.csv 'email,id,name,Grade'
    part build/grades/moodle.csv 'z,u3,"'
    tell tells_how_it_read_the_roster

    while IFS='|' read -r name text message; do
        printf '%b' "$text" >roster.csv
        grade 1 --roster roster.csv
        must "said: $(cat err)" [ "$(cat err)" = \
            "build/class: roster.csv:$message" ]
        tell "$name"
    done <<'TEXT'
wants_an_id_column|name,mail\nx,y\n|1: the first line must name the columns id and name, or those of Moodle or Canvas
wants_something_in_a_roster||1: the first line must name the columns id and name, or those of Moodle or Canvas
wants_an_id_in_each_line|id,name\na,b\n\n,c\n|4: there is no id
wants_an_id_once|id,name\na,b\nA,c\n|3: this id was there before
wants_closed_quotes|id,name\na,"b\n\n|2: a quote is not closed
wants_quotes_around_all|id,name\na,"b"c\n|2: there is something behind a closing quote
TEXT
}

# moodle NAME POINTS: a folder as Moodle makes it.
moodle() {
    hand_in "in/$1_assignsubmission_file_/ex_total.c" "$2"
}

check_identity() {
    new_class
    moodle B_123456 4
    printf 'id,name\n123456,A\n777001,B\n' >roster.csv
    grade 0 --roster roster.csv
    grade_line 777001 B B_123456 '' 4 ''
    grade_line 123456 A '' '' 0 'no submission'
    tell takes_no_number_of_the_platform_for_an_id

    new_class
    moodle 'Ann Bell s02_55' 4
    hand_in 'in/s01 Cid Dahl/ex_total.c' 5
    hand_in 'in/s01-total/ex_total.c' 6
    cat >roster.csv <<'TEXT'
id,name
s01,Ann Bell
s02,Bo Bell
s03,Cid Dahl
TEXT
    grade 0 --roster roster.csv
    line grades.csv ',Ann Bell s02,Ann Bell s02_55,,4,4,10,no,"its id is that of s02 (Bo Bell), its name that of s01 (Ann Bell): nobody gets it"'
    line grades.csv ',s01 Cid Dahl,s01 Cid Dahl,,5,5,10,no,"its id is that of s01 (Ann Bell), its name that of s03 (Cid Dahl): nobody gets it"'
    grade_line s01 'Ann Bell' s01-total '' 6 ''
    grade_line s02 'Bo Bell' '' '' 0 'no submission'
    grade_line s03 'Cid Dahl' '' '' 0 'no submission'
    part build/grades/summary.txt '  s01 Cid Dahl: graded: its id is that of s01'
    tell gives_nobody_what_contradicts_itself

    new_class
    moodle 'Kim Lee_70' 4
    moodle 'Kim Lee k2_71' 5
    hand_in 'in/Eva Mueller/ex_total.c' 6
    hand_in 'in/müller eva/ex_total.c' 7
    hand_in 'in/Muller Eva/ex_total.c' 8
    moodle "$(printf 'Jo\314\210rg \305\201ukasz_72')" 9
    cat >roster.csv <<'TEXT'
id,name
k1,Kim Lee
k2,Lee Kim
m1,Eva Müller
m2,Eva Muller
j1,Jörg Łukasz
TEXT
    grade 0 --roster roster.csv
    line grades.csv ',Kim Lee,Kim Lee_70,,4,4,10,no,its name is that of several students: nobody gets it'
    grade_line k2 'Lee Kim' 'Kim Lee k2_71' '' 5 ''
    part build/grades/grades.csv 'm1,Eva Müller,Eva Mueller,,6,'
    part build/grades/grades.csv 'm1,Eva Müller,müller eva,,7,'
    grade_line m2 'Eva Muller' 'Muller Eva' '' 8 ''
    part build/grades/grades.csv 'ukasz_72,,9,'
    absent build/grades/grades.csv 'j1,Jörg Łukasz,,,0'
    hand_in in/mllereva_74_100_ex_total.c 3
    grade 0 --roster roster.csv
    part build/grades/grades.csv 'm1,Eva Müller,mllereva_74,,3,'
    tell knows_names_however_they_are_spelt
}

# roster ENCODING: standard input becomes roster.csv.
roster() {
    iconv -f UTF-8 -t "$1" >roster.csv
}

check_encodings() {
    while read -r encoding said; do
        new_class
        hand_in 'in/Jürgen Groß/ex_total.c' 4
        hand_in 'in/Ciaran O’Neil/ex_total.c' 5
        # Latin-1 has no such mark, the console of Windows neither.
        mark="’"
        case $encoding in
        ISO-8859-1 | CP850)
            mark="'"
            ;;
        esac
        printf 'Matrikelnummer;Nachname;Vorname\r\n12;Groß;Jürgen\r\n13;O%sNeil;Ciaran\r\n' "$mark" |
            roster "$encoding"
        grade 0 --roster roster.csv
        part out "roster.csv: 2 students; $said, separated by semicolons; name from \"Vorname\" \"Nachname\", id from \"Matrikelnummer\""
        line grades.csv '12;Jürgen Groß;Jürgen Groß;;4;4;10;yes;'
        line grades.csv "13;Ciaran O${mark}Neil;Ciaran O’Neil;;5;5;10;yes;"
        must 'no mark' [ "$(head -c 3 build/grades/grades.csv)" = \
            "$(printf '\357\273\277')" ]
        absent build/grades/grades.csv '?'
        tell "reads_a_roster_in_$encoding"
    done <<'TEXT'
UTF-8 UTF-8
ISO-8859-1 Latin-1
WINDOWS-1252 Windows-1252
CP850 CP850
UTF-16 UTF-16
UTF-16LE UTF-16
UTF-16BE UTF-16
TEXT
    new_class
    hand_in in/s01/ex_total.c 7
    printf 'sep=;\r\nid;name\r\n"s01";"A, B; C"\r\n' >roster.csv
    grade 0 --roster roster.csv
    line grades.csv 's01;"A, B; C";s01;;7;7;10;yes;'
    printf 'id\tname\ns01\tA, B\n' >roster.csv
    grade 0 --roster roster.csv
    part out 'separated by tabs'
    part build/grades/grades.csv "$(printf 's01\t"A, B"\ts01\t\t7')"
    printf 'id,name\ns01,A\000B\n' >roster.csv
    grade 1 --roster roster.csv
    part err 'roster.csv:1: it is not text'
    tell reads_separators_as_they_come
}

check_platforms() {
    new_class
    moodle 'Eva Müller_4711' 8
    moodle 'Participant_4712' 6
    cat >roster.csv <<'TEXT'
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments
Participant 4711,Eva Müller,eva@localhost,Submitted,,10.00,
Participant 4712,Kim Lee,kim@localhost,Submitted,,10.00,
Participant 4713,Bo Bell,bo@localhost,,,10.00,
TEXT
    grade 0 --roster roster.csv
    grade_line eva@localhost 'Eva Müller' 'Eva Müller_4711' '' 8 ''
    grade_line kim@localhost 'Kim Lee' Participant_4712 '' 6 ''
    line moodle.csv 'Participant 4711,Eva Müller,eva@localhost,Submitted,8,10.00,01-one 8 of 10'
    line moodle.csv 'Participant 4713,Bo Bell,bo@localhost,,0,10.00,01-one 0 of 10'
    tell fills_in_the_worksheet_of_moodle

    new_class
    moodle 'Eva Mueller_4711' 8
    moodle 'Kim Lee_4713' 6
    cat >roster.csv <<'TEXT'
ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Feedback als Kommentar
Teilnehmer/in 4711;Eva Müller;eva@localhost;;;
Teilnehmer/in 4712;Kim Lee;kim@localhost;;;
Teilnehmer/in4713;Bo Bell;bo@localhost;;;
TEXT
    grade 0 --roster roster.csv
    line grades.csv 'eva@localhost;Eva Müller;Eva Mueller_4711;;8;8;10;yes;'
    part build/grades/grades.csv ';Kim Lee;Kim Lee_4713;;6;6;10;no;"its number is that of bo@localhost (Bo Bell), its name that of kim@localhost (Kim Lee): nobody gets it"'
    line moodle.csv 'Teilnehmer/in 4711;Eva Müller;eva@localhost;;8;01-one 8 of 10'
    moodle 'Zed Zulu_4712' 3
    grade 0 --roster roster.csv
    line grades.csv ';Zed Zulu;Zed Zulu_4712;;3;3;10;no;its number is somebody'"'"'s whose name is another: nobody gets it'
    tell understands_moodle_in_german

    new_class
    hand_in in/mullereva_LATE_900_101_ex_total.c 8
    hand_in in/leekim_901_102_ex_total.c 6
    cat >roster.csv <<'TEXT'
Student,ID,SIS User ID,SIS Login ID,Section,Other (12),Final
"    Points Possible",,,,,10,
"Müller, Eva",900,u1,eva,A,3,3
"Lee, Kim",901,u2,kim,A,,
"Lee, Kim",902,u3,kim2,B,,
"Student, Test",999,,x,A,,
TEXT
    grade 0 --roster roster.csv
    part out '3 students; UTF-8, separated by commas; name from "Student", id from "SIS User ID"'
    grade_line u1 '"Müller, Eva"' mullereva_900 late 8 ''
    grade_line u2 '"Lee, Kim"' leekim_901 '' 6 ''
    line canvas.csv 'Student,ID,SIS User ID,SIS Login ID,Section,01-one,Total'
    line canvas.csv '"Müller, Eva",900,u1,eva,A,8,8'
    line canvas.csv '"Lee, Kim",902,u3,kim2,B,0,0'
    must 'a file for Moodle' [ ! -e build/grades/moodle.csv ]
    tell writes_what_canvas_imports
}

check_twice() {
    new_class
    hand_in in/s01-first/ex_total.c 9
    hand_in in/s01-second/ex_total.c 6
    touch -t 202601010000 in/s01-first/ex_total.c
    touch -t 202601020000 in/s01-second/ex_total.c
    hand_in in/s02_s03/ex_total.c 8
    hand_in 'in/Cid Dahl/ex_total.c' 3
    cat >roster.csv <<'TEXT'
id,name
s01,Ann Bell
s02,Bo Bell
s03,Cid Dahl
s04,Eve Ford
TEXT
    touch -t 202001010000 'in/Cid Dahl/ex_total.c'
    grade 0 --roster roster.csv
    twice='one of 2 submissions of this student'
    grade_line s01 'Ann Bell' s01-second '' 6 "$twice: counts, it is the last"
    line grades.csv \
        "s01,Ann Bell,s01-first,,9,9,10,no,$twice: does not count"
    grade_line s02 'Bo Bell' s02_s03 '' 8 ''
    grade_line s03 'Cid Dahl' s02_s03 '' 8 "$twice: counts, it is the last"
    line moodle.csv 's01,Ann Bell,6'
    line moodle.csv 's02,Bo Bell,8'
    line summary.txt 'points    mean 5.5, median 7.0, of 10'
    grade 0 --roster roster.csv --twice best
    grade_line s01 'Ann Bell' s01-first '' 9 "$twice: counts, it is the best"
    line moodle.csv 's01,Ann Bell,9'
    grade 2 --twice first
    part err '--twice is last or best'
    tell counts_one_of_several_submissions
}

check_name() {
    new_class
    for name in upload-1 s02 s03 misc; do
        hand_in in/$name/handin/01-one/ex_total.c 5
    done
    echo 's01' >in/upload-1/handin/NAME
    echo 'Cid Dahl' >in/s02/handin/NAME
    echo 'Eve Ford and s03' >in/s03/handin/NAME
    echo 'The Great' >in/misc/handin/NAME
    printf 'id,name\ns01,Ann Bell\ns02,Bo Bell\ns03,Cid Dahl\ns04,Eve Ford\n' \
        >roster.csv
    grade 0 --roster roster.csv
    grade_line s01 'Ann Bell' upload-1 '' 5 'by NAME: s01'
    line grades.csv ',s02,s02,,5,5,10,no,"NAME says Cid Dahl, which is somebody else: nobody gets it"'
    grade_line s03 'Cid Dahl' s03 '' 5 ''
    line grades.csv ',misc,misc,,5,5,10,no,not in the roster'
    echo 's03 s04' >in/s03/handin/NAME
    grade 0 --roster roster.csv
    grade_line s03 'Cid Dahl' s03 '' 5 'by NAME: s03 s04'
    grade_line s04 'Eve Ford' s03 '' 5 'by NAME: s03 s04'
    tell reads_the_name_of_a_hand_in
}

check_marks() {
    new_class
    hand_in in/s01/ex_total.c 4
    hand_in in/s02/ex_total.c 8
    hand_in in/mystery/ex_total.c 9
    printf 'id,name\ns01,A\ns02,B\ns03,C\ns04,D\n' >roster.csv
    cat >marks.csv <<'TEXT'
id;exercise;points;late;submission;note
s01;1;7,5;;;oral
S01;;-1;;;
s02;;;2;;
s03;;;;mystery;
s04;01-one;3;;;on paper
s09;1;1;;;
TEXT
    grade 0 --roster roster.csv --marks marks.csv --late-percent 10
    line grades.csv 's01,A,s01,,7.5,6.5,10,yes,"by hand: 7.5 for 01-one, oral; by hand: -1 points"'
    line grades.csv 's02,B,s02,2,8,6.4,10,yes,'
    grade_line s03 C mystery '' 9 ''
    line grades.csv 's04,D,,,3,3,10,yes,"no submission; by hand: 3 for 01-one, on paper"'
    part err 'there is no student s09'
    line moodle.csv 's01,A,6.5'
    rm marks.csv
    grade 0 --roster roster.csv
    line grades.csv 's01,A,s01,,7.5,6.5,10,yes,"by hand: 7.5 for 01-one, oral; by hand: -1 points"'
    tell keeps_what_was_decided_by_hand

    while IFS='|' read -r name text message; do
        printf '%b' "$text" >marks.csv
        grade 1 --marks marks.csv
        must "said: $(cat err)" [ "$(cat err)" = \
            "build/class: marks.csv:$message" ]
        tell "$name"
    done <<'TEXT'
wants_points_as_numbers|id,points\ns01,ten\n|2: the points are not a number
wants_an_exercise_that_is|id,exercise,points\ns01,7,1\n|2: there is no such exercise
wants_days_late|id,late\ns01,-1\n|2: late is not a number of days
TEXT
}

make_folder
make_course
check_roster
check_identity
check_encodings
check_platforms
check_twice
check_name
check_marks
finish
