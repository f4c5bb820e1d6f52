/* ex_bulkhead - a gate to a few places, of which reports get only some
 *
 * The decisions: which request enters next, and what leaving and giving up do.
 * The contract, and what is given, is in ex_bulkhead.h.
 */
#include "ex_bulkhead.h"

#include <stdbool.h>
#include <stddef.h>

/* begin solution */
static bool may_enter(const struct ex_bulkhead *bulkhead,
                      const struct ex_request *request)
{
    if (bulkhead->taken >= bulkhead->places)
        return false;
    return request->kind == EX_SHORT ||
           bulkhead->taken_by_reports < bulkhead->report_places;
}

/* end solution */
void ex_bulkhead_serve(struct ex_bulkhead *bulkhead)
{
    /* begin solution */
    struct ex_request *next;

    for (struct ex_request *request = bulkhead->line; request != NULL;
         request = next) {
        next = request->next; /* before it is put into the other list */
        if (!may_enter(bulkhead, request))
            continue;
        bulkhead->taken++;
        if (request->kind == EX_REPORT)
            bulkhead->taken_by_reports++;
        ex_request_answer(request, 0);
    }
    /* end solution */
}

/* begin solution */
/* Gives the place of a request to whoever is next. */
static void give_back(struct ex_request *request)
{
    struct ex_bulkhead *bulkhead = request->bulkhead;

    bulkhead->taken--;
    if (request->kind == EX_REPORT)
        bulkhead->taken_by_reports--;
    ex_bulkhead_serve(bulkhead);
}

/* end solution */
void ex_bulkhead_leave(struct ex_request *request)
{
    /* begin solution */
    if (request->state != EX_INSIDE)
        return;
    request->state = EX_IDLE;
    give_back(request);
    /* end solution */
}

void ex_bulkhead_give_up(struct ex_request *request, int code)
{
    /* begin solution */
    if (request->state == EX_WAITING) {
        ex_request_answer(request, code);
    } else if (request->state == EX_DUE && request->status == 0) {
        ex_request_answer(request, code);
        give_back(request);
    }
    /* end solution */
}
