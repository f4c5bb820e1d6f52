/* test_items - rows go in and out by name, and say how many they are */
#include "items_fixture.h"

enum {
    NAMES = 6
};

static const char *const names[NAMES] = {"id",   "name",  "status",
                                         "data", "value", "kind"};

static void check_item(const struct item_ask *ask,
                       const char *name,
                       const char *status,
                       int64_t value)
{
    const struct asq_result *result = &ask->items.request.result;

    CHECK_INT(result->rows, 1);
    CHECK_TEXT(asq_result_text(result, 0, "name"), name);
    CHECK_TEXT(asq_result_text(result, 0, "status"), status);
    CHECK_INT(asq_result_int64(result, 0, "value"), value);
}

static void create_answers_with_the_row(void *data)
{
    static const char *const mixed[] = {"value", "data", "name", "status"};
    const struct asq_value values[] = {asq_int64(7),
                                       asq_text(" {\"a\" : [1, 2]} "),
                                       asq_text("vase"), asq_text("draft")};
    const struct asq_params fields = {values, mixed, 4};
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    CHECK_INT(make(&ask, "lamp", "active"), 1);
    expect_item(&ask, create(&ask, &fields), 0);
    CHECK_INT(asq_result_int64(&ask.items.request.result, 0, "id"), 2);
    check_item(&ask, "vase", "draft", 7);
    CHECK_TEXT(asq_result_text(&ask.items.request.result, 0, "data"),
               "{\"a\":[1,2]}");
    expect_item(&ask, read_item(&ask, 2), 0);
    check_item(&ask, "vase", "draft", 7);
    asq_items_destroy(&ask.items);
}

static void update_changes_what_is_named(void *data)
{
    static const char *const two[] = {"value", "name"};
    const struct asq_value values[] = {asq_int64(99), asq_text("vase")};
    const struct asq_params both = {values, two, 2};
    const struct asq_params value = {values, two, 1};
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    (void)make(&ask, "lamp", "active");
    (void)make(&ask, "bowl", "active");
    expect_item(&ask, update(&ask, 1, &value), 0);
    check_item(&ask, "lamp", "active", 99);
    expect_item(&ask, update(&ask, 1, &both), 0);
    check_item(&ask, "vase", "active", 99);
    expect_item(&ask, read_item(&ask, 2), 0);
    check_item(&ask, "bowl", "active", 10);
    expect_item(&ask, update(&ask, 3, &both), UV_ENOENT);
    CHECK_TEXT(ask.items.request.message, "expected one row, there is none");
    asq_items_destroy(&ask.items);
}

static void delete_answers_with_the_row(void *data)
{
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    (void)make(&ask, "lamp", "active");
    (void)make(&ask, "bowl", "sold");
    expect_item(&ask, delete_item(&ask, 1), 0);
    check_item(&ask, "lamp", "active", 10);
    expect_item(&ask, delete_item(&ask, 1), UV_ENOENT);
    expect_item(&ask, read_item(&ask, 1), UV_ENOENT);
    expect_item(&ask, read_item(&ask, 2), 0);
    asq_items_destroy(&ask.items);
}

static void one_says_how_many(void *data)
{
    static const struct {
        const char *status;
        size_t rows;
        int one, one_or_none;
        const char *message;
    } cases[] = {
        {"sold", 0, UV_ENOENT, 0, "expected one row, there is none"},
        {"draft", 1, 0, 0, ""},
        {"active", 2, UV_ERANGE, UV_ERANGE, "expected one row, there are 2"},
    };
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    (void)make(&ask, "a", "draft");
    (void)make(&ask, "b", "active");
    (void)make(&ask, "c", "active");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *status = cases[i].status;

        expect_item(&ask, find(&ask, ASQ_ITEMS_ONE_OR_NONE, "status", status),
                    cases[i].one_or_none);
        expect_item(&ask, find(&ask, ASQ_ITEMS_ONE, "status", status),
                    cases[i].one);
        CHECK_TEXT(ask.items.request.message, cases[i].message);
        expect_item(&ask, find(&ask, ASQ_ITEMS_ALL, "status", status), 0);
        CHECK_INT(ask.items.request.result.rows, cases[i].rows);
    }
    expect_item(&ask, find(&ask, ASQ_ITEMS_ALL, NULL, NULL), 0);
    CHECK_INT(ask.items.request.result.rows, 3);
    CHECK_TEXT(asq_result_text(&ask.items.request.result, 2, "name"), "c");
    asq_items_destroy(&ask.items);
}

static void find_compares_every_column(void *data)
{
    const struct asq_value both[] = {asq_text("active"), asq_text("vase")};
    static const char *const two[] = {"status", "kind"};
    const struct asq_params where = {both, two, 2};
    struct fixture *f = data;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    run_now(f, "INSERT INTO items VALUES"
               " (1, 'a', 'active', '{\"kind\":\"lamp\"}', 1),"
               " (2, 'b', 'active', '{\"kind\":\"vase\"}', 2),"
               " (3, 'c', 'sold', '{\"kind\":\"vase\"}', 3),"
               " (4, 'd', 'sold', '{}', 4)");
    f->submitting = true;
    expect_item(
        &ask,
        asq_items_find(&f->conn, &ask.items, ASQ_ITEMS_ONE, &where, on_item),
        0);
    check_item(&ask, "b", "active", 2);
    /* The order is that of the ids, whatever index SQLite takes. */
    run_now(f, "CREATE INDEX by_status ON items (status, name DESC)");
    expect_item(&ask, find(&ask, ASQ_ITEMS_ALL, "status", "active"), 0);
    CHECK_TEXT(asq_result_text(&ask.items.request.result, 0, "name"), "a");
    expect_item(&ask, find(&ask, ASQ_ITEMS_ONE, "kind", NULL), 0);
    check_item(&ask, "d", "sold", 4);
    expect_item(&ask, find(&ask, ASQ_ITEMS_ONE, "data", "{\"kind\": \"lamp\"}"),
                0);
    check_item(&ask, "a", "active", 1);
    asq_items_destroy(&ask.items);
}

static void a_row_is_one_json_object(void *data)
{
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    ask.items.as_json = true;
    (void)make(&ask, "a \"b\"\n\xc3\xa9", "sold");
    CHECK_INT(ask.items.request.result.columns, 1);
    CHECK_TEXT(asq_result_text(&ask.items.request.result, 0, "json"),
               "{\"id\":1,\"name\":\"a \\\"b\\\"\\n\xc3\xa9\",\"status\":"
               "\"sold\",\"data\":{\"kind\":\"lamp\"},\"value\":10}");
    expect_item(&ask, find(&ask, ASQ_ITEMS_ONE, "status", "sold"), 0);
    CHECK_CONTAINS(asq_result_text(&ask.items.request.result, 0, "json"),
                   "\"data\":{\"kind\":\"lamp\"}");
    asq_items_destroy(&ask.items);
}

/* Each set of columns in each call, with the longer form of the answer: the
 * texts fit and are SQL. */
static void every_set_of_columns_is_sql(void *data)
{
    const struct asq_value values[NAMES] = {asq_int64(1),     asq_text("a"),
                                            asq_text("sold"), asq_text("{}"),
                                            asq_int64(5),     asq_text("lamp")};
    struct fixture *f = data;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    ask.items.as_json = true;
    for (unsigned set = 1; set < 1U << NAMES; set++) {
        const char *some[NAMES];
        struct asq_value of[NAMES];
        struct asq_params params = {of, some, 0};

        for (int i = NAMES; i-- > 0;) { /* the list's order is the other */
            if ((set & 1U << i) != 0) {
                some[params.count] = names[i];
                of[params.count++] = values[i];
            }
        }
        f->submitting = true;
        expect_item(&ask,
                    asq_items_find(&f->conn, &ask.items, ASQ_ITEMS_ALL, &params,
                                   on_item),
                    0);
        if ((set & (ASQ_ITEM_ID | ASQ_ITEM_KIND)) != 0)
            continue;
        expect_item(&ask, update(&ask, 1, &params), UV_ENOENT);
        expect_item(&ask, create(&ask, &params),
                    params.count == 4 ? 0 : SQLITE_CONSTRAINT_NOTNULL);
    }
    asq_items_destroy(&ask.items);
}

static void the_order_of_names_makes_no_other_text(void *data)
{
    static const char *const one_way[] = {"name", "value"};
    static const char *const other_way[] = {"value", "name"};
    const struct asq_value values[] = {asq_text("7"), asq_text("7")};
    const struct asq_params a = {values, one_way, 2};
    const struct asq_params b = {values, other_way, 2};
    struct item_ask asks[2];

    start(data);
    item_init(data, &asks[0]);
    item_init(data, &asks[1]);
    (void)make(&asks[0], "lamp", "sold");
    expect_item(&asks[0], update(&asks[0], 1, &a), 0);
    expect_item(&asks[1], update(&asks[1], 1, &b), 0);
    CHECK_TEXT(asks[0].items.request.sql, asks[1].items.request.sql);
    CHECK(strchr(asks[0].items.request.sql, '7') == NULL); /* it is bound */
    asq_items_destroy(&asks[0].items);
    asq_items_destroy(&asks[1].items);
}

static void submit_from_callback(struct item_ask *ask)
{
    ask->then = NULL;
    CHECK_INT(read_item(ask, 1), 0);
    ask->f->submitting = false;
    ask->done = 0;
}

static void a_request_is_used_again_from_its_callback(void *data)
{
    struct item_ask ask;

    start(data);
    item_init(data, &ask);
    (void)make(&ask, "lamp", "sold");
    ask.then = submit_from_callback;
    expect_item(&ask, delete_item(&ask, 1), UV_ENOENT); /* that of the read */
    CHECK_INT(ask.calls, 3);
    asq_items_destroy(&ask.items);
}

static const struct test_case cases[] = {
    {.name = "create_answers_with_the_row", .run = create_answers_with_the_row},
    {.name = "update_changes_what_is_named",
     .run = update_changes_what_is_named},
    {.name = "delete_answers_with_the_row", .run = delete_answers_with_the_row},
    {.name = "one_says_how_many", .run = one_says_how_many},
    {.name = "find_compares_every_column", .run = find_compares_every_column},
    {.name = "a_row_is_one_json_object", .run = a_row_is_one_json_object},
    {.name = "every_set_of_columns_is_sql", .run = every_set_of_columns_is_sql},
    {.name = "the_order_of_names_makes_no_other_text",
     .run = the_order_of_names_makes_no_other_text},
    {.name = "a_request_is_used_again_from_its_callback",
     .run = a_request_is_used_again_from_its_callback},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "items",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
