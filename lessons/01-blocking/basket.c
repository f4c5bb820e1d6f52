/* basket - the query that every comparison of the course runs */
#include "01-blocking/basket.h"

enum {
    CACHE_KIB = 64
};

struct asq_profile asq_basket_profile(const char *path, const char *vfs)
{
    struct asq_profile profile = asq_profile_default(path);

    profile.mode = ASQ_OPEN_READ;
    profile.vfs = vfs;
    profile.cache_kib = CACHE_KIB;
    return profile;
}

/* Spreads requests over 0 to places - 1 by the golden ratio (here its fraction
 * times 2^32): requests that follow each other are never near each other in the
 * table, so no request finds the pages of the one before it. */
static int64_t spread(long request, int64_t places)
{
    uint32_t turn = (uint32_t)request * UINT32_C(2654435769);

    return (int64_t)(((uint64_t)turn * (uint64_t)places) >> 32);
}

void asq_basket_fill(struct asq_value ids[ASQ_BASKET_SIZE],
                     long request,
                     int items)
{
    int64_t shelf = items / ASQ_BASKET_SIZE;
    int64_t place = spread(request, shelf);

    /* One item from each fifth of the table. */
    for (int64_t i = 0; i < ASQ_BASKET_SIZE; i++)
        ids[i] = asq_int64(1 + i * shelf + place);
}
