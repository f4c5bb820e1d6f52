/* work - something that can be queued, and lists of it
 *
 * A piece of work is embedded in whatever is queued, so a list needs no memory
 * of its own and owns nothing. It has no lock: the owner of a list says which
 * thread may use it. Depends on nothing.
 */
#ifndef ASQ_WORK_H
#define ASQ_WORK_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Finds the struct of which member is a part. */
#define ASQ_CONTAINER_OF(pointer, type, member)                                \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Embedded in whatever is queued; found again by ASQ_CONTAINER_OF. */
struct asq_work {
    struct asq_work *next;
};

struct asq_work_list {
    struct asq_work *first;
    struct asq_work *last;
};

/* Puts work at the end. It must not be in another list. */
void asq_work_push(struct asq_work_list *list, struct asq_work *work);

/* Takes the first one off the list and returns it, or NULL if there is none. */
struct asq_work *asq_work_pop(struct asq_work_list *list);

/* Moves everything in more to the end of list. */
void asq_work_append(struct asq_work_list *list, struct asq_work_list *more);

/* Moves everything for which leaves returns true to the end of ret_left. Both
 * lists keep their order. */
void asq_work_filter(struct asq_work_list *list,
                     bool (*leaves)(struct asq_work *work, void *data),
                     void *data,
                     struct asq_work_list *ret_left);

#ifdef __cplusplus
}
#endif

#endif
