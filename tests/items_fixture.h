/* items_fixture - items, what is asked of them, and the answer
 *
 * Every answer is checked for what holds for all of them, as in conn_fixture.
 * The functions that submit do not wait; expect_item does.
 */
#ifndef TESTS_ITEMS_FIXTURE_H
#define TESTS_ITEMS_FIXTURE_H

#include "05-crud/items.h"
#include "conn_fixture.h"

static const char items_table[] =
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " status TEXT NOT NULL CHECK (status IN ('active', 'draft', 'sold')),"
    " data TEXT NOT NULL, value INTEGER NOT NULL) STRICT";
/* The columns that may be written. */
static const char *const item_names[] = {"name", "status", "data", "value"};

/* A request and what became of it. */
struct item_ask {
    struct asq_items_request items;
    struct fixture *f;
    int done, status;
    unsigned calls;
    void (*then)(struct item_ask *ask); /* in the callback, or NULL */
};

static inline void on_item(struct asq_items_request *items, int status)
{
    struct item_ask *ask = items->request.data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &ask->f->loop_thread));
    CHECK(!ask->f->submitting);
    CHECK_INT(status != 0, items->request.message[0] != '\0');
    CHECK(strchr(items->request.message, '\n') == NULL);
    ask->calls++;
    ask->status = status;
    ask->done = 1;
    if (ask->then != NULL)
        ask->then(ask);
}

static inline void start(struct fixture *f)
{
    open_conn(f);
    run_now(f, items_table);
}

static inline void item_init(struct fixture *f, struct item_ask *ask)
{
    *ask = (struct item_ask){.f = f};
    asq_items_init(&ask->items);
    ask->items.request.data = ask;
}

/* Waits for what was submitted, which must come to this status. */
static inline void expect_item(struct item_ask *ask, int rc, int status)
{
    ask->f->submitting = false;
    CHECK_INT(rc, 0);
    test_run_until(&ask->f->loop, &ask->done);
    ask->done = 0;
    if (ask->status != status)
        FAIL("status %d instead of %d: %s", ask->status, status,
             ask->items.request.message);
}

/* These submit. */
static inline int create(struct item_ask *ask, const struct asq_params *fields)
{
    ask->f->submitting = true;
    return asq_items_create(&ask->f->conn, &ask->items, fields, on_item);
}

static inline int
update(struct item_ask *ask, int64_t id, const struct asq_params *fields)
{
    ask->f->submitting = true;
    return asq_items_update(&ask->f->conn, &ask->items, id, fields, on_item);
}

static inline int find(struct item_ask *ask,
                       enum asq_items_rows rows,
                       const char *name,
                       const char *text)
{
    struct asq_value value = asq_text(text);
    struct asq_params where = {&value, &name, name == NULL ? 0 : 1};

    ask->f->submitting = true;
    return asq_items_find(&ask->f->conn, &ask->items, rows, &where, on_item);
}

static inline int read_item(struct item_ask *ask, int64_t id)
{
    ask->f->submitting = true;
    return asq_items_read(&ask->f->conn, &ask->items, id, on_item);
}

static inline int delete_item(struct item_ask *ask, int64_t id)
{
    ask->f->submitting = true;
    return asq_items_delete(&ask->f->conn, &ask->items, id, on_item);
}

/* Makes an item, and waits. */
static inline int64_t
make(struct item_ask *ask, const char *name, const char *status)
{
    const struct asq_value values[] = {asq_text(name), asq_text(status),
                                       asq_text("{\"kind\":\"lamp\"}"),
                                       asq_int64(10)};
    const struct asq_params fields = {values, item_names, 4};

    expect_item(ask, create(ask, &fields), 0);
    return asq_result_int64(&ask->items.request.result, 0, "id");
}

#endif
