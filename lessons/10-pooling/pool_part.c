/* pool_part - a pool as a part of a shutdown
 *
 * Owns nothing. Loop thread. Depends on pool, pool_report, and shutdown of
 * lesson 09.
 */
#include "10-pooling/pool_part.h"

#include "10-pooling/pool_report.h"

static void take_drained(struct asq_pool *pool)
{
    asq__part_drained(pool->keeper);
}

static void take_closed(struct asq_pool *pool)
{
    asq__part_closed(pool->keeper);
}

static bool drain(struct asq_shutdown_part *part)
{
    struct asq_pool *pool = part->object;

    pool->keeper = part;
    return asq_pool_refuse(pool, take_drained);
}

static void close_pool(struct asq_shutdown_part *part)
{
    asq_pool_close(part->object, take_closed);
}

static size_t cancel(struct asq_shutdown_part *part)
{
    struct asq_pool *pool = part->object;
    struct asq_pool_stats stats = asq_pool_statistics(pool);

    asq_pool_close(pool, take_closed); /* cancel comes after it */
    asq_pool_cancel(pool);
    return stats.waiting + stats.lent + stats.pending;
}

void asq_pool_part_init(struct asq_shutdown_part *part,
                        struct asq_pool *pool,
                        const char *name,
                        bool checkpoint)
{
    static const struct asq_part_ops ops = {
        .drain = drain, .cancel = cancel, .close = close_pool};

    *part = (struct asq_shutdown_part){
        .name = name, .ops = &ops, .object = pool, .checkpoint = checkpoint};
}
