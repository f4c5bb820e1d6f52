/* test_shop - tests of the data set: its rows, its file, its copies */
#include "common/shop.h"
#include "grader/test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct asq_shop small = {
    .users = 10, .items = 20, .orders = 30, .seed = 1};

struct fixture {
    const char *build;
    const char *data; /* the folder that the files of the shop are in */
    const char *copy;
    char path[ASQ_SHOP_PATH_MAX];
    char message[ASQ_SHOP_MESSAGE_MAX];
};

static void make(struct fixture *fixture, const struct asq_shop *shop)
{
    int rc = asq_shop_make(shop, fixture->path, fixture->message);
    if (rc != 0)
        FAIL("%d: %s", rc, fixture->message);
    CHECK_TEXT(fixture->message, "");
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    CHECK_INT(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
}

/* Runs sql and compares its only value as text. */
static void check_answer(sqlite3 *db, const char *sql, const char *expected)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    const char *got = (const char *)sqlite3_column_text(stmt, 0);
    if (got == NULL || strcmp(got, expected) != 0)
        FAIL("%s: got %s, expected %s", sql, got != NULL ? got : "NULL",
             expected);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

static void close_db(sqlite3 *db)
{
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void check_number(sqlite3 *db, const char *sql, int expected)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", expected);
    check_answer(db, sql, text);
}

/* What must hold for any spec. */
static void check_rows(const char *path, const struct asq_shop *shop)
{
    sqlite3 *db = open_db(path);
    check_answer(db, "PRAGMA journal_mode", "wal");
    check_number(db, "PRAGMA page_size", 4096);
    check_answer(db, "PRAGMA integrity_check", "ok");
    check_number(db, "SELECT count(*) FROM pragma_foreign_key_check", 0);
    check_number(db, "SELECT count(*) FROM users", shop->users);
    check_number(db, "SELECT max(id) FROM users", shop->users);
    check_number(db, "SELECT min(id) FROM users", 1);
    check_number(db, "SELECT count(*) FROM profiles", shop->users);
    check_number(db, "SELECT count(*) FROM accounts", shop->users);
    check_number(db, "SELECT max(id) FROM accounts", shop->users);
    check_number(db, "SELECT count(*) FROM items", shop->items);
    check_number(db, "SELECT max(id) FROM items", shop->items);
    check_number(db, "SELECT min(id) FROM items", 1);
    check_number(db, "SELECT count(*) FROM orders", shop->orders);
    check_number(db, "SELECT coalesce(max(id), 0) FROM orders", shop->orders);
    check_number(db, "SELECT count(DISTINCT order_id) FROM order_lines",
                 shop->orders);
    check_number(db,
                 "SELECT count(*) FROM (SELECT order_id FROM order_lines"
                 " GROUP BY order_id HAVING min(line) <> 1"
                 " OR max(line) <> count(*) OR count(*) > 5)",
                 0);
    check_number(db,
                 "SELECT count(*) FROM order_lines JOIN items"
                 " ON items.id = item_id WHERE price_cents <> value",
                 0);
    close_db(db);
}

static void rows_are_those_of_the_spec(void *argument)
{
    struct fixture *fixture = argument;
    static const struct asq_shop shops[] = {
        {.users = 10, .items = 20, .orders = 30, .seed = 1},
        {.users = 1, .items = 1, .orders = 0, .seed = 0},
        {.users = 1, .items = 3, .orders = 50, .seed = UINT64_MAX},
        {.users = 300, .items = 2000, .orders = 1000, .seed = 7},
    };
    for (size_t i = 0; i < sizeof(shops) / sizeof(shops[0]); i++) {
        make(fixture, &shops[i]);
        check_rows(fixture->path, &shops[i]);
    }
}

static void rows_are_the_same_on_every_machine(void *argument)
{
    struct fixture *fixture = argument;
    make(fixture, &small);
    sqlite3 *db = open_db(fixture->path);
    check_answer(db,
                 "SELECT email || '|' || name || '|' || created_at"
                 " FROM users WHERE id = 7",
                 "wide.crane.7@example.org|wide crane|2023-08-08T00:00:00Z");
    check_answer(db, "SELECT bio FROM profiles WHERE user_id = 7",
                 "Feeds the otter, collects every marble ladder.");
    check_answer(db,
                 "SELECT name || '|' || status || '|' || data || '|' || value"
                 " FROM items WHERE id = 7",
                 "round steel bucket 7|draft|{\"kind\":\"bucket\","
                 "\"material\":\"steel\",\"grams\":4355,\"stock\":15,"
                 "\"tags\":[\"round\",\"tall\"]}|45395");
    check_answer(db, "SELECT sum(balance_cents) FROM accounts", "1606664");
    check_answer(db,
                 "SELECT count(*) || '|' || sum(quantity * price_cents)"
                 " FROM order_lines",
                 "98|4536767");
    check_answer(db,
                 "SELECT user_id || '|' || created_at FROM orders"
                 " WHERE id = 30",
                 "6|2024-12-18T20:00:00Z");
    close_db(db);
}

/* Lesson 04 and the demo count pages, so the rows must fill some. */
static void ten_thousand_items_fill_250_pages(void *argument)
{
    struct fixture *fixture = argument;
    const struct asq_shop shop = {
        .users = 1000, .items = 10000, .orders = 5000, .seed = 1};
    make(fixture, &shop);
    check_rows(fixture->path, &shop);
    sqlite3 *db = open_db(fixture->path);
    check_number(db,
                 "SELECT sum(8 + length(name) + length(status) + length(data))"
                 " / 4096 >= 250 FROM items",
                 1);
    check_number(db, "SELECT count(*) FROM items WHERE NOT json_valid(data)",
                 0);
    check_number(db, "SELECT count(DISTINCT status) FROM items", 4);
    check_number(db,
                 "SELECT avg(bio IS NULL) BETWEEN 0.08 AND 0.17"
                 " FROM profiles",
                 1);
    close_db(db);
}

/* The files */

static void read_text(const char *path, char text[static 64])
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t length = fread(text, 1, 63, file);
    text[length] = '\0';
    CHECK_INT(fclose(file), 0);
}

/* The text lives until the next call. */
static const char *join(const char *path, const char *ending)
{
    static char joined[ASQ_SHOP_PATH_MAX + 16];
    (void)snprintf(joined, sizeof(joined), "%s%s", path, ending);
    return joined;
}

static ino_t inode_of(const char *path)
{
    struct stat status;
    CHECK_INT(stat(path, &status), 0);
    return status.st_ino;
}

/* How many files there are, so that nothing temporary is left. */
static int count_files(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    CHECK(folder != NULL);
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder))
        count += entry->d_name[0] != '.';
    CHECK_INT(closedir(folder), 0);
    return count;
}

static void same_spec_gives_the_same_bytes(void *argument)
{
    struct fixture *fixture = argument;
    char first[64], second[64];
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), first);
    CHECK_INT(unlink(fixture->path), 0);
    CHECK_INT(unlink(join(fixture->path, ".sum")), 0);
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), second);
    CHECK_TEXT(second, first);
    struct asq_shop other = small;
    other.seed = 2;
    make(fixture, &other);
    read_text(join(fixture->path, ".sum"), second);
    CHECK(strcmp(first, second) != 0);
    CHECK_INT(count_files(fixture->data), 4);
}

static void change_byte(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL);
    CHECK_INT(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    CHECK(byte != EOF);
    CHECK_INT(fseek(file, offset, SEEK_SET), 0);
    CHECK(fputc(byte ^ 1, file) != EOF);
    CHECK_INT(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_INT(fclose(file), 0);
}

/* Makes the file again after damage and checks that it is as it was. */
static void check_repair(struct fixture *fixture, const char *sum)
{
    char now[64];
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), now);
    CHECK_TEXT(now, sum);
    check_rows(fixture->path, &small);
    ino_t inode = inode_of(fixture->path);
    make(fixture, &small);
    CHECK_INT(inode_of(fixture->path), inode);
    CHECK_INT(count_files(fixture->data), 2);
}

static void a_damaged_file_is_made_again(void *argument)
{
    struct fixture *fixture = argument;
    char sum[64];
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), sum);
    for (long offset = 0; offset < 40000; offset += 7919) {
        change_byte(fixture->path, offset);
        check_repair(fixture, sum);
    }
    for (off_t size = 0; size < 40000; size += 12345) {
        CHECK_INT(truncate(fixture->path, size), 0);
        check_repair(fixture, sum);
    }
    CHECK_INT(unlink(fixture->path), 0);
    check_repair(fixture, sum);
}

static void without_its_sum_the_file_is_made_again(void *argument)
{
    struct fixture *fixture = argument;
    static const char *const texts[] = {
        "", "x", "0 0\n", "cbf29ce484222325 0\n", "cbf29ce484222325"};
    char sum[64];
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), sum);
    ino_t inode = inode_of(fixture->path);
    CHECK_INT(unlink(join(fixture->path, ".sum")), 0);
    check_repair(fixture, sum);
    CHECK(inode_of(fixture->path) != inode);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(join(fixture->path, ".sum"), texts[i]);
        check_repair(fixture, sum);
    }
}

static void a_file_that_was_written_to_is_made_again(void *argument)
{
    struct fixture *fixture = argument;
    char sum[64];
    make(fixture, &small);
    read_text(join(fixture->path, ".sum"), sum);
    for (int keep_wal = 0; keep_wal < 2; keep_wal++) {
        sqlite3 *db = open_db(fixture->path);
        CHECK_INT(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                                    keep_wal, NULL),
                  SQLITE_OK);
        run(db, "DELETE FROM order_lines");
        close_db(db);
        check_repair(fixture, sum);
    }
}

static void reading_does_not_change_the_file(void *argument)
{
    struct fixture *fixture = argument;
    make(fixture, &small);
    ino_t inode = inode_of(fixture->path);
    sqlite3 *db = open_db(fixture->path);
    check_answer(db, "PRAGMA journal_mode = WAL", "wal");
    check_number(db, "SELECT count(*) FROM users", 10);
    make(fixture, &small); /* while it is being read */
    close_db(db);
    make(fixture, &small);
    CHECK_INT(inode_of(fixture->path), inode);
    CHECK_INT(count_files(fixture->data), 2);
}

static void processes_may_make_it_at_once(void *argument)
{
    struct fixture *fixture = argument;
    pid_t children[4];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++) {
            children[i] = fork();
            CHECK(children[i] >= 0);
            if (children[i] != 0)
                continue;
            int rc = asq_shop_make(&small, fixture->path, fixture->message);
            if (rc == 0)
                check_rows(fixture->path, &small);
            _exit(rc != 0);
        }
        for (int i = 0; i < 4; i++) {
            int status = 0;
            CHECK_INT(waitpid(children[i], &status, 0), children[i]);
            CHECK_INT(status, 0);
        }
        make(fixture, &small);
        /* A process whose file was replaced while it was open leaves an empty
         * WAL file behind, which the next one to close removes. */
        check_rows(fixture->path, &small);
        CHECK_INT(count_files(fixture->data), 2);
        CHECK_INT(unlink(join(fixture->path, ".sum")), 0);
    }
}

/* Errors */

static void check_error(struct fixture *fixture,
                        int expected,
                        const char *file,
                        const char *reason)
{
    char path[ASQ_SHOP_PATH_MAX] = "untouched";
    CHECK_INT(asq_shop_make(&small, path, fixture->message), expected);
    CHECK_TEXT(path, "untouched");
    CHECK_CONTAINS(fixture->message, file);
    CHECK_CONTAINS(fixture->message, reason);
    CHECK(strchr(fixture->message, '\n') == NULL);
}

static void a_file_in_place_of_the_folder_is_told(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_INT(mkdir(fixture->build, 0777), 0);
    write_text(fixture->data, "");
    check_error(fixture, -ENOTDIR, "shop-10-20-30-1.db", "not a directory");
    CHECK_INT(unlink(fixture->data), 0);
}

static void a_folder_in_place_of_the_file_is_told(void *argument)
{
    struct fixture *fixture = argument;
    make(fixture, &small);
    CHECK_INT(unlink(fixture->path), 0);
    CHECK_INT(mkdir(fixture->path, 0777), 0);
    check_error(fixture, -EISDIR, "shop-10-20-30-1.db", "directory");
    CHECK_INT(count_files(fixture->data), 2);
    CHECK_INT(rmdir(fixture->path), 0);
}

static void missing_rights_are_told(void *argument)
{
    struct fixture *fixture = argument;
    uid_t user = geteuid();
    make(fixture, &small);
    CHECK_INT(unlink(join(fixture->path, ".sum")), 0);
    CHECK_INT(chmod(fixture->data, 0555), 0);
    /* Root may write everywhere, so root becomes nobody for a while. */
    if (user == 0 && seteuid(65534) != 0)
        test_skip("root cannot become another user here");
    check_error(fixture, -EACCES, "shop-10-20-30-1.db", "permission denied");
    CHECK_INT(seteuid(user), 0);
    CHECK_INT(chmod(fixture->data, 0777), 0);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit for files stands for a full disk. The room ends at once, after the
 * first page, and shortly before the end. */
static void a_full_disk_is_told(void *argument)
{
    struct fixture *fixture = argument;
    static const rlim_t limits[] = {0, 4096, 40000};
    for (int i = 0; i < 3; i++) {
        limit_files(limits[i]);
        check_error(fixture, SQLITE_IOERR_WRITE, "shop-10-20-30-1.db",
                    "file too large");
        limit_files(RLIM_INFINITY);
        CHECK_INT(count_files(fixture->data), 0);
    }
    make(fixture, &small);
    check_rows(fixture->path, &small);
}

/* unix-dotfile has no shared memory, like some file systems of networks. */
static void a_disk_without_wal_is_told(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3_vfs *dotfile = sqlite3_vfs_find("unix-dotfile");
    if (dotfile == NULL)
        test_skip("this SQLite has no unix-dotfile");
    CHECK_INT(sqlite3_vfs_register(dotfile, 1), SQLITE_OK);
    check_error(fixture, SQLITE_PROTOCOL, "shop-10-20-30-1.db", "BUILD=dir");
    CHECK_INT(count_files(fixture->data), 0);
}

static void a_spec_without_rows_is_refused(void *argument)
{
    struct fixture *fixture = argument;
    static const struct asq_shop shops[] = {
        {.users = 0, .items = 1, .orders = 0},
        {.users = 1, .items = 0, .orders = 0},
        {.users = 1, .items = 1, .orders = -1},
    };
    for (int i = 0; i < 3; i++) {
        CHECK_INT(asq_shop_make(&shops[i], fixture->path, fixture->message),
                  UV_EINVAL);
        CHECK_CONTAINS(fixture->message, "at least 1 user");
    }
    CHECK_INT(access(fixture->build, F_OK), -1);
}

static void a_path_that_is_too_long_is_told(void *argument)
{
    struct fixture *fixture = argument;
    char build[ASQ_SHOP_PATH_MAX];
    memset(build, 'x', sizeof(build));
    build[sizeof(build) - 1] = '\0';
    CHECK_INT(setenv("ASQ_BUILD", build, 1), 0);
    check_error(fixture, UV_ENAMETOOLONG, "xxx", "too long");
    CHECK_INT(setenv("ASQ_BUILD", fixture->build, 1), 0);
    CHECK_INT(asq_shop_copy(&small, build, fixture->message), UV_ENAMETOOLONG);
    CHECK_CONTAINS(fixture->message, "too long");
}

/* Fails the first allocation, the second, and so on, until none is left. Some
 * SQLite can do without. */
static void a_lack_of_memory_is_told(void *argument)
{
    struct fixture *fixture = argument;
    static const struct asq_shop shop = {.users = 1, .items = 1};
    const int kinds = TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE;
    int errors = 0;
    int failed = 1;
    for (uint64_t nth = 1; failed; nth++) {
        CHECK(nth < 5000);
        test_alloc_fail_at(kinds, nth, 0);
        int rc = asq_shop_make(&shop, fixture->path, fixture->message);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(kinds, 0, 0);
        if (rc == 0) {
            check_rows(fixture->path, &shop);
            CHECK_INT(unlink(fixture->path), 0);
            CHECK_INT(unlink(join(fixture->path, ".sum")), 0);
        } else {
            errors++;
            CHECK_CONTAINS(fixture->message, "memory");
        }
        if (nth > 1) /* without the first there is not even the folder */
            CHECK_INT(count_files(fixture->data), 0);
    }
    CHECK(errors > 10);
}

/* Copies */

static void copy(struct fixture *fixture)
{
    int rc = asq_shop_copy(&small, fixture->copy, fixture->message);
    if (rc != 0)
        FAIL("%d: %s", rc, fixture->message);
    CHECK_TEXT(fixture->message, "");
}

static void a_copy_may_be_written(void *argument)
{
    struct fixture *fixture = argument;
    make(fixture, &small);
    ino_t inode = inode_of(fixture->path);
    copy(fixture);
    sqlite3 *db = open_db(fixture->copy);
    run(db, "DELETE FROM order_lines");
    close_db(db);
    make(fixture, &small);
    CHECK_INT(inode_of(fixture->path), inode);
    copy(fixture);
    check_rows(fixture->copy, &small);
}

static void files_of_an_earlier_copy_are_removed(void *argument)
{
    struct fixture *fixture = argument;
    copy(fixture);
    sqlite3 *db = open_db(fixture->copy);
    CHECK_INT(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
              SQLITE_OK);
    run(db, "DELETE FROM order_lines");
    close_db(db);
    CHECK_INT(access(join(fixture->copy, "-wal"), F_OK), 0);
    write_text(join(fixture->copy, "-journal"), "x");
    write_text(join(fixture->copy, "-shm"), "x");
    copy(fixture);
    CHECK_INT(access(join(fixture->copy, "-wal"), F_OK), -1);
    CHECK_INT(access(join(fixture->copy, "-shm"), F_OK), -1);
    CHECK_INT(access(join(fixture->copy, "-journal"), F_OK), -1);
    check_rows(fixture->copy, &small);
}

static void errors_of_a_copy_are_told(void *argument)
{
    struct fixture *fixture = argument;
    char *message = fixture->message;
    struct stat status;
    make(fixture, &small);
    CHECK_INT(asq_shop_copy(&small, fixture->data, message), -EISDIR);
    CHECK_CONTAINS(message, "data: illegal operation on a directory");
    write_text(fixture->copy, "");
    CHECK_INT(asq_shop_copy(&small, join(fixture->copy, "/x"), message),
              -ENOTDIR);
    CHECK_CONTAINS(message, "copy.db/x: not a directory");
    limit_files(4096);
    CHECK_INT(asq_shop_copy(&small, fixture->copy, message), -EFBIG);
    limit_files(RLIM_INFINITY);
    CHECK_CONTAINS(message, "copy.db: file too large");
    CHECK_INT(stat(fixture->copy, &status), 0);
    CHECK_INT(status.st_size, 0); /* as it was */
    CHECK_INT(count_files(fixture->build), 1);
}

static void missing_folders_of_a_copy_are_made(void *argument)
{
    struct fixture *fixture = argument;
    char path[ASQ_SHOP_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/a.db", fixture->copy);
    CHECK_INT(asq_shop_copy(&small, path, fixture->message), 0);
    check_rows(path, &small);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(fixture->copy), 0);
}

static void set_up(void *argument)
{
    struct fixture *fixture = argument;
    test_alloc_install();
    fixture->build = test_path("build");
    fixture->data = test_path("build/data");
    fixture->copy = test_path("copy.db");
    CHECK_INT(setenv("ASQ_BUILD", fixture->build, 1), 0);
}

static void tear_down(void *argument)
{
    struct fixture *fixture = argument;
    char path[1024];
    DIR *folder = opendir(fixture->data);
    if (folder != NULL) {
        for (struct dirent *entry = readdir(folder); entry != NULL;
             entry = readdir(folder)) {
            (void)snprintf(path, sizeof(path), "%s/%s", fixture->data,
                           entry->d_name);
            (void)unlink(path); /* fails for the folder itself */
        }
        CHECK_INT(closedir(folder), 0);
    }
    (void)rmdir(fixture->data);  /* some tests do not make it */
    (void)rmdir(fixture->build); /* the same */
}

static const struct test_case cases[] = {
    {.name = "rows_are_those_of_the_spec", .run = rows_are_those_of_the_spec},
    {.name = "rows_are_the_same_on_every_machine",
     .run = rows_are_the_same_on_every_machine},
    {.name = "ten_thousand_items_fill_250_pages",
     .run = ten_thousand_items_fill_250_pages},
    {.name = "same_spec_gives_the_same_bytes",
     .run = same_spec_gives_the_same_bytes},
    {.name = "a_damaged_file_is_made_again",
     .run = a_damaged_file_is_made_again},
    {.name = "without_its_sum_the_file_is_made_again",
     .run = without_its_sum_the_file_is_made_again},
    {.name = "a_file_that_was_written_to_is_made_again",
     .run = a_file_that_was_written_to_is_made_again},
    {.name = "reading_does_not_change_the_file",
     .run = reading_does_not_change_the_file},
    {.name = "processes_may_make_it_at_once",
     .run = processes_may_make_it_at_once},
    {.name = "a_file_in_place_of_the_folder_is_told",
     .run = a_file_in_place_of_the_folder_is_told},
    {.name = "a_folder_in_place_of_the_file_is_told",
     .run = a_folder_in_place_of_the_file_is_told},
    {.name = "missing_rights_are_told", .run = missing_rights_are_told},
    {.name = "a_full_disk_is_told", .run = a_full_disk_is_told},
    {.name = "a_disk_without_wal_is_told", .run = a_disk_without_wal_is_told},
    {.name = "a_spec_without_rows_is_refused",
     .run = a_spec_without_rows_is_refused},
    {.name = "a_path_that_is_too_long_is_told",
     .run = a_path_that_is_too_long_is_told},
    {.name = "a_lack_of_memory_is_told", .run = a_lack_of_memory_is_told},
    {.name = "a_copy_may_be_written", .run = a_copy_may_be_written},
    {.name = "files_of_an_earlier_copy_are_removed",
     .run = files_of_an_earlier_copy_are_removed},
    {.name = "errors_of_a_copy_are_told", .run = errors_of_a_copy_are_told},
    {.name = "missing_folders_of_a_copy_are_made",
     .run = missing_folders_of_a_copy_are_made},
    {0},
};

const struct test_suite test_suite = {
    .name = "shop",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
