/* disk_faults - what a disk answers when it fails
 *
 * Opening is not among them: what happens then is another question.
 */
#ifndef TESTS_DISK_FAULTS_H
#define TESTS_DISK_FAULTS_H

#include "common/slow_disk.h"

#include <sqlite3.h>

enum {
    DISK_FAULTS = 4
};

static const struct disk_fault {
    enum asq_disk_op op;
    int code;
} disk_faults[DISK_FAULTS] = {
    {ASQ_DISK_READ, SQLITE_IOERR_READ},
    {ASQ_DISK_WRITE, SQLITE_FULL},
    {ASQ_DISK_WRITE, SQLITE_IOERR_WRITE},
    {ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC},
};

#endif
