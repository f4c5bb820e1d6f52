/* test_db_profile - each setting of the profile, and files of other programs
 *
 * The hook and the time limit of opening are in test_db_hook.c.
 */
#include "db_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void every_new_setting_can_be_another(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    profile.trusted_schema = false;
    profile.wal_autocheckpoint = 10;
    profile.journal_size_limit = 20000;
    profile.mmap_size = 65536;
    profile.temp_store = ASQ_TEMP_MEMORY;
    open_with(&db, &profile);
    CHECK(!db.trusted_schema);
    CHECK_INT(db.wal_autocheckpoint, 10);
    CHECK_INT(db.journal_size_limit, 20000);
    CHECK_INT(db.mmap_size, 65536);
    CHECK_INT(db.temp_store, ASQ_TEMP_MEMORY);
    CHECK_INT(ask(&db, "PRAGMA trusted_schema"), 0);
    CHECK_INT(ask(&db, "PRAGMA wal_autocheckpoint"), 10);
    CHECK_INT(ask(&db, "PRAGMA journal_size_limit"), 20000);
    CHECK_INT(ask(&db, "PRAGMA mmap_size"), 65536);
    CHECK_INT(ask(&db, "PRAGMA temp_store"), 2);
    close_db(&db);
}

static void the_defaults_are_those_of_sqlite(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    CHECK(db.trusted_schema);
    CHECK_INT(db.wal_autocheckpoint, 1000);
    CHECK_INT(db.journal_size_limit, -1);
    CHECK_INT(db.mmap_size, 0);
    CHECK_INT(db.temp_store, ASQ_TEMP_DEFAULT);
    close_db(&db);
}

/* What cannot take effect is reported as it is, not as it was asked for. */
static void what_is_in_force_is_read_back(void *fixture)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db db;

    (void)fixture;
    profile.mmap_size = 65536;
    open_with(&db, &profile);
    CHECK_INT(db.mmap_size, 0); /* there is no file to map */
    close_db(&db);
}

static int64_t size_of(const char *path)
{
    struct stat status;

    CHECK_INT(stat(path, &status), 0);
    return status.st_size;
}

static void
the_wal_grows_without_checkpoints_and_is_cut_after_one(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    const char *wal = test_path("a.db-wal");
    struct asq_db db;

    (void)fixture;
    profile.wal_autocheckpoint = 0;
    profile.journal_size_limit = 0;
    open_with(&db, &profile);
    run(&db, "CREATE TABLE t (v)");
    for (int i = 0; i < 3; i++)
        run(&db, "INSERT INTO t VALUES (zeroblob(2000000))");
    CHECK(size_of(wal) > 6000000); /* 1,000 pages are 4 MiB */
    run(&db, "PRAGMA wal_checkpoint");
    run(&db, "INSERT INTO t VALUES (1)"); /* begins the WAL anew */
    CHECK(size_of(wal) < 100000);
    close_db(&db);
}

/* Files of other programs */

static void hash(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int64(context, sqlite3_value_int64(values[0]) % 7);
}

/* As programs define their functions: not marked as innocuous. */
static int define_hash(struct asq_db *db, void *data)
{
    (void)data;
    return sqlite3_create_function(asq_db_handle(db), "hash", 1,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                   hash, NULL, NULL);
}

static void make_foreign_file(const char *path)
{
    static const char sql[] =
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, body, n);"
        "CREATE VIRTUAL TABLE idx USING fts5(body, content='docs',"
        " content_rowid='id');"
        "CREATE TRIGGER ai AFTER INSERT ON docs BEGIN"
        " INSERT INTO idx(rowid, body) VALUES (new.id, new.body); END;"
        "CREATE TRIGGER ad AFTER DELETE ON docs BEGIN"
        " INSERT INTO idx(idx, rowid, body)"
        " VALUES ('delete', old.id, old.body); END;"
        "CREATE VIEW words AS SELECT rowid, body FROM idx;"
        "CREATE INDEX by_hash ON docs (hash(n));"
        "CREATE TABLE j (v CHECK (json_valid(v)));"
        "CREATE TABLE d (at DEFAULT (hash(8)));"
        "CREATE VIEW hashed AS SELECT hash(n) FROM docs;"
        "CREATE TRIGGER aj AFTER INSERT ON j BEGIN"
        " SELECT hash(8); END";
    struct asq_db db = {0};
    char *message = NULL;

    CHECK_INT(sqlite3_open(path, &db.handle), 0);
    CHECK_INT(sqlite3_create_function(db.handle, "hash", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                      hash, NULL, NULL),
              0);
    if (sqlite3_exec(db.handle, sql, NULL, NULL, &message) != 0)
        FAIL("%s", message);
    CHECK_INT(sqlite3_close(db.handle), 0);
}

static void a_file_of_another_program_can_be_written(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_foreign_file(profile.path);
    profile.on_open_db = define_hash;
    open_with(&db, &profile);
    run(&db, "INSERT INTO docs VALUES (1, 'a word', 8), (2, 'another', 9)");
    run(&db, "DELETE FROM docs WHERE id = 2");
    CHECK_INT(ask(&db, "SELECT count(*) FROM words WHERE rowid = 1"), 1);
    CHECK_INT(ask(&db, "SELECT rowid FROM idx WHERE idx MATCH 'word'"), 1);
    run(&db, "INSERT INTO j VALUES ('{}')");
    run(&db, "INSERT INTO d DEFAULT VALUES");
    close_db(&db);
}

static void a_file_of_a_stranger_runs_no_functions_of_ours(void *fixture)
{
    static const char *const unsafe[] = {
        "SELECT * FROM hashed",
        "INSERT INTO j VALUES ('{}')",
        "INSERT INTO d DEFAULT VALUES",
    };
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_foreign_file(profile.path);
    profile.on_open_db = define_hash;
    profile.trusted_schema = false;
    open_with(&db, &profile);
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
        CHECK_INT(asq_db_run(&db, unsafe[i], NULL, NULL), SQLITE_ERROR);
        CHECK_CONTAINS(asq_db_message(&db), "unsafe use of");
    }
    close_db(&db);
}

/* Immutable */

/* A WAL database with one row; nothing is left in its WAL. */
static void make_wal_file(const char *path)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;

    open_with(&db, &profile);
    run(&db, "CREATE TABLE t (n)");
    run(&db, "INSERT INTO t VALUES (7)");
    close_db(&db);
}

static void what_is_immutable_leaves_no_trace(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_wal_file(profile.path);
    profile.mode = ASQ_OPEN_READ;
    profile.immutable = true;
    open_with(&db, &profile);
    CHECK_INT(ask(&db, "SELECT n FROM t"), 7);
    CHECK(access(test_path("a.db-shm"), F_OK) != 0);
    CHECK(access(test_path("a.db-wal"), F_OK) != 0);
    CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (1)", NULL, NULL),
              SQLITE_READONLY);
    close_db(&db);
}

static void only_what_is_read_can_be_immutable(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    profile.immutable = true;
    CHECK_INT(asq_db_open(&db, &profile), SQLITE_MISUSE);
    CHECK_CONTAINS(asq_db_message(&db), "ASQ_OPEN_READ");
    CHECK(access(profile.path, F_OK) != 0);
    CHECK_INT(asq_db_close(&db), 0);
}

/* Inside it becomes a URI, and nothing in a name may mean something there. */
static void any_name_can_be_immutable(void *fixture)
{
    static const char *const names[] = {"a?mode=memory&x", "50%41#b.db",
                                        "with a blank.db", "\xc3\xa4\n\x7f.db"};

    (void)fixture;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4096], folder[2048];
        const char *name = test_path(names[i]);
        struct asq_profile profile = asq_profile_default(path);
        struct asq_db db;

        /* Two slashes at the beginning would be a host to a URI. */
        CHECK(getcwd(folder, sizeof folder) != NULL);
        (void)snprintf(path, sizeof path, "/%s/%s",
                       name[0] == '/' ? "" : folder, name);
        make_wal_file(profile.path);
        profile.mode = ASQ_OPEN_READ;
        profile.immutable = true;
        open_with(&db, &profile);
        CHECK_INT(ask(&db, "SELECT n FROM t"), 7);
        close_db(&db);
    }
}

/* A folder that cannot be written */

/* Root may write everything, so root becomes nobody for a while. */
static void become_nobody(const char *folder, const char *path)
{
    int file;

    CHECK_INT(chmod(folder, 0555), 0);
    if (geteuid() == 0 && seteuid(65534) != 0)
        test_skip("root cannot become another user here");
    file = open(path, O_RDONLY);
    if (file < 0)
        test_skip("another user cannot reach the folder of the tests");
    CHECK_INT(close(file), 0);
}

static void remove_folder(const char *folder, const char *path)
{
    if (getuid() == 0)
        CHECK_INT(seteuid(0), 0);
    CHECK_INT(chmod(folder, 0777), 0);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(folder), 0);
}

static const char no_folder[] =
    ": WAL needs a folder that can be written; if nobody changes the file, use "
    "ASQ_OPEN_READ with immutable";

static void wal_in_a_folder_that_cannot_be_written(void *fixture)
{
    static const enum asq_open_mode modes[] = {ASQ_OPEN_READ, ASQ_OPEN_WRITE};
    const char *folder = test_path("folder");
    struct asq_profile profile = asq_profile_default(test_path("folder/a.db"));
    struct asq_db db;

    (void)fixture;
    CHECK_INT(mkdir(folder, 0777), 0);
    make_wal_file(profile.path);
    CHECK_INT(chmod(profile.path, 0666), 0);
    become_nobody(folder, profile.path);
    for (int i = 0; i < 2; i++) {
        profile.mode = modes[i];
        CHECK(asq_db_open(&db, &profile) != 0); /* versions differ in codes */
        CHECK_CONTAINS(asq_db_message(&db), no_folder);
        CHECK_INT(asq_db_close(&db), 0);
    }
    profile.mode = ASQ_OPEN_READ;
    profile.immutable = true;
    open_with(&db, &profile);
    CHECK_INT(ask(&db, "SELECT n FROM t"), 7);
    close_db(&db);
    remove_folder(folder, profile.path);
}

/* It could be read, but the profile asks for WAL. */
static void a_rollback_file_that_shall_become_wal_there(void *fixture)
{
    const char *folder = test_path("folder");
    struct asq_profile profile = asq_profile_default(test_path("folder/a.db"));
    struct asq_db db;

    (void)fixture;
    CHECK_INT(mkdir(folder, 0777), 0);
    profile.wal = false;
    open_with(&db, &profile);
    run(&db, "CREATE TABLE t (n)");
    close_db(&db);
    CHECK_INT(chmod(profile.path, 0666), 0);
    become_nobody(folder, profile.path);
    open_with(&db, &profile);
    close_db(&db);
    profile.wal = true;
    CHECK(asq_db_open(&db, &profile) != 0);
    CHECK_CONTAINS(asq_db_message(&db), no_folder);
    CHECK_INT(asq_db_close(&db), 0);
    remove_folder(folder, profile.path);
}

static const struct test_case cases[] = {
    {.name = "every_new_setting_can_be_another",
     .run = every_new_setting_can_be_another},
    {.name = "the_defaults_are_those_of_sqlite",
     .run = the_defaults_are_those_of_sqlite},
    {.name = "what_is_in_force_is_read_back",
     .run = what_is_in_force_is_read_back},
    {.name = "the_wal_grows_without_checkpoints_and_is_cut_after_one",
     .run = the_wal_grows_without_checkpoints_and_is_cut_after_one},
    {.name = "a_file_of_another_program_can_be_written",
     .run = a_file_of_another_program_can_be_written},
    {.name = "a_file_of_a_stranger_runs_no_functions_of_ours",
     .run = a_file_of_a_stranger_runs_no_functions_of_ours},
    {.name = "what_is_immutable_leaves_no_trace",
     .run = what_is_immutable_leaves_no_trace},
    {.name = "only_what_is_read_can_be_immutable",
     .run = only_what_is_read_can_be_immutable},
    {.name = "any_name_can_be_immutable", .run = any_name_can_be_immutable},
    {.name = "wal_in_a_folder_that_cannot_be_written",
     .run = wal_in_a_folder_that_cannot_be_written},
    {.name = "a_rollback_file_that_shall_become_wal_there",
     .run = a_rollback_file_that_shall_become_wal_there},
    {0},
};

const struct test_suite test_suite = {.name = "db_profile", .cases = cases};
