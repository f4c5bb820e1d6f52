/* test_basket - the ids of a request, and how many pages it reads */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <limits.h>

static void check_ids(long request, int items)
{
    struct asq_value ids[ASQ_BASKET_SIZE], again[ASQ_BASKET_SIZE];

    asq_basket_fill(ids, request, items);
    asq_basket_fill(again, request, items);
    for (int i = 0; i < ASQ_BASKET_SIZE; i++) {
        CHECK_INT(ids[i].type, ASQ_INT64);
        CHECK_RANGE(ids[i].as.int64, 1, items);
        CHECK_INT(again[i].as.int64, ids[i].as.int64);
        for (int k = 0; k < i; k++)
            CHECK(ids[k].as.int64 != ids[i].as.int64);
    }
}

static void ids_are_different_and_exist(void *fixture)
{
    static const int items[] = {5, 7, 1000, 10000, INT_MAX};

    (void)fixture;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        for (long request = 0; request < 1000; request++)
            check_ids(request, items[i]);
        check_ids(LONG_MAX, items[i]);
    }
}

static void ask(struct asq_db *db, long request, int items)
{
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};
    struct asq_result result = {0};

    asq_basket_fill(ids, request, items);
    if (asq_db_run(db, ASQ_BASKET_SQL, &params, &result) != 0)
        FAIL("%s", asq_db_message(db));
    CHECK_INT(result.rows, 1);
    CHECK_INT(asq_result_int64(&result, 0, "count"), ASQ_BASKET_SIZE);
    CHECK(asq_result_int64(&result, 0, "value") > 0);
    asq_result_destroy(&result);
}

/* This is what makes a query of about 5 ms of a disk of 1 ms a read. */
static void each_request_reads_five_pages(void *fixture)
{
    struct asq_shop shop = {
        .users = 1000, .items = 10000, .orders = 2000, .seed = 1};
    char path[ASQ_SHOP_PATH_MAX] = "";
    char message[ASQ_SHOP_MESSAGE_MAX];
    struct asq_profile profile = asq_basket_profile(path, ASQ_SLOW_DISK);
    struct asq_db db;

    (void)fixture;
    if (asq_shop_make(&shop, path, message) != 0)
        FAIL("%s", message);
    CHECK_INT(asq_slow_disk_register(), 0);
    if (asq_db_open(&db, &profile) != 0)
        FAIL("%s", asq_db_message(&db));
    CHECK(db.read_only);
    ask(&db, 0, shop.items); /* reads the schema, too */
    for (long request = 1; request < 1000; request++) {
        uint64_t before = asq_slow_disk_count(ASQ_DISK_READ);

        ask(&db, request, shop.items);
        CHECK_INT(asq_slow_disk_count(ASQ_DISK_READ) - before, ASQ_BASKET_SIZE);
    }
    CHECK_INT(asq_db_close(&db), 0);
}

static const struct test_case cases[] = {
    {.name = "ids_are_different_and_exist", .run = ids_are_different_and_exist},
    {.name = "each_request_reads_five_pages",
     .run = each_request_reads_five_pages},
    {0},
};

const struct test_suite test_suite = {.name = "basket", .cases = cases};
