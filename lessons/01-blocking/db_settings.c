/* db_settings - the settings of a profile are applied and read back */
#include "01-blocking/db_settings.h"

#include <stdio.h>
#include <stdlib.h>

/* Runs a PRAGMA and copies the text of its first cell, if it has one. */
static int ask(struct asq_db *db, const char *sql, char *ret_text, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(stmt, 0);

            /* Every answer is shorter than the buffers used here. */
            (void)snprintf(ret_text, size, "%s", text == NULL ? "" : text);
            rc = SQLITE_DONE;
        }
    }
    /* Finalize repeats the error of the step; it is already in rc. */
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Switching to WAL needs the file to itself for a moment, and does not always
 * ask the busy handler, so the waiting is done here. */
static int set_journal_mode(struct asq_db *db, bool wal)
{
    const char *sql = wal && !db->read_only ? "PRAGMA main.journal_mode=WAL"
                                            : "PRAGMA main.journal_mode";
    uint64_t since_ns = asq__db_now_ns();
    int tries = 0;
    int rc;

    do {
        rc = ask(db, sql, db->journal_mode, sizeof db->journal_mode);
    } while ((rc & 0xff) == SQLITE_BUSY && asq__db_wait(db, since_ns, tries++));
    return rc;
}

struct setting {
    const char *pragma;
    int64_t wanted;
    int64_t in_force;
};

static int get_number(struct asq_db *db, struct setting *setting)
{
    char sql[64];
    char text[32] = "";
    int rc;

    (void)snprintf(sql, sizeof sql, "PRAGMA %s", setting->pragma); /* it fits */
    rc = ask(db, sql, text, sizeof text);
    setting->in_force = strtoll(text, NULL, 10); /* no answer reads as 0 */
    return rc;
}

/* A setting that is already right is left alone: setting wal_autocheckpoint
 * removes the WAL hook and temp_store removes the temporary tables, and
 * on_open_db may have made them. */
static int set_number(struct asq_db *db, struct setting *setting)
{
    char sql[64];
    char text[32];
    int rc = get_number(db, setting);

    if (rc != 0 || setting->in_force == setting->wanted)
        return rc;
    /* The names and numbers used here fit. */
    (void)snprintf(sql, sizeof sql, "PRAGMA %s=%lld", setting->pragma,
                   (long long)setting->wanted);
    rc = ask(db, sql, text, sizeof text);
    return rc != 0 ? rc : get_number(db, setting);
}

static int set_numbers(struct asq_db *db, const struct asq_profile *profile)
{
    struct setting synchronous = {"main.synchronous", profile->synchronous, 0};
    struct setting keys = {"foreign_keys", profile->foreign_keys, 0};
    struct setting cache = {"main.cache_size", -(int64_t)profile->cache_kib, 0};
    struct setting trusted = {"trusted_schema", profile->trusted_schema, 0};
    struct setting checkpoint = {"wal_autocheckpoint",
                                 profile->wal_autocheckpoint, 0};
    struct setting journal = {"main.journal_size_limit",
                              profile->journal_size_limit, 0};
    struct setting mmap = {"main.mmap_size", profile->mmap_size, 0};
    struct setting temp = {"temp_store", profile->temp_store, 0};
    struct setting *all[] = {&synchronous, &keys,    &cache, &trusted,
                             &checkpoint,  &journal, &mmap,  &temp};
    int rc = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0] && rc == 0; i++)
        rc = set_number(db, all[i]);
    db->synchronous = (int)synchronous.in_force;
    db->foreign_keys = keys.in_force != 0;
    db->trusted_schema = trusted.in_force != 0;
    db->wal_autocheckpoint = (int)checkpoint.in_force;
    db->journal_size_limit = journal.in_force;
    db->mmap_size = mmap.in_force;
    db->temp_store = (enum asq_temp_store)temp.in_force;
    return rc;
}

int asq__db_set(struct asq_db *db, const struct asq_profile *profile)
{
    int rc = set_journal_mode(db, profile->wal);

    return rc != 0 ? rc : set_numbers(db, profile);
}
