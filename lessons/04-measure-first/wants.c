/* wants - by which columns a query looks for its rows */
#include "04-measure-first/wants.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 64, /* of a table; any others are left out */
    KEY = 6       /* columns of an index */
};

/* What all tables of one search share. */
struct search {
    sqlite3 *source;
    struct asq_wants *wants;
};

struct table {
    sqlite3_vtab base; /* first: SQLite only knows this */
    struct search *search;
    char *name;
    char *columns[COLUMNS]; /* as they are written in SQL */
    int count;
    int key; /* the column that is the rowid, or -1 */
};

/* Columns of an index, in order. */
struct key {
    int columns[KEY];
    int count;
};

/* Writes a name as SQL needs it. Freed with sqlite3_free; may be NULL. */
static char *quoted(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    bool is_plain = strspn(name, plain) == strlen(name) && *name != '\0' &&
                    strchr("0123456789", *name) == NULL &&
                    !sqlite3_keyword_check(name, (int)strlen(name));

    return sqlite3_mprintf(is_plain ? "%s" : "\"%w\"", name);
}

static int disconnect(sqlite3_vtab *base)
{
    struct table *table = (struct table *)base;

    for (int i = 0; i < table->count; i++)
        sqlite3_free(table->columns[i]);
    sqlite3_free(table->name);
    free(table);
    return SQLITE_OK;
}

/* Reads the columns of the real table. Returns what declares the virtual one,
 * to be freed; NULL if that is impossible. */
static char *read_columns(struct table *table, const char *name)
{
    sqlite3_stmt *stmt = NULL;
    char *declared = sqlite3_mprintf("CREATE TABLE t(");
    int keys = 0;

    table->key = -1;
    if (sqlite3_prepare_v2(table->search->source,
                           "SELECT name, type, hidden, pk"
                           " FROM pragma_table_xinfo(?)",
                           -1, &stmt, NULL) == SQLITE_OK)
        (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    while (declared != NULL && table->count < COLUMNS &&
           sqlite3_step(stmt) == SQLITE_ROW) {
        const char *column = (const char *)sqlite3_column_text(stmt, 0);
        const char *type = (const char *)sqlite3_column_text(stmt, 1);
        bool hidden = sqlite3_column_int(stmt, 2) == 1;

        if (sqlite3_column_int(stmt, 3) > 0) {
            keys++;
            if (sqlite3_stricmp(type, "INTEGER") == 0)
                table->key = table->count;
        }
        declared = sqlite3_mprintf("%z%s\"%w\" %s %s", declared,
                                   table->count > 0 ? ", " : "", column, type,
                                   hidden ? "HIDDEN" : "");
        table->columns[table->count++] = quoted(column);
    }
    (void)sqlite3_finalize(stmt); /* what failed is left out */
    if (keys != 1)
        table->key = -1;
    return declared == NULL ? NULL : sqlite3_mprintf("%z)", declared);
}

static int connect(sqlite3 *db,
                   void *data,
                   int argc,
                   const char *const *argv,
                   sqlite3_vtab **ret_base,
                   char **ret_message)
{
    struct table *table = calloc(1, sizeof *table);
    char *declared = NULL;
    int rc = SQLITE_NOMEM;

    (void)argc, (void)ret_message; /* argv[2] is the name */
    if (table == NULL)
        return rc;
    table->search = data;
    table->name = quoted(argv[2]);
    declared = read_columns(table, argv[2]);
    if (declared != NULL)
        rc = sqlite3_declare_vtab(db, declared);
    sqlite3_free(declared);
    if (rc == SQLITE_OK)
        *ret_base = &table->base;
    else
        (void)disconnect(&table->base); /* always SQLITE_OK */
    return rc;
}

static void add_column(struct key *key, const struct table *table, int column)
{
    for (int i = 0; i < key->count; i++)
        if (key->columns[i] == column)
            return;
    if (column >= 0 && column < table->count && column != table->key &&
        key->count < KEY)
        key->columns[key->count++] = column;
}

/* Keeps an index on these columns, if it is a new one. */
static void
keep(const struct table *table, const struct key *key, const char *collation)
{
    struct asq_wants *wants = table->search->wants;
    char *on = sqlite3_mprintf("");
    char *index;

    for (int i = 0; i < key->count; i++)
        on = sqlite3_mprintf("%z%s%s%s", on, i > 0 ? ", " : "",
                             table->columns[key->columns[i]], collation);
    index = sqlite3_mprintf("%s (%s)", table->name, on);
    if (key->count > 0 && index != NULL && strlen(index) < ASQ_WANT_TEXT &&
        wants->count < ASQ_WANTS_MAX) {
        (void)strcpy(wants->indexes[wants->count], index);
        wants->count++;
        for (int i = 0; i < wants->count - 1; i++)
            if (strcmp(wants->indexes[i], index) == 0) {
                wants->count--;
                break;
            }
    }
    sqlite3_free(index);
    sqlite3_free(on);
}

/* Only one condition other than "=" is useful: after those with "=". */
static void add_condition(const struct table *table,
                          const struct key *equal,
                          const struct sqlite3_index_constraint *condition)
{
    struct key key = *equal, alone = {{0}, 0};

    add_column(&key, table, condition->iColumn);
    add_column(&alone, table, condition->iColumn);
    switch (condition->op) {
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        keep(table, &key, "");
        break;
    case SQLITE_INDEX_CONSTRAINT_LIKE:
        table->search->wants->pattern = true;
        keep(table, &alone, " COLLATE NOCASE");
        break;
    case SQLITE_INDEX_CONSTRAINT_GLOB:
        table->search->wants->pattern = true;
        keep(table, &alone, "");
        break;
    default:
        break;
    }
}

static bool is_equal(const struct sqlite3_index_constraint *condition)
{
    return condition->op == SQLITE_INDEX_CONSTRAINT_EQ ||
           condition->op == SQLITE_INDEX_CONSTRAINT_IS ||
           condition->op == SQLITE_INDEX_CONSTRAINT_ISNULL;
}

/* SQLite asks what it would cost to look for rows in this way. Nothing is
 * claimed, so that it goes on asking. */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct table *table = (struct table *)base;
    struct key equal = {{0}, 0}, sorted;

    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].usable && is_equal(&info->aConstraint[i]))
            add_column(&equal, table, info->aConstraint[i].iColumn);
    keep(table, &equal, "");
    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].usable)
            add_condition(table, &equal, &info->aConstraint[i]);
    sorted = equal;
    for (int i = 0; i < info->nOrderBy; i++)
        add_column(&sorted, table, info->aOrderBy[i].iColumn);
    keep(table, &sorted, "");
    info->estimatedCost = equal.count > 0 ? 10 : 1e6;
    return SQLITE_OK;
}

/* It is here so that UPDATE and DELETE can be prepared. They are never run. */
static int
update(sqlite3_vtab *base, int argc, sqlite3_value **argv, sqlite3_int64 *id)
{
    (void)base, (void)argc, (void)argv, (void)id;
    return SQLITE_READONLY;
}

/* Runs in db the SQL that a query returns. What fails is left out. */
static void make_each(sqlite3 *source, sqlite3 *db, const char *query)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(source, query, -1, &stmt, NULL) == SQLITE_OK)
        while (sqlite3_step(stmt) == SQLITE_ROW)
            (void)sqlite3_exec(db, (const char *)sqlite3_column_text(stmt, 0),
                               NULL, NULL, NULL);
    (void)sqlite3_finalize(stmt);
}

void asq_wants_find(sqlite3 *db, const char *sql, struct asq_wants *ret_wants)
{
    static const sqlite3_module module = {.iVersion = 1,
                                          .xCreate = connect,
                                          .xConnect = connect,
                                          .xBestIndex = best_index,
                                          .xDisconnect = disconnect,
                                          .xDestroy = disconnect,
                                          .xUpdate = update};
    struct search search = {db, ret_wants};
    sqlite3_stmt *stmt = NULL;
    sqlite3 *twin = NULL;

    *ret_wants = (struct asq_wants){.count = 0};
    if (sqlite3_open(":memory:", &twin) == SQLITE_OK &&
        sqlite3_create_module_v2(twin, "wants", &module, &search, NULL) ==
            SQLITE_OK) {
        make_each(db, twin,
                  "SELECT printf('CREATE VIRTUAL TABLE \"%w\" USING wants',"
                  " name) FROM sqlite_schema WHERE type = 'table'"
                  " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
        make_each(db, twin,
                  "SELECT sql FROM sqlite_schema WHERE type = 'view'");
        (void)sqlite3_prepare_v2(twin, sql, -1, &stmt, NULL);
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(twin); /* nothing is open on it */
}
