/* work - something that can be queued, and lists of it */
#include "03-event-loop/work.h"

void asq_work_push(struct asq_work_list *list, struct asq_work *work)
{
    work->next = NULL;
    if (list->last != NULL)
        list->last->next = work;
    else
        list->first = work;
    list->last = work;
}

struct asq_work *asq_work_pop(struct asq_work_list *list)
{
    struct asq_work *work = list->first;

    if (work != NULL) {
        list->first = work->next;
        if (list->first == NULL)
            list->last = NULL;
    }
    return work;
}

void asq_work_append(struct asq_work_list *list, struct asq_work_list *more)
{
    if (more->first == NULL)
        return;
    if (list->last != NULL)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    *more = (struct asq_work_list){0};
}

void asq_work_filter(struct asq_work_list *list,
                     bool (*leaves)(struct asq_work *work, void *data),
                     void *data,
                     struct asq_work_list *ret_left)
{
    struct asq_work_list all = *list;
    struct asq_work *work;

    *list = (struct asq_work_list){0};
    while ((work = asq_work_pop(&all)) != NULL)
        asq_work_push(leaves(work, data) ? ret_left : list, work);
}
