/* wal_keeper - keeps the WAL of a store short */
#include "13-group-commit/wal_keeper.h"

#include "01-blocking/db_tidy.h"

#include <sqlite3.h>
#include <stdint.h>

/* At the end of each commit that has written. */
static int note_pages(void *data, sqlite3 *handle, const char *name, int pages)
{
    struct asq__wal_keeper *keeper = data;

    (void)handle;
    if (sqlite3_stricmp(name, "main") == 0)
        atomic_store(&keeper->pages, (size_t)pages);
    return SQLITE_OK;
}

void asq__wal_keeper_open(struct asq__wal_keeper *keeper)
{
    /* It returns the data of the old hook: there is none. */
    (void)sqlite3_wal_hook(keeper->runner->db.handle, note_pages, keeper);
}

/* The WAL begins anew. The second checkpoint since then shows that readers keep
 * it from that. */
static void begin_anew(struct asq__wal_keeper *keeper)
{
    keeper->due = keeper->every;
    keeper->gap_due = 2 * keeper->every;
    keeper->has_told = false;
}

static void tell(struct asq__wal_keeper *keeper, atomic_bool *what)
{
    atomic_store(what, true);
    atomic_store(&keeper->news, true);
}

/* Another connection that checkpoints, a reader in the way, or an interrupt
 * that came too late for a raw statement, is not a failure: the next one goes
 * on. */
static bool is_failure(int rc)
{
    return rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY &&
           (rc & 0xff) != SQLITE_LOCKED && rc != SQLITE_INTERRUPT;
}

static void note_failure(struct asq__wal_keeper *keeper, int rc)
{
    struct asq_db *db = &keeper->runner->db;
    bool again = keeper->failure != 0;

    keeper->failure = is_failure(rc) ? rc : 0;
    if (keeper->failure == 0)
        return;
    atomic_store(&keeper->new_failure, (size_t)rc);
    atomic_store(&keeper->news, true);
    keeper->due = 0; /* after the next request */
    if (again) {
        (void)asq__db_fail(db, rc, "two checkpoints have failed: %.200s",
                           sqlite3_errmsg(db->handle));
        asq__cleaner_close(&keeper->runner->cleaner);
    }
}

static void checkpoint(struct asq__wal_keeper *keeper)
{
    struct asq_runner *runner = keeper->runner;
    uint64_t begin_ns = uv_hrtime();
    int rc = sqlite3_wal_checkpoint_v2(runner->db.handle, "main",
                                       SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    atomic_fetch_add(&keeper->checkpoints, 1);
    atomic_fetch_add(&keeper->checkpoint_ns, (size_t)(uv_hrtime() - begin_ns));
    note_failure(keeper, rc);
}

void asq__wal_keep(struct asq__wal_keeper *keeper)
{
    struct asq_runner *runner = keeper->runner;
    size_t pages = atomic_load(&keeper->pages);

    if (!runner->guard.db_is_open)
        return;
    if (pages < keeper->before)
        begin_anew(keeper);
    keeper->before = pages;
    if (pages > atomic_load(&keeper->longest))
        atomic_store(&keeper->longest, pages);
    if (pages > keeper->limit && !keeper->has_told) {
        keeper->has_told = true;
        tell(keeper, &keeper->is_long);
    }
    if (keeper->every == 0 || pages == 0 || pages < keeper->due ||
        asq__db_is_busy(&runner->db))
        return;
    asq__guard_post(&runner->guard); /* the answers first */
    keeper->due = pages + keeper->every;
    checkpoint(keeper);
    if (pages >= keeper->gap_due) {
        keeper->gap_due = 2 * pages; /* if this one does not help */
        tell(keeper, &keeper->wants_gap);
    }
}

bool asq__wal_keeper_news(struct asq__wal_keeper *keeper,
                          struct asq__wal_news *ret)
{
    if (!atomic_load(&keeper->news) || !atomic_exchange(&keeper->news, false))
        return false;
    ret->is_long = atomic_exchange(&keeper->is_long, false);
    ret->wants_gap = atomic_exchange(&keeper->wants_gap, false);
    ret->failure = (int)atomic_exchange(&keeper->new_failure, 0);
    return true;
}
