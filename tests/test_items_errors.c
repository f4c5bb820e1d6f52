/* test_items_errors - what is refused, what fails, what is stopped */
#include "items_fixture.h"

static const struct asq_value a_text[] = {
    {.type = ASQ_TEXT, .size = 1, .as.text = "x"},
    {.type = ASQ_TEXT, .size = 1, .as.text = "y"}};

static int64_t count_all(struct fixture *f)
{
    return ask_number(f, "SELECT count(*) FROM items");
}

/* Nothing reaches the worker: an observer would see it. */
static void see_nothing(struct asq_conn *conn,
                        const struct asq_request *request,
                        enum asq_event event)
{
    (void)conn;
    (void)event;
    if (request->data != NULL && request->sql != NULL &&
        strstr(request->sql, "items") != NULL)
        FAIL("it ran: %s", request->sql);
}

static void check_refused(struct item_ask *ask,
                          const char *const *keys,
                          size_t count,
                          const char *message)
{
    const struct asq_params params = {a_text, keys, count};
    struct fixture *f = ask->f;

    CHECK_INT(create(ask, &params), UV_EINVAL);
    CHECK_CONTAINS(ask->items.request.message, message);
    CHECK_INT(update(ask, 1, &params), UV_EINVAL);
    CHECK_CONTAINS(ask->items.request.message, message);
    CHECK(strchr(ask->items.request.message, '\n') == NULL);
    if (count > 0) {
        CHECK_INT(asq_items_find(&f->conn, &ask->items, ASQ_ITEMS_ALL, &params,
                                 on_item),
                  UV_EINVAL);
        CHECK_CONTAINS(ask->items.request.message, message);
    }
    f->submitting = false;
    CHECK_INT(f->conn.pending, 0);
    CHECK_INT(ask->calls, 0);
}

static void a_name_that_is_not_in_the_list_is_refused(void *data)
{
    static const char *const hostile[] = {"value = 1, name",
                                          "name = ?, value",
                                          "name--",
                                          "name\nname",
                                          "\"name\"",
                                          "[name]",
                                          "NAME",
                                          "name ",
                                          "rowid",
                                          "json_extract(data, '$.kind')",
                                          ""};
    static const char *const twice[] = {"name", "name"};
    static const char *const half[] = {"name", "nmae"};
    struct fixture *f = data;
    struct item_ask ask;
    char longest[1000];
    const char *name = longest;

    f->conn.observe = see_nothing;
    open_conn(f);
    item_init(f, &ask);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
        check_refused(&ask, &hostile[i], 1,
                      "is not a column that may be named");
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    check_refused(&ask, &name, 1, "is not a column that may be named");
    check_refused(&ask, NULL, 1, "is not a column that may be named");
    check_refused(&ask, twice, 2, "column \"name\" is given twice");
    check_refused(&ask, half, 2, "\"nmae\" is not a column");
    asq_items_destroy(&ask.items);
}

static void no_name_at_all_is_refused(void *data)
{
    struct fixture *f = data;
    struct item_ask ask;

    f->conn.observe = see_nothing;
    open_conn(f);
    item_init(f, &ask);
    check_refused(&ask, NULL, 0, "no column is given");
    CHECK_INT(update(&ask, 1, NULL), UV_EINVAL);
    f->submitting = false;
    asq_items_destroy(&ask.items);
}

static void a_request_may_name_what_its_columns_say(void *data)
{
    static const char *const kind = "kind", *const id = "id",
                             *const v = "value";
    const struct asq_params by_kind = {a_text, &kind, 1};
    const struct asq_params by_id = {a_text, &id, 1};
    struct fixture *f = data;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    CHECK_INT(update(&ask, 1, &by_kind), UV_EINVAL); /* it can only be read */
    CHECK_INT(update(&ask, 1, &by_id), UV_EINVAL);
    f->submitting = false;
    ask.calls = 0;
    ask.items.columns = ASQ_ITEM_NAME | ASQ_ITEM_DATA;
    check_refused(&ask, &v, 1, "\"value\" is not a column that may be named");
    expect_item(&ask, find(&ask, ASQ_ITEMS_ONE, "name", "lamp"), 0);
    expect_item(&ask, read_item(&ask, 1), 0); /* the program names the id */
    asq_items_destroy(&ask.items);
}

/* Errors of SQLite: told by their code, and nothing has changed. */
static void what_the_table_refuses_is_told(void *data)
{
    const struct {
        struct asq_value values[4];
        int status;
        const char *message;
    } cases[] = {
        {{asq_text("lamp"), asq_text("sold"), asq_text("{}"), asq_int64(1)},
         SQLITE_CONSTRAINT_UNIQUE,
         "items.name"},
        {{asq_null(), asq_text("sold"), asq_text("{}"), asq_int64(1)},
         SQLITE_CONSTRAINT_NOTNULL,
         "items.name"},
        {{asq_text("bowl"), asq_text("gone"), asq_text("{}"), asq_int64(1)},
         SQLITE_CONSTRAINT_CHECK,
         "CHECK constraint"},
        {{asq_text("bowl"), asq_text("sold"), asq_text("{}"),
          asq_text("cheap")},
         SQLITE_CONSTRAINT_DATATYPE,
         "items.value"},
        {{asq_text("bowl"), asq_text("sold"), asq_text("{kind"), asq_int64(1)},
         SQLITE_ERROR,
         "malformed JSON"},
        {{asq_text_n("bo\0wl", 5), asq_text("sold"), asq_text("{}"),
          asq_int64(1)},
         SQLITE_MISMATCH,
         "zero byte"},
    };
    struct fixture *f = data;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    (void)make(&ask, "tray", "sold");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct asq_params fields = {cases[i].values, item_names, 4};

        expect_item(&ask, create(&ask, &fields), cases[i].status);
        CHECK_CONTAINS(ask.items.request.message, cases[i].message);
        expect_item(&ask, update(&ask, 2, &fields), cases[i].status);
        CHECK_CONTAINS(ask.items.request.message, cases[i].message);
        CHECK_INT(ask.items.request.result.rows, 0);
    }
    CHECK_INT(count_all(f), 2);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM items WHERE name = 'tray' "
                            "AND status = 'sold' AND value = 10"),
              1);
    asq_items_destroy(&ask.items);
}

/* An answer that is too long undoes the change that it belongs to. */
static void too_long_an_answer_changes_nothing(void *data)
{
    static const char *const name = "name";
    char text[2000] = "";
    const struct asq_value value = asq_text_n(text, sizeof text);
    const struct asq_params fields = {&value, &name, 1};
    struct fixture *f = data;
    struct item_ask ask;

    memset(text, 'a', sizeof text);
    f->profile.result_limit = 1000;
    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    expect_item(&ask, update(&ask, 1, &fields), SQLITE_TOOBIG);
    expect_item(&ask, read_item(&ask, 1), 0);
    CHECK_TEXT(asq_result_text(&ask.items.request.result, 0, "name"), "lamp");
    asq_items_destroy(&ask.items);
}

static void without_a_table_it_says_so(void *data)
{
    struct item_ask ask;

    open_conn(data);
    item_init(data, &ask);
    expect_item(&ask, read_item(&ask, 1), SQLITE_ERROR);
    CHECK_CONTAINS(ask.items.request.message, "no such table");
    asq_items_destroy(&ask.items);
}

static void a_row_that_is_no_json_is_told(void *data)
{
    struct fixture *f = data;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    run_now(f, "INSERT INTO items VALUES (1, 'a', 'sold', 'no json', 1)");
    expect_item(&ask, read_item(&ask, 1), 0);
    ask.items.as_json = true;
    expect_item(&ask, read_item(&ask, 1), SQLITE_ERROR);
    CHECK_CONTAINS(ask.items.request.message, "malformed JSON");
    asq_items_destroy(&ask.items);
}

static const struct test_case cases[] = {
    {.name = "a_name_that_is_not_in_the_list_is_refused",
     .run = a_name_that_is_not_in_the_list_is_refused},
    {.name = "no_name_at_all_is_refused", .run = no_name_at_all_is_refused},
    {.name = "a_request_may_name_what_its_columns_say",
     .run = a_request_may_name_what_its_columns_say},
    {.name = "what_the_table_refuses_is_told",
     .run = what_the_table_refuses_is_told},
    {.name = "too_long_an_answer_changes_nothing",
     .run = too_long_an_answer_changes_nothing},
    {.name = "without_a_table_it_says_so", .run = without_a_table_it_says_so},
    {.name = "a_row_that_is_no_json_is_told",
     .run = a_row_that_is_no_json_is_told},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "items_errors",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
