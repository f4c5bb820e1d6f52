/* pool_part - a pool as a part of a shutdown
 *
 * While the shutdown drains, the pool serves those that wait; then it closes.
 * When the time is over it takes back every loan. Loop thread. Depends on pool,
 * and on shutdown of lesson 09.
 */
#ifndef ASQ_POOL_PART_H
#define ASQ_POOL_PART_H

#include "09-lifetimes/shutdown.h"
#include "10-pooling/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a part of the pool, for asq_shutdown_add; name is borrowed. checkpoint
 * is set for the pool of the writer, so that it closes after the readers. The
 * pool's keeper is the shutdown's until it is down. */
void asq_pool_part_init(struct asq_shutdown_part *part,
                        struct asq_pool *pool,
                        const char *name,
                        bool checkpoint);

#ifdef __cplusplus
}
#endif

#endif
