#!/bin/sh
# class_archive_test.sh - what is taken out of archives, and what is not
#
#   sh class_archive_test.sh
set -u

tools=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=class_fixture.sh
. "$tools/class_fixture.sh"
root=$(cd "$tools/../.." && pwd)

# unpack FILE: an archive that holds "7 of 7" as ex_total.c. It is written here
# because few machines have the programs for all of them.
unpack() {
    base64 -d >"$1"
}

check_kinds() {
    new_class
    unpack in/a.rar <<'TEXT'
UmFyIRoHAM+QcwAADQAAAAAAAAB4lHQAgCoABwAAAAcAAAADHQa0ugBQo1gUMAoApIEAAGV4X3Rv
dGFsLmM3IG9mIDcKxD17AEAHAA==
TEXT
    unpack in/b.7z <<'TEXT'
N3q8ryccAAPEldx2EgAAAAAAAABsAAAAAAAAAIKmU8IAG4gKZudwb747It///2hcAAABBAYAAQkS
AAcLAQABIwMBAQVdAACAAAwHAAgKAR0GtLoAAAUBERcAZQB4AF8AdABvAHQAYQBsAC4AYwAAABQK
AQBlL3VG6oDdARIKAQBlL3VG6oDdARMKAQBlL3VG6oDdARUGAQAggKSBAAA=
TEXT
    unpack in/c.tar.xz <<'TEXT'
/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Af/AFxdADKeCAN8DhHMFoW8eQNflIMc/5bsaBGRwnaY
EZ1xF5nZmG52oAyh7rumGwmI05Ykt7dqyuMil3O3MdGAKKTFpk/u/Avu1P+e+5pcT2yn+c1budrC
0OidB3WE17oAAHyxRR1LFHGOAAF4gBAAAAB8vNvFscRn+wIAAAAABFla
TEXT
    unpack in/d.tar.bz2 <<'TEXT'
QlpoOTFBWSZTWVHepEIAAD57kNEQAEBAAX+AAQDrBJ5ABAAAGCAAdRFPJ6iBkBk0GNQZJNPU9IDT
QDQaTGsGoQygA3PAnUQFIk4WiKB0n8p1BiSsUOzEi04AjehACSBsoOBXxtlY+imtaYzJhOHL1bct
fqYk/i7kinChIKO9SIQ=
TEXT
    # What an archive is, its bytes say and not its name.
    cp in/b.7z in/e.zip
    mkdir -p p/deep in/f
    cp in/a.rar p/deep/inner.rar
    (cd p/deep && zip -q ../middle.zip inner.rar)
    tar -cf in/f/outer.tar -C p middle.zip
    grade 0
    for name in a.rar b.7z c.tar.xz d.tar.bz2 e.zip; do
        grade_line '' "${name%%.*}" $name '' 7 ''
    done
    grade_line '' f f '' 7 ''
    tell opens_every_kind_of_archive
}

check_near_names() {
    new_class
    hand_in 'in/s01/ex_total (1).c' 1
    hand_in in/s02/EX_TOTAL.C 2
    hand_in in/s03/ex_total.c.txt 3
    hand_in in/s04/ex-total.c 4
    hand_in in/s05_ex_total.c 5
    echo two >in/s05_ex_flight.c
    hand_in in/ex_total.c 6
    hand_in 'in/s07/ex_total - Kopie.c' 7
    hand_in in/s08/ex_total.cpp 8
    hand_in in/s08/total.c 8
    hand_in 'in/s09/ex_total (2).c' 1
    hand_in in/s09/ex_total.c 9
    mkdir p/s10
    echo 10 >'p/s10/ex_total (3).c'
    (cd p/s10 && zip -q ../../in/s10.zip ./*)
    grade 0
    flight=,0
    grade_line '' s01 s01 '' 1 'ex_total.c is taken from ex_total (1).c'
    grade_line '' s02 s02 '' 2 'ex_total.c is taken from EX_TOTAL.C'
    grade_line '' s03 s03 '' 3 'ex_total.c is taken from ex_total.c.txt'
    grade_line '' s04 s04 '' 4 'ex_total.c is taken from ex-total.c'
    grade_line '' s05 s05 '' 5 \
        'ex_total.c is taken from s05_ex_total.c; ex_flight.c is taken from s05_ex_flight.c'
    grade_line '' ex_total.c ex_total.c '' 6 ''
    grade_line '' s07 s07 '' 7 'ex_total.c is taken from ex_total - Kopie.c'
    grade_line '' s08 s08 '' 0 "$no_file, but ex_total.cpp, total.c"
    grade_line '' s09 s09 '' 9 \
        'ex_total.c is there twice: taken from ex_total.c'
    grade_line '' s10 s10.zip '' 10 'ex_total.c is taken from ex_total (3).c'
    line summary.txt '  s01: graded: ex_total.c is taken from ex_total (1).c'
    flight=
    tell takes_names_that_were_changed_on_the_way

    new_class
    mkdir in/s01 in/s02
    for name in a b c d e f g; do
        : >in/s01/$name.txt
    done
    : >in/s02/Thumbs.db
    echo x >in/report.pdf
    : >in/.DS_Store
    hand_in in/s03/ex_total.c 3
    grade 0
    grade_line '' s01 s01 '' 0 \
        "$no_file, but a.txt, b.txt, c.txt, d.txt, e.txt and 2 more"
    grade_line '' s02 s02 '' 0 "$no_file"
    grade_line '' report.pdf report.pdf '' 0 "$no_file, but report.pdf"
    absent build/grades/grades.csv DS_Store
    tell names_what_is_there_instead
}

check_hostile_archives() {
    new_class
    echo 7 >p/ex_total.c
    mkdir -p p/a/b p/b
    (cd p/a/b && tar -cPzf ../../../in/s01.tgz ../../ex_total.c)
    tar -cPzf in/s02.tgz "$folder/course/p/ex_total.c"
    (cd p/a/b && zip -q ../../../in/s03.zip ../../ex_total.c)
    echo 3 >"$folder/course/secret"
    ln -s "$folder/course/secret" p/a/ex_total.c
    tar -czf in/s04.tgz -C p/a ex_total.c
    echo 9 >p/b/3
    ln -s 3 p/b/ex_total.c
    (cd p/b && zip -qy ../../in/s05.zip ex_total.c)
    head -c 50000000 /dev/zero >p/ex_flight.c
    echo 7 >p/ex_total.c
    tar -czf in/s06.tgz -C p ex_total.c ex_flight.c
    (cd p && zip -q ../in/s07.zip ex_total.c ex_flight.c)
    rm p/ex_flight.c
    echo 'no archive' >in/s08.zip
    head -c 60 in/s01.tgz >in/s09.tgz
    hand_in in/s10/ex_total.c 4
    before=$(find . | grep -v '^./build/grades' | sort)
    grade 0
    after=$(find . | grep -v -e '^./build/grades' -e '^./build/graded$' | sort)
    must 'files were made outside' [ "$before" = "$after" ]
    grade_line '' s01 s01.tgz '' 7 ''
    grade_line '' s02 s02.tgz '' 7 ''
    grade_line '' s03 s03.zip '' 7 ''
    grade_line '' s04 s04.tgz '' 0 \
        "ex_total.c is a link: not taken; $no_file"
    grade_line '' s05 s05.zip '' 0 \
        "ex_total.c is a link: not taken; $no_file"
    grade_line '' s06 s06.tgz '' 7 \
        'ex_flight.c is larger than 1 MiB: not taken'
    grade_line '' s07 s07.zip '' 7 \
        'ex_flight.c is larger than 1 MiB: not taken'
    grade_line '' s08 s08.zip '' 0 \
        "s08.zip cannot be read to its end: Unrecognized archive format; $no_file"
    grade_line '' s09 s09.tgz '' 0 \
        "s09.tgz cannot be read to its end: truncated gzip input; $no_file"
    grade_line '' s10 s10 '' 4 ''
    tell takes_no_path_from_an_archive
}

# What is in a folder is not followed and not opened if it is not a plain file.
check_hostile_folders() {
    new_class
    echo 9 >p/secret
    mkdir in/s01 in/s02 in/s03
    ln -s "$folder/course/p/secret" in/s01/ex_total.c
    mkfifo in/s02/ex_total.c
    ln -s "$folder/course/in/s04" in/s03/inner
    ln -s "$folder/course/in/s04" in/s05
    hand_in in/s04/ex_total.c 4
    grade 0
    grade_line '' s01 s01 '' 0 "ex_total.c is a link: not followed; $no_file"
    grade_line '' s02 s02 '' 0 \
        "ex_total.c is not a regular file: not opened; $no_file"
    grade_line '' s03 s03 '' 0 "inner is a link: not followed; $no_file"
    grade_line '' s05 s05 '' 0 "s05 is a link: not followed; $no_file"
    tell follows_no_link_and_opens_no_fifo
}

# Every byte of an archive is damaged in turn.
check_damage() {
    new_class
    hand_in p/ex_total.c 7
    (cd p && zip -q ../small.zip ex_total.c)
    size=$(wc -c <small.zip)
    at=0
    while [ "$at" -lt "$size" ]; do
        mkdir "in/s$at"
        {
            head -c "$at" small.zip
            printf '\377'
            tail -c +$((at + 2)) small.zip
        } >"in/s$at/h.zip"
        at=$((at + 11))
    done
    grade 0
    must 'not a row each' [ "$(wc -l <build/grades/grades.csv)" -eq \
        $(((size + 10) / 11 + 1)) ]
    tell outlives_damaged_archives
}

# Small archives of much: one large file, many files, archives in archives.
check_bombs() {
    new_class
    mkdir -p p/many p/in
    hand_in p/ex_total.c 7
    head -c 300000000 /dev/zero >p/zeros
    tar -czf in/s01.tgz -C p zeros ex_total.c
    rm p/zeros
    (cd p/many && seq 1 21000 | xargs touch)
    tar -czf in/s02.tgz -C p many
    cp p/ex_total.c p/in/
    (cd p/in && for i in 1 2 3 4 5; do
        zip -q $i.zip ./* && rm -f ex_total.c $((i - 1)).zip
    done)
    cp p/in/5.zip in/s03.zip
    grade 0
    grade_line '' s01 s01.tgz '' 7 ''
    part build/grades/grades.csv ',0,0,10,yes,"too many files: not all seen'
    part build/grades/grades.csv \
        '4.zip/3.zip/2.zip/1.zip in s03.zip is too large, or too deep: not opened'
    tell is_not_blown_up
}

# A build/class that was made on a machine without libarchive.
check_without() {
    new_class
    mkdir objects
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -I"$root/lessons" \
        -I"$root/exercises" -c -o objects/unpack.o \
        "$root/exercises/grader/class/unpack.c" >err 2>&1
    # shellcheck disable=SC2046 # the names are words
    ${CC:-cc} -o objects/class \
        $(find "$ASQ_BIN/obj/exercises/grader/class" -name "*.o" ! -name unpack.o) \
        objects/unpack.o "$ASQ_BIN/libdriver.a" "$ASQ_BIN/libgrader.a" \
        "$ASQ_BIN/libasq.a" @"$ASQ_BIN/deps.libs" -lpthread >>err 2>&1
    hand_in p/ex_total.c 4
    tar -czf in/s01.tar.gz -C p ex_total.c
    tar -czf in/s02.TAR.gz -C p ex_total.c
    echo 'nobody looks into it' >in/s03.zip
    hand_in in/s04/ex_total.c 4
    with=$class
    class=objects/class
    grade 1
    grade_line '' s01 s01.tar.gz '' 0 \
        's01.tar.gz cannot be opened: libarchive is missing'
    grade_line '' s04 s04 '' 4 ''
    part err '.tar.gz cannot be opened (submissions: 2): install libarchive-dev'
    part err '.zip cannot be opened (submissions: 1): install libarchive-dev'
    must "lines: $(cat err)" [ "$(wc -l <err)" -eq 3 ]
    line summary.txt \
        '  s03.zip: grader error: s03.zip cannot be opened: libarchive is missing'
    grade 1 --submissions in/s03.zip
    part err 'in/s03.zip: cannot be opened: install libarchive-dev'
    class=$with
    tell says_what_it_cannot_open_without_libarchive
}

make_folder
make_course
check_without
need_archives
check_kinds
check_near_names
check_hostile_archives
check_hostile_folders
check_damage
check_bombs
finish
