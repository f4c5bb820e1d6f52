/* shop_rows - the tables and rows of the shop
 *
 * Owns nothing. One thread for each database. Each row draws its random numbers
 * from a generator of its own, started from seed, table and id, so user 17 is
 * the same person however many items there are.
 */
#include "common/shop_rows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum table {
    USERS,
    PROFILES,
    ACCOUNTS,
    ITEMS,
    ORDERS,
    ORDER_LINES
};

/* The first seconds of two years: users join in the first, orders are placed in
 * the second. */
static const int64_t begin_2023 = INT64_C(1672531200);
static const int64_t begin_2024 = INT64_C(1704067200);

static const char schema[] =
    "CREATE TABLE users ("
    " id INTEGER PRIMARY KEY,"
    " email TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " created_at TEXT NOT NULL) STRICT;"
    "CREATE TABLE profiles ("
    " user_id INTEGER PRIMARY KEY REFERENCES users (id),"
    " bio TEXT) STRICT;"
    "CREATE TABLE accounts ("
    " id INTEGER PRIMARY KEY,"
    " user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),"
    " balance_cents INTEGER NOT NULL) STRICT;"
    "CREATE TABLE items ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL"
    "  CHECK (status IN ('active', 'draft', 'sold', 'archived')),"
    " data TEXT NOT NULL,"
    " value INTEGER NOT NULL) STRICT;"
    "CREATE TABLE orders ("
    " id INTEGER PRIMARY KEY,"
    " user_id INTEGER NOT NULL REFERENCES users (id),"
    " created_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX orders_by_user ON orders (user_id);"
    "CREATE TABLE order_lines ("
    " order_id INTEGER NOT NULL REFERENCES orders (id),"
    " line INTEGER NOT NULL,"
    " item_id INTEGER NOT NULL REFERENCES items (id),"
    " quantity INTEGER NOT NULL CHECK (quantity > 0),"
    " price_cents INTEGER NOT NULL,"
    " PRIMARY KEY (order_id, line)) STRICT, WITHOUT ROWID;";

enum {
    WORDS = 16
};

static const char *const qualities[WORDS] = {
    "amber", "brisk",  "calm",  "distant", "early", "gentle", "hollow", "keen",
    "late",  "narrow", "plain", "quiet",   "round", "silver", "tall",   "wide"};
static const char *const animals[WORDS] = {
    "badger", "crane",  "dolphin", "egret", "finch",  "gecko", "heron", "ibis",
    "lynx",   "marten", "newt",    "otter", "plover", "robin", "stoat", "wren"};
static const char *const materials[WORDS] = {
    "bamboo", "brass",  "canvas", "cedar", "clay",  "copper",
    "cork",   "cotton", "felt",   "glass", "linen", "maple",
    "marble", "pewter", "steel",  "walnut"};
static const char *const things[WORDS] = {
    "basket", "bowl", "bucket", "candle", "chair", "clock", "easel", "kettle",
    "ladder", "lamp", "mirror", "shelf",  "stool", "tray",  "vase",  "whisk"};

/* splitmix64: its state is one number, and it may start from any number. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t start(const struct asq_shop *shop, enum table table, int id)
{
    uint64_t state = shop->seed;
    state = draw(&state) + (uint64_t)table;
    state = draw(&state) + (uint64_t)id;
    return draw(&state);
}

/* The remainder favours small numbers, but by less than one in 10^9. */
static int below(uint64_t *state, int limit)
{
    return (int)(draw(state) % (uint64_t)limit);
}

static const char *word(uint64_t *state, const char *const words[WORDS])
{
    return words[below(state, WORDS)];
}

/* Spreads count rows over the year that begins at the second begin, in the
 * order of their ids. */
static void format_time(char text[static 32], int64_t begin, int id, int count)
{
    const int64_t year = INT64_C(365) * 24 * 60 * 60;
    time_t seconds = (time_t)(begin + year * (id - 1) / count);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts); /* it can fail only beyond year 2^31 */
    (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts); /* 20 bytes */
}

/* Writes the rows of one table. The first error is kept and stops everything
 * after it, so only the end needs a check. */
struct rows {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int column;
    int status;
};

static void run(struct rows *rows, const char *sql)
{
    if (rows->status == SQLITE_OK)
        rows->status = sqlite3_exec(rows->db, sql, NULL, NULL, NULL);
}

static void begin_table(struct rows *rows, const char *insert)
{
    if (rows->status == SQLITE_OK)
        rows->status =
            sqlite3_prepare_v2(rows->db, insert, -1, &rows->stmt, NULL);
}

static void put_int(struct rows *rows, int value)
{
    if (rows->status == SQLITE_OK)
        rows->status = sqlite3_bind_int(rows->stmt, ++rows->column, value);
}

/* NULL becomes an SQL NULL. */
static void put_text(struct rows *rows, const char *text)
{
    if (rows->status == SQLITE_OK)
        rows->status = sqlite3_bind_text(rows->stmt, ++rows->column, text, -1,
                                         SQLITE_TRANSIENT);
}

static void end_row(struct rows *rows)
{
    rows->column = 0;
    if (rows->status != SQLITE_OK)
        return;
    (void)sqlite3_step(rows->stmt); /* reset returns its error */
    rows->status = sqlite3_reset(rows->stmt);
}

static void end_table(struct rows *rows)
{
    (void)sqlite3_finalize(rows->stmt); /* its error is already in status */
    rows->stmt = NULL;
}

static void put_user(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, USERS, id);
    const char *quality = word(&state, qualities);
    const char *animal = word(&state, animals);
    char email[64], name[64], created_at[32];
    (void)snprintf(email, sizeof(email), "%s.%s.%d@example.org", quality,
                   animal, id);
    (void)snprintf(name, sizeof(name), "%s %s", quality, animal);
    format_time(created_at, begin_2023, id, shop->users);
    put_int(rows, id);
    put_text(rows, email);
    put_text(rows, name);
    put_text(rows, created_at);
    end_row(rows);
}

static void put_profile(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, PROFILES, id);
    int silent = below(&state, 8) == 0;
    const char *material = word(&state, materials);
    const char *thing = word(&state, things);
    const char *animal = word(&state, animals);
    char bio[128];
    (void)snprintf(bio, sizeof(bio), "Feeds the %s, collects every %s %s.",
                   animal, material, thing);
    put_int(rows, id);
    put_text(rows, silent ? NULL : bio);
    end_row(rows);
}

static void put_account(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, ACCOUNTS, id);
    put_int(rows, id);
    put_int(rows, id);
    put_int(rows, below(&state, 500000));
    end_row(rows);
}

/* The price is the first number of the item's generator, so an order can
 * compute it without asking the database. */
static int price_cents(const struct asq_shop *shop, int item)
{
    uint64_t state = start(shop, ITEMS, item);
    return 100 + below(&state, 50000);
}

static const char *pick_status(uint64_t *state)
{
    int percent = below(state, 100);
    if (percent < 60)
        return "active";
    if (percent < 75)
        return "draft";
    return percent < 90 ? "sold" : "archived";
}

static void put_item(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, ITEMS, id);
    (void)draw(&state); /* the price */
    const char *quality = word(&state, qualities);
    const char *material = word(&state, materials);
    const char *thing = word(&state, things);
    const char *tag = word(&state, qualities);
    int grams = 50 + below(&state, 20000);
    int stock = below(&state, 100);
    char name[64], data[160];
    (void)snprintf(name, sizeof(name), "%s %s %s %d", quality, material, thing,
                   id);
    (void)snprintf(data, sizeof(data),
                   "{\"kind\":\"%s\",\"material\":\"%s\",\"grams\":%d,"
                   "\"stock\":%d,\"tags\":[\"%s\",\"%s\"]}",
                   thing, material, grams, stock, quality, tag);
    put_int(rows, id);
    put_text(rows, name);
    put_text(rows, pick_status(&state));
    put_text(rows, data);
    put_int(rows, price_cents(shop, id));
    end_row(rows);
}

static void put_order(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, ORDERS, id);
    char created_at[32];
    format_time(created_at, begin_2024, id, shop->orders);
    put_int(rows, id);
    put_int(rows, 1 + below(&state, shop->users));
    put_text(rows, created_at);
    end_row(rows);
}

static void
put_order_lines(struct rows *rows, const struct asq_shop *shop, int id)
{
    uint64_t state = start(shop, ORDER_LINES, id);
    int lines = 1 + below(&state, 5);
    for (int line = 1; line <= lines; line++) {
        int item = 1 + below(&state, shop->items);
        put_int(rows, id);
        put_int(rows, line);
        put_int(rows, item);
        put_int(rows, 1 + below(&state, 4));
        put_int(rows, price_cents(shop, item));
        end_row(rows);
    }
}

static void fill_tables(struct rows *rows, const struct asq_shop *shop)
{
    const struct {
        const char *insert;
        void (*put)(struct rows *rows, const struct asq_shop *shop, int id);
        int count;
    } tables[] = {
        {"INSERT INTO users VALUES (?, ?, ?, ?)", put_user, shop->users},
        {"INSERT INTO profiles VALUES (?, ?)", put_profile, shop->users},
        {"INSERT INTO accounts VALUES (?, ?, ?)", put_account, shop->users},
        {"INSERT INTO items VALUES (?, ?, ?, ?, ?)", put_item, shop->items},
        {"INSERT INTO orders VALUES (?, ?, ?)", put_order, shop->orders},
        {"INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)", put_order_lines,
         shop->orders},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        begin_table(rows, tables[i].insert);
        for (int id = 1; id <= tables[i].count && rows->status == 0; id++)
            tables[i].put(rows, shop, id);
        end_table(rows);
    }
}

/* On a file system without shared memory the mode stays as it was, without an
 * error, so the answer is read. */
static void switch_to_wal(struct rows *rows)
{
    begin_table(rows, "PRAGMA journal_mode = WAL");
    if (rows->status != SQLITE_OK)
        return;
    if (sqlite3_step(rows->stmt) == SQLITE_ROW) {
        const unsigned char *mode = sqlite3_column_text(rows->stmt, 0);
        if (mode == NULL || strcmp((const char *)mode, "wal") != 0)
            rows->status = SQLITE_PROTOCOL;
    }
    int rc = sqlite3_reset(rows->stmt);
    if (rows->status == SQLITE_OK)
        rows->status = rc;
    end_table(rows);
}

/* Nothing is synced, and nothing can be rolled back: after an error the caller
 * throws the file away, and a checksum tells whether it is intact. */
int asq__shop_fill(sqlite3 *db, const struct asq_shop *shop)
{
    struct rows rows = {.db = db};
    run(&rows, "PRAGMA page_size = 4096; PRAGMA cache_size = -65536;"
               "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
               "BEGIN");
    run(&rows, schema);
    fill_tables(&rows, shop);
    run(&rows, "COMMIT");
    switch_to_wal(&rows);
    return rows.status;
}
