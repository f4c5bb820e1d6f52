/* clock_started_late - the clock of each query starts when its turn comes
 *
 * Three users wait behind the report. Each began to wait when it asked, but the
 * clock says that its query was as short as all others: it measures the
 * database, not the wait of a user. 99 of 100 samples are short, and nobody
 * seems to wait.
 *
 * Copy of: idea.c
 * Proof: prints short enough
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "04-measure-first/advise.h"
#include "common/shop.h"
#include "common/slow_disk.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ROUNDS = 25,
    AT_ONCE = 4,
    QUERIES = ROUNDS * AT_ONCE,
    REPORT = 40,   /* the number of the long query */
    PATIENCE = 100 /* reads */
};

static const char report_sql[] = "SELECT sum(length(data)) FROM items";

/* The time, in reads of the disk. */
static uint64_t now(void)
{
    return asq_slow_disk_count(ASQ_DISK_READ);
}

static int ask(struct asq_db *db, const struct asq_shop *shop, int number)
{
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};

    if (number == REPORT)
        return asq_db_run(db, report_sql, NULL, NULL);
    asq_basket_fill(ids, number, shop->items);
    return asq_db_run(db, ASQ_BASKET_SQL, &params, NULL);
}

static int measure(struct asq_db *db,
                   const struct asq_shop *shop,
                   uint64_t samples[static QUERIES])
{
    int rc = ask(db, shop, QUERIES); /* (1) the first run is different */

    for (int n = 0; n < QUERIES && rc == 0;) {
        for (int i = 0; i < AT_ONCE && rc == 0; i++) {
            uint64_t ready = now(); /* WRONG: three of them asked before */

            rc = ask(db, shop, n);
            samples[n++] = now() - ready; /* (3) this one has its answer now */
        }
    }
    return rc;
}

static void conclude(const uint64_t samples[static QUERIES])
{
    uint64_t half = asq_percentile_ns(samples, QUERIES, 50);
    uint64_t worst = asq_percentile_ns(samples, QUERIES, 99); /* (4) */

    (void)printf("half of the users wait for up to %" PRIu64 " reads\n", half);
    (void)printf("99 in a hundred wait for at most %" PRIu64 " reads\n", worst);
    (void)printf("%s\n", worst > PATIENCE ? "too long: another thread must wait"
                                          : "short enough: leave it as it is");
}

int main(void)
{
    struct asq_shop shop = {
        .users = 1000, .items = 10000, .orders = 2000, .seed = 1};
    char path[ASQ_SHOP_PATH_MAX] = "", message[ASQ_SHOP_MESSAGE_MAX];
    struct asq_profile profile = asq_basket_profile(path, ASQ_SLOW_DISK);
    uint64_t samples[QUERIES] = {0};
    struct asq_db db;
    int rc;

    if (asq_shop_make(&shop, path, message) != 0) {
        (void)fprintf(stderr, "%s\n", message);
        return 1;
    }
    rc = asq_slow_disk_register();
    if (rc == 0)
        rc = asq_db_open(&db, &profile);
    if (rc != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, sqlite3_errstr(rc));
        return 1;
    }
    rc = measure(&db, &shop, samples);
    if (rc == 0)
        conclude(samples);
    else
        (void)fprintf(stderr, "%s\n", asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
    return rc == 0 ? 0 : 1;
}
