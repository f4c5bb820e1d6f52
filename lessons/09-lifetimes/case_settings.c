/* case_settings - which settings does the file keep, and which a connection?
 *
 * The trouble: settings are made once, and a second connection does not have
 * most of them. Here connection A sets them all, in an empty file; then B is
 * opened and asked. The cure is a profile for each connection (db.h).
 *
 * Run:      build/09-lifetimes-case_settings
 * Expect:   the file keeps four of them, and B has none of the others
 */
#include "09-lifetimes/tempdb.h"
#include "common/paths.h"
#include "common/table.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE = 32
};

struct setting {
    const char *name;
    const char *value; /* that the first connection sets */
    char before[TEXT_SIZE], first[TEXT_SIZE], second[TEXT_SIZE];
};

/* Runs a PRAGMA and copies the first cell, if there is one. */
static int
ask(sqlite3 *db, const char *name, const char *value, char text[TEXT_SIZE])
{
    sqlite3_stmt *stmt = NULL;
    char sql[64];
    int rc;

    /* It fits: all the words are in this file. */
    (void)snprintf(sql, sizeof sql, "PRAGMA %s%s%s", name,
                   value == NULL ? "" : "=", value == NULL ? "" : value);
    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
        (void)snprintf(text, TEXT_SIZE, "%s",
                       (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static int ask_all(sqlite3 *db, struct setting *settings, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = ask(db, settings[i].name, NULL, settings[i].before);
        if (rc == 0)
            rc =
                ask(db, settings[i].name, settings[i].value, settings[i].first);
        if (rc == 0)
            rc = ask(db, settings[i].name, NULL, settings[i].first);
    }
    /* The properties of the file are written with its first table. */
    return rc == 0 ? sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL)
                   : rc;
}

static int print(const struct setting *settings, size_t count)
{
    static const char *const headers[] = {"setting", "at first", "set by A",
                                          "B has", "kept in"};
    struct asq_table table;
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &settings[i];
        const char *kept = "the connection";

        if (strcmp(setting->first, setting->before) == 0)
            kept = "unknown: A changed nothing";
        else if (strcmp(setting->first, setting->second) == 0)
            kept = "the file";
        asq_table_add(&table, "%s", setting->name);
        asq_table_add(&table, "%s", setting->before);
        asq_table_add(&table, "%s", setting->first);
        asq_table_add(&table, "%s", setting->second);
        asq_table_add(&table, "%s", kept);
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

int main(void)
{
    struct setting settings[] = {
        {.name = "page_size", .value = "8192"},
        {.name = "auto_vacuum", .value = "1"},
        {.name = "journal_mode", .value = "wal"},
        {.name = "user_version", .value = "7"},
        {.name = "synchronous", .value = "1"},
        {.name = "foreign_keys", .value = "1"},
        {.name = "cache_size", .value = "-500"},
        {.name = "busy_timeout", .value = "250"},
        {.name = "temp_store", .value = "2"},
        {.name = "wal_autocheckpoint", .value = "100"},
    };
    size_t count = sizeof settings / sizeof settings[0];
    sqlite3 *a = NULL, *b = NULL;
    struct asq_tempdb file;
    int rc = asq_tempdb_open(&file, ASQ_TEMPDB_FILE, asq_build_dir());

    if (rc != 0) {
        (void)fprintf(stderr, "%s\n", file.message);
        return 1;
    }
    rc = sqlite3_open(file.path, &a);
    if (rc == 0)
        rc = ask_all(a, settings, count); /* once, as many programs do */
    if (rc == 0)
        rc = sqlite3_open(file.path, &b); /* the next one */
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = ask(b, settings[i].name, NULL, settings[i].second);
    if (rc == 0)
        rc = print(settings, count);
    if (rc != 0)
        (void)fprintf(stderr, "it failed with code %d\n", rc);
    (void)sqlite3_close(b); /* every statement is finalized */
    (void)sqlite3_close(a);
    if (asq_tempdb_close(&file) != 0)
        (void)fprintf(stderr, "%s\n", file.message); /* it stays */
    return rc != 0;
}
