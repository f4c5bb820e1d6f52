/* test_closed - memory that is given back in a callback of an event loop
 */
#include "grader/again.h"
#include "grader/closed.h"

#include <stdlib.h>

/* An object with two handles, closed by its owner. */
struct object {
    uv_timer_t timer;
    uv_idle_t idle;
    int number;
};

static void make(uv_loop_t *loop, struct object *object)
{
    CHECK_INT(uv_loop_init(loop), 0);
    object->number = 7;
    CHECK_INT(uv_timer_init(loop, &object->timer), 0);
    CHECK_INT(uv_idle_init(loop, &object->idle), 0);
}

static void do_nothing(uv_idle_t *idle)
{
    (void)idle;
}

static void handles_are_found_by_place_and_by_type(void *again)
{
    uv_loop_t loop;
    struct object object;

    (void)again;
    make(&loop, &object);
    CHECK_INT(test_handles_in(&loop, &object, sizeof object), 2);
    CHECK_INT(test_handles_in(&loop, &object.idle, sizeof object.idle), 1);
    CHECK_INT(test_handles_active(&loop, UV_IDLE), 0);
    CHECK_INT(uv_idle_start(&object.idle, do_nothing), 0);
    CHECK_INT(test_handles_active(&loop, UV_IDLE), 1);
    CHECK_INT(test_handles_active(&loop, UV_TIMER), 0);
    uv_close((uv_handle_t *)&object.timer, NULL);
    uv_close((uv_handle_t *)&object.idle, NULL);
    CHECK_INT(test_handles_in(&loop, &object, sizeof object), 2);
    CHECK_INT(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(test_handles_in(&loop, &object, sizeof object), 0);
    test_close_loop(&loop);
}

static void the_last_callback_may_take_the_memory(void *again)
{
    uv_loop_t loop;
    struct object object;
    const unsigned char *bytes = (const unsigned char *)&object.number;

    (void)again;
    make(&loop, &object);
    uv_close((uv_handle_t *)&object.timer, NULL);
    uv_close((uv_handle_t *)&object.idle, NULL);
    CHECK_INT(uv_run(&loop, UV_RUN_DEFAULT), 0);
    test_closed(&loop, &object, sizeof object);
    test_open(&object, sizeof object);
    CHECK_INT(bytes[0], 0xa5);
    test_close_loop(&loop);
}

static void an_open_handle_is_told(void *again)
{
    uv_loop_t loop;
    struct object object;

    if (test__again_is_inner()) {
        make(&loop, &object);
        uv_close((uv_handle_t *)&object.timer, NULL);
        CHECK_INT(uv_run(&loop, UV_RUN_DEFAULT), 0);
        test_closed(&loop, &object, sizeof object);
    }
    test__again_expect_fail(again, __func__,
                            "expected on_closed runs when every handle is "
                            "closed, got its uv_idle_t is not even closing");
}

static void a_closing_handle_is_told(void *again)
{
    uv_loop_t loop;
    struct object object;

    if (test__again_is_inner()) {
        make(&loop, &object);
        uv_close((uv_handle_t *)&object.idle, NULL);
        CHECK_INT(uv_run(&loop, UV_RUN_NOWAIT), 0);
        uv_close((uv_handle_t *)&object.timer, NULL);
        test_closed(&loop, &object, sizeof object);
    }
    test__again_expect_fail(again, __func__, "its uv_timer_t is still closing");
}

static void use_of_it_is_reported(void *again)
{
    uv_loop_t loop;
    struct object *object;
    volatile int number = 0;

    if (!TEST__ADDRESS_SANITIZER)
        test_skip("only the address sanitizer reports it");
    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        object = calloc(1, sizeof *object);
        CHECK(object != NULL);
        test_closed(&loop, object, sizeof *object);
        number = object->number;
        free(object);
    }
    CHECK_INT(number, 0);
    test__again_expect_fail(again, __func__, "use-after-poison");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(handles_are_found_by_place_and_by_type),
    CASE(the_last_callback_may_take_the_memory),
    CASE(an_open_handle_is_told),
    CASE(a_closing_handle_is_told),
    CASE(use_of_it_is_reported),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "closed",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
