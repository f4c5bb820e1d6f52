/* hold - a reservation of a connection, and the queue of reservations */
#include "03-event-loop/hold.h"

#include <assert.h>

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

void asq__line_pass_on(struct asq_line *line, struct asq_work *work)
{
    struct asq_request *request = request_of(work);
    bool first =
        request->hold != NULL || request->priority == ASQ_PRIORITY_URGENT;
    int rc = asq_worker_submit(line->worker, work,
                               first ? ASQ_LANE_URGENT : ASQ_LANE_NORMAL);

    assert(rc == 0); /* it has room, and closes after the last answer */
    (void)rc;        /* read by the assertion only */
}

/* Passes on what was kept back. While it was kept, it kept the loop alive. */
static void pass_on_all(struct asq_line *line, struct asq_work_list *list)
{
    struct asq_work *work;

    while ((work = asq_work_pop(list)) != NULL) {
        asq__line_pass_on(line, work);
        asq_worker_let_go(line->worker);
    }
}

static void keep_back(struct asq_line *line,
                      struct asq_work_list *list,
                      struct asq_work *work)
{
    asq_work_push(list, work);
    asq_worker_keep(line->worker);
}

/* What an ended hold has left open is undone when every request that names it
 * is answered, because only then is it known. */
static void maybe_tidy(struct asq_line *line, const struct asq_hold *hold)
{
    if (!hold->ended || hold->unanswered > 0 || !hold->left_open)
        return;
    atomic_store(&line->done_through, hold->number);
    line->tidy(line);
}

/* Gives the first hold its turn, and goes on to the next as long as they have
 * ended already. */
static void advance(struct asq_line *line)
{
    while (line->first != NULL) {
        struct asq_hold *hold = line->first;

        asq_worker_settle(line->worker);
        pass_on_all(line, &hold->waiting);
        if (!hold->ended)
            return;
        pass_on_all(line, &hold->after);
        line->first = hold->next;
        if (line->first == NULL)
            line->last = NULL;
        hold->line = NULL;
        maybe_tidy(line, hold);
    }
}

/* Takes an ended hold for which nothing waits out of the queue before its turn,
 * so that its memory may be freed. */
static void leave(struct asq_line *line, struct asq_hold *hold)
{
    struct asq_hold *before = line->first;

    while (before->next != hold)
        before = before->next;
    before->next = hold->next;
    if (line->last == hold)
        line->last = before;
    asq_work_append(&before->after, &hold->after);
    hold->line = NULL;
}

void asq_hold_init(struct asq_hold *hold)
{
    *hold = (struct asq_hold){0};
}

void asq_hold_end(struct asq_hold *hold)
{
    struct asq_line *line = hold->line;

    if (line == NULL || hold->ended)
        return;
    hold->ended = true;
    if (line->first == hold)
        advance(line);
    else if (hold->waiting.first == NULL)
        leave(line, hold);
}

bool asq_hold_lasts(const struct asq_hold *hold)
{
    return hold->line != NULL && !hold->ended;
}

int asq__line_begin(struct asq_line *line, struct asq_hold *hold)
{
    struct asq_hold *last = line->last;

    if (hold->line != NULL || hold->unanswered > 0)
        return UV_EBUSY;
    *hold = (struct asq_hold){.line = line, .number = ++line->begun};
    line->last = hold;
    if (last != NULL) {
        last->next = hold;
    } else {
        line->first = hold;
        advance(line);
    }
    return 0;
}

int asq__line_check(const struct asq_line *line, const struct asq_hold *hold)
{
    return hold->line == line && !hold->ended ? 0 : UV_EINVAL;
}

bool asq__line_route(struct asq_line *line, struct asq_request *request)
{
    struct asq_hold *hold = request->hold;

    request->hold_number = hold == NULL ? 0 : hold->number;
    if (hold != NULL)
        hold->unanswered++;
    if (hold != NULL && hold != line->first) {
        keep_back(line, &hold->waiting, &request->work);
        return true;
    }
    if (hold == NULL && line->last != NULL) {
        keep_back(line, &line->last->after, &request->work);
        return true;
    }
    asq__line_pass_on(line, &request->work);
    return false;
}

void asq__line_answered(struct asq_line *line, struct asq_request *request)
{
    struct asq_hold *hold = request->hold;

    if (hold == NULL)
        return;
    hold->unanswered--;
    /* A request that never ran knows nothing about it. */
    if (request->started_ns != 0)
        hold->left_open = request->left_open;
    maybe_tidy(line, hold);
}

static bool is_due(struct asq_work *work, void *data)
{
    struct asq_request *request = request_of(work);
    const uint64_t *now_ns = data;

    return atomic_load(&request->cancelled) ||
           (request->deadline_ns != 0 && *now_ns >= request->deadline_ns);
}

bool asq__line_look(struct asq_line *line, uint64_t now_ns)
{
    struct asq_work_list due = {0};
    bool waits = false;

    for (struct asq_hold *hold = line->first, *next; hold != NULL;
         hold = next) {
        next = hold->next;
        asq_work_filter(&hold->waiting, is_due, &now_ns, &due);
        asq_work_filter(&hold->after, is_due, &now_ns, &due);
        waits =
            waits || hold->waiting.first != NULL || hold->after.first != NULL;
        if (hold != line->first && hold->ended && hold->waiting.first == NULL)
            leave(line, hold);
    }
    pass_on_all(line, &due);
    return waits;
}

unsigned asq__line_end_all(struct asq_line *line)
{
    unsigned had_not_ended = 0;

    for (struct asq_hold *hold = line->first; hold != NULL; hold = hold->next) {
        had_not_ended += !hold->ended;
        hold->ended = true;
    }
    advance(line);
    return had_not_ended;
}
