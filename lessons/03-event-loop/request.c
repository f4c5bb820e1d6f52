/* request - what is asked of a connection, and its answer */
#include "03-event-loop/request.h"

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
