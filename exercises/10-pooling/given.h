/* given - the part of the bulkhead that is given
 *
 * Only the check includes this file, so each function exists once. A request is
 * in one list at a time: in the line while it waits, and in `due` from the
 * moment at which it is known what its callback will say.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_bulkhead.h"

#include <stddef.h>

static void push(struct ex_request **list, struct ex_request *request)
{
    while (*list != NULL)
        list = &(*list)->next;
    *list = request;
    request->next = NULL;
}

static void take_out(struct ex_request **list, struct ex_request *request)
{
    while (*list != NULL && *list != request)
        list = &(*list)->next;
    if (*list != NULL)
        *list = request->next;
}

void ex_bulkhead_init(struct ex_bulkhead *bulkhead,
                      unsigned places,
                      unsigned report_places)
{
    *bulkhead =
        (struct ex_bulkhead){.places = places, .report_places = report_places};
}

int ex_bulkhead_enter(struct ex_bulkhead *bulkhead,
                      struct ex_request *request,
                      enum ex_kind kind,
                      ex_entered_cb on_entered)
{
    if (request->state != EX_IDLE || (kind != EX_SHORT && kind != EX_REPORT))
        return UV_EINVAL;
    request->state = EX_WAITING;
    request->bulkhead = bulkhead;
    request->kind = kind;
    request->on_entered = on_entered;
    push(&bulkhead->line, request);
    ex_bulkhead_serve(bulkhead);
    return 0;
}

void ex_bulkhead_resize(struct ex_bulkhead *bulkhead,
                        unsigned places,
                        unsigned report_places)
{
    bulkhead->places = places;
    bulkhead->report_places = report_places;
    ex_bulkhead_serve(bulkhead);
}

void ex_request_answer(struct ex_request *request, int status)
{
    if (request->state == EX_WAITING) {
        take_out(&request->bulkhead->line, request);
        push(&request->bulkhead->due, request);
        request->state = EX_DUE;
    }
    request->status = status;
}

void ex_bulkhead_deliver(struct ex_bulkhead *bulkhead)
{
    size_t count = 0;

    for (struct ex_request *due = bulkhead->due; due != NULL; due = due->next)
        count++;
    for (; count > 0; count--) {
        struct ex_request *request = bulkhead->due;

        bulkhead->due = request->next; /* before request may be freed */
        request->state = request->status == 0 ? EX_INSIDE : EX_IDLE;
        request->on_entered(request, request->status);
    }
}

#endif
