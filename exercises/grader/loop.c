/* loop - runs an event loop in a test without ever hanging it
 *
 * Owns nothing that lasts. The thread that owns the loop enters. Depends on
 * the time limit of the test's process.
 */
#include "runner.h"

#include <stdio.h>
#include <string.h>

void test_run_until_at(const char *file,
                       int line,
                       uv_loop_t *loop,
                       const int *done)
{
    test__wait_at(file, line);
    while (!*done) {
        if (uv_run(loop, UV_RUN_ONCE) == 0 && !*done)
            test_fail(file, line, "the loop has nothing left to wait for");
        if (test__time_left() == 0 && !*done)
            test_fail(file, line, "the loop is busy, but never done");
    }
    test__wait_at(NULL, 0);
}

struct closing {
    const char *file;
    int line;
    uv_timer_t timer;
    size_t length;
    char list[1024];
};

static void add_handle(uv_handle_t *handle, void *data)
{
    struct closing *closing = data;
    const char *type = uv_handle_type_name(uv_handle_get_type(handle));
    size_t room = sizeof closing->list - closing->length;
    int n;

    if (handle == (uv_handle_t *)&closing->timer)
        return;
    n = snprintf(closing->list + closing->length, room, "%suv_%s (%s)",
                 closing->length > 0 ? ", " : "",
                 type != NULL ? type : "unknown",
                 uv_is_closing(handle)  ? "closing"
                 : uv_is_active(handle) ? "active"
                                        : "not active");
    if (n > 0 && (size_t)n < room)
        closing->length += (size_t)n;
}

_Noreturn static void fail_open(struct closing *closing, uv_loop_t *loop)
{
    closing->length = 0;
    closing->list[0] = '\0';
    uv_walk(loop, add_handle, closing);
    if (closing->length == 0)
        (void)snprintf(closing->list, sizeof closing->list,
                       "a request in flight");
    test__tell(TEST__OPEN, "%s", closing->list);
    test_fail(closing->file, closing->line, "the loop does not close, open: %s",
              closing->list);
}

static void on_time_over(uv_timer_t *timer)
{
    fail_open(timer->data, timer->loop);
}

void test_close_loop_at(const char *file, int line, uv_loop_t *loop)
{
    struct closing closing = {.file = file, .line = line};
    uint64_t left = test__time_left();

    test__wait_at(file, line);
    uv_update_time(loop); /* or the timer would start in the past */
    CHECK_INT(uv_timer_init(loop, &closing.timer), 0);
    closing.timer.data = &closing;
    uv_unref((uv_handle_t *)&closing.timer);
    if (left != UINT64_MAX) {
        CHECK_INT(
            uv_timer_start(&closing.timer, on_time_over, left / 1000000 + 1, 0),
            0);
    }
    while (uv_run(loop, UV_RUN_DEFAULT) != 0) {
        /* Somebody called uv_stop; what is left still has to end. */
    }
    uv_close((uv_handle_t *)&closing.timer, NULL);
    while (uv_run(loop, UV_RUN_DEFAULT) != 0) {
        /* As above. */
    }
    if (uv_loop_close(loop) != 0)
        fail_open(&closing, loop);
    test__wait_at(NULL, 0);
}
