/* test_slow_disk_file - the slow disk below SQLite, one call at a time
 *
 * The files are those that SQLite has open, asked for by file control.
 */
#include "common/slow_disk.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    const char *path;
};

enum {
    BYTES_MAX = 40000
};

struct image {
    sqlite3_int64 size;
    unsigned char bytes[BYTES_MAX];
};

static void take_image(sqlite3_file *file, struct image *ret_image)
{
    sqlite3_int64 size = 0;
    CHECK_INT(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    CHECK_RANGE(size, 0, BYTES_MAX);
    CHECK_INT(file->pMethods->xRead(file, ret_image->bytes, (int)size, 0),
              SQLITE_OK);
    ret_image->size = size;
}

static void check_image(sqlite3_file *file, const struct image *expected)
{
    struct image *now = calloc(1, sizeof(*now));
    CHECK(now != NULL);
    take_image(file, now);
    CHECK_INT(now->size, expected->size);
    CHECK(memcmp(now->bytes, expected->bytes, (size_t)now->size) == 0);
    free(now);
}

static unsigned pick(uint32_t *seed, unsigned limit)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % limit;
}

static void change_file(sqlite3_file *file, uint32_t *seed)
{
    unsigned char bytes[5000];
    sqlite3_int64 offset = pick(seed, BYTES_MAX - (unsigned)sizeof(bytes));
    if (pick(seed, 4) == 0) {
        CHECK_INT(file->pMethods->xTruncate(file, offset), SQLITE_OK);
        return;
    }
    memset(bytes, (int)pick(seed, 256), sizeof(bytes));
    int count = 1 + (int)pick(seed, (unsigned)sizeof(bytes));
    CHECK_INT(file->pMethods->xWrite(file, bytes, count, offset), SQLITE_OK);
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    CHECK_INT(sqlite3_open_v2(path, &db, flags, ASQ_SLOW_DISK), SQLITE_OK);
    return db;
}

static sqlite3_file *file_of(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    CHECK_INT(
        sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file),
        SQLITE_OK);
    return file;
}

static void the_file_is_as_it_was_at_the_last_sync(void *argument)
{
    struct fixture *fixture = argument;
    struct image *synced = calloc(1, sizeof(*synced));
    CHECK(synced != NULL);
    asq_slow_disk_remember();
    uint32_t seed = 1;
    for (unsigned round = 0; round < 100; round++) {
        sqlite3 *db = open_db(fixture->path);
        sqlite3_file *file = file_of(db);
        for (unsigned i = pick(&seed, 10); i > 0; i--)
            change_file(file, &seed);
        if (pick(&seed, 3) > 0) {
            CHECK_INT(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL),
                      SQLITE_OK);
            take_image(file, synced);
        }
        for (unsigned i = pick(&seed, 10); i > 0; i--)
            change_file(file, &seed);
        CHECK_INT(asq_slow_disk_power_cut(), 0);
        CHECK_INT(sqlite3_close(db), SQLITE_OK);
        asq_slow_disk_power_on();
        db = open_db(fixture->path);
        check_image(file_of(db), synced);
        CHECK_INT(sqlite3_close(db), SQLITE_OK);
    }
    free(synced);
}

static void a_truncation_counts_as_a_write(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = open_db(fixture->path);
    sqlite3_file *file = file_of(db);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_IOERR_TRUNCATE, 0);
    CHECK_INT(file->pMethods->xTruncate(file, 0), SQLITE_IOERR_TRUNCATE);
    CHECK_INT(file->pMethods->xTruncate(file, 0), SQLITE_OK);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_WRITE), 2);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void there_is_nothing_to_map_a_file_with(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = open_db(fixture->path);
    CHECK_INT(file_of(db)->pMethods->iVersion, 2); /* xFetch came with 3 */
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void reset_takes_delays_and_faults_back(void *argument)
{
    struct fixture *fixture = argument;
    for (int op = 0; op < ASQ_DISK_OPS; op++) {
        asq_slow_disk_delay((enum asq_disk_op)op, UINT64_C(3600000000));
        asq_slow_disk_fail((enum asq_disk_op)op, 1, SQLITE_IOERR, 1);
    }
    asq_slow_disk_reset();
    sqlite3 *db = open_db(fixture->path);
    sqlite3_file *file = file_of(db);
    char byte = 1;
    CHECK_INT(file->pMethods->xWrite(file, &byte, 1, 0), SQLITE_OK);
    CHECK_INT(file->pMethods->xRead(file, &byte, 1, 0), SQLITE_OK);
    CHECK_INT(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    for (int op = 0; op < ASQ_DISK_OPS; op++)
        CHECK_RANGE(asq_slow_disk_count((enum asq_disk_op)op), 1, 2);
    asq_slow_disk_reset();
    for (int op = 0; op < ASQ_DISK_OPS; op++)
        CHECK_INT(asq_slow_disk_count((enum asq_disk_op)op), 0);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void each_call_fails_without_power(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3_vfs *vfs = sqlite3_vfs_find(ASQ_SLOW_DISK);
    sqlite3 *db = open_db(fixture->path);
    sqlite3 *late = NULL;
    const char *other = test_path("b.db");
    sqlite3_file *file = file_of(db);
    const sqlite3_io_methods *methods = file->pMethods;
    sqlite3_int64 size = 0;
    char byte = 0;
    int answer = 0;
    asq_slow_disk_remember();
    CHECK_INT(methods->xLock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    CHECK_INT(methods->xRead(file, &byte, 1, 0), SQLITE_IOERR);
    CHECK_INT(methods->xWrite(file, &byte, 1, 0), SQLITE_IOERR);
    CHECK_INT(methods->xTruncate(file, 0), SQLITE_IOERR);
    CHECK_INT(methods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR);
    CHECK_INT(methods->xFileSize(file, &size), SQLITE_IOERR_FSTAT);
    CHECK_INT(methods->xLock(file, SQLITE_LOCK_RESERVED), SQLITE_IOERR_LOCK);
    CHECK_INT(methods->xCheckReservedLock(file, &answer),
              SQLITE_IOERR_CHECKRESERVEDLOCK);
    CHECK_INT(vfs->xAccess(vfs, fixture->path, SQLITE_ACCESS_EXISTS, &answer),
              SQLITE_IOERR_ACCESS);
    CHECK_INT(vfs->xDelete(vfs, fixture->path, 0), SQLITE_IOERR_DELETE);
    CHECK_INT(sqlite3_open_v2(other, &late,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                              ASQ_SLOW_DISK),
              SQLITE_IOERR);
    CHECK_INT(access(other, F_OK), -1);
    CHECK_INT(sqlite3_close(late), SQLITE_OK);
    CHECK_INT(methods->xUnlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    asq_slow_disk_power_on();
    CHECK_INT(access(fixture->path, F_OK), 0);
}

static void a_file_that_cannot_be_set_back_is_told(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = open_db(fixture->path);
    sqlite3_file *file = file_of(db);
    char byte = 1;
    asq_slow_disk_remember();
    CHECK_INT(file->pMethods->xWrite(file, &byte, 1, 0), SQLITE_OK);
    CHECK_INT(unlink(fixture->path), 0);
    CHECK_INT(asq_slow_disk_power_cut(), SQLITE_CANTOPEN);
    CHECK_INT(file->pMethods->xRead(file, &byte, 1, 0), SQLITE_IOERR);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

/* Two allocations to remember a first write, one to undo it. */
static void a_lack_of_memory_is_told(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = open_db(fixture->path);
    sqlite3_file *file = file_of(db);
    sqlite3_int64 size = -1;
    char byte = 1;
    asq_slow_disk_remember();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        test_alloc_fail_at(TEST_ALLOC_MALLOC, nth, 0);
        CHECK_INT(file->pMethods->xWrite(file, &byte, 1, 0),
                  SQLITE_IOERR_NOMEM);
    }
    CHECK_INT(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    CHECK_INT(size, 0);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK_INT(file->pMethods->xWrite(file, &byte, 1, 0), SQLITE_OK);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    CHECK_INT(asq_slow_disk_power_cut(), SQLITE_NOMEM);
    CHECK_INT(file->pMethods->xRead(file, &byte, 1, 0), SQLITE_IOERR);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void set_up(void *argument)
{
    struct fixture *fixture = argument;
    test_alloc_install();
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    fixture->path = test_path("a.db");
}

static void tear_down(void *fixture)
{
    (void)fixture;
    asq_slow_disk_reset();
}

static const struct test_case cases[] = {
    {.name = "the_file_is_as_it_was_at_the_last_sync",
     .run = the_file_is_as_it_was_at_the_last_sync},
    {.name = "a_truncation_counts_as_a_write",
     .run = a_truncation_counts_as_a_write},
    {.name = "there_is_nothing_to_map_a_file_with",
     .run = there_is_nothing_to_map_a_file_with},
    {.name = "reset_takes_delays_and_faults_back",
     .run = reset_takes_delays_and_faults_back},
    {.name = "each_call_fails_without_power",
     .run = each_call_fails_without_power},
    {.name = "a_file_that_cannot_be_set_back_is_told",
     .run = a_file_that_cannot_be_set_back_is_told},
    {.name = "a_lack_of_memory_is_told", .run = a_lack_of_memory_is_told},
    {0},
};

const struct test_suite test_suite = {
    .name = "slow_disk_file",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
