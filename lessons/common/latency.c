/* latency - records durations, returns exact percentiles
 *
 * Owns the samples. One thread at a time may use a recorder. Depends on libuv
 * for its error codes only.
 */
#include "common/latency.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    FIRST_CAPACITY = 64
};

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return (*x > *y) - (*x < *y);
}

static int reserve(struct asq_latency *lat, size_t capacity)
{
    uint64_t *samples;

    if (capacity <= lat->capacity)
        return 0;
    if (capacity > SIZE_MAX / sizeof *samples)
        return UV_ENOMEM;
    samples = realloc(lat->samples, capacity * sizeof *samples);
    if (samples == NULL)
        return UV_ENOMEM;
    lat->samples = samples;
    lat->capacity = capacity;
    return 0;
}

int asq_latency_init(struct asq_latency *lat, size_t capacity)
{
    memset(lat, 0, sizeof *lat);
    return reserve(lat, capacity);
}

void asq_latency_destroy(struct asq_latency *lat)
{
    if (lat == NULL)
        return;
    free(lat->samples);
    memset(lat, 0, sizeof *lat);
}

void asq_latency_reset(struct asq_latency *lat)
{
    lat->count = 0;
    lat->sorted = 0;
}

int asq_latency_add(struct asq_latency *lat, uint64_t ns)
{
    if (lat->count == lat->capacity) {
        size_t more = lat->capacity > 0 ? lat->capacity * 2 : FIRST_CAPACITY;
        int rc = reserve(lat, more);

        if (rc != 0)
            return rc;
    }
    lat->samples[lat->count] = ns;
    lat->count++;
    lat->sorted = 0;
    return 0;
}

int asq_latency_merge(struct asq_latency *lat, const struct asq_latency *from)
{
    size_t added = from->count;
    int rc;

    if (added == 0)
        return 0;
    rc = reserve(lat, lat->count + added);
    if (rc != 0)
        return rc;
    memcpy(&lat->samples[lat->count], from->samples, added * sizeof(uint64_t));
    lat->count += added;
    lat->sorted = 0;
    return 0;
}

uint64_t asq_latency_percentile(struct asq_latency *lat, double percent)
{
    double exact;
    size_t rank;

    assert(percent > 0 && percent <= 100);
    if (lat->count == 0)
        return 0;
    if (!lat->sorted) {
        qsort(lat->samples, lat->count, sizeof *lat->samples, compare);
        lat->sorted = 1;
    }
    /* 99.9 has no exact binary form. Without the small deduction, a product
     * that is a hair above a whole rank would be rounded up. */
    exact = percent * (double)lat->count / 100 * (1 - 1e-12);
    rank = (size_t)exact;
    if ((double)rank < exact)
        rank++;
    return lat->samples[rank - 1];
}
