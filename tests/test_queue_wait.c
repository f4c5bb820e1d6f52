/* test_queue_wait - opening and closing a queue while the loop turns */
#include "14-task-queue/queue_wait.h"
#include "queue_fixture.h"

/* A connection alone: the queue is opened by the test. */
static struct side *begin(struct fixture *f)
{
    struct side *side = open_conn(f, 0);

    asq_queue_init(&side->queue);
    return side;
}

static void it_is_open_and_closed(void *data)
{
    struct fixture *f = data;
    struct side *side = begin(f);

    for (int i = 0; i < 2; i++) {
        CHECK_INT(
            asq_queue_open_wait(&side->queue, &f->loop, &side->conn, "mail"),
            0);
        CHECK(side->queue.must_close);
        CHECK_INT(raw_number(f->path, "SELECT count(*) FROM asq_jobs"), 0);
        asq_queue_close_wait(&side->queue);
        CHECK(!side->queue.must_close);
        asq_queue_close_wait(&side->queue); /* it is closed already */
    }
}

static void one_that_was_never_opened_is_closed(void *data)
{
    asq_queue_close_wait(&begin(data)->queue);
}

static void a_refusal_is_told(void *data)
{
    struct fixture *f = data;
    struct side *side = begin(f);

    side->queue.poll_ms = 0;
    CHECK_INT(asq_queue_open_wait(&side->queue, &f->loop, &side->conn, "mail"),
              UV_EINVAL);
    CHECK(strcmp(side->queue.message, uv_strerror(UV_EINVAL)) == 0);
    CHECK(!side->queue.must_close);
}

static void one_that_cannot_make_its_tables_needs_no_close(void *data)
{
    struct fixture *f = data;
    struct side *side = begin(f);

    raw_run(f->path, "CREATE VIEW asq_jobs AS SELECT 1");
    CHECK_INT(asq_queue_open_wait(&side->queue, &f->loop, &side->conn, "mail"),
              SQLITE_ERROR);
    CHECK(side->queue.message[0] != '\0');
    CHECK(!side->queue.must_close);
}

static const struct test_case cases[] = {
    {.name = "it_is_open_and_closed", .run = it_is_open_and_closed},
    {.name = "one_that_was_never_opened_is_closed",
     .run = one_that_was_never_opened_is_closed},
    {.name = "a_refusal_is_told", .run = a_refusal_is_told},
    {.name = "one_that_cannot_make_its_tables_needs_no_close",
     .run = one_that_cannot_make_its_tables_needs_no_close},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_wait",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
