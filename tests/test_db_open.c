/* test_db_open - each way in which opening a database fails, and eight at
 * once that must not
 */
#include "01-blocking/db.h"
#include "01-blocking/stmt.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens and expects this code and this message after the path. Closing is
 * harmless afterwards. */
static void
check_refused(const struct asq_profile *profile, int code, const char *reason)
{
    struct asq_db db;
    char expected[1024];

    (void)snprintf(expected, sizeof expected, "%s: %s", profile->path, reason);
    CHECK_INT(asq_db_open(&db, profile), code);
    CHECK_TEXT(asq_db_message(&db), expected);
    CHECK_INT(asq_db_run(&db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_db_close(&db), 0);
    CHECK_INT(asq_db_close(&db), 0);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    CHECK_INT(fwrite(bytes, 1, size, file), size);
    CHECK_INT(fclose(file), 0);
}

/* Makes a database in rollback mode with one table. */
static void make_file(const char *path)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;

    profile.wal = false;
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK_INT(asq_db_run(&db, "CREATE TABLE t (n INTEGER)", NULL, NULL), 0);
    CHECK_INT(asq_db_close(&db), 0);
}

static void a_missing_file(void *fixture)
{
    static const char reason[] =
        "unable to open database file (No such file or directory)";
    struct asq_profile profile = asq_profile_default(test_path("none.db"));

    (void)fixture;
    profile.mode = ASQ_OPEN_READ;
    check_refused(&profile, SQLITE_CANTOPEN, reason);
    profile.mode = ASQ_OPEN_WRITE;
    check_refused(&profile, SQLITE_CANTOPEN, reason);
    CHECK(access(profile.path, F_OK) != 0);
    profile.mode = ASQ_OPEN_CREATE;
    profile.path = test_path("no-folder/a.db");
    check_refused(&profile, SQLITE_CANTOPEN, reason);
}

static void a_directory(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("folder"));

    (void)fixture;
    CHECK_INT(mkdir(profile.path, 0777), 0);
    check_refused(&profile, SQLITE_CANTOPEN,
                  "unable to open database file (Is a directory)");
}

static void a_file_that_is_no_database(void *fixture)
{
    static const char text[] = "This is a letter. It has more than a hundred "
                               "bytes, so that SQLite looks at its beginning "
                               "and finds that this is no header at all.\n";
    struct asq_profile profile = asq_profile_default(test_path("letter.txt"));

    (void)fixture;
    write_file(profile.path, text, sizeof text - 1);
    check_refused(&profile, SQLITE_NOTADB, "file is not a database");
    profile.mode = ASQ_OPEN_READ;
    check_refused(&profile, SQLITE_NOTADB, "file is not a database");
}

/* The header is right, the page behind it is not. */
static void a_corrupt_file(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    unsigned char garbage[64];
    int file;

    (void)fixture;
    make_file(profile.path);
    memset(garbage, 0xa5, sizeof garbage);
    file = open(profile.path, O_WRONLY);
    CHECK(file >= 0);
    CHECK_INT(pwrite(file, garbage, sizeof garbage, 100), sizeof garbage);
    CHECK_INT(close(file), 0);
    check_refused(&profile, SQLITE_CORRUPT, "database disk image is malformed");
}

/* Root may open everything, so root becomes nobody for a while. */
static void become_nobody(const char *path)
{
    int file;

    if (geteuid() == 0 && seteuid(65534) != 0)
        test_skip("root cannot become another user here");
    file = open(path, O_RDONLY);
    if (file < 0)
        test_skip("another user cannot reach the folder of the tests");
    CHECK_INT(close(file), 0);
}

static void become_who_it_was(void)
{
    if (getuid() == 0)
        CHECK_INT(seteuid(0), 0);
}

static void without_permission(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    const char *open_to_all = test_path("open.db");

    (void)fixture;
    make_file(profile.path);
    make_file(open_to_all);
    CHECK_INT(chmod(profile.path, 0), 0);
    become_nobody(open_to_all);
    profile.mode = ASQ_OPEN_READ;
    check_refused(&profile, SQLITE_CANTOPEN,
                  "unable to open database file (Permission denied)");
    profile.mode = ASQ_OPEN_CREATE;
    check_refused(&profile, SQLITE_CANTOPEN,
                  "unable to open database file (Permission denied)");
    become_who_it_was();
}

static void a_file_that_cannot_be_written(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_file(profile.path);
    CHECK_INT(chmod(profile.path, 0444), 0);
    become_nobody(profile.path);
    check_refused(&profile, SQLITE_READONLY,
                  "opened for writing, but it cannot be written");
    profile.mode = ASQ_OPEN_READ;
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK_INT(asq_db_close(&db), 0);
    become_who_it_was();
}

static void a_locked_file(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db other, db;

    (void)fixture;
    profile.wal = false;
    CHECK_INT(asq_db_open(&other, &profile), 0);
    CHECK_INT(asq_db_run(&other, "BEGIN EXCLUSIVE", NULL, NULL), 0);
    profile.busy_ms = 20;
    check_refused(&profile, SQLITE_BUSY, "database is locked");
    profile.wal = true;
    check_refused(&profile, SQLITE_BUSY, "database is locked");
    CHECK_INT(asq_db_run(&other, "COMMIT", NULL, NULL), 0);
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK_INT(asq_db_close(&db), 0);
    CHECK_INT(asq_db_close(&other), 0);
}

static void a_full_disk(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    CHECK_INT(asq_slow_disk_register(), 0);
    profile.vfs = ASQ_SLOW_DISK;
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    check_refused(&profile, SQLITE_FULL, "database or disk is full");
    asq_slow_disk_reset();
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK_TEXT(db.journal_mode, "wal");
    CHECK_INT(asq_db_close(&db), 0);
}

static void no_path_and_no_file_name(void *fixture)
{
    struct asq_profile profile = asq_profile_default(NULL);
    struct asq_db db;

    (void)fixture;
    CHECK_INT(asq_db_open(&db, &profile), SQLITE_MISUSE);
    CHECK_TEXT(asq_db_message(&db), "no path was given");
    CHECK_INT(asq_db_close(&db), 0);
    profile.path = "";
    CHECK_INT(asq_db_open(&db, &profile), SQLITE_MISUSE);
    CHECK_TEXT(asq_db_message(&db), "no path was given");
    profile.path = "file:a.db?mode=memory";
    check_refused(&profile, SQLITE_MISUSE,
                  "a URI is not accepted; for a file of that name write ./ "
                  "before it");
    profile.path = test_path("a.db");
    profile.vfs = "no-such-disk";
    check_refused(&profile, SQLITE_ERROR, "no such vfs: no-such-disk");
}

/* The end of the path tells files apart, and the reason has room. */
static void a_long_path_is_shortened(void *fixture)
{
    char path[400] = "";
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;

    (void)fixture;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    memcpy(path + sizeof path - 10, "/shop.db", 9);
    CHECK_INT(asq_db_open(&db, &profile), SQLITE_CANTOPEN);
    CHECK_CONTAINS(asq_db_message(&db),
                   "xx/shop.db: unable to open database file (");
    CHECK_INT(asq_db_close(&db), 0);
}

enum {
    THREADS = 8
};

struct crowd {
    struct asq_profile profile;
    uv_barrier_t begin;
    uv_barrier_t end;
    unsigned rounds;
};

static void remove_database(const char *path)
{
    char beside[1024];

    CHECK_INT(unlink(path), 0);
    /* These are there when none of those who closed at once was the last. */
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    (void)unlink(beside);
    (void)snprintf(beside, sizeof beside, "%s-shm", path);
    (void)unlink(beside);
}

static void open_in_a_crowd(void *data)
{
    struct crowd *crowd = data;

    for (unsigned i = 0; i < crowd->rounds; i++) {
        struct asq_db db;

        (void)uv_barrier_wait(&crowd->begin); /* says who was last */
        if (asq_db_open(&db, &crowd->profile) != 0)
            FAIL("round %u: %s", i, asq_db_message(&db));
        CHECK_TEXT(db.journal_mode, "wal");
        CHECK_INT(asq_db_close(&db), 0);
        if (uv_barrier_wait(&crowd->end) > 0)
            remove_database(crowd->profile.path);
    }
}

static void eight_threads_open_a_new_file_at_once(void *fixture)
{
    struct crowd crowd = {
        .profile = asq_profile_default(test_path("a.db")),
        .rounds = test_scaled(300),
    };
    uv_thread_t threads[THREADS];

    (void)fixture;
    CHECK_INT(uv_barrier_init(&crowd.begin, THREADS), 0);
    CHECK_INT(uv_barrier_init(&crowd.end, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(uv_thread_create(&threads[i], open_in_a_crowd, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(uv_thread_join(&threads[i]), 0);
    uv_barrier_destroy(&crowd.begin);
    uv_barrier_destroy(&crowd.end);
}

static const struct test_case cases[] = {
    {.name = "a_missing_file", .run = a_missing_file},
    {.name = "a_directory", .run = a_directory},
    {.name = "a_file_that_is_no_database", .run = a_file_that_is_no_database},
    {.name = "a_corrupt_file", .run = a_corrupt_file},
    {.name = "without_permission", .run = without_permission},
    {.name = "a_file_that_cannot_be_written",
     .run = a_file_that_cannot_be_written},
    {.name = "a_locked_file", .run = a_locked_file},
    {.name = "a_full_disk", .run = a_full_disk},
    {.name = "no_path_and_no_file_name", .run = no_path_and_no_file_name},
    {.name = "a_long_path_is_shortened", .run = a_long_path_is_shortened},
    {.name = "eight_threads_open_a_new_file_at_once",
     .run = eight_threads_open_a_new_file_at_once,
     .seconds = 60},
    {0},
};

const struct test_suite test_suite = {.name = "db_open", .cases = cases};
