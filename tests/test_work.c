/* test_work - lists keep their order, and divide */
#include "03-event-loop/work.h"
#include "grader/test.h"

struct item {
    struct asq_work work;
    int number;
};

static struct item *item_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct item, work);
}

static bool is_odd(struct asq_work *work, void *data)
{
    (void)data; /* the number says it all */
    return item_of(work)->number % 2 == 1;
}

static void lists_keep_their_order(void *data)
{
    struct item items[4] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct asq_work_list list = {0};
    struct asq_work_list more = {0};
    struct asq_work_list none = {0};

    (void)data; /* nothing is set up */
    CHECK(asq_work_pop(&list) == NULL);
    asq_work_append(&list, &none);
    CHECK(list.first == NULL);
    CHECK(list.last == NULL);
    asq_work_push(&more, &items[0].work);
    asq_work_append(&list, &more);
    CHECK(more.first == NULL);
    CHECK(more.last == NULL);
    asq_work_push(&more, &items[1].work);
    asq_work_push(&more, &items[2].work);
    asq_work_append(&list, &more);
    asq_work_append(&list, &none);
    for (int i = 0; i < 3; i++)
        CHECK(asq_work_pop(&list) == &items[i].work);
    CHECK(asq_work_pop(&list) == NULL);
    CHECK(list.last == NULL);
}

static void a_filter_divides_a_list(void *data)
{
    struct item items[5] = {{.number = 1},
                            {.number = 3},
                            {.number = 2},
                            {.number = 4},
                            {.number = 5}};
    static const int expected[] = {1, 3, 5};
    struct asq_work_list list = {0};
    struct asq_work_list odd = {0};

    (void)data; /* nothing is set up */
    for (int i = 0; i < 5; i++)
        asq_work_push(&list, &items[i].work);
    asq_work_filter(&list, is_odd, NULL, &odd);
    for (int i = 0; i < 3; i++)
        CHECK_INT(item_of(asq_work_pop(&odd))->number, expected[i]);
    CHECK(odd.first == NULL);
    CHECK_INT(item_of(asq_work_pop(&list))->number, 2);
    CHECK_INT(item_of(list.last)->number, 4);
    asq_work_filter(&list, is_odd, NULL, &odd);
    CHECK(odd.first == NULL);
    CHECK_INT(item_of(asq_work_pop(&list))->number, 4);
    CHECK(list.last == NULL);
}

static const struct test_case cases[] = {
    {.name = "lists_keep_their_order", .run = lists_keep_their_order},
    {.name = "a_filter_divides_a_list", .run = a_filter_divides_a_list},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "work", .cases = cases};
