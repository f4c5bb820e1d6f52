/* request - one piece of work for a connection, and its answer */
#include "03-event-loop/request.h"

#include <limits.h>

void asq_request_init(struct asq_request *request)
{
    *request = (struct asq_request){0};
}

void asq_request_destroy(struct asq_request *request)
{
    if (request != NULL)
        asq_result_destroy(&request->result);
}

void asq_request_cancel(struct asq_request *request)
{
    atomic_store(&request->cancelled, true);
}

unsigned asq_time_left_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t ms;

    if (deadline_ns == 0)
        return 0;
    if (now_ns >= deadline_ns)
        return 1;
    ms = (deadline_ns - now_ns - 1) / 1000000 + 1;
    return ms < UINT_MAX ? (unsigned)ms : UINT_MAX;
}

void asq__request_begin(struct asq_request *request,
                        const struct asq_order *order,
                        asq_done_cb on_done)
{
    request->task = order->task;
    request->sql = order->sql;
    request->params =
        order->params == NULL ? (struct asq_params){0} : *order->params;
    request->call = order->call;
    request->checkpoint_mode = order->checkpoint_mode;
    request->on_done = on_done;
    request->timed_out_in = ASQ_PLACE_NONE;
    request->outcome_unknown = 0;
    request->failed_statement = 0;
    request->started_ns = 0;
    request->ended_ns = 0;
    request->left_open = false;
    request->opens_batch = false;
    request->message[0] = '\0';
    asq_result_clear(&request->result);
    /* The worker's lock passes it on with the rest of the request. */
    atomic_store_explicit(&request->cancelled, false, memory_order_relaxed);
    request->submitted_ns = uv_hrtime();
    request->deadline_ns = 0;
    if (request->timeout_ms != 0)
        request->deadline_ns =
            request->submitted_ns + request->timeout_ms * UINT64_C(1000000);
    request->pending = true;
}
