/* idea - measure how long users wait, and decide by the p99 of a hundred
 *
 * Four users ask at once, 25 times. 99 of the 100 queries are short, one is a
 * report that reads a whole table. The clock counts reads of the slow disk, not
 * seconds, so that this prints the same on every machine. With a disk of 1 ms a
 * read the numbers would be milliseconds.
 *
 * Run:      build/04-measure-first-idea
 * Expect:   half of the users wait for 15 reads at most, four in a hundred for
 *           more than 300
 * See also: clock_started_late.c and mean_instead_of_percentile.c, which
 *           measure it wrong
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
        uint64_t ready = now(); /* (2) all four ask at this moment */

        for (int i = 0; i < AT_ONCE && rc == 0; i++) {
            rc = ask(db, shop, n);
            samples[n++] = now() - ready; /* (3) this one has its answer now */
        }
    }
    return rc;
}

static void conclude(const uint64_t samples[static QUERIES])
{
    uint64_t half = asq_percentile_ns(samples, QUERIES, 50);
    uint64_t p99 = asq_percentile_ns(samples, QUERIES, 99); /* (4) */

    (void)printf("half of the users wait for up to %" PRIu64 " reads\n", half);
    (void)printf("99 in a hundred wait for at most %" PRIu64 " reads\n", p99);
    (void)printf("%s\n", p99 > PATIENCE ? "too long: another thread must wait"
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
