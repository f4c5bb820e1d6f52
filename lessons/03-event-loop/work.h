/* work - what is queued, and lists of it
 *
 * A piece of work is embedded in whatever is queued, so a list needs no memory
 * of its own and owns nothing. Not thread-safe: who may touch a list says its
 * owner. Depends on nothing.
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

/* Puts work last. It is in no other list. */
void asq_work_push(struct asq_work_list *list, struct asq_work *work);

/* Takes the first one off and returns it, or NULL. */
struct asq_work *asq_work_pop(struct asq_work_list *list);

/* Moves all of more behind what is in list. */
void asq_work_append(struct asq_work_list *list, struct asq_work_list *more);

/* Moves everything for which leaves returns true to the end of ret_left; the
 * order stays on both sides. */
void asq_work_filter(struct asq_work_list *list,
                     bool (*leaves)(struct asq_work *work, void *data),
                     void *data,
                     struct asq_work_list *ret_left);

#ifdef __cplusplus
}
#endif

#endif
