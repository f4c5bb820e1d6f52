/* latency - records durations, returns exact percentiles
 *
 * Every sample is kept, and they are sorted when a percentile is asked for, so
 * it is a value that was really measured, never an estimate. One thread at a
 * time may use a recorder: give each thread its own, and merge them when the
 * threads have ended.
 */
#ifndef COMMON_LATENCY_H
#define COMMON_LATENCY_H

#include <stddef.h>
#include <stdint.h>

struct asq_latency {
    /* read-only */
    size_t count;
    /* private */
    uint64_t *samples;
    size_t capacity;
    int sorted;
};

/* Reserves room for capacity samples. Returns 0 or UV_ENOMEM. */
int asq_latency_init(struct asq_latency *lat, size_t capacity);

/* Frees the samples. Accepts NULL and a zeroed recorder. */
void asq_latency_destroy(struct asq_latency *lat);

/* Forgets the samples and keeps the room. */
void asq_latency_reset(struct asq_latency *lat);

/* Adds one sample, in nanoseconds, and makes more room if needed. Returns 0, or
 * UV_ENOMEM, and then the sample is not recorded. */
int asq_latency_add(struct asq_latency *lat, uint64_t ns);

/* Adds all samples of from to lat. Returns 0 or UV_ENOMEM. */
int asq_latency_merge(struct asq_latency *lat, const struct asq_latency *from);

/* Returns the nearest-rank percentile in nanoseconds: the smallest sample that
 * at least percent of all samples do not exceed. percent is above 0 and at most
 * 100. Without samples it returns 0. */
uint64_t asq_latency_percentile(struct asq_latency *lat, double percent);

#endif
