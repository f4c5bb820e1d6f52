/* request - what is asked of a connection, and its answer */
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
